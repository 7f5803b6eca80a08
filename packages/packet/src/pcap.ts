import { checkBoolean, checkInteger, checkObject, outOfRange } from '@sock/core';
import { type CaptureRecord, type CaptureSink, checkRecord, checkSink, SNAP_LENGTH } from './capture.js';
import { LINKTYPE_ETHERNET } from './constants.gen.js';

/** Options of a pcap file. */
export interface PcapOptions {
  /** LINKTYPE_*: LINKTYPE_ETHERNET unless told. `linkTypeOf` has it for an interface. */
  linkType?: number | undefined;
  /** Bytes of each packet to keep at most: 262,144 unless told. */
  snapLength?: number | undefined;
  /** Times in nanoseconds (true unless told), or in microseconds for programs that know no others. */
  nanoseconds?: boolean | undefined;
}

/** First word of a file, which tells its byte order and the unit of its times. */
export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
/** As MAGIC_MICROSECONDS, for nanoseconds. */
export const MAGIC_NANOSECONDS = 0xa1b23c4d;

const SECOND = 1_000_000_000n;

/**
 * Writes a pcap file, which tcpdump, Wireshark and most others read. Source: the Internet-Draft
 * draft-ietf-opsawg-pcap.
 *
 * ```ts
 * const capture = new PcapWriter(createWriteStream('lo.pcap'));
 * for await (const packet of socket.ring()) capture.write(packet);
 * ```
 */
export class PcapWriter {
  private readonly sink: CaptureSink;
  private readonly snapLength: number;
  private readonly unit: bigint;

  /** Writes the header. */
  constructor(sink: CaptureSink, options: PcapOptions = {}) {
    const {
      linkType = LINKTYPE_ETHERNET,
      snapLength = SNAP_LENGTH,
      nanoseconds = true,
    } = checkObject('options', options);
    this.sink = checkSink(sink);
    this.snapLength = checkInteger('options.snapLength', snapLength, 1, 0x7fff_ffff);
    this.unit = checkBoolean('options.nanoseconds', nanoseconds) ? 1n : 1000n;
    const header = Buffer.alloc(24);
    header.writeUInt32LE(nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(snapLength, 16);
    header.writeUInt32LE(checkInteger('options.linkType', linkType, 0, 0xffff), 20);
    this.sink.write(header);
  }

  /**
   * Writes a packet.
   * @returns what the sink's `write` gave: `false` of a stream whose `drain` is to be waited for
   * @throws TypeError or RangeError naming the member of `packet`; for times after 2106 too
   */
  write(packet: CaptureRecord): unknown {
    const { data, length, timestamp } = checkRecord(packet, this.snapLength);
    const seconds = timestamp / SECOND;
    if (seconds > 0xffff_ffffn)
      throw outOfRange('packet.timestamp', 'a time before 2106 (pcapng has others)', timestamp);
    const record = Buffer.alloc(16 + data.length);
    record.writeUInt32LE(Number(seconds), 0);
    record.writeUInt32LE(Number((timestamp % SECOND) / this.unit), 4);
    record.writeUInt32LE(data.length, 8);
    record.writeUInt32LE(length, 12);
    record.set(data, 16);
    return this.sink.write(record);
  }
}
