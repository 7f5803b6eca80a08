import {
  CAN_ISOTP_EXTEND_ADDR,
  CAN_ISOTP_FORCE_TXSTMIN,
  CAN_ISOTP_RX_EXT_ADDR,
  CAN_RAW_XL_VCID_TX_SET,
  CanRawSocket,
  type CanXlVcidOptions,
  canIsotpLlOpts,
  canIsotpOpts,
  canIsotpRecvFc,
  canIsotpRxStmin,
  canIsotpTxStmin,
  canRaw,
  canRawErrFilter,
  canRawFdFrames,
  canRawFilter,
  canRawJoinFilters,
  canRawLoopback,
  canRawRecvOwnMsgs,
  canRawXlFrames,
  canRawXlVcidOpts,
  type IsotpFlowControl,
  type IsotpLinkLayer,
  type IsotpOptions,
  IsotpSocket,
  isotp,
  J1939Socket,
  j1939,
  soJ1939ErrQueue,
  soJ1939Filter,
  soJ1939Promisc,
  soJ1939SendPrio,
} from '@sock/can';
import { Socket, type SocketOption } from '@sock/core';
import { capability, describeIf, itIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { hasIsotp, hasJ1939, hasRaw } from './bus.js';

interface Row<Value> {
  option: SocketOption<Value, never>;
  initial: Value;
  set: unknown;
  /** What it is then; what was set, unless told. */
  expected?: Value;
}

function table(open: () => Socket<unknown, unknown>, rows: readonly Row<unknown>[]): void {
  for (const { option, initial, set, expected = set } of rows) {
    it(`${option.label} is set and read back`, () => {
      using socket = open();
      expect(socket.getOption(option)).to.deep.equal(initial);
      socket.setOption(option as SocketOption<unknown>, set);
      expect(socket.getOption(option)).to.deep.equal(expected);
    });
  }
}

const row = <Value, Input>(entry: {
  option: SocketOption<Value, Input>;
  initial: Value;
  set: Input;
  expected?: Value;
}): Row<unknown> => entry as unknown as Row<unknown>;

const xlVcid = capability({
  name: 'CAN_RAW_XL_VCID_OPTS',
  since: '6.9',
  remedy: 'use Linux 6.9 or newer',
  probe() {
    using socket = new Socket(canRaw);
    socket.getOption(canRawXlVcidOpts);
  },
});

describeIf(hasRaw, 'options of CAN_RAW', () => {
  const open = () => new Socket(canRaw) as unknown as Socket<unknown, unknown>;
  const everything = { id: 0, mask: 0, inverted: false, extended: null, remote: null, error: false };
  table(open, [
    row({
      option: canRawFilter,
      initial: [everything],
      set: [{ id: 0x123, inverted: true }],
      expected: [{ ...everything, id: 0x123, mask: 0x7ff, inverted: true, extended: false }],
    }),
    row({ option: canRawFilter, initial: [everything], set: [] }),
    row({ option: canRawErrFilter, initial: 0, set: 0x1fffffff }),
    row({ option: canRawLoopback, initial: true, set: false }),
    row({ option: canRawRecvOwnMsgs, initial: false, set: true }),
    row({ option: canRawFdFrames, initial: false, set: true }),
    row({ option: canRawJoinFilters, initial: false, set: true }),
    row({ option: canRawXlFrames, initial: false, set: true }),
  ]);

  it('refuse what is out of range', () => {
    using socket = new Socket(canRaw);
    expect(thrown(() => socket.setOption(canRawErrFilter, 2 ** 29))).to.include({ code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => socket.setOption(canRawLoopback, 1 as unknown as boolean))).to.include({ argument: 'value' });
  });

  itIf(xlVcid, 'CAN_RAW_XL_VCID_OPTS is set and read back', () => {
    using socket = new Socket(canRaw);
    const value: CanXlVcidOptions = { flags: CAN_RAW_XL_VCID_TX_SET, txVcid: 5, rxVcid: 0, rxVcidMask: 0 };
    socket.setOption(canRawXlVcidOpts, value);
    expect(socket.getOption(canRawXlVcidOpts)).to.deep.equal(value);
  });
});

describeIf(hasIsotp, 'options of CAN_ISOTP', () => {
  const open = () => new Socket(isotp) as unknown as Socket<unknown, unknown>;
  const general: IsotpOptions = {
    flags: 0,
    frameTxTime: 0.05,
    extAddress: 0,
    txPadContent: 0xcc,
    rxPadContent: 0xcc,
    rxExtAddress: 0,
  };
  const flow: IsotpFlowControl = { blockSize: 0, stMin: 0, waitMax: 0 };
  const link: IsotpLinkLayer = { mtu: 16, txDl: 8, txFlags: 0 };
  const flags = CAN_ISOTP_EXTEND_ADDR | CAN_ISOTP_RX_EXT_ADDR | CAN_ISOTP_FORCE_TXSTMIN;
  table(open, [
    row({
      option: canIsotpOpts,
      initial: general,
      set: { flags, frameTxTime: 0.125, extAddress: 1, txPadContent: 2, rxPadContent: 3, rxExtAddress: 4 },
    }),
    row({ option: canIsotpOpts, initial: general, set: {}, expected: { ...general, frameTxTime: null } }),
    row({ option: canIsotpOpts, initial: general, set: { frameTxTime: 0 }, expected: { ...general, frameTxTime: 0 } }),
    row({ option: canIsotpRecvFc, initial: flow, set: { blockSize: 8, stMin: 0.5, waitMax: 3 } }),
    row({ option: canIsotpTxStmin, initial: 0, set: 1.25 }),
    row({ option: canIsotpRxStmin, initial: 0, set: 0.5 }),
    row({ option: canIsotpLlOpts, initial: link, set: { mtu: 72, txDl: 48, txFlags: 1 } }),
  ]);
});

describeIf(hasJ1939, 'options of CAN_J1939', () => {
  const open = () => new Socket(j1939) as unknown as Socket<unknown, unknown>;
  table(open, [
    row({ option: soJ1939Promisc, initial: false, set: true }),
    row({ option: soJ1939SendPrio, initial: 6, set: 3 }),
    row({ option: soJ1939SendPrio, initial: 6, set: 0 }),
    row({ option: soJ1939ErrQueue, initial: false, set: true }),
  ]);

  it('SO_J1939_FILTER is only set', () => {
    using socket = new Socket(j1939);
    socket.setOption(soJ1939Filter, [{ pgn: 0xea00 }, { address: 1 }]);
    socket.setOption(soJ1939Filter, []);
    expect(thrown(() => socket.setOption(soJ1939SendPrio, 8))).to.include({ code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => socket.getOption(soJ1939Filter as never))).to.include({ argument: 'option' });
  });
});

describe('options of CAN sockets are refused by their names, before there is a socket:', () => {
  function refuses(make: (options: object) => unknown, rows: [options: unknown, argument: string][]): void {
    for (const [options, argument] of rows) {
      const error = thrown(() => make(options as object)) as Error & { argument: string };
      expect(error.argument).to.equal(argument);
      expect(error.message.startsWith(`${argument} must be `)).to.equal(true);
    }
  }

  it('those of CanRawSocket', () => {
    refuses(
      (options) => new CanRawSocket(options),
      [
        [1, 'options'],
        [{ fd: 1 }, 'options.fd'],
        [{ xl: 'yes' }, 'options.xl'],
        [{ filters: [{ id: -1.5 }] }, 'options.filters[0].id'],
        [{ joinFilters: null }, 'options.joinFilters'],
        [{ errors: 2 ** 29 }, 'options.errors'],
        [{ timestamps: 1 }, 'options.timestamps'],
      ],
    );
  });

  it('those of IsotpSocket', () => {
    refuses(
      (options) => new IsotpSocket(options),
      [
        [null, 'options'],
        [{ extAddress: 256 }, 'options.extAddress'],
        [{ rxExtAddress: -1 }, 'options.rxExtAddress'],
        [{ txPadding: 1.5 }, 'options.txPadding'],
        [{ rxPadding: 'x' }, 'options.rxPadding'],
        [{ checkPadding: 'all' }, 'options.checkPadding'],
        [{ broadcast: 'many' }, 'options.broadcast'],
        [{ listen: 1 }, 'options.listen'],
        [{ frameTxTime: -1 }, 'options.frameTxTime'],
        [{ flowControl: { stMin: 200 } }, 'options.flowControl.stMin'],
        [{ linkLayer: { mtu: 5 } }, 'options.linkLayer.mtu'],
      ],
    );
  });

  it('those of J1939Socket', () => {
    refuses(
      (options) => new J1939Socket(options),
      [
        [null, 'options'],
        [{ priority: 8 }, 'options.priority'],
        [{ broadcast: 1 }, 'options.broadcast'],
        [{ promiscuous: 1 }, 'options.promiscuous'],
        [{ events: 1 }, 'options.events'],
        [{ filters: [{ address: 256 }] }, 'options.filters[0].address'],
      ],
    );
  });
});
