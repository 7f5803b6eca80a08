import { errnoOf, invalidArgumentType, outOfRange, SocketTimeoutError, type WaitOptions } from '@sock/core';

/** How long an operation of several steps may take in all, and what may end it. */
export class Limit {
  /** Milliseconds, `null` for no limit. */
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  readonly #label: string;
  readonly #deadline: number;

  /**
   * @param fallback milliseconds, or `null`, where the options name none
   * @param label what takes so long, for the message
   */
  constructor(options: WaitOptions, fallback: number | null, label: string) {
    const { timeout = fallback, signal } = options;
    if (timeout !== null && typeof timeout !== 'number') {
      throw invalidArgumentType('timeout', 'a number of milliseconds, or null for no limit', timeout);
    }
    if (timeout !== null && !(timeout >= 0)) {
      throw outOfRange('timeout', 'a number of milliseconds from 0, or null for no limit', timeout);
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgumentType('signal', 'an AbortSignal', signal);
    }
    this.timeout = timeout === Number.POSITIVE_INFINITY ? null : timeout;
    this.signal = signal;
    this.#label = label;
    this.#deadline = this.timeout === null ? Number.POSITIVE_INFINITY : performance.now() + this.timeout;
  }

  /**
   * Milliseconds that are left, `null` for no limit.
   * @throws SocketTimeoutError where none are, unless the timeout is 0
   */
  left(): number | null {
    if (this.timeout === null || this.timeout === 0) return this.timeout;
    const left = this.#deadline - performance.now();
    if (left <= 0) throw this.expired();
    return left;
  }

  /** The error of an operation that took too long. */
  expired(): SocketTimeoutError {
    const message = `${this.#label} ETIMEDOUT: no answer within ${this.timeout} ms`;
    return new SocketTimeoutError(message, { code: 'ETIMEDOUT', errno: -errnoOf('ETIMEDOUT'), syscall: this.#label });
  }
}
