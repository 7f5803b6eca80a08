import { EAGAIN, EBADF, ECANCELED, EEXIST, EINTR } from './errno.js';
import { failure, type Subject, timedOut } from './failure.js';
import {
  DISCONNECT,
  hold,
  PRIORITIZED,
  READABLE,
  release,
  STOPPED,
  unwatch,
  type Watcher,
  WRITABLE,
  watch,
} from './loop.js';
import { type Native, native } from './native.js';
import { contextOf, type Direction, ERROR, type Operation, READ, WRITE } from './operation.js';
import { offAbort, onAbort } from './signals.js';

// poll(2) and epoll(7) agree on these
export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLRDHUP = 0x2000;
const EVERYTHING = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;

/** Longest time that a timer takes, in milliseconds. */
export const TIMER_MAX = 0x7fffffff;

// Readiness may be no help: a unix datagram socket that is not connected is writable, while the
// receiver that a message is for has no room; a connection may have ended (POLLHUP) and give neither its end nor an
// error. After this many misses in a row only time helps, as it does from the first one where poll(2) knows nothing
// of a socket.
const MISSES = 3;
const BACKOFF_MAX = 50;

/** Milliseconds to sleep after so many misses in a row. */
export function backoff(misses: number): number {
  return misses < MISSES ? 0 : Math.min(2 ** (misses - MISSES), BACKOFF_MAX);
}

/** An operation that waits for its turn or for readiness, in the list of its direction. */
export class Pending<Result> {
  next: Pending<unknown> | null = null;
  // times in a row that the socket was ready and the operation had to wait all the same
  private misses = 0;
  private before = 0;
  private timer: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private settled = false;

  constructor(
    private readonly descriptor: Descriptor,
    private readonly subject: Subject,
    readonly operation: Operation<Result>,
    private readonly resolve: (result: Result) => void,
    private readonly reject: (error: unknown) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    if (signal !== undefined) onAbort(signal, this);
  }

  /** Limits the wait. The clock is monotonic; a timer that fires early is set again. */
  expireAt(deadline: number, timeout: number): void {
    if (this.settled) return;
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) {
      // a loop that was busy may not have had the time to see what is there
      this.descriptor.progress(this.operation.direction);
      this.abandon(() => timedOut(this.subject, this.operation.syscall, timeout, contextOf(this.operation)));
      return;
    }
    this.timer = setTimeout(() => this.expireAt(deadline, timeout), Math.min(left, TIMER_MAX));
    // the pending operation itself keeps the process alive, or not
    this.timer.unref();
  }

  /** Tries again after `delay` milliseconds, whatever readiness says. */
  retryIn(delay: number): void {
    if (this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.descriptor.progress(this.operation.direction, true);
    }, delay);
    this.retry.unref();
  }

  /**
   * The operation had to wait although the socket was ready: milliseconds to sleep before the next attempt, 0 for
   * a few times.
   */
  missed(): number {
    const { transferred = 0 } = this.operation;
    this.misses = transferred === this.before ? this.misses + 1 : 0;
    this.before = transferred;
    return backoff(this.misses);
  }

  /** The signal of the caller was aborted. */
  handleEvent(): void {
    this.abandon(() => this.signal?.reason);
  }

  /** Ends a wait that is over for another reason than the operation's own. */
  abandon(reason: () => unknown): void {
    if (this.settled) return;
    this.descriptor.remove(this as Pending<unknown>);
    this.descriptor.released();
    this.settle();
    const partial = this.descriptor.salvage(this.operation, -EAGAIN);
    if (partial !== undefined) this.resolve(partial);
    else this.reject(reason());
  }

  /** The operation has a result or has failed; it is out of its list already. */
  complete(count: number): void {
    this.settle();
    if (count >= 0) {
      this.resolve(this.operation.result(count));
      return;
    }
    const partial = this.descriptor.salvage(this.operation, count);
    if (partial !== undefined) this.resolve(partial);
    else this.reject(failure(this.subject, this.operation.syscall, count, contextOf(this.operation)));
  }

  /** The socket was closed. */
  canceled(): void {
    this.settle();
    this.reject(failure(this.subject, this.operation.syscall, -ECANCELED, contextOf(this.operation)));
  }

  private settle(): void {
    this.settled = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    if (this.retry !== undefined) clearTimeout(this.retry);
    if (this.signal !== undefined) offAbort(this.signal, this);
  }
}

/** A descriptor, the operations that are pending on it, and what watches it. */
export class Descriptor implements Watcher {
  /** -1 once it is closed or given away. */
  fd: number;
  /** Whether closing is ours: false for what node:net or node:dgram owns. */
  readonly owned: boolean;
  /** Name of the address family, for the warning of a socket that was never closed. */
  family = '';
  /** Readiness tells nothing of it: what waits is tried again from time to time. */
  unpollable = false;
  /** Whether pending operations keep the process alive. */
  referenced = true;
  /** An error that the kernel reported after data that came first: the next read reports it. */
  deferred = 0;
  /** A connect that had to wait is done: the kernel tells that once more to the next one. */
  told = false;
  /** The system calls, in a place where a test can script them. */
  calls: Native = native;

  // first and last of the operations that are pending, by direction
  private readHead: Pending<unknown> | null = null;
  private readTail: Pending<unknown> | null = null;
  private writeHead: Pending<unknown> | null = null;
  private writeTail: Pending<unknown> | null = null;
  private errorHead: Pending<unknown> | null = null;
  private errorTail: Pending<unknown> | null = null;
  private held = 0;

  private slot = -1;
  private armed = 0;
  // the last read took all there was: the next one need not try before it waits
  private drained = false;
  // a duplicate to watch, where the loop watches the descriptor itself for node:net or node:dgram
  private watched = -1;
  private edge = -1;
  private edgeSlot = -1;

  constructor(fd: number, owned: boolean) {
    this.fd = fd;
    this.owned = owned;
  }

  /** Tries an operation once. A signal that interrupts the call is no result. */
  attempt(operation: Operation<unknown>): number {
    if (this.fd < 0) return -EBADF;
    if (this.deferred !== 0 && operation.direction === READ && operation.passive !== true) {
      const { deferred } = this;
      this.deferred = 0;
      return deferred;
    }
    for (;;) {
      const count = operation.attempt(this);
      if (count !== -EINTR) return count;
    }
  }

  /**
   * What an operation that ends early has received so far, if anything: its error, if it has one
   * (-EAGAIN is none), is then reported by the next read.
   */
  salvage<Result>(operation: Operation<Result>, errno: number): Result | undefined {
    const partial = operation.partial?.();
    if (partial !== undefined && errno !== -EAGAIN) this.deferred = errno;
    return partial;
  }

  head(direction: Direction): Pending<unknown> | null {
    return direction === READ ? this.readHead : direction === WRITE ? this.writeHead : this.errorHead;
  }

  private setHead(direction: Direction, pending: Pending<unknown> | null): void {
    if (direction === READ) this.readHead = pending;
    else if (direction === WRITE) this.writeHead = pending;
    else this.errorHead = pending;
  }

  private setTail(direction: Direction, pending: Pending<unknown> | null): void {
    if (direction === READ) this.readTail = pending;
    else if (direction === WRITE) this.writeTail = pending;
    else this.errorTail = pending;
  }

  /** Appends an operation that has to wait: for readiness, or (`tired`) only for a turn of the loop. */
  add(pending: Pending<unknown>, tired: boolean): void {
    const { direction } = pending.operation;
    const tail = direction === READ ? this.readTail : direction === WRITE ? this.writeTail : this.errorTail;
    if (tail === null) this.setHead(direction, pending);
    else tail.next = pending;
    this.setTail(direction, pending);
    this.held++;
    if (this.referenced) hold();
    if (tired) setImmediate(() => this.progress(direction));
    else if (tail === null) this.await(pending);
  }

  remove(pending: Pending<unknown>): void {
    const { direction } = pending.operation;
    let before: Pending<unknown> | null = null;
    for (let item = this.head(direction); item !== null; before = item, item = item.next) {
      if (item !== pending) continue;
      if (before === null) this.setHead(direction, item.next);
      else before.next = item.next;
      if (item.next === null) this.setTail(direction, before);
      break;
    }
    // what stood behind it may be able to go on
    if (before === null && this.head(direction) !== null) queueMicrotask(() => this.progress(direction));
  }

  /** One operation that kept the process alive has ended. */
  released(): void {
    this.held--;
    if (this.referenced) release();
  }

  reference(value: boolean): void {
    if (value === this.referenced) return;
    this.referenced = value;
    for (let i = 0; i < this.held; i++) {
      if (value) hold();
      else release();
    }
  }

  /** Makes sure that something wakes the first operation of a direction. */
  private await(pending: Pending<unknown>, delay = 0): void {
    const { operation } = pending;
    const event = operation.direction === READ ? READABLE : WRITABLE;
    const pause = operation.delay || (this.unpollable ? Math.max(delay, 1) : delay);
    if (pause > 0) {
      pending.retryIn(pause);
      if (this.armed & event) this.arm(this.armed & ~event);
      return;
    }
    if (this.edgeSlot >= 0) return;
    if (operation.direction === ERROR || operation.edge === true) {
      this.openEdge();
      return;
    }
    if ((this.armed & event) === 0) this.arm(this.armed | event);
  }

  private arm(events: number): void {
    if (this.slot < 0) {
      // the owner of a borrowed descriptor may watch it later: its place in the loop stays free
      let slot = this.owned ? watch(this.fd, this) : -EEXIST;
      if (slot === -EEXIST) {
        this.watched = this.calls.dup(this.fd);
        slot = this.watched < 0 ? this.watched : watch(this.watched, this);
      }
      if (slot < 0) {
        this.failAll(slot);
        return;
      }
      this.slot = slot;
    }
    this.armed = events;
    const status = this.calls.arm(this.slot, events);
    if (status < 0) this.failAll(status);
  }

  // what cannot be watched (an AF_ALG hash, for one) cannot be waited for
  private failAll(errno: number): void {
    this.endAll((pending) => pending.complete(errno));
  }

  private endAll(end: (pending: Pending<unknown>) => void): void {
    for (const direction of [READ, WRITE, ERROR] as const) {
      for (let pending = this.shift(direction); pending !== null; pending = this.shift(direction)) end(pending);
    }
  }

  private openEdge(): void {
    this.edge = this.calls.edgeOpen(this.watched >= 0 ? this.watched : this.fd, EVERYTHING);
    this.edgeSlot = this.edge < 0 ? this.edge : watch(this.edge, { onReady: () => this.onEdge() });
    if (this.edgeSlot < 0) {
      this.failAll(this.edgeSlot);
      return;
    }
    this.calls.arm(this.edgeSlot, READABLE);
    if (this.armed !== 0) this.arm(0);
  }

  private onEdge(): void {
    this.calls.edgeWait(this.edge, 0);
    this.progress(READ);
    this.progress(WRITE);
    this.progress(ERROR);
  }

  onReady(events: number): void {
    const { readHead, writeHead } = this;
    if (readHead === null) this.drained = false;
    if (events & STOPPED) this.armed = 0;
    if (events & (READABLE | DISCONNECT | PRIORITIZED)) this.progress(READ, true);
    if (events & WRITABLE) this.progress(WRITE, true);
    if (this.fd < 0 || this.edgeSlot >= 0) return;
    if (events & STOPPED) {
      this.progress(ERROR);
      // An error condition that no operation took away (a queue of errors that nobody reads) is
      // reported for as long as it lasts: from now on only what is new is waited for.
      if (this.readHead !== null || this.writeHead !== null) this.openEdge();
      return;
    }
    // Nobody waited for this: stop asking. What was waited for stays armed, because the next
    // operation will most likely wait for the same.
    let { armed } = this;
    if (readHead === null && this.readHead === null && events & READABLE) armed &= ~READABLE;
    if (writeHead === null && this.writeHead === null && events & WRITABLE) armed &= ~WRITABLE;
    if (armed !== this.armed) this.arm(armed);
  }

  private shift(direction: Direction): Pending<unknown> | null {
    const pending = this.head(direction);
    if (pending === null) return null;
    this.setHead(direction, pending.next);
    if (pending.next === null) this.setTail(direction, null);
    this.released();
    return pending;
  }

  /**
   * Completes the pending operations of a direction, in order, until one has to wait.
   * @param ready whether the kernel has just said that they need not wait
   */
  progress(direction: Direction, ready = false): void {
    for (;;) {
      const pending = this.head(direction);
      if (pending === null) return;
      const count = this.attempt(pending.operation);
      if (count === -EAGAIN) {
        this.await(pending, ready ? this.pause(pending) : 0);
        return;
      }
      this.shift(direction);
      const { capacity } = pending.operation;
      if (capacity !== undefined && count > 0 && count < capacity) this.drained = true;
      pending.complete(count);
    }
  }

  // others may have taken what there was to receive: readiness is believed, unless the connection is over
  private pause(pending: Pending<unknown>): number {
    const delay = pending.missed();
    if (delay === 0 || pending.operation.direction !== READ || this.unpollable) return delay;
    const events = this.calls.pollOne(this.fd, 0, 0);
    return events > 0 && (events & POLLHUP) !== 0 ? delay : 0;
  }

  /** Whether an operation had better wait at once: something is known to wake it. */
  awaits(operation: Operation<unknown>): boolean {
    if (!this.drained || operation.capacity === undefined) return false;
    this.drained = false;
    return (this.armed & READABLE) !== 0;
  }

  /** Lets go of the descriptor: what is pending is rejected, what watches it ends. */
  detach(): number {
    const { fd } = this;
    this.fd = -1;
    this.stop();
    this.endAll((pending) => pending.canceled());
    return fd;
  }

  /** Closes the descriptor: 0, or a negative errno. */
  close(): number {
    const { fd } = this;
    if (fd < 0) return -EBADF;
    this.fd = -1;
    this.stop();
    const status = this.owned ? this.calls.close(fd) : 0;
    this.endAll((pending) => pending.canceled());
    return status;
  }

  private stop(): void {
    if (this.slot >= 0) unwatch(this.slot);
    if (this.edgeSlot >= 0) unwatch(this.edgeSlot);
    if (this.watched >= 0) this.calls.close(this.watched);
    if (this.edge >= 0) this.calls.close(this.edge);
    this.slot = this.edgeSlot = this.watched = this.edge = -1;
    this.armed = 0;
  }
}
