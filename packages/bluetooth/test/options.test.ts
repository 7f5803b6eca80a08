import {
  BT_CHANNEL_POLICY_BREDR_ONLY,
  BT_SECURITY_HIGH,
  BT_SECURITY_LOW,
  BT_SECURITY_MEDIUM,
  btChannelPolicy,
  btDeferSetup,
  btFlushable,
  btIsoBase,
  btIsoQos,
  btMode,
  btPhy,
  btPower,
  btRcvMtu,
  btSecurity,
  btSndMtu,
  EXP_FEATURE_ISO_SOCKET,
  iso,
  L2CAP_LM_AUTH,
  L2CAP_LM_ENCRYPT,
  L2CAP_LM_MASTER,
  l2cap,
  l2capConninfo,
  l2capLm,
  l2capOptions,
  MgmtSocket,
  mgmtSetExpFeature,
  RFCOMM_LM_AUTH,
  RFCOMM_LM_ENCRYPT,
  rfcomm,
  rfcommConninfo,
  rfcommLm,
} from '@sock/bluetooth';
import { Socket, type SocketOption } from '@sock/core';
import { describeIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { hasHci, hasRfcomm } from './controllers.js';

type Any = Socket<unknown, unknown>;

interface Row<T> {
  option: SocketOption<T, never>;
  initial: T;
  set: unknown;
  /** What is read back: what was set, unless told. */
  expected?: T;
}

const row = <O, I>(one: { option: SocketOption<O, I>; initial: O; set: I; expected?: O }): Row<unknown> =>
  one as unknown as Row<unknown>;

function table(open: () => Any, rows: readonly Row<unknown>[]): void {
  for (const { option, initial, set, expected = set } of rows) {
    it(`${option.label} is set and read back`, () => {
      using socket = open();
      expect(socket.getOption(option as SocketOption<unknown>)).to.deep.equal(initial);
      socket.setOption(option as SocketOption<unknown>, set);
      expect(socket.getOption(option as SocketOption<unknown>)).to.deep.equal(expected);
    });
  }
}

describeIf(hasHci, 'options of L2CAP', () => {
  const open = () => new Socket(l2cap) as unknown as Any;
  const bound = (addressType: 'bredr' | 'public') => () => {
    const socket = new Socket(l2cap);
    socket.bindSync({ addressType, psm: addressType === 'bredr' ? 0x1001 : 0x80 });
    return socket as unknown as Any;
  };
  const options = { omtu: 672, imtu: 672, flushTo: 0xffff, mode: 0, fcs: 1, maxTx: 3, txwinSize: 63 };
  table(open, [
    row({
      option: l2capOptions,
      initial: { ...options, omtu: 0 },
      set: { imtu: 1000, omtu: 500, txwinSize: 20 },
      expected: { ...options, imtu: 1000, omtu: 500, txwinSize: 20 },
    }),
    row({
      option: btSecurity,
      initial: { level: BT_SECURITY_LOW, keySize: 0 },
      set: { level: BT_SECURITY_HIGH },
      expected: { level: BT_SECURITY_HIGH, keySize: 0 },
    }),
    row({ option: btPower, initial: true, set: false }),
    row({ option: btFlushable, initial: false, set: true }),
    row({
      option: l2capLm,
      initial: L2CAP_LM_AUTH,
      set: L2CAP_LM_MASTER | L2CAP_LM_ENCRYPT,
      expected: L2CAP_LM_MASTER | L2CAP_LM_AUTH | L2CAP_LM_ENCRYPT,
    }),
  ]);
  table(bound('bredr'), [row({ option: btDeferSetup, initial: false, set: true })]);
  table(bound('public'), [row({ option: btRcvMtu, initial: 672, set: 250 })]);

  it('are refused in the wrong state, with the reason', () => {
    using socket = open();
    expect(socket.getOption(btChannelPolicy)).to.equal(BT_CHANNEL_POLICY_BREDR_ONLY);
    expect(thrown(() => socket.getOption(btSndMtu))).to.include({ code: 'EINVAL' });
    expect(thrown(() => socket.getOption(btPhy as SocketOption<number>))).to.include({ code: 'ENOTCONN' });
    expect(thrown(() => socket.getOption(l2capConninfo as SocketOption<unknown>))).to.include({ code: 'ENOTCONN' });
    expect(thrown(() => socket.setOption(btDeferSetup, true)).message).to.match(
      /EINVAL BT_DEFER_SETUP: the option is not one of/,
    );
    expect(thrown(() => socket.getOption(btMode)).message).to.match(/ENOPROTOOPT BT_MODE: .*enable_ecred/);
    using le = bound('public')();
    expect(thrown(() => le.getOption(btSndMtu))).to.include({ code: 'ENOTCONN' });
  });
});

describeIf([...hasHci, hasRfcomm], 'options of RFCOMM', () => {
  const open = () => new Socket(rfcomm) as unknown as Any;
  table(open, [
    row({
      option: btSecurity,
      initial: { level: BT_SECURITY_LOW, keySize: 0 },
      set: { level: BT_SECURITY_MEDIUM },
      expected: { level: BT_SECURITY_MEDIUM, keySize: 0 },
    }),
    row({
      option: rfcommLm,
      initial: RFCOMM_LM_AUTH,
      set: RFCOMM_LM_ENCRYPT,
      expected: RFCOMM_LM_AUTH | RFCOMM_LM_ENCRYPT,
    }),
  ]);

  it('RFCOMM_CONNINFO is of a connection', () => {
    using socket = open();
    expect(thrown(() => socket.getOption(rfcommConninfo as SocketOption<unknown>))).to.include({ code: 'ENOTCONN' });
  });
});

describeIf(hasHci, 'options of ISO', () => {
  before(async () => {
    using mgmt = new MgmtSocket();
    await mgmt.command(mgmtSetExpFeature, { uuid: EXP_FEATURE_ISO_SOCKET, enable: true });
  });
  after(async () => {
    using mgmt = new MgmtSocket();
    await mgmt.command(mgmtSetExpFeature, { uuid: EXP_FEATURE_ISO_SOCKET, enable: false });
  });

  it('BT_ISO_QOS is set and read back', () => {
    using socket = new Socket(iso);
    const before = socket.getOption(btIsoQos);
    expect(before).to.include({ cig: 0xff, cis: 0xff });
    const one = { interval: 10_000, latency: 20, sdu: 100, phy: 2, rtn: 3 };
    const qos = { cig: 1, cis: 2, sca: 0, packing: 0, framing: 0, in: one, out: { ...one, sdu: 50 } };
    socket.setOption(btIsoQos, qos);
    expect(socket.getOption(btIsoQos)).to.deep.equal(qos);
  });

  it('BT_ISO_BASE is set and read back', () => {
    using socket = new Socket(iso);
    socket.setOption(btIsoBase, Buffer.from('0102', 'hex'));
    expect(socket.getOption(btIsoBase)).to.have.length.within(0, 248);
  });
});
