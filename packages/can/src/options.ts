import {
  booleanOption,
  checkInteger,
  checkObject,
  checkOneOf,
  integerOption,
  invalidArgumentType,
  outOfRange,
  readU32,
  type SocketOption,
  uint32Option,
  type WriteonlyOption,
  withMessage,
  writeU32,
} from '@sock/core';
import { scmJ1939ErrQueue } from './ancillary.js';
import * as c from './constants.gen.js';
import {
  CAN_FILTERS_SIZE,
  type CanFilter,
  type CanFilterInput,
  decodeCanFilters,
  encodeCanFilters,
  encodeJ1939Filters,
  type J1939Filter,
} from './filters.js';
import { toNanoseconds } from './structures.js';

const raw = (name: number, label: string) => ({ level: c.SOL_CAN_RAW, name, label });
const tp = (name: number, label: string) => ({ level: c.SOL_CAN_ISOTP, name, label });
const j1939 = (name: number, label: string) => ({ level: c.SOL_CAN_J1939, name, label });

/**
 * CAN_RAW_FILTER: which frames to receive; those that match one of the filters (or all of them:
 * `canRawJoinFilters`). Everything but error frames at first, nothing with an empty list. At most 512.
 */
export const canRawFilter: SocketOption<CanFilter[], readonly CanFilterInput[]> = {
  ...raw(c.CAN_RAW_FILTER, 'CAN_RAW_FILTER'),
  size: CAN_FILTERS_SIZE,
  encode: encodeCanFilters,
  decode: decodeCanFilters,
};

/** CAN_RAW_ERR_FILTER: classes of error frames to receive, CAN_ERR_* or-ed together; 0 (none) at first. */
export const canRawErrFilter = uint32Option({
  ...raw(c.CAN_RAW_ERR_FILTER, 'CAN_RAW_ERR_FILTER'),
  max: c.CAN_ERR_MASK,
});

/** CAN_RAW_LOOPBACK: other sockets of this machine receive what this one sends, as at first. */
export const canRawLoopback = booleanOption(raw(c.CAN_RAW_LOOPBACK, 'CAN_RAW_LOOPBACK'));

/** CAN_RAW_RECV_OWN_MSGS: this socket receives what it sends too. */
export const canRawRecvOwnMsgs = booleanOption(raw(c.CAN_RAW_RECV_OWN_MSGS, 'CAN_RAW_RECV_OWN_MSGS'));

/** CAN_RAW_FD_FRAMES: send and receive CAN FD frames too. */
export const canRawFdFrames = booleanOption(raw(c.CAN_RAW_FD_FRAMES, 'CAN_RAW_FD_FRAMES'));

/** CAN_RAW_JOIN_FILTERS: a frame must match all filters, rather than one. */
export const canRawJoinFilters = booleanOption(raw(c.CAN_RAW_JOIN_FILTERS, 'CAN_RAW_JOIN_FILTERS'));

/** CAN_RAW_XL_FRAMES: send and receive CAN XL frames too, and CAN FD frames with them. Linux 6.1. */
export const canRawXlFrames = booleanOption(raw(c.CAN_RAW_XL_FRAMES, 'CAN_RAW_XL_FRAMES'));

/** Virtual networks of CAN XL. Source: kernel, networking/can, `struct can_raw_vcid_options`. */
export interface CanXlVcidOptions {
  /** CAN_RAW_XL_VCID_TX_SET, CAN_RAW_XL_VCID_TX_PASS, CAN_RAW_XL_VCID_RX_FILTER, or-ed together. */
  flags: number;
  /** Network that all frames are sent to, with CAN_RAW_XL_VCID_TX_SET. */
  txVcid: number;
  /** Network to receive of, with CAN_RAW_XL_VCID_RX_FILTER. */
  rxVcid: number;
  /** Bits of it that are compared. */
  rxVcidMask: number;
}

/** CAN_RAW_XL_VCID_OPTS: virtual networks of CAN XL. Linux 6.9. */
export const canRawXlVcidOpts: SocketOption<CanXlVcidOptions, Partial<CanXlVcidOptions>> = {
  ...raw(c.CAN_RAW_XL_VCID_OPTS, 'CAN_RAW_XL_VCID_OPTS'),
  size: 4,
  encode(value) {
    const { flags = 0, txVcid = 0, rxVcid = 0, rxVcidMask = 0 } = checkObject('value', value);
    return Uint8Array.of(
      checkInteger('value.flags', flags, 0, 0xff),
      checkInteger('value.txVcid', txVcid, 0, 0xff),
      checkInteger('value.rxVcid', rxVcid, 0, 0xff),
      checkInteger('value.rxVcidMask', rxVcidMask, 0, 0xff),
    );
  },
  decode: (bytes) => ({
    flags: bytes[0] ?? 0,
    txVcid: bytes[1] ?? 0,
    rxVcid: bytes[2] ?? 0,
    rxVcidMask: bytes[3] ?? 0,
  }),
};

/** How an ISO-TP socket behaves. Source: kernel, `struct can_isotp_options`, networking/iso15765-2. */
export interface IsotpOptions {
  /** CAN_ISOTP_*, or-ed together: CAN_ISOTP_LISTEN_MODE to CAN_ISOTP_DYN_FC_PARMS. */
  flags: number;
  /** Time that a frame takes at most, N_As and N_Ar, in milliseconds; `null` where it was left as it was. */
  frameTxTime: number | null;
  /** Extended address of frames sent, with CAN_ISOTP_EXTEND_ADDR. */
  extAddress: number;
  /** Byte that fills frames sent, with CAN_ISOTP_TX_PADDING. */
  txPadContent: number;
  /** Byte that fills frames received, with CAN_ISOTP_RX_PADDING. */
  rxPadContent: number;
  /** Extended address of frames received, with CAN_ISOTP_RX_EXT_ADDR. */
  rxExtAddress: number;
}

/**
 * CAN_ISOTP_OPTS: how an ISO-TP socket behaves; to be set before `bind`. What is left out has the
 * kernel's default value, but `frameTxTime`, which stays as it was.
 * @throws SocketError `EISCONN` on a bound socket
 */
export const canIsotpOpts: SocketOption<IsotpOptions, Partial<IsotpOptions>> = {
  ...tp(c.CAN_ISOTP_OPTS, 'CAN_ISOTP_OPTS'),
  size: 12,
  encode(value) {
    const {
      flags = c.CAN_ISOTP_DEFAULT_FLAGS,
      frameTxTime = null,
      extAddress = c.CAN_ISOTP_DEFAULT_EXT_ADDRESS,
      txPadContent = c.CAN_ISOTP_DEFAULT_PAD_CONTENT,
      rxPadContent = c.CAN_ISOTP_DEFAULT_PAD_CONTENT,
      rxExtAddress = c.CAN_ISOTP_DEFAULT_EXT_ADDRESS,
    } = checkObject('value', value);
    const bytes = new Uint8Array(12);
    writeU32(bytes, checkInteger('value.flags', flags, 0, 0xffffffff), 0);
    writeU32(bytes, encodeTxTime(frameTxTime), 4);
    bytes[8] = checkInteger('value.extAddress', extAddress, 0, 0xff);
    bytes[9] = checkInteger('value.txPadContent', txPadContent, 0, 0xff);
    bytes[10] = checkInteger('value.rxPadContent', rxPadContent, 0, 0xff);
    bytes[11] = checkInteger('value.rxExtAddress', rxExtAddress, 0, 0xff);
    return bytes;
  },
  decode: (bytes) => ({
    flags: readU32(bytes, 0),
    frameTxTime: decodeTxTime(readU32(bytes, 4)),
    extAddress: bytes[8] ?? 0,
    txPadContent: bytes[9] ?? 0,
    rxPadContent: bytes[10] ?? 0,
    rxExtAddress: bytes[11] ?? 0,
  }),
};

// to the kernel 0 is "as it was", and this is none at all
function encodeTxTime(milliseconds: number | null): number {
  if (milliseconds === null) return 0;
  return toNanoseconds('value.frameTxTime', milliseconds) || c.CAN_ISOTP_FRAME_TXTIME_ZERO;
}

function decodeTxTime(nanoseconds: number): number | null {
  if (nanoseconds === 0) return null;
  return nanoseconds === c.CAN_ISOTP_FRAME_TXTIME_ZERO ? 0 : nanoseconds / 1e6;
}

/** What an ISO-TP receiver asks of the sender. Source: ISO 15765-2, `struct can_isotp_fc_options`. */
export interface IsotpFlowControl {
  /** Frames between two flow control frames; 0 for any number. */
  blockSize: number;
  /** Least gap between two frames, STmin, in milliseconds: 0 to 127, or 0.1 to 0.9. */
  stMin: number;
  /** Wait frames that are sent at most. */
  waitMax: number;
}

/** CAN_ISOTP_RECV_FC: what the receiver asks of the sender; to be set before `bind`. */
export const canIsotpRecvFc: SocketOption<IsotpFlowControl, Partial<IsotpFlowControl>> = {
  ...tp(c.CAN_ISOTP_RECV_FC, 'CAN_ISOTP_RECV_FC'),
  size: 3,
  encode(value) {
    const {
      blockSize = c.CAN_ISOTP_DEFAULT_RECV_BS,
      stMin = c.CAN_ISOTP_DEFAULT_RECV_STMIN,
      waitMax = c.CAN_ISOTP_DEFAULT_RECV_WFTMAX,
    } = checkObject('value', value);
    return Uint8Array.of(
      checkInteger('value.blockSize', blockSize, 0, 0xff),
      encodeStMin(stMin),
      checkInteger('value.waitMax', waitMax, 0, 0xff),
    );
  },
  decode: (bytes) => ({ blockSize: bytes[0] ?? 0, stMin: decodeStMin(bytes[1] ?? 0), waitMax: bytes[2] ?? 0 }),
};

const ST_MIN = 'milliseconds: an integer from 0 to 127, or 0.1, 0.2 to 0.9';

function encodeStMin(milliseconds: unknown): number {
  if (typeof milliseconds !== 'number') throw invalidArgumentType('value.stMin', ST_MIN, milliseconds);
  if (Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= 127) return milliseconds;
  const tenths = Math.round(milliseconds * 10);
  if (!(tenths >= 1 && tenths <= 9) || Math.abs(milliseconds * 10 - tenths) > 1e-9) {
    throw outOfRange('value.stMin', ST_MIN, milliseconds);
  }
  return 0xf0 + tenths;
}

function decodeStMin(byte: number): number {
  if (byte <= 127) return byte;
  // reserved values stand for the longest gap, says ISO 15765-2
  return byte >= 0xf1 && byte <= 0xf9 ? (byte - 0xf0) / 10 : 127;
}

function gapOption(name: number, label: string): SocketOption<number> {
  return {
    ...tp(name, label),
    encode(value) {
      const bytes = new Uint8Array(4);
      writeU32(bytes, toNanoseconds('value', value), 0);
      return bytes;
    },
    decode: (bytes) => readU32(bytes, 0) / 1e6,
  };
}

/** CAN_ISOTP_TX_STMIN: gap between frames sent, in milliseconds, with CAN_ISOTP_FORCE_TXSTMIN. */
export const canIsotpTxStmin = gapOption(c.CAN_ISOTP_TX_STMIN, 'CAN_ISOTP_TX_STMIN');

/** CAN_ISOTP_RX_STMIN: gap below which received frames are ignored, in milliseconds, with CAN_ISOTP_FORCE_RXSTMIN. */
export const canIsotpRxStmin = gapOption(c.CAN_ISOTP_RX_STMIN, 'CAN_ISOTP_RX_STMIN');

/** The frames that carry ISO-TP. Source: kernel, `struct can_isotp_ll_options`. */
export interface IsotpLinkLayer {
  /** CAN_MTU for frames of CAN 2.0, CANFD_MTU for those of CAN FD. */
  mtu: number;
  /** Bytes of data in a frame: 8, with CAN FD also 12, 16, 20, 24, 32, 48 or 64. */
  txDl: number;
  /** CANFD_BRS, with CAN FD. */
  txFlags: number;
}

/** CAN_ISOTP_LL_OPTS: the frames that carry ISO-TP; to be set before `bind`. */
export const canIsotpLlOpts: SocketOption<IsotpLinkLayer, Partial<IsotpLinkLayer>> = {
  ...tp(c.CAN_ISOTP_LL_OPTS, 'CAN_ISOTP_LL_OPTS'),
  size: 3,
  encode(value) {
    const { mtu = c.CAN_MTU, txDl, txFlags = 0 } = checkObject('value', value);
    checkOneOf('value.mtu', mtu, [c.CAN_MTU, c.CANFD_MTU]);
    const lengths = mtu === c.CAN_MTU ? [8] : [8, 12, 16, 20, 24, 32, 48, 64];
    return Uint8Array.of(
      mtu,
      checkOneOf('value.txDl', txDl ?? (lengths.at(-1) as number), lengths),
      checkInteger('value.txFlags', txFlags, 0, mtu === c.CAN_MTU ? 0 : 0xff),
    );
  },
  decode: (bytes) => ({ mtu: bytes[0] ?? 0, txDl: bytes[1] ?? 0, txFlags: bytes[2] ?? 0 }),
};

/**
 * SO_J1939_FILTER: which messages to receive, by sender and group: those that match one of the
 * filters; all with an empty list, as at first. At most 512. Only set.
 */
export const soJ1939Filter: WriteonlyOption<readonly J1939Filter[]> = {
  ...j1939(c.SO_J1939_FILTER, 'SO_J1939_FILTER'),
  encode: encodeJ1939Filters,
};

/** SO_J1939_PROMISC: receive all messages of the bus, whomever they are for. */
export const soJ1939Promisc = booleanOption(j1939(c.SO_J1939_PROMISC, 'SO_J1939_PROMISC'));

/** SO_J1939_SEND_PRIO: priority of what is sent, 0 (first) to 7; 6 at first. Below 2 needs CAP_NET_ADMIN. */
export const soJ1939SendPrio = integerOption({
  ...j1939(c.SO_J1939_SEND_PRIO, 'SO_J1939_SEND_PRIO'),
  min: 0,
  max: 7,
  capability: 'CAP_NET_ADMIN',
});

/**
 * SO_J1939_ERRQUEUE: progress and errors come in the error queue, as SO_TIMESTAMPING asks for: each with
 * `soJ1939ErrQueue.message`.
 */
export const soJ1939ErrQueue = withMessage(
  booleanOption(j1939(c.SO_J1939_ERRQUEUE, 'SO_J1939_ERRQUEUE')),
  scmJ1939ErrQueue,
);
