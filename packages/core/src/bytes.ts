import { endianness } from 'node:os';

/**
 * Integers in kernel structures. The plain functions use the byte order of this machine, those
 * named BE network byte order. Offsets are in bytes; nothing needs to be aligned.
 */
const LITTLE = endianness() === 'LE';

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const readU16 = (bytes: Uint8Array, offset: number): number => view(bytes).getUint16(offset, LITTLE);
export const readU32 = (bytes: Uint8Array, offset: number): number => view(bytes).getUint32(offset, LITTLE);
export const readI32 = (bytes: Uint8Array, offset: number): number => view(bytes).getInt32(offset, LITTLE);
export const readU64 = (bytes: Uint8Array, offset: number): bigint => view(bytes).getBigUint64(offset, LITTLE);
export const readI64 = (bytes: Uint8Array, offset: number): bigint => view(bytes).getBigInt64(offset, LITTLE);
export const readU16BE = (bytes: Uint8Array, offset: number): number => view(bytes).getUint16(offset, false);
export const readU32BE = (bytes: Uint8Array, offset: number): number => view(bytes).getUint32(offset, false);

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
