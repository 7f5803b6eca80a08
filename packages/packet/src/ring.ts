import {
  checkBoolean,
  checkInteger,
  checkObject,
  Deadline,
  type Mapping,
  MSG_PEEK,
  mapDescriptor,
  outOfRange,
  type Socket,
  socketError,
  type WaitOptions,
} from '@sock/core';
import type { PacketAddress, PacketInput } from './address.js';
import { BLOCK_STATUS, PacketBlock, PacketCopies, type ReceivedPacket } from './block.js';
import { TP_FT_REQ_FILL_RXHASH, TP_STATUS_KERNEL, TP_STATUS_USER, TPACKET_V3 } from './constants.gen.js';
import { packetVersion } from './options.js';
import { packetRxRing, removeRing } from './ring-request.js';
import { Waits } from './waiting.js';

/** Options of a receive ring. */
export interface RingOptions {
  /** Number of blocks: 32 unless told. More survive longer bursts. */
  blocks?: number | undefined;
  /** Bytes of a block, a multiple of the page size: 262,144 unless told. No packet can be longer. */
  blockSize?: number | undefined;
  /** Milliseconds after which a block is handed over that is not full: 10 unless told. */
  blockTimeout?: number | undefined;
  /** Have the hash of each packet's flow computed. */
  rxHash?: boolean | undefined;
}

type Owner = Socket<PacketAddress, PacketInput>;

const MEMORY_MAX = 0xffff_ffff;
// the smallest page of any machine: what else is wrong with a size the kernel says
const PAGE = 4096;

// A ring that always has a full block would keep timers and other sockets waiting for ever: after so
// many milliseconds without a wait, one turn of the loop is taken.
const TURN_AFTER = 5;

/**
 * A receive ring: memory that the kernel fills with packets, block by block, without a system call
 * for each. Source: the kernel's networking/packet_mmap, TPACKET_V3.
 *
 * Iterating gives copies of packets; `blocks` and `recvBlock` give the packets where they are. A
 * ring has one consumer at a time. When it is full, packets are dropped and counted
 * (`PacketSocket.statistics`); those that were received stay whole.
 */
export class PacketRing implements AsyncIterable<ReceivedPacket>, Disposable {
  /** Number of blocks. */
  readonly blockCount: number;
  /** Bytes of a block. */
  readonly blockSize: number;
  private readonly mapping: Mapping;
  private readonly block: PacketBlock;
  private readonly waits = new Waits();
  private current = 0;
  private held = false;
  // how many packets of the block an iteration took; none of a block that is its caller's as a whole
  private taken: number | undefined;
  private copies: PacketCopies | undefined;
  private waiting = false;
  // when the loop last had its turn
  private turned = 0;

  /** @internal */
  constructor(
    private readonly socket: Owner,
    options: RingOptions,
    private readonly onClose: (ring: PacketRing) => void,
  ) {
    const { blocks = 32, blockSize = 262_144, blockTimeout = 10, rxHash = false } = checkObject('options', options);
    checkInteger('options.blockSize', blockSize, PAGE, MEMORY_MAX);
    if (blockSize % PAGE !== 0) throw outOfRange('options.blockSize', `a multiple of ${PAGE} bytes`, blockSize);
    checkInteger('options.blocks', blocks, 1, Math.floor(MEMORY_MAX / blockSize));
    checkInteger('options.blockTimeout', blockTimeout, 1, 0x7fffffff);
    const features = checkBoolean('options.rxHash', rxHash) ? TP_FT_REQ_FILL_RXHASH : 0;
    this.blockCount = blocks;
    this.blockSize = blockSize;
    socket.setOption(packetVersion, TPACKET_V3);
    // blocks have no frames: one for each satisfies the kernel's arithmetic
    socket.setOption(packetRxRing, { blockSize, blocks, frameSize: blockSize, frames: blocks, blockTimeout, features });
    try {
      this.mapping = mapDescriptor(socket, blocks * blockSize);
    } catch (error) {
      socket.setOption(packetRxRing, {});
      throw error;
    }
    this.block = new PacketBlock(this.mapping.bytes.buffer, (index) =>
      socket.closed ? undefined : socket.interfaceName(index),
    );
  }

  /** Whether the ring is closed, which closing its socket does too. */
  get closed(): boolean {
    return this.mapping.closed;
  }

  /**
   * The next block, where there is one: `null` otherwise. What `recvBlock` gave before is over. Where an
   * iteration over packets was left, it is what is left of its block.
   */
  tryRecvBlock(): PacketBlock | null {
    if (this.closed) throw socketError('recv', 'EBADF', 'the ring is closed');
    if (this.taken !== undefined && this.taken < this.block.length) {
      this.block.skip(this.taken);
      this.taken = undefined;
      return this.block;
    }
    this.release();
    for (;;) {
      const base = this.current * this.blockSize;
      const status = this.mapping.loadAcquire32(base + BLOCK_STATUS);
      if ((status & TP_STATUS_USER) === 0) return null;
      this.held = true;
      this.block.open(base, this.blockSize, status);
      if (this.block.length > 0) return this.block;
      this.release();
    }
  }

  /** Whether the next call has a block without a wait. */
  private get ready(): boolean {
    if (this.closed) return false;
    if (this.taken !== undefined && this.taken < this.block.length) return true;
    const next = this.held ? (this.current + 1) % this.blockCount : this.current;
    return (this.mapping.loadAcquire32(next * this.blockSize + BLOCK_STATUS) & TP_STATUS_USER) !== 0;
  }

  // the next block, where there is one and nothing is due before it
  private blockAtOnce(signal: AbortSignal | undefined): PacketBlock | null {
    return this.waiting || signal?.aborted === true || this.turnIsDue ? null : this.tryRecvBlock();
  }

  private get turnIsDue(): boolean {
    return performance.now() - this.turned >= TURN_AFTER;
  }

  /**
   * Waits for the next block. What `recvBlock` gave before is over.
   * @throws SocketError `ENETDOWN` once where the interface goes down or is removed, `ECANCELED`
   * where the ring is closed, `EBUSY` where another call waits
   */
  async recvBlock(options: WaitOptions = {}): Promise<PacketBlock> {
    checkObject('options', options);
    if (this.waiting) throw socketError('recv', 'EBUSY', 'the ring has one consumer at a time, and one waits already');
    this.waiting = true;
    try {
      const deadline = new Deadline(options, this.socket.timeout);
      // to wait is a turn, and begins at once: an error is then told before what arrives after it
      if (this.turnIsDue && this.ready) {
        await new Promise((resolve) => setImmediate(resolve));
        this.turned = performance.now();
      }
      options.signal?.throwIfAborted();
      let block = this.tryRecvBlock();
      while (block === null) {
        const timeout = deadline.left('recv');
        await this.waits.run(options.signal, (signal) => this.socket.waitReadable({ timeout, signal }));
        this.turned = performance.now();
        block = this.tryRecvBlock() ?? this.checkSocket();
      }
      return block;
    } finally {
      this.waiting = false;
    }
  }

  /** As `recvBlock`, blocking the thread. */
  recvBlockSync(options: WaitOptions = {}): PacketBlock {
    const deadline = new Deadline(checkObject('options', options), this.socket.timeout);
    let block = this.tryRecvBlock();
    while (block === null) {
      this.socket.waitReadableSync({ timeout: deadline.left('recv') });
      block = this.tryRecvBlock() ?? this.checkSocket();
    }
    return block;
  }

  // Readiness without a block is an error of the socket, and would be reported for ever: receiving
  // reports it, and takes nothing where it only peeks.
  private checkSocket(): null {
    this.socket.tryRecv(1, { flags: MSG_PEEK });
    return null;
  }

  // gives the kernel its block back
  private release(): void {
    if (!this.held) return;
    this.forget();
    this.mapping.storeRelease32(this.current * this.blockSize + BLOCK_STATUS, TP_STATUS_KERNEL);
    this.current = (this.current + 1) % this.blockCount;
  }

  private forget(): void {
    this.held = false;
    this.taken = undefined;
    this.copies = undefined;
    this.block.clear();
  }

  // waits for a packet: of the block that an iteration has begun, or of the next one
  private async recvPacket(options: WaitOptions): Promise<ReceivedPacket> {
    await this.recvBlock(options);
    this.taken = 0;
    return this.tryRecvPacket() as ReceivedPacket;
  }

  // the next packet of the block that an iteration has begun
  private tryRecvPacket(): ReceivedPacket | null {
    const index = this.taken;
    if (index === undefined || index >= this.block.length) return null;
    this.taken = index + 1;
    if (this.copies === undefined || index >= this.copies.end) this.copies = new PacketCopies(this.block, index);
    return this.copies.packet(index);
  }

  /**
   * Blocks as they come, until the ring or its socket is closed. Each holds until the next is asked for.
   * @throws SocketError as `recvBlock`; the ring can be iterated again
   */
  blocks(options: WaitOptions = {}): AsyncIterableIterator<PacketBlock> {
    const { signal } = checkObject('options', options);
    return new Iteration(
      this,
      () => this.blockAtOnce(signal),
      () => this.recvBlock(options),
    );
  }

  /**
   * Copies of packets as they come, until the ring or its socket is closed. An iteration that is left
   * loses nothing: the next one goes on where it ended.
   * @throws SocketError as `recvBlock`; the ring can be iterated again
   */
  packets(options: WaitOptions = {}): AsyncIterableIterator<ReceivedPacket> {
    checkObject('options', options);
    return new Iteration(
      this,
      () => this.tryRecvPacket(),
      () => this.recvPacket(options),
    );
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedPacket> {
    return this.packets();
  }

  /**
   * Gives the memory back. What waits is rejected with `ECANCELED`, iterations end. The socket
   * receives as others do from now on.
   */
  close(): void {
    if (this.closed) return;
    this.forget();
    this.mapping.close();
    this.waits.end(socketError('recv', 'ECANCELED', 'the ring was closed while this was pending'));
    this.onClose(this);
    if (!this.socket.closed) removeRing(this.socket, packetRxRing);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** An iteration over what a ring has: an async generator would cost several turns of the microtask queue each time. */
class Iteration<Item> implements AsyncIterableIterator<Item> {
  private over = false;

  constructor(
    private readonly ring: PacketRing,
    private readonly attempt: () => Item | null,
    private readonly wait: () => Promise<Item>,
  ) {}

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.over || this.ring.closed) return Promise.resolve(DONE);
    try {
      const value = this.attempt();
      return value === null ? this.waited() : Promise.resolve({ done: false, value });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private async waited(): Promise<IteratorResult<Item, undefined>> {
    try {
      return { done: false, value: await this.wait() };
    } catch (error) {
      if (this.ring.closed) return DONE;
      throw error;
    }
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.over = true;
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
