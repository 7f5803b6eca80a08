import { checkSignal, checkTimeout, type WaitOptions } from './drivers.js';
import { type SocketError, SocketTimeoutError, socketError } from './errors.js';
import { FORBIDDEN } from './failure.js';

/** How long an operation of several steps may take in all, and what may end it: for families with such operations. */
export class Deadline {
  /** Milliseconds, `null` for no limit. */
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  private readonly end: number;

  /**
   * @param fallback milliseconds, or `null`, where the options name no timeout: mostly the socket's own
   * @throws TypeError or RangeError naming `timeout` or `signal`
   */
  constructor({ timeout, signal }: WaitOptions, fallback: number | null) {
    this.timeout = timeout === undefined ? fallback : checkTimeout(timeout);
    this.signal = checkSignal(signal);
    this.end = this.timeout === null ? Number.POSITIVE_INFINITY : performance.now() + this.timeout;
  }

  /**
   * Milliseconds for the next wait, `null` for no limit; 0, which forbids to wait at all, only where that was asked for.
   * @param syscall what takes so long, for the error
   * @throws SocketTimeoutError where no time is left
   */
  left(syscall: string): number | null {
    if (this.timeout === null || this.timeout === 0) return this.timeout;
    const left = this.end - performance.now();
    if (left <= 0) throw this.expired(syscall);
    return left;
  }

  /** The error of an operation that took too long, or that would have to wait where that is forbidden. */
  expired(syscall: string): SocketError {
    if (this.timeout === 0) return socketError(syscall, 'EAGAIN', FORBIDDEN);
    const { errno } = socketError(syscall, 'ETIMEDOUT');
    const message = `${syscall} ETIMEDOUT: not done within ${this.timeout} ms`;
    return new SocketTimeoutError(message, { code: 'ETIMEDOUT', errno, syscall });
  }
}
