import {
  type AnyAddress,
  checkInteger,
  checkObject,
  checkOneOf,
  type Data,
  Deadline,
  type EncodedAddress,
  type Mapping,
  mapDescriptor,
  outOfRange,
  type Socket,
  type SocketError,
  socketError,
  toBytes,
  type WaitOptions,
} from '@sock/core';
import type { PacketAddress, PacketInput } from './address.js';
import {
  TP_STATUS_AVAILABLE,
  TP_STATUS_SEND_REQUEST,
  TP_STATUS_SENDING,
  TP_STATUS_WRONG_FORMAT,
  TPACKET_ALIGNMENT,
  TPACKET_V2,
  TPACKET_V3,
} from './constants.gen.js';
import { packetVersion } from './options.js';
import { packetTxRing, removeRing } from './ring-request.js';
import { sleep, Waits } from './waiting.js';

/** Options of a transmit ring. */
export interface TransmitRingOptions {
  /** TPACKET_V3 unless told, or TPACKET_V2. They differ in a few bytes of room. */
  version?: number | undefined;
  /** Number of packets that there is room for, at least: 256 unless told. */
  frames?: number | undefined;
  /** Bytes for each packet with its header, a multiple of 16: 2,048 unless told. */
  frameSize?: number | undefined;
  /**
   * Where packets go, for a socket that is not bound to an interface, and for SOCK_DGRAM, which needs
   * hardware addresses.
   */
  address?: AnyAddress<PacketInput> | undefined;
}

type Owner = Socket<PacketAddress, PacketInput>;

/** Where a frame has its status, its length and its data, by layout. Source: linux/if_packet.h. */
const LAYOUTS: Readonly<Record<number, { status: number; length: number; data: number }>> = {
  [TPACKET_V2]: { status: 0, length: 4, data: 32 },
  [TPACKET_V3]: { status: 20, length: 16, data: 48 },
};

const PAGE = 4096;
const MEMORY_MAX = 0xffff_ffff;
const BUSY = TP_STATUS_SEND_REQUEST | TP_STATUS_SENDING | TP_STATUS_WRONG_FORMAT;
const NOTHING = new Uint8Array(0);

// Readiness says that the socket has room, not that its ring has: milliseconds to sleep after waits
// that brought nothing.
const pause = (misses: number): number => Math.min(2 ** misses, 16);

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * A transmit ring: packets are written into memory that is shared with the kernel, and one system
 * call sends many. Source: the kernel's networking/packet_mmap.
 *
 * `push` adds packets until it gives `false`, `flush` sends them:
 *
 * ```ts
 * for (const packet of packets) while (!ring.push(packet)) await ring.flush();
 * await ring.flush();
 * ```
 */
export class PacketTransmitRing implements Disposable {
  /** Number of packets that there is room for. */
  readonly frameCount: number;
  /** Bytes of the longest packet that fits; the interface may take less. */
  readonly maxLength: number;
  private readonly mapping: Mapping;
  private readonly words: Uint32Array;
  private readonly frameSize: number;
  private readonly blockSize: number;
  private readonly layout: { status: number; length: number; data: number };
  private readonly address: EncodedAddress | undefined;
  private readonly waits = new Waits();
  // the next frame to fill, and how many before it are not known to be sent
  private head = 0;
  private used = 0;
  // packets that were sent and that no flush has told of
  private finished = 0;

  /** @internal */
  constructor(
    private readonly socket: Owner,
    options: TransmitRingOptions,
    private readonly onClose: (ring: PacketTransmitRing) => void,
  ) {
    const { version = TPACKET_V3, frames = 256, frameSize = 2048, address } = checkObject('options', options);
    const layout = LAYOUTS[checkOneOf('options.version', version, [TPACKET_V2, TPACKET_V3])] as {
      status: number;
      length: number;
      data: number;
    };
    checkInteger('options.frameSize', frameSize, 128, MEMORY_MAX);
    if (frameSize % TPACKET_ALIGNMENT !== 0) {
      throw outOfRange('options.frameSize', `a multiple of ${TPACKET_ALIGNMENT} bytes`, frameSize);
    }
    const blockSize = Math.ceil(frameSize / PAGE) * PAGE;
    const perBlock = Math.floor(blockSize / frameSize);
    checkInteger('options.frames', frames, 1, Math.floor(MEMORY_MAX / blockSize) * perBlock);
    const blocks = Math.ceil(frames / perBlock);
    this.layout = layout;
    this.frameSize = frameSize;
    this.blockSize = blockSize;
    this.frameCount = blocks * perBlock;
    this.maxLength = frameSize - layout.data;
    this.address = address === undefined ? undefined : socket.encodeAddress(address);
    socket.setOption(packetVersion, version);
    socket.setOption(packetTxRing, { blockSize, blocks, frameSize, frames: this.frameCount });
    try {
      this.mapping = mapDescriptor(socket, blocks * blockSize);
    } catch (error) {
      socket.setOption(packetTxRing, {});
      throw error;
    }
    this.words = new Uint32Array(this.mapping.bytes.buffer);
  }

  /** Whether the ring is closed, which closing its socket does too. */
  get closed(): boolean {
    return this.mapping.closed;
  }

  /** Number of packets that were pushed and are not known to be sent. */
  get pending(): number {
    return this.used;
  }

  private offsetOf(frame: number): number {
    const perBlock = Math.floor(this.blockSize / this.frameSize);
    const block = Math.floor(frame / perBlock);
    return block * this.blockSize + (frame - block * perBlock) * this.frameSize;
  }

  private statusOf(frame: number): number {
    return this.mapping.loadAcquire32(this.offsetOf(frame) + this.layout.status) & BUSY;
  }

  private setStatus(frame: number, status: number): void {
    this.mapping.storeRelease32(this.offsetOf(frame) + this.layout.status, status);
  }

  private check(): void {
    if (this.closed) throw socketError('send', 'EBADF', 'the ring is closed');
  }

  /**
   * Adds a packet: `false` where the ring is full. It is sent by the next flush.
   * @throws RangeError for more than `maxLength` bytes
   */
  push(data: Data): boolean {
    this.check();
    const bytes = toBytes('data', data);
    if (bytes.length > this.maxLength) {
      throw outOfRange('data', `at most ${this.maxLength} bytes (the ring's maxLength)`, bytes.length);
    }
    if (this.used === this.frameCount) this.settle();
    if (this.used === this.frameCount) return false;
    const offset = this.offsetOf(this.head);
    this.mapping.bytes.set(bytes, offset + this.layout.data);
    this.words[(offset + this.layout.length) >>> 2] = bytes.length;
    this.setStatus(this.head, TP_STATUS_SEND_REQUEST);
    this.head = (this.head + 1) % this.frameCount;
    this.used++;
    return true;
  }

  // counts the frames that the kernel is done with, from the oldest on
  private settle(): void {
    while (this.used > 0 && this.statusOf(this.oldest) === TP_STATUS_AVAILABLE) {
      this.used--;
      this.finished++;
    }
  }

  private get oldest(): number {
    return (this.head + this.frameCount - this.used) % this.frameCount;
  }

  // The kernel stops at a frame that it refuses, and goes on from there: those behind it move up.
  private dropRefused(): boolean {
    let frame = this.oldest;
    let left = this.used;
    while (left > 0 && this.statusOf(frame) !== TP_STATUS_WRONG_FORMAT) {
      frame = (frame + 1) % this.frameCount;
      left--;
    }
    if (left === 0) return false;
    const { bytes } = this.mapping;
    for (; left > 1; left--) {
      const next = (frame + 1) % this.frameCount;
      const from = this.offsetOf(next);
      const to = this.offsetOf(frame);
      this.words[(to + this.layout.length) >>> 2] = this.words[(from + this.layout.length) >>> 2] as number;
      bytes.copyWithin(to + this.layout.data, from + this.layout.data, from + this.frameSize);
      this.setStatus(frame, TP_STATUS_SEND_REQUEST);
      frame = next;
    }
    this.setStatus(frame, TP_STATUS_AVAILABLE);
    this.head = frame;
    this.used--;
    return true;
  }

  /**
   * Has the kernel send what was pushed, without waiting for it: the number of packets that were sent
   * since the last flush.
   * @throws as `flush`
   */
  tryFlush(): number {
    this.check();
    // what is done with needs no interface any more
    this.settle();
    if (this.used === 0) return this.report();
    try {
      if (this.address === undefined) this.socket.trySend(NOTHING);
      else this.socket.trySendTo(NOTHING, this.address);
    } catch (error) {
      this.settle();
      if (this.dropRefused()) (error as SocketError).message += '; this packet was left out';
      throw error;
    }
    this.settle();
    return this.report();
  }

  private report(): number {
    const { finished } = this;
    this.finished = 0;
    return finished;
  }

  /**
   * Sends what was pushed: the number of packets. The ring is empty then.
   * @throws SocketError `EMSGSIZE`, `EINVAL` for a packet that the interface does not take: it is
   * left out, flush again for the others. `ENETDOWN`, `ENXIO`, `ENOBUFS`: nothing is lost, flush
   * again. `ECANCELED` where the ring is closed
   */
  async flush(options: WaitOptions = {}): Promise<number> {
    const deadline = new Deadline(checkObject('options', options), this.socket.timeout);
    let sent = 0;
    for (let misses = 0; ; misses++) {
      options.signal?.throwIfAborted();
      const count = this.tryFlush();
      sent += count;
      if (this.used === 0) return sent;
      const timeout = deadline.left('send');
      if (count > 0) misses = 0;
      await this.waits.run(options.signal, async (signal) => {
        await this.socket.waitWritable({ timeout, signal });
        if (count === 0) await sleep(pause(misses), signal);
      });
    }
  }

  /** As `flush`, blocking the thread. */
  flushSync(options: WaitOptions = {}): number {
    const deadline = new Deadline(checkObject('options', options), this.socket.timeout);
    let sent = 0;
    for (let misses = 0; ; misses++) {
      const count = this.tryFlush();
      sent += count;
      if (this.used === 0) return sent;
      this.socket.waitWritableSync({ timeout: deadline.left('send') });
      if (count > 0) misses = 0;
      else Atomics.wait(sleeper, 0, 0, pause(misses));
    }
  }

  /**
   * Gives the memory back. What was not flushed is not sent; flushes that wait are rejected with
   * `ECANCELED`. Where packets are under way still, the socket can have no other ring.
   */
  close(): void {
    if (this.closed) return;
    this.mapping.close();
    this.used = 0;
    this.waits.end(socketError('send', 'ECANCELED', 'the ring was closed while this was pending'));
    this.onClose(this);
    if (!this.socket.closed) removeRing(this.socket, packetTxRing);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
