import { invalidArgumentType, outOfRange } from './arguments.js';
import { backoff, type Descriptor, Pending, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI } from './descriptor.js';
import { EAGAIN, EINTR } from './errno.js';
import { CLOSED, failure, type Subject, timedOut } from './failure.js';
import { mayComplete } from './loop.js';
import { contextOf, ERROR, type Operation, READ, WRITE } from './operation.js';

/** How long an operation may take, and what may end it. */
export interface WaitOptions {
  /** Milliseconds, `null` for no limit; the socket's `timeout` unless told. */
  timeout?: number | null | undefined;
  /** Ends the wait; the promise is rejected with the signal's reason. Only in promise forms. */
  signal?: AbortSignal | undefined;
}

/** What a driver needs of a socket. */
export interface Target extends Subject {
  readonly descriptor: Descriptor;
  readonly timeout: number | null;
}

// A worker that is to be terminated ends when it runs JavaScript: a blocking wait comes up for air
// this often (milliseconds).
export const BREATH = 200;

/** Checks a timeout: a number of milliseconds from 0, or `null`. */
export function checkTimeout(value: unknown): number | null {
  if (value === null) return null;
  if (typeof value !== 'number') {
    throw invalidArgumentType('timeout', 'a number of milliseconds, or null for no limit', value);
  }
  if (!(value >= 0)) throw outOfRange('timeout', 'a number of milliseconds from 0, or null for no limit', value);
  return value === Number.POSITIVE_INFINITY ? null : value;
}

/** Checks an AbortSignal, or nothing. */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw invalidArgumentType('signal', 'an AbortSignal', value);
}

// What is wrong with the options is found before the first attempt, what they say is asked only
// where an operation has to wait: most need not.
function checkWait(options: WaitOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidArgumentType('options', 'an object', options);
  if (options.timeout !== undefined) checkTimeout(options.timeout);
}

function limit(target: Target, operation: Operation<unknown>, options: WaitOptions | undefined): number | null {
  if (operation.immediate === true) return 0;
  return options?.timeout === undefined ? target.timeout : checkTimeout(options.timeout);
}

function failed(target: Target, operation: Operation<unknown>, errno: number): Error {
  const reported = errno === -EAGAIN ? (operation.blocked ?? errno) : errno;
  const hint = target.descriptor.fd < 0 ? CLOSED : undefined;
  return failure(target, operation.syscall, reported, { ...contextOf(operation), hint });
}

/** Tries an operation: its result, or `null` where it would have to wait. */
export function attempt<Result>(target: Target, operation: Operation<Result>): Result | null {
  const count = target.descriptor.attempt(operation);
  if (count >= 0) return operation.result(count);
  if (count === -EAGAIN) return null;
  throw failed(target, operation, count);
}

/** Runs an operation, blocking the thread for up to the timeout. */
export function block<Result>(target: Target, operation: Operation<Result>, options?: WaitOptions): Result {
  if (options !== undefined) checkWait(options);
  const count = target.descriptor.attempt(operation);
  return count >= 0 ? operation.result(count) : blockAfter(target, operation, count, options);
}

// what `block` does where the first attempt gave no result
function blockAfter<Result>(
  target: Target,
  operation: Operation<Result>,
  first: number,
  options: WaitOptions | undefined,
): Result {
  const timeout = limit(target, operation, options);
  const count = first === -EAGAIN && timeout !== 0 ? waitAndRetry(target, operation, timeout) : first;
  if (count >= 0) return operation.result(count);
  const partial = target.descriptor.salvage(operation, count);
  if (partial !== undefined) return partial;
  if (count === -EAGAIN && timeout !== 0) {
    throw timedOut(target, operation.syscall, timeout as number, contextOf(operation));
  }
  throw failed(target, operation, count);
}

const EVENTS = { [READ]: POLLIN, [WRITE]: POLLOUT, [ERROR]: 0 } as const;

// the result of the operation, or -EAGAIN when time ran out
function waitAndRetry(target: Target, operation: Operation<unknown>, timeout: number | null): number {
  const { descriptor } = target;
  const { calls } = descriptor;
  const deadline = timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout;
  let edge = -1;
  let misses = 0;
  let ended = false;
  let before = operation.transferred;
  try {
    for (;;) {
      const left = deadline - performance.now();
      if (left <= 0) return -EAGAIN;
      let wait = Math.min(left, BREATH);
      let events: number;
      const pause = operation.delay || backoff(misses) || (descriptor.unpollable ? 1 : 0);
      if (pause > 0) {
        wait = Math.min(wait, pause);
        events = calls.sleep(wait);
      } else if (edge >= 0) {
        events = calls.edgeWait(edge, wait);
      } else {
        events = calls.pollOne(descriptor.fd, EVENTS[operation.direction], wait);
      }
      if (events < 0 && events !== -EINTR) return events;
      const count = descriptor.attempt(operation);
      if (count !== -EAGAIN) return count;
      ended ||= events > 0 && (events & POLLHUP) !== 0;
      const counts = operation.direction === WRITE || descriptor.unpollable || ended;
      const missed = counts && operation.transferred === before && (events > 0 || pause > 0);
      misses = missed ? misses + 1 : 0;
      before = operation.transferred;
      // woken for nothing by a condition that lasts: from now on only what is new counts
      if (events > 0 && edge < 0 && (events & POLLERR || operation.edge === true)) {
        edge = calls.edgeOpen(descriptor.fd, EVENTS[operation.direction] | POLLPRI);
        if (edge < 0) return edge;
      }
    }
  } finally {
    if (edge >= 0) calls.close(edge);
  }
}

/** Runs an operation without blocking the thread. Never throws: what is wrong rejects the promise. */
export function start<Result>(target: Target, create: () => Operation<Result>, options?: WaitOptions): Promise<Result> {
  try {
    return run(target, create(), options);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** As `start`, for an operation that is made already. May throw. */
export function run<Result>(target: Target, operation: Operation<Result>, options?: WaitOptions): Promise<Result> {
  const { descriptor } = target;
  let signal: AbortSignal | undefined;
  if (options !== undefined) {
    checkWait(options);
    signal = checkSignal(options.signal);
    if (signal?.aborted) return Promise.reject(signal.reason);
  }
  const timeout = limit(target, operation, options);
  // an operation that came earlier goes first, and a loop that was kept waiting for long
  const queued = descriptor.head(operation.direction) !== null;
  const tired = !queued && timeout !== 0 && !mayComplete();
  const tries = !queued && !tired && (timeout === 0 || !descriptor.awaits(operation));
  const count = tries ? descriptor.attempt(operation) : -EAGAIN;
  if (count !== -EAGAIN || timeout === 0) return finished(target, operation, count);
  operation.park?.();
  return new Promise((resolve, reject) => {
    const pending = new Pending(descriptor, target, operation, resolve, reject, signal);
    descriptor.add(pending as Pending<unknown>, tired);
    if (timeout !== null) pending.expireAt(performance.now() + timeout, timeout);
  });
}

function finished<Result>(target: Target, operation: Operation<Result>, count: number): Promise<Result> {
  if (count >= 0) return Promise.resolve(operation.result(count));
  const partial = target.descriptor.salvage(operation, count);
  return partial === undefined ? Promise.reject(failed(target, operation, count)) : Promise.resolve(partial);
}
