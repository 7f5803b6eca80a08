import { clauseOf, type FailedCall } from '@sock/core';

/**
 * The clauses by call and code. Abstract names and paths share them, as a failed call does not tell
 * which of the two it was about.
 */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EPROTONOSUPPORT': 'AF_UNIX has no protocols: give 0',
  'socket ESOCKTNOSUPPORT': 'AF_UNIX has SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET',
  'bind EADDRINUSE':
    'the path exists: unlink it first, if no program uses it (an abstract name is free when its socket is closed)',
  'bind ENOENT': 'a directory of the path does not exist',
  'bind EACCES': 'the directory of the path must be writable and searchable for this user',
  'bind EINVAL': 'the socket has an address already',
  'connect ENOENT': 'no such path: no program has bound a socket to it',
  'connect ECONNREFUSED': 'nobody listens on it any more; a path may stay behind after the program that bound it',
  'connect EACCES': 'connecting needs write permission for the path and search permission for its directories',
  'connect EINVAL': "an unnamed socket ('') cannot be connected to, nor can a listening one connect",
  'connect EPROTOTYPE': 'the socket there is of another type (stream, datagram or seqpacket)',
  'connect EAGAIN': "the listener's backlog is full",
  'send ENOENT': 'no such path: no program has bound a socket to it',
  'send ECONNREFUSED': 'nobody receives on it any more; a path may stay behind after the program that bound it',
  'send EACCES': 'sending needs write permission for the path and search permission for its directories',
  'send EPROTOTYPE': 'the socket there is of another type (stream, datagram or seqpacket)',
  'sendmsg EBADF': 'the socket is closed, or one of the descriptors to pass is not open',
  'send EMSGSIZE': 'the message is longer than the send buffer (SO_SNDBUF) allows',
  'send EPERM':
    'the receiver is connected to another socket or takes no descriptors (SO_PASSRIGHTS), or the credentials stated ' +
    'need CAP_SYS_ADMIN (pid), CAP_SETUID or CAP_SETGID',
  'send ETOOMANYREFS': 'more descriptors of this user are on their way in messages than RLIMIT_NOFILE allows',
};

/** The remedy for a failed call on a unix socket, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
