import { isIPv4, isIPv6 } from 'node:net';
import { AF_INET, AF_INET6, checkString, outOfRange } from '@sock/core';

/** Bytes of an address, by family. */
export const addressSize = (family: number): number => (family === AF_INET6 ? 16 : 4);

function parseIPv4(text: string): number[] {
  return text.split('.').map(Number);
}

function parseIPv6(text: string): number[] {
  const dots = text.lastIndexOf(':') + 1;
  const mapped = text.includes('.') ? parseIPv4(text.slice(dots)) : [];
  const words = mapped.length === 0 ? text : `${text.slice(0, dots)}0:0`;
  const [head = '', tail] = words.split('::');
  const toBytes = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]);
  const before = toBytes(head);
  const after = tail === undefined ? [] : toBytes(tail);
  const bytes = [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after];
  bytes.splice(16 - mapped.length, mapped.length, ...mapped);
  return bytes;
}

/** The bytes of an IP address, 4 or 16 of them; `undefined` for what is none. Zones are not accepted. */
export function parseIp(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(parseIPv4(text));
  if (isIPv6(text) && !text.includes('%')) return Buffer.from(parseIPv6(text));
  return undefined;
}

function formatIPv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (words[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  // as inet_ntop(3) has it: the addresses that hold an IPv4 address show it
  const holdsIPv4 = start === 0 && (length === 6 || (length === 5 && words[5] === 0xffff));
  const shown = holdsIPv4 ? words.slice(0, 6) : words;
  const texts = shown.map((word) => word.toString(16));
  if (holdsIPv4) texts.push(formatIp(bytes.subarray(12)));
  if (start < 0) return texts.join(':');
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`;
}

/** An IP address as text, of 4 or 16 bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 16 ? formatIPv6(bytes) : bytes.subarray(0, 4).join('.');
}

/** An IP address that the kernel gave; `undefined` where it has another length. */
export function readIp(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.length === 4 || bytes?.length === 16 ? formatIp(bytes) : undefined;
}

/** AF_INET or AF_INET6 of an address's bytes. */
export const familyOf = (bytes: Uint8Array): number => (bytes.length === 16 ? AF_INET6 : AF_INET);

/**
 * The bytes of an IP address that the caller gave.
 * @param family that it must be of; either unless told
 */
export function checkIp(argument: string, value: unknown, family?: number): Buffer {
  const text = checkString(argument, value);
  const bytes = parseIp(text);
  if (bytes !== undefined && (family === undefined || familyOf(bytes) === family)) return bytes;
  const kind = family === undefined ? 'an IP' : family === AF_INET ? 'an IPv4' : 'an IPv6';
  throw outOfRange(argument, `${kind} address`, text);
}

/** The bytes of a link-layer address, such as `02:00:5e:10:00:01`: 1 to 32 bytes. */
export function checkLinkAddress(argument: string, value: unknown): Buffer {
  const text = checkString(argument, value);
  if (!/^[\da-f]{1,2}(?::[\da-f]{1,2}){0,31}$/i.test(text)) {
    throw outOfRange(argument, 'a link-layer address such as 02:00:5e:10:00:01', text);
  }
  return Buffer.from(text.split(':').map((byte) => Number.parseInt(byte, 16)));
}

/** A link-layer address as text. */
export function formatLinkAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
