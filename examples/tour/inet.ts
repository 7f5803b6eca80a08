import net from 'node:net';
import { SOCK_DGRAM, SOCK_RAW, Socket, SocketError, soTimestampNs } from '@sock/core';
import {
  createConnection,
  createServer,
  hasIPv6,
  type InetAddress,
  type InetInput,
  IPPROTO_ICMP,
  inet,
  inet6,
  ipAddMembership,
  ipMulticastIf,
  ipMulticastLoop,
  ipPayload,
  ipPktInfo,
  packIcmpEcho,
  SctpSocket,
  tcpInfo,
  unpackIcmpEcho,
} from '@sock/inet';
import { type Step, Unavailable } from './step.js';

const tcp: Step = {
  family: 'inet TCP',
  async run() {
    await using server = await createServer({ host: '127.0.0.1' });
    using client = await createConnection(server.getsockname());
    const { socket, address } = await server.accept();
    using peer = socket;
    await client.sendAll('hello');
    await peer.sendAll((await peer.recv(64)).toString().toUpperCase());
    return `'hello' → '${await client.recv(64)}', with ${inet.format(address)}`;
  },
};

const udp: Step = {
  family: 'inet UDP',
  async run() {
    using receiver = new Socket(inet, SOCK_DGRAM);
    await receiver.bind({ host: '127.0.0.1' });
    receiver.setOption(ipPktInfo, true);
    receiver.setOption(soTimestampNs, true);
    using sender = new Socket(inet, SOCK_DGRAM);
    await sender.sendTo('ping', receiver.getsockname());
    const { data, ancillary } = await receiver.recvMsg(64, ipPktInfo.message.space + soTimestampNs.message.space);
    const info = ipPktInfo.message.find(ancillary);
    const stamp = soTimestampNs.message.find(ancillary);
    const time = stamp === undefined ? 'no time' : new Date(Number(stamp / 1_000_000n)).toISOString();
    return `'${data}' to ${info?.destination} through ${info?.interface}, which the kernel took at ${time}`;
  },
};

const ipv6: Step = {
  family: 'inet6 TCP',
  async run() {
    if (!hasIPv6()) throw new Unavailable('this kernel has no IPv6', 'load the module ipv6 (modprobe ipv6)');
    await using server = await createServer({ host: '::1', family: inet6 });
    using client = await createConnection(server.getsockname());
    const { socket, address } = await server.accept();
    using peer = socket;
    await client.sendAll('hello');
    return `'${await peer.recv(64)}' from ${server.family.format(address)}`;
  },
};

// an unprivileged ping socket where the system allows them, a raw one where the user may
function openPing(): { socket: Socket<InetAddress, InetInput>; raw: boolean } {
  try {
    return { socket: new Socket(inet, SOCK_DGRAM, IPPROTO_ICMP), raw: false };
  } catch (error) {
    if (!(error instanceof SocketError && error.code === 'EACCES')) throw error;
    return { socket: new Socket(inet, SOCK_RAW, IPPROTO_ICMP), raw: true };
  }
}

const ping: Step = {
  family: 'inet ICMP',
  async run() {
    const { socket, raw } = openPing();
    using pinger = socket;
    pinger.timeout = 5000;
    const begin = performance.now();
    await pinger.sendTo(packIcmpEcho({ identifier: process.pid & 0xffff, sequence: 1, data: 'tour' }), {
      host: '127.0.0.1',
    });
    for (;;) {
      const packet = await pinger.recv(256);
      const echo = unpackIcmpEcho(raw ? (ipPayload(packet) ?? packet) : packet);
      // a raw socket sees the request too
      if (echo === undefined || echo.type !== 0) continue;
      const took = (performance.now() - begin).toFixed(2);
      return `echo reply ${echo.sequence} from 127.0.0.1 in ${took} ms (${raw ? 'raw' : 'ping'} socket)`;
    }
  },
};

const multicast: Step = {
  family: 'inet multicast',
  async run() {
    const group = '239.255.77.77';
    using receiver = new Socket(inet, SOCK_DGRAM);
    await receiver.bind({ host: group });
    receiver.setOption(ipAddMembership, { group, interface: 'lo' });
    using sender = new Socket(inet, SOCK_DGRAM);
    sender.setOption(ipMulticastIf, 'lo');
    sender.setOption(ipMulticastLoop, true);
    await sender.sendTo('to all of you', receiver.getsockname());
    const { data, address } = await receiver.recvFrom(64, { timeout: 5000 });
    return `'${data}' to ${group} on lo, from ${address === null ? 'nobody' : inet.format(address)}`;
  },
};

function openSctp(): SctpSocket {
  try {
    return new SctpSocket({ noDelay: true });
  } catch (error) {
    if (!(error instanceof SocketError && /NOSUPPORT$/.test(error.code))) throw error;
    throw new Unavailable('this kernel has no SCTP', 'load the module sctp (modprobe sctp)');
  }
}

const sctp: Step = {
  family: 'inet SCTP',
  async run() {
    using server = openSctp();
    await server.bind({ host: '127.0.0.1' });
    server.bindx([{ host: '127.0.0.2' }]);
    server.listen();
    using client = openSctp();
    await client.connect(server.getsockname());
    const { socket } = await server.accept();
    using peer = socket;
    await client.sendMessage('hello', { stream: 3, ppid: 46 });
    const arrival = await peer.recvMessage({ timeout: 5000 });
    if (arrival.kind !== 'message') throw new Error(`${arrival.kind} came, and no message`);
    const addresses = client.getpaddrs().length;
    return `'${arrival.data}' in stream ${arrival.stream} as protocol ${arrival.ppid}, to a peer of ${addresses} addresses`;
  },
};

const borrowed: Step = {
  family: 'node:net',
  async run() {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    const client = net.connect({ port, host: '127.0.0.1' });
    client.write('through node:net');
    const [echoed] = await new Promise<[Buffer]>((resolve) => client.once('data', (data) => resolve([data])));
    const info = Socket.borrow(client, inet).getOption(tcpInfo);
    client.destroy();
    server.close();
    return `'${echoed}'; TCP_INFO of that socket: round trip ${info.rtt} µs, window ${info.sndCwnd}`;
  },
};

export const inetSteps: Step[] = [tcp, udp, ipv6, ping, multicast, sctp, borrowed];
