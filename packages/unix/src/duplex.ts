import type { Duplex } from 'node:stream';
import { type Data, type DuplexOptions, SCM_MAX_FD, type Socket, SocketDuplex } from '@sock/core';
import { checkPassing, type ReceivedFds, recvFds, sendFds } from './fds.js';

/** What an `'fds'` event tells. */
export interface FdsEvent {
  /** The descriptors, in the order they were sent in. They are the listener's: to close, or to adopt. */
  readonly fds: number[];
  /** Whether some were lost: this process has no room for more (RLIMIT_NOFILE). */
  readonly truncated: boolean;
}

type Listener = Parameters<Duplex['on']>[1];

/**
 * A unix socket as a `node:stream` duplex that passes descriptors, too.
 *
 * Emits `'fds'` for descriptors that were received, before the `'data'` they came with. Where nobody
 * listens to the event they are closed at once: listen before reading. Otherwise it is what
 * `socket.duplex()` makes, with the same options.
 */
export class UnixDuplex extends SocketDuplex {
  readonly #attached = new WeakMap<Uint8Array, readonly number[]>();

  /**
   * As `write`, with open descriptors, which go with the first byte.
   *
   * They stay the caller's, and must stay open until `callback` was called.
   * @param fds at most 253; what is not an open descriptor destroys the stream with the kernel's `EBADF`
   * @returns whether to go on writing; if not, wait for `'drain'`
   * @throws RangeError without at least one byte of data
   */
  writeWithFds(bytes: Data, fds: readonly number[], callback?: (error: Error | null | undefined) => void): boolean {
    const checked = checkPassing(this.socket, bytes, fds);
    // a view of its own: the same memory may be written again, with other descriptors
    const chunk = Buffer.from(checked.buffer, checked.byteOffset, checked.byteLength);
    if (fds.length > 0) this.#attached.set(chunk, [...fds]);
    return callback === undefined ? this.write(chunk) : this.write(chunk, callback);
  }

  override on(event: 'fds', listener: (event: FdsEvent) => void): this;
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string | symbol, listener: Listener): this {
    return super.on(event, listener);
  }

  override once(event: 'fds', listener: (event: FdsEvent) => void): this;
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string | symbol, listener: Listener): this {
    return super.once(event, listener);
  }

  override addListener(event: 'fds', listener: (event: FdsEvent) => void): this;
  override addListener(event: string | symbol, listener: Listener): this;
  override addListener(event: string | symbol, listener: Listener): this {
    return super.addListener(event, listener);
  }

  protected override async receive(size: number): Promise<Buffer> {
    using received: ReceivedFds<unknown> = await recvFds(this.socket, size, SCM_MAX_FD, { timeout: null });
    if ((received.fds.length > 0 || received.truncated) && !this.destroyed && this.listenerCount('fds') > 0) {
      const event: FdsEvent = { fds: received.takeAll(), truncated: received.truncated };
      this.emit('fds', event);
    }
    return received.data;
  }

  protected override async transmit(chunk: Uint8Array): Promise<void> {
    const fds = this.#attached.get(chunk);
    if (fds === undefined) return super.transmit(chunk);
    const sent = await sendFds(this.socket, chunk, fds, { timeout: null });
    if (sent < chunk.length) await super.transmit(chunk.subarray(sent));
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    if (!chunks.some(({ chunk }) => this.#attached.has(chunk))) {
      super._writev(chunks, callback);
      return;
    }
    // one after the other: joined, the descriptors would go with the bytes of others
    const next = (index: number) => (error?: Error | null) => {
      const entry = chunks[index];
      if (error || entry === undefined || this.destroyed) callback(error);
      else this._write(entry.chunk, 'binary', next(index + 1));
    };
    next(0)();
  }
}

/**
 * A unix socket as a `node:stream` duplex that passes descriptors, too. The stream owns the socket.
 * @param socket a connected stream
 */
export function unixDuplex<Address, Input>(socket: Socket<Address, Input>, options: DuplexOptions = {}): UnixDuplex {
  return new UnixDuplex(socket as unknown as Socket<unknown>, options);
}
