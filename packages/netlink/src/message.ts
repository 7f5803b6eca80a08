import {
  checkInteger,
  checkObject,
  type Data,
  outOfRange,
  readU16,
  readU32,
  toBytes,
  writeU16,
  writeU32,
} from '@sock/core';
import { type AttributeInput, align, packAttributes } from './attribute.js';

/** Bytes of a struct nlmsghdr. Source: netlink(7). */
export const MESSAGE_HEADER = 16;

/** A message as it was received. Source: netlink(7). */
export interface NetlinkMessage {
  /** NLMSG_*, RTM_* and so on. */
  readonly type: number;
  /** NLM_F_*, or-ed together. */
  readonly flags: number;
  /** Number of the request that it answers. */
  readonly sequence: number;
  /** Port number of the socket whose request it answers. */
  readonly pid: number;
  /** What follows the header: a structure of the type's own, then attributes (`unpackAttributes`). */
  readonly payload: Buffer;
}

/** A message to send. */
export interface NetlinkMessageInput {
  /** RTM_* and so on. */
  type: number;
  /** NLM_F_*, or-ed together; none unless told. */
  flags?: number | undefined;
  /** 0 unless told. */
  sequence?: number | undefined;
  /** 0 unless told. */
  pid?: number | undefined;
  /** The structure of the type's own; none unless told. */
  payload?: Data | undefined;
  /** What follows the payload. */
  attributes?: Iterable<AttributeInput> | undefined;
}

const SIZE_MAX = 0x7fffffff;

/**
 * A message as the kernel takes it, padded to 4 bytes, so that several can be put one behind the other.
 * @throws TypeError, RangeError naming the member of `message`
 */
export function packMessage(message: NetlinkMessageInput): Buffer {
  const { type, flags = 0, sequence = 0, pid = 0, payload, attributes } = checkObject('message', message);
  checkInteger('message.type', type, 0, 0xffff);
  checkInteger('message.flags', flags, 0, 0xffff);
  checkInteger('message.sequence', sequence, 0, 0xffffffff);
  checkInteger('message.pid', pid, 0, 0xffffffff);
  const body = payload === undefined ? new Uint8Array(0) : toBytes('message.payload', payload);
  const rest = attributes === undefined ? undefined : packAttributes(attributes, 'message.attributes');
  const length = MESSAGE_HEADER + (rest === undefined ? body.length : align(body.length) + rest.length);
  if (length > SIZE_MAX) throw outOfRange('message', `a message of at most ${SIZE_MAX} bytes`, length);
  const bytes = Buffer.alloc(align(length));
  writeU32(bytes, length, 0);
  writeU16(bytes, type, 4);
  writeU16(bytes, flags, 6);
  writeU32(bytes, sequence, 8);
  writeU32(bytes, pid, 12);
  bytes.set(body, MESSAGE_HEADER);
  if (rest !== undefined) bytes.set(rest, MESSAGE_HEADER + align(body.length));
  return bytes;
}

/** The messages in what was received. */
export interface UnpackedMessages {
  messages: NetlinkMessage[];
  /** What follows the last message and is none: empty where all is well. */
  rest: Buffer;
}

/** Reads the messages that were received together. The payloads are views of `bytes`. */
export function unpackMessages(bytes: Uint8Array): UnpackedMessages {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + MESSAGE_HEADER <= data.length) {
    const length = readU32(data, offset);
    if (length < MESSAGE_HEADER || length > data.length - offset) break;
    messages.push({
      type: readU16(data, offset + 4),
      flags: readU16(data, offset + 6),
      sequence: readU32(data, offset + 8),
      pid: readU32(data, offset + 12),
      payload: data.subarray(offset + MESSAGE_HEADER, offset + length),
    });
    // the padding of the last message may be missing
    offset = Math.min(offset + align(length), data.length);
  }
  return { messages, rest: data.subarray(offset) };
}
