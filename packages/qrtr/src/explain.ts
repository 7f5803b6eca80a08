import { clauseOf, type FailedCall } from '@sock/core';

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EAFNOSUPPORT': 'this kernel has no AF_QIPCRTR; load the module qrtr (modprobe qrtr)',
  'socket ESOCKTNOSUPPORT': 'AF_QIPCRTR has SOCK_DGRAM only',
  'socket EPROTOTYPE': 'AF_QIPCRTR has SOCK_DGRAM only',
  'socket EINVAL': 'AF_QIPCRTR has SOCK_DGRAM only',
  'bind EINVAL': 'a socket is bound to a port of its own node, and once',
  'bind EADDRINUSE': 'another socket has that port; the name service has its own',
  'bind EACCES': 'ports below 0x4000 need CAP_NET_ADMIN',
  'send ENODEV': "nobody has that port, or it is the socket's own",
  'send EHOSTUNREACH': 'there is no such node',
  'send ENOTCONN': 'name a port, or connect to one; what goes to all nodes goes to QRTR_PORT_CTRL',
  'send ENOSPC': "the receiver's queue is full: nothing was sent; send again later",
  'send EINVAL': 'a control packet begins with its type, of 4 bytes',
  'send EMSGSIZE': 'a message has at most 65,535 bytes',
};

/** The remedy for a failed call on a socket of AF_QIPCRTR, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
