import {
  type Ancillary,
  type AncillaryItem,
  type AncillaryMessage,
  CMSG_LEN,
  if_nametoindex,
  MSG_ERRQUEUE,
  MSG_WAITALL,
  MSG_ZEROCOPY,
  SCM_TIMESTAMPING,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SO_EE_ORIGIN_LOCAL,
  SO_EE_ORIGIN_TIMESTAMPING,
  SO_EE_ORIGIN_ZEROCOPY,
  SO_TIMESTAMPING,
  SOCK_DGRAM,
  SOL_SOCKET,
  Socket,
  scmTimestampNs,
  soTimestampNs,
  soZeroCopy,
} from '@sock/core';
import * as api from '@sock/inet';
import {
  ICMP_DEST_UNREACH,
  ICMP_PORT_UNREACH,
  ICMPV6_DEST_UNREACH,
  ICMPV6_PORT_UNREACH,
  type Inet6Input,
  IP_PMTUDISC_DO,
  IPPROTO_IP,
  IPPROTO_UDP,
  IPTOS_ECN_ECT0,
  inet,
  inet6,
  ipChecksum,
  ipMtuDiscover,
  ipOptions,
  ipPktInfo,
  ipRecvErr,
  ipRecvOpts,
  ipRecvOrigDstAddr,
  ipRecvTos,
  ipRecvTtl,
  ipRetOpts,
  ipTos,
  ipTtl,
  ipv6DontFrag,
  ipv6DstOpts,
  ipv6FlowInfo,
  ipv6Mtu,
  ipv6PktInfo,
  ipv6RecvErr,
  ipv6RecvHopLimit,
  ipv6RecvOrigDstAddr,
  ipv6RecvPathMtu,
  ipv6RecvPktInfo,
  ipv6RecvTClass,
  ipv6TClass,
  ipv6UnicastHops,
  udpGro,
  udpSegment,
} from '@sock/inet';
import { describeIf, freeUdpPort, itIf, pattern, probe, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { raw6 } from './capabilities.js';
import { inNamespace, namespaces } from './namespace.js';
import { connection } from './sockets.js';

type Udp = Socket<{ host: string; port: number }, Inet6Input>;

const udp4 = (): Udp => new Socket(inet, SOCK_DGRAM);
const udp6 = (): Udp => new Socket(inet6, SOCK_DGRAM);

/** A receiver on the loopback and a sender to it. */
function udpPair(ipv6 = false) {
  const open = ipv6 ? udp6 : udp4;
  const receiver = open();
  receiver.tryBind({ host: ipv6 ? '::1' : '127.0.0.1' });
  const sender = open();
  sender.tryConnect(receiver.getsockname());
  return {
    receiver,
    sender,
    [Symbol.dispose]() {
      receiver.close();
      sender.close();
    },
  };
}

async function received<Value>(receiver: Udp, message: AncillaryMessage<Value, never>): Promise<Value | undefined> {
  const { ancillary } = await within('recvMsg', receiver.recvMsg(2000, 512));
  return message.find(ancillary);
}

/** Every message codec of the package, by the name of its option. */
const MESSAGES = Object.entries(api).flatMap(([name, value]) =>
  typeof value === 'object' && 'message' in value ? [[name, value.message as AncillaryMessage<unknown>] as const] : [],
);

describe('control messages', () => {
  it('are there', () => {
    expect(MESSAGES.length).to.be.greaterThan(25);
  });

  for (const [name, message] of MESSAGES) {
    it(`${message.label} of ${name} survives any bytes, and is undefined where they are too few`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
          message.decode(data);
        }),
      );
      const item = { level: message.level as number, type: message.type as number, data: new Uint8Array(0) };
      const empty = message.find([item]);
      expect(empty === undefined || Buffer.isBuffer(empty)).to.equal(true);
      expect(message.find([])).to.equal(undefined);
      expect(message.find([{ ...item, level: item.level + 1000 }])).to.equal(undefined);
    });
  }

  const sent: [message: AncillaryMessage<unknown, never>, values: unknown[]][] = [
    [ipTtl.message, [1, 64, 255]],
    [ipTos.message, [0, 255]],
    [ipv6RecvHopLimit.message, [-1, 0, 255]],
    [ipv6TClass.message, [-1, 0, 255]],
    [ipv6DontFrag.message, [true, false]],
    [udpSegment.message, [0, 1200, 65_535]],
    [ipRetOpts.message, [Buffer.from([1, 1, 1, 0])]],
    [ipv6DstOpts.message, [Buffer.from([0, 0, 1, 4, 0, 0, 0, 0])]],
  ];
  for (const [message, values] of sent) {
    it(`${message.label} comes out as it went in`, () => {
      for (const value of values) {
        const item = message.create(value as never);
        expect(item).to.include({ level: message.level, type: message.type });
        expect(message.find([item])).to.deep.equal(value);
        expect(message.findAll([item, item])).to.deep.equal([value, value]);
      }
    });
  }

  const wrong: [message: AncillaryMessage<unknown, never>, value: unknown, argument: string][] = [
    [ipTtl.message, 0, 'value'],
    [ipTtl.message, 256, 'value'],
    [ipTtl.message, '1', 'value'],
    [ipTos.message, -1, 'value'],
    [ipv6RecvHopLimit.message, -2, 'value'],
    [ipv6TClass.message, 256, 'value'],
    [ipv6DontFrag.message, 1, 'value'],
    [udpSegment.message, 65_536, 'value'],
    [ipRetOpts.message, 5, 'value'],
    [ipPktInfo.message, null, 'value'],
    [ipPktInfo.message, { source: '::1' }, 'value.source'],
    [ipPktInfo.message, { source: 5 }, 'value.source'],
    [ipPktInfo.message, { interface: -1 }, 'value.interface'],
    [ipPktInfo.message, { interface: {} }, 'value.interface'],
    [ipv6PktInfo.message, { source: '127.0.0.1' }, 'value.source'],
    [ipRecvErr.message, {}, 'message'],
    [udpGro.message, 5, 'message'],
  ];
  for (const [message, value, argument] of wrong) {
    it(`${message.label} does not take ${JSON.stringify(value)}`, () => {
      expect(thrown(() => message.create(value as never))).to.include({ argument });
    });
  }

  it('IP_PKTINFO of an interface that is not there', () => {
    expect(thrown(() => ipPktInfo.message.create({ interface: 'nosuch0' }))).to.include({ code: 'ENODEV' });
    const gone = Buffer.alloc(20, 0);
    gone.writeInt32LE(0x7ffffff0);
    expect(ipPktInfo.message.decode(gone)?.interface).to.equal('');
    expect(ipv6PktInfo.message.decode(gone)?.interface).to.equal('');
  });
});

describe('what comes with IPv4 datagrams', () => {
  it('IP_PKTINFO: interface, destination, and the address to answer from', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipPktInfo, true);
    await pair.sender.send('x');
    const info = await received(pair.receiver, ipPktInfo.message);
    expect(info).to.deep.equal({
      interface: 'lo',
      interfaceIndex: if_nametoindex('lo'),
      source: '127.0.0.1',
      destination: '127.0.0.1',
    });
  });

  it('IP_PKTINFO, sent, chooses the source', async () => {
    using receiver = udp4();
    receiver.tryBind({ host: '127.0.0.1' });
    using sender = udp4();
    sender.tryBind({ host: '' });
    const address = receiver.getsockname();
    for (const input of [
      { source: '127.0.0.5' },
      { source: '127.0.0.6', interface: 'lo' },
      { source: '127.0.0.7', interface: 1 },
    ]) {
      await sender.sendMsg(['x'], { address, ancillary: [ipPktInfo.message.create(input)] });
      const { address: from } = await receiver.recvFrom(10);
      expect(from).to.deep.equal({ host: input.source, port: sender.getsockname().port });
    }
    await sender.sendMsg(['x'], { address, ancillary: [ipPktInfo.message.create({})] });
    expect((await receiver.recvFrom(10)).address?.host).to.equal('127.0.0.1');
  });

  it('a server on every address answers from the one that was asked', async () => {
    using server = udp4();
    server.tryBind({ host: '' });
    server.setOption(ipPktInfo, true);
    using client = udp4();
    client.tryConnect({ host: '127.0.0.9', port: server.getsockname().port });
    await client.send('ask');
    const { address, ancillary } = await server.recvMsg(10, ipPktInfo.message.space);
    const to = ipPktInfo.message.find(ancillary);
    await server.sendMsg(['answer'], {
      address,
      ancillary: [ipPktInfo.message.create({ source: to?.destination ?? '' })],
    });
    // a connected socket receives from its peer only
    expect((await within('recv', client.recv(10))).toString()).to.equal('answer');
  });

  it('IP_TTL: received as it was sent, by option and by message', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipRecvTtl, true);
    pair.sender.setOption(ipTtl, 33);
    await pair.sender.send('x');
    expect(await received(pair.receiver, ipRecvTtl.message)).to.equal(33);
    await pair.sender.sendMsg(['x'], { ancillary: [ipTtl.message.create(44)] });
    expect(await received(pair.receiver, ipRecvTtl.message)).to.equal(44);
  });

  it('IP_TOS: with the ECN bits', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipRecvTos, true);
    pair.sender.setOption(ipTos, 0xb8 | IPTOS_ECN_ECT0);
    await pair.sender.send('x');
    expect(await received(pair.receiver, ipRecvTos.message)).to.equal(0xb8 | IPTOS_ECN_ECT0);
    await pair.sender.sendMsg(['x'], { ancillary: [ipTos.message.create(IPTOS_ECN_ECT0)] });
    expect(await received(pair.receiver, ipRecvTos.message)).to.equal(IPTOS_ECN_ECT0);
  });

  it('IP_ORIGDSTADDR: where it was sent to', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipRecvOrigDstAddr, true);
    await pair.sender.send('x');
    expect(await received(pair.receiver, ipRecvOrigDstAddr.message)).to.deep.equal(pair.receiver.getsockname());
  });

  it('IP_RECVOPTS and IP_RETOPTS: the options of the packet', async () => {
    const noOperations = Buffer.from([1, 1, 1, 0]);
    using pair = udpPair();
    pair.receiver.setOption(ipRecvOpts, true);
    pair.receiver.setOption(ipRetOpts, true);
    pair.sender.setOption(ipOptions, noOperations);
    await pair.sender.send('x');
    const { ancillary } = await within('recvMsg', pair.receiver.recvMsg(10, 200));
    expect(ipRecvOpts.message.find(ancillary)).to.deep.equal(noOperations);
    expect(ipRetOpts.message.find(ancillary)).to.be.instanceOf(Buffer);
    pair.sender.setOption(ipOptions, new Uint8Array(0));
    await pair.sender.sendMsg(['x'], { ancillary: [ipRetOpts.message.create(noOperations)] });
    expect(await received(pair.receiver, ipRecvOpts.message)).to.deep.equal(noOperations);
  });

  it('IP_CHECKSUM and timestamps beside it', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipChecksum, true);
    pair.receiver.setOption(soTimestampNs, true);
    const before = BigInt(Date.now() - 1) * 1_000_000n;
    await pair.sender.send('x');
    const { ancillary } = await within('recvMsg', pair.receiver.recvMsg(10, 200));
    const time = scmTimestampNs.find(ancillary) ?? 0n;
    expect(time > before && time < before + 60_000_000_000n).to.equal(true);
    // the kernel leaves it out where nothing was summed up
    const sum = ipChecksum.message.find(ancillary);
    if (sum !== undefined) expect(sum).to.be.within(0, 0xffffffff);
  });

  it('everything at once, in a buffer that has room for it', async () => {
    using pair = udpPair();
    const options = [ipPktInfo, ipRecvTtl, ipRecvTos, ipRecvOrigDstAddr];
    for (const option of options) pair.receiver.setOption(option, true);
    await pair.sender.send('x');
    const space = options.reduce((sum, { message }) => sum + message.space, 0);
    const { ancillary } = await within('recvMsg', pair.receiver.recvMsg(10, space));
    for (const { message } of options) expect(message.find(ancillary), message.label).to.not.equal(undefined);
  });

  it('what was cut off is there, and undefined', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipPktInfo, true);
    await pair.sender.send('x');
    const { ancillary } = await within('recvMsg', pair.receiver.recvMsg(10, CMSG_LEN(8)));
    expect([...ancillary].map(({ data }) => data.length)).to.deep.equal([8]);
    expect(ipPktInfo.message.find(ancillary)).to.equal(undefined);
  });
});

describeIf(probe('AF_INET6'), 'what comes with IPv6 datagrams', () => {
  it('IPV6_PKTINFO: interface and destination; sent, it chooses them', async () => {
    using pair = udpPair(true);
    pair.receiver.setOption(ipv6RecvPktInfo, true);
    await pair.sender.send('x');
    const expected = { interface: 'lo', interfaceIndex: if_nametoindex('lo'), destination: '::1' };
    expect(await received(pair.receiver, ipv6RecvPktInfo.message)).to.deep.equal(expected);
    const ancillary = [ipv6PktInfo.message.create({ source: '::1', interface: 'lo' })];
    await pair.sender.sendMsg(['x'], { ancillary });
    expect((await pair.receiver.recvFrom(10)).address?.host).to.equal('::1');
  });

  it('IPV6_HOPLIMIT: received as it was sent, by option and by message', async () => {
    using pair = udpPair(true);
    pair.receiver.setOption(ipv6RecvHopLimit, true);
    pair.sender.setOption(ipv6UnicastHops, 33);
    await pair.sender.send('x');
    expect(await received(pair.receiver, ipv6RecvHopLimit.message)).to.equal(33);
    await pair.sender.sendMsg(['x'], { ancillary: [ipv6UnicastHops.message.create(44)] });
    expect(await received(pair.receiver, ipv6RecvHopLimit.message)).to.equal(44);
  });

  it('IPV6_TCLASS: with the ECN bits', async () => {
    using pair = udpPair(true);
    pair.receiver.setOption(ipv6RecvTClass, true);
    pair.sender.setOption(ipv6TClass, 0xb8 | IPTOS_ECN_ECT0);
    await pair.sender.send('x');
    expect(await received(pair.receiver, ipv6RecvTClass.message)).to.equal(0xb8 | IPTOS_ECN_ECT0);
    await pair.sender.sendMsg(['x'], { ancillary: [ipv6TClass.message.create(IPTOS_ECN_ECT0)] });
    expect(await received(pair.receiver, ipv6RecvTClass.message)).to.equal(IPTOS_ECN_ECT0);
  });

  it('IPV6_ORIGDSTADDR and IPV6_FLOWINFO', async () => {
    using pair = udpPair(true);
    pair.receiver.setOption(ipv6RecvOrigDstAddr, true);
    pair.receiver.setOption(ipv6FlowInfo, true);
    pair.receiver.setOption(ipv6RecvTClass, true);
    await pair.sender.sendMsg(['x'], { ancillary: [ipv6TClass.message.create(IPTOS_ECN_ECT0)] });
    const { ancillary } = await within('recvMsg', pair.receiver.recvMsg(10, 200));
    expect(ipv6RecvOrigDstAddr.message.find(ancillary)).to.deep.equal(pair.receiver.getsockname());
    const flow = ipv6FlowInfo.message.find(ancillary);
    // traffic class and flow label in one number
    if (flow !== undefined) expect((flow >> 20) & 0xff).to.equal(IPTOS_ECN_ECT0);
  });

  it('IPV6_DSTOPTS as a message', async () => {
    const header = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);
    using pair = udpPair(true);
    pair.receiver.setOption(api.ipv6RecvDstOpts, true);
    let refused: Error | undefined;
    await pair.sender.sendMsg(['x'], { ancillary: [ipv6DstOpts.message.create(header)] }).catch((error: Error) => {
      refused = error;
    });
    if (raw6.missing() !== undefined) {
      expect(refused).to.include({ code: 'EPERM' });
      return;
    }
    expect((await received(pair.receiver, ipv6DstOpts.message))?.subarray(1)).to.deep.equal(header.subarray(1));
  });

  it('IPV6_DONTFRAG and IPV6_PATHMTU: a datagram that is too big', async () => {
    using pair = udpPair(true);
    pair.sender.setOption(ipv6RecvPathMtu, true);
    pair.sender.setOption(ipv6Mtu, 1400);
    const big = Buffer.alloc(3000);
    const error = await pair.sender.sendMsg([big], { ancillary: [ipv6DontFrag.message.create(true)] }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'EMSGSIZE' });
    const { data, ancillary } = await within('recvMsg', pair.sender.recvMsg(10, ipv6RecvPathMtu.message.space));
    expect(data.length).to.equal(0);
    const path = ipv6RecvPathMtu.message.find(ancillary);
    expect(path?.address).to.deep.include({ host: '::1' });
    expect(path?.mtu).to.be.within(1280, 1400);
  });
});

describe('the error queue', () => {
  for (const ipv6 of [false, true]) {
    const option = ipv6 ? ipv6RecvErr : ipRecvErr;
    const host = ipv6 ? '::1' : '127.0.0.1';
    itIf(ipv6 ? probe('AF_INET6') : [], `${option.label}: a port that nobody listens on, and who says so`, async () => {
      using socket = ipv6 ? udp6() : udp4();
      socket.setOption(option, true);
      const address = { host, port: await freeUdpPort(host) };
      await socket.sendTo('anybody?', address);
      const message = await within('the error', errorQueue(socket));
      expect(message.data.toString()).to.equal('anybody?');
      expect(message.address).to.deep.include(address);
      expect(option.message.find(message.ancillary)).to.deep.equal({
        code: 'ECONNREFUSED',
        errno: -111,
        origin: ipv6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP,
        type: ipv6 ? ICMPV6_DEST_UNREACH : ICMP_DEST_UNREACH,
        subcode: ipv6 ? ICMPV6_PORT_UNREACH : ICMP_PORT_UNREACH,
        info: 0,
        data: 0,
        offender: ipv6 ? { host, port: 0, flowinfo: 0, scopeid: 0 } : { host, port: 0 },
      });
    });
  }

  it('IP_RECVERR: a datagram that is too big for this machine', async () => {
    using pair = udpPair();
    pair.sender.setOption(ipRecvErr, true);
    pair.sender.setOption(ipMtuDiscover, IP_PMTUDISC_DO);
    const tooBig = Buffer.alloc(65_507);
    const error = await pair.sender.send(tooBig).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error === undefined) return; // the loopback's MTU was raised
    expect(error).to.include({ code: 'EMSGSIZE' });
    const { ancillary } = await within('the error', errorQueue(pair.sender));
    const queued = ipRecvErr.message.find(ancillary);
    expect(queued).to.include({ code: 'EMSGSIZE', origin: SO_EE_ORIGIN_LOCAL, offender: null });
    expect(queued?.info).to.be.greaterThan(1000);
  });

  it('has timestamps of what was sent, as no error', async () => {
    using pair = udpPair();
    // SOF_TIMESTAMPING_TX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE
    pair.sender.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, 0x12);
    await pair.sender.send('x');
    const { ancillary } = await within('the timestamp', errorQueue(pair.sender));
    expect([...ancillary].some(({ level, type }) => level === SOL_SOCKET && type === SCM_TIMESTAMPING)).to.equal(true);
    expect(ipRecvErr.message.find(ancillary)).to.include({ origin: SO_EE_ORIGIN_TIMESTAMPING, offender: null });
  });

  it('says nothing of errno 0', () => {
    const data = new Uint8Array(16);
    expect(ipRecvErr.message.decode(data)).to.include({ code: null, errno: 0, offender: null });
  });
});

/** The next message of the error queue. The kernel fills it while it sends on the loopback, or a moment later. */
async function errorQueue(socket: Udp): Promise<{ data: Buffer; ancillary: Ancillary; address: unknown }> {
  for (;;) {
    const message = socket.tryRecvMsg(2000, 512, { flags: MSG_ERRQUEUE });
    if (message !== null) return message;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('UDP segmentation', () => {
  it('UDP_SEGMENT cuts a message into datagrams, by message and by option', async () => {
    using pair = udpPair();
    const data = pattern(2500);
    const { receiver, sender } = pair;
    const pieces = [data.subarray(0, 1000), data.subarray(1000, 2000), data.subarray(2000)];
    await sender.sendMsg([data], { ancillary: [udpSegment.message.create(1000)] });
    for (const piece of pieces) expect((await within('recv', receiver.recv(3000))).equals(piece)).to.equal(true);
    sender.setOption(udpSegment, 1000);
    await sender.send(data);
    for (const piece of pieces) expect((await within('recv', receiver.recv(3000))).equals(piece)).to.equal(true);
  });

  it('UDP_GRO puts them together again, and says where the seams are', async () => {
    using pair = udpPair();
    const data = pattern(5000);
    pair.receiver.setOption(udpGro, true);
    await pair.sender.sendMsg([data], { ancillary: [udpSegment.message.create(1000)] });
    const whole: Buffer[] = [];
    for (let length = 0; length < data.length; ) {
      const { data: part, ancillary } = await within('recvMsg', pair.receiver.recvMsg(65_536, udpGro.message.space));
      const size = udpGro.message.find(ancillary);
      expect(size === undefined ? part.length : size).to.equal(1000);
      whole.push(part);
      length += part.length;
    }
    expect(Buffer.concat(whole).equals(data)).to.equal(true);
  });
});

describe('raw items', () => {
  it('can be sent as well as what codecs make', async () => {
    using pair = udpPair();
    pair.receiver.setOption(ipRecvTtl, true);
    const item: AncillaryItem = { level: IPPROTO_IP, type: api.IP_TTL, data: Buffer.from(Int32Array.of(55).buffer) };
    await pair.sender.sendMsg(['x'], { ancillary: [item] });
    expect(await received(pair.receiver, ipRecvTtl.message)).to.equal(55);
    const unknown: AncillaryItem = { level: IPPROTO_UDP, type: 9999, data: new Uint8Array(4) };
    const error = await pair.sender.sendMsg(['x'], { ancillary: [unknown] }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'EINVAL' });
  });
});

describeIf(namespaces, 'on a link with fragments', () => {
  it('IP_RECVFRAGSIZE and IPV6_RECVFRAGSIZE are the largest fragment', async () => {
    const program = `
      import { Socket, SOCK_DGRAM } from '@sock/core';
      import { inet, inet6, ipRecvFragSize, ipv6RecvFragSize, ipMtuDiscover, ipv6MtuDiscover } from '@sock/inet';
      for (const [family, option, discover, host] of [
        [inet, ipRecvFragSize, ipMtuDiscover, '127.0.0.1'],
        [inet6, ipv6RecvFragSize, ipv6MtuDiscover, '::1'],
      ]) {
        const receiver = new Socket(family, SOCK_DGRAM);
        await receiver.bind({ host });
        receiver.setOption(option, true);
        const sender = new Socket(family, SOCK_DGRAM);
        sender.setOption(discover, 0);
        await sender.sendTo(Buffer.alloc(4000), receiver.getsockname());
        const { data, ancillary } = await receiver.recvMsg(5000, 200);
        console.log(data.length, option.message.find(ancillary));
        receiver.close();
        sender.close();
      }
    `;
    const lines = (await inNamespace('ip link set lo mtu 1500', program)).trim().split('\n');
    expect(lines).to.have.lengthOf(2);
    for (const line of lines) {
      const [length, fragment] = line.split(' ');
      expect(length).to.equal('4000');
      expect(Number(fragment)).to.be.within(1000, 1500);
    }
  });
});

describe('MSG_ZEROCOPY', () => {
  it('the error queue tells when the kernel no longer needs the memory', async () => {
    await using pair = await connection();
    const { client, accepted } = pair;
    client.setOption(soZeroCopy, true);
    const pieces = [1, 2, 3].map((seed) => pattern(20_000, seed));
    const receiving = accepted.recv(60_000, { flags: MSG_WAITALL });
    for (const piece of pieces) expect(await client.send(piece, { flags: MSG_ZEROCOPY })).to.equal(piece.length);
    expect((await within('the data', receiving)).equals(Buffer.concat(pieces))).to.equal(true);
    // each send has a number; one message may tell of several
    const done: number[] = [];
    while (done.length < pieces.length) {
      const completed = client.recvMsg(0, ipRecvErr.message.space, { flags: MSG_ERRQUEUE });
      const { data, flags, ancillary } = await within('a completion', completed);
      expect([data.length, flags & MSG_ERRQUEUE]).to.deep.equal([0, MSG_ERRQUEUE]);
      const error = ipRecvErr.message.find(ancillary);
      expect(error).to.include({ origin: SO_EE_ORIGIN_ZEROCOPY, code: null, errno: 0, offender: null });
      // over the loopback the data is copied after all
      expect(error?.subcode).to.equal(SO_EE_CODE_ZEROCOPY_COPIED);
      for (let number = error?.info ?? 0; number <= (error?.data ?? -1); number++) done.push(number);
    }
    expect(done).to.deep.equal([0, 1, 2]);
    expect(client.tryRecvMsg(0, ipRecvErr.message.space, { flags: MSG_ERRQUEUE })).to.equal(null);
  });

  it('needs SO_ZEROCOPY: without it the data is copied, and nothing is told', async () => {
    await using pair = await connection();
    await pair.client.send('x', { flags: MSG_ZEROCOPY });
    expect((await pair.accepted.recv(10)).toString()).to.equal('x');
    expect(pair.client.tryRecvMsg(0, ipRecvErr.message.space, { flags: MSG_ERRQUEUE })).to.equal(null);
  });
});
