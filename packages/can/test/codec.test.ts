import {
  type BcmMessage,
  type BcmMessageInput,
  bcm,
  CAN_BCM,
  CAN_EFF_FLAG,
  CAN_EFF_MASK,
  CAN_INV_FILTER,
  CAN_ISOTP,
  CAN_J1939,
  CAN_RAW,
  CAN_RTR_FLAG,
  type CanAddress,
  type CanFilter,
  type CanFilterInput,
  type CanInput,
  canIsotpLlOpts,
  canIsotpOpts,
  canIsotpRecvFc,
  canIsotpRxStmin,
  canIsotpTxStmin,
  canRaw,
  canRawFilter,
  canRawXlVcidOpts,
  type IsotpAddress,
  type IsotpInput,
  isotp,
  type J1939Address,
  type J1939Filter,
  type J1939Input,
  j1939,
  packBcmMessage,
  scmCanRawErrQueue,
  scmJ1939DestAddr,
  scmJ1939DestName,
  scmJ1939ErrQueue,
  scmJ1939Prio,
  soJ1939Filter,
  unpackBcmMessage,
} from '@sock/can';
import {
  type AddressFamily,
  AF_CAN,
  type ExtendedError,
  type FailedCall,
  type ReceiveOnlyMessage,
  writeI32,
  writeU16,
} from '@sock/core';
import { itIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { classicFrame, fdFrame, identifier } from './arbitraries.js';
import { info, littleEndian64 } from './bus.js';

function encode<A, I>(family: AddressFamily<A, I>, input: I): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_CAN, 0);
  return into.subarray(0, family.encode(input, into, info));
}

const interfaceName = fc.nat(9).map((digit) => `can${digit}`);
const name64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const transportId = fc.oneof(
  fc.nat(CAN_EFF_MASK),
  fc.nat(0x7ff).map((id) => id + CAN_EFF_FLAG),
);

const canAddress: fc.Arbitrary<CanAddress> = fc.record({
  interface: fc.oneof(fc.constant(''), interfaceName),
});
const isotpAddress: fc.Arbitrary<IsotpAddress> = fc.record({
  interface: interfaceName,
  rxId: transportId,
  txId: transportId,
});
const j1939Address: fc.Arbitrary<J1939Address> = fc.record({
  interface: interfaceName,
  name: name64,
  pgn: fc.nat(0x40000),
  address: fc.nat(255),
});

function addressTests<A extends CanAddress, I>(family: AddressFamily<A, I>, address: fc.Arbitrary<A & I>): void {
  it(`${family.name}: are themselves after a round trip`, () => {
    fc.assert(
      fc.property(address, (one) => {
        expect(family.decode(encode(family, one), info)).to.deep.equal(one);
        expect(family.format(one)).to.be.a('string').and.not.equal('');
      }),
    );
  });

  it(`${family.name}: random and truncated bytes are an address or an error, never a crash`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), fc.nat(128), (bytes, length) => {
        const sockaddr = bytes.subarray(0, length);
        let decoded: A;
        try {
          decoded = family.decode(sockaddr, info);
        } catch (error) {
          expect(error).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'sockaddr' });
          return;
        }
        expect(family.format(decoded)).to.be.a('string');
      }),
    );
    fc.assert(
      fc.property(address, fc.nat(23), (one, length) => {
        const sockaddr = encode(family, one);
        if (length >= sockaddr.length) return;
        try {
          expect(family.decode(sockaddr.subarray(0, length), info)).to.include({ interface: one.interface });
        } catch (error) {
          expect(error).to.include({ argument: 'sockaddr' });
        }
      }),
    );
  });

  it(`${family.name}: an interface that is gone is no address of all interfaces`, () => {
    const sockaddr = Buffer.alloc(24);
    writeU16(sockaddr, AF_CAN, 0);
    writeI32(sockaddr, 77, 4);
    expect(thrown(() => family.decode(sockaddr, info))).to.include({ argument: 'sockaddr' });
  });

  it(`${family.name}: refuses what is no address of it`, () => {
    for (const input of [undefined, null, 1, 'can0', [], new Uint8Array(2)]) {
      expect(thrown(() => encode(family, input as I))).to.include({
        code: 'ERR_INVALID_ARG_TYPE',
        argument: 'address',
      });
    }
    for (const input of [
      { host: 'x', port: 1 },
      { interface: 'can0', ifindex: 1 },
    ]) {
      expect(thrown(() => encode(family, input as I))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address' });
    }
    for (const input of [{ interface: -1 }, { interface: true }, { interface: null }, { interface: 'a\0b' }]) {
      expect(thrown(() => encode(family, input as I))).to.include({ argument: 'address.interface' });
    }
  });
}

describe('CAN addresses', () => {
  addressTests(canRaw, canAddress);
  addressTests(bcm, canAddress);
  addressTests(isotp, isotpAddress);
  addressTests(j1939, j1939Address);

  it('imply type and protocol', () => {
    const all = [canRaw, bcm, isotp, j1939];
    expect(all.map(({ protocol }) => protocol)).to.deep.equal([CAN_RAW, CAN_BCM, CAN_ISOTP, CAN_J1939]);
    expect(all.map(({ type }) => type)).to.deep.equal([3, 2, 2, 2]);
    expect(new Set(all.map(({ domain }) => domain))).to.deep.equal(new Set([AF_CAN]));
  });

  it('have defaults', () => {
    const all: CanInput = {};
    expect(canRaw.decode(encode(canRaw, all), info)).to.deep.equal({ interface: '' });
    const alone: IsotpInput = { interface: 'can0' };
    expect(isotp.decode(encode(isotp, alone), info)).to.deep.equal({ interface: 'can0', rxId: 0, txId: 0 });
    const none: J1939Input = { interface: 1 };
    const decoded = j1939.decode(encode(j1939, none), info);
    expect(decoded).to.deep.equal({ interface: 'can0', name: 0n, pgn: 0x40000, address: 255 });
  });

  it('ISO-TP identifiers are extended where they must be, or are marked', () => {
    const back = (rxId: number) => isotp.decode(encode(isotp, { interface: 'can0', rxId }), info).rxId;
    expect(back(0x7ff)).to.equal(0x7ff);
    expect(back(0x18da10f1)).to.equal(0x18da10f1);
    expect(back(0x18da10f1 + CAN_EFF_FLAG)).to.equal(0x18da10f1);
    expect(back(0x18da10f1 | CAN_EFF_FLAG)).to.equal(0x18da10f1);
    expect(back(0x123 + CAN_EFF_FLAG)).to.equal(0x123 + CAN_EFF_FLAG);
    for (const rxId of [0x123 + CAN_RTR_FLAG, 2 ** 29, 2 ** 32, 1.5]) {
      expect(thrown(() => back(rxId))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address.rxId' });
    }
    expect(thrown(() => back('1' as unknown as number))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    const bad = thrown(() => encode(isotp, { interface: 'can0', txId: -1.5 }));
    expect(bad).to.include({ argument: 'address.txId' });
  });

  it('of transport protocols name one interface', () => {
    for (const name of ['', 0, undefined]) {
      expect(thrown(() => encode(isotp, { interface: name as string }))).to.include({ argument: 'address.interface' });
      expect(thrown(() => encode(j1939, { interface: name as string }))).to.include({ argument: 'address.interface' });
    }
  });

  it('of J1939 are checked member by member', () => {
    const table: [Partial<Record<keyof J1939Input, unknown>>, string][] = [
      [{ name: -1n }, 'address.name'],
      [{ name: 2n ** 64n }, 'address.name'],
      [{ name: '1' }, 'address.name'],
      [{ pgn: 0x40001 }, 'address.pgn'],
      [{ pgn: '1' }, 'address.pgn'],
      [{ address: 256 }, 'address.address'],
      [{ address: 1n }, 'address.address'],
    ];
    for (const [members, argument] of table) {
      expect(thrown(() => encode(j1939, { interface: 'can0', ...members } as J1939Input))).to.include({ argument });
    }
  });

  it('are formatted for people', () => {
    expect(canRaw.format({ interface: '' })).to.equal('(all CAN interfaces)');
    expect(bcm.format({ interface: 'can0' })).to.equal('can0');
    expect(isotp.format({ interface: 'can0', rxId: 0x7e8, txId: 0x18da10f1 })).to.equal('can0 rx 7E8 tx 18DA10F1');
    const named = { interface: 'can0', name: 0x1234n, pgn: 0xee00, address: 32 };
    expect(j1939.format(named)).to.equal('can0 name 0000000000001234 address 32 pgn 60928');
    expect(j1939.format({ interface: '', name: 0n, pgn: 0x40000, address: 255 })).to.equal('(no interface)');
  });
});

describe('explanations of CAN failures', () => {
  const explain = (failure: Partial<FailedCall>) =>
    canRaw.explain?.({ syscall: 'socket', code: 'EAFNOSUPPORT', type: 3, protocol: CAN_RAW, ...failure });

  it('name the kernel module', () => {
    expect(explain({})).to.equal('this kernel has no AF_CAN; load the module can_raw (modprobe can_raw)');
    expect(explain({ protocol: CAN_BCM })).to.include('modprobe can_bcm');
    expect(explain({ protocol: CAN_ISOTP })).to.include('modprobe can_isotp');
    expect(explain({ protocol: CAN_J1939, code: 'EPROTONOSUPPORT' })).to.equal(
      'this kernel has no CAN_J1939; load the module can_j1939 (modprobe can_j1939)',
    );
    expect(explain({ protocol: 5 })).to.include('CAN_RAW, CAN_BCM, CAN_ISOTP and CAN_J1939');
    expect(explain({ code: 'EPROTOTYPE' })).to.equal('CAN_RAW has SOCK_RAW only');
    expect(explain({ code: 'EMFILE' })).to.equal(undefined);
  });

  it('name the remedy, by protocol', () => {
    expect(explain({ syscall: 'sendmsg', code: 'ENOBUFS' })).to.include('txqueuelen');
    expect(explain({ syscall: 'recvmmsg', code: 'ENETDOWN' })).to.include('stays bound');
    expect(explain({ syscall: 'sendto', code: 'EACCES', protocol: CAN_J1939 })).to.include('SO_BROADCAST');
    expect(explain({ syscall: 'sendto', code: 'EACCES' })).to.equal(undefined);
  });
});

describe('CAN filters', () => {
  const canFilter: fc.Arbitrary<CanFilter> = fc.record({
    id: fc.nat(CAN_EFF_MASK),
    mask: fc.nat(CAN_EFF_MASK),
    inverted: fc.boolean(),
    extended: fc.constantFrom(null, true, false),
    remote: fc.constantFrom(null, true, false),
    error: fc.boolean(),
  });
  const words = (...filters: CanFilterInput[]): number[] => {
    const bytes = canRawFilter.encode?.(filters, info) as Uint8Array;
    return [...new Uint32Array(Uint8Array.from(bytes).buffer)];
  };

  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(fc.array(canFilter, { maxLength: 20 }), (filters) => {
        const bytes = canRawFilter.encode?.(filters, info) as Uint8Array;
        expect(bytes).to.have.length(8 * filters.length);
        expect(canRawFilter.decode?.(Buffer.from(bytes), info)).to.deep.equal(filters);
      }),
    );
  });

  it('never crash on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(canRawFilter.decode?.(Buffer.from(bytes), info)).to.have.length(Math.floor(bytes.length / 8));
      }),
    );
  });

  it('without a mask mean exactly the identifier', () => {
    expect(words({ id: 0x123 })).to.deep.equal([0x123, 0x800007ff]);
    expect(words({ id: 0x12345678 })).to.deep.equal([0x92345678, 0x9fffffff]);
    expect(words({ id: 0x123, extended: true })).to.deep.equal([0x80000123, 0x9fffffff]);
    expect(words({ id: 0x123, extended: null })).to.deep.equal([0x123, 0x7ff]);
    expect(words({ id: 0x123, remote: false })).to.deep.equal([0x123, 0xc00007ff]);
  });

  it('with a mask mean what C would', () => {
    expect(words({ id: 0x100, mask: 0x700 })).to.deep.equal([0x100, 0x700]);
    expect(words({ id: 0x100, mask: 0x700, extended: false })).to.deep.equal([0x100, 0x80000700]);
    expect(words({ id: 0x100 | CAN_EFF_FLAG, mask: 0x700 | CAN_EFF_FLAG | CAN_RTR_FLAG })).to.deep.equal([
      0x80000100, 0xc0000700,
    ]);
    expect(words({ id: 0x100 | CAN_INV_FILTER, mask: 0x700 })).to.deep.equal([0x20000100, 0x700]);
    expect(words({ id: 0x100, mask: 0x700, inverted: true })).to.deep.equal([0x20000100, 0x700]);
    expect(words({ id: 4, mask: 4, error: true })).to.deep.equal([4, 0x20000004]);
    expect(words({ id: 0, mask: 0 }, { id: 1, mask: 1 })).to.deep.equal([0, 0, 1, 1]);
  });

  it('are refused where they are none', () => {
    const table: [unknown, string][] = [
      [null, 'value'],
      [{ id: 1 }, 'value'],
      [new Array(513).fill({ id: 1 }), 'value'],
      [[1], 'value[0]'],
      [[{ id: 1 }, {}], 'value[1].id'],
      [[{ id: 2 ** 32 }], 'value[0].id'],
      [[{ id: 1, mask: 'x' }], 'value[0].mask'],
      [[{ id: 1, mask: 1, extended: 1 }], 'value[0].extended'],
      [[{ id: 1, remote: 1 }], 'value[0].remote'],
      [[{ id: 1, error: 1 }], 'value[0].error'],
      [[{ id: 1, inverted: 1 }], 'value[0].inverted'],
    ];
    for (const [value, argument] of table) {
      expect(thrown(() => canRawFilter.encode?.(value as CanFilterInput[], info))).to.include({ argument });
    }
  });

  it('of J1939 have the layout of struct j1939_filter', () => {
    const filters: J1939Filter[] = [
      { name: 0x0102030405060708n, pgn: 0x1ff00, pgnMask: 0x3ff00, address: 0x20 },
      {},
      { address: 1, addressMask: 0xf0, nameMask: 7n },
    ];
    const bytes = Buffer.from(soJ1939Filter.encode?.(filters, info) as Uint8Array);
    expect(bytes).to.have.length(96);
    const numbers = new DataView(bytes.buffer, bytes.byteOffset);
    const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
    expect(numbers.getBigUint64(0, little)).to.equal(0x0102030405060708n);
    expect(numbers.getBigUint64(8, little)).to.equal(0xffff_ffff_ffff_ffffn);
    expect(numbers.getUint32(16, little)).to.equal(0x1ff00);
    expect(numbers.getUint32(20, little)).to.equal(0x3ff00);
    expect([bytes[24], bytes[25]]).to.deep.equal([0x20, 0xff]);
    expect(bytes.subarray(32, 64)).to.deep.equal(Buffer.alloc(32));
    expect([numbers.getBigUint64(72, little), bytes[88], bytes[89]]).to.deep.equal([7n, 1, 0xf0]);
    const table: [unknown, string][] = [
      [{}, 'value'],
      [[null], 'value[0]'],
      [[{ name: 1.5 }], 'value[0].name'],
      [[{ nameMask: -1n }], 'value[0].nameMask'],
      [[{ pgn: 0x40000 }], 'value[0].pgn'],
      [[{ pgnMask: '1' }], 'value[0].pgnMask'],
      [[{ address: 256 }], 'value[0].address'],
      [[{ addressMask: 256 }], 'value[0].addressMask'],
    ];
    for (const [value, argument] of table) {
      expect(thrown(() => soJ1939Filter.encode?.(value as J1939Filter[], info))).to.include({ argument });
    }
  });
});

describe('structures of ISO-TP options', () => {
  it('are themselves after a round trip', () => {
    const octet = fc.nat(255);
    const general = fc.record({
      flags: fc.nat(0x3fff),
      frameTxTime: fc.oneof(fc.constant(null), fc.constant(0), fc.nat(4000)),
      extAddress: octet,
      txPadContent: octet,
      rxPadContent: octet,
      rxExtAddress: octet,
    });
    const gap = fc.oneof(
      fc.nat(127),
      fc.integer({ min: 1, max: 9 }).map((tenths) => tenths / 10),
    );
    const flow = fc.record({ blockSize: octet, stMin: gap, waitMax: octet });
    fc.assert(
      fc.property(general, flow, fc.nat(4_294_000_000), (one, two, nanoseconds) => {
        const back = (option: typeof canIsotpOpts | typeof canIsotpRecvFc | typeof canIsotpTxStmin, value: unknown) =>
          option.decode?.(Buffer.from(option.encode?.(value as never, info) as Uint8Array), info);
        expect(back(canIsotpOpts, one)).to.deep.equal(one);
        expect(back(canIsotpRecvFc, two)).to.deep.equal(two);
        expect(back(canIsotpTxStmin, nanoseconds / 1e6)).to.equal(nanoseconds / 1e6);
        expect(back(canIsotpRxStmin, nanoseconds / 1e6)).to.equal(nanoseconds / 1e6);
      }),
    );
  });

  it('never crash on bytes of their size; reserved gaps are the longest', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (bytes) => {
        const raw = Buffer.from(bytes);
        canIsotpOpts.decode?.(raw, info);
        canIsotpLlOpts.decode?.(raw.subarray(0, 3), info);
        canRawXlVcidOpts.decode?.(raw.subarray(0, 4), info);
        expect(canIsotpRecvFc.decode?.(raw.subarray(0, 3), info).stMin).to.be.within(0, 127);
      }),
    );
    expect(canIsotpRecvFc.decode?.(Buffer.of(0, 0x80, 0), info).stMin).to.equal(127);
    expect(canIsotpRecvFc.decode?.(Buffer.of(0, 0xf3, 0), info).stMin).to.equal(0.3);
  });

  it('have the kernel’s defaults', () => {
    expect(canIsotpLlOpts.encode?.({}, info)).to.deep.equal(Uint8Array.of(16, 8, 0));
    expect(canIsotpLlOpts.encode?.({ mtu: 72 }, info)).to.deep.equal(Uint8Array.of(72, 64, 0));
    expect(canIsotpRecvFc.encode?.({}, info)).to.deep.equal(new Uint8Array(3));
    expect(canRawXlVcidOpts.encode?.({ flags: 1, txVcid: 9 }, info)).to.deep.equal(Uint8Array.of(1, 9, 0, 0));
  });

  it('are checked member by member', () => {
    const table: [() => unknown, string][] = [
      [() => canIsotpOpts.encode?.({ flags: -1 }, info), 'value.flags'],
      [() => canIsotpOpts.encode?.({ frameTxTime: 5000 }, info), 'value.frameTxTime'],
      [() => canIsotpOpts.encode?.({ frameTxTime: '1' as unknown as number }, info), 'value.frameTxTime'],
      [() => canIsotpOpts.encode?.({ extAddress: 256 }, info), 'value.extAddress'],
      [() => canIsotpOpts.encode?.({ txPadContent: 256 }, info), 'value.txPadContent'],
      [() => canIsotpOpts.encode?.({ rxPadContent: 256 }, info), 'value.rxPadContent'],
      [() => canIsotpOpts.encode?.({ rxExtAddress: 256 }, info), 'value.rxExtAddress'],
      [() => canIsotpOpts.encode?.(1 as never, info), 'value'],
      [() => canIsotpRecvFc.encode?.({ blockSize: 256 }, info), 'value.blockSize'],
      [() => canIsotpRecvFc.encode?.({ stMin: 128 }, info), 'value.stMin'],
      [() => canIsotpRecvFc.encode?.({ stMin: 0.25 }, info), 'value.stMin'],
      [() => canIsotpRecvFc.encode?.({ stMin: Number.NaN }, info), 'value.stMin'],
      [() => canIsotpRecvFc.encode?.({ stMin: '1' as unknown as number }, info), 'value.stMin'],
      [() => canIsotpRecvFc.encode?.({ waitMax: -1 }, info), 'value.waitMax'],
      [() => canIsotpTxStmin.encode?.(-1, info), 'value'],
      [() => canIsotpLlOpts.encode?.({ mtu: 17 }, info), 'value.mtu'],
      [() => canIsotpLlOpts.encode?.({ mtu: 16, txDl: 12 }, info), 'value.txDl'],
      [() => canIsotpLlOpts.encode?.({ mtu: 72, txDl: 9 }, info), 'value.txDl'],
      [() => canIsotpLlOpts.encode?.({ mtu: 16, txFlags: 1 }, info), 'value.txFlags'],
      [() => canRawXlVcidOpts.encode?.({ rxVcid: 256 }, info), 'value.rxVcid'],
    ];
    for (const [call, argument] of table) expect(thrown(call)).to.include({ argument });
  });
});

describe('messages of the broadcast manager', () => {
  const milliseconds = fc.nat(400 * 24 * 3600).map((units) => units / 1000);
  const messages: fc.Arbitrary<BcmMessage> = fc
    .tuple(
      fc.record({
        opcode: fc.nat(12),
        count: fc.nat(0xffffffff),
        interval1: milliseconds,
        interval2: milliseconds,
        remote: fc.boolean(),
      }),
      fc.nat(0x7ff),
      identifier,
      fc.oneof(
        fc.array(classicFrame, { maxLength: 5 }).map((frames) => ({ fd: 0, frames })),
        fc.array(fdFrame, { maxLength: 5 }).map((frames) => ({ fd: 0x800, frames })),
      ),
    )
    .map(([head, flags, id, { fd, frames }]) => ({ ...head, ...id, flags: flags | fd, frames }) as BcmMessage);

  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(unpackBcmMessage(packBcmMessage(message as BcmMessageInput))).to.deep.equal(message);
      }),
    );
  });

  it('are undefined where they are cut off, and random bytes never crash', () => {
    fc.assert(
      fc.property(messages, fc.nat(500), (message, length) => {
        const bytes = packBcmMessage(message as BcmMessageInput);
        if (length < bytes.length) expect(unpackBcmMessage(bytes.subarray(0, length))).to.equal(undefined);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        unpackBcmMessage(bytes);
      }),
    );
  });

  itIf(littleEndian64, 'have the layout of struct bcm_msg_head', () => {
    const bytes = packBcmMessage({ opcode: 1, flags: 3, count: 2, interval1: 1500, interval2: 0.25, id: 0x123 });
    expect(bytes.toString('hex')).to.equal(
      ['01000000', '03000000', '02000000', '00000000', '0100000000000000', '20a1070000000000'].join('') +
        ['0000000000000000', 'fa00000000000000', '23010000', '00000000'].join(''),
    );
  });

  it('keep intervals that are shorter than the clock', () => {
    const back = unpackBcmMessage(packBcmMessage({ opcode: 1, id: 1, interval1: 0.0001, interval2: 1.1 }));
    expect(back).to.include({ interval1: 0.001, interval2: 1.1 });
  });

  it('are checked member by member', () => {
    const table: [Record<string, unknown>, string][] = [
      [{ opcode: -1 }, 'message.opcode'],
      [{ flags: 2 ** 32 }, 'message.flags'],
      [{ count: 1.5 }, 'message.count'],
      [{ interval1: -1 }, 'message.interval1'],
      [{ interval2: Number.NaN }, 'message.interval2'],
      [{ interval2: '1' }, 'message.interval2'],
      [{ interval1: 1e12 }, 'message.interval1'],
      [{ id: 2 ** 29 }, 'message.id'],
      [{ extended: 1 }, 'message.extended'],
      [{ remote: 1 }, 'message.remote'],
      [{ frames: {} }, 'message.frames'],
      [{ frames: new Array(258).fill({ id: 1 }) }, 'message.frames.length'],
      [{ frames: [1] }, 'message.frames[0]'],
      [{ frames: [{ kind: 'fd', id: 1 }] }, 'message.frames[0].kind'],
      [{ frames: [{ id: 1 }], flags: 0x800 }, 'message.frames[0].kind'],
      [{ frames: [{ id: -1 }] }, 'message.frames[0].id'],
    ];
    for (const [members, argument] of table) {
      const message = { opcode: 1, id: 1, ...members } as unknown as BcmMessageInput;
      expect(
        thrown(() => packBcmMessage(message)),
        argument,
      ).to.include({ argument });
    }
    expect(thrown(() => packBcmMessage(null as unknown as BcmMessageInput))).to.include({ argument: 'message' });
  });
});

describe('control messages of CAN', () => {
  const all: ReceiveOnlyMessage<unknown>[] = [
    scmCanRawErrQueue,
    scmJ1939DestAddr,
    scmJ1939DestName,
    scmJ1939ErrQueue,
    scmJ1939Prio,
  ];

  it('take random and truncated bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        for (const { level = -1, type = -1, size, ...message } of all) {
          const value = message.find([{ level, type, data }]);
          if (data.length < size) expect(value).to.equal(undefined);
          else expect(value).to.not.equal(undefined);
        }
      }),
    );
  });

  it('are decoded', () => {
    const entry = new Uint8Array(Uint32Array.of(113, 0x0102_0304, 1, 7).buffer);
    const { level = -1, type = -1 } = scmJ1939ErrQueue;
    const expected: ExtendedError = {
      code: 'EHOSTUNREACH',
      errno: -113,
      origin: entry[4] as number,
      type: entry[5] as number,
      subcode: entry[6] as number,
      info: 1,
      data: 7,
    };
    expect(scmJ1939ErrQueue.find([{ level, type, data: entry }])).to.deep.equal(expected);
    const code = (errno: number) =>
      scmCanRawErrQueue.decode(new Uint8Array(Uint32Array.of(errno, 0, 0, 0).buffer))?.code;
    expect([0, 42, 70, 131, 11, 4095].map(code)).to.deep.equal([
      null,
      null,
      'ECOMM',
      'ENOTRECOVERABLE',
      'EAGAIN',
      'E4095',
    ]);
    expect(scmJ1939Prio.decode(Uint8Array.of(6))).to.equal(6);
    expect(scmJ1939DestAddr.decode(Uint8Array.of(0x20))).to.equal(0x20);
    expect(scmJ1939DestName.decode(new Uint8Array(BigUint64Array.of(5n).buffer))).to.equal(5n);
  });

  it('that the kernel only sends cannot be made', () => {
    for (const message of all) expect(thrown(() => message.create(1 as never))).to.be.instanceOf(TypeError);
  });
});
