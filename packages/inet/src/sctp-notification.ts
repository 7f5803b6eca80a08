import { readU16, readU32, toBytes } from '@sock/core';
import type { IpAddress } from './address.js';
import {
  SCTP_ADAPTATION_INDICATION,
  SCTP_ASSOC_CHANGE,
  SCTP_ASSOC_RESET_EVENT,
  SCTP_AUTHENTICATION_EVENT,
  SCTP_DATA_SENT,
  SCTP_PARTIAL_DELIVERY_EVENT,
  SCTP_PEER_ADDR_CHANGE,
  SCTP_REMOTE_ERROR,
  SCTP_SEND_FAILED,
  SCTP_SEND_FAILED_EVENT,
  SCTP_SENDER_DRY_EVENT,
  SCTP_SHUTDOWN_EVENT,
  SCTP_STREAM_CHANGE_EVENT,
  SCTP_STREAM_RESET_EVENT,
} from './constants.gen.js';
import { type Field, i32, storage, structure, u16, u16be, u32 } from './fields.js';
import { sndInfo, sndRcvInfo } from './sctp-ancillary.js';

interface Notification {
  /** SCTP_ASSOC_CHANGE, … */
  type: number;
  /** What belongs to the type. */
  flags: number;
  /** The association. */
  assocId: number;
}

/** An association began or ended. */
export interface SctpAssocChange extends Notification {
  kind: 'assocChange';
  /** SCTP_COMM_UP, SCTP_COMM_LOST, SCTP_RESTART, SCTP_SHUTDOWN_COMP or SCTP_CANT_STR_ASSOC. */
  state: number;
  /** Cause code of what failed, in network terms of RFC 9260; 0 is none. */
  error: number;
  /** Streams that can be sent on. */
  outStreams: number;
  /** Streams that the peer can send on. */
  inStreams: number;
  /** For SCTP_COMM_LOST and SCTP_CANT_STR_ASSOC the ABORT that the peer sent, where it sent one. */
  info: Buffer;
}

/** An address of the peer changed its state. */
export interface SctpPeerAddrChange extends Notification {
  kind: 'peerAddrChange';
  address: IpAddress | null;
  /** SCTP_ADDR_AVAILABLE, SCTP_ADDR_UNREACHABLE, SCTP_ADDR_REMOVED, SCTP_ADDR_ADDED, … */
  state: number;
  /** SCTP_HEARTBEAT_SUCCESS, SCTP_FAILED_THRESHOLD, … */
  error: number;
}

/** The peer reported an error. */
export interface SctpRemoteError extends Notification {
  kind: 'remoteError';
  /** Cause code of RFC 9260. */
  error: number;
  /** The error as it was sent. */
  data: Buffer;
}

/** A message could not be delivered. */
export interface SctpSendFailed extends Notification {
  kind: 'sendFailed';
  /** Whether it was on its way already (SCTP_DATA_SENT); it may have arrived then. */
  sent: boolean;
  /** Cause code of RFC 9260; 0 is none. */
  error: number;
  stream: number;
  ppid: number;
  /** As it was given to the message. */
  context: number;
  /** SCTP_UNORDERED, … of the message. */
  infoFlags: number;
  /** The message, or a fragment of it. */
  data: Buffer;
}

/** The peer ends the association: nothing more can be sent. */
export interface SctpShutdownNotice extends Notification {
  kind: 'shutdown';
}

/** The peer's adaptation layer. */
export interface SctpAdaptation extends Notification {
  kind: 'adaptation';
  /** The peer's SCTP_ADAPTATION_LAYER. */
  indication: number;
}

/** The rest of a message that was delivered in part will not come. */
export interface SctpPartialDelivery extends Notification {
  kind: 'partialDelivery';
  /** SCTP_PARTIAL_DELIVERY_ABORTED. */
  indication: number;
  stream: number;
  /** Number of the message in its stream. */
  sequence: number;
}

/** A key is used, or no longer. */
export interface SctpAuthentication extends Notification {
  kind: 'authentication';
  /** SCTP_AUTH_NEW_KEY, SCTP_AUTH_FREE_KEY or SCTP_AUTH_NO_AUTH. */
  indication: number;
  keyNumber: number;
}

/** All that was sent has been acknowledged. */
export interface SctpSenderDry extends Notification {
  kind: 'senderDry';
}

/** Streams were reset: they count their messages from 0 again. */
export interface SctpStreamReset extends Notification {
  kind: 'streamReset';
  /** The streams; none stands for all. SCTP_STREAM_RESET_INCOMING_SSN and its kin are in `flags`. */
  streams: number[];
}

/** An association was reset. */
export interface SctpAssocReset extends Notification {
  kind: 'assocReset';
  localTsn: number;
  remoteTsn: number;
}

/** Streams were added. */
export interface SctpStreamChange extends Notification {
  kind: 'streamChange';
  /** Streams that the peer can send on now. */
  inStreams: number;
  /** Streams that can be sent on now. */
  outStreams: number;
}

/** A notification that is not known here, or that was cut off. */
export interface SctpUnknownNotification {
  kind: 'unknown';
  type: number;
  flags: number;
  /** All of it. */
  data: Buffer;
}

/** What the kernel tells of an association, among the messages. Source: RFC 6458. */
export type SctpNotification =
  | SctpAssocChange
  | SctpPeerAddrChange
  | SctpRemoteError
  | SctpSendFailed
  | SctpShutdownNotice
  | SctpAdaptation
  | SctpPartialDelivery
  | SctpAuthentication
  | SctpSenderDry
  | SctpStreamReset
  | SctpAssocReset
  | SctpStreamChange
  | SctpUnknownNotification;

/** What follows at an offset, to the end. */
const rest = (offset: number): Field<Buffer> => ({
  read: (raw) => Buffer.from(raw.subarray(offset)),
  write: () => {},
});

const streamList = (offset: number): Field<number[]> => ({
  read(raw) {
    const streams: number[] = [];
    for (let i = offset; i + 2 <= raw.length; i += 2) streams.push(readU16(raw, i));
    return streams;
  },
  write: () => {},
});

interface FailedMessage {
  stream: number;
  flags: number;
  ppid: number;
  context: number;
}

// the message is described as its sender described it, behind the notification's 12 first bytes
function sendFailed(info: { readonly size: number; read(raw: Uint8Array): FailedMessage }) {
  const fixed = structure<{ flags: number; error: number }>(12, { flags: u16(2), error: u32(8) });
  const tail = 12 + info.size;
  return {
    size: tail + 4,
    read(raw: Uint8Array) {
      const { flags, error } = fixed.read(raw);
      const { stream, ppid, context, flags: infoFlags } = info.read(raw.subarray(12, tail));
      const { assocId, data } = structure<{ assocId: number; data: Buffer }>(tail + 4, {
        assocId: i32(tail),
        data: rest(tail + 4),
      }).read(raw);
      return { sent: (flags & SCTP_DATA_SENT) !== 0, error, stream, ppid, context, infoFlags, assocId, data };
    },
  };
}

type Body<N> = Omit<N, 'kind' | 'type' | 'flags'>;
const body = <N>(size: number, fields: { readonly [K in keyof Body<N>]-?: Field<Body<N>[K]> }) =>
  structure<Body<N>>(size, fields);
const assocOnly = body<SctpShutdownNotice>(12, { assocId: i32(8) });

// by type: the kind, and how what follows type, flags and length is read
const NOTIFICATIONS = new Map<number, readonly [kind: string, { size: number; read(raw: Uint8Array): object }]>([
  [
    SCTP_ASSOC_CHANGE,
    [
      'assocChange',
      body<SctpAssocChange>(20, {
        state: u16(8),
        error: u16(10),
        outStreams: u16(12),
        inStreams: u16(14),
        assocId: i32(16),
        info: rest(20),
      }),
    ],
  ],
  [
    SCTP_PEER_ADDR_CHANGE,
    [
      'peerAddrChange',
      body<SctpPeerAddrChange>(148, { address: storage(8), state: i32(136), error: i32(140), assocId: i32(144) }),
    ],
  ],
  [
    SCTP_REMOTE_ERROR,
    ['remoteError', body<SctpRemoteError>(16, { error: u16be(8), assocId: i32(12), data: rest(16) })],
  ],
  [SCTP_SEND_FAILED, ['sendFailed', sendFailed(sndRcvInfo)]],
  [SCTP_SEND_FAILED_EVENT, ['sendFailed', sendFailed(sndInfo)]],
  [SCTP_SHUTDOWN_EVENT, ['shutdown', assocOnly]],
  [SCTP_ADAPTATION_INDICATION, ['adaptation', body<SctpAdaptation>(16, { indication: u32(8), assocId: i32(12) })]],
  [
    SCTP_PARTIAL_DELIVERY_EVENT,
    [
      'partialDelivery',
      body<SctpPartialDelivery>(24, { indication: u32(8), assocId: i32(12), stream: u32(16), sequence: u32(20) }),
    ],
  ],
  [
    SCTP_AUTHENTICATION_EVENT,
    ['authentication', body<SctpAuthentication>(20, { keyNumber: u16(8), indication: u32(12), assocId: i32(16) })],
  ],
  [SCTP_SENDER_DRY_EVENT, ['senderDry', assocOnly]],
  [SCTP_STREAM_RESET_EVENT, ['streamReset', body<SctpStreamReset>(12, { assocId: i32(8), streams: streamList(12) })]],
  [
    SCTP_ASSOC_RESET_EVENT,
    ['assocReset', body<SctpAssocReset>(20, { assocId: i32(8), localTsn: u32(12), remoteTsn: u32(16) })],
  ],
  [
    SCTP_STREAM_CHANGE_EVENT,
    ['streamChange', body<SctpStreamChange>(16, { assocId: i32(8), inStreams: u16(12), outStreams: u16(14) })],
  ],
]);

/**
 * Reads a message that came with MSG_NOTIFICATION. Never throws on what the kernel gave: what is not
 * known, or is too short, is of the kind `unknown`. Source: RFC 6458, `union sctp_notification`.
 */
export function unpackSctpNotification(data: ArrayBufferView | ArrayBuffer): SctpNotification {
  const bytes = toBytes('data', data);
  const type = bytes.length >= 2 ? readU16(bytes, 0) : 0;
  const flags = bytes.length >= 4 ? readU16(bytes, 2) : 0;
  const known = NOTIFICATIONS.get(type);
  const whole = bytes.length >= 8 && bytes.length >= readU32(bytes, 4);
  if (known === undefined || !whole || bytes.length < known[1].size) {
    return { kind: 'unknown', type, flags, data: Buffer.from(bytes) };
  }
  const [kind, codec] = known;
  return { kind, type, flags, ...codec.read(bytes) } as SctpNotification;
}
