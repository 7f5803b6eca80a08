import {
  type AddressType,
  BDADDR_ANY,
  BDADDR_LOCAL,
  type BluetoothCodec,
  BT_SECURITY_FIPS,
  BTPROTO_HCI,
  BTPROTO_ISO,
  BTPROTO_L2CAP,
  BTPROTO_RFCOMM,
  BTPROTO_SCO,
  ba2str,
  btCodec,
  btIsoBase,
  btIsoQos,
  btMode,
  btPower,
  btRcvMtu,
  btSecurity,
  btVoice,
  HCI_EVENT_PKT,
  HCI_VENDOR_PKT,
  type HciAddress,
  type HciChannel,
  hci,
  hciFilter,
  type IsoAddress,
  type IsoQos,
  iso,
  type L2capAddress,
  l2cap,
  l2capConninfo,
  l2capOptions,
  type RfcommAddress,
  rfcomm,
  type ScoAddress,
  scmHciDir,
  scmHciTstamp,
  scmPktStatus,
  sco,
  scoOptions,
  str2ba,
} from '@sock/bluetooth';
import {
  type AddressFamily,
  AF_BLUETOOTH,
  type FailedCall,
  type ReceiveOnlyMessage,
  type SocketOption,
  writeI64,
  writeU16,
} from '@sock/core';
import { inLab, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { info } from './controllers.js';

/** Emulation is slow, and what a codec does does not depend on the kernel. */
const runs = { numRuns: inLab ? 20 : 200 };

function encode<A, I>(family: AddressFamily<A, I>, input: I): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_BLUETOOTH, 0);
  return into.subarray(0, family.encode(input, into, info));
}

const six = fc.uint8Array({ minLength: 6, maxLength: 6 });
const address = six.map((bytes) => ba2str(bytes));
const addressType = fc.constantFrom<AddressType>('bredr', 'public', 'random');
const leType = fc.constantFrom<AddressType>('public', 'random');
const l2capAddress: fc.Arbitrary<L2capAddress> = fc
  .record({ address, psm: fc.nat(0xffff), cid: fc.nat(0xffff), addressType })
  .map((one) => (one.psm === 0 ? one : { ...one, cid: 0 }));
const rfcommAddress: fc.Arbitrary<RfcommAddress> = fc.record({ address, channel: fc.nat(30) });
const hciAddress: fc.Arbitrary<HciAddress> = fc.record({
  device: fc.integer({ min: -1, max: 0xfffe }),
  channel: fc.constantFrom<HciChannel>('raw', 'user', 'monitor', 'control', 'logging'),
});
const scoAddress: fc.Arbitrary<ScoAddress> = fc.record({ address });
const broadcast = fc.record({
  address,
  addressType: leType,
  sid: fc.nat(15),
  bis: fc.array(fc.integer({ min: 1, max: 31 }), { maxLength: 31 }),
});
const isoAddress: fc.Arbitrary<IsoAddress> = fc.oneof(
  fc.record({ address, addressType: leType }),
  fc.record({ address, addressType: leType, broadcast }),
);

function addressTests<A, I>(family: AddressFamily<A, I>, arbitrary: fc.Arbitrary<A & I>): void {
  it(`${family.name}: are themselves after a round trip`, () => {
    fc.assert(
      fc.property(arbitrary, (one) => {
        expect(family.decode(encode(family, one), info)).to.deep.equal(one);
        expect(family.format(one)).to.be.a('string').and.not.equal('');
      }),
      runs,
    );
  });

  it(`${family.name}: random and truncated bytes are an address or an error, never a crash`, () => {
    const look = (sockaddr: Uint8Array): void => {
      let decoded: A;
      try {
        decoded = family.decode(sockaddr, info);
      } catch (error) {
        expect(error).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'sockaddr' });
        return;
      }
      expect(family.format(decoded)).to.be.a('string');
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), look), runs);
    fc.assert(
      fc.property(arbitrary, (one) => {
        const sockaddr = encode(family, one);
        for (let length = 0; length < sockaddr.length; length++) look(sockaddr.subarray(0, length));
      }),
      runs,
    );
  });

  it(`${family.name}: an object of another protocol is refused`, () => {
    for (const input of [
      null,
      undefined,
      5,
      'x',
      [],
      Buffer.alloc(6),
      { interface: 'lo' },
      { address: 5 },
      { channel: {} },
    ]) {
      const { code, argument } = thrown(() => encode(family, input as I));
      expect(code).to.match(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
      expect(argument).to.match(/^address/);
    }
  });
}

describe('device addresses', () => {
  it('are text and six bytes, the last part first', () => {
    expect(Buffer.from(str2ba('00:aa:01:00:00:42')).toString('hex')).to.equal('42000001aa00');
    expect(ba2str(Buffer.from('42000001aa00', 'hex'))).to.equal('00:AA:01:00:00:42');
    expect(str2ba(BDADDR_ANY)).to.deep.equal(new Uint8Array(6));
    expect(ba2str(str2ba(BDADDR_LOCAL))).to.equal(BDADDR_LOCAL);
    fc.assert(
      fc.property(six, (bytes) => {
        expect(str2ba(ba2str(bytes))).to.deep.equal(bytes);
        expect(str2ba(ba2str(bytes).toLowerCase())).to.deep.equal(bytes);
      }),
      runs,
    );
  });

  it('refuse everything else', () => {
    for (const text of [
      '',
      '00:AA:01:00:00',
      '00:AA:01:00:00:42:',
      '00-AA-01-00-00-42',
      '00:AA:01:00:00:4G',
      ' 00:AA:01:00:00:42',
    ]) {
      expect(thrown(() => str2ba(text))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'text' });
    }
    expect(thrown(() => str2ba(5 as unknown as string))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => ba2str(new Uint8Array(5)))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'bytes' });
    expect(thrown(() => ba2str('x' as unknown as Uint8Array))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          str2ba(text);
        } catch (error) {
          expect(error).to.include({ argument: 'text' });
        }
      }),
      runs,
    );
  });
});

describe('addresses of Bluetooth', () => {
  addressTests(l2cap, l2capAddress);
  addressTests(rfcomm, rfcommAddress);
  addressTests(hci, hciAddress);
  addressTests(sco, scoAddress);
  addressTests(iso, isoAddress);

  it('are the bytes of the kernel', () => {
    const hex = (bytes: Buffer) => bytes.toString('hex');
    expect(hex(encode(l2cap, { address: '00:AA:01:00:00:42', psm: 0x1001 })).slice(4)).to.equal(
      '011042000001aa0000000000',
    );
    expect(hex(encode(l2cap, { cid: 4, addressType: 'random' })).slice(4)).to.equal('000000000000000004000200');
    expect(hex(encode(rfcomm, { channel: 5 })).slice(4)).to.equal('0000000000000500');
    expect(encode(hci, { device: 1, channel: 'user' })).to.have.length(6);
    expect(hci.decode(encode(hci, {}), info)).to.deep.equal({ device: -1, channel: 'raw' });
    expect(encode(sco, {})).to.have.length(8);
    expect(encode(iso, {})).to.have.length(10);
    expect(encode(iso, { broadcast: { address: BDADDR_ANY, bis: [1, 2] } })).to.have.length(50);
  });

  it('name what is wrong with them', () => {
    const rows: [() => unknown, string][] = [
      [() => encode(l2cap, { psm: 0x10000 }), 'address.psm'],
      [() => encode(l2cap, { cid: -1 }), 'address.cid'],
      [() => encode(l2cap, { address: 'x' }), 'address.address'],
      [() => encode(l2cap, { addressType: 'le' as AddressType }), 'address.addressType'],
      [() => encode(rfcomm, { channel: 31 }), 'address.channel'],
      [() => encode(hci, { device: 0xffff }), 'address.device'],
      [() => encode(hci, { channel: 'x' as HciChannel }), 'address.channel'],
      [() => encode(iso, { addressType: 'bredr' }), 'address.addressType'],
      [() => encode(iso, { broadcast: { address: BDADDR_ANY, sid: 16 } }), 'address.broadcast.sid'],
      [() => encode(iso, { broadcast: { address: BDADDR_ANY, bis: [0] } }), 'address.broadcast.bis[0]'],
      [() => encode(iso, { broadcast: { address: BDADDR_ANY, bis: new Array(32).fill(1) } }), 'address.broadcast.bis'],
      [() => encode(iso, { broadcast: { address: BDADDR_ANY, bis: 1 as unknown as [] } }), 'address.broadcast.bis'],
    ];
    for (const [call, argument] of rows) expect(thrown(call), argument).to.include({ argument });
  });

  it('are shown as text', () => {
    expect(l2cap.format({ address: BDADDR_ANY, psm: 1, cid: 0x40, addressType: 'bredr' })).to.equal(
      `${BDADDR_ANY} psm 1`,
    );
    expect(l2cap.format({ address: BDADDR_ANY, psm: 0, cid: 4, addressType: 'random' })).to.equal(
      `${BDADDR_ANY} (random) cid 4`,
    );
    expect(hci.format({ device: -1, channel: 'control' })).to.equal('(no device) control');
    expect(hci.format({ device: 3, channel: 'raw' })).to.equal('hci3 raw');
  });
});

describe('options of Bluetooth, as bytes', () => {
  const again = <O, I>(option: Pick<SocketOption<O, I>, 'encode' | 'decode'>, value: I): O => {
    const bytes = option.encode?.(value, info);
    if (!(bytes instanceof Uint8Array) || option.decode === undefined) throw new Error('no bytes');
    return option.decode(Buffer.from(bytes), info);
  };

  const codec: fc.Arbitrary<BluetoothCodec> = fc.record({
    id: fc.nat(255),
    companyId: fc.nat(0xffff),
    vendorId: fc.nat(0xffff),
    dataPathId: fc.nat(255),
    capabilities: fc.array(
      fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 4 },
    ),
  });
  const direction = fc.record({
    interval: fc.nat(0xfffff),
    latency: fc.nat(0xffff),
    sdu: fc.nat(0xfff),
    phy: fc.nat(7),
    rtn: fc.nat(255),
  });
  const byte = fc.nat(255);
  const qos: fc.Arbitrary<IsoQos> = fc.record({
    cig: byte,
    cis: byte,
    sca: byte,
    packing: byte,
    framing: byte,
    in: direction,
    out: direction,
  });

  it('are themselves after a round trip', () => {
    const property = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void) =>
      fc.assert(
        fc.property(arbitrary, (value) => {
          check(value);
        }),
        runs,
      );
    property(codec, (one) => expect(again(btCodec, one)).to.deep.equal([one]));
    property(qos, (one) => expect(again(btIsoQos, one)).to.deep.equal(one));
    property(fc.nat(0xffff), (one) => expect(again(btRcvMtu, one)).to.equal(one));
    property(fc.nat(0xffff), (one) => expect(again(btVoice, one)).to.equal(one));
    property(fc.nat(4), (one) => expect(again(btMode, one)).to.equal(one));
    property(fc.boolean(), (one) => expect(again(btPower, one)).to.equal(one));
    property(fc.nat(BT_SECURITY_FIPS), (level) =>
      expect(again(btSecurity, { level })).to.deep.equal({ level, keySize: 0 }),
    );
    property(fc.uint8Array({ maxLength: 248 }), (one) => expect(again(btIsoBase, one).equals(one)).to.equal(true));
    property(fc.record({ imtu: fc.nat(0xffff), mode: byte, maxTx: byte, txwinSize: fc.nat(0x3fff) }), (one) =>
      expect(again(l2capOptions, one)).to.include(one),
    );
    const set = (max: number, min = 0) =>
      fc.uniqueArray(fc.integer({ min, max }), { maxLength: 5 }).map((a) => a.sort((x, y) => x - y));
    property(fc.record({ types: set(31, 1), events: set(63), opcode: fc.nat(0xffff) }), (one) =>
      expect(again(hciFilter, one)).to.deep.equal(one),
    );
    expect(again(hciFilter, {})).to.deep.equal({ types: 'all', events: 'all', opcode: 0 });
    expect(again(hciFilter, { types: [HCI_VENDOR_PKT] }).types).to.deep.equal([HCI_VENDOR_PKT]);
  });

  it('are decoded from whatever there is', () => {
    const options = [
      btCodec,
      btIsoQos,
      btRcvMtu,
      btMode,
      btPower,
      btSecurity,
      l2capOptions,
      hciFilter,
      l2capConninfo,
      scoOptions,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const option of options) option.decode?.(Buffer.from(bytes), info);
      }),
      runs,
    );
    expect(l2capConninfo.decode(Buffer.from('2a000c0102', 'hex'), info)).to.deep.equal({
      handle: 42,
      deviceClass: 0x02010c,
    });
    expect(scoOptions.decode(Buffer.from([64, 0]), info)).to.deep.equal({ mtu: 64 });
  });

  it('refuse what they do not accept', () => {
    const bad: [Pick<SocketOption<unknown, never>, 'encode'>, unknown, string][] = [
      [btSecurity, { level: 5 }, 'value.level'],
      [btSecurity, 2, 'value'],
      [btMode, 5, 'value'],
      [btPower, 1, 'value'],
      [btRcvMtu, 0x10000, 'value'],
      [btCodec, { id: 1 }, 'value.capabilities'],
      [btCodec, { id: 1, companyId: 0, vendorId: 0, dataPathId: 0, capabilities: ['x'] }, 'value.capabilities[0]'],
      [
        btCodec,
        { id: 1, companyId: 0, vendorId: 0, dataPathId: 0, capabilities: [Buffer.alloc(256)] },
        'value.capabilities[0]',
      ],
      [btIsoQos, { in: { sdu: 0x1000 } }, 'value.in.sdu'],
      [btIsoQos, { cig: 256 }, 'value.cig'],
      [btIsoBase, 'x', 'value'],
      [btIsoBase, Buffer.alloc(249), 'value.length'],
      [l2capOptions, { mode: 256 }, 'value.mode'],
      [hciFilter, { types: [256] }, 'value.types[0]'],
      [hciFilter, { events: [64] }, 'value.events[0]'],
      [hciFilter, { events: HCI_EVENT_PKT }, 'value.events'],
      [hciFilter, { opcode: -1 }, 'value.opcode'],
    ];
    for (const [option, value, argument] of bad) {
      expect(
        thrown(() => option.encode?.(value as never, info)),
        argument,
      ).to.include({ argument });
    }
  });
});

describe('control messages of Bluetooth', () => {
  it('are decoded, and what is cut off is nothing', () => {
    const time = Buffer.alloc(16);
    writeI64(time, 1_700_000_000n, 0);
    writeI64(time, 123_456n, 8);
    const rows: [ReceiveOnlyMessage<unknown>, Buffer, unknown][] = [
      [scmHciDir, Buffer.from(new Uint8Array(new Int32Array([1]).buffer)), true],
      [scmHciDir, Buffer.alloc(4), false],
      [scmHciTstamp, time, 1_700_000_000_123_456_000n],
      [scmPktStatus, Buffer.of(3), 3],
    ];
    for (const [message, data, expected] of rows) {
      const item = { level: message.level as number, type: message.type as number, data };
      expect(message.find([item])).to.equal(expected);
      for (let length = 0; length < message.size; length++) {
        // a struct timeval of 32-bit machines has 8 bytes
        if (message === scmHciTstamp && length === 8) continue;
        expect(message.decode(data.subarray(0, length))).to.equal(undefined);
      }
      expect(() => message.create(expected as never)).to.throw(TypeError);
    }
    expect(scmHciTstamp.decode(Buffer.alloc(8))).to.equal(0n);
  });
});

describe('explanations of Bluetooth', () => {
  const about = (call: Partial<FailedCall>) =>
    l2cap.explain?.({ syscall: 'socket', code: 'EPROTONOSUPPORT', type: 5, protocol: BTPROTO_L2CAP, ...call });

  it('name what is missing and the remedy', () => {
    expect(about({ code: 'EAFNOSUPPORT' })).to.match(/modprobe bluetooth/);
    for (const [protocol, text] of [
      [BTPROTO_L2CAP, /BTPROTO_L2CAP/],
      [BTPROTO_HCI, /modprobe bluetooth/],
      [BTPROTO_SCO, /CONFIG_BT_BREDR/],
      [BTPROTO_RFCOMM, /modprobe rfcomm/],
      [BTPROTO_ISO, /exp-iso/],
      [7, /BTPROTO_L2CAP, _HCI/],
    ] as const) {
      expect(about({ protocol })).to.match(text);
    }
    expect(about({ code: 'ESOCKTNOSUPPORT', protocol: BTPROTO_SCO })).to.match(/SOCK_SEQPACKET only/);
    expect(about({ code: 'EPERM', protocol: BTPROTO_HCI })).to.match(/CAP_NET_RAW/);
    expect(about({ code: 'EMFILE' })).to.equal(undefined);
    expect(about({ syscall: 'sendmsg', code: 'EMSGSIZE' })).to.match(/longer than/);
    expect(about({ syscall: 'connect', code: 'EHOSTDOWN' })).to.match(/does not answer/);
    expect(about({ syscall: 'recvfrom', code: 'EPIPE', protocol: BTPROTO_HCI })).to.match(/removed/);
    expect(about({ syscall: 'bind', code: 'EADDRINUSE' })).to.equal(undefined);
  });
});
