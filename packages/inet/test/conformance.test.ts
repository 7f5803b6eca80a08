import { type AddressFamily, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import {
  type InetAddress,
  type InetInput,
  IPPROTO_SCTP,
  inet,
  inet6,
  SctpSocket,
  sctpDelayedSack,
  sctpGetAssocIdList,
  sctpNoDelay,
  sctpRecvRcvInfo,
} from '@sock/inet';
import { type BadAddress, conformance, freeTcpPort, freeUdpPort, inLab, probe } from '@sock/testkit';
import { sctp } from './capabilities.js';

type Family = AddressFamily<InetAddress, InetInput>;

const badAddresses: readonly BadAddress[] = [
  { what: 'nothing', value: undefined, argument: 'address' },
  { what: 'text', value: '127.0.0.1:80', argument: 'address' },
  { what: 'a list, as in Python', value: ['127.0.0.1', 80], argument: 'address' },
  { what: 'an address of vsock', value: { cid: 2, port: 80 }, argument: 'address' },
  { what: 'a host that is a number', value: { host: 1, port: 80 }, argument: 'address.host' },
  { what: 'a host with NUL', value: { host: '127.0.0.1\0', port: 80 }, argument: 'address.host' },
  { what: 'a port that is too large', value: { host: '', port: 70_000 }, argument: 'address.port' },
  { what: 'a port that is text', value: { host: '', port: '80' }, argument: 'address.port' },
];

/** Two TCP sockets that are connected to each other. */
async function tcpPair(
  family: Family,
  host: string,
): Promise<[Socket<InetAddress, InetInput>, Socket<InetAddress, InetInput>]> {
  using server = new Socket(family, SOCK_STREAM);
  await server.bind({ host });
  server.listen();
  const client = new Socket(family, SOCK_STREAM);
  await client.connect(server.getsockname());
  const { socket } = await server.accept();
  return [client, socket];
}

/** Two SCTP sockets of the one-to-one style that are connected to each other. */
async function sctpPair(): Promise<[Socket<InetAddress, InetInput>, Socket<InetAddress, InetInput>]> {
  using server = new Socket(inet, SOCK_STREAM, IPPROTO_SCTP);
  await server.bind({ host: '127.0.0.1' });
  server.listen();
  server.setOption(sctpNoDelay, true);
  const client = new Socket(inet, SOCK_STREAM, IPPROTO_SCTP);
  client.setOption(sctpNoDelay, true);
  await client.connect(server.getsockname());
  const { socket } = await server.accept();
  return [client, socket];
}

/** A socket of the one-to-many style, which receives once it listens. */
function sctpMany(): SctpSocket {
  const socket = new SctpSocket({ type: SOCK_SEQPACKET, noDelay: true });
  socket.bindSync({ host: '127.0.0.1' });
  socket.listen();
  return socket;
}

/** The two ends of an association of one-to-many sockets, peeled off: only so can they send without an address. */
async function sctpManyPair(): Promise<[Socket<InetAddress, InetInput>, Socket<InetAddress, InetInput>]> {
  using a = sctpMany();
  using b = sctpMany();
  await a.sendMessage('begins the association', { address: b.getsockname() });
  await b.recvMessage();
  const ends = [a, b].map((socket) => socket.peeloff(socket.getOption(sctpGetAssocIdList)[0] as number));
  for (const end of ends) {
    end.setOption(sctpRecvRcvInfo, false);
    // else what was sent is acknowledged later, and makes room then
    end.setOption(sctpDelayedSack, { frequency: 1 });
  }
  return ends as [SctpSocket, SctpSocket];
}

/** Two UDP sockets that are connected to each other. */
async function udpPair(
  family: Family,
  host: string,
): Promise<[Socket<InetAddress, InetInput>, Socket<InetAddress, InetInput>]> {
  const a = new Socket(family, SOCK_DGRAM);
  const b = new Socket(family, SOCK_DGRAM);
  await a.bind({ host });
  await b.bind({ host });
  await a.connect(b.getsockname());
  await b.connect(a.getsockname());
  return [a, b];
}

for (const { family, version, host, wrong, requires } of [
  { family: inet as Family, version: 'IPv4', host: '127.0.0.1', wrong: '::1', requires: [] },
  { family: inet6 as Family, version: 'IPv6', host: '::1', wrong: '127.0.0.1', requires: probe('AF_INET6') },
]) {
  if (inLab && version === 'IPv4') continue;
  const shared = {
    family,
    requires,
    address: () => ({ host }),
    badAddresses: [...badAddresses, { what: 'the other version', value: { host: wrong }, argument: 'address.host' }],
    unresolved: { host: 'localhost', port: 9 },
  };
  conformance<InetAddress, InetInput>({
    ...shared,
    name: `TCP over ${version}`,
    type: SOCK_STREAM,
    kind: 'stream',
    pair: () => tcpPair(family, host),
    refused: async () => ({ host, port: await freeTcpPort(host) }),
    supports: { reset: true, netSocket: true },
  });
  conformance<InetAddress, InetInput>({
    ...shared,
    name: `UDP over ${version}`,
    type: SOCK_DGRAM,
    kind: 'datagram',
    pair: () => udpPair(family, host),
    refused: async () => ({ host, port: await freeUdpPort(host) }),
    supports: { refusedLater: true },
  });
}

conformance<InetAddress, InetInput>({
  name: 'SCTP, one-to-one',
  family: inet,
  type: SOCK_STREAM,
  protocol: IPPROTO_SCTP,
  kind: 'seqpacket',
  requires: sctp,
  pair: sctpPair,
  address: () => ({ host: '127.0.0.1' }),
  badAddresses,
  refused: () => ({ host: '127.0.0.1', port: 9 }),
  // a one-to-one socket without an association may yet get one: receiving waits for it
  supports: { halfClose: false, truncation: false, remainder: true, unconnected: false, zeroBacklog: false },
});

conformance<InetAddress, InetInput>({
  name: 'SCTP, one-to-many',
  family: inet,
  type: SOCK_SEQPACKET,
  protocol: IPPROTO_SCTP,
  kind: 'datagram',
  requires: sctp,
  pair: sctpManyPair,
  address: () => ({ host: '127.0.0.1' }),
  prepare(socket) {
    socket.setOption(sctpNoDelay, true);
    socket.listen();
  },
  badAddresses,
  brief: true,
  supports: {
    flowControl: true,
    truncation: false,
    remainder: true,
    // a message without bytes is an error, but for one that ends an association
    zeroLength: false,
    // a connection is an association, of which a socket may have others: sending wants to know which
    connectedPeer: false,
    connectedSend: false,
    realLength: false,
  },
});
