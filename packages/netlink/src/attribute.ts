import {
  checkBigInt,
  checkInteger,
  checkObject,
  type Data,
  invalidArgumentType,
  outOfRange,
  readI32,
  readI64,
  readText,
  readU16,
  readU16BE,
  readU32,
  readU32BE,
  readU64,
  toBytes,
  writeI32,
  writeI64,
  writeU16,
  writeU16BE,
  writeU32,
  writeU32BE,
  writeU64,
} from '@sock/core';
import { NLA_ALIGNTO, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLA_TYPE_MASK } from './constants.gen.js';

/** Bytes of a struct nlattr. Source: linux/netlink.h. */
const HEADER = 4;
const LENGTH_MAX = 0xffff;

/** Bytes with the padding that follows them in messages. */
export const align = (length: number): number => (length + NLA_ALIGNTO - 1) & ~(NLA_ALIGNTO - 1);

/** An attribute as it was received. Source: netlink(7), linux/netlink.h. */
export interface Attribute {
  /** Type, without flags. */
  readonly type: number;
  /** NLA_F_NESTED: the value is attributes. The older parts of the kernel do not set it. */
  readonly nested: boolean;
  /** NLA_F_NET_BYTEORDER: the value is in network byte order. */
  readonly bigEndian: boolean;
  readonly data: Buffer;
}

/** An attribute to send: with data, or with further attributes in it. `attribute` makes them. */
export interface AttributeInput {
  /** Type, without flags: 0 to 16,383. */
  type: number;
  /** The value; none unless told. */
  data?: Data | undefined;
  /** The value, as attributes: sets NLA_F_NESTED. */
  attributes?: Iterable<AttributeInput> | undefined;
  /** Sets NLA_F_NET_BYTEORDER; the caller has put the value into that order. */
  bigEndian?: boolean | undefined;
}

function encodeOne(argument: string, input: AttributeInput): { header: number; data: Uint8Array } {
  const { type, data, attributes, bigEndian } = checkObject(argument, input);
  checkInteger(`${argument}.type`, type, 0, NLA_TYPE_MASK);
  if (attributes !== undefined) {
    if (data !== undefined) throw outOfRange(argument, 'an attribute with either data or attributes', input);
    return { header: type | NLA_F_NESTED, data: packAttributes(attributes, `${argument}.attributes`) };
  }
  const header = bigEndian === true ? type | NLA_F_NET_BYTEORDER : type;
  return { header, data: data === undefined ? Buffer.alloc(0) : toBytes(`${argument}.data`, data) };
}

/**
 * Attributes as the kernel takes them, one behind the other, each padded to 4 bytes.
 * @param argument name of what they are, for error messages
 * @throws RangeError for one that has more than 65,531 bytes
 */
export function packAttributes(attributes: Iterable<AttributeInput>, argument = 'attributes'): Buffer {
  if (typeof attributes !== 'object' || attributes === null || !(Symbol.iterator in attributes)) {
    throw invalidArgumentType(argument, 'attributes, such as an array of them', attributes);
  }
  const encoded = Array.from(attributes, (input, i) => encodeOne(`${argument}[${i}]`, input));
  const packed = Buffer.alloc(encoded.reduce((size, { data }) => size + HEADER + align(data.length), 0));
  let offset = 0;
  encoded.forEach(({ header, data }, i) => {
    const length = HEADER + data.length;
    if (length > LENGTH_MAX) {
      throw outOfRange(`${argument}[${i}]`, `an attribute of at most ${LENGTH_MAX - HEADER} bytes`, data.length);
    }
    writeU16(packed, length, offset);
    writeU16(packed, header, offset + 2);
    packed.set(data, offset + HEADER);
    offset += align(length);
  });
  return packed;
}

function* parse(bytes: Buffer): Generator<Attribute> {
  let offset = 0;
  while (offset + HEADER <= bytes.length) {
    const length = readU16(bytes, offset);
    if (length < HEADER || offset + length > bytes.length) return;
    const type = readU16(bytes, offset + 2);
    yield {
      type: type & NLA_TYPE_MASK,
      nested: (type & NLA_F_NESTED) !== 0,
      bigEndian: (type & NLA_F_NET_BYTEORDER) !== 0,
      data: bytes.subarray(offset + HEADER, offset + length),
    };
    offset += align(length);
  }
}

/**
 * Attributes that were received, in order, with ways to read those of a type. Where a type is there
 * several times the last counts, as in the kernel; `all` gives each. What is too short to be what was
 * asked for is `undefined`, as what is not there. Integers are in this machine's byte order unless the
 * attribute says otherwise.
 */
export class Attributes implements Iterable<Attribute> {
  readonly #list: readonly Attribute[];
  #byType: Map<number, Attribute> | undefined;

  /** @param list in order */
  constructor(list: Iterable<Attribute> = []) {
    this.#list = [...list];
  }

  /** How many there are. */
  get length(): number {
    return this.#list.length;
  }

  [Symbol.iterator](): IterableIterator<Attribute> {
    return this.#list.values();
  }

  /** The last attribute of a type. */
  get(type: number): Attribute | undefined {
    if (this.#byType === undefined) this.#byType = new Map(this.#list.map((one) => [one.type, one]));
    return this.#byType.get(type);
  }

  /** All attributes of a type. */
  all(type: number): Attribute[] {
    return this.#list.filter((one) => one.type === type);
  }

  /** Whether there is one of a type. */
  has(type: number): boolean {
    return this.get(type) !== undefined;
  }

  /** The value as bytes. */
  bytes(type: number): Buffer | undefined {
    return this.get(type)?.data;
  }

  #value<T>(type: number, size: number, read: (data: Buffer, bigEndian: boolean) => T): T | undefined {
    const one = this.get(type);
    return one === undefined || one.data.length < size ? undefined : read(one.data, one.bigEndian);
  }

  u8(type: number): number | undefined {
    return this.#value(type, 1, (data) => data[0] as number);
  }

  u16(type: number): number | undefined {
    return this.#value(type, 2, (data, big) => (big ? readU16BE(data, 0) : readU16(data, 0)));
  }

  u32(type: number): number | undefined {
    return this.#value(type, 4, (data, big) => (big ? readU32BE(data, 0) : readU32(data, 0)));
  }

  u64(type: number): bigint | undefined {
    return this.#value(type, 8, (data, big) => (big ? data.readBigUInt64BE(0) : readU64(data, 0)));
  }

  s8(type: number): number | undefined {
    return this.#value(type, 1, (data) => data.readInt8(0));
  }

  s16(type: number): number | undefined {
    return this.#value(type, 2, (data, big) => ((big ? readU16BE(data, 0) : readU16(data, 0)) << 16) >> 16);
  }

  s32(type: number): number | undefined {
    return this.#value(type, 4, (data, big) => (big ? data.readInt32BE(0) : readI32(data, 0)));
  }

  s64(type: number): bigint | undefined {
    return this.#value(type, 8, (data, big) => (big ? data.readBigInt64BE(0) : readI64(data, 0)));
  }

  /** A 16-bit integer in network byte order, where the attribute's type alone says so. */
  be16(type: number): number | undefined {
    return this.#value(type, 2, (data) => readU16BE(data, 0));
  }

  /** A 32-bit integer in network byte order, where the attribute's type alone says so. */
  be32(type: number): number | undefined {
    return this.#value(type, 4, (data) => readU32BE(data, 0));
  }

  /** The value as text, up to its first NUL. */
  text(type: number): string | undefined {
    const data = this.bytes(type);
    return data === undefined ? undefined : readText(data);
  }

  /** The attributes in an attribute. */
  nested(type: number): Attributes | undefined {
    const data = this.bytes(type);
    return data === undefined ? undefined : unpackAttributes(data);
  }
}

/**
 * Reads attributes. What follows one whose length cannot be is left out.
 * @param bytes a message's payload, or the value of an attribute
 * @param offset bytes of the structure that comes before them
 */
export function unpackAttributes(bytes: Uint8Array, offset = 0): Attributes {
  const start = align(offset);
  return new Attributes(parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(start)));
}

function integer(size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const S64_MAX = 0x7fff_ffff_ffff_ffffn;

/** Makes attributes to send. Integers are in this machine's byte order but for those named `be`. */
export const attribute = {
  /** An attribute without a value: that it is there says all. */
  flag: (type: number): AttributeInput => ({ type }),
  bytes: (type: number, value: Data): AttributeInput => ({ type, data: toBytes('value', value) }),
  /** A text with a NUL at its end. */
  text(type: number, value: string): AttributeInput {
    if (typeof value !== 'string') throw invalidArgumentType('value', 'a string', value);
    if (value.includes('\0')) throw outOfRange('value', 'a string without NUL characters', value);
    return { type, data: Buffer.from(`${value}\0`) };
  },
  u8: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(1, (bytes) => bytes.writeUInt8(checkInteger('value', value, 0, 0xff))),
  }),
  u16: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(2, (bytes) => writeU16(bytes, checkInteger('value', value, 0, 0xffff), 0)),
  }),
  u32: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(4, (bytes) => writeU32(bytes, checkInteger('value', value, 0, 0xffffffff), 0)),
  }),
  u64: (type: number, value: bigint | number): AttributeInput => ({
    type,
    data: integer(8, (bytes) => writeU64(bytes, checkBigInt('value', value, 0n, U64_MAX), 0)),
  }),
  s8: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(1, (bytes) => bytes.writeInt8(checkInteger('value', value, -0x80, 0x7f))),
  }),
  s16: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(2, (bytes) => writeU16(bytes, checkInteger('value', value, -0x8000, 0x7fff) & 0xffff, 0)),
  }),
  s32: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(4, (bytes) => writeI32(bytes, checkInteger('value', value, -0x80000000, 0x7fffffff), 0)),
  }),
  s64: (type: number, value: bigint | number): AttributeInput => ({
    type,
    data: integer(8, (bytes) => writeI64(bytes, checkBigInt('value', value, -S64_MAX - 1n, S64_MAX), 0)),
  }),
  /** In network byte order, where the attribute's type alone says so. */
  be16: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(2, (bytes) => writeU16BE(bytes, checkInteger('value', value, 0, 0xffff), 0)),
  }),
  /** In network byte order, where the attribute's type alone says so. */
  be32: (type: number, value: number): AttributeInput => ({
    type,
    data: integer(4, (bytes) => writeU32BE(bytes, checkInteger('value', value, 0, 0xffffffff), 0)),
  }),
  /** An attribute of attributes. */
  nested: (type: number, attributes: Iterable<AttributeInput>): AttributeInput => ({ type, attributes }),
};
