import { TIMER_MAX } from './descriptor.js';
import { checkSignal, checkTimeout, type WaitOptions } from './drivers.js';
import { SocketError, socketError } from './errors.js';
import { fileTimeout, timeLeft } from './file-reader.js';
import type { Socket } from './socket.js';

/** What waits to be sent. Outlives its file, to tell of what was never sent. */
class WriteBuffer {
  length = 0;
  private chunks: Uint8Array[] = [];

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }

  takeAll(): Uint8Array {
    const [first] = this.chunks;
    const bytes = this.chunks.length === 1 ? (first as Uint8Array) : Buffer.concat(this.chunks, this.length);
    this.chunks = [];
    this.length = 0;
    return bytes;
  }

  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.chunks.unshift(bytes);
    this.length += bytes.length;
  }
}

const unflushed = new FinalizationRegistry<WriteBuffer>(({ length }) => {
  if (length === 0) return;
  const message = `a file of a Socket was collected with ${length} bytes that were never sent. Call flush() or close()`;
  process.emitWarning(message, 'ResourceWarning');
});

function sentBefore(error: unknown): number {
  return error instanceof SocketError ? (error.transferred ?? 0) : 0;
}

/** Collects what is written, and sends it in three forms. What could not be sent is kept, in its place. */
export class FileWriter {
  private readonly buffer = new WriteBuffer();
  private sending: Promise<void> | undefined;

  constructor(
    private readonly socket: Socket<unknown>,
    /** Bytes that may wait. */
    private readonly size: number,
  ) {
    unflushed.register(this, this.buffer, this);
  }

  /** What still waits is given up. */
  close(): void {
    unflushed.unregister(this);
  }

  /** Bytes that wait to be sent. */
  get length(): number {
    return this.buffer.length;
  }

  private isFull(): boolean {
    return this.buffer.length > 0 && this.buffer.length >= this.size;
  }

  /** @param now whether nothing may stay behind */
  async write(bytes: Uint8Array, now: boolean, options: WaitOptions): Promise<void> {
    this.buffer.push(bytes);
    if (now || this.isFull()) await this.flush(options);
  }

  writeSync(bytes: Uint8Array, now: boolean, options: WaitOptions): void {
    this.buffer.push(bytes);
    if (now || this.isFull()) this.flushSync(options);
  }

  /** Takes all of it or nothing: whether it did. */
  tryWrite(bytes: Uint8Array, now: boolean): boolean {
    if (this.isFull() || this.buffer.length + bytes.length > this.size) this.tryFlush();
    if (this.buffer.length > 0 && this.buffer.length + bytes.length > this.size) return false;
    this.buffer.push(bytes);
    if (now || this.isFull()) this.tryFlush();
    return true;
  }

  async flush(options: WaitOptions): Promise<void> {
    const timeout = options.timeout === undefined ? this.socket.timeout : checkTimeout(options.timeout);
    const signal = checkSignal(options.signal);
    signal?.throwIfAborted();
    const left = timeLeft(timeout);
    while (this.sending !== undefined) await turn(this.sending, timeout, left, signal);
    if (this.buffer.length === 0) return;
    const sent = this.send(this.buffer.takeAll(), { timeout: left(), signal });
    this.sending = sent
      .catch(() => {})
      .finally(() => {
        this.sending = undefined;
      });
    await sent;
  }

  private async send(bytes: Uint8Array, options: WaitOptions): Promise<void> {
    try {
      await this.socket.sendAll(bytes, options);
    } catch (error) {
      this.buffer.putBack(bytes.subarray(sentBefore(error)));
      throw error;
    }
  }

  flushSync(options: WaitOptions): void {
    if (this.sending !== undefined) {
      throw socketError('send', 'EALREADY', 'what was written before is being sent by a promise: wait for that');
    }
    if (this.buffer.length === 0) return;
    const bytes = this.buffer.takeAll();
    try {
      this.socket.sendAllSync(bytes, options);
    } catch (error) {
      this.buffer.putBack(bytes.subarray(sentBefore(error)));
      throw error;
    }
  }

  /** Whether nothing waits any more. */
  tryFlush(): boolean {
    if (this.sending !== undefined) return false;
    while (this.buffer.length > 0) {
      const bytes = this.buffer.takeAll();
      let sent: number | null = null;
      try {
        sent = this.socket.trySend(bytes);
      } finally {
        this.buffer.putBack(bytes.subarray(sent ?? 0));
      }
      if (sent === null) return false;
    }
    return true;
  }
}

// waits for an operation that goes first, for as long as this one may take
async function turn(
  before: Promise<void>,
  timeout: number | null,
  left: () => number | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (timeout === 0) throw socketError('send', 'EAGAIN', 'it would have to wait, which timeout 0 forbids');
  const end = new AbortController();
  const limit = new Promise<never>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { signal: end.signal });
    if (timeout === null || timeout > TIMER_MAX) return;
    const timer = setTimeout(() => reject(fileTimeout('send', timeout)), left() as number);
    end.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    await Promise.race([before, limit]);
  } finally {
    end.abort();
  }
}
