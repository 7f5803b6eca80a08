import { checkInteger, invalidArgumentType, readU16, readU32, readU64, socketError } from '@sock/core';
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

const AHEAD = 32;

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
  /** Number of the block since the ring was made: one more than that of the block before. */
  sequence = 0;
  /** Whether the block was handed over because time ran out, rather than because it was full. */
  timedOut = false;
  /** Whether packets were dropped since the statistics were last read. */
  losing = false;
  // of the packets that were looked at so far: where their headers are, where they begin and end
  private offsets = new Uint32Array(0);
  private starts = new Uint32Array(0);
  private ends = new Uint32Array(0);
  private known = 0;
  // where the header of the one after them is, and where the last one can be
  private next = 0;
  private limit = 0;
  private count = 0;
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
    if (count > this.offsets.length) this.reserve(count);
    this.known = 0;
    this.next = base + (words[(base + BLOCK_FIRST) >>> 2] as number);
    this.limit = base + size - HEADER_SIZE;
    this.count = count;
    this.sequence = Number(readU64(this.memory, base + BLOCK_SEQUENCE));
    this.timedOut = (status & TP_STATUS_BLK_TMO) !== 0;
    this.losing = (status & TP_STATUS_LOSING) !== 0;
    this.names.clear();
    this.lastAddress = undefined;
  }

  private reserve(count: number): void {
    this.offsets = new Uint32Array(count);
    this.starts = new Uint32Array(count);
    this.ends = new Uint32Array(count);
  }

  /** @internal Leaves out the first packets. */
  skip(packets: number): void {
    if (packets > this.known) this.walk(packets - 1);
    for (const places of [this.offsets, this.starts, this.ends]) places.copyWithin(0, packets, this.known);
    this.known -= packets;
    this.count -= packets;
  }

  /** @internal The kernel has the block again. */
  clear(): void {
    this.count = 0;
    this.known = 0;
  }

  /** Number of packets; 0 once the ring was used again. */
  get length(): number {
    return this.count;
  }

  private at(index: number): number {
    if (!(index < this.known)) this.walk(index);
    return this.offsets[index] ?? this.refuse(index);
  }

  // Headers are chained, and another processor wrote them. They are followed a few packets ahead of what is asked
  // for: a whole block would be out of the cache again when its packets are looked at.
  private walk(index: number): void {
    if (!(index < this.count)) this.refuse(index);
    const { offsets, starts, ends, words, halves, limit } = this;
    const to = Math.min(index + AHEAD, this.count);
    let i = this.known;
    let offset = this.next;
    for (; i < to; i++) {
      // nobody but this process writes to a block that is the program's
      if (offset > limit) throw socketError('recv', 'EBADMSG', 'the memory of the block was written to');
      const start = (offset + (halves[(offset + MAC) >>> 1] as number)) >>> 0;
      offsets[i] = offset;
      starts[i] = start;
      ends[i] = start + (words[(offset + SNAP_LENGTH) >>> 2] as number);
      offset = (offset + (words[(offset + NEXT) >>> 2] as number)) >>> 0;
    }
    this.known = i;
    this.next = offset;
  }

  private refuse(index: unknown): never {
    checkInteger('index', index, 0, this.count - 1);
    throw invalidArgumentType('index', `an integer from 0 to ${this.count - 1}`, index);
  }

  /** Where in `memory` the packet begins. With `packetVnetHdr` its virtio header is right before that. */
  start(index: number): number {
    if (!(index < this.known)) this.walk(index);
    return this.starts[index] ?? this.refuse(index);
  }

  /** Where in `memory` the packet ends. */
  end(index: number): number {
    if (!(index < this.known)) this.walk(index);
    return this.ends[index] ?? this.refuse(index);
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
