import { if_nametoindex, Socket, type SocketOption } from '@sock/core';
import * as everything from '@sock/inet';
import {
  createServer,
  IP_PMTUDISC_DO,
  IPV6_PREFER_SRC_HOME,
  IPV6_PREFER_SRC_PUBLIC,
  icmpFilter,
  inet,
  ipLocalPortRange,
  ipUnicastIf,
  ipv6UnicastIf,
  TCP_ESTABLISHED,
  tcpCongestion,
  tcpInfo,
  tcpKeepIdle,
  tcpMaxSeg,
  tcpUserTimeout,
} from '@sock/inet';
import { itIf, probe, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { optionOf, raw, raw6, udpLite } from './capabilities.js';
import { info6, open } from './sockets.js';

const api = { ...everything };

type Kind = keyof typeof open;
const REQUIRES = { tcp6: probe('AF_INET6'), udp6: probe('AF_INET6'), udpLite, raw4: raw, raw6 } as const;

interface Row {
  option: SocketOption<never, never>;
  on: Kind;
  initial: unknown;
  set: unknown;
  /** What is read after that, where it is not what was set. */
  becomes?: unknown;
  /** Version of Linux that has the option first, where that is younger than what is supported. */
  since?: string;
}

const row = (
  name: keyof typeof api,
  on: Kind,
  initial: unknown,
  set: unknown,
  more: { becomes?: unknown; since?: string } = {},
): Row => ({ option: api[name] as unknown as SocketOption<never, never>, on, initial, set, ...more });

const any = () => true;
const number = (value: unknown) => typeof value === 'number';
const flag = (name: keyof typeof api, on: Kind, initial = false) => row(name, on, initial, !initial);

const TABLE: Row[] = [
  flag('tcpNoDelay', 'tcp4'),
  row('tcpMaxSeg', 'tcp4', 536, 1000),
  flag('tcpCork', 'tcp4'),
  row('tcpKeepIdle', 'tcp4', number, 33),
  row('tcpKeepIntvl', 'tcp4', number, 11),
  row('tcpKeepCnt', 'tcp4', number, 4),
  row('tcpSynCnt', 'tcp4', number, 3),
  row('tcpLinger2', 'tcp4', number, 7),
  row('tcpLinger2', 'tcp4', number, -1),
  // 1 + 2 seconds: retransmissions double their distance
  row('tcpDeferAccept', 'tcp4', 0, 2, { becomes: 3 }),
  row('tcpWindowClamp', 'tcp4', 0, 65_536),
  row('tcpQuickAck', 'tcp4', true, false),
  row('tcpCongestion', 'tcp4', (value: string) => /^[a-z]+$/.test(value), 'reno'),
  flag('tcpThinLinearTimeouts', 'tcp4'),
  row('tcpUserTimeout', 'tcp4', 0, 12_345),
  row('tcpFastOpen', 'tcp4', 0, 5),
  flag('tcpFastOpenConnect', 'tcp4'),
  row('tcpFastOpenKey', 'tcp4', any, Buffer.from('0123456789abcdef'), { becomes: Buffer.from('0123456789abcdef') }),
  flag('tcpFastOpenNoCookie', 'tcp4'),
  row('tcpNotSentLowat', 'tcp4', number, 16_384),
  row('tcpSaveSyn', 'tcp4', 0, 1),
  flag('tcpInq', 'tcp4'),
  row('tcpTxDelay', 'tcp4', 0, 0),
  row('tcpRtoMaxMs', 'tcp4', number, 5000, { since: '6.15' }),
  row('tcpRtoMinUs', 'tcp4', number, 100_000, { since: '6.16' }),
  row('tcpDelAckMaxUs', 'tcp4', number, 20_000, { since: '6.16' }),

  row('ipTos', 'udp4', 0, 0xb8),
  row('ipTos', 'udp4', 0, 0x03),
  row('ipTtl', 'udp4', number, 33),
  flag('ipHdrIncl', 'raw4'),
  row('ipOptions', 'udp4', Buffer.alloc(0), Buffer.from('01010100', 'hex'), {
    becomes: Buffer.from('01010100', 'hex'),
  }),
  flag('ipRecvOpts', 'udp4'),
  flag('ipRetOpts', 'udp4'),
  flag('ipPktInfo', 'udp4'),
  row('ipMtuDiscover', 'udp4', number, IP_PMTUDISC_DO),
  flag('ipRecvErr', 'udp4'),
  flag('ipRecvErrRfc4884', 'udp4'),
  flag('ipRecvTtl', 'udp4'),
  flag('ipRecvTos', 'udp4'),
  flag('ipFreeBind', 'udp4'),
  flag('ipRecvOrigDstAddr', 'udp4'),
  row('ipMinTtl', 'tcp4', 0, 255),
  flag('ipNodefrag', 'raw4'),
  flag('ipChecksum', 'udp4'),
  flag('ipBindAddressNoPort', 'tcp4'),
  flag('ipRecvFragSize', 'raw4'),
  row('ipLocalPortRange', 'tcp4', { low: 0, high: 0 }, { low: 40_000, high: 40_010 }, { since: '6.3' }),
  row('ipUnicastIf', 'udp4', '', 'lo'),
  row('ipMulticastIf', 'udp4', '', '127.0.0.1'),
  row('ipMulticastTtl', 'udp4', 1, 5),
  flag('ipMulticastLoop', 'udp4', true),
  flag('ipMulticastAll', 'udp4', true),

  flag('ipv6V6Only', 'tcp6'),
  row('ipv6UnicastHops', 'udp6', number, 33),
  flag('ipv6RecvHopLimit', 'udp6'),
  row('ipv6TClass', 'udp6', 0, 0xb8),
  flag('ipv6RecvTClass', 'udp6'),
  flag('ipv6RecvPktInfo', 'udp6'),
  flag('ipv6RecvErr', 'udp6'),
  flag('ipv6RecvErrRfc4884', 'udp6'),
  row('ipv6MtuDiscover', 'udp6', number, 2),
  flag('ipv6DontFrag', 'udp6'),
  flag('ipv6RecvPathMtu', 'udp6'),
  row('ipv6Checksum', 'raw6', -1, 6),
  flag('ipv6FlowInfo', 'udp6'),
  flag('ipv6FlowInfoSend', 'udp6'),
  row('ipv6AutoFlowLabel', 'udp6', (value: unknown) => typeof value === 'boolean', false),
  flag('ipv6HdrIncl', 'raw6'),
  flag('ipv6FreeBind', 'udp6'),
  flag('ipv6RecvOrigDstAddr', 'udp6'),
  row('ipv6UnicastIf', 'udp6', '', 'lo'),
  flag('ipv6RecvFragSize', 'udp6'),
  row('ipv6MinHopCount', 'udp6', 0, 255),
  row('ipv6AddrPreferences', 'udp6', number, IPV6_PREFER_SRC_PUBLIC, {
    becomes: IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_HOME,
  }),
  flag('ipv6RouterAlertIsolate', 'raw6'),
  flag('ipv6RecvHopOpts', 'udp6'),
  flag('ipv6RecvDstOpts', 'udp6'),
  flag('ipv6RecvRthdr', 'udp6'),
  row('ipv6MulticastIf', 'udp6', '', 'lo'),
  row('ipv6MulticastHops', 'udp6', 1, 5),
  flag('ipv6MulticastLoop', 'udp6', true),
  flag('ipv6MulticastAll', 'udp6', true),

  flag('udpCork', 'udp4'),
  row('udpEncap', 'udp4', 0, 0),
  flag('udpNoCheck6Tx', 'udp6'),
  flag('udpNoCheck6Rx', 'udp6'),
  row('udpSegment', 'udp4', 0, 1200),
  flag('udpGro', 'udp4'),
  row('udpLiteSendCsCov', 'udpLite', 0, 8),
  row('udpLiteRecvCsCov', 'udpLite', 0, 20),

  row('icmpFilter', 'raw4', { block: [] }, { block: [0, 8, 31] }),
  row(
    'icmpFilter',
    'raw4',
    { block: [] },
    { pass: [0, 3] },
    {
      becomes: { block: Array.from({ length: 32 }, (_, type) => type).filter((type) => type !== 0 && type !== 3) },
    },
  ),
];

describe('options: initial value, then what was set', () => {
  for (const { option, on, initial, set, becomes, since } of TABLE) {
    const required = on in REQUIRES ? [REQUIRES[on as keyof typeof REQUIRES]] : [];
    const needs = since === undefined ? required : [...required, optionOf(option, since, open[on])];
    itIf(needs, `${option.label} on ${on}: ${JSON.stringify(set)}`, () => {
      using socket: Socket<unknown, never> = open[on]() as Socket<unknown, never>;
      const first: unknown = socket.getOption(option);
      if (typeof initial === 'function') expect(initial(first), `initially ${String(first)}`).to.equal(true);
      else expect(first).to.deep.equal(initial);
      socket.setOption(option, set as never);
      expect(socket.getOption(option)).to.deep.equal(becomes ?? set);
    });
  }
});

describe('options that take a capability', () => {
  for (const [name, on] of [
    ['ipTransparent', 'tcp4'],
    ['ipv6Transparent', 'tcp6'],
  ] as const) {
    itIf([probe('root'), ...(on === 'tcp6' ? [REQUIRES.tcp6] : [])], `${name} can be set and unset`, () => {
      using socket = open[on]() as Socket<unknown, never>;
      expect(socket.getOption(api[name])).to.equal(false);
      socket.setOption(api[name], true);
      expect(socket.getOption(api[name])).to.equal(true);
      socket.setOption(api[name], false);
    });
  }
});

describe('options by interface', () => {
  it('take names and indexes, and give names', () => {
    using socket = open.udp4();
    const lo = if_nametoindex('lo');
    socket.setOption(ipUnicastIf, lo);
    expect(socket.getOption(ipUnicastIf)).to.equal('lo');
    socket.setOption(ipUnicastIf, '');
    expect(socket.getOption(ipUnicastIf)).to.equal('');
    socket.setOption(ipUnicastIf, 'lo');
    socket.setOption(ipUnicastIf, 0);
    expect(socket.getOption(ipUnicastIf)).to.equal('');
  });

  it('give the index of an interface that is gone', () => {
    const raw = Buffer.from([0, 0, 1, 0]);
    expect(ipUnicastIf.decode?.(raw, { ...info6 })).to.equal(256);
    expect(ipv6UnicastIf.decode?.(raw, { ...info6 })).to.equal(256);
  });

  it('say what is wrong', () => {
    using socket = open.udp4();
    expect(thrown(() => socket.setOption(ipUnicastIf, 'nosuch0'))).to.include({ code: 'ENODEV' });
    expect(thrown(() => socket.setOption(ipUnicastIf, -1))).to.include({ argument: 'value' });
    expect(thrown(() => socket.setOption(ipUnicastIf, null as never))).to.include({ argument: 'value' });
    expect(thrown(() => socket.setOption(api.ipMulticastIf, {} as never))).to.include({ argument: 'value' });
    expect(socket.getOption(ipUnicastIf)).to.equal('');
  });
});

describe('values that options do not take', () => {
  const numbers: [name: keyof typeof api, min: number, max: number][] = [
    ['tcpKeepIdle', 1, 32_767],
    ['tcpKeepIntvl', 1, 32_767],
    ['tcpKeepCnt', 1, 127],
    ['tcpSynCnt', 1, 127],
    ['tcpMaxSeg', 0, 32_767],
    ['tcpSaveSyn', 0, 2],
    ['ipTos', 0, 255],
    ['ipTtl', -1, 255],
    ['ipMinTtl', 0, 255],
    ['ipMtuDiscover', 0, 5],
    ['ipMulticastTtl', -1, 255],
    ['ipv6UnicastHops', -1, 255],
    ['ipv6MulticastHops', -1, 255],
    ['ipv6TClass', -1, 255],
    ['ipv6MinHopCount', 0, 255],
    ['udpSegment', 0, 65_535],
  ];
  for (const [name, min, max] of numbers) {
    it(`${name}: outside ${min} to ${max}`, () => {
      using socket = open.udp4() as Socket<unknown, never>;
      const option = api[name] as unknown as SocketOption<number>;
      for (const value of [min - 1, max + 1, min + 0.5, Number.NaN]) {
        expect(thrown(() => socket.setOption(option, value))).to.include({
          argument: 'value',
          code: 'ERR_OUT_OF_RANGE',
        });
      }
      for (const value of ['1', true, null, undefined]) {
        const error = thrown(() => socket.setOption(option, value as never));
        expect(error).to.include({ argument: 'value', code: 'ERR_INVALID_ARG_TYPE' });
      }
    });
  }

  it('what is longer than a name can be', () => {
    using socket = open.tcp4();
    expect(thrown(() => socket.setOption(tcpCongestion, 'x'.repeat(16)))).to.include({ argument: 'value' });
    expect(thrown(() => socket.setOption(tcpCongestion, 'nosuch'))).to.include({
      code: 'ENOENT',
      syscall: 'setsockopt',
    });
    expect(thrown(() => socket.setOption(api.ipOptions, new Uint8Array(41)))).to.include({ argument: 'value' });
  });

  it('port ranges that are none', () => {
    using socket = open.tcp4();
    for (const [value, argument] of [
      [null, 'value'],
      [{ low: -1, high: 0 }, 'value.low'],
      [{ low: 0, high: 65_536 }, 'value.high'],
      [{ low: 2, high: 1 }, 'value.low'],
      [{ low: 1 }, 'value.high'],
    ] as const) {
      expect(thrown(() => socket.setOption(ipLocalPortRange, value as never))).to.include({ argument });
    }
  });

  it('filters that are none', () => {
    using socket = open.udp4();
    for (const [value, argument] of [
      [null, 'value'],
      [{}, 'value'],
      [{ pass: 5 }, 'value'],
      [{ pass: [], block: [] }, 'value'],
      [{ pass: [32] }, 'value.pass[0]'],
      [{ block: [0, -1] }, 'value.block[1]'],
    ] as const) {
      expect(thrown(() => socket.setOption(icmpFilter, value as never))).to.include({ argument });
    }
  });

  it('options that the socket does not have are errors of the kernel, by name', () => {
    using socket = open.udp4();
    const error = thrown(() => socket.setOption(tcpKeepIdle, 5));
    expect(error.code).to.be.oneOf(['ENOPROTOOPT', 'EOPNOTSUPP']);
    expect(error.message).to.include('TCP_KEEPIDLE');
  });
});

describe('typed options on sockets that others own', () => {
  it('are those of node:net', async () => {
    const net = await import('node:net');
    await using server = await createServer({ host: '127.0.0.1' });
    const socket = net.connect(server.getsockname().port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    using view = Socket.borrow(socket, inet);
    view.setOption(tcpUserTimeout, 10_000);
    expect(view.getOption(tcpUserTimeout)).to.equal(10_000);
    expect(view.getOption(tcpInfo).state).to.equal(TCP_ESTABLISHED);
    expect(view.getOption(tcpMaxSeg)).to.be.greaterThan(0);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  });
});
