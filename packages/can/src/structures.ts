import {
  checkBoolean,
  checkInteger,
  invalidArgumentType,
  LONG_SIZE,
  outOfRange,
  readI32,
  readI64,
  writeI32,
  writeI64,
} from '@sock/core';
import { CAN_EFF_FLAG, CAN_EFF_MASK, CAN_SFF_MASK } from './constants.gen.js';

/** An identifier that has more bits than a standard frame has room for is one of an extended frame. */
export const needsExtended = (id: number): boolean => id > CAN_SFF_MASK;

/** `a | b` of values whose top bit may be set: JavaScript's own gives a negative number. */
export const or = (a: number, b: number): number => (a | b) >>> 0;

/** `a & b`, likewise. */
export const and = (a: number, b: number): number => (a & b) >>> 0;

/**
 * A canid_t of an identifier and its format.
 * @param argument what has the members `id` and `extended`, for messages
 */
export function toCanId(argument: string, id: unknown, extended: unknown): number {
  if (extended !== undefined) checkBoolean(`${argument}.extended`, extended);
  checkInteger(`${argument}.id`, id, 0, extended === false ? CAN_SFF_MASK : CAN_EFF_MASK);
  return (extended ?? needsExtended(id as number)) ? or(id as number, CAN_EFF_FLAG) : (id as number);
}

/** The identifier in a canid_t, without flags. */
export const idOf = (canId: number): number => and(canId, and(canId, CAN_EFF_FLAG) === 0 ? CAN_SFF_MASK : CAN_EFF_MASK);

/** Whether a canid_t is one of an extended frame. */
export const isExtended = (canId: number): boolean => and(canId, CAN_EFF_FLAG) !== 0;

/** A canid_t or a mask of one, which `|` may have made negative. */
export function checkRawId(argument: string, value: unknown): number {
  return checkInteger(argument, value, -0x80000000, 0xffffffff) >>> 0;
}

/**
 * The canid_t of a transport address: more than 11 bits, or CAN_EFF_FLAG, make it extended.
 */
export function encodeTransportId(argument: string, value: unknown): number {
  const raw = checkRawId(argument, value);
  const id = and(raw, ~CAN_EFF_FLAG);
  if (id > CAN_EFF_MASK) {
    throw outOfRange(argument, 'an identifier of up to 29 bits, with or without CAN_EFF_FLAG', value);
  }
  return needsExtended(id) ? or(id, CAN_EFF_FLAG) : raw;
}

/** As `encodeTransportId` takes it: with CAN_EFF_FLAG only where that is not obvious. */
export function decodeTransportId(canId: number): number {
  const id = idOf(canId);
  return isExtended(canId) && !needsExtended(id) ? or(id, CAN_EFF_FLAG) : id;
}

/** Longest interval that the kernel takes, in milliseconds: 400 days. Source: kernel, net/can/bcm.c. */
const INTERVAL_MAX = 400 * 24 * 60 * 60 * 1000;

/** Checks milliseconds that the kernel takes as an interval, and gives them back. */
export function checkInterval(argument: string, milliseconds: unknown): number {
  if (typeof milliseconds !== 'number') throw invalidArgumentType(argument, 'a number of milliseconds', milliseconds);
  if (!(milliseconds >= 0) || milliseconds > INTERVAL_MAX) {
    throw outOfRange(argument, `a number of milliseconds from 0 to ${INTERVAL_MAX}`, milliseconds);
  }
  return milliseconds;
}

/** Writes milliseconds as a `struct bcm_timeval`. */
export function writeInterval(argument: string, interval: unknown, bytes: Uint8Array, offset: number): void {
  const milliseconds = checkInterval(argument, interval);
  // what is less than a microsecond must not become "none"
  const microseconds = milliseconds === 0 ? 0 : Math.max(1, Math.round(milliseconds * 1000));
  const seconds = Math.floor(microseconds / 1_000_000);
  const rest = microseconds % 1_000_000;
  if (LONG_SIZE === 4) {
    writeI32(bytes, seconds, offset);
    writeI32(bytes, rest, offset + 4);
  } else {
    writeI64(bytes, BigInt(seconds), offset);
    writeI64(bytes, BigInt(rest), offset + 8);
  }
}

/** Reads a `struct bcm_timeval` as milliseconds. */
export function readInterval(bytes: Uint8Array, offset: number): number {
  const seconds = LONG_SIZE === 4 ? readI32(bytes, offset) : Number(readI64(bytes, offset));
  const microseconds = LONG_SIZE === 4 ? readI32(bytes, offset + 4) : Number(readI64(bytes, offset + 8));
  return (seconds * 1_000_000 + microseconds) / 1000;
}

/** Milliseconds as nanoseconds of 32 bits. */
export function toNanoseconds(argument: string, milliseconds: unknown): number {
  if (typeof milliseconds !== 'number') throw invalidArgumentType(argument, 'a number of milliseconds', milliseconds);
  if (!(milliseconds >= 0) || milliseconds > 4294) {
    throw outOfRange(argument, 'a number of milliseconds from 0 to 4294', milliseconds);
  }
  return Math.round(milliseconds * 1e6);
}
