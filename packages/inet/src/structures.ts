import { checkInteger, checkString, invalidArgumentType, outOfRange, type SocketInfo, writeI32 } from '@sock/core';
import { parseIPv4, parseIPv6 } from './text.js';

/** A network interface: its name, its index, or (`''` or 0) none in particular. */
export type InterfaceInput = string | number;

/** The index of an interface that is given by name or by index; 0 for none in particular. */
export function interfaceIndex(argument: string, value: unknown, socket: Pick<SocketInfo, 'interfaceIndex'>): number {
  if (value === undefined || value === '') return 0;
  if (typeof value === 'number') return checkInteger(argument, value, 0, 0x7fffffff);
  if (typeof value !== 'string') throw invalidArgumentType(argument, "an interface's name or index", value);
  return socket.interfaceIndex(value);
}

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

/** Alignment of a `struct sockaddr_storage`, and so of structures that hold one: that of a long. */
export const STORAGE_ALIGNMENT = ['arm', 'ia32', 'mips', 'mipsel'].includes(process.arch) ? 4 : 8;
