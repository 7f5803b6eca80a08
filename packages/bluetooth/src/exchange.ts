import {
  type Ancillary,
  checkObject,
  Deadline,
  MSG_TRUNC,
  type SocketError,
  SocketTimeoutError,
  socketError,
  type WaitOptions,
} from '@sock/core';

/** What a socket received. */
export interface Reception {
  data: Buffer;
  ancillary: Ancillary;
}

/** Reads something out of what was received; `undefined` for what it does not concern. May throw. */
export type Reader<T> = (received: Reception) => T | undefined;

/** What of a socket an exchange needs. */
interface Receiver {
  readonly timeout: number | null;
  tryRecvMsg(size: number, ancillarySize: number): (Reception & { flags: number }) | null;
  waitReadable(options: WaitOptions): Promise<void>;
  waitReadableSync(options: WaitOptions): void;
}

/** Bytes to make room for: more than any packet has. */
const SIZE = 8192;

/**
 * Most that is kept for those who receive while others wait for their answers. Beyond that something is lost, and
 * the next who receives is told.
 */
const KEPT_MAX = 1024;

/** Longest time that a timer takes, in milliseconds; what is longer is as good as for ever. */
const TIMER_MAX = 0x7fffffff;

const LOST = 'messages were lost: nobody received them while commands were waited for';

/** The outcome of a wait. */
type Outcome<T> = { value: T } | { error: unknown };

/** One that waits. */
class Waiter<T> {
  outcome: Outcome<T> | undefined;

  constructor(
    private readonly read: Reader<T>,
    private readonly settled: (outcome: Outcome<T>) => void = () => {},
  ) {}

  /** Whether what was received is for this one. */
  offer(received: Reception): boolean {
    try {
      const value = this.read(received);
      if (value === undefined) return false;
      this.settle({ value });
    } catch (error) {
      this.settle({ error });
    }
    return true;
  }

  settle(outcome: Outcome<T>): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.settled(outcome);
  }
}

/**
 * One socket on which some wait for the answers to their commands, and others for whatever comes: each message goes
 * to the first command whose answer it is, else to the first who receives. What concerns nobody is kept for who
 * receives next.
 */
export class Exchange {
  private readonly commands: Waiter<unknown>[] = [];
  private readonly receivers: Waiter<unknown>[] = [];
  private readonly kept: Reception[] = [];
  private lost = false;
  /** Ends the wait of the one that reads for all; `undefined` while nobody does. */
  private reading: AbortController | undefined;

  constructor(
    private readonly socket: Receiver,
    private readonly ancillarySize: number,
  ) {}

  /** Checks options before anything is sent. @throws TypeError, RangeError */
  check(options: WaitOptions): void {
    this.limit(options);
  }

  private limit(options: WaitOptions): Deadline {
    return new Deadline(checkObject('options', options), this.socket.timeout);
  }

  /** Sends a command and waits for its answer, which `read` knows: it is expected before it can come. */
  ask<T>(send: () => Promise<unknown>, read: Reader<T>, options: WaitOptions = {}): Promise<T> {
    const failed = new AbortController();
    const { signal } = options;
    const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const answer = this.wait(this.commands, 'recvmsg', read, { ...options, signal: either });
    send().catch((error: unknown) => failed.abort(error));
    return answer;
  }

  /** As `ask`, blocking the thread. */
  askSync<T>(send: () => unknown, read: Reader<T>, options: WaitOptions = {}): T {
    send();
    return this.waitSync(this.commands, 'recvmsg', read, options);
  }

  /** What comes next that is nobody's answer. */
  async next<T>(read: (received: Reception) => T, options: WaitOptions = {}): Promise<T> {
    const first = this.takeKept();
    return first === undefined ? this.wait(this.receivers, 'recvmsg', read, options) : read(first);
  }

  /** As `next`, blocking the thread. */
  nextSync<T>(read: (received: Reception) => T, options: WaitOptions = {}): T {
    const first = this.takeKept();
    return first === undefined ? this.waitSync(this.receivers, 'recvmsg', read, options) : read(first);
  }

  /** As `next`, without waiting: `null` where there is nothing. */
  tryNext<T>(read: (received: Reception) => T): T | null {
    while (this.kept.length === 0 && this.readOne());
    const first = this.takeKept();
    return first === undefined ? null : read(first);
  }

  private async wait<T>(list: Waiter<unknown>[], syscall: string, read: Reader<T>, options: WaitOptions): Promise<T> {
    const deadline = this.limit(options);
    const { timeout, signal } = deadline;
    signal?.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const abort = (): void => waiter.settle({ error: signal?.reason });
      const waiter = new Waiter<T>(read, (outcome) => {
        this.remove(list, waiter as Waiter<unknown>);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if ('value' in outcome) resolve(outcome.value);
        else reject(outcome.error);
      });
      list.push(waiter as Waiter<unknown>);
      signal?.addEventListener('abort', abort);
      if (timeout !== null && timeout <= TIMER_MAX) {
        // the wait itself keeps the process alive, or not
        timer = setTimeout(() => this.expire(waiter as Waiter<unknown>, deadline.expired(syscall)), timeout).unref();
      }
      this.start();
    });
  }

  // a loop that was busy may not have had the time to see what is there
  private expire(waiter: Waiter<unknown>, error: SocketError): void {
    try {
      while (waiter.outcome === undefined && this.readOne());
      waiter.settle({ error });
    } catch (failure) {
      this.failAll(failure);
    }
  }

  private waitSync<T>(list: Waiter<unknown>[], syscall: string, read: Reader<T>, options: WaitOptions): T {
    const deadline = this.limit(options);
    const waiter = new Waiter<T>(read);
    list.push(waiter as Waiter<unknown>);
    try {
      while (waiter.outcome === undefined) {
        if (this.readOne()) continue;
        if (deadline.timeout === 0) throw deadline.expired(syscall);
        this.waitReadableSync(deadline.left(syscall));
      }
    } finally {
      this.remove(list, waiter as Waiter<unknown>);
    }
    if ('error' in waiter.outcome) throw waiter.outcome.error;
    return waiter.outcome.value;
  }

  private waitReadableSync(timeout: number | null): void {
    try {
      this.socket.waitReadableSync({ timeout });
    } catch (error) {
      // the caller looks at the clock
      if (!(error instanceof SocketTimeoutError)) throw error;
    }
  }

  private takeKept(): Reception | undefined {
    if (this.lost && this.kept.length === 0) {
      this.lost = false;
      throw socketError('recvmsg', 'ENOBUFS', LOST);
    }
    return this.kept.shift();
  }

  private get waiting(): boolean {
    return this.commands.length > 0 || this.receivers.length > 0;
  }

  private remove(list: Waiter<unknown>[], waiter: Waiter<unknown>): void {
    const at = list.indexOf(waiter);
    if (at !== -1) list.splice(at, 1);
    if (!this.waiting) this.reading?.abort();
  }

  private start(): void {
    if (this.reading !== undefined) return;
    const reading = new AbortController();
    this.reading = reading;
    void this.pump(reading.signal).finally(() => {
      this.reading = undefined;
      // somebody may have come while the last one left
      if (this.waiting) this.start();
    });
  }

  // reads for all, as long as anybody waits; looking whether there is something takes nothing away from anyone
  private async pump(signal: AbortSignal): Promise<void> {
    while (this.waiting) {
      try {
        while (this.waiting && this.readOne());
        if (!this.waiting) return;
        await this.socket.waitReadable({ signal, timeout: null });
      } catch (error) {
        if (signal.aborted) return;
        this.failAll(error);
      }
    }
  }

  private failAll(error: unknown): void {
    for (const waiter of [...this.commands, ...this.receivers]) waiter.settle({ error });
  }

  // reads a message and hands it over; false where there is none
  private readOne(): boolean {
    const message = this.socket.tryRecvMsg(SIZE, this.ancillarySize);
    if (message === null) return false;
    if ((message.flags & MSG_TRUNC) !== 0) {
      throw socketError('recvmsg', 'EMSGSIZE', `a message of more than ${SIZE} bytes was cut off`);
    }
    const received = { data: message.data, ancillary: message.ancillary };
    if (this.commands.some((waiter) => waiter.offer(received))) return true;
    if (this.receivers.some((waiter) => waiter.offer(received))) return true;
    if (this.kept.length < KEPT_MAX) this.kept.push(received);
    else this.lost = true;
    return true;
  }
}
