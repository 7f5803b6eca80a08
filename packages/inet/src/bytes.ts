import { endianness } from 'node:os';
import { AF_INET, AF_INET6, checkInteger, checkString, invalidArgumentType, outOfRange, toBytes } from '@sock/core';
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from './text.js';

const LITTLE = endianness() === 'LE';

const swap16 = (value: number): number => (LITTLE ? ((value & 0xff) << 8) | (value >> 8) : value);

const swap32 = (value: number): number =>
  LITTLE ? ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0 : value;

/**
 * A 16-bit integer from host to network byte order.
 * @throws RangeError `ERR_OUT_OF_RANGE` outside 0 to 65535. Source: byteorder(3).
 */
export function htons(value: number): number {
  return swap16(checkInteger('value', value, 0, 0xffff));
}

/** A 16-bit integer from network to host byte order. @throws as `htons`. Source: byteorder(3). */
export function ntohs(value: number): number {
  return swap16(checkInteger('value', value, 0, 0xffff));
}

/**
 * A 32-bit integer from host to network byte order.
 * @throws RangeError `ERR_OUT_OF_RANGE` outside 0 to 4294967295. Source: byteorder(3).
 */
export function htonl(value: number): number {
  return swap32(checkInteger('value', value, 0, 0xffffffff));
}

/** A 32-bit integer from network to host byte order. @throws as `htonl`. Source: byteorder(3). */
export function ntohl(value: number): number {
  return swap32(checkInteger('value', value, 0, 0xffffffff));
}

function checkFamily(family: unknown): typeof AF_INET | typeof AF_INET6 {
  if (typeof family !== 'number') throw invalidArgumentType('family', 'AF_INET or AF_INET6', family);
  if (family !== AF_INET && family !== AF_INET6) throw outOfRange('family', 'AF_INET or AF_INET6', family);
  return family;
}

/**
 * An address as text to bytes in network byte order: 4 for AF_INET, 16 for AF_INET6.
 * @throws RangeError `ERR_OUT_OF_RANGE` for a text that is no address of that family, a scope
 * behind `%` included. Source: inet_pton(3).
 */
export function inet_pton(family: number, address: string): Buffer {
  const ipv4 = checkFamily(family) === AF_INET;
  const text = checkString('address', address);
  const bytes = Buffer.alloc(ipv4 ? 4 : 16);
  if (!(ipv4 ? parseIPv4 : parseIPv6)(text, 0, text.length, bytes, 0)) {
    throw outOfRange(
      'address',
      ipv4 ? 'an IPv4 address such as 192.0.2.1' : 'an IPv6 address such as 2001:db8::1',
      text,
    );
  }
  return bytes;
}

/**
 * An address in network byte order to text; IPv6 as RFC 5952 writes it.
 * @throws RangeError `ERR_OUT_OF_RANGE` where `packed` is not 4 (AF_INET) or 16 (AF_INET6) bytes.
 * Source: inet_ntop(3).
 */
export function inet_ntop(family: number, packed: ArrayBufferView | ArrayBuffer): string {
  const ipv4 = checkFamily(family) === AF_INET;
  const bytes = packedBytes(packed, ipv4 ? 4 : 16);
  return ipv4 ? formatIPv4(bytes, 0) : formatIPv6(bytes, 0);
}

function packedBytes(packed: unknown, length: number): Uint8Array {
  if (typeof packed === 'string') throw invalidArgumentType('packed', 'an ArrayBufferView or an ArrayBuffer', packed);
  const bytes = toBytes('packed', packed);
  if (bytes.length !== length) {
    throw outOfRange('packed', `an address of ${length} bytes`, `${bytes.length} bytes`);
  }
  return bytes;
}

/** Four bytes in network byte order as `a.b.c.d`. @throws RangeError where there are not four. Source: inet(3). */
export function inet_ntoa(packed: ArrayBufferView | ArrayBuffer): string {
  return formatIPv4(packedBytes(packed, 4), 0);
}

// what the last of 1, 2, 3 or 4 parts may be: it fills all bytes that remain
const LAST_PART_MAX = [0xffffffff, 0xffffff, 0xffff, 0xff];
const NUMBER = /0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*/y;
const C_SPACE = ' \t\n\v\f\r';

function aton(text: string): number | undefined {
  let prefix = 0;
  let at = 0;
  for (let part = 0; ; part++) {
    NUMBER.lastIndex = at;
    const digits = NUMBER.exec(text)?.[0];
    if (digits === undefined) return undefined;
    at += digits.length;
    const octal = digits.length > 1 && digits[0] === '0' && !/[xX]/.test(digits);
    const value = octal ? Number.parseInt(digits, 8) : Number(digits);
    if (text[at] !== '.') {
      const end = text[at];
      if (end !== undefined && !C_SPACE.includes(end)) return undefined;
      const max = LAST_PART_MAX[part] as number;
      return value > max ? undefined : prefix + value;
    }
    if (part === 3 || value > 0xff) return undefined;
    prefix += value * 2 ** (24 - 8 * part);
    at++;
  }
}

/**
 * An IPv4 address in any form that C takes, to four bytes in network byte order: one to four
 * parts, of which the last fills what remains (`127.1`, `2130706433`), each decimal, octal (`0177`)
 * or hexadecimal (`0x7f`); what follows white space is not looked at.
 * @throws RangeError `ERR_OUT_OF_RANGE` for anything else. Source: inet(3).
 */
export function inet_aton(address: string): Buffer {
  const value = aton(checkString('address', address));
  if (value === undefined) throw outOfRange('address', 'an IPv4 address such as 192.0.2.1', address);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
