// What goes over the air, to controllers and to the management interface is little-endian on every
// machine; the functions of core that end in neither LE nor BE use the byte order of this one.

/** The same memory as a Buffer. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** A 16-bit integer, little-endian. */
export const readU16LE = (bytes: Uint8Array, offset: number): number =>
  (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);

/** A 32-bit integer, little-endian. */
export const readU32LE = (bytes: Uint8Array, offset: number): number =>
  (readU16LE(bytes, offset) | (readU16LE(bytes, offset + 2) << 16)) >>> 0;

export function writeU16LE(bytes: Uint8Array, value: number, offset: number): void {
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = value >> 8;
}

export function writeU32LE(bytes: Uint8Array, value: number, offset: number): void {
  writeU16LE(bytes, value & 0xffff, offset);
  writeU16LE(bytes, value >>> 16, offset + 2);
}

/** A class of device, three bytes little-endian. Source: Bluetooth Assigned Numbers. */
export const readClass = (bytes: Uint8Array, offset: number): number =>
  readU16LE(bytes, offset) | ((bytes[offset + 2] as number) << 16);
