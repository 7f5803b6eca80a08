import { constants } from 'node:os';
import { invalidArgumentType, outOfRange, SocketTimeoutError, type WaitOptions } from '@sock/core';

const EXPECTED = 'a number of milliseconds from 0, or null for no limit';

/** What is left of the time that an operation of several waits may take. */
export class Deadline {
  private readonly timeout: number | null;
  private readonly end: number;

  /**
   * @param fallback the socket's own timeout, for options that name none
   * @throws TypeError or RangeError naming `timeout` or `signal`
   */
  constructor({ timeout = undefined, signal }: WaitOptions, fallback: number | null) {
    const limit: unknown = timeout === undefined ? fallback : timeout;
    if (limit !== null && typeof limit !== 'number') throw invalidArgumentType('timeout', EXPECTED, limit);
    if (limit !== null && !(limit >= 0)) throw outOfRange('timeout', EXPECTED, limit);
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgumentType('signal', 'an AbortSignal', signal);
    }
    this.timeout = limit;
    this.end = limit === null ? Number.POSITIVE_INFINITY : performance.now() + limit;
  }

  /**
   * Milliseconds for the next wait, `null` for no limit; 0 forbids to wait at all.
   * @throws SocketTimeoutError where time ran out
   */
  left(syscall: string): number | null {
    if (this.timeout === null || this.timeout === 0) return this.timeout;
    const left = this.end - performance.now();
    if (left > 0) return left;
    const details = { code: 'ETIMEDOUT', errno: -constants.errno.ETIMEDOUT, syscall };
    throw new SocketTimeoutError(`${syscall} ETIMEDOUT: not done within ${this.timeout} ms`, details);
  }
}

/** Waits that the end of something ends, besides the signals of their callers. */
export class Waits {
  private readonly own = new AbortController();

  /**
   * Runs a wait. One with a signal of its caller's gets a signal made for it: composite signals of
   * the platform would hold on to one that lives for long.
   * @throws the signal's reason, or that of `end`
   */
  run<Result>(caller: AbortSignal | undefined, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return caller === undefined ? wait(this.own.signal) : this.runWith(caller, wait);
  }

  private async runWith<Result>(caller: AbortSignal, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    caller.throwIfAborted();
    const own = this.own.signal;
    const controller = new AbortController();
    const abort = (): void => controller.abort((caller.aborted ? caller : own).reason);
    caller.addEventListener('abort', abort);
    own.addEventListener('abort', abort);
    try {
      return await wait(controller.signal);
    } finally {
      caller.removeEventListener('abort', abort);
      own.removeEventListener('abort', abort);
    }
  }

  /** Ends the waits, and those to come. */
  end(reason: Error): void {
    this.own.abort(reason);
  }
}

/** Sleeps. @throws the signal's reason */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort);
  });
}
