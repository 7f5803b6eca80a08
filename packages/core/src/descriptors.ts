import { checkInteger, toTarget } from './arguments.js';
import { EBADF, EEXIST } from './errno.js';
import { failure } from './failure.js';
import { NOBODY } from './handle.js';
import { native } from './native.js';

const FD_MAX = 0x7fffffff;

/**
 * Closes a descriptor that no Socket owns, such as one that `detach` gave.
 * @throws SocketError `EBADF`, or `EEXIST` where a Socket of this thread owns it: close that. Source: close(2).
 */
export function close(fd: number): void {
  checkInteger('fd', fd, 0, FD_MAX);
  if (native.own(fd) === 0) {
    const hint = `the descriptor ${fd} belongs to a Socket: close() that`;
    throw failure(NOBODY, 'close', -EEXIST, { hint });
  }
  const status = native.closeAny(fd);
  if (status === -EBADF) throw failure(NOBODY, 'close', status, { hint: `there is no descriptor ${fd}` });
  if (status < 0) throw failure(NOBODY, 'close', status);
}

/**
 * Duplicates a descriptor of any kind; programs started with execve(2) do not inherit the copy, which
 * is yours to close. For a Socket around a copy there is `Socket.duplicate`.
 * @throws SocketError `EBADF`, `EMFILE`. Source: fcntl(2), F_DUPFD_CLOEXEC.
 */
export function dup(fd: number): number {
  const copy = native.dup(checkInteger('fd', fd, 0, FD_MAX));
  if (copy < 0) throw failure(NOBODY, 'dup', copy);
  native.release(copy);
  return copy;
}

/**
 * ioctl(2) of a descriptor that is no socket, such as that of a device; a Socket has `ioctl` itself. An
 * integer argument is passed as it is; bytes are the structure that the request reads or fills, in place.
 * @returns what ioctl(2) returned
 * @throws SocketError `EBADF`, `ENOTTY` where the device has no such request
 */
export function ioctl(fd: number, request: number, argument: number | ArrayBufferView | ArrayBuffer = 0): number {
  checkInteger('fd', fd, 0, FD_MAX);
  checkInteger('request', request, 0, 0xffffffff);
  const status =
    typeof argument === 'number'
      ? native.ioctlNumber(fd, request, checkInteger('argument', argument, -0x80000000, 0xffffffff))
      : native.ioctlBytes(fd, request, toTarget('argument', argument));
  if (status < 0) throw failure(NOBODY, 'ioctl', status);
  return status;
}
