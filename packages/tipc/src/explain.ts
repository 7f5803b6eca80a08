import { clauseOf, type FailedCall } from '@sock/core';

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EAFNOSUPPORT': 'this kernel has no AF_TIPC; load the module tipc (modprobe tipc)',
  'socket EPROTONOSUPPORT': 'AF_TIPC has no protocols: give 0',
  'socket EPROTOTYPE': 'AF_TIPC has SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET and SOCK_STREAM',
  'socket ESOCKTNOSUPPORT': 'AF_TIPC has SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET and SOCK_STREAM',
  'bind EACCES': "types below TIPC_RESERVED_TYPES (64) are the kernel's, and a member of a group binds nothing more",
  'bind EAFNOSUPPORT': 'a service or a range can be bound, not the address of a socket',
  'bind EINVAL': 'a connected socket binds nothing; what is to be unbound must be bound, with the same scope',
  'connect EHOSTUNREACH': 'no socket in reach is bound to the service',
  'connect ECONNREFUSED': 'the socket there does not listen, or is gone, or its queue is full',
  'connect ETIMEDOUT': 'the server did not accept in time (TIPC_CONN_TIMEOUT)',
  'connect EINVAL': 'connections go to a service or a socket, not to a range; a member of a group makes none',
  'connect EOPNOTSUPP': 'a socket that is bound listens: it cannot connect',
  'send EHOSTUNREACH': 'no socket in reach is bound to the service, or the group has no such member',
  'send EDESTADDRREQ': 'name a service or a socket, or connect to it',
  'send EMSGSIZE': 'a message has at most 66,000 bytes (TIPC_MAX_USER_MSG_SIZE)',
  'send EPIPE': 'the connection has ended',
  'send ENOTCONN': 'the socket is not connected',
  'send EISCONN': 'the socket is connected (or connecting): it sends to its peer only',
  'send EOPNOTSUPP': 'a socket that is bound listens: it cannot connect',
  'send EACCES': 'a member of a group sends to members only',
  'recv ECONNRESET': 'the peer has closed the connection, or its node is gone',
  'recv ENOTCONN': 'the socket is not connected',
  'recv EINVAL': 'at least one byte must be asked for',
  'shutdown EINVAL': 'TIPC ends both directions at once: SHUT_RDWR',
  'shutdown ENOTCONN': 'the socket is not connected (any more)',
  'accept EINVAL': 'the socket does not listen',
  'setsockopt EACCES': 'the type of a group is 64 (TIPC_RESERVED_TYPES) or more, and a socket is a member of one only',
  'ioctl EADDRNOTAVAIL': 'there is no such node, or no such link',
};

/** The remedy for a failed call on a TIPC socket, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
