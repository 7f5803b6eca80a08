import { TIMER_MAX } from './descriptor.js';
import { checkSignal, checkTimeout, type WaitOptions } from './drivers.js';
import { SocketTimeoutError, socketError } from './errors.js';
import type { Socket } from './socket.js';

/** Bytes to make room for where it is not said how many come. */
const CHUNK = 65_536;
const NOTHING = Buffer.alloc(0);

/** What was received ahead of what was asked for. */
export class ReadBuffer {
  /** Whether the peer has ended its direction. */
  ended = false;
  /** Bytes taken so far: what a reader has looked at is only valid while this stays the same. */
  taken = 0;
  private memory: Buffer = NOTHING;
  private start = 0;
  private end = 0;

  get length(): number {
    return this.end - this.start;
  }

  get bytes(): Buffer {
    return this.memory.subarray(this.start, this.end);
  }

  append(chunk: Buffer): void {
    if (chunk.length === 0) {
      this.ended = true;
      return;
    }
    if (this.length === 0) {
      this.memory = chunk;
      this.start = 0;
      this.end = chunk.length;
      return;
    }
    this.reserve(chunk.length);
    chunk.copy(this.memory, this.end);
    this.end += chunk.length;
  }

  private reserve(more: number): void {
    if (this.end + more <= this.memory.length) return;
    // twice as much as is needed: bytes are moved a constant number of times, however long a line gets
    const memory = Buffer.allocUnsafeSlow(2 * (this.length + more));
    const length = this.bytes.copy(memory);
    this.memory = memory;
    this.start = 0;
    this.end = length;
  }

  /** Drops the first bytes. */
  skip(size: number): void {
    this.start += size;
    this.taken += size;
    if (this.start < this.end) return;
    this.memory = NOTHING;
    this.start = 0;
    this.end = 0;
  }
}

/**
 * A reading operation: it looks at the buffer and asks for more with `yield` (how many bytes it lacks at
 * least). It takes nothing before it has all that it returns, so that it can be given up at any time.
 */
export type Take<Result> = Generator<number, Result, void>;

interface Waiter {
  /** Goes on with what has come: whether it is done. */
  advance(): boolean;
  wants: number;
  reject(error: unknown): void;
}

/** What is left of a timeout, which is for the whole operation. */
export function timeLeft(timeout: number | null): () => number | null {
  if (timeout === null || timeout === 0) return () => timeout;
  const deadline = performance.now() + timeout;
  return () => Math.max(deadline - performance.now(), Number.MIN_VALUE);
}

export function fileTimeout(syscall: string, timeout: number): SocketTimeoutError {
  const { code, errno } = socketError(syscall, 'ETIMEDOUT');
  return new SocketTimeoutError(`${syscall} ETIMEDOUT: not done within ${timeout} ms`, { code, errno, syscall });
}

/** Runs reading operations in three forms. */
export class FileReader {
  readonly buffer = new ReadBuffer();
  private readonly waiters: Waiter[] = [];
  private receiving: AbortController | undefined;

  /** @param ahead bytes to ask for at a time; 0 for no more than an operation lacks */
  constructor(
    private readonly socket: Socket<unknown>,
    private readonly ahead: number,
  ) {}

  private sizeFor(wants: number): number {
    return this.ahead === 0 ? wants : this.ahead;
  }

  /** Without waiting: `null` where it would have to. */
  attempt<Result>(take: Take<Result>): Result | null {
    return this.drive(take, (size) => this.socket.tryRecv(size));
  }

  private drive<Result>(take: Take<Result>, receive: (size: number) => Buffer | null): Result | null {
    try {
      for (;;) {
        const step = take.next();
        if (step.done === true) return step.value;
        const chunk = receive(this.sizeFor(step.value));
        if (chunk === null) return null;
        this.buffer.append(chunk);
      }
    } finally {
      // what is left may be what a promise waits for
      if (this.waiters.length > 0) this.serve();
      if (this.waiters.length === 0) this.stop();
    }
  }

  /** Blocking the thread. */
  block<Result>(take: Take<Result>, options: WaitOptions): Result {
    const timeout = options.timeout === undefined ? this.socket.timeout : checkTimeout(options.timeout);
    const left = timeLeft(timeout);
    return this.drive(take, (size) => this.socket.recvSync(size, { timeout: left() })) as Result;
  }

  /** Without blocking the thread, after the operations that were asked for before. */
  async run<Result>(take: Take<Result>, options: WaitOptions): Promise<Result> {
    const timeout = options.timeout === undefined ? this.socket.timeout : checkTimeout(options.timeout);
    const signal = checkSignal(options.signal);
    signal?.throwIfAborted();
    if (timeout === 0) {
      const result = this.waiters.length === 0 ? this.attempt(take) : null;
      if (result !== null) return result;
      throw socketError('recv', 'EAGAIN', 'it would have to wait, which timeout 0 forbids');
    }
    if (this.waiters.length === 0) {
      const step = take.next();
      if (step.done === true) return step.value;
      return this.wait(take, step.value, timeout, signal);
    }
    return this.wait(take, 1, timeout, signal);
  }

  private wait<Result>(
    take: Take<Result>,
    wants: number,
    timeout: number | null,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const { promise, resolve, reject } = withResolvers<Result>();
    const waiter: Waiter = {
      wants,
      reject,
      advance() {
        const step = take.next();
        if (step.done === true) resolve(step.value);
        else waiter.wants = step.value;
        return step.done === true;
      },
    };
    const end = new AbortController();
    signal?.addEventListener('abort', () => this.giveUp(waiter, signal.reason), { signal: end.signal });
    if (timeout !== null && timeout <= TIMER_MAX) {
      const timer = setTimeout(() => this.giveUp(waiter, fileTimeout('recv', timeout)), timeout);
      end.signal.addEventListener('abort', () => clearTimeout(timer));
    }
    this.waiters.push(waiter);
    if (this.receiving === undefined) void this.receive();
    return promise.finally(() => end.abort());
  }

  private giveUp(waiter: Waiter, reason: unknown): void {
    const index = this.waiters.indexOf(waiter);
    if (index === -1) return;
    this.waiters.splice(index, 1);
    waiter.reject(reason);
    if (this.waiters.length === 0) this.stop();
  }

  // what has come by then is kept: it was received already, and its promise is on its way
  private stop(): void {
    this.receiving?.abort();
    this.receiving = undefined;
  }

  private async receive(): Promise<void> {
    const mine = new AbortController();
    this.receiving = mine;
    try {
      while (this.waiters.length > 0 && this.receiving === mine) {
        const size = this.sizeFor((this.waiters[0] as Waiter).wants);
        this.buffer.append(await this.socket.recv(size, { timeout: null, signal: mine.signal }));
        this.serve();
      }
    } catch (error) {
      if (this.receiving === mine) for (const waiter of this.waiters.splice(0)) waiter.reject(error);
    }
    if (this.receiving === mine) this.receiving = undefined;
  }

  private serve(): void {
    for (;;) {
      const [first] = this.waiters;
      if (first === undefined) return;
      try {
        if (!first.advance()) return;
      } catch (error) {
        first.reject(error);
      }
      this.waiters.shift();
    }
  }

  /** Ends what is pending. */
  close(): void {
    const pending = this.waiters.splice(0);
    this.stop();
    for (const { reject } of pending) {
      reject(socketError('recv', 'ECANCELED', 'the file was closed while this was pending'));
    }
  }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((a, b) => {
    resolve = a;
    reject = b;
  });
  return { promise, resolve, reject };
}

/** What becomes of bytes that are taken. May throw: they stay where they are then. */
export type Convert<Result> = (bytes: Buffer) => Result;

function finish<Result>(buffer: ReadBuffer, size: number, convert: Convert<Result>): Result {
  const result = convert(buffer.bytes.subarray(0, size));
  buffer.skip(Math.min(size, buffer.length));
  return result;
}

/** Up to `size` bytes: fewer only at the end. */
export function* takeBytes<Result>(buffer: ReadBuffer, size: number, convert: Convert<Result>): Take<Result> {
  while (buffer.length < size && !buffer.ended) yield size - buffer.length;
  return finish(buffer, size, convert);
}

/** Everything up to the end. */
export function* takeAll<Result>(buffer: ReadBuffer, convert: Convert<Result>): Take<Result> {
  while (!buffer.ended) yield CHUNK;
  return finish(buffer, buffer.length, convert);
}

/** What is there, or what comes next, up to `size` bytes. */
export function* takeSome<Result>(buffer: ReadBuffer, size: number, convert: Convert<Result>): Take<Result> {
  if (size > 0 && buffer.length === 0 && !buffer.ended) yield size;
  return finish(buffer, size, convert);
}

/** How many of the first bytes are what is asked for; `undefined` where more must come. Looks from `from` on. */
export type Measure = (bytes: Buffer, from: number, ended: boolean) => number | undefined;

/** As many bytes as `measure` says; at the end, what there is. */
export function* takeMeasured<Result>(buffer: ReadBuffer, measure: Measure, convert: Convert<Result>): Take<Result> {
  let from = 0;
  let { taken } = buffer;
  for (;;) {
    if (taken !== buffer.taken) from = 0;
    taken = buffer.taken;
    const { bytes, ended } = buffer;
    const size = measure(bytes, from, ended) ?? (ended ? bytes.length : undefined);
    if (size !== undefined) return finish(buffer, size, convert);
    from = bytes.length;
    yield 1;
  }
}

/** All lines up to the end. */
export function* takeLines<Result>(buffer: ReadBuffer, measure: Measure, convert: Convert<Result>): Take<Result[]> {
  while (!buffer.ended) yield CHUNK;
  const lines: Result[] = [];
  while (buffer.length > 0) lines.push(yield* takeMeasured(buffer, measure, convert));
  return lines;
}
