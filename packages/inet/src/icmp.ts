import { checkInteger, checkObject, type Data, readU16BE, toBytes, writeU16BE } from '@sock/core';
import { ICMP_ECHO, ICMP_ECHOREPLY, ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST } from './constants.gen.js';

/**
 * The Internet checksum of some bytes: 0 where they contain their own, right checksum.
 * Source: RFC 1071.
 */
export function internetChecksum(data: ArrayBufferView | ArrayBuffer): number {
  const bytes = toBytes('data', data);
  let sum = 0;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] as number);
  if (even < bytes.length) sum += (bytes[even] as number) << 8;
  // the carries, which a number of 53 bits holds for any buffer, come back in at the low end
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** An echo request or reply. Source: RFC 792, RFC 4443. */
export interface IcmpEcho {
  /** ICMP_ECHO, ICMP_ECHOREPLY, ICMPV6_ECHO_REQUEST or ICMPV6_ECHO_REPLY. */
  readonly type: number;
  /** 0 to 65535. A ping socket puts its own number here, which `getsockname` gives as its port. */
  readonly identifier: number;
  /** 0 to 65535. */
  readonly sequence: number;
  readonly data: Buffer;
}

/** What is accepted as an echo request or reply. */
export interface IcmpEchoInput {
  /** ICMP_ECHO unless told; ICMPV6_ECHO_REQUEST for IPv6. */
  readonly type?: number | undefined;
  /** 0 unless told. */
  readonly identifier?: number | undefined;
  /** 0 unless told. */
  readonly sequence?: number | undefined;
  /** None unless told. */
  readonly data?: Data | undefined;
}

const HEADER = 8;
const ECHO_TYPES: readonly number[] = [ICMP_ECHO, ICMP_ECHOREPLY, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY];

/**
 * An echo request or reply as bytes to send. The checksum of ICMPv6 covers the addresses, so the
 * kernel fills it in. Source: RFC 792, RFC 4443.
 */
export function packIcmpEcho(echo: IcmpEchoInput): Buffer {
  const { type = ICMP_ECHO, identifier = 0, sequence = 0, data = '' } = checkObject('echo', echo);
  const payload = toBytes('echo.data', data);
  const bytes = Buffer.alloc(HEADER + payload.length);
  bytes[0] = checkInteger('echo.type', type, 0, 255);
  writeU16BE(bytes, checkInteger('echo.identifier', identifier, 0, 0xffff), 4);
  writeU16BE(bytes, checkInteger('echo.sequence', sequence, 0, 0xffff), 6);
  bytes.set(payload, HEADER);
  if (type < ICMPV6_ECHO_REQUEST) writeU16BE(bytes, internetChecksum(bytes), 2);
  return bytes;
}

/** An echo request or reply from bytes received; `undefined` for every other message. */
export function unpackIcmpEcho(packet: ArrayBufferView | ArrayBuffer): IcmpEcho | undefined {
  const bytes = toBytes('packet', packet);
  const type = bytes[0] as number;
  if (bytes.length < HEADER || bytes[1] !== 0 || !ECHO_TYPES.includes(type)) return undefined;
  return {
    type,
    identifier: readU16BE(bytes, 4),
    sequence: readU16BE(bytes, 6),
    data: Buffer.from(bytes.subarray(HEADER)),
  };
}

/**
 * What follows the header of an IPv4 packet, with which a raw IPv4 socket receives everything;
 * `undefined` where this is no IPv4 packet. It shares the packet's memory. Source: RFC 791, raw(7).
 */
export function ipPayload(packet: ArrayBufferView | ArrayBuffer): Buffer | undefined {
  const bytes = toBytes('packet', packet);
  const first = bytes[0] ?? 0;
  const header = (first & 15) * 4;
  if (first >> 4 !== 4 || header < 20 || bytes.length < header) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + header, bytes.length - header);
}
