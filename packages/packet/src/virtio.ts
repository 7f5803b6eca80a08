import { checkInteger, checkObject, invalidArgumentType, readU16, writeU16 } from '@sock/core';

/**
 * What comes before each packet with `packetVnetHdr`: offloads that were done, or are to be done.
 * Source: `struct virtio_net_hdr`, linux/virtio_net.h, the Virtio specification.
 */
export interface VirtioHeader {
  /** VIRTIO_NET_HDR_F_*, or-ed together. */
  readonly flags: number;
  /** How the packet is to be segmented: VIRTIO_NET_HDR_GSO_*. */
  readonly gsoType: number;
  /** Bytes of all headers. */
  readonly headerLength: number;
  /** Bytes of payload in a segment. */
  readonly gsoSize: number;
  /** Where the checksum begins to count, bytes from the start of the packet. */
  readonly checksumStart: number;
  /** Where the checksum goes, bytes from `checksumStart`. */
  readonly checksumOffset: number;
}

/** Bytes of the header that `packetVnetHdr` means. */
export const VIRTIO_HEADER_SIZE = 10;

/**
 * The bytes to put before a packet. Members left out are 0.
 * @param size bytes to make: 10 unless told; 12 for `packetVnetHdrSz` 12
 */
export function packVirtioHeader(header: Partial<VirtioHeader>, size: number = VIRTIO_HEADER_SIZE): Buffer {
  const {
    flags = 0,
    gsoType = 0,
    headerLength = 0,
    gsoSize = 0,
    checksumStart = 0,
    checksumOffset = 0,
  } = checkObject('header', header);
  const bytes = Buffer.alloc(checkInteger('size', size, VIRTIO_HEADER_SIZE, 0xff));
  bytes[0] = checkInteger('header.flags', flags, 0, 0xff);
  bytes[1] = checkInteger('header.gsoType', gsoType, 0, 0xff);
  // this machine's byte order: packet sockets have the header as it was before Virtio 1.0
  writeU16(bytes, checkInteger('header.headerLength', headerLength, 0, 0xffff), 2);
  writeU16(bytes, checkInteger('header.gsoSize', gsoSize, 0, 0xffff), 4);
  writeU16(bytes, checkInteger('header.checksumStart', checksumStart, 0, 0xffff), 6);
  writeU16(bytes, checkInteger('header.checksumOffset', checksumOffset, 0, 0xffff), 8);
  return bytes;
}

/** Reads the header at the start of what was received; `undefined` for fewer than 10 bytes. */
export function unpackVirtioHeader(bytes: Uint8Array): VirtioHeader | undefined {
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'a Uint8Array', bytes);
  if (bytes.length < VIRTIO_HEADER_SIZE) return undefined;
  return {
    flags: bytes[0] as number,
    gsoType: bytes[1] as number,
    headerLength: readU16(bytes, 2),
    gsoSize: readU16(bytes, 4),
    checksumStart: readU16(bytes, 6),
    checksumOffset: readU16(bytes, 8),
  };
}
