import {
  booleanOption,
  integerOption,
  type RequestOption,
  type SocketOption,
  uint32Option,
  type WithMessage,
  withMessage,
} from '@sock/core';
import * as c from '../../constants.gen.js';
import { type FieldsInput, flag, i32, structure, structureOption, u16, u32 } from '../../fields.js';
import {
  type SctpNxtInfo,
  type SctpRcvInfo,
  type SctpSndRcvInfo,
  scmSctpNxtInfo,
  scmSctpRcvInfo,
  scmSctpSndRcv,
} from '../../sctp-ancillary.js';
import {
  assocFlag,
  assocNumber,
  assocOption,
  key,
  keyedOption,
  type OfAssociation,
  type SctpAssocOption,
  type SctpAssocValueOption,
} from './shared.js';

/** Receive with each message how it was sent and where it came from, as `message`. */
export const sctpRecvRcvInfo: WithMessage<SocketOption<boolean>, SctpRcvInfo, FieldsInput<SctpRcvInfo>> = withMessage(
  booleanOption(key(c.SCTP_RECVRCVINFO, 'SCTP_RECVRCVINFO')),
  scmSctpRcvInfo,
);

/** Receive with each message what is known of the next one, as `message`. */
export const sctpRecvNxtInfo: WithMessage<SocketOption<boolean>, SctpNxtInfo, FieldsInput<SctpNxtInfo>> = withMessage(
  booleanOption(key(c.SCTP_RECVNXTINFO, 'SCTP_RECVNXTINFO')),
  scmSctpNxtInfo,
);

/** Which notifications are received. Source: RFC 6458, `struct sctp_event_subscribe`. */
export interface SctpEvents {
  /** No notification: the control message SCTP_SNDRCV. */
  dataIo: boolean;
  assocChange: boolean;
  peerAddrChange: boolean;
  /** SCTP_SEND_FAILED. */
  sendFailed: boolean;
  remoteError: boolean;
  shutdown: boolean;
  partialDelivery: boolean;
  adaptation: boolean;
  authentication: boolean;
  senderDry: boolean;
  streamReset: boolean;
  assocReset: boolean;
  streamChange: boolean;
  /** SCTP_SEND_FAILED_EVENT. */
  sendFailedEvent: boolean;
}

/** Which notifications are received: all at once. */
export const sctpEvents: WithMessage<
  SocketOption<SctpEvents, FieldsInput<SctpEvents>>,
  SctpSndRcvInfo,
  FieldsInput<SctpSndRcvInfo>
> = withMessage(
  structureOption(
    key(c.SCTP_EVENTS, 'SCTP_EVENTS'),
    structure<SctpEvents>(14, {
      dataIo: flag(0),
      assocChange: flag(1),
      peerAddrChange: flag(2),
      sendFailed: flag(3),
      remoteError: flag(4),
      shutdown: flag(5),
      partialDelivery: flag(6),
      adaptation: flag(7),
      authentication: flag(8),
      senderDry: flag(9),
      streamReset: flag(10),
      assocReset: flag(11),
      streamChange: flag(12),
      sendFailedEvent: flag(13),
    }),
  ),
  scmSctpSndRcv,
);

/** Whether one kind of notification is received. Source: RFC 6458, `struct sctp_event`. */
export interface SctpEvent extends OfAssociation {
  /** SCTP_ASSOC_CHANGE, SCTP_PEER_ADDR_CHANGE, … */
  type: number;
  on: boolean;
}

/** Whether one kind of notification is received. */
export const sctpEvent: RequestOption<
  SctpEvent,
  { readonly assocId?: number; readonly type: number },
  FieldsInput<SctpEvent>
> = keyedOption(
  key(c.SCTP_EVENT, 'SCTP_EVENT'),
  structure<SctpEvent>(8, { assocId: i32(0), type: u16(4), on: flag(6) }),
);

/** Number that comes with what is received, and with notifications of failure. */
export const sctpContext: SctpAssocValueOption<number> = assocNumber(key(c.SCTP_CONTEXT, 'SCTP_CONTEXT'));

/** On a socket of IPv6, IPv4 addresses appear as IPv6 addresses: by default so. Others are an UnknownAddress. */
export const sctpIWantMappedV4Addr: SocketOption<boolean> = booleanOption(
  key(c.SCTP_I_WANT_MAPPED_V4_ADDR, 'SCTP_I_WANT_MAPPED_V4_ADDR'),
);

/**
 * Whether the parts of long messages may alternate: 0 never, 1 those of different associations (the
 * default), 2 those of different streams too. Source: RFC 6458.
 */
export const sctpFragmentInterleave: SocketOption<number> = integerOption({
  ...key(c.SCTP_FRAGMENT_INTERLEAVE, 'SCTP_FRAGMENT_INTERLEAVE'),
  min: 0,
  max: 2,
});

/** Interleaving of messages, in associations to come; sctpFragmentInterleave must be 2. Source: RFC 8260. */
export const sctpInterleavingSupported: SctpAssocValueOption<boolean> = assocFlag(
  key(c.SCTP_INTERLEAVING_SUPPORTED, 'SCTP_INTERLEAVING_SUPPORTED'),
);

/** Bytes of a message after which its first part is delivered; 0 is the kernel's choice. */
export const sctpPartialDeliveryPoint: SocketOption<number> = uint32Option(
  key(c.SCTP_PARTIAL_DELIVERY_POINT, 'SCTP_PARTIAL_DELIVERY_POINT'),
);

/** Delayed acknowledgements; 0 leaves as it is. Source: RFC 6458, `struct sctp_sack_info`. */
export interface SctpDelayedSack extends OfAssociation {
  /** Milliseconds, at most 500. */
  delay: number;
  /** Packets after which an acknowledgement is sent at once; 1 is no delay. */
  frequency: number;
}

/** Delayed acknowledgements. */
export const sctpDelayedSack: SctpAssocOption<SctpDelayedSack> = assocOption(
  key(c.SCTP_DELAYED_SACK, 'SCTP_DELAYED_SACK'),
  structure<SctpDelayedSack>(12, { assocId: i32(0), delay: u32(4), frequency: u32(8) }),
);
