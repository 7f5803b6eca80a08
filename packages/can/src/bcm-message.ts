import {
  checkBoolean,
  checkInteger,
  checkObject,
  invalidArgumentType,
  knownAs,
  LONG_SIZE,
  outOfRange,
  readU32,
  toBytes,
  writeU32,
} from '@sock/core';
import { CAN_BCM_CAN_FD_FRAME, CAN_MTU, CAN_RTR_FLAG, CANFD_MTU } from './constants.gen.js';
import { type CanFrame, type CanFrameInput, packFrame, unpackFrame } from './frame.js';
import { and, idOf, isExtended, or, readInterval, toCanId, writeInterval } from './structures.js';

/** A message to or from the broadcast manager. Source: `struct bcm_msg_head`, kernel, networking/can. */
export interface BcmMessage {
  /** CAN_BCM_TX_SETUP to CAN_BCM_RX_CHANGED. */
  opcode: number;
  /** CAN_BCM_SETTIMER to CAN_BCM_CAN_FD_FRAME, or-ed together. */
  flags: number;
  /** Frames to send with the first interval, before the second one counts. */
  count: number;
  /** First interval, in milliseconds. */
  interval1: number;
  /** Second interval, in milliseconds. */
  interval2: number;
  id: number;
  extended: boolean;
  /** Whether the job is about remote frames. */
  remote: boolean;
  frames: CanFrame[];
}

/** What is accepted as a message to the broadcast manager; what is left out is 0. */
export interface BcmMessageInput {
  opcode: number;
  flags?: number | undefined;
  count?: number | undefined;
  interval1?: number | undefined;
  interval2?: number | undefined;
  id: number;
  extended?: boolean | undefined;
  remote?: boolean | undefined;
  /** At most 257, of CAN 2.0 or (with CAN_BCM_CAN_FD_FRAME) of CAN FD. */
  frames?: readonly CanFrameInput[];
}

// offsets of a struct bcm_msg_head, whose frames are aligned to 8 bytes
const FLAGS = 4;
const COUNT = 8;
const INTERVAL1 = LONG_SIZE === 4 ? 12 : 16;
const INTERVAL2 = INTERVAL1 + 2 * LONG_SIZE;
const CAN_ID = INTERVAL2 + 2 * LONG_SIZE;
const NFRAMES = CAN_ID + 4;
/** Bytes before the frames. */
export const BCM_HEAD_SIZE = (NFRAMES + 4 + 7) & ~7;

/** Frames of a job that sends; one that receives has the mask of its multiplexer besides. Source: net/can/bcm.c. */
export const BCM_FRAMES_MAX = 256;

/** Most bytes that a message has. */
export const BCM_MESSAGE_MAX = BCM_HEAD_SIZE + (BCM_FRAMES_MAX + 1) * CANFD_MTU;

function packContent(frames: readonly CanFrameInput[], fd: boolean): Buffer[] {
  return frames.map((frame, i) => {
    const at = `message.frames[${i}]`;
    const { kind = 'classic' } = checkObject(at, frame);
    if (kind !== (fd ? 'fd' : 'classic')) {
      throw outOfRange(`${at}.kind`, fd ? "'fd' (the message has CAN_BCM_CAN_FD_FRAME)" : "'classic'", kind);
    }
    return knownAs(at, 'frame', () => packFrame(frame));
  });
}

/** A message as CAN_BCM sockets take it. @throws TypeError, RangeError naming the member of `message` */
export function packBcmMessage(message: BcmMessageInput): Buffer {
  const { opcode, flags = 0, count = 0, interval1 = 0, interval2 = 0, frames = [] } = checkObject('message', message);
  if (!Array.isArray(frames)) throw invalidArgumentType('message.frames', 'an array of frames', frames);
  if (frames.length > BCM_FRAMES_MAX + 1) {
    throw outOfRange('message.frames.length', `at most ${BCM_FRAMES_MAX + 1}`, frames.length);
  }
  const head = Buffer.alloc(BCM_HEAD_SIZE);
  writeU32(head, checkInteger('message.opcode', opcode, 0, 0xffffffff), 0);
  writeU32(head, checkInteger('message.flags', flags, 0, 0xffffffff), FLAGS);
  writeU32(head, checkInteger('message.count', count, 0, 0xffffffff), COUNT);
  writeInterval('message.interval1', interval1, head, INTERVAL1);
  writeInterval('message.interval2', interval2, head, INTERVAL2);
  const canId = toCanId('message', message.id, message.extended);
  const remote = message.remote !== undefined && checkBoolean('message.remote', message.remote);
  writeU32(head, remote ? or(canId, CAN_RTR_FLAG) : canId, CAN_ID);
  writeU32(head, frames.length, NFRAMES);
  return Buffer.concat([head, ...packContent(frames, (flags & CAN_BCM_CAN_FD_FRAME) !== 0)]);
}

/** A message of the bytes that a CAN_BCM socket gave: `undefined` where they are none. */
export function unpackBcmMessage(bytes: ArrayBufferView | ArrayBuffer): BcmMessage | undefined {
  const view = toBytes('bytes', bytes);
  if (view.length < BCM_HEAD_SIZE) return undefined;
  const flags = readU32(view, FLAGS);
  const size = (flags & CAN_BCM_CAN_FD_FRAME) !== 0 ? CANFD_MTU : CAN_MTU;
  const frames: CanFrame[] = [];
  for (let i = 0; i < readU32(view, NFRAMES); i++) {
    const start = BCM_HEAD_SIZE + i * size;
    if (start + size > view.length) return undefined;
    const frame = unpackFrame(view.subarray(start, start + size));
    if (frame === undefined) return undefined;
    frames.push(frame);
  }
  const canId = readU32(view, CAN_ID);
  return {
    opcode: readU32(view, 0),
    flags,
    count: readU32(view, COUNT),
    interval1: readInterval(view, INTERVAL1),
    interval2: readInterval(view, INTERVAL2),
    id: idOf(canId),
    extended: isExtended(canId),
    remote: and(canId, CAN_RTR_FLAG) !== 0,
    frames,
  };
}
