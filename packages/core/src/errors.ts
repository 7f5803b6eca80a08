import { errnoOf } from './errno.js';

/** What is known about a system call that failed. */
export interface SocketErrorDetails {
  /** Symbolic code, such as `ECONNREFUSED`. */
  code: string;
  /** Negative errno, as in Node's own errors. */
  errno: number;
  /** Name of the call, such as `connect`. */
  syscall: string;
  /** The address that the call named, where there is one. */
  address?: unknown;
  /** Bytes (or messages, for a batch) that were handed over before the failure. */
  transferred?: number | undefined;
  cause?: unknown;
}

/**
 * A socket operation failed.
 *
 * `code` is symbolic (`'ECONNREFUSED'`), `errno` the negative errno, `syscall` the call that failed,
 * `address` the address it named, where there is one. Source: errno(3).
 */
export class SocketError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  declare readonly address?: unknown;
  /**
   * For operations that send in several steps (`sendAll`, `sendFile`, `sendBatch`): what was handed
   * to the kernel before the failure; bytes, or messages for a batch.
   */
  declare readonly transferred?: number;

  constructor(message: string, details: SocketErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.errno = details.errno;
    this.syscall = details.syscall;
    if (details.address !== undefined) this.address = details.address;
    if (details.transferred !== undefined) this.transferred = details.transferred;
  }

  static {
    this.prototype.name = 'SocketError';
  }
}

/**
 * The error of a call for what a family finds out otherwise than by the call's result: a reply that
 * carries an errno, a message that cannot be read.
 * @param code symbolic, such as `EBADMSG`
 * @param clause what it means, and the remedy
 */
export function socketError(syscall: string, code: string, clause?: string): SocketError {
  const message = `${syscall} ${code}${clause === undefined ? '' : `: ${clause}`}`;
  return new SocketError(message, { code, errno: -errnoOf(code), syscall });
}

/** An operation did not finish within its timeout: `code` is `'ETIMEDOUT'`. */
export class SocketTimeoutError extends SocketError {
  static {
    this.prototype.name = 'SocketTimeoutError';
  }
}

/** getaddrinfo(3) or getnameinfo(3) failed: `code` is `'EAI_NONAME'` and so on, `errno` the EAI value. */
export class AddressInfoError extends SocketError {
  static {
    this.prototype.name = 'AddressInfoError';
  }
}

/** gethostbyname(3) or gethostbyaddr(3) failed: `code` is `'HOST_NOT_FOUND'` and so on, `errno` is h_errno. */
export class HostError extends SocketError {
  static {
    this.prototype.name = 'HostError';
  }
}
