import {
  checkBoolean,
  checkInteger,
  type OptionKey,
  type RequestOption,
  readU16,
  readU32,
  type WriteonlyOption,
  writeI32,
  writeU16,
  writeU32,
} from '@sock/core';
import type { Inet6Input, IpAddress } from '../../address.js';
import { IPPROTO_SCTP } from '../../constants.gen.js';
import { checkAssocId, type FieldsInput, i32, type Structure, storage, structure, u32 } from '../../fields.js';
import { STORAGE_ALIGNMENT } from '../../structures.js';
import { keysOf, type ListItem } from '../shared.js';

/** The key of an option. */
export const key = keysOf(IPPROTO_SCTP);

/** What belongs to one association. */
export interface OfAssociation {
  /**
   * The association. Left out on a one-to-one socket; on a one-to-many socket nothing, or
   * SCTP_FUTURE_ASSOC, is all associations to come.
   */
  assocId: number;
}

/** The association that an option is read for; nothing on a one-to-one socket, or for associations to come. */
export type SctpAssocRequest = number | undefined;

/** An option of an association or, where none is named, of those to come. */
export type SctpAssocOption<T extends object> = RequestOption<T, SctpAssocRequest, FieldsInput<T>>;

/** An option of an association that is only read. */
export type SctpAssocStatus<T> = RequestOption<T, SctpAssocRequest>;

/** An option of an association that is a structure, and only read. */
export function assocRead<T extends OfAssociation>(key: OptionKey, codec: Structure<T>): SctpAssocStatus<T> {
  return {
    ...key,
    encodeRequest: (assocId, socket) =>
      codec.write('request', { assocId: checkAssocId('request', assocId) } as FieldsInput<T>, socket),
    decode: (raw) => codec.read(raw),
  };
}

/** An option of an association that is a structure. */
export function assocOption<T extends OfAssociation>(key: OptionKey, codec: Structure<T>): SctpAssocOption<T> {
  return { ...assocRead(key, codec), encode: (value, socket) => codec.write('value', value, socket) };
}

/** An option that is read for what some members of its own structure name. */
export function keyedRead<T extends object, Request extends FieldsInput<T>>(
  key: OptionKey,
  codec: Structure<T>,
): RequestOption<T, Request> {
  return {
    ...key,
    encodeRequest: (request, socket) => codec.write('request', request, socket),
    decode: (raw) => codec.read(raw),
  };
}

/** As `keyedRead`, and set. */
export function keyedOption<T extends object, Request extends FieldsInput<T>>(
  key: OptionKey,
  codec: Structure<T>,
): RequestOption<T, Request, FieldsInput<T>> {
  return { ...keyedRead<T, Request>(key, codec), encode: (value, socket) => codec.write('value', value, socket) };
}

/** An option that is a structure, and only set. */
export function writeOnly<T extends object>(key: OptionKey, codec: Structure<T>): WriteonlyOption<FieldsInput<T>> {
  return { ...key, encode: (value, socket) => codec.write('value', value, socket) };
}

/** A value, of one association where it is given with its number. */
export type SctpAssocValue<Value> = Value | { readonly assocId?: number | undefined; readonly value: Value };

/** An option of an association that is one value. */
export type SctpAssocValueOption<Value> = RequestOption<Value, SctpAssocRequest, SctpAssocValue<Value>>;

/** An option of an association that is one value. Source: `struct sctp_assoc_value`. */
export function assocValue<Value extends number | boolean>(
  key: OptionKey,
  toKernel: (argument: string, value: unknown) => number,
  fromKernel: (value: number) => Value,
): SctpAssocValueOption<Value> {
  const bytes = (assocId: number, value: number): Uint8Array => {
    const structure = new Uint8Array(8);
    writeI32(structure, assocId, 0);
    writeU32(structure, value, 4);
    return structure;
  };
  return {
    ...key,
    encodeRequest: (assocId) => bytes(checkAssocId('request', assocId), 0),
    encode(value) {
      if (typeof value !== 'object' || value === null) return bytes(0, toKernel('value', value));
      return bytes(checkAssocId('value.assocId', value.assocId), toKernel('value.value', value.value));
    },
    decode: (raw) => fromKernel(raw.length >= 8 ? readU32(raw, 4) : 0),
  };
}

/** An option of an association that is a number, `max` at most. */
export const assocNumber = (key: OptionKey, max = 0xffffffff): SctpAssocValueOption<number> =>
  assocValue(
    key,
    (argument, value) => checkInteger(argument, value, 0, max),
    (value) => value,
  );

/** An option of an association that is on or off. */
export const assocFlag = (key: OptionKey): SctpAssocValueOption<boolean> =>
  assocValue(
    key,
    (argument, value) => (checkBoolean(argument, value) ? 1 : 0),
    (value) => value !== 0,
  );

/** A request about an association whose answer may need `size` bytes. */
export function assocList<T>(key: OptionKey, size: number, decode: (raw: Buffer) => T): SctpAssocStatus<T> {
  return {
    ...key,
    encodeRequest(assocId) {
      const bytes = new Uint8Array(size);
      writeI32(bytes, checkAssocId('request', assocId), 0);
      return bytes;
    },
    decode,
  };
}

/** Reads a count and the items behind it. */
export function counted(raw: Uint8Array, offset: number, width: 1 | 2 | 4): number[] {
  const count = raw.length >= offset + 4 ? readU32(raw, offset) : 0;
  const room = Math.floor((raw.length - offset - 4) / width);
  return Array.from({ length: Math.min(count, Math.max(room, 0)) }, (_, i) => {
    const at = offset + 4 + i * width;
    return width === 4 ? readU32(raw, at) : width === 2 ? readU16(raw, at) : (raw[at] as number);
  });
}

/** An address, for an association. */
export interface SctpAssocAddress extends OfAssociation {
  address: IpAddress | null;
}

/** What an option about one address of the peer is read for. */
export interface SctpPeerAddrRequest {
  readonly assocId?: number;
  /** Address of the peer; none, where that is allowed, is what holds for all. */
  readonly address?: Inet6Input;
}

/** The association and the address of a structure that is packed. */
export const PACKED = { assocId: i32(0), address: storage(4) };

/** State of an address of the peer. Source: RFC 6458, `struct sctp_paddrinfo`. */
export interface SctpPeerAddrInfo extends SctpAssocAddress {
  /** SCTP_ACTIVE, SCTP_INACTIVE, SCTP_UNCONFIRMED, SCTP_PF or SCTP_UNKNOWN. */
  state: number;
  /** Congestion window, in bytes. */
  cwnd: number;
  /** Smoothed round-trip time, in milliseconds. */
  srtt: number;
  /** Retransmission timeout, in milliseconds. */
  rto: number;
  /** Path MTU, in bytes. */
  mtu: number;
}

/** A `struct sctp_paddrinfo`. */
export const peerAddrInfo: Structure<SctpPeerAddrInfo> = structure(152, {
  ...PACKED,
  state: i32(132),
  cwnd: u32(136),
  srtt: u32(140),
  rto: u32(144),
  mtu: u32(148),
});

/** The association and the address of a structure that is not packed. */
export const ALIGNED = { assocId: i32(0), address: storage(STORAGE_ALIGNMENT) };

/** Where the members come that follow `ALIGNED`. */
export const BEHIND_ALIGNED = STORAGE_ALIGNMENT + 128;

/** Items of 16 bits. */
export const U16: ListItem = { size: 2, write: writeU16 };
