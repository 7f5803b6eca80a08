import * as can from '@sock/can';
import {
  type CanErrorDetails,
  type CanFrame,
  type CanFrameInput,
  can_fd_dlc2len,
  can_fd_len2dlc,
  describeCanError,
  formatFrame,
  packFrame,
  parseFrame,
  type UnknownFrameInput,
  unpackFrame,
} from '@sock/can';
import { itIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { anyFrame, classicFrame, errorFrame, fdFrame, xlFrame } from './arbitraries.js';
import { littleEndian64 } from './bus.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('CAN frames', () => {
  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(fc.oneof(classicFrame, fdFrame, xlFrame), (frame) => {
        expect(unpackFrame(packFrame(frame))).to.deep.equal(frame);
      }),
    );
    fc.assert(
      fc.property(errorFrame, (frame) => {
        const unpacked = unpackFrame(packFrame(frame)) as CanFrame & { kind: 'error' };
        expect(unpacked).to.deep.include({ kind: 'error', classes: frame.classes, data: frame.data });
        expect(packFrame(unpacked)).to.deep.equal(packFrame(frame));
      }),
    );
  });

  itIf(littleEndian64, 'have the layout of struct can_frame', () => {
    expect(hex(packFrame({ id: 0x123, data: Uint8Array.of(1, 2, 3) }))).to.equal('23010000030000000102030000000000');
    expect(hex(packFrame({ id: 0x12345678, data: 'abcdefgh' }))).to.equal('78563492080000006162636465666768');
    expect(hex(packFrame({ id: 1, extended: true }))).to.equal('01000080000000000000000000000000');
    expect(hex(packFrame({ id: 1, remote: true, dlc: 4 }))).to.equal('01000040040000000000000000000000');
    expect(hex(packFrame({ id: 1, dlc: 15, data: new Uint8Array(8) }))).to.equal('010000000800000f0000000000000000');
    expect(hex(packFrame({ kind: 'error', classes: 0x40 }))).to.equal('40000020080000000000000000000000');
  });

  itIf(littleEndian64, 'have the layout of struct canfd_frame and struct canxl_frame', () => {
    const fd = packFrame({ kind: 'fd', id: 0x7ff, brs: true, esi: true, data: new Uint8Array(64).fill(0xaa) });
    expect(hex(fd)).to.equal(`ff07000040070000${'aa'.repeat(64)}`);
    const short = packFrame({ kind: 'fd', id: 0x7ff });
    expect(hex(short)).to.equal(`ff07000000040000${'00'.repeat(64)}`);
    const xl = packFrame({ kind: 'xl', priority: 0x123, vcid: 0x45, sec: true, sdt: 7, af: 0x89abcdef, data: 'hi' });
    expect(hex(xl)).to.equal('23014500810702' + '00efcdab896869');
  });

  it('have the sizes that the kernel has', () => {
    expect(packFrame({ id: 0 })).to.have.length(can.CAN_MTU);
    expect(packFrame({ kind: 'fd', id: 0 })).to.have.length(can.CANFD_MTU);
    expect(packFrame({ kind: 'xl', priority: 0, data: new Uint8Array(2048) })).to.have.length(can.CANXL_MTU);
  });

  it('choose the format by the identifier, unless told', () => {
    const extended = (frame: CanFrameInput) =>
      (unpackFrame(packFrame(frame)) as CanFrame & { kind: 'classic' }).extended;
    expect(extended({ id: 0x7ff })).to.equal(false);
    expect(extended({ id: 0x800 })).to.equal(true);
    expect(extended({ id: 0x7ff, extended: true })).to.equal(true);
    expect(thrown(() => packFrame({ id: 0x800, extended: false }))).to.include({ argument: 'frame.id' });
  });

  it('never crash on random bytes', () => {
    const sized = fc
      .constantFrom(0, 1, 8, 12, 13, 16, 17, 71, 72, 73, 2060)
      .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    fc.assert(
      fc.property(fc.oneof(sized, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        const frame = unpackFrame(bytes);
        if (frame === undefined) return;
        expect(formatFrame(frame)).to.be.a('string');
      }),
    );
  });

  it('are undefined where bytes are cut off', () => {
    fc.assert(
      fc.property(anyFrame, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (frame, part) => {
        const bytes = packFrame(frame);
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        // what is left of a long frame may look like a short one, but never throws
        const rest = unpackFrame(cut);
        if (cut.length !== 16 && cut.length !== 72) expect(rest).to.equal(undefined);
      }),
    );
  });

  it('of kinds that are not known are their bytes', () => {
    const frame: UnknownFrameInput = { kind: 'unknown', data: Buffer.of(1, 2, 0xff) };
    expect(packFrame(frame)).to.deep.equal(Buffer.of(1, 2, 0xff));
    expect(formatFrame(frame)).to.equal('?#0102FF');
    expect(formatFrame({ kind: 'unknown', data: packFrame({ id: 1 }) })).to.equal('001#');
  });

  it('share the memory that they were unpacked from', () => {
    const bytes = packFrame({ id: 1, data: 'abc' });
    const frame = unpackFrame(bytes) as CanFrame;
    bytes[8] = 0x7a;
    expect(frame.data.toString()).to.equal('zbc');
    const view = new DataView(Uint8Array.from(bytes).buffer);
    expect((unpackFrame(view) as CanFrame).data.toString()).to.equal('zbc');
    expect((unpackFrame(view.buffer as ArrayBuffer) as CanFrame).data.toString()).to.equal('zbc');
  });

  it('refuse what no bus could carry, naming the member', () => {
    const bytes = (length: number) => new Uint8Array(length);
    const table: [unknown, string, string][] = [
      [null, 'frame', 'ERR_INVALID_ARG_TYPE'],
      ['123#00', 'frame', 'ERR_INVALID_ARG_TYPE'],
      [[], 'frame', 'ERR_INVALID_ARG_TYPE'],
      [{}, 'frame.id', 'ERR_INVALID_ARG_TYPE'],
      [{ id: '1' }, 'frame.id', 'ERR_INVALID_ARG_TYPE'],
      [{ id: -1 }, 'frame.id', 'ERR_OUT_OF_RANGE'],
      [{ id: 1.5 }, 'frame.id', 'ERR_OUT_OF_RANGE'],
      [{ id: 2 ** 29 }, 'frame.id', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, extended: 1 }, 'frame.extended', 'ERR_INVALID_ARG_TYPE'],
      [{ id: 1, remote: 1 }, 'frame.remote', 'ERR_INVALID_ARG_TYPE'],
      [{ id: 1, data: 5 }, 'frame.data', 'ERR_INVALID_ARG_TYPE'],
      [{ id: 1, data: bytes(9) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, data: bytes(1), remote: true }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, data: bytes(3), dlc: 4 }, 'frame.dlc', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, data: bytes(7), dlc: 9 }, 'frame.dlc', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, data: bytes(8), dlc: 16 }, 'frame.dlc', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, kind: 'CAN' }, 'frame.kind', 'ERR_OUT_OF_RANGE'],
      [{ id: 1, kind: 7 }, 'frame.kind', 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'fd', id: 1, data: bytes(9) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'fd', id: 1, data: bytes(65) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'fd', id: 1, brs: 1 }, 'frame.brs', 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'fd', id: 1, esi: 0 }, 'frame.esi', 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'xl', priority: 1 }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'xl', priority: 1, data: bytes(2049) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'xl', priority: 0x800, data: 'x' }, 'frame.priority', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'xl', priority: 1, vcid: 256, data: 'x' }, 'frame.vcid', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'xl', priority: 1, sec: 1, data: 'x' }, 'frame.sec', 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'xl', priority: 1, sdt: -1, data: 'x' }, 'frame.sdt', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'xl', priority: 1, af: 2 ** 32, data: 'x' }, 'frame.af', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'error', classes: 2 ** 29 }, 'frame.classes', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'error', classes: 1, data: bytes(9) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'unknown', data: bytes(2061) }, 'frame.data', 'ERR_OUT_OF_RANGE'],
      [{ kind: 'unknown' }, 'frame.data', 'ERR_INVALID_ARG_TYPE'],
    ];
    for (const [frame, argument, code] of table) {
      const error = thrown(() => packFrame(frame as CanFrameInput));
      expect(error, JSON.stringify(frame)).to.include({ argument, code });
    }
    const padding = thrown(() => packFrame({ kind: 'fd', id: 1, data: bytes(33) }));
    expect(padding.message).to.include('pad it to 48');
  });
});

describe('CAN frames as text', () => {
  it('of CAN FD have what was received, lengths that no bus has included', () => {
    const bytes = packFrame({ kind: 'fd', id: 1, data: 'abcdefghijkl' });
    bytes[4] = 10;
    expect(formatFrame(unpackFrame(bytes) as CanFrame)).to.equal('001##06162636465666768696A');
    expect(thrown(() => formatFrame({ kind: 'fd', id: 1, data: new Uint8Array(65) }))).to.include({
      argument: 'frame.data',
    });
  });

  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const unpacked = unpackFrame(packFrame(frame)) as CanFrame;
        // only the length code of 8 bytes, and none of remote frames without one, is written
        expect(parseFrame(formatFrame(frame))).to.deep.equal(unpacked);
      }),
    );
  });

  const table: [string, CanFrameInput][] = [
    ['123#DEADBEEF', { id: 0x123, data: Buffer.from('deadbeef', 'hex') }],
    ['123#', { id: 0x123 }],
    ['00000123#01', { id: 0x123, extended: true, data: Uint8Array.of(1) }],
    ['1F334455#1122334455667788', { id: 0x1f334455, data: Buffer.from('1122334455667788', 'hex') }],
    ['123#R', { id: 0x123, remote: true }],
    ['123#R8', { id: 0x123, remote: true, dlc: 8 }],
    ['123#R8_E', { id: 0x123, remote: true, dlc: 14 }],
    ['1F334455#1122334455667788_B', { id: 0x1f334455, dlc: 11, data: Buffer.from('1122334455667788', 'hex') }],
    ['123##1DEAD', { kind: 'fd', id: 0x123, brs: true, data: Buffer.from('dead', 'hex') }],
    ['12345678##3', { kind: 'fd', id: 0x12345678, brs: true, esi: true }],
    [
      '45123#81:00:12345678#1122',
      { kind: 'xl', priority: 0x123, vcid: 0x45, sec: true, af: 0x12345678, data: Buffer.of(0x11, 0x22) },
    ],
    ['20000080#0000000000000000', { kind: 'error', classes: 0x80 }],
  ];
  for (const [text, frame] of table) {
    it(text, () => {
      expect(formatFrame(frame)).to.equal(text);
      expect(parseFrame(text)).to.deep.equal(unpackFrame(packFrame(frame)));
    });
  }

  it('dots may stand between bytes, and letters be small', () => {
    expect(parseFrame('123#de.ad.be.ef')).to.deep.equal(parseFrame('123#DEADBEEF'));
    expect(parseFrame('123##1de.ad')).to.deep.equal(parseFrame('123##1DEAD'));
    expect(parseFrame('123#81:00:00000000#11.22')).to.deep.equal(parseFrame('00123#81:00:00000000#1122'));
  });

  it('refuse what is no frame', () => {
    const bad = [
      '',
      '123',
      '12#00',
      '1234#00',
      '123#0',
      '123#0x',
      '123#R9',
      '123#R8_8',
      '123#0.0',
      '123##',
      '123##800',
      '123##10',
    ];
    bad.push(
      '123#001122334455667788',
      '123#01:00:00000000#11',
      '123#81:00:00000000#',
      '123#00 ',
      ' 123#00',
      'XYZ#00',
      '123#11_9',
    );
    for (const text of bad) {
      const error = thrown(() => parseFrame(text));
      expect(error, text).to.include({ code: 'ERR_OUT_OF_RANGE' });
    }
    expect(thrown(() => parseFrame(5 as unknown as string))).to.include({
      code: 'ERR_INVALID_ARG_TYPE',
      argument: 'text',
    });
  });
});

describe('length codes of CAN FD', () => {
  it('stand for lengths, and have room for others', () => {
    expect(Array.from({ length: 16 }, (_, dlc) => can_fd_dlc2len(dlc))).to.deep.equal([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64,
    ]);
    fc.assert(
      fc.property(fc.nat(64), (length) => {
        const dlc = can_fd_len2dlc(length);
        expect(can_fd_dlc2len(dlc)).to.be.at.least(length);
        if (dlc > 0) expect(can_fd_dlc2len(dlc - 1)).to.be.below(length);
      }),
    );
    expect(thrown(() => can_fd_dlc2len(16))).to.include({ argument: 'dlc' });
    expect(thrown(() => can_fd_len2dlc(65))).to.include({ argument: 'length' });
  });
});

describe('error frames', () => {
  const nothing: CanErrorDetails = {
    classes: [],
    lostArbitration: null,
    controller: null,
    protocol: null,
    transceiver: null,
    counters: null,
  };

  it('say nothing where nothing is set', () => {
    expect(describeCanError(0, new Uint8Array(8).fill(0xff))).to.deep.equal(nothing);
  });

  it('have their classes decoded', () => {
    const classes =
      can.CAN_ERR_BUSOFF | can.CAN_ERR_ACK | can.CAN_ERR_TX_TIMEOUT | can.CAN_ERR_BUSERROR | can.CAN_ERR_RESTARTED;
    expect(describeCanError(classes, new Uint8Array(8)).classes).to.deep.equal([
      'CAN_ERR_TX_TIMEOUT',
      'CAN_ERR_ACK',
      'CAN_ERR_BUSOFF',
      'CAN_ERR_BUSERROR',
      'CAN_ERR_RESTARTED',
    ]);
  });

  it('have their details decoded', () => {
    const data = Uint8Array.of(
      17,
      can.CAN_ERR_CRTL_TX_PASSIVE | can.CAN_ERR_CRTL_RX_OVERFLOW,
      can.CAN_ERR_PROT_STUFF | can.CAN_ERR_PROT_TX,
      can.CAN_ERR_PROT_LOC_CRC_SEQ,
      can.CAN_ERR_TRX_CANH_SHORT_TO_BAT | can.CAN_ERR_TRX_CANL_NO_WIRE,
      0,
      130,
      7,
    );
    const classes = can.CAN_ERR_LOSTARB | can.CAN_ERR_CRTL | can.CAN_ERR_PROT | can.CAN_ERR_TRX | can.CAN_ERR_CNT;
    expect(describeCanError(classes, data)).to.deep.equal({
      classes: ['CAN_ERR_LOSTARB', 'CAN_ERR_CRTL', 'CAN_ERR_PROT', 'CAN_ERR_TRX', 'CAN_ERR_CNT'],
      lostArbitration: 17,
      controller: ['CAN_ERR_CRTL_RX_OVERFLOW', 'CAN_ERR_CRTL_TX_PASSIVE'],
      protocol: { violations: ['CAN_ERR_PROT_STUFF', 'CAN_ERR_PROT_TX'], location: 'CAN_ERR_PROT_LOC_CRC_SEQ' },
      transceiver: ['CAN_ERR_TRX_CANH_SHORT_TO_BAT', 'CAN_ERR_TRX_CANL_NO_WIRE'],
      counters: { tx: 130, rx: 7 },
    });
  });

  it('know every constant of the header by its name', () => {
    const all = Object.entries(can).filter(([name]) => name.startsWith('CAN_ERR_')) as [string, number][];
    const check = (
      prefix: string,
      index: number,
      bit: number,
      names: (details: CanErrorDetails) => readonly string[],
    ) => {
      for (const [name, value] of all) {
        if (
          !name.startsWith(prefix) ||
          name.endsWith('_UNSPEC') ||
          (prefix === 'CAN_ERR_PROT_' && name.includes('_LOC_'))
        )
          continue;
        const data = new Uint8Array(8);
        data[index] = value;
        expect(names(describeCanError(bit, data)), name).to.deep.equal([name]);
      }
    };
    check('CAN_ERR_CRTL_', 1, can.CAN_ERR_CRTL, ({ controller }) => controller ?? []);
    check('CAN_ERR_PROT_', 2, can.CAN_ERR_PROT, ({ protocol }) => protocol?.violations ?? []);
    check('CAN_ERR_PROT_LOC_', 3, can.CAN_ERR_PROT, ({ protocol }) => (protocol === null ? [] : [protocol.location]));
    check('CAN_ERR_TRX_', 4, can.CAN_ERR_TRX, ({ transceiver }) => transceiver ?? []);
    expect(describeCanError(can.CAN_ERR_PROT, Uint8Array.of(0, 0, 0, 0x55)).protocol?.location).to.equal('0x55');
    expect(describeCanError(can.CAN_ERR_PROT, Uint8Array.of(0)).protocol?.location).to.equal('CAN_ERR_PROT_LOC_UNSPEC');
  });
});
