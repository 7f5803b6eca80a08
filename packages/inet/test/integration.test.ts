import { SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import {
  createConnection,
  createServer,
  htons,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_MPTCP,
  IPPROTO_RAW,
  IPPROTO_SCTP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  icmp6Filter,
  icmpFilter,
  inet,
  inet6,
  internetChecksum,
  ipPayload,
  packIcmpEcho,
  udpLiteRecvCsCov,
  udpLiteSendCsCov,
  unpackIcmpEcho,
} from '@sock/inet';
import { describeIf, itIf, probe, startNode, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { mptcp, ping, raw, raw6, udpLite } from './capabilities.js';
import { inNamespace, namespaces } from './namespace.js';

describeIf(udpLite, 'UDP-Lite', () => {
  it('carries datagrams whose checksum covers part of them', async () => {
    using receiver = new Socket(inet, SOCK_DGRAM, IPPROTO_UDPLITE);
    receiver.tryBind({ host: '127.0.0.1' });
    using sender = new Socket(inet, SOCK_DGRAM, IPPROTO_UDPLITE);
    sender.setOption(udpLiteSendCsCov, 12);
    await sender.sendTo('covered', receiver.getsockname());
    expect((await within('recv', receiver.recv(20))).toString()).to.equal('covered');
    receiver.setOption(udpLiteRecvCsCov, 16);
    await sender.sendTo('dropped', receiver.getsockname());
    sender.setOption(udpLiteSendCsCov, 0);
    await sender.sendTo('whole', receiver.getsockname());
    expect((await within('recv', receiver.recv(20))).toString()).to.equal('whole');
  });

  itIf(probe('AF_INET6'), 'runs over IPv6', async () => {
    using receiver = new Socket(inet6, SOCK_DGRAM, IPPROTO_UDPLITE);
    receiver.tryBind({ host: '::1' });
    using sender = new Socket(inet6, SOCK_DGRAM, IPPROTO_UDPLITE);
    await sender.sendTo('x', receiver.getsockname());
    expect((await within('recvFrom', receiver.recvFrom(20))).address?.host).to.equal('::1');
  });
});

describeIf(mptcp, 'Multipath TCP', () => {
  for (const [host, needs] of [
    ['127.0.0.1', []],
    ['::1', probe('AF_INET6')],
  ] as const) {
    itIf(needs, `connects, sends and receives over ${host}`, async () => {
      using server = await createServer({ host, protocol: IPPROTO_MPTCP });
      using client = await createConnection({ host, port: server.getsockname().port, protocol: IPPROTO_MPTCP });
      const { socket, address } = await server.accept();
      using accepted = socket;
      expect(address).to.deep.equal(client.getsockname());
      await client.sendAll('there');
      expect((await accepted.recv(10)).toString()).to.equal('there');
      await accepted.sendAll('back');
      expect((await client.recv(10)).toString()).to.equal('back');
    });
  }

  it('talks to those who know TCP only', async () => {
    using server = await createServer({ host: '127.0.0.1', protocol: IPPROTO_MPTCP });
    using client = await createConnection({ host: '127.0.0.1', port: server.getsockname().port });
    const { socket } = await server.accept();
    await client.sendAll('plain');
    expect((await socket.recv(10)).toString()).to.equal('plain');
    socket.close();
  });
});

describeIf(raw, 'raw sockets', () => {
  it('ping 127.0.0.1', async () => {
    using socket = new Socket(inet, SOCK_RAW, IPPROTO_ICMP);
    socket.setOption(icmpFilter, { pass: [ICMP_ECHOREPLY] });
    const identifier = process.pid & 0xffff;
    const data = Buffer.from('are you there?');
    await socket.sendTo(packIcmpEcho({ identifier, sequence: 1, data }), { host: '127.0.0.1' });
    for (;;) {
      const { data: packet, address } = await within('the reply', socket.recvFrom(1500));
      const message = ipPayload(packet);
      const echo = message && unpackIcmpEcho(message);
      // raw sockets hear the replies to everybody
      if (echo?.identifier !== identifier) continue;
      expect(internetChecksum(message as Buffer)).to.equal(0);
      expect(echo).to.deep.equal({ type: ICMP_ECHOREPLY, identifier, sequence: 1, data });
      expect(address).to.deep.equal({ host: '127.0.0.1', port: 0 });
      break;
    }
  });

  itIf(raw6, 'ping ::1', async () => {
    using socket = new Socket(inet6, SOCK_RAW, IPPROTO_ICMPV6);
    socket.setOption(icmp6Filter, { pass: [ICMPV6_ECHO_REPLY] });
    const identifier = process.pid & 0xffff;
    await socket.sendTo(packIcmpEcho({ type: ICMPV6_ECHO_REQUEST, identifier, sequence: 2 }), { host: '::1' });
    for (;;) {
      const echo = unpackIcmpEcho(await within('the reply', socket.recv(1500)));
      if (echo?.identifier !== identifier) continue;
      expect(echo).to.include({ type: ICMPV6_ECHO_REPLY, sequence: 2 });
      break;
    }
  });

  it('send packets with a header of their own', async () => {
    using receiver = new Socket(inet, SOCK_DGRAM);
    receiver.tryBind({ host: '127.0.0.1' });
    const { port } = receiver.getsockname();
    const payload = Buffer.from('by hand');
    const packet = Buffer.alloc(28 + payload.length);
    packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0, 127, 0, 0, 8, 127, 0, 0, 1]);
    packet.writeUInt16BE(4321, 20);
    packet.writeUInt16BE(port, 22);
    packet.writeUInt16BE(8 + payload.length, 24);
    packet.set(payload, 28);
    using socket = new Socket(inet, SOCK_RAW, IPPROTO_RAW);
    await socket.sendTo(packet, { host: '127.0.0.1' });
    const { data, address } = await within('recvFrom', receiver.recvFrom(100));
    expect(data.equals(payload)).to.equal(true);
    expect(address).to.deep.equal({ host: '127.0.0.8', port: 4321 });
    expect(htons(port)).to.equal(htons(receiver.getsockname().port));
  });
});

const PING = `
  import { SOCK_DGRAM, Socket } from '@sock/core';
  import { ICMPV6_ECHO_REQUEST, inet, inet6, IPPROTO_ICMP, IPPROTO_ICMPV6, packIcmpEcho,
    unpackIcmpEcho } from '@sock/inet';
  for (const [family, protocol, host, input] of [
    [inet, IPPROTO_ICMP, '127.0.0.1', {}],
    [inet6, IPPROTO_ICMPV6, '::1', { type: ICMPV6_ECHO_REQUEST }],
  ]) {
    const socket = new Socket(family, SOCK_DGRAM, protocol);
    await socket.connect({ host });
    await socket.send(packIcmpEcho({ ...input, sequence: 5, data: 'ping' }));
    const { type, identifier, sequence, data } = unpackIcmpEcho(await socket.recv(100));
    console.log(type, identifier === socket.getsockname().port, sequence, data.toString());
    socket.close();
  }
`;
const PONG = [`${ICMP_ECHOREPLY} true 5 ping`, `${ICMPV6_ECHO_REPLY} true 5 ping`];

describe('ping sockets', () => {
  itIf([ping, probe('AF_INET6')], 'ping this machine', async () => {
    const { stdout } = await startNode(PING, { input: '' }).succeeded();
    expect(stdout.trim().split('\n')).to.deep.equal(PONG);
  });

  itIf([namespaces, probe('AF_INET6')], 'ping in a network namespace that allows it', async () => {
    // only group 0 is mapped there
    const setup = 'echo 0 0 > /proc/sys/net/ipv4/ping_group_range';
    expect((await inNamespace(setup, PING)).trim().split('\n')).to.deep.equal(PONG);
  });

  it('are the same packet that a raw socket would send', () => {
    expect(unpackIcmpEcho(packIcmpEcho({ sequence: 5 }))).to.include({ type: ICMP_ECHO, sequence: 5 });
  });
});

describe('what is missing is explained', () => {
  const failure = (syscall: string, code: string, type = SOCK_STREAM, protocol = 0) => ({
    syscall,
    code,
    type,
    protocol,
  });
  const cases: [failure: ReturnType<typeof failure>, remedy: RegExp | undefined][] = [
    [failure('socket', 'EPERM', SOCK_RAW, IPPROTO_ICMP), /CAP_NET_RAW.*setcap/],
    [failure('socket', 'EACCES', SOCK_RAW, IPPROTO_ICMP), /CAP_NET_RAW/],
    [failure('socket', 'EACCES', SOCK_DGRAM, IPPROTO_ICMP), /net\.ipv4\.ping_group_range/],
    [failure('socket', 'EACCES', SOCK_DGRAM, IPPROTO_ICMPV6), /net\.ipv4\.ping_group_range/],
    [failure('socket', 'EACCES'), undefined],
    [failure('socket', 'EPROTONOSUPPORT', SOCK_STREAM, IPPROTO_SCTP), /modprobe sctp/],
    [failure('socket', 'ESOCKTNOSUPPORT', SOCK_SEQPACKET, IPPROTO_SCTP), /modprobe sctp/],
    [failure('socket', 'ESOCKTNOSUPPORT', 6, 33), /dccp/],
    [failure('socket', 'EPROTONOSUPPORT', SOCK_DGRAM, IPPROTO_UDPLITE), /UDP-Lite/],
    [failure('socket', 'EPROTONOSUPPORT', SOCK_STREAM, IPPROTO_MPTCP), /CONFIG_MPTCP/],
    [failure('socket', 'ENOPROTOOPT', SOCK_STREAM, IPPROTO_MPTCP), /net\.mptcp\.enabled=1/],
    [failure('socket', 'EPROTONOSUPPORT', SOCK_STREAM, IPPROTO_UDP), /no protocol 17/],
    [failure('socket', 'EMFILE'), undefined],
    [failure('bind', 'EACCES'), /CAP_NET_BIND_SERVICE/],
    [failure('bind', 'EADDRINUSE'), undefined],
    [failure('connect', 'EACCES', SOCK_DGRAM), /SO_BROADCAST/],
    [failure('sendto', 'EACCES', SOCK_RAW), /SO_BROADCAST/],
    [failure('connect', 'EACCES'), undefined],
    [failure('listen', 'EACCES', SOCK_DGRAM), undefined],
    [failure('setsockopt', 'EPERM'), /CAP_NET_ADMIN/],
    [failure('connect', 'ECONNREFUSED'), undefined],
  ];
  for (const [given, remedy] of cases) {
    it(`${given.syscall} ${given.code}, type ${given.type}, protocol ${given.protocol}`, () => {
      for (const family of [inet, inet6]) {
        const text = family.explain?.(given);
        if (remedy === undefined) expect(text).to.equal(undefined);
        else expect(text).to.match(remedy);
      }
    });
  }

  it('a kernel without IPv6', () => {
    expect(inet6.explain?.(failure('socket', 'EAFNOSUPPORT'))).to.match(/ipv6\.disable=1/);
    expect(inet.explain?.(failure('socket', 'EAFNOSUPPORT'))).to.equal(undefined);
  });

  it('in the message of the error', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const error = thrown(() => socket.tryConnect({ host: '<broadcast>', port: 9 }));
    expect(error.code).to.be.oneOf(['EACCES', 'ENETUNREACH']);
    if (error.code === 'EACCES') expect(error.message).to.include('SO_BROADCAST');
    expect(thrown(() => new Socket(inet, SOCK_STREAM, IPPROTO_UDP)).message).to.include('no protocol 17');
  });
});
