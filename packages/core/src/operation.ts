import type { Descriptor } from './descriptor.js';

/** What an operation waits for. */
export type Direction = typeof READ | typeof WRITE | typeof ERROR;
export const READ = 0;
export const WRITE = 1;
/** An error condition only: the error queue. */
export const ERROR = 2;

/** What an error tells about an operation. */
export function contextOf(operation: Operation<unknown>): { address: unknown; transferred: number | undefined } {
  return { address: operation.address?.(), transferred: operation.transferred };
}

/**
 * One operation on a socket: a system call, what it waits for, and what its result means. The three
 * drivers (attempt, blocking, asynchronous) run it; nothing else makes system calls that may wait.
 */
export interface Operation<Result> {
  /** Name of the system call, for errors. */
  readonly syscall: string;
  readonly direction: Direction;
  /** Whether MSG_DONTWAIT was given. */
  readonly immediate?: boolean;
  /** Tries once: a result of 0 or more, or a negative errno; -EAGAIN where it would have to wait. */
  attempt(descriptor: Descriptor): number;
  /** Decodes the result. Must not throw once the kernel has consumed something. */
  result(count: number): Result;
  /** Told before the first asynchronous wait, to take what it keeps in shared memory out of it. */
  park?(): void;
  /** The errno (negative) to report where the operation may not wait: EAGAIN unless told. */
  readonly blocked?: number;
  /** After EAGAIN: milliseconds to sleep before the next attempt, where readiness says nothing. */
  readonly delay?: number;
  /** Readiness stays true while the operation cannot go on: wait for something new to happen. */
  readonly edge?: boolean;
  /** The address that the operation names, for errors. */
  address?(): unknown;
  /** Only looks: an error that waits is left for those who move data. */
  readonly passive?: boolean;
  /** Bytes asked for of a stream, or messages: fewer received mean that there was no more. */
  readonly capacity?: number | undefined;
  /** What was handed over so far by an operation of several steps. */
  readonly transferred?: number;
  /** At a timeout, cancellation or error: a result made of what was received so far, if there is any. */
  partial?(): Result | undefined;
}
