import {
  checkBoolean,
  checkInteger,
  checkObject,
  type Data,
  invalidArgumentType,
  outOfRange,
  readI32,
  readU16,
  readU32,
  toBytes,
  writeU16,
  writeU32,
} from '@sock/core';
import {
  CAN_EFF_FLAG,
  CAN_EFF_MASK,
  CAN_ERR_FLAG,
  CAN_ERR_MASK,
  CAN_MAX_DLEN,
  CAN_MAX_RAW_DLC,
  CAN_MTU,
  CAN_RTR_FLAG,
  CAN_SFF_MASK,
  CANFD_BRS,
  CANFD_ESI,
  CANFD_FDF,
  CANFD_MAX_DLEN,
  CANFD_MTU,
  CANXL_HDR_SIZE,
  CANXL_MAX_DLEN,
  CANXL_MIN_DLEN,
  CANXL_MTU,
  CANXL_PRIO_MASK,
  CANXL_SEC,
  CANXL_VCID_OFFSET,
  CANXL_VCID_VAL_MASK,
  CANXL_XLF,
} from './constants.gen.js';
import { type CanErrorDetails, describeCanError } from './error-frame.js';
import { and, or, toCanId } from './structures.js';

/** A frame of CAN 2.0: up to 8 bytes. */
export interface ClassicFrame {
  kind: 'classic';
  /** Identifier: 11 bits, or 29 where `extended`. */
  id: number;
  /** Whether the identifier has 29 bits. */
  extended: boolean;
  /** Whether this is a remote frame: a request for the data, without any. */
  remote: boolean;
  /**
   * Length code: the number of bytes, or 9 to 15, which stand for 8 bytes too and which some
   * controllers can send and report. Of a remote frame, what is asked for.
   */
  dlc: number;
  data: Buffer;
}

/** A frame of CAN FD: up to 64 bytes. */
export interface FdFrame {
  kind: 'fd';
  id: number;
  extended: boolean;
  /** Bit rate switch: the data is sent at the second, higher bit rate. */
  brs: boolean;
  /** Error state indicator: the sender is error passive. */
  esi: boolean;
  data: Buffer;
}

/** A frame of CAN XL: 1 to 2048 bytes. Source: kernel, linux/can.h; CiA 610-1. */
export interface XlFrame {
  kind: 'xl';
  /** 11 bits. */
  priority: number;
  /** Virtual CAN network, 0 for none. Linux 6.9. */
  vcid: number;
  /** Simple extended content: security or segmentation. */
  sec: boolean;
  /** Type of the service data unit, 8 bits. */
  sdt: number;
  /** Acceptance field, 32 bits. */
  af: number;
  data: Buffer;
}

/** What a controller or its driver reports: no frame of the bus. Source: kernel, linux/can/error.h. */
export interface ErrorFrame {
  kind: 'error';
  /** CAN_ERR_* classes, or-ed together. */
  classes: number;
  /** The classes and what `data` says of them. */
  details: CanErrorDetails;
  /** 8 bytes. */
  data: Buffer;
}

/**
 * What the kernel gave and this package does not know, such as a frame of a later standard; empty in
 * the error queue, with SOF_TIMESTAMPING_OPT_TSONLY. It is sent on as it is.
 */
export interface UnknownFrame {
  kind: 'unknown';
  /** The whole structure. */
  data: Buffer;
}

/** A frame as it was received. */
export type CanFrame = ClassicFrame | FdFrame | XlFrame | ErrorFrame | UnknownFrame;

/** What is accepted as a frame of CAN 2.0. */
export interface ClassicFrameInput {
  kind?: 'classic' | undefined;
  id: number;
  /** Whether the identifier has 29 bits: where it does not fit into 11, unless told. */
  extended?: boolean | undefined;
  remote?: boolean | undefined;
  /** Length code: the number of bytes unless told. 9 to 15 go with 8 bytes of data. */
  dlc?: number | undefined;
  /** Up to 8 bytes; none unless told, and none in a remote frame. */
  data?: Data | undefined;
}

/** What is accepted as a frame of CAN FD. */
export interface FdFrameInput {
  kind: 'fd';
  id: number;
  /** Whether the identifier has 29 bits: where it does not fit into 11, unless told. */
  extended?: boolean | undefined;
  brs?: boolean | undefined;
  esi?: boolean | undefined;
  /** 0 to 8, 12, 16, 20, 24, 32, 48 or 64 bytes. */
  data?: Data | undefined;
}

/** What is accepted as a frame of CAN XL. */
export interface XlFrameInput {
  kind: 'xl';
  priority: number;
  vcid?: number | undefined;
  sec?: boolean | undefined;
  sdt?: number | undefined;
  af?: number | undefined;
  /** 1 to 2048 bytes. */
  data: Data;
}

/** What is accepted as an error frame: virtual interfaces pass on what programs send. */
export interface ErrorFrameInput {
  kind: 'error';
  classes: number;
  /** Ignored: `classes` and `data` say it. */
  details?: CanErrorDetails | undefined;
  /** Up to 8 bytes; what is missing is 0. */
  data?: Data | undefined;
}

/** What is accepted as bytes of a frame that this package does not know. */
export interface UnknownFrameInput {
  kind: 'unknown';
  data: Data;
}

/** What is accepted as a frame: of CAN 2.0, unless `kind` says another. */
export type CanFrameInput = ClassicFrameInput | FdFrameInput | XlFrameInput | ErrorFrameInput | UnknownFrameInput;

/** Bytes that each length code stands for. Source: ISO 11898-1. */
const FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

/** Bytes of data that a length code of CAN FD stands for: 0 to 15. Source: ISO 11898-1. */
export function can_fd_dlc2len(dlc: number): number {
  return FD_LENGTHS[checkInteger('dlc', dlc, 0, 15)] as number;
}

/**
 * The smallest length code of CAN FD with room for so many bytes: `can_fd_dlc2len` of it is what to
 * pad data to. Source: ISO 11898-1.
 */
export function can_fd_len2dlc(length: number): number {
  checkInteger('length', length, 0, CANFD_MAX_DLEN);
  return FD_LENGTHS.findIndex((bytes) => bytes >= length);
}

// offsets; source: linux/can.h
const LEN = 4;
const FLAGS = 5;
const LEN8_DLC = 7;
const DATA = 8;
const XL_FLAGS = 4;
const XL_SDT = 5;
const XL_LEN = 6;
const XL_AF = 8;

const NO_BYTES = new Uint8Array(0);

function dataOf(data: unknown): Uint8Array {
  return data === undefined ? NO_BYTES : toBytes('frame.data', data);
}

function flag(argument: string, value: unknown): boolean {
  return value === undefined ? false : checkBoolean(argument, value);
}

function classicDlc(dlc: unknown, length: number, remote: boolean): number {
  if (dlc === undefined) return length;
  const code = checkInteger('frame.dlc', dlc, 0, CAN_MAX_RAW_DLC);
  if (!remote && Math.min(code, CAN_MAX_DLEN) !== length) {
    throw outOfRange('frame.dlc', length === CAN_MAX_DLEN ? '8 to 15 for 8 bytes of data' : 'the length of data', dlc);
  }
  return code;
}

function packClassic(frame: ClassicFrameInput): Buffer {
  const remote = flag('frame.remote', frame.remote);
  const data = dataOf(frame.data);
  if (remote && data.length > 0) {
    throw outOfRange('frame.data', 'left out: a remote frame has none (dlc says how much is asked for)', data.length);
  }
  if (data.length > CAN_MAX_DLEN) {
    throw outOfRange('frame.data', "at most 8 bytes (with kind: 'fd' 64, with kind: 'xl' 2048)", data.length);
  }
  const canId = toCanId('frame', frame.id, frame.extended);
  const dlc = classicDlc(frame.dlc, data.length, remote);
  const bytes = Buffer.alloc(CAN_MTU);
  writeU32(bytes, remote ? or(canId, CAN_RTR_FLAG) : canId, 0);
  bytes[LEN] = Math.min(dlc, CAN_MAX_DLEN);
  if (dlc > CAN_MAX_DLEN) bytes[LEN8_DLC] = dlc;
  bytes.set(data, DATA);
  return bytes;
}

function packFd(frame: FdFrameInput): Buffer {
  const data = dataOf(frame.data);
  const { length } = data;
  if (!FD_LENGTHS.includes(length)) {
    const expected =
      length > CANFD_MAX_DLEN
        ? "at most 64 bytes (with kind: 'xl' 2048)"
        : `0 to 8, 12, 16, 20, 24, 32, 48 or 64 bytes: pad it to ${can_fd_dlc2len(can_fd_len2dlc(length))}`;
    throw outOfRange('frame.data', expected, length);
  }
  return layOutFd(frame, data);
}

function layOutFd(frame: FdFrameInput, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(CANFD_MTU);
  writeU32(bytes, toCanId('frame', frame.id, frame.extended), 0);
  bytes[LEN] = data.length;
  const brs = flag('frame.brs', frame.brs) ? CANFD_BRS : 0;
  const esi = flag('frame.esi', frame.esi) ? CANFD_ESI : 0;
  bytes[FLAGS] = CANFD_FDF | brs | esi;
  bytes.set(data, DATA);
  return bytes;
}

function packXl(frame: XlFrameInput): Buffer {
  const data = dataOf(frame.data);
  if (data.length < CANXL_MIN_DLEN || data.length > CANXL_MAX_DLEN) {
    throw outOfRange('frame.data', `${CANXL_MIN_DLEN} to ${CANXL_MAX_DLEN} bytes`, data.length);
  }
  const { priority, vcid = 0, sec, sdt = 0, af = 0 } = frame;
  const bytes = Buffer.alloc(CANXL_HDR_SIZE + data.length);
  const network = checkInteger('frame.vcid', vcid, 0, CANXL_VCID_VAL_MASK) << CANXL_VCID_OFFSET;
  writeU32(bytes, or(checkInteger('frame.priority', priority, 0, CANXL_PRIO_MASK), network), 0);
  bytes[XL_FLAGS] = CANXL_XLF | (flag('frame.sec', sec) ? CANXL_SEC : 0);
  bytes[XL_SDT] = checkInteger('frame.sdt', sdt, 0, 0xff);
  writeU16(bytes, data.length, XL_LEN);
  writeU32(bytes, checkInteger('frame.af', af, 0, 0xffffffff), XL_AF);
  bytes.set(data, CANXL_HDR_SIZE);
  return bytes;
}

function packError(frame: ErrorFrameInput): Buffer {
  const data = dataOf(frame.data);
  if (data.length > CAN_MAX_DLEN) throw outOfRange('frame.data', 'at most 8 bytes', data.length);
  const bytes = Buffer.alloc(CAN_MTU);
  writeU32(bytes, or(checkInteger('frame.classes', frame.classes, 0, CAN_ERR_MASK), CAN_ERR_FLAG), 0);
  bytes[LEN] = CAN_MAX_DLEN;
  bytes.set(data, DATA);
  return bytes;
}

function packUnknown({ data }: UnknownFrameInput): Buffer {
  const bytes = toBytes('frame.data', data);
  if (bytes.length > CANXL_MTU) throw outOfRange('frame.data', `at most ${CANXL_MTU} bytes`, bytes.length);
  return Buffer.from(bytes);
}

/**
 * A frame as CAN_RAW sockets take it: `struct can_frame`, `canfd_frame` or `canxl_frame`.
 * @throws TypeError, RangeError naming the member of `frame`. Source: linux/can.h
 */
export function packFrame(frame: CanFrameInput): Buffer {
  checkObject('frame', frame);
  switch (frame.kind) {
    case undefined:
    case 'classic':
      return packClassic(frame);
    case 'fd':
      return packFd(frame);
    case 'xl':
      return packXl(frame);
    case 'error':
      return packError(frame);
    case 'unknown':
      return packUnknown(frame);
    default: {
      const { kind } = frame as { kind: unknown };
      const accepted = "'classic', 'fd', 'xl', 'error' or 'unknown'";
      throw typeof kind === 'string'
        ? outOfRange('frame.kind', accepted, kind)
        : invalidArgumentType('frame.kind', accepted, kind);
    }
  }
}

/**
 * @internal As `packFrame`, for frames that were received too: the kernel passes on FD frames of lengths that no bus
 * has, where a program sends them on a virtual interface.
 */
export function packReceived(frame: CanFrameInput): Buffer {
  checkObject('frame', frame);
  if (frame.kind !== 'fd') return packFrame(frame);
  const data = dataOf(frame.data);
  return data.length > CANFD_MAX_DLEN ? packFrame(frame) : layOutFd(frame, data);
}

// of every frame that is received: with numbers of 31 bits, which cost no memory
function unpackClassic(bytes: Buffer): ClassicFrame | ErrorFrame {
  const canId = readI32(bytes, 0);
  if ((canId & CAN_ERR_FLAG) !== 0) {
    const classes = canId & CAN_ERR_MASK;
    const data = bytes.subarray(DATA, DATA + CAN_MAX_DLEN);
    return { kind: 'error', classes, details: describeCanError(classes, data), data };
  }
  const length = Math.min(bytes[LEN] as number, CAN_MAX_DLEN);
  const code = bytes[LEN8_DLC] as number;
  const extended = (canId & CAN_EFF_FLAG) !== 0;
  const remote = (canId & CAN_RTR_FLAG) !== 0;
  return {
    kind: 'classic',
    id: canId & (extended ? CAN_EFF_MASK : CAN_SFF_MASK),
    extended,
    remote,
    dlc: length === CAN_MAX_DLEN && code > CAN_MAX_DLEN && code <= CAN_MAX_RAW_DLC ? code : length,
    data: bytes.subarray(DATA, DATA + (remote ? 0 : length)),
  };
}

function unpackFd(bytes: Buffer): FdFrame {
  const canId = readI32(bytes, 0);
  const flags = bytes[FLAGS] as number;
  const extended = (canId & CAN_EFF_FLAG) !== 0;
  return {
    kind: 'fd',
    id: canId & (extended ? CAN_EFF_MASK : CAN_SFF_MASK),
    extended,
    brs: (flags & CANFD_BRS) !== 0,
    esi: (flags & CANFD_ESI) !== 0,
    data: bytes.subarray(DATA, DATA + Math.min(bytes[LEN] as number, CANFD_MAX_DLEN)),
  };
}

function unpackXl(bytes: Buffer): XlFrame | undefined {
  const length = readU16(bytes, XL_LEN);
  if (length < CANXL_MIN_DLEN || bytes.length < CANXL_HDR_SIZE + length) return undefined;
  const priority = readU32(bytes, 0);
  return {
    kind: 'xl',
    priority: and(priority, CANXL_PRIO_MASK),
    vcid: (priority >>> CANXL_VCID_OFFSET) & CANXL_VCID_VAL_MASK,
    sec: ((bytes[XL_FLAGS] as number) & CANXL_SEC) !== 0,
    sdt: bytes[XL_SDT] as number,
    af: readU32(bytes, XL_AF),
    data: bytes.subarray(CANXL_HDR_SIZE, CANXL_HDR_SIZE + length),
  };
}

/**
 * A frame of the bytes that a CAN_RAW socket gave: `undefined` where they are none. Its data lies in
 * the same memory. Source: linux/can.h.
 */
export function unpackFrame(bytes: ArrayBufferView | ArrayBuffer): CanFrame | undefined {
  const view = toBytes('bytes', bytes);
  const buffer = Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  // the flag stands where the others have their length, which never is so large
  if (buffer.length > CANXL_HDR_SIZE && ((buffer[XL_FLAGS] as number) & CANXL_XLF) !== 0) return unpackXl(buffer);
  if (buffer.length === CAN_MTU) return unpackClassic(buffer);
  if (buffer.length === CANFD_MTU) return unpackFd(buffer);
  return undefined;
}
