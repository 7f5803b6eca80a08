import {
  AF_INET,
  AF_INET6,
  type AncillaryMessage,
  ancillaryMessage,
  checkBoolean,
  checkInteger,
  checkObject,
  type OptionKey,
  readI32,
  readU16,
  readU32,
  readU32BE,
  readU64,
  type SocketInfo,
  type SocketOption,
  writeI32,
  writeU16,
  writeU16BE,
  writeU32,
  writeU32BE,
} from '@sock/core';
import { decodeInet, decodeInet6, type Inet6Input, type IpAddress } from './address.js';
import { writeIPv4, writeIPv6 } from './structures.js';
import { isIPv4 } from './text.js';

/** One member of a kernel structure, at its offset. */
export interface Field<T> {
  read(raw: Uint8Array): T;
  /** @throws TypeError or RangeError naming `argument` */
  write(argument: string, value: unknown, into: Uint8Array, socket: Pick<SocketInfo, 'domain'>): void;
}

/** What is accepted for a structure: its members, each of which may be left out, and then is 0. */
export type FieldsInput<T> = {
  readonly [K in keyof T]?: (T[K] extends IpAddress | null ? Inet6Input : T[K]) | undefined;
};

/** A kernel structure: how its bytes and an object become each other. */
export interface Structure<T extends object> {
  /** Bytes. */
  readonly size: number;
  /** What is too short is taken as zeros. */
  read(raw: Uint8Array): T;
  /** @throws TypeError or RangeError naming `argument` or the member of it that is wrong */
  write(argument: string, value: FieldsInput<T>, socket?: Pick<SocketInfo, 'domain'>): Uint8Array;
}

// of IPv6 are the sockets that take addresses of both families
const EITHER = { domain: AF_INET6 };

/** Describes a structure by its members, which the kernel reads and writes. */
export function structure<T extends object>(
  size: number,
  fields: { readonly [K in keyof T]-?: Field<T[K]> },
): Structure<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    size,
    read(raw) {
      const bytes = raw.length >= size ? raw : Buffer.concat([raw], size);
      return Object.fromEntries(names.map((name) => [name, fields[name].read(bytes)])) as T;
    },
    write(argument, value, socket = EITHER) {
      const input = checkObject(argument, value);
      const bytes = new Uint8Array(size);
      for (const name of names) {
        if (input[name] !== undefined) fields[name].write(`${argument}.${name}`, input[name], bytes, socket);
      }
      return bytes;
    },
  };
}

export const u8 = (offset: number): Field<number> => ({
  read: (raw) => raw[offset] as number,
  write(argument, value, into) {
    into[offset] = checkInteger(argument, value, 0, 0xff);
  },
});

export const u16 = (offset: number): Field<number> => ({
  read: (raw) => readU16(raw, offset),
  write: (argument, value, into) => writeU16(into, checkInteger(argument, value, 0, 0xffff), offset),
});

export const u16be = (offset: number): Field<number> => ({
  read: (raw) => ((raw[offset] as number) << 8) | (raw[offset + 1] as number),
  write: (argument, value, into) => writeU16BE(into, checkInteger(argument, value, 0, 0xffff), offset),
});

export const u32 = (offset: number): Field<number> => ({
  read: (raw) => readU32(raw, offset),
  write: (argument, value, into) => writeU32(into, checkInteger(argument, value, 0, 0xffffffff), offset),
});

export const u32be = (offset: number): Field<number> => ({
  read: (raw) => readU32BE(raw, offset),
  write: (argument, value, into) => writeU32BE(into, checkInteger(argument, value, 0, 0xffffffff), offset),
});

export const i32 = (offset: number): Field<number> => ({
  read: (raw) => readI32(raw, offset),
  write: (argument, value, into) => writeI32(into, checkInteger(argument, value, -0x80000000, 0x7fffffff), offset),
});

/** A counter, which only the kernel writes. */
export const u64 = (offset: number): Field<bigint> => ({
  read: (raw) => readU64(raw, offset),
  write: () => {},
});

export const flag = (offset: number): Field<boolean> => ({
  read: (raw) => raw[offset] !== 0,
  write(argument, value, into) {
    into[offset] = checkBoolean(argument, value) ? 1 : 0;
  },
});

/** A `struct sockaddr_storage`; `null` is none. */
export const storage = (offset: number): Field<IpAddress | null> => ({
  read: (raw) => decodeSockaddr(raw.subarray(offset)),
  write(argument, value, into, socket) {
    writeSockaddr(argument, value, into, offset, socket);
  },
});

/** Reads a `struct sockaddr` of either family: `null` where it is of none. */
export function decodeSockaddr(sockaddr: Uint8Array): IpAddress | null {
  const family = sockaddr.length >= 2 ? readU16(sockaddr, 0) : 0;
  if (family === AF_INET && sockaddr.length >= 8) return decodeInet(sockaddr);
  if (family === AF_INET6 && sockaddr.length >= 24) return decodeInet6(sockaddr);
  return null;
}

/** Bytes of a `struct sockaddr_in` or `struct sockaddr_in6`, by its address family. */
export const sockaddrSize = (family: number): number => (family === AF_INET6 ? 28 : 16);

/**
 * Writes a numeric address as a `struct sockaddr_in` or `struct sockaddr_in6`; on a socket of IPv6
 * either can be meant.
 * @returns the bytes used
 */
export function writeSockaddr(
  argument: string,
  value: unknown,
  into: Uint8Array,
  offset: number,
  { domain }: Pick<SocketInfo, 'domain'>,
): number {
  const { host = '', port = 0, scopeid = 0 } = checkObject(argument, value as Inet6Input);
  const family = domain === AF_INET6 && !(typeof host === 'string' && isIPv4(host)) ? AF_INET6 : AF_INET;
  writeU16(into, family, offset);
  writeU16BE(into, checkInteger(`${argument}.port`, port, 0, 0xffff), offset + 2);
  if (family === AF_INET) {
    if (host !== '') writeIPv4(`${argument}.host`, host, into, offset + 4);
  } else {
    if (host !== '') writeIPv6(`${argument}.host`, host, into, offset + 8);
    writeU32(into, checkInteger(`${argument}.scopeid`, scopeid, 0, 0xffffffff), offset + 24);
  }
  return sockaddrSize(family);
}

/** An option that is a structure. */
export function structureOption<T extends object>(
  key: OptionKey,
  codec: Structure<T>,
): SocketOption<T, FieldsInput<T>> {
  return {
    ...key,
    size: codec.size,
    encode: (value, socket) => codec.write('value', value, socket),
    decode: (raw) => codec.read(raw),
  };
}

/** A control message that is a structure. */
export function structureMessage<T extends object>(
  key: { level: number; type: number; label: string },
  codec: Structure<T>,
): AncillaryMessage<T, FieldsInput<T>> {
  return ancillaryMessage<T, FieldsInput<T>>({
    ...key,
    size: codec.size,
    encode: (value) => codec.write('value', value),
    decode: (data) => (data.length < codec.size ? undefined : codec.read(data)),
  });
}

/** Checks the identifier of an association; 0 where there is none. */
export const checkAssocId = (argument: string, value: unknown): number =>
  value === undefined ? 0 : checkInteger(argument, value, 0, 0x7fffffff);
