import { type AncillaryMessage, ancillaryMessage, checkString } from '@sock/core';
import {
  IPPROTO_SCTP,
  SCTP_AUTHINFO,
  SCTP_DSTADDRV4,
  SCTP_DSTADDRV6,
  SCTP_INIT,
  SCTP_NXTINFO,
  SCTP_PRINFO,
  SCTP_RCVINFO,
  SCTP_SNDINFO,
  SCTP_SNDRCV,
} from './constants.gen.js';
import { type FieldsInput, i32, type Structure, structure, structureMessage, u16, u32, u32be } from './fields.js';
import { writeIPv4, writeIPv6 } from './structures.js';
import { formatIPv4, formatIPv6 } from './text.js';

/** Streams and attempts of new associations. Source: RFC 6458, `struct sctp_initmsg`. */
export interface SctpInitMsg {
  /** Streams to send on. */
  outStreams: number;
  /** Streams that the peer may send on. */
  maxInStreams: number;
  /** INITs sent before the peer is taken for unreachable. */
  maxAttempts: number;
  /** Longest time between INITs, in milliseconds. */
  maxInitTimeout: number;
}

export const initMsg: Structure<SctpInitMsg> = structure(8, {
  outStreams: u16(0),
  maxInStreams: u16(2),
  maxAttempts: u16(4),
  maxInitTimeout: u16(6),
});

/** How a message is sent. Source: RFC 6458, `struct sctp_sndinfo`. */
export interface SctpSndInfo {
  /** Number of the stream. */
  stream: number;
  /** SCTP_UNORDERED, SCTP_ADDR_OVER, SCTP_ABORT, SCTP_EOF, SCTP_SENDALL, … or-ed together. */
  flags: number;
  /** What the data are, a number of IANA's list of SCTP payload protocol identifiers; 0 is none. */
  ppid: number;
  /** Number that a notification of failure gives back. */
  context: number;
  /** Association; 0 (or nothing) where an address says it, or there is only one. */
  assocId: number;
}

export const sndInfo: Structure<SctpSndInfo> = structure(16, {
  stream: u16(0),
  flags: u16(2),
  ppid: u32be(4),
  context: u32(8),
  assocId: i32(12),
});

/** How a message was sent, and where it came from. Source: RFC 6458, `struct sctp_rcvinfo`. */
export interface SctpRcvInfo {
  /** Number of the stream. */
  stream: number;
  /** Number of the message in its stream. */
  ssn: number;
  /** SCTP_UNORDERED. */
  flags: number;
  /** What the data are, as the sender says. */
  ppid: number;
  /** Transmission sequence number. */
  tsn: number;
  /** Up to where all has been received; for unordered messages. */
  cumTsn: number;
  /** What SCTP_CONTEXT is set to. */
  context: number;
  assocId: number;
}

export const rcvInfo: Structure<SctpRcvInfo> = structure(28, {
  stream: u16(0),
  ssn: u16(2),
  flags: u16(4),
  ppid: u32be(8),
  tsn: u32(12),
  cumTsn: u32(16),
  context: u32(20),
  assocId: i32(24),
});

/** What is known of the message that comes next. Source: RFC 6458, `struct sctp_nxtinfo`. */
export interface SctpNxtInfo {
  stream: number;
  /** SCTP_UNORDERED, SCTP_NOTIFICATION. */
  flags: number;
  ppid: number;
  /** Bytes that are there of it. */
  length: number;
  assocId: number;
}

const nxtInfo: Structure<SctpNxtInfo> = structure(16, {
  stream: u16(0),
  flags: u16(2),
  ppid: u32be(4),
  length: u32(8),
  assocId: i32(12),
});

/** How a message is or was sent: the older form of SctpSndInfo and SctpRcvInfo in one. Source: `struct sctp_sndrcvinfo`. */
export interface SctpSndRcvInfo {
  stream: number;
  ssn: number;
  flags: number;
  ppid: number;
  context: number;
  /** Milliseconds after which a message that has not been sent is given up; 0 is never. */
  timeToLive: number;
  tsn: number;
  cumTsn: number;
  assocId: number;
}

export const sndRcvInfo: Structure<SctpSndRcvInfo> = structure(32, {
  stream: u16(0),
  ssn: u16(2),
  flags: u16(4),
  ppid: u32be(8),
  context: u32(12),
  timeToLive: u32(16),
  tsn: u32(20),
  cumTsn: u32(24),
  assocId: i32(28),
});

/** When a message is given up. Source: RFC 6458, `struct sctp_prinfo`; RFC 3758, RFC 7496. */
export interface SctpPrInfo {
  /** SCTP_PR_SCTP_NONE, SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_RTX or SCTP_PR_SCTP_PRIO. */
  policy: number;
  /** Milliseconds, retransmissions, or a priority. */
  value: number;
}

export const prInfo: Structure<SctpPrInfo> = structure(8, { policy: u16(0), value: u32(4) });

/** The key that a message is sent with. Source: RFC 6458, `struct sctp_authinfo`. */
export interface SctpAuthInfo {
  keyNumber: number;
}

const level = IPPROTO_SCTP;

export const scmSctpInit: AncillaryMessage<SctpInitMsg, FieldsInput<SctpInitMsg>> = structureMessage(
  { level, type: SCTP_INIT, label: 'SCTP_INIT' },
  initMsg,
);

export const scmSctpSndRcv: AncillaryMessage<SctpSndRcvInfo, FieldsInput<SctpSndRcvInfo>> = structureMessage(
  { level, type: SCTP_SNDRCV, label: 'SCTP_SNDRCV' },
  sndRcvInfo,
);

export const scmSctpSndInfo: AncillaryMessage<SctpSndInfo, FieldsInput<SctpSndInfo>> = structureMessage(
  { level, type: SCTP_SNDINFO, label: 'SCTP_SNDINFO' },
  sndInfo,
);

export const scmSctpRcvInfo: AncillaryMessage<SctpRcvInfo, FieldsInput<SctpRcvInfo>> = structureMessage(
  { level, type: SCTP_RCVINFO, label: 'SCTP_RCVINFO' },
  rcvInfo,
);

export const scmSctpNxtInfo: AncillaryMessage<SctpNxtInfo, FieldsInput<SctpNxtInfo>> = structureMessage(
  { level, type: SCTP_NXTINFO, label: 'SCTP_NXTINFO' },
  nxtInfo,
);

export const scmSctpPrInfo: AncillaryMessage<SctpPrInfo, FieldsInput<SctpPrInfo>> = structureMessage(
  { level, type: SCTP_PRINFO, label: 'SCTP_PRINFO' },
  prInfo,
);

export const scmSctpAuthInfo: AncillaryMessage<SctpAuthInfo, FieldsInput<SctpAuthInfo>> = structureMessage(
  { level, type: SCTP_AUTHINFO, label: 'SCTP_AUTHINFO' },
  structure<SctpAuthInfo>(2, { keyNumber: u16(0) }),
);

/** SCTP_DSTADDRV4: with the message that begins an association, a further IPv4 address of the peer. Source: RFC 6458. */
export const scmSctpDstAddrV4: AncillaryMessage<string> = ancillaryMessage<string>({
  level,
  type: SCTP_DSTADDRV4,
  label: 'SCTP_DSTADDRV4',
  size: 4,
  encode(value) {
    const bytes = new Uint8Array(4);
    writeIPv4('value', checkString('value', value), bytes, 0);
    return bytes;
  },
  decode: (data) => (data.length < 4 ? undefined : formatIPv4(data, 0)),
});

/** SCTP_DSTADDRV6: as SCTP_DSTADDRV4, of IPv6. Source: RFC 6458. */
export const scmSctpDstAddrV6: AncillaryMessage<string> = ancillaryMessage<string>({
  level,
  type: SCTP_DSTADDRV6,
  label: 'SCTP_DSTADDRV6',
  size: 16,
  encode(value) {
    const bytes = new Uint8Array(16);
    writeIPv6('value', checkString('value', value), bytes, 0);
    return bytes;
  },
  decode: (data) => (data.length < 16 ? undefined : formatIPv6(data, 0)),
});
