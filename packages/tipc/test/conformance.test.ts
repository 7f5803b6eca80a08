import { SHUT_RDWR, SOCK_DGRAM, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { conformance, inLab, type Kind, type Supports } from '@sock/testkit';
import { type TipcAddress, type TipcInput, tipc } from '@sock/tipc';

const KINDS: readonly { name: string; kind: Kind; type: number; supports: Partial<Supports> }[] = [
  { name: 'SOCK_STREAM', kind: 'stream', type: SOCK_STREAM, supports: {} },
  { name: 'SOCK_SEQPACKET', kind: 'seqpacket', type: SOCK_SEQPACKET, supports: {} },
  { name: 'SOCK_RDM', kind: 'datagram', type: SOCK_RDM, supports: {} },
  { name: 'SOCK_DGRAM', kind: 'datagram', type: SOCK_DGRAM, supports: {} },
];

/** What TIPC is like, whatever the type. */
const COMMON: Partial<Supports> = {
  // both directions end at once, by shutdown; a socket that is just closed resets the connection
  halfClose: false,
  endOfFile: false,
  // a receiver with less room than its peer counts on loses the connection
  bufferSizes: false,
  peekAcross: false,
  recvNothing: false,
  // messages of no bytes are dropped by the receiving kernel
  zeroLength: false,
  // a connection is made when it is accepted
  backlog: false,
  // connections too say whom a message is from
  addresses: true,
  timestamps: false,
  ioctl: false,
  connectedPeer: false,
  realLength: false,
};

const badAddresses = [
  { what: 'nothing', value: undefined, argument: 'address' },
  { what: 'an inet address', value: { host: '127.0.0.1', port: 80 }, argument: 'address' },
  { what: 'an unknown kind', value: { kind: 'name', type: 1000, instance: 1 }, argument: 'address.kind' },
  {
    what: 'a service with a member too many',
    value: { kind: 'service', type: 1, instance: 1, node: 1 },
    argument: 'address',
  },
  {
    what: 'a type that is too large',
    value: { kind: 'service', type: 2 ** 32, instance: 1 },
    argument: 'address.type',
  },
  {
    what: 'a range the wrong way',
    value: { kind: 'range', type: 1000, lower: 2, upper: 1 },
    argument: 'address.upper',
  },
  { what: 'a socket without a number', value: { kind: 'socket', node: 0 }, argument: 'address.ref' },
  {
    what: 'a scope that is none',
    value: { kind: 'service', type: 1000, instance: 1, scope: 4 },
    argument: 'address.scope',
  },
];

let instance = 0;

for (const { name, kind, type, supports } of KINDS) {
  const datagram = kind === 'datagram';
  conformance<TipcAddress, TipcInput>({
    name: `TIPC ${name}`,
    family: tipc,
    type,
    kind,
    requires: 'AF_TIPC',
    pair: () => Socket.pair(tipc, type),
    address: () => ({ kind: 'service', type: 7000 + (process.pid % 1000), instance: ++instance }),
    refused: () => ({ kind: 'service', type: 6999, instance: ++instance }),
    refusedCode: 'EHOSTUNREACH',
    // a socket's own name cannot be bound at all
    rebindCode: 'EAFNOSUPPORT',
    brief: inLab && type !== SOCK_RDM,
    supports: { ...COMMON, ...supports },
    ...(datagram ? {} : { finish: (socket) => socket.shutdown(SHUT_RDWR) }),
    badAddresses,
  });
}
