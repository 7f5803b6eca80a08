import { booleanOption, type RequestOption, type SocketOption, type WithMessage, withMessage } from '@sock/core';
import * as c from '../../constants.gen.js';
import { type FieldsInput, i32, structure, u16, u32, u64 } from '../../fields.js';
import {
  type SctpPrInfo,
  type SctpSndInfo,
  type SctpSndRcvInfo,
  scmSctpPrInfo,
  scmSctpSndInfo,
  scmSctpSndRcv,
  sndInfo,
  sndRcvInfo,
} from '../../sctp-ancillary.js';
import {
  assocFlag,
  assocNumber,
  assocOption,
  key,
  keyedRead,
  type OfAssociation,
  type SctpAssocOption,
  type SctpAssocValueOption,
} from './shared.js';

/** Send small messages at once, without Nagle's algorithm. */
export const sctpNoDelay: SocketOption<boolean> = booleanOption(key(c.SCTP_NODELAY, 'SCTP_NODELAY'));

/** Refuse messages that do not fit into a packet, with EMSGSIZE. */
export const sctpDisableFragments: SocketOption<boolean> = booleanOption(
  key(c.SCTP_DISABLE_FRAGMENTS, 'SCTP_DISABLE_FRAGMENTS'),
);

/** Largest piece of a message in one chunk, in bytes; 0 is what fits into a packet. */
export const sctpMaxSeg: SctpAssocValueOption<number> = assocNumber(key(c.SCTP_MAXSEG, 'SCTP_MAXSEG'), 0xffff);

/** Packets that may be sent in a row; 0 is no limit. */
export const sctpMaxBurst: SctpAssocValueOption<number> = assocNumber(key(c.SCTP_MAX_BURST, 'SCTP_MAX_BURST'));

/** Explicit congestion notification, in associations to come. */
export const sctpEcnSupported: SctpAssocValueOption<boolean> = assocFlag(
  key(c.SCTP_ECN_SUPPORTED, 'SCTP_ECN_SUPPORTED'),
);

/** How messages are sent where they do not say it, in the older form. The message is for one message. */
export const sctpDefaultSendParam: WithMessage<
  SctpAssocOption<SctpSndRcvInfo>,
  SctpSndRcvInfo,
  FieldsInput<SctpSndRcvInfo>
> = withMessage(assocOption(key(c.SCTP_DEFAULT_SEND_PARAM, 'SCTP_DEFAULT_SEND_PARAM'), sndRcvInfo), scmSctpSndRcv);

/** How messages are sent where they do not say it. The message is for one message. */
export const sctpDefaultSndInfo: WithMessage<
  SctpAssocOption<SctpSndInfo>,
  SctpSndInfo,
  FieldsInput<SctpSndInfo>
> = withMessage(assocOption(key(c.SCTP_DEFAULT_SNDINFO, 'SCTP_DEFAULT_SNDINFO'), sndInfo), scmSctpSndInfo);

/** Partial reliability, in associations to come. Source: RFC 3758. */
export const sctpPrSupported: SctpAssocValueOption<boolean> = assocFlag(key(c.SCTP_PR_SUPPORTED, 'SCTP_PR_SUPPORTED'));

/** When messages are given up. */
export interface SctpDefaultPrInfo extends OfAssociation, SctpPrInfo {}

/** When messages are given up where they do not say it. The message is for one message. */
export const sctpDefaultPrInfo: WithMessage<
  SctpAssocOption<SctpDefaultPrInfo>,
  SctpPrInfo,
  FieldsInput<SctpPrInfo>
> = withMessage(
  assocOption(
    key(c.SCTP_DEFAULT_PRINFO, 'SCTP_DEFAULT_PRINFO'),
    structure<SctpDefaultPrInfo>(12, { assocId: i32(0), value: u32(4), policy: u16(8) }),
  ),
  scmSctpPrInfo,
);

/** How many messages were given up. Source: RFC 7496, `struct sctp_prstatus`. */
export interface SctpPrStatus extends OfAssociation {
  stream: number;
  policy: number;
  /** Before they were sent. */
  abandonedUnsent: bigint;
  /** After they were sent. */
  abandonedSent: bigint;
}

const prStatus = structure<SctpPrStatus>(24, {
  assocId: i32(0),
  stream: u16(4),
  policy: u16(6),
  abandonedUnsent: u64(8),
  abandonedSent: u64(16),
});

/** How many messages of an association were given up: by one policy, or all (SCTP_PR_SCTP_ALL). */
export const sctpPrAssocStatus: RequestOption<SctpPrStatus, { readonly assocId?: number; readonly policy: number }> =
  keyedRead(key(c.SCTP_PR_ASSOC_STATUS, 'SCTP_PR_ASSOC_STATUS'), prStatus);

/** How many messages of a stream were given up. */
export const sctpPrStreamStatus: RequestOption<
  SctpPrStatus,
  { readonly assocId?: number; readonly stream: number; readonly policy: number }
> = keyedRead(key(c.SCTP_PR_STREAM_STATUS, 'SCTP_PR_STREAM_STATUS'), prStatus);
