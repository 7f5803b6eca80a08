import { invalidArgumentType } from '@sock/core';
import { type CapturedPacket, CaptureError, PACKET_MAX } from './capture.js';
import { MAGIC_MICROSECONDS, MAGIC_NANOSECONDS } from './pcap.js';
import * as ng from './pcapng.js';

const SECOND = 1_000_000_000n;

/** Bytes that arrive in pieces, read in this or that byte order. */
class Input {
  /** Bytes consumed before those that are here. */
  consumed = 0;
  little = true;
  private bytes: Buffer = Buffer.alloc(0);
  // pieces that nobody needed yet: joined when they are, so that small pieces cost no square
  private pieces: Uint8Array[] = [];
  private waiting = 0;

  push(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.waiting += piece.length;
  }

  get left(): number {
    return this.bytes.length + this.waiting;
  }

  /** Whether there are `length` bytes; they can be read then. */
  has(length: number): boolean {
    if (this.left < length) return false;
    if (this.bytes.length < length) {
      this.bytes = Buffer.concat([this.bytes, ...this.pieces]);
      this.pieces = [];
      this.waiting = 0;
    }
    return true;
  }

  skip(length: number): void {
    this.bytes = this.bytes.subarray(length);
    this.consumed += length;
  }

  u16(offset: number): number {
    return this.little ? this.bytes.readUInt16LE(offset) : this.bytes.readUInt16BE(offset);
  }

  u32(offset: number): number {
    return this.little ? this.bytes.readUInt32LE(offset) : this.bytes.readUInt32BE(offset);
  }

  i64(offset: number): bigint {
    return this.little ? this.bytes.readBigInt64LE(offset) : this.bytes.readBigInt64BE(offset);
  }

  u8(offset: number): number {
    return this.bytes.readUInt8(offset);
  }

  /** A copy: pieces may be memory that is used again. */
  copy(start: number, end: number): Buffer {
    return Buffer.from(this.bytes.subarray(start, end));
  }

  fail(message: string): never {
    throw new CaptureError(message, this.consumed);
  }
}

/** What reads packets of one format: as many as there are whole. */
interface Format {
  packets(): Generator<CapturedPacket>;
}

/** The classic format: a header, then packets. */
class PcapFormat implements Format {
  private readonly linkType: number;

  constructor(
    private readonly input: Input,
    private readonly unit: bigint,
  ) {
    if (input.u16(4) !== 2) input.fail(`version ${input.u16(4)} of pcap is not known`);
    // the upper half tells of checksums at the end of packets
    this.linkType = input.u32(20) & 0xffff;
    input.skip(24);
  }

  *packets(): Generator<CapturedPacket> {
    const { input, linkType } = this;
    while (input.has(16)) {
      const size = input.u32(8);
      if (size > PACKET_MAX) input.fail(`a packet of ${size} bytes is no packet`);
      if (!input.has(16 + size)) return;
      const captured: CapturedPacket = {
        data: input.copy(16, 16 + size),
        length: input.u32(12),
        timestamp: BigInt(input.u32(0)) * SECOND + BigInt(input.u32(4)) * this.unit,
        linkType,
        interface: undefined,
        packetType: undefined,
        comment: undefined,
      };
      input.skip(16 + size);
      yield captured;
    }
  }
}

interface Interface {
  linkType: number;
  snapLength: number;
  name: string | undefined;
  /** Units in a second. */
  resolution: bigint;
  /** Nanoseconds to add to times. */
  shift: bigint;
}

/** The newer format: blocks. */
class PcapngFormat implements Format {
  private interfaces: Interface[] = [];

  constructor(private readonly input: Input) {}

  *packets(): Generator<CapturedPacket> {
    const { input } = this;
    // a section header says only behind its length which byte order that has
    while (input.has(12)) {
      if (input.u32(0) === ng.SECTION_HEADER) this.beginSection();
      const total = input.u32(4);
      if (total < 12 || total % 4 !== 0 || total > PACKET_MAX) input.fail(`a block of ${total} bytes is no block`);
      if (!input.has(total)) return;
      if (input.u32(total - 4) !== total) input.fail('a block whose two lengths differ');
      const captured = this.block(input.u32(0), total - 4);
      input.skip(total);
      if (captured !== undefined) yield captured;
    }
  }

  private beginSection(): void {
    const { input } = this;
    input.little = true;
    if (input.u32(8) !== ng.BYTE_ORDER_MAGIC) {
      input.little = false;
      if (input.u32(8) !== ng.BYTE_ORDER_MAGIC) input.fail('a section of unknown byte order');
    }
  }

  private block(type: number, end: number): CapturedPacket | undefined {
    switch (type) {
      case ng.SECTION_HEADER:
        if (end < 24 || this.input.u16(12) !== 1) this.input.fail('a section of an unknown version');
        this.interfaces = [];
        return undefined;
      case ng.INTERFACE_DESCRIPTION:
        this.describe(end);
        return undefined;
      case ng.ENHANCED_PACKET:
        return this.packet(end, (input) => input.u32(8));
      case ng.OLD_PACKET:
        return this.packet(end, (input) => input.u16(8));
      case ng.SIMPLE_PACKET:
        return this.simple(end);
      default:
        // blocks of no interest, and those that a later version brings
        return undefined;
    }
  }

  private need(size: number, end: number): void {
    if (end < size) this.input.fail('a block that is too short for its type');
  }

  private *options(start: number, end: number): Generator<[code: number, start: number, length: number]> {
    const { input } = this;
    for (let offset = start; offset + 4 <= end; ) {
      const code = input.u16(offset);
      const length = input.u16(offset + 2);
      if (code === 0) return;
      if (offset + 4 + length > end) input.fail('an option that is longer than its block');
      yield [code, offset + 4, length];
      offset += 4 + ((length + 3) & ~3);
    }
  }

  private describe(end: number): void {
    const { input } = this;
    this.need(16, end);
    const described: Interface = {
      linkType: input.u16(8),
      snapLength: input.u32(12),
      name: undefined,
      resolution: 1_000_000n,
      shift: 0n,
    };
    for (const [code, start, length] of this.options(16, end)) {
      if (code === ng.OPTION_IF_NAME) described.name = input.copy(start, start + length).toString();
      if (code === ng.OPTION_IF_TSRESOL && length === 1) described.resolution = resolutionOf(input.u8(start));
      if (code === ng.OPTION_IF_TSOFFSET && length === 8) described.shift = input.i64(start) * SECOND;
    }
    this.interfaces.push(described);
  }

  private interfaceOf(id: number): Interface {
    return this.interfaces[id] ?? this.input.fail(`a packet of an interface (${id}) that was not described`);
  }

  // an enhanced packet, or one of its predecessor: both have times and lengths at the same places
  private packet(end: number, idOf: (input: Input) => number): CapturedPacket {
    const { input } = this;
    const data = 28;
    this.need(data, end);
    const { linkType, name, resolution, shift } = this.interfaceOf(idOf(input));
    const size = input.u32(20);
    if (data + size > end) input.fail('a packet that is longer than its block');
    let packetType: number | undefined;
    let comment: string | undefined;
    for (const [code, at, length] of this.options(data + ((size + 3) & ~3), end)) {
      if (code === ng.OPTION_COMMENT) comment = input.copy(at, at + length).toString();
      if (code === ng.OPTION_EPB_FLAGS && length === 4) packetType = packetTypeOf(input.u32(at));
    }
    const time = (BigInt(input.u32(12)) << 32n) | BigInt(input.u32(16));
    return {
      data: input.copy(data, data + size),
      length: input.u32(24),
      timestamp: (time * SECOND) / resolution + shift,
      linkType,
      interface: name,
      packetType,
      comment,
    };
  }

  private simple(end: number): CapturedPacket {
    const { input } = this;
    this.need(12, end);
    const { linkType, name, snapLength } = this.interfaceOf(0);
    const length = input.u32(8);
    const size = Math.min(length, snapLength === 0 ? length : snapLength, end - 12);
    return {
      data: input.copy(12, 12 + size),
      length,
      timestamp: 0n,
      linkType,
      interface: name,
      packetType: undefined,
      comment: undefined,
    };
  }
}

/** Units in a second: a power of 2 or of 10. */
function resolutionOf(value: number): bigint {
  return value & 0x80 ? 2n ** BigInt(value & 0x7f) : 10n ** BigInt(value);
}

function packetTypeOf(flags: number): number | undefined {
  return ng.DIRECTIONS.find(([, known]) => known === (flags & 0b111_11))?.[0];
}

/** Reads a capture file that arrives in pieces. */
class CaptureReader {
  private readonly input = new Input();
  private format: Format | undefined;

  *push(piece: unknown): Generator<CapturedPacket> {
    if (!(piece instanceof Uint8Array)) throw invalidArgumentType('source', 'bytes, or an iterable of bytes', piece);
    this.input.push(piece);
    this.format ??= this.recognize();
    if (this.format !== undefined) yield* this.format.packets();
  }

  private recognize(): Format | undefined {
    const { input } = this;
    if (!input.has(4)) return undefined;
    if (input.u32(0) === ng.SECTION_HEADER) return new PcapngFormat(input);
    for (const little of [true, false]) {
      input.little = little;
      const magic = input.u32(0);
      if (magic !== MAGIC_MICROSECONDS && magic !== MAGIC_NANOSECONDS) continue;
      return input.has(24) ? new PcapFormat(input, magic === MAGIC_NANOSECONDS ? 1n : 1000n) : undefined;
    }
    return input.fail('neither a pcap nor a pcapng file');
  }

  end(): void {
    if (this.format === undefined) this.input.fail('neither a pcap nor a pcapng file: it ends too early');
    if (this.input.left > 0) this.input.fail('the file ends in the middle of a packet');
  }
}

/**
 * The packets of a capture file, pcap (of either unit of time and byte order) or pcapng, as its
 * pieces come: `readCapture(createReadStream('lo.pcapng'))`.
 * @throws CaptureError after the packets that came before what is broken
 */
export async function* readCapture(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<CapturedPacket> {
  const reader = new CaptureReader();
  for await (const piece of source) yield* reader.push(piece);
  reader.end();
}

/** As `readCapture`, of a whole file: `parseCapture(readFileSync('lo.pcap'))`. */
export function* parseCapture(bytes: Uint8Array): Generator<CapturedPacket> {
  const reader = new CaptureReader();
  yield* reader.push(bytes);
  reader.end();
}
