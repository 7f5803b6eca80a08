import { checkInteger, checkObject, invalidArgumentType, outOfRange } from '@sock/core';
import { readU16LE, writeU16LE } from './structures.js';

/** A codec of an adapter. Source: `struct bt_codec`. */
export interface BluetoothCodec {
  /** Number of the codec; 255 for one of a maker's. Source: Bluetooth Assigned Numbers, Host Controller Interface. */
  id: number;
  /** Number of the maker. */
  companyId: number;
  /** Number that the maker gave it. */
  vendorId: number;
  /** Path that the data takes to the controller, 0 for HCI. */
  dataPathId: number;
  /** What it can do, in the form of its specification. */
  capabilities: readonly Uint8Array[];
}

/** Bytes to offer for a list of codecs. */
export const CODECS_SIZE = 1024;
const HEADER = 7;

/** A list of one codec, as the kernel takes it. */
export function encodeCodec(codec: BluetoothCodec): Uint8Array {
  const { id, companyId, vendorId, dataPathId, capabilities } = checkObject('value', codec);
  if (!Array.isArray(capabilities)) throw invalidArgumentType('value.capabilities', 'an array', capabilities);
  const head = new Uint8Array(1 + HEADER + 1);
  head[0] = 1;
  head[1] = checkInteger('value.id', id, 0, 0xff);
  writeU16LE(head, checkInteger('value.companyId', companyId, 0, 0xffff), 2);
  writeU16LE(head, checkInteger('value.vendorId', vendorId, 0, 0xffff), 4);
  head[6] = checkInteger('value.dataPathId', dataPathId, 0, 0xff);
  head[7] = checkInteger('value.capabilities.length', capabilities.length, 0, 0xff);
  const parts = capabilities.flatMap((bytes, i) => {
    if (!(bytes instanceof Uint8Array)) throw invalidArgumentType(`value.capabilities[${i}]`, 'a Uint8Array', bytes);
    if (bytes.length > 0xff) throw outOfRange(`value.capabilities[${i}]`, 'at most 255 bytes', bytes.length);
    return [Uint8Array.of(bytes.length), bytes];
  });
  return Buffer.concat([head.subarray(0, 8), ...parts]);
}

/** The codecs of a list; what is cut off is left out. */
export function decodeCodecs(raw: Uint8Array): BluetoothCodec[] {
  const codecs: BluetoothCodec[] = [];
  let at = 1;
  while (codecs.length < (raw[0] ?? 0) && at + HEADER <= raw.length) {
    const start = at;
    const capabilities: Uint8Array[] = [];
    at += HEADER;
    for (let left = raw[start + 6] as number; left > 0; left--) {
      const length = raw[at] ?? 0;
      if (at >= raw.length || at + 1 + length > raw.length) return codecs;
      capabilities.push(Buffer.from(raw.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    codecs.push({
      id: raw[start] as number,
      companyId: readU16LE(raw, start + 1),
      vendorId: readU16LE(raw, start + 3),
      dataPathId: raw[start + 5] as number,
      capabilities,
    });
  }
  return codecs;
}
