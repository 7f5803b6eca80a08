import { AF_INET6, if_nametoindex, type ReadonlyOption, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, Socket, type SocketOption } from '@sock/core';
import * as api from '@sock/inet';
import {
  createConnection,
  createServer,
  hasIPv6,
  icmp6Filter,
  icmpFilter,
  inet,
  inet6,
  IP_PMTUDISC_DO,
  type IpSocket,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_MPTCP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  ip6tSoOriginalDst,
  ipLocalPortRange,
  ipMtu,
  ipProtocol,
  ipUnicastIf,
  IPV6_FL_A_GET,
  IPV6_FL_A_PUT,
  IPV6_PREFER_SRC_HOME,
  IPV6_PREFER_SRC_PUBLIC,
  ipv6FlowInfoSend,
  ipv6FlowLabelMgr,
  ipv6Mtu,
  ipv6PathMtu,
  ipv6PktInfo,
  ipv6UnicastIf,
  mptcpInfo,
  soOriginalDst,
  TCP_CA_Open,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TCPI_OPT_WSCALE,
  tcpCcInfo,
  tcpCongestion,
  tcpFastOpen,
  tcpFastOpenConnect,
  tcpFastOpenKey,
  tcpInfo,
  tcpInq,
  tcpIsMptcp,
  tcpKeepIdle,
  tcpMaxSeg,
  tcpMd5Sig,
  tcpMd5SigExt,
  tcpSavedSyn,
  tcpSaveSyn,
  tcpTimestamp,
  tcpUlp,
  tcpUserTimeout,
} from '@sock/inet';
import { capability, describeIf, itIf, probe, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { mptcp, optionOf, raw, raw6, udpLite } from './capabilities.js';

const open = {
  tcp4: () => new Socket(inet, SOCK_STREAM),
  tcp6: () => new Socket(inet6, SOCK_STREAM),
  udp4: () => new Socket(inet, SOCK_DGRAM),
  udp6: () => new Socket(inet6, SOCK_DGRAM),
  udpLite: () => new Socket(inet, SOCK_DGRAM, IPPROTO_UDPLITE),
  raw4: () => new Socket(inet, SOCK_RAW, IPPROTO_ICMP),
  raw6: () => new Socket(inet6, SOCK_RAW, IPPROTO_UDP),
};
type Kind = keyof typeof open;
const REQUIRES = { tcp6: probe('AF_INET6'), udp6: probe('AF_INET6'), udpLite, raw4: raw, raw6 } as const;

interface Row {
  option: SocketOption<never, never>;
  on: Kind;
  initial: unknown;
  set: unknown;
  /** What is read after that, where it is not what was set. */
  then?: unknown;
  /** The option may be younger than the kernel. */
  young?: boolean;
}

const row = (
  name: keyof typeof api,
  on: Kind,
  initial: unknown,
  set: unknown,
  more: { then?: unknown; young?: boolean } = {},
): Row => ({ option: api[name] as unknown as SocketOption<never, never>, on, initial, set, ...more });

const any = () => true;
const number = (value: unknown) => typeof value === 'number';
const flag = (name: keyof typeof api, on: Kind, initial = false, young = false) => row(name, on, initial, !initial, { young });

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
  row('tcpDeferAccept', 'tcp4', 0, 2, { then: 3 }),
  row('tcpWindowClamp', 'tcp4', 0, 65_536),
  row('tcpQuickAck', 'tcp4', true, false),
  row('tcpCongestion', 'tcp4', (value: string) => /^[a-z]+$/.test(value), 'reno'),
  flag('tcpThinLinearTimeouts', 'tcp4'),
  row('tcpUserTimeout', 'tcp4', 0, 12_345),
  row('tcpFastOpen', 'tcp4', 0, 5),
  flag('tcpFastOpenConnect', 'tcp4'),
  row('tcpFastOpenKey', 'tcp4', any, Buffer.from('0123456789abcdef'), { then: Buffer.from('0123456789abcdef') }),
  flag('tcpFastOpenNoCookie', 'tcp4'),
  row('tcpNotSentLowat', 'tcp4', number, 16_384),
  row('tcpSaveSyn', 'tcp4', 0, 1),
  flag('tcpInq', 'tcp4'),
  row('tcpTxDelay', 'tcp4', 0, 0),
  row('tcpRtoMaxMs', 'tcp4', number, 5000, { young: true }),
  row('tcpRtoMinUs', 'tcp4', number, 100_000, { young: true }),
  row('tcpDelAckMaxUs', 'tcp4', number, 20_000, { young: true }),

  row('ipTos', 'udp4', 0, 0xb8),
  row('ipTos', 'udp4', 0, 0x03),
  row('ipTtl', 'udp4', number, 33),
  flag('ipHdrIncl', 'raw4'),
  row('ipOptions', 'udp4', Buffer.alloc(0), Buffer.from('01010100', 'hex'), { then: Buffer.from('01010100', 'hex') }),
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
  row('ipLocalPortRange', 'tcp4', { low: 0, high: 0 }, { low: 40_000, high: 40_010 }, { young: true }),
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
  row('ipv6AddrPreferences', 'udp6', number, IPV6_PREFER_SRC_PUBLIC, { then: IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_HOME }),
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
  row('icmpFilter', 'raw4', { block: [] }, { pass: [0, 3] }, {
    then: { block: Array.from({ length: 32 }, (_, type) => type).filter((type) => type !== 0 && type !== 3) },
  }),
];

describe('options: initial value, then what was set', () => {
  for (const { option, on, initial, set, then, young } of TABLE) {
    const required = on in REQUIRES ? [REQUIRES[on as keyof typeof REQUIRES]] : [];
    const needs = young ? [...required, optionOf(option, open[on] as () => Socket<unknown, never>)] : required;
    itIf(needs, `${option.label} on ${on}: ${JSON.stringify(set)}`, () => {
      using socket: Socket<unknown, never> = open[on]() as Socket<unknown, never>;
      const first: unknown = socket.getOption(option);
      if (typeof initial === 'function') expect(initial(first), `initially ${String(first)}`).to.equal(true);
      else expect(first).to.deep.equal(initial);
      socket.setOption(option, set as never);
      expect(socket.getOption(option)).to.deep.equal(then ?? set);
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

describe('options that only some sockets have', () => {
  itIf(raw, 'IP_ROUTER_ALERT', () => {
    using socket = open.raw4();
    socket.setOption(api.ipRouterAlert, true);
    socket.setOption(api.ipRouterAlert, false);
  });

  itIf(raw6, 'IPV6_ROUTER_ALERT', () => {
    using socket = new Socket(inet6, SOCK_RAW, 255);
    socket.setOption(api.ipv6RouterAlert, 0);
    socket.setOption(api.ipv6RouterAlert, -1);
  });

  itIf(raw, 'IP_PROTOCOL is what a raw socket was opened with', () => {
    using socket = open.raw4();
    try {
      expect(socket.getOption(ipProtocol)).to.equal(IPPROTO_ICMP);
    } catch (error) {
      expect(error, 'before Linux 6.0').to.include({ code: 'ENOPROTOOPT' });
    }
  });

  itIf(raw6, 'ICMP6_FILTER', () => {
    using socket = new Socket(inet6, SOCK_RAW, IPPROTO_ICMPV6);
    expect(socket.getOption(icmp6Filter)).to.deep.equal({ block: [] });
    socket.setOption(icmp6Filter, { block: [1, 128, 255] });
    expect(socket.getOption(icmp6Filter)).to.deep.equal({ block: [1, 128, 255] });
    socket.setOption(icmp6Filter, { pass: [129] });
    const { block } = socket.getOption(icmp6Filter);
    expect(block).to.have.lengthOf(255).and.not.include(129);
  });

  itIf(probe('AF_INET6'), 'IPV6_MTU and IPV6_PATHMTU of a connected socket', () => {
    using socket = open.udp6();
    expect(thrown(() => socket.getOption(ipv6PathMtu))).to.include({ code: 'ENOTCONN' });
    socket.tryConnect({ host: '::1', port: 9 });
    const mtu = socket.getOption(ipv6Mtu);
    expect(mtu).to.be.at.least(1280);
    expect(socket.getOption(ipv6PathMtu)).to.deep.include({ mtu });
    socket.setOption(ipv6Mtu, 1400);
  });

  it('IP_MTU of a connected socket', () => {
    using socket = open.udp4();
    expect(thrown(() => socket.getOption(ipMtu))).to.include({ code: 'ENOTCONN' });
    socket.tryConnect({ host: '127.0.0.1', port: 9 });
    expect(socket.getOption(ipMtu)).to.be.at.least(68);
  });

  itIf(probe('AF_INET6'), 'IPV6_PKTINFO takes interface and source', () => {
    using socket = open.udp6();
    socket.setOption(ipv6PktInfo, { source: '::1', interface: 'lo' });
    socket.setOption(ipv6PktInfo, {});
    expect(thrown(() => socket.getOption(ipv6PktInfo as unknown as ReadonlyOption<unknown>))).to.have.property('code');
  });

  itIf(probe('AF_INET6'), 'IPV6_FLOWLABEL_MGR leases labels, which sockets then send with', async () => {
    using socket = open.udp6();
    socket.setOption(ipv6FlowLabelMgr, { action: IPV6_FL_A_GET, label: 0x12345, host: '::1', flags: 1 });
    socket.setOption(ipv6FlowInfoSend, true);
    using receiver = open.udp6();
    receiver.tryBind({ host: '::1' });
    receiver.setOption(api.ipv6FlowInfo, true);
    await socket.sendTo('x', { ...receiver.getsockname(), flowinfo: 0x12345 });
    const { ancillary } = await receiver.recvMsg(10, api.ipv6FlowInfo.message.space);
    expect((api.ipv6FlowInfo.message.find(ancillary) ?? 0) & 0xfffff).to.equal(0x12345);
    socket.setOption(ipv6FlowLabelMgr, { action: IPV6_FL_A_PUT, label: 0x12345 });
    expect(thrown(() => socket.setOption(ipv6FlowLabelMgr, { action: 0, label: 0 }))).to.include({ argument: 'value.label' });
  });

  itIf([probe('AF_INET6'), raw6], 'IPv6 extension headers', async () => {
    // a destination options header of 8 bytes: next header, length 0, PadN with 4 bytes
    const header = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);
    using socket = open.udp6();
    expect(socket.getOption(api.ipv6DstOpts).length).to.equal(0);
    socket.setOption(api.ipv6DstOpts, header);
    expect(socket.getOption(api.ipv6DstOpts).subarray(1, 4)).to.deep.equal(header.subarray(1, 4));
    socket.setOption(api.ipv6HopOpts, header);
    expect(socket.getOption(api.ipv6HopOpts).length).to.equal(8);
    using receiver = open.udp6();
    receiver.tryBind({ host: '::1' });
    receiver.setOption(api.ipv6RecvDstOpts, true);
    receiver.setOption(api.ipv6RecvHopOpts, true);
    await socket.sendTo('x', receiver.getsockname());
    const { ancillary } = await receiver.recvMsg(10, 256);
    expect(api.ipv6RecvDstOpts.message.find(ancillary)?.subarray(1)).to.deep.equal(header.subarray(1));
    expect(api.ipv6RecvHopOpts.message.find(ancillary)?.subarray(1)).to.deep.equal(header.subarray(1));
    for (const option of [api.ipv6DstOpts, api.ipv6HopOpts, api.ipv6RthdrDstOpts, api.ipv6Rthdr]) {
      socket.setOption(option, new Uint8Array(0));
      expect(socket.getOption(option).length).to.equal(0);
    }
  });

  it('SO_ORIGINAL_DST of a connection that nobody redirected is an error', async () => {
    await using pair = await connection();
    const error = thrown(() => pair.accepted.getOption(soOriginalDst));
    expect(error.code).to.be.oneOf(['ENOENT', 'ENOPROTOOPT']);
    const sockaddr = Buffer.alloc(16);
    sockaddr.set([0, 80, 192, 0, 2, 1], 2);
    expect(soOriginalDst.decode(sockaddr, pair.accepted)).to.deep.equal({ host: '192.0.2.1', port: 80 });
  });

  itIf(probe('AF_INET6'), 'IP6T_SO_ORIGINAL_DST likewise', async () => {
    await using pair = await connection('::1');
    const error = thrown(() => pair.accepted.getOption(ip6tSoOriginalDst));
    expect(error.code).to.be.oneOf(['ENOENT', 'ENOPROTOOPT']);
    const sockaddr = Buffer.alloc(28);
    sockaddr.set([0, 80], 2);
    sockaddr[23] = 1;
    const address = { host: '::1', port: 80, flowinfo: 0, scopeid: 0 };
    expect(ip6tSoOriginalDst.decode(sockaddr, pair.accepted)).to.deep.equal(address);
  });
});

/** A TCP connection on the loopback. */
async function connection(host = '127.0.0.1', prepare?: (socket: IpSocket) => void, protocol = 0) {
  const server = await createServer({ host, prepare, protocol });
  const client = await createConnection({ host, port: server.getsockname().port, protocol });
  const { socket: accepted } = await server.accept();
  return {
    server,
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of [client, accepted, server]) socket.close();
    },
  };
}

describe('TCP_INFO', () => {
  it('tells of a connection', async () => {
    await using pair = await connection();
    await pair.client.sendAll(Buffer.alloc(5000));
    for (let received = 0; received < 5000; ) received += (await pair.accepted.recv(5000)).length;
    const info = pair.client.getOption(tcpInfo);
    expect(info).to.include({ state: TCP_ESTABLISHED, caState: TCP_CA_Open, retransmits: 0, totalRetrans: 0, lost: 0 });
    expect(info.options & TCPI_OPT_WSCALE).to.equal(TCPI_OPT_WSCALE);
    expect(info.rtt).to.be.greaterThan(0);
    expect(info.sndCwnd).to.be.greaterThan(0);
    expect(info.pmtu).to.equal(pair.client.getOption(ipMtu));
    expect(info.bytesSent).to.equal(5000n);
    expect(info.maxPacingRate).to.equal(0xffffffffffffffffn);
    const other = pair.accepted.getOption(tcpInfo);
    expect(other.bytesReceived).to.equal(5000n);
    expect(other.dataSegsIn).to.be.at.least(1);
    expect([info.sndWscale, info.rcvWscale]).to.deep.equal([other.rcvWscale, other.sndWscale]);
  });

  it('tells of a listening socket', async () => {
    using server = await createServer({ host: '127.0.0.1', backlog: 17 });
    expect(server.getOption(tcpInfo)).to.include({ state: TCP_LISTEN, sacked: 17, unacked: 0 });
    using client = await createConnection({ host: '127.0.0.1', port: server.getsockname().port });
    expect(server.getOption(tcpInfo)).to.include({ unacked: 1 });
    expect(client.closed).to.equal(false);
  });

  it('is read from structures of every length', () => {
    const whole = Buffer.from(Array.from({ length: 280 }, (_, i) => i & 0xff));
    using socket = open.tcp4();
    for (let length = 0; length <= whole.length; length++) {
      const info = tcpInfo.decode(whole.subarray(0, length), socket);
      for (const value of Object.values(info)) expect(value).to.not.equal(undefined);
      expect('rtt' in info).to.equal(length >= 72);
      expect('pacingRate' in info).to.equal(length >= 112);
      expect('rehash' in info).to.equal(length >= 240);
      expect('receivedCeBytes' in info).to.equal(length >= 276);
    }
    const info = tcpInfo.decode(whole, socket);
    expect(info.rtt).to.equal(whole.readUInt32LE(68));
    expect(info.deliveryRate).to.equal(whole.readBigUInt64LE(160));
    expect(info.totalRtoRecoveries).to.equal(whole.readUInt16LE(242));
  });
});

describe('TCP options of connections', () => {
  it('TCP_SAVED_SYN is the headers of the SYN, once', async () => {
    await using pair = await connection('127.0.0.1', (socket) => socket.setOption(tcpSaveSyn, 1));
    const headers = pair.accepted.getOption(tcpSavedSyn);
    expect((headers[0] as number) >> 4).to.equal(4);
    expect(headers.readUInt16BE(20)).to.equal(pair.client.getsockname().port);
    expect(pair.accepted.getOption(tcpSavedSyn).length).to.equal(0);
  });

  it('TCP_INQ reports what is left', async () => {
    await using pair = await connection();
    pair.accepted.setOption(tcpInq, true);
    await pair.client.sendAll('0123456789');
    await pair.accepted.waitReadable();
    const { data, ancillary } = await pair.accepted.recvMsg(4, tcpInq.message.space);
    expect([data.length, tcpInq.message.find(ancillary)]).to.deep.equal([4, 6]);
  });

  it('TCP_CC_INFO, TCP_ULP and TCP_TIMESTAMP of a plain connection', async () => {
    // an algorithm that has nothing to tell
    await using pair = await connection('127.0.0.1', (socket) => socket.setOption(tcpCongestion, 'reno'));
    expect(pair.accepted.getOption(tcpCcInfo).length).to.equal(0);
    expect(pair.client.getOption(tcpUlp)).to.equal('');
    expect(thrown(() => pair.client.setOption(tcpUlp, 'nosuch'))).to.include({ code: 'ENOENT' });
    expect(pair.client.getOption(tcpTimestamp)).to.be.a('number');
  });

  it('TCP_FASTOPEN_CONNECT sends data with the SYN, or falls back', async () => {
    using server = await createServer({ host: '127.0.0.1', prepare: (socket) => socket.setOption(tcpFastOpen, 5) });
    using client = await createConnection({
      host: '127.0.0.1',
      port: server.getsockname().port,
      prepare: (socket) => socket.setOption(tcpFastOpenConnect, true),
    });
    await client.sendAll('early');
    const { socket } = await within('accept', server.accept());
    expect((await socket.recv(10)).toString()).to.equal('early');
    socket.close();
  });

  it('TCP_FASTOPEN_KEY holds two keys too', () => {
    using socket = open.tcp4();
    const keys = Buffer.from('0123456789abcdefFEDCBA9876543210');
    socket.setOption(tcpFastOpenKey, keys);
    expect(socket.getOption(tcpFastOpenKey)).to.deep.equal(keys);
    expect(thrown(() => socket.setOption(tcpFastOpenKey, new Uint8Array(33)))).to.include({ argument: 'value' });
    expect(thrown(() => socket.setOption(tcpFastOpenKey, 'key' as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  const signatures = capability({
    name: 'TCP_MD5SIG',
    remedy: 'use a kernel with CONFIG_TCP_MD5SIG',
    probe() {
      using socket = open.tcp4();
      socket.setOption(tcpMd5Sig, { host: '127.0.0.1', key: 'secret' });
    },
  });
  for (const [option, more] of [
    [tcpMd5Sig, {}],
    [tcpMd5SigExt, { prefix: 8 }],
  ] as const) {
    itIf(signatures, `${option.label} lets in only who has the key`, async () => {
      const sign = (key: string) => (socket: IpSocket) => socket.setOption(option, { host: '127.0.0.1', key, ...more });
      using server = await createServer({ host: '127.0.0.1', prepare: sign('secret') });
      const { port } = server.getsockname();
      using client = await createConnection({ host: '127.0.0.1', port, prepare: sign('secret') });
      expect(client.closed).to.equal(false);
      const error = await rejection(createConnection({ host: '127.0.0.1', port, prepare: sign('wrong'), timeout: 100 }));
      expect(error).to.include({ code: 'ETIMEDOUT' });
    });
  }

  it('TCP_MD5SIG keys are checked', () => {
    using socket = open.tcp4();
    const host = '127.0.0.1';
    for (const [option, value, argument] of [
      [tcpMd5Sig, null, 'value'],
      [tcpMd5Sig, { host: '::1', key: 'x' }, 'value.host'],
      [tcpMd5Sig, { host, key: 'x'.repeat(81) }, 'value.key'],
      [tcpMd5Sig, { host }, 'value.key'],
      [tcpMd5SigExt, { host, key: 'x', prefix: 33 }, 'value.prefix'],
      [tcpMd5SigExt, { host, key: 'x', interface: {} }, 'value.interface'],
    ] as const) {
      expect(thrown(() => socket.setOption(option, value as never))).to.include({ argument });
    }
    const encoded = tcpMd5SigExt.encode({ host, key: 'x', prefix: 9, interface: 'lo' }, socket) as Uint8Array;
    expect([...encoded.subarray(128, 132)]).to.deep.equal([3, 9, 1, 0]);
    expect(Buffer.from(encoded).readInt32LE(132)).to.equal(if_nametoindex('lo'));
    const six = tcpMd5Sig.encode({ host: '::1', key: 'x' }, { ...info6 }) as Uint8Array;
    expect(six[23]).to.equal(1);
  });

  describeIf(mptcp, 'Multipath TCP', () => {
    it('is what both ends say it is', async () => {
      await using pair = await connection('127.0.0.1', undefined, IPPROTO_MPTCP);
      await pair.client.sendAll('x');
      expect((await pair.accepted.recv(5)).toString()).to.equal('x');
      expect(pair.client.getOption(tcpIsMptcp)).to.equal(true);
      const info = pair.client.getOption(mptcpInfo);
      expect(info.subflows).to.equal(0);
      expect(info.token).to.be.greaterThan(0);
      expect(info.sndUna <= info.writeSeq).to.equal(true);
      if (info.bytesSent !== undefined) expect(info.bytesSent).to.equal(1n);
    });

    it('is not what plain TCP is', async () => {
      await using pair = await connection();
      expect(pair.client.getOption(tcpIsMptcp)).to.equal(false);
      expect(thrown(() => pair.client.getOption(mptcpInfo))).to.be.instanceOf(Error);
    });

    it('has a structure that grew', () => {
      using socket = open.tcp4();
      const whole = Buffer.from(Array.from({ length: 96 }, (_, i) => i));
      expect('retransmits' in mptcpInfo.decode(whole.subarray(0, 48), socket)).to.equal(false);
      expect(mptcpInfo.decode(whole, socket)).to.include({ subflows: 0, retransmits: whole.readUInt32LE(44), subflowsTotal: 80 });
    });
  });
});

const info6 = { domain: AF_INET6, type: SOCK_STREAM, protocol: IPPROTO_TCP, interfaceIndex: if_nametoindex, interfaceName: () => undefined };

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
        expect(thrown(() => socket.setOption(option, value))).to.include({ argument: 'value', code: 'ERR_OUT_OF_RANGE' });
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
    expect(thrown(() => socket.setOption(tcpCongestion, 'nosuch'))).to.include({ code: 'ENOENT', syscall: 'setsockopt' });
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
    expect(hasIPv6()).to.be.a('boolean');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  });
});
