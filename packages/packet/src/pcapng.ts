import { checkInteger, checkObject, checkString, outOfRange } from '@sock/core';
import { type CaptureRecord, type CaptureSink, checkRecord, checkSink, SNAP_LENGTH } from './capture.js';
import {
  LINKTYPE_ETHERNET,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
} from './constants.gen.js';

// types of blocks, and codes of options; source: the Internet-Draft draft-ietf-opsawg-pcapng
export const SECTION_HEADER = 0x0a0d0d0a;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const INTERFACE_DESCRIPTION = 1;
export const OLD_PACKET = 2;
export const SIMPLE_PACKET = 3;
export const INTERFACE_STATISTICS = 5;
export const ENHANCED_PACKET = 6;
export const OPTION_COMMENT = 1;
export const OPTION_IF_NAME = 2;
export const OPTION_IF_DESCRIPTION = 3;
export const OPTION_IF_TSRESOL = 9;
export const OPTION_IF_TSOFFSET = 14;
export const OPTION_EPB_FLAGS = 2;
const OPTION_SHB_USERAPPL = 4;
const OPTION_ISB_IFRECV = 4;
const OPTION_ISB_IFDROP = 5;

/** What `epb_flags` says of a packet's direction (2 bits) and of how it was addressed (3 bits more). */
export const DIRECTIONS: readonly [packetType: number, flags: number][] = [
  [PACKET_HOST, 0b001_01],
  [PACKET_MULTICAST, 0b010_01],
  [PACKET_BROADCAST, 0b011_01],
  [PACKET_OTHERHOST, 0b100_01],
  [PACKET_OUTGOING, 0b000_10],
];

/** An interface of a pcapng file. */
export interface PcapngInterface {
  /** Name, such as `eth0`. */
  name?: string | undefined;
  description?: string | undefined;
  /** LINKTYPE_*: LINKTYPE_ETHERNET unless told. `linkTypeOf` has it for an interface. */
  linkType?: number | undefined;
  /** Bytes of each packet to keep at most: 262,144 unless told. */
  snapLength?: number | undefined;
}

/** A packet to write to a pcapng file. */
export interface PcapngRecord extends CaptureRecord {
  /** PACKET_HOST, PACKET_OUTGOING and so on: the packet's direction. */
  readonly packetType?: number | undefined;
  readonly comment?: string | undefined;
}

/** Counts of an interface, as `PacketSocket.statistics` has them. */
export interface PcapngStatistics {
  packets: number;
  drops: number;
}

interface Option {
  code: number;
  value: Uint8Array;
}

const padded = (length: number): number => (length + 3) & ~3;

const text = (code: number, value: string | undefined): Option[] =>
  value === undefined ? [] : [{ code, value: Buffer.from(value) }];

function count(code: number, value: number): Option {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return { code, value: bytes };
}

function encodeBlock(type: number, body: Uint8Array, data: Uint8Array, options: readonly Option[]): Buffer {
  const optionsSize = options.reduce((size, { value }) => size + 4 + padded(value.length), options.length > 0 ? 4 : 0);
  const total = 12 + body.length + padded(data.length) + optionsSize;
  const block = Buffer.alloc(total);
  block.writeUInt32LE(type, 0);
  block.writeUInt32LE(total, 4);
  block.set(body, 8);
  block.set(data, 8 + body.length);
  let offset = 8 + body.length + padded(data.length);
  for (const { code, value } of options) {
    block.writeUInt16LE(code, offset);
    block.writeUInt16LE(value.length, offset + 2);
    block.set(value, offset + 4);
    offset += 4 + padded(value.length);
  }
  block.writeUInt32LE(total, total - 4);
  return block;
}

function checkText(argument: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.byteLength(checkString(argument, value));
  if (bytes > 0xffff) throw outOfRange(argument, 'a text of at most 65535 bytes', `${bytes} bytes`);
  return value;
}

const EMPTY = new Uint8Array(0);
// the resolution of times: ten to the power of minus nine seconds
const NANOSECONDS = Uint8Array.of(9);

/**
 * Writes a pcapng file: packets of several interfaces, their directions, comments, counts of what was
 * dropped. Wireshark and newer programs read it. Source: draft-ietf-opsawg-pcapng.
 */
export class PcapngWriter {
  private readonly sink: CaptureSink;
  private readonly snapLengths: number[] = [];

  /**
   * Writes the header.
   * @param application name of the program, for the header
   */
  constructor(sink: CaptureSink, application?: string) {
    this.sink = checkSink(sink);
    const body = Buffer.alloc(16);
    body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
    body.writeUInt16LE(1, 4);
    // the length of the section is not known beforehand
    body.writeBigInt64LE(-1n, 8);
    this.sink.write(
      encodeBlock(SECTION_HEADER, body, EMPTY, text(OPTION_SHB_USERAPPL, checkText('application', application))),
    );
  }

  /** Describes an interface: its number, to write packets with. At least one has to be. */
  addInterface(description: PcapngInterface = {}): number {
    const {
      name,
      description: about,
      linkType = LINKTYPE_ETHERNET,
      snapLength = SNAP_LENGTH,
    } = checkObject('description', description);
    const body = Buffer.alloc(8);
    body.writeUInt16LE(checkInteger('description.linkType', linkType, 0, 0xffff), 0);
    body.writeUInt32LE(checkInteger('description.snapLength', snapLength, 1, 0x7fff_ffff), 4);
    const options = [
      ...text(OPTION_IF_NAME, checkText('description.name', name)),
      ...text(OPTION_IF_DESCRIPTION, checkText('description.description', about)),
      { code: OPTION_IF_TSRESOL, value: NANOSECONDS },
    ];
    this.sink.write(encodeBlock(INTERFACE_DESCRIPTION, body, EMPTY, options));
    return this.snapLengths.push(snapLength) - 1;
  }

  private snapLengthOf(id: number): number {
    if (this.snapLengths.length === 0) throw outOfRange('id', 'the number of an interface that was added', id);
    return this.snapLengths[checkInteger('id', id, 0, this.snapLengths.length - 1)] as number;
  }

  /**
   * Writes a packet.
   * @param id number of its interface: 0, which is the first, unless told
   * @returns what the sink's `write` gave: `false` of a stream whose `drain` is to be waited for
   * @throws TypeError or RangeError naming the member of `packet`
   */
  write(packet: PcapngRecord, id = 0): unknown {
    const { data, length, timestamp } = checkRecord(packet, this.snapLengthOf(id));
    const { packetType, comment } = packet;
    const body = Buffer.alloc(20);
    body.writeUInt32LE(id, 0);
    body.writeUInt32LE(Number(timestamp >> 32n), 4);
    body.writeUInt32LE(Number(timestamp & 0xffff_ffffn), 8);
    body.writeUInt32LE(data.length, 12);
    body.writeUInt32LE(length, 16);
    const options = text(OPTION_COMMENT, checkText('packet.comment', comment));
    const flags = DIRECTIONS.find(([type]) => type === packetType)?.[1];
    if (flags !== undefined) options.push({ code: OPTION_EPB_FLAGS, value: Uint8Array.of(flags, 0, 0, 0) });
    return this.sink.write(encodeBlock(ENHANCED_PACKET, body, data, options));
  }

  /**
   * Writes the counts of an interface, best at the end.
   * @param timestamp when they were taken, in nanoseconds since 1970: now unless told
   */
  statistics({ packets, drops }: PcapngStatistics, id = 0, timestamp = BigInt(Date.now()) * 1_000_000n): unknown {
    this.snapLengthOf(id);
    checkInteger('statistics.packets', packets, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('statistics.drops', drops, 0, Number.MAX_SAFE_INTEGER);
    const body = Buffer.alloc(12);
    body.writeUInt32LE(id, 0);
    body.writeUInt32LE(Number((timestamp >> 32n) & 0xffff_ffffn), 4);
    body.writeUInt32LE(Number(timestamp & 0xffff_ffffn), 8);
    const options = [count(OPTION_ISB_IFRECV, packets), count(OPTION_ISB_IFDROP, drops)];
    return this.sink.write(encodeBlock(INTERFACE_STATISTICS, body, EMPTY, options));
  }
}
