import { constants } from 'node:os';
import { SocketError } from '@sock/core';

/** An error of the kernel's kind that this package found itself. */
export function socketError(syscall: string, code: keyof typeof constants.errno, what: string): SocketError {
  return new SocketError(`${syscall} ${code}: ${what}`, { code, errno: -constants.errno[code], syscall });
}
