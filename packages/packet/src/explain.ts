import { clauseOf, type FailedCall, SOCK_DGRAM, SOCK_RAW } from '@sock/core';

const RAW = 'packet sockets need CAP_NET_RAW (setcap cap_net_raw+ep $(which node), or run as root)';
const DOWN = 'the interface is down, or was removed; a socket goes on receiving once its interface is up again';

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EPERM': RAW,
  'socket EACCES': RAW,
  'socket EAFNOSUPPORT': 'this kernel has no AF_PACKET; load the module af_packet (modprobe af_packet)',
  'bind ENODEV': 'there is no such interface (any more)',
  'bind ENETDOWN': 'the interface is down; the socket is bound all the same, and receives once it is up',
  'bind EINVAL': 'a socket of a fanout group stays where it is',
  'recv ENETDOWN': DOWN,
  'send ENETDOWN': 'the interface is down',
  'send ENXIO': 'no interface to send on: bind the socket to one, or name one in the address',
  'send EMSGSIZE': "the packet is longer than the interface's MTU allows",
  'send ENOBUFS': "the interface's queue is full and the packet was not sent; it may be sent again",
  'send EINVAL':
    'the packet is shorter than its headers say or a link-layer header is, or (SOCK_DGRAM) the address has no ' +
    'hardware address that fits',
  'setsockopt EBUSY': 'the socket has a ring; close it first (one at a time)',
  'mmap EINVAL': 'the socket has no ring of this size',
};

/** The remedy for a failed call on a packet socket, where there is one to name. */
export function explain(failure: FailedCall): string | undefined {
  const { syscall, code, type } = failure;
  if (syscall === 'socket' && code === 'ESOCKTNOSUPPORT' && type !== SOCK_RAW && type !== SOCK_DGRAM) {
    return 'packet sockets are of type SOCK_RAW or SOCK_DGRAM';
  }
  return clauseOf(failure, CLAUSES);
}
