import {
  booleanOption,
  integerOption,
  type ReadonlyOption,
  readU32,
  type SocketOption,
  uint32Option,
  type WithMessage,
  withMessage,
} from '@sock/core';
import type { IpAddress } from '../../address.js';
import * as c from '../../constants.gen.js';
import { type FieldsInput, i32, storage, structure, structureOption, u16, u32, u64 } from '../../fields.js';
import { initMsg, type SctpInitMsg, scmSctpInit } from '../../sctp-ancillary.js';
import { STORAGE_ALIGNMENT } from '../../structures.js';
import {
  assocOption,
  assocRead,
  counted,
  key,
  type OfAssociation,
  peerAddrInfo,
  type SctpAssocOption,
  type SctpAssocStatus,
  type SctpPeerAddrInfo,
} from './shared.js';

/** Retransmission timeouts, in milliseconds; 0 leaves as it is. Source: RFC 6458, `struct sctp_rtoinfo`. */
export interface SctpRtoInfo extends OfAssociation {
  initial: number;
  max: number;
  min: number;
}

/** Retransmission timeouts. */
export const sctpRtoInfo: SctpAssocOption<SctpRtoInfo> = assocOption(
  key(c.SCTP_RTOINFO, 'SCTP_RTOINFO'),
  structure<SctpRtoInfo>(16, { assocId: i32(0), initial: u32(4), max: u32(8), min: u32(12) }),
);

/** Parameters of associations; 0 leaves as it is. Source: RFC 6458, `struct sctp_assocparams`. */
export interface SctpAssocInfo extends OfAssociation {
  /** Retransmissions in a row before the peer is taken for unreachable. */
  maxRetransmissions: number;
  /** Addresses of the peer; only read. */
  peerDestinations: number;
  /** Receive window of the peer, in bytes; only read. */
  peerWindow: number;
  /** Receive window, in bytes; only read. */
  localWindow: number;
  /** How long a cookie is good, in milliseconds. */
  cookieLife: number;
}

/** Parameters of associations. */
export const sctpAssocInfo: SctpAssocOption<SctpAssocInfo> = assocOption(
  key(c.SCTP_ASSOCINFO, 'SCTP_ASSOCINFO'),
  structure<SctpAssocInfo>(20, {
    assocId: i32(0),
    maxRetransmissions: u16(4),
    peerDestinations: u16(6),
    peerWindow: u32(8),
    localWindow: u32(12),
    cookieLife: u32(16),
  }),
);

/** Streams and attempts of new associations; 0 leaves as it is. The message does so for one that it begins. */
export const sctpInitMsg: WithMessage<
  SocketOption<SctpInitMsg, FieldsInput<SctpInitMsg>>,
  SctpInitMsg,
  FieldsInput<SctpInitMsg>
> = withMessage(structureOption(key(c.SCTP_INITMSG, 'SCTP_INITMSG'), initMsg), scmSctpInit);

/** Seconds of silence after which associations are closed, 0 being never; one-to-many sockets only. */
export const sctpAutoClose: SocketOption<number> = integerOption({
  ...key(c.SCTP_AUTOCLOSE, 'SCTP_AUTOCLOSE'),
  min: 0,
});

/** State of an association. Source: RFC 6458, `struct sctp_status`. */
export interface SctpStatus extends OfAssociation {
  /** SCTP_ESTABLISHED, SCTP_SHUTDOWN_PENDING, … */
  state: number;
  /** Receive window of the peer, in bytes. */
  peerWindow: number;
  /** Chunks that were not acknowledged yet. */
  unacknowledged: number;
  /** Chunks that were received and not read yet. */
  pending: number;
  inStreams: number;
  outStreams: number;
  /** Bytes of a message from which on it is sent in pieces. */
  fragmentationPoint: number;
  /** The address that is sent to. */
  primary: SctpPeerAddrInfo;
}

const PRIMARY = 24;

/** State of an association. */
export const sctpStatus: SctpAssocStatus<SctpStatus> = assocRead(
  key(c.SCTP_STATUS, 'SCTP_STATUS'),
  structure<SctpStatus>(PRIMARY + peerAddrInfo.size, {
    assocId: i32(0),
    state: i32(4),
    peerWindow: u32(8),
    unacknowledged: u16(12),
    pending: u16(14),
    inStreams: u16(16),
    outStreams: u16(18),
    fragmentationPoint: u32(20),
    primary: { read: (raw) => peerAddrInfo.read(raw.subarray(PRIMARY)), write: () => {} },
  }),
);

/** Statistics of an association. Source: the kernel's sctp.h, `struct sctp_assoc_stats`. */
export interface SctpAssocStats extends OfAssociation {
  /** Where `maxRto` was seen. */
  maxRtoAddress: IpAddress | null;
  /** Longest retransmission timeout since this was read last, in milliseconds; 0 where it has not changed. */
  maxRto: bigint;
  sacksReceived: bigint;
  sacksSent: bigint;
  packetsSent: bigint;
  packetsReceived: bigint;
  retransmittedChunks: bigint;
  /** Beyond the next one expected. */
  outOfSequence: bigint;
  duplicateChunks: bigint;
  gapAcknowledgements: bigint;
  unorderedChunksSent: bigint;
  unorderedChunksReceived: bigint;
  orderedChunksSent: bigint;
  orderedChunksReceived: bigint;
  controlChunksSent: bigint;
  controlChunksReceived: bigint;
}

/** Statistics of an association. */
export const sctpGetAssocStats: SctpAssocStatus<SctpAssocStats> = assocRead(
  key(c.SCTP_GET_ASSOC_STATS, 'SCTP_GET_ASSOC_STATS'),
  structure<SctpAssocStats>(256, {
    assocId: i32(0),
    maxRtoAddress: storage(STORAGE_ALIGNMENT),
    maxRto: u64(136),
    sacksReceived: u64(144),
    sacksSent: u64(152),
    packetsSent: u64(160),
    packetsReceived: u64(168),
    retransmittedChunks: u64(176),
    outOfSequence: u64(184),
    duplicateChunks: u64(192),
    gapAcknowledgements: u64(200),
    unorderedChunksSent: u64(208),
    unorderedChunksReceived: u64(216),
    orderedChunksSent: u64(224),
    orderedChunksReceived: u64(232),
    controlChunksSent: u64(240),
    controlChunksReceived: u64(248),
  }),
);

/** Number of associations of a one-to-many socket. */
export const sctpGetAssocNumber: ReadonlyOption<number> = {
  ...key(c.SCTP_GET_ASSOC_NUMBER, 'SCTP_GET_ASSOC_NUMBER'),
  decode: (raw) => (raw.length >= 4 ? readU32(raw, 0) : 0),
};

/** Identifiers of the associations of a one-to-many socket. */
export const sctpGetAssocIdList: ReadonlyOption<number[]> = {
  ...key(c.SCTP_GET_ASSOC_ID_LIST, 'SCTP_GET_ASSOC_ID_LIST'),
  size: 256 * 1024,
  decode: (raw) => counted(raw, 0, 4),
};

/** Number that peers of new associations are told. Source: RFC 5061. */
export const sctpAdaptationLayer: SocketOption<number> = uint32Option(
  key(c.SCTP_ADAPTATION_LAYER, 'SCTP_ADAPTATION_LAYER'),
);

/** Several one-to-one sockets share a port. To be set before binding. */
export const sctpReusePort: SocketOption<boolean> = booleanOption(key(c.SCTP_REUSE_PORT, 'SCTP_REUSE_PORT'));
