import { checkString, LONG_SIZE, outOfRange, writeI32 } from '@sock/core';
import { parseIPv4, parseIPv6 } from './text.js';

/** Writes an IPv4 address in network byte order. */
export function writeIPv4(argument: string, value: unknown, into: Uint8Array, offset: number): void {
  const text = checkString(argument, value);
  if (!parseIPv4(text, 0, text.length, into, offset)) {
    throw outOfRange(argument, 'an IPv4 address such as 192.0.2.1', text);
  }
}

/** Writes an IPv6 address in network byte order. */
export function writeIPv6(argument: string, value: unknown, into: Uint8Array, offset: number): void {
  const text = checkString(argument, value);
  if (!parseIPv6(text, 0, text.length, into, offset)) {
    throw outOfRange(argument, 'an IPv6 address such as 2001:db8::1', text);
  }
}

/** The bytes of an int, or of several. */
export function ints(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, i) => {
    writeI32(bytes, value, 4 * i);
  });
  return bytes;
}

/** Alignment of a `struct sockaddr_storage`, and so of structures that hold one. */
export const STORAGE_ALIGNMENT: number = LONG_SIZE;
