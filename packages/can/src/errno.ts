import { constants } from 'node:os';
import { SocketError } from '@sock/core';

const codes: Readonly<Record<string, number>> = {
  ...constants.errno,
  // node:os leaves these out; source: errno(3)
  ECOMM: 70,
  EBADFD: 77,
  ENOTRECOVERABLE: 131,
};

const names = new Map(Object.entries(codes).map(([name, errno]) => [errno, name]));
// one number, two names: the manuals of sockets use these
names.set(constants.errno.EAGAIN, 'EAGAIN');
names.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** Symbolic name of an errno. */
export const codeOf = (errno: number): string => names.get(errno) ?? `E${errno}`;

/** The error of a call, for what the kernel tells otherwise than by the call's result. */
export function socketError(syscall: string, code: string, text: string | undefined): SocketError {
  const message = `${syscall} ${code}${text === undefined ? '' : `: ${text}`}`;
  return new SocketError(message, { code, errno: -(codes[code] ?? 0), syscall });
}
