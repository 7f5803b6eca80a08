import { checkInteger, checkObject, type RequestOption, type WriteonlyOption, writeI32, writeU16 } from '@sock/core';
import * as c from '../../constants.gen.js';
import { checkAssocId, type FieldsInput, i32, structure, u16 } from '../../fields.js';
import { packList } from '../shared.js';
import {
  assocFlag,
  assocNumber,
  key,
  keyedOption,
  type OfAssociation,
  type SctpAssocValueOption,
  U16,
  writeOnly,
} from './shared.js';

/** Reconfiguration of streams, in associations to come. Source: RFC 6525. */
export const sctpReconfigSupported: SctpAssocValueOption<boolean> = assocFlag(
  key(c.SCTP_RECONFIG_SUPPORTED, 'SCTP_RECONFIG_SUPPORTED'),
);

/** What the peer may reconfigure: SCTP_ENABLE_RESET_STREAM_REQ, … or-ed together. Source: RFC 6525. */
export const sctpEnableStreamReset: SctpAssocValueOption<number> = assocNumber(
  key(c.SCTP_ENABLE_STREAM_RESET, 'SCTP_ENABLE_STREAM_RESET'),
  c.SCTP_ENABLE_STRRESET_MASK,
);

/** Streams to reset: they count their messages from 0 again. */
export interface SctpResetStreams {
  readonly assocId?: number;
  /** SCTP_STREAM_RESET_OUTGOING, SCTP_STREAM_RESET_INCOMING, or both. */
  readonly flags: number;
  /** Numbers of the streams; all unless told. */
  readonly streams?: readonly number[];
}

/** Reset streams. The notification SCTP_STREAM_RESET_EVENT tells the outcome. Source: RFC 6525. */
export const sctpResetStreams: WriteonlyOption<SctpResetStreams> = {
  ...key(c.SCTP_RESET_STREAMS, 'SCTP_RESET_STREAMS'),
  encode(value) {
    const { assocId, flags, streams = [] } = checkObject('value', value);
    const bytes = packList('value.streams', streams, 'streams', U16, 8);
    writeI32(bytes, checkAssocId('value.assocId', assocId), 0);
    writeU16(bytes, checkInteger('value.flags', flags, 0, 0xffff), 4);
    writeU16(bytes, streams.length, 6);
    return bytes;
  },
};

/** Reset an association: all streams, and the numbers of what is sent. The value is the association. Source: RFC 6525. */
export const sctpResetAssoc: WriteonlyOption<number> = {
  ...key(c.SCTP_RESET_ASSOC, 'SCTP_RESET_ASSOC'),
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};

/** Streams to add. */
export interface SctpAddStreams extends OfAssociation {
  /** How many more the peer may send on. */
  inStreams: number;
  /** How many more to send on. */
  outStreams: number;
}

/** Add streams. The notification SCTP_STREAM_CHANGE_EVENT tells the outcome. Source: RFC 6525. */
export const sctpAddStreams: WriteonlyOption<FieldsInput<SctpAddStreams>> = writeOnly(
  key(c.SCTP_ADD_STREAMS, 'SCTP_ADD_STREAMS'),
  structure<SctpAddStreams>(8, { assocId: i32(0), inStreams: u16(4), outStreams: u16(6) }),
);

/** Which stream is sent from next: SCTP_SS_FCFS, SCTP_SS_PRIO or SCTP_SS_RR. */
export const sctpStreamScheduler: SctpAssocValueOption<number> = assocNumber(
  key(c.SCTP_STREAM_SCHEDULER, 'SCTP_STREAM_SCHEDULER'),
);

/** The value of a stream for the scheduler. */
export interface SctpStreamValue extends OfAssociation {
  stream: number;
  value: number;
}

/** The value of a stream for the scheduler: its priority, for SCTP_SS_PRIO. */
export const sctpStreamSchedulerValue: RequestOption<
  SctpStreamValue,
  { readonly assocId?: number; readonly stream: number },
  FieldsInput<SctpStreamValue>
> = keyedOption(
  key(c.SCTP_STREAM_SCHEDULER_VALUE, 'SCTP_STREAM_SCHEDULER_VALUE'),
  structure<SctpStreamValue>(8, { assocId: i32(0), stream: u16(4), value: u16(6) }),
);
