/**
 * Internet addresses as text and as bytes in network byte order: the forms of inet_pton(3) and
 * inet_ntop(3), without a regular expression or a substring, for they run once per datagram.
 */

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Reads `a.b.c.d` from `text.slice(start, end)` into four bytes. False where it is not that: no
 * leading zeros, no fewer than four parts, as inet_pton(3) has it.
 */
export function parseIPv4(text: string, start: number, end: number, into: Uint8Array, offset: number): boolean {
  let value = 0;
  let digits = 0;
  let part = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || part === 3) return false;
      into[offset + part++] = value;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || (digits === 1 && value === 0)) return false;
    value = value * 10 + digit;
    if (value > 255) return false;
    digits++;
  }
  if (part !== 3 || digits === 0) return false;
  into[offset + 3] = value;
  return true;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Reads an IPv6 address without a scope from `text.slice(start, end)` into 16 bytes. False where it is none. */
export function parseIPv6(text: string, start: number, end: number, into: Uint8Array, offset: number): boolean {
  let at = 0;
  let gap = -1;
  let i = start;
  if (i < end && text.charCodeAt(i) === COLON) {
    if (i + 1 >= end || text.charCodeAt(i + 1) !== COLON) return false;
    gap = 0;
    i += 2;
  }
  while (i < end) {
    if (at === 16) return false;
    const group = i;
    let value = 0;
    let code = -1;
    for (; i < end; i++) {
      code = text.charCodeAt(i);
      const digit = hexDigit(code);
      if (digit < 0) break;
      if (i - group === 4) return false;
      value = (value << 4) | digit;
    }
    if (i < end && code === DOT) {
      if (at > 12 || !parseIPv4(text, group, end, into, offset + at)) return false;
      at += 4;
      break;
    }
    if (i === group) return false;
    into[offset + at++] = value >> 8;
    into[offset + at++] = value & 0xff;
    if (i === end) break;
    if (code !== COLON) return false;
    i++;
    if (i === end) return false;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false;
      gap = at;
      i++;
    }
  }
  if (gap < 0) return at === 16;
  if (at === 16) return false;
  into.copyWithin(offset + 16 - (at - gap), offset + gap, offset + at);
  into.fill(0, offset + gap, offset + 16 - (at - gap));
  return true;
}

const octet = (bytes: Uint8Array, index: number): number => bytes[index] as number;

// peers repeat: the text made last is kept, for the string costs more than the comparison
let lastIPv4 = 0;
let lastIPv4Text = '0.0.0.0';

/** Four bytes as `a.b.c.d`. */
export function formatIPv4(bytes: Uint8Array, offset: number): string {
  const a = octet(bytes, offset);
  const b = octet(bytes, offset + 1);
  const c = octet(bytes, offset + 2);
  const d = octet(bytes, offset + 3);
  const word = (a << 24) | (b << 16) | (c << 8) | d;
  if (word === lastIPv4) return lastIPv4Text;
  lastIPv4 = word;
  lastIPv4Text = `${a}.${b}.${c}.${d}`;
  return lastIPv4Text;
}

const words = new Uint16Array(8);
const lastWords = new Uint16Array(8);
let lastIPv6Text = '::';

/** 16 bytes as the text that inet_ntop(3) gives: RFC 5952, with IPv4 parts written as such. */
export function formatIPv6(bytes: Uint8Array, offset: number): string {
  let same = true;
  for (let i = 0; i < 8; i++) {
    const word = (octet(bytes, offset + 2 * i) << 8) | octet(bytes, offset + 2 * i + 1);
    words[i] = word;
    if (word !== lastWords[i]) same = false;
  }
  if (same) return lastIPv6Text;
  lastWords.set(words);
  lastIPv6Text = ipv6Text(bytes, offset);
  return lastIPv6Text;
}

function ipv6Text(bytes: Uint8Array, offset: number): string {
  let gap = -1;
  let gapLength = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = words[i] === 0 ? run + 1 : 0;
    if (run > gapLength) {
      gapLength = run;
      gap = i - run + 1;
    }
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += '::';
      i += gapLength - 1;
      continue;
    }
    if (i > 0 && (gap < 0 || i !== gap + gapLength)) text += ':';
    if (i === 6 && gap === 0 && (gapLength === 6 || (gapLength === 5 && words[5] === 0xffff))) {
      return text + formatIPv4(bytes, offset + 12);
    }
    text += (words[i] as number).toString(16);
  }
  return text;
}

const scratch = new Uint8Array(16);

/** Whether all of a text is an IPv4 address that inet_pton(3) would take. */
export function isIPv4(text: string): boolean {
  return parseIPv4(text, 0, text.length, scratch, 0);
}

/** Whether all of a text is an IPv6 address, with or without a scope behind `%`. */
export function isIPv6(text: string): boolean {
  const percent = text.indexOf('%');
  return parseIPv6(text, 0, percent === -1 ? text.length : percent, scratch, 0);
}
