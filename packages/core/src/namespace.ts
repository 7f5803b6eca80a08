import { EBADF, EINVAL, ENOENT, EPERM, errnoName } from './errno.js';
import { socketError } from './errors.js';
import { failure, type Subject } from './failure.js';
import { NOT_ENTERED, native } from './native.js';

/** What of a socket is decided when it is opened. */
export interface SocketOptions {
  /**
   * Descriptor of the network namespace to open it in: an opened `/run/netns/NAME` or `/proc/PID/ns/net`, a
   * pidfd, or what `createNetworkNamespace` gives. It may be closed afterwards: the socket belongs to that
   * namespace for good, and names of interfaces mean those there. Names of hosts are resolved in this
   * process's own. Needs CAP_SYS_ADMIN. Source: setns(2), network_namespaces(7).
   */
  namespace?: number | undefined;
}

const CAPABILITY = 'CAP_SYS_ADMIN';

const HINTS: Readonly<Record<number, string>> = {
  [EBADF]: 'the descriptor of the network namespace is closed',
  [EINVAL]: 'the descriptor is not that of a network namespace',
};

/** Opens a socket in a network namespace: its descriptor, or a negative errno of socket(2). */
export function openIn(subject: Subject, namespace: number, protocol: number): number {
  const fd = native.socketIn(namespace, subject.domain, subject.type, protocol);
  if (fd > NOT_ENTERED) return fd;
  const errno = fd - NOT_ENTERED;
  throw failure(subject, 'setns', errno, { capability: CAPABILITY, hint: HINTS[-errno] });
}

const CLAUSES: Readonly<Record<number, string>> = {
  [EPERM]: `a network namespace needs ${CAPABILITY} (setcap cap_sys_admin+ep $(which node), or run as root)`,
  [ENOENT]: '/proc is not mounted',
};

/**
 * Makes a network namespace, in which there is nothing but an `lo` that is down, and gives its descriptor:
 * the caller's to close, and close-on-exec. The namespace lasts as long as that, the sockets and the
 * processes in it.
 * @throws SocketError `EPERM` without CAP_SYS_ADMIN, `ENOSPC` where there are too many. Source: unshare(2),
 * network_namespaces(7).
 */
export function createNetworkNamespace(): number {
  const fd = native.createNamespace();
  if (fd < 0) throw socketError('unshare', errnoName(-fd), CLAUSES[-fd]);
  return fd;
}
