import { checkBigInt, checkInteger, checkObject, invalidArgumentType, outOfRange, toBytes } from '@sock/core';
import * as c from './constants.gen.js';

/** A packet to write to a capture file. What a ring gives is one. */
export interface CaptureRecord {
  /** The packet's bytes, or the first of them. */
  readonly data: Uint8Array;
  /** Bytes that the packet had: those of `data` unless told. */
  readonly length?: number | undefined;
  /** When it was seen, in nanoseconds since 1970. */
  readonly timestamp: bigint;
}

/** A packet of a capture file. */
export interface CapturedPacket {
  readonly data: Buffer;
  /** Bytes that the packet had: more than `data` has where it was cut off. */
  readonly length: number;
  /** When it was seen, in nanoseconds since 1970; 0 where the file does not say. */
  readonly timestamp: bigint;
  /** LINKTYPE_*: what `data` begins with. */
  readonly linkType: number;
  /** Name of the interface, where the file (pcapng) tells. */
  readonly interface: string | undefined;
  /** PACKET_HOST, PACKET_OUTGOING and so on, where the file (pcapng) tells. */
  readonly packetType: number | undefined;
  /** Comment on the packet (pcapng). */
  readonly comment: string | undefined;
}

/** Where a capture goes: a writable stream, or whatever has a method like its `write`. */
export interface CaptureSink {
  write(bytes: Uint8Array): unknown;
}

/** A capture file that is none, or broken. */
export class CaptureError extends Error {
  readonly code = 'ERR_CAPTURE_FORMAT';
  /** Where in the file, in bytes. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset})`);
    this.offset = offset;
  }

  static {
    this.prototype.name = 'CaptureError';
  }
}

/** Bytes of one packet at most: what is more is no capture but noise. */
export const PACKET_MAX = 128 * 1024 * 1024;

/** Bytes of a packet that are captured at most unless told, as other programs have it. */
export const SNAP_LENGTH = 262_144;

const LINK_TYPES: Readonly<Record<number, number>> = {
  [c.ARPHRD_ETHER]: c.LINKTYPE_ETHERNET,
  [c.ARPHRD_LOOPBACK]: c.LINKTYPE_ETHERNET,
  [c.ARPHRD_METRICOM]: c.LINKTYPE_ETHERNET,
  [c.ARPHRD_AX25]: c.LINKTYPE_AX25,
  [c.ARPHRD_FDDI]: c.LINKTYPE_FDDI,
  [c.ARPHRD_CISCO]: c.LINKTYPE_C_HDLC,
  [c.ARPHRD_IEEE80211]: c.LINKTYPE_IEEE802_11,
  [c.ARPHRD_IEEE80211_PRISM]: c.LINKTYPE_IEEE802_11_PRISM,
  [c.ARPHRD_IEEE80211_RADIOTAP]: c.LINKTYPE_IEEE802_11_RADIOTAP,
  [c.ARPHRD_FRAD]: c.LINKTYPE_FRELAY,
  [c.ARPHRD_DLCI]: c.LINKTYPE_FRELAY,
  [c.ARPHRD_CAN]: c.LINKTYPE_CAN_SOCKETCAN,
  [c.ARPHRD_IEEE802154]: c.LINKTYPE_IEEE802_15_4_NOFCS,
  [c.ARPHRD_NETLINK]: c.LINKTYPE_NETLINK,
  [c.ARPHRD_VSOCKMON]: c.LINKTYPE_VSOCK,
  [c.ARPHRD_NONE]: c.LINKTYPE_RAW,
  [c.ARPHRD_RAWIP]: c.LINKTYPE_RAW,
  [c.ARPHRD_TUNNEL]: c.LINKTYPE_RAW,
  [c.ARPHRD_TUNNEL6]: c.LINKTYPE_RAW,
  [c.ARPHRD_SIT]: c.LINKTYPE_RAW,
  [c.ARPHRD_IPGRE]: c.LINKTYPE_RAW,
  [c.ARPHRD_IP6GRE]: c.LINKTYPE_RAW,
};

/**
 * The LINKTYPE_* of what a SOCK_RAW socket receives from an interface of this kind (ARPHRD_*);
 * `undefined` for kinds whose packets are better captured with SOCK_DGRAM and `cookedPacket`.
 */
export function linkTypeOf(hardwareType: number): number | undefined {
  return LINK_TYPES[checkInteger('hardwareType', hardwareType, 0, 0xffff)];
}

/** @internal Checks what has a method `write`. */
export function checkSink(sink: CaptureSink): CaptureSink {
  if (typeof (sink as Partial<CaptureSink> | null | undefined)?.write !== 'function') {
    throw invalidArgumentType('sink', 'a writable stream, or an object with a method write', sink);
  }
  return sink;
}

const TIMESTAMP_MAX = 0xffff_ffff_ffff_ffffn;

/** @internal Checks a packet to write, of which no more than `snapLength` bytes are kept. */
export function checkRecord(
  record: CaptureRecord,
  snapLength: number,
): { data: Uint8Array; length: number; timestamp: bigint } {
  const { data, length, timestamp } = checkObject('packet', record);
  if (typeof data === 'string') throw invalidArgumentType('packet.data', 'a Uint8Array', data);
  const bytes = toBytes('packet.data', data);
  if (bytes.length > PACKET_MAX) throw outOfRange('packet.data', `at most ${PACKET_MAX} bytes`, bytes.length);
  return {
    data: bytes.length > snapLength ? bytes.subarray(0, snapLength) : bytes,
    length: length === undefined ? bytes.length : checkInteger('packet.length', length, bytes.length, 0xffff_ffff),
    timestamp: checkBigInt('packet.timestamp', timestamp, 0n, TIMESTAMP_MAX),
  };
}
