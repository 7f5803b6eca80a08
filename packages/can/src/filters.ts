import {
  checkBigInt,
  checkBoolean,
  checkInteger,
  checkObject,
  invalidArgumentType,
  outOfRange,
  readU32,
  writeU32,
  writeU64,
} from '@sock/core';
import {
  CAN_EFF_FLAG,
  CAN_EFF_MASK,
  CAN_ERR_FLAG,
  CAN_INV_FILTER,
  CAN_RAW_FILTER_MAX,
  CAN_RTR_FLAG,
  CAN_SFF_MASK,
  J1939_FILTER_MAX,
  J1939_PGN_MAX,
} from './constants.gen.js';
import { and, checkRawId, needsExtended, or } from './structures.js';

/** A filter of a CAN_RAW socket: a frame matches where the bits of `mask` are those of `id`. */
export interface CanFilter {
  /** Bits to compare with, without flags. */
  id: number;
  /** Bits that are compared, without flags. */
  mask: number;
  /** Receive what does not match. */
  inverted: boolean;
  /** Only extended frames, or only standard ones; `null` for both. */
  extended: boolean | null;
  /** Only remote frames, or only data frames; `null` for both. */
  remote: boolean | null;
  /** Error frames, whose classes are compared, rather than frames of the bus. */
  error: boolean;
}

/** What is accepted as a filter of a CAN_RAW socket. */
export interface CanFilterInput {
  /** CAN_EFF_FLAG, CAN_RTR_FLAG and CAN_INV_FILTER may be or-ed together to it. */
  id: number;
  /**
   * CAN_EFF_FLAG, CAN_RTR_FLAG and CAN_ERR_FLAG may be or-ed together to it. Left out, exactly the identifier
   * matches: in frames of its format, which is the extended one where it has more than 11 bits.
   */
  mask?: number | undefined;
  inverted?: boolean | undefined;
  extended?: boolean | null | undefined;
  remote?: boolean | null | undefined;
  error?: boolean | undefined;
}

/** Bytes of a `struct can_filter`. */
const CAN_FILTER_SIZE = 8;

/** Bytes that the filters of one socket take at most. */
export const CAN_FILTERS_SIZE = CAN_RAW_FILTER_MAX * CAN_FILTER_SIZE;

function list<T>(filters: readonly T[], most: number): readonly T[] {
  if (!Array.isArray(filters)) throw invalidArgumentType('value', 'an array of filters', filters);
  if (filters.length > most) throw outOfRange('value', `at most ${most} filters`, filters.length);
  return filters;
}

// a flag to compare: required, forbidden, or whatever the raw bits say
function require(words: { id: number; mask: number }, flag: number, wanted: boolean | null | undefined): void {
  if (wanted === undefined) return;
  words.id = and(words.id, ~flag);
  words.mask = wanted === null ? and(words.mask, ~flag) : or(words.mask, flag);
  if (wanted === true) words.id = or(words.id, flag);
}

function optionalBoolean(argument: string, value: unknown): boolean | null | undefined {
  return value === undefined || value === null ? value : checkBoolean(argument, value);
}

function packFilter(argument: string, filter: CanFilterInput): { id: number; mask: number } {
  const { id, mask, inverted, extended, remote, error } = checkObject(argument, filter);
  const words = { id: checkRawId(`${argument}.id`, id), mask: 0 };
  if (mask === undefined) {
    const bits = and(words.id, CAN_EFF_MASK);
    const wide = extended ?? (needsExtended(bits) || and(words.id, CAN_EFF_FLAG) !== 0);
    words.mask = wide ? CAN_EFF_MASK : CAN_SFF_MASK;
    if (extended !== null) require(words, CAN_EFF_FLAG, wide);
  } else {
    words.mask = checkRawId(`${argument}.mask`, mask);
    require(words, CAN_EFF_FLAG, optionalBoolean(`${argument}.extended`, extended));
  }
  require(words, CAN_RTR_FLAG, optionalBoolean(`${argument}.remote`, remote));
  if (error !== undefined) {
    words.mask = checkBoolean(`${argument}.error`, error)
      ? or(words.mask, CAN_ERR_FLAG)
      : and(words.mask, ~CAN_ERR_FLAG);
  }
  if (inverted !== undefined) {
    words.id = checkBoolean(`${argument}.inverted`, inverted)
      ? or(words.id, CAN_INV_FILTER)
      : and(words.id, ~CAN_INV_FILTER);
  }
  return words;
}

/** The bytes of `struct can_filter`s. */
export function encodeCanFilters(filters: readonly CanFilterInput[]): Uint8Array {
  const checked = list(filters, CAN_RAW_FILTER_MAX);
  const bytes = new Uint8Array(checked.length * CAN_FILTER_SIZE);
  checked.forEach((filter, i) => {
    const { id, mask } = packFilter(`value[${i}]`, filter);
    writeU32(bytes, id, i * CAN_FILTER_SIZE);
    writeU32(bytes, mask, i * CAN_FILTER_SIZE + 4);
  });
  return bytes;
}

const wanted = (id: number, mask: number, flag: number): boolean | null =>
  and(mask, flag) === 0 ? null : and(id, flag) !== 0;

/** The filters in bytes of `struct can_filter`s. */
export function decodeCanFilters(bytes: Uint8Array): CanFilter[] {
  const filters: CanFilter[] = [];
  for (let offset = 0; offset + CAN_FILTER_SIZE <= bytes.length; offset += CAN_FILTER_SIZE) {
    const id = readU32(bytes, offset);
    const mask = readU32(bytes, offset + 4);
    filters.push({
      id: and(id, CAN_EFF_MASK),
      mask: and(mask, CAN_EFF_MASK),
      inverted: and(id, CAN_INV_FILTER) !== 0,
      extended: wanted(id, mask, CAN_EFF_FLAG),
      remote: wanted(id, mask, CAN_RTR_FLAG),
      error: and(mask, CAN_ERR_FLAG) !== 0,
    });
  }
  return filters;
}

/**
 * A filter of a CAN_J1939 socket: a message matches where the sender's name and address and the
 * group number have, in the bits of the masks, those of the values. A value without a mask must be
 * met exactly; what is left out does not matter.
 */
export interface J1939Filter {
  name?: bigint | undefined;
  nameMask?: bigint | undefined;
  pgn?: number | undefined;
  pgnMask?: number | undefined;
  address?: number | undefined;
  addressMask?: number | undefined;
}

/** Bytes of a `struct j1939_filter`, padding included. */
const J1939_FILTER_SIZE = 32;
const NAME_MAX = 0xffff_ffff_ffff_ffffn;

/** The bytes of `struct j1939_filter`s. */
export function encodeJ1939Filters(filters: readonly J1939Filter[]): Uint8Array {
  const checked = list(filters, J1939_FILTER_MAX);
  const bytes = new Uint8Array(checked.length * J1939_FILTER_SIZE);
  checked.forEach((filter, i) => {
    const at = `value[${i}]`;
    const { name, pgn, address } = checkObject(at, filter);
    const {
      nameMask = name === undefined ? 0n : NAME_MAX,
      pgnMask = pgn === undefined ? 0 : J1939_PGN_MAX,
      addressMask = address === undefined ? 0 : 0xff,
    } = filter;
    const offset = i * J1939_FILTER_SIZE;
    writeU64(bytes, checkBigInt(`${at}.name`, name ?? 0n, 0n, NAME_MAX), offset);
    writeU64(bytes, checkBigInt(`${at}.nameMask`, nameMask, 0n, NAME_MAX), offset + 8);
    writeU32(bytes, checkInteger(`${at}.pgn`, pgn ?? 0, 0, J1939_PGN_MAX), offset + 16);
    writeU32(bytes, checkInteger(`${at}.pgnMask`, pgnMask, 0, 0xffffffff), offset + 20);
    bytes[offset + 24] = checkInteger(`${at}.address`, address ?? 0, 0, 0xff);
    bytes[offset + 25] = checkInteger(`${at}.addressMask`, addressMask, 0, 0xff);
  });
  return bytes;
}
