import { endianness } from 'node:os';

/**
 * Integers in kernel structures. The plain functions use the byte order of this machine, those
 * named BE network byte order. Offsets are in bytes; nothing needs to be aligned.
 */
const LITTLE = endianness() === 'LE';

/** Bytes of a C `long`, a pointer and a `size_t` on this machine. */
export const LONG_SIZE: 4 | 8 = ['arm', 'ia32', 'mips', 'mipsel'].includes(process.arch) ? 4 : 8;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Making a DataView costs more than reading a few bytes. It is made where it has to say what is wrong, and for 64 bits.
function within(bytes: Uint8Array, offset: number, size: number): boolean {
  return offset >= 0 && offset + size <= bytes.length;
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] as number;

function little16(bytes: Uint8Array, offset: number): number {
  return at(bytes, offset) | (at(bytes, offset + 1) << 8);
}

function big16(bytes: Uint8Array, offset: number): number {
  return (at(bytes, offset) << 8) | at(bytes, offset + 1);
}

// 32 bits, with a sign
function little32(bytes: Uint8Array, offset: number): number {
  return little16(bytes, offset) | (little16(bytes, offset + 2) << 16);
}

function big32(bytes: Uint8Array, offset: number): number {
  return (big16(bytes, offset) << 16) | big16(bytes, offset + 2);
}

const native16 = LITTLE ? little16 : big16;
const native32 = LITTLE ? little32 : big32;

export const readU16 = (bytes: Uint8Array, offset: number): number =>
  within(bytes, offset, 2) ? native16(bytes, offset) : view(bytes).getUint16(offset, LITTLE);
export const readU32 = (bytes: Uint8Array, offset: number): number =>
  within(bytes, offset, 4) ? native32(bytes, offset) >>> 0 : view(bytes).getUint32(offset, LITTLE);
export const readI32 = (bytes: Uint8Array, offset: number): number =>
  within(bytes, offset, 4) ? native32(bytes, offset) : view(bytes).getInt32(offset, LITTLE);
export const readU64 = (bytes: Uint8Array, offset: number): bigint => view(bytes).getBigUint64(offset, LITTLE);
export const readI64 = (bytes: Uint8Array, offset: number): bigint => view(bytes).getBigInt64(offset, LITTLE);
export const readU16BE = (bytes: Uint8Array, offset: number): number =>
  within(bytes, offset, 2) ? big16(bytes, offset) : view(bytes).getUint16(offset, false);
export const readU32BE = (bytes: Uint8Array, offset: number): number =>
  within(bytes, offset, 4) ? big32(bytes, offset) >>> 0 : view(bytes).getUint32(offset, false);

export const writeU16 = (bytes: Uint8Array, value: number, offset: number): void =>
  view(bytes).setUint16(offset, value, LITTLE);
export const writeU32 = (bytes: Uint8Array, value: number, offset: number): void =>
  view(bytes).setUint32(offset, value, LITTLE);
export const writeI32 = (bytes: Uint8Array, value: number, offset: number): void =>
  view(bytes).setInt32(offset, value, LITTLE);
export const writeU64 = (bytes: Uint8Array, value: bigint, offset: number): void =>
  view(bytes).setBigUint64(offset, value, LITTLE);
export const writeI64 = (bytes: Uint8Array, value: bigint, offset: number): void =>
  view(bytes).setBigInt64(offset, value, LITTLE);
export const writeU16BE = (bytes: Uint8Array, value: number, offset: number): void =>
  view(bytes).setUint16(offset, value, false);
export const writeU32BE = (bytes: Uint8Array, value: number, offset: number): void =>
  view(bytes).setUint32(offset, value, false);

/** A text that ends with its first NUL, or where the bytes end. */
export function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, end === -1 ? bytes.length : end).toString();
}
