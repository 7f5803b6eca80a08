import { checkInteger, invalidArgumentType, readU16, readU32, socketError } from '@sock/core';
import { decodePacketAddress, type PacketAddress } from './address.js';
import { TP_STATUS_BLK_TMO, TP_STATUS_LOSING } from './constants.gen.js';
import { type ChecksumStatus, checksumOf, type VlanTag, vlanOf } from './structures.js';

// offsets in a struct tpacket_block_desc; source: linux/if_packet.h
export const BLOCK_STATUS = 8;
const BLOCK_COUNT = 12;
const BLOCK_FIRST = 16;
const BLOCK_SEQUENCE = 24;

// offsets in a struct tpacket3_hdr, and of the struct sockaddr_ll behind it
const NEXT = 0;
const SECONDS = 4;
const NANOSECONDS = 8;
const SNAP_LENGTH = 12;
const LENGTH = 16;
const STATUS = 20;
const MAC = 24;
const NETWORK = 26;
const RXHASH = 28;
const VLAN_TCI = 32;
const VLAN_TPID = 36;
const ADDRESS = 48;
const ADDRESS_SIZE = 20;
const ADDRESS_WORDS = ADDRESS_SIZE / 4;
const HEADER_SIZE = ADDRESS + ADDRESS_SIZE;

const SECOND = 1_000_000_000n;

// no packet has it, and nobody asks for it
const NO_INDEX = -0x4000_0000;

/** A packet of a receive ring: a copy, to keep for as long as one likes. */
export class ReceivedPacket {
  /** @internal The packet's `struct tpacket3_hdr` is in `record`, at `offset`. */
  constructor(
    /** The packet's bytes, from its link-layer header on (SOCK_DGRAM: without it). */
    readonly data: Buffer,
    /** The sender, and the interface that the packet passed. */
    readonly address: PacketAddress,
    /** Whether packets were dropped since the statistics were last read, as of the end of the packet's block. */
    readonly losing: boolean,
    private readonly record: Buffer,
    private readonly offset: number,
  ) {}

  private word(offset: number): number {
    return readU32(this.record, this.offset + offset);
  }

  /** Bytes that the packet had: more than `data` has where a filter or the ring cut it off. */
  get length(): number {
    return this.word(LENGTH);
  }

  /** TP_STATUS_*, or-ed together. */
  get status(): number {
    return this.word(STATUS);
  }

  /** When the packet passed the interface, in nanoseconds since 1970. */
  get timestamp(): bigint {
    return BigInt(this.word(SECONDS)) * SECOND + BigInt(this.word(NANOSECONDS));
  }

  /** PACKET_HOST, PACKET_OUTGOING and so on. */
  get packetType(): number {
    return this.address.packetType;
  }

  /** Hash of the packet's flow; 0 unless the ring was asked for it. */
  get rxHash(): number {
    return this.word(RXHASH);
  }

  /** The VLAN tag that was taken off the packet. */
  get vlan(): VlanTag | undefined {
    return vlanOf(this.status, this.word(VLAN_TCI), readU16(this.record, this.offset + VLAN_TPID));
  }

  /** What is known of the transport checksum. */
  get checksum(): ChecksumStatus {
    return checksumOf(this.status);
  }
}

/**
 * The packets of one block of a receive ring, where the kernel put them: nothing is copied. Packets
 * are named by their index, 0 to `length` − 1.
 *
 * A block and all views of its memory hold until the ring is next used: the kernel then puts other
 * packets there. `packet` makes a copy.
 */
export class PacketBlock {
  /** The memory of the whole ring: `start` and `end` are places in it. */
  readonly memory: Buffer;
  private readonly words: Uint32Array;
  private readonly halves: Uint16Array;
  private readonly longs: BigUint64Array;
  /** Number of the block since the ring was made: one more than that of the block before. */
  sequence = 0;
  /** Whether the block was handed over because time ran out, rather than because it was full. */
  timedOut = false;
  /** Whether packets were dropped since the statistics were last read. */
  losing = false;
  // where the headers are of the packets up to the last one that was looked at, and where one can be at most
  private offsets = new Uint32Array(0);
  private known = 0;
  private first = 0;
  private limit = 0;
  private count = 0;
  // The packet that was looked at last, where its header is and where it begins, and where the header of the next one
  // is: most look at one after the other, several times at each.
  private index = NO_INDEX;
  private offset = 0;
  private begin = 0;
  private following = 0;
  // names are asked for again in each block: interfaces may be renamed
  private readonly names = new Map<number, string | undefined>();
  private lastAddress: PacketAddress | undefined;
  private lastOffset = 0;
  private readonly source: { interfaceName(index: number): string | undefined };

  /** @internal */
  constructor(memory: ArrayBuffer, lookup: (index: number) => string | undefined) {
    this.memory = Buffer.from(memory);
    this.words = new Uint32Array(memory);
    this.halves = new Uint16Array(memory);
    this.longs = new BigUint64Array(memory);
    this.source = {
      interfaceName: (index) => {
        if (!this.names.has(index)) this.names.set(index, lookup(index));
        return this.names.get(index);
      },
    };
  }

  /** @internal Takes over the block of `size` bytes at `base`, which is the program's now. */
  open(base: number, size: number, status: number): void {
    const { words } = this;
    const count = words[(base + BLOCK_COUNT) >>> 2] as number;
    if (count > this.offsets.length) this.offsets = new Uint32Array(count);
    this.limit = base + size - HEADER_SIZE;
    this.count = count;
    this.known = 0;
    this.index = NO_INDEX;
    this.first = (base + (words[(base + BLOCK_FIRST) >>> 2] as number)) >>> 0;
    this.sequence = Number(this.longs[(base + BLOCK_SEQUENCE) / 8]);
    this.timedOut = (status & TP_STATUS_BLK_TMO) !== 0;
    this.losing = (status & TP_STATUS_LOSING) !== 0;
    // what clears a map makes it anew
    if (this.names.size > 0) this.names.clear();
    this.lastAddress = undefined;
  }

  /** @internal Leaves out the first packets, of which others follow. */
  skip(packets: number): void {
    this.first = this.at(packets);
    this.offsets.copyWithin(0, packets, this.known);
    this.known -= packets;
    this.count -= packets;
    this.index = 0;
  }

  /** @internal The kernel has the block again. */
  clear(): void {
    this.count = 0;
    this.index = NO_INDEX;
  }

  /** Number of packets; 0 once the ring was used again. */
  get length(): number {
    return this.count;
  }

  private at(index: number): number {
    if (index !== this.index) this.seek(index);
    return this.offset;
  }

  private seek(index: number): void {
    if (index === this.index + 1 && index < this.count) this.look(index, this.following);
    else this.find(index);
  }

  private find(index: number): void {
    checkInteger('index', index, 0, this.count - 1);
    const last = Math.min(index, this.known - 1);
    this.look(Math.max(last, 0), last < 0 ? this.first : (this.offsets[last] as number));
    while (this.index < index) this.look(this.index + 1, this.following);
  }

  private look(index: number, offset: number): void {
    if (offset > this.limit) this.spoilt();
    this.index = index;
    this.offset = offset;
    this.begin = offset + (this.halves[(offset + MAC) >>> 1] as number);
    this.following = (offset + (this.words[(offset + NEXT) >>> 2] as number)) >>> 0;
    if (index === this.known) this.known++;
    this.offsets[index] = offset;
  }

  // nobody but this process writes to a block that is the program's
  private spoilt(): never {
    throw socketError('recv', 'EBADMSG', 'the memory of the block was written to');
  }

  /** Where in `memory` the packet begins. With `packetVnetHdr` its virtio header is right before that. */
  start(index: number): number {
    if (index !== this.index) this.seek(index);
    return this.begin;
  }

  /** Where in `memory` the packet ends. */
  end(index: number): number {
    if (index !== this.index) this.seek(index);
    return this.begin + (this.words[(this.offset + SNAP_LENGTH) >>> 2] as number);
  }

  /**
   * Calls `visit` for one packet after the other: `memory` has it from `start` to `end`. Nothing is faster: V8 makes
   * one loop of both. Ends early where `visit` uses the ring.
   */
  forEach(visit: (start: number, end: number, index: number) => void): void {
    if (typeof visit !== 'function') throw invalidArgumentType('visit', 'a function', visit);
    const { words, halves, limit } = this;
    let offset = this.first;
    for (let index = 0; index < this.count && limit === this.limit; index++) {
      if (offset > limit) this.spoilt();
      const start = offset + (halves[(offset + MAC) >>> 1] as number);
      visit(start, start + (words[(offset + SNAP_LENGTH) >>> 2] as number), index);
      offset = (offset + (words[(offset + NEXT) >>> 2] as number)) >>> 0;
    }
  }

  /** Where in `memory` the packet's network-layer header begins. */
  networkStart(index: number): number {
    const offset = this.at(index);
    return offset + (this.halves[(offset + NETWORK) >>> 1] as number);
  }

  /** The packet's bytes: a view of `memory`. */
  data(index: number): Buffer {
    return this.memory.subarray(this.start(index), this.end(index));
  }

  /** Bytes that the packet had, those that were cut off included. */
  originalLength(index: number): number {
    return this.words[(this.at(index) + LENGTH) >>> 2] as number;
  }

  /** TP_STATUS_*, or-ed together. */
  status(index: number): number {
    return this.words[(this.at(index) + STATUS) >>> 2] as number;
  }

  /** When the packet passed the interface: whole seconds since 1970. */
  seconds(index: number): number {
    return this.words[(this.at(index) + SECONDS) >>> 2] as number;
  }

  /** Nanoseconds to add to `seconds`. */
  nanoseconds(index: number): number {
    return this.words[(this.at(index) + NANOSECONDS) >>> 2] as number;
  }

  /** When the packet passed the interface, in nanoseconds since 1970. */
  timestamp(index: number): bigint {
    return BigInt(this.seconds(index)) * SECOND + BigInt(this.nanoseconds(index));
  }

  /** Hash of the packet's flow; 0 unless the ring was asked for it. */
  rxHash(index: number): number {
    return this.words[(this.at(index) + RXHASH) >>> 2] as number;
  }

  /** The VLAN tag that was taken off the packet. */
  vlan(index: number): VlanTag | undefined {
    const offset = this.at(index);
    const { words, halves } = this;
    return vlanOf(
      words[(offset + STATUS) >>> 2] as number,
      words[(offset + VLAN_TCI) >>> 2] as number,
      halves[(offset + VLAN_TPID) >>> 1] as number,
    );
  }

  /** Who sent the packet, and the interface that it passed. */
  address(index: number): PacketAddress {
    const offset = this.at(index) + ADDRESS;
    if (this.lastAddress !== undefined && this.sameAddress(offset)) return this.lastAddress;
    const sockaddr = this.memory.subarray(offset, offset + ADDRESS_SIZE);
    this.lastAddress = Object.freeze(decodePacketAddress(sockaddr, this.source));
    this.lastOffset = offset;
    return this.lastAddress;
  }

  private sameAddress(offset: number): boolean {
    const { words } = this;
    const one = offset >>> 2;
    const other = this.lastOffset >>> 2;
    for (let i = 0; i < ADDRESS_WORDS; i++) if (words[one + i] !== words[other + i]) return false;
    return true;
  }

  /** A copy of the packet. */
  packet(index: number): ReceivedPacket {
    return new PacketCopies(this, index, index + 1).packet(index);
  }

  /** @internal Where the header of the packet is. */
  header(index: number): number {
    return this.at(index);
  }
}

// What one copies at a time: a packet that is kept keeps the memory of its neighbours. Node's own
// small buffers share as much.
const COPIED_TOGETHER = 8192;

/** @internal Copies of consecutive packets, headers included, in one piece of memory. */
export class PacketCopies {
  /** Index of the first packet that is not among them. */
  readonly end: number;
  private readonly memory: Buffer;
  private readonly base: number;

  /** @param limit index of the first packet that is not to be among them; there are fewer where they are large */
  constructor(
    private readonly block: PacketBlock,
    first: number,
    limit = block.length,
  ) {
    const base = block.header(first);
    let end = first + 1;
    while (end < limit && block.end(end) - base <= COPIED_TOGETHER) end++;
    this.end = end;
    this.base = base;
    this.memory = Buffer.from(block.memory.subarray(base, block.end(end - 1)));
  }

  packet(index: number): ReceivedPacket {
    const { block, base, memory } = this;
    const data = memory.subarray(block.start(index) - base, block.end(index) - base);
    return new ReceivedPacket(data, block.address(index), block.losing, memory, block.header(index) - base);
  }
}
