import { Duplex } from 'node:stream';
import { checkBoolean, outOfRange } from './arguments.js';
import { SHUT_WR } from './constants.gen.js';
import { TIMER_MAX } from './descriptor.js';
import { checkTimeout } from './drivers.js';
import { endDirection } from './end.js';
import { soKeepAlive } from './options.js';
import type { Socket } from './socket.js';

/** Options of a duplex. */
export interface DuplexOptions {
  /** Whether sending may go on after the peer has ended its direction: `true` unless told. */
  allowHalfOpen?: boolean;
  /** Bytes that are read ahead: 65,536 unless told. */
  readableHighWaterMark?: number;
  /** Bytes that may wait to be sent before `write` gives `false`: 65,536 unless told. */
  writableHighWaterMark?: number;
}

const HIGH_WATER_MARK = 65_536;

/**
 * A socket as a `node:stream` duplex, which owns it. It reads no further ahead than its high water
 * mark, so that a slow reader slows the peer down; `end` shuts down the sending direction once all
 * is sent, or both where a family cannot end one alone; `destroy` closes the socket.
 *
 * Of `net.Socket` it has what clients and agents of `node:http` call: `setTimeout`, `setKeepAlive`,
 * `setNoDelay`, `ref` and `unref`.
 */
export class SocketDuplex extends Duplex {
  /** The socket beneath. */
  readonly socket: Socket<unknown>;
  /** Milliseconds of idleness after which `timeout` is emitted; 0 for never. */
  timeout = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(socket: Socket<unknown>, options: DuplexOptions = {}) {
    const {
      allowHalfOpen = true,
      readableHighWaterMark = HIGH_WATER_MARK,
      writableHighWaterMark = HIGH_WATER_MARK,
    } = options;
    super({ allowHalfOpen, readableHighWaterMark, writableHighWaterMark, decodeStrings: true });
    this.socket = socket;
  }

  /** Receives the next chunk of at most `size` bytes: an empty one at the end. For subclasses. */
  protected receive(size: number): Promise<Buffer> {
    return this.socket.recv(size, { timeout: null });
  }

  /** Sends a chunk whole. For subclasses. */
  protected transmit(chunk: Uint8Array): Promise<void> {
    return this.socket.sendAll(chunk, { timeout: null });
  }

  override _read(): void {
    this.receive(this.readableHighWaterMark || HIGH_WATER_MARK).then(
      (chunk) => {
        this.idle?.refresh();
        this.push(chunk.length === 0 ? null : chunk);
      },
      (error: unknown) => this.fail(error),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.transmit(chunk).then(
      () => {
        this.idle?.refresh();
        callback();
      },
      (error: Error) => callback(this.destroyed ? null : error),
    );
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    try {
      endDirection(this.socket, SHUT_WR);
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.idle);
    try {
      this.socket.close();
      callback(error);
    } catch (closing) {
      callback(error ?? (closing as Error));
    }
  }

  /**
   * Emits `timeout` once nothing was received or sent for so many milliseconds; 0 for never. What
   * follows is the listener's to decide: the stream stays open.
   */
  setTimeout(timeout: number, listener?: () => void): this {
    const checked = checkTimeout(timeout);
    if (checked === null || checked > TIMER_MAX) {
      throw outOfRange('timeout', `a number of milliseconds from 0 to ${TIMER_MAX}`, timeout);
    }
    this.timeout = checked;
    clearTimeout(this.idle);
    this.idle = checked === 0 || this.destroyed ? undefined : setTimeout(() => this.emit('timeout'), checked).unref();
    if (listener === undefined) return this;
    if (checked === 0) this.removeListener('timeout', listener);
    else this.once('timeout', listener);
    return this;
  }

  /** Sets SO_KEEPALIVE. Source: socket(7). */
  setKeepAlive(enable = false): this {
    if (!this.socket.closed) this.socket.setOption(soKeepAlive, checkBoolean('enable', enable));
    return this;
  }

  /** Nothing: what it would set belongs to TCP. Use the option of that family on `socket`. */
  setNoDelay(): this {
    return this;
  }

  /** As `ref` of the socket. */
  ref(): this {
    this.socket.ref();
    return this;
  }

  /** As `unref` of the socket. */
  unref(): this {
    this.socket.unref();
    return this;
  }

  private fail(error: unknown): void {
    // closing rejects the read that was pending: that is no failure of the stream's
    if (!this.destroyed) this.destroy(error as Error);
  }
}
