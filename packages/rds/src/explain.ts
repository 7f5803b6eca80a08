import { clauseOf, type FailedCall } from '@sock/core';

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EAFNOSUPPORT': 'this kernel has no AF_RDS; load the module rds_tcp (modprobe rds_tcp)',
  'socket ESOCKTNOSUPPORT': 'AF_RDS has SOCK_SEQPACKET only, and no protocols',
  'bind EADDRNOTAVAIL':
    'the address is none of this host, or there is no transport for it; load the module rds_tcp (modprobe rds_tcp)',
  'bind EINVAL': 'the socket is bound already, or the address is none of one host',
  'bind EADDRINUSE': 'another socket is bound to that address and port',
  'connect EDESTADDRREQ': 'name the address of a host',
  'send ENOTCONN': 'the socket must be bound first, and know whom to send to',
  'send ENOBUFS':
    'the receiver is congested: nothing was sent; wait until the socket is readable, or set RDS_CONG_MONITOR, and send again',
  'send EMSGSIZE': 'the message is longer than the send buffer (SO_SNDBUF), or than 1 MiB',
  'send EOPNOTSUPP':
    'AF_RDS takes no flags but MSG_DONTWAIT and MSG_ZEROCOPY, and an address of the family (IPv4 or IPv6) that the socket is bound to',
  'send EINVAL': 'the address must be that of one host',
  'setsockopt EOPNOTSUPP': 'the transport is chosen already: set SO_RDS_TRANSPORT before the socket is bound',
  'setsockopt ENOTCONN': 'the socket must be bound first',
};

/** The remedy for a failed call on an RDS socket, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
