import {
  booleanOption,
  checkBoolean,
  checkInteger,
  invalidArgumentType,
  outOfRange,
  readI32,
  SO_TIMESTAMP,
  type SocketOption,
  scmTimestamp,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
} from '@sock/core';
import { type RdsInput, rds } from './address.js';
import { type RdsLatency, scmRdsCongUpdate, scmRdsRxpathLatency } from './ancillary.js';
import * as c from './constants.gen.js';

const key = (name: number, label: string) => ({ level: c.SOL_RDS, name, label });

const switchOption = (name: number, label: string): WriteonlyOption<boolean> => ({
  ...key(name, label),
  encode: (value) => (checkBoolean('value', value) ? 1 : 0),
});

/** RDS_CANCEL_SENT_TO: drops what was sent to an address and has not arrived. The address is numeric. Only set. */
export const rdsCancelSentTo: WriteonlyOption<RdsInput> = {
  ...key(c.RDS_CANCEL_SENT_TO, 'RDS_CANCEL_SENT_TO'),
  encode(value, socket) {
    const sockaddr = new Uint8Array(128);
    return sockaddr.subarray(0, rds.encode(value, sockaddr, socket));
  },
};

/** RDS_RECVERR: RDMA that failed is told by a control message, RDS_CMSG_RDMA_STATUS. */
export const rdsRecverr = booleanOption(key(c.RDS_RECVERR, 'RDS_RECVERR'));

/** RDS_CONG_MONITOR: ports that are congested no more are told by a control message. Only set. */
export const rdsCongMonitor: WithMessage<WriteonlyOption<boolean>, bigint, never> = withMessage(
  switchOption(c.RDS_CONG_MONITOR, 'RDS_CONG_MONITOR'),
  scmRdsCongUpdate,
);

/**
 * SO_RDS_TRANSPORT: RDS_TRANS_TCP or RDS_TRANS_IB, to be set before `bind`, which chooses one elsewhere;
 * `null` before that.
 */
export const soRdsTransport: SocketOption<number | null, number> = {
  ...key(c.SO_RDS_TRANSPORT, 'SO_RDS_TRANSPORT'),
  encode: (value) => checkInteger('value', value, 0, c.RDS_TRANS_TCP),
  decode(raw) {
    const transport = readI32(raw, 0);
    return transport === c.RDS_TRANS_NONE ? null : transport;
  },
};

/**
 * SO_RDS_MSG_RXPATH_LATENCY: the points on the way in, RDS_MSG_RX_*, whose times come as a control message;
 * at most 3. Only set.
 */
export const soRdsMsgRxpathLatency: WithMessage<WriteonlyOption<readonly number[]>, RdsLatency[], never> = {
  ...key(c.SO_RDS_MSG_RXPATH_LATENCY, 'SO_RDS_MSG_RXPATH_LATENCY'),
  message: scmRdsRxpathLatency,
  encode(value) {
    if (!Array.isArray(value)) throw invalidArgumentType('value', 'an array of points', value);
    const most = c.RDS_MSG_RX_DGRAM_TRACE_MAX;
    if (value.length > most) throw outOfRange('value', `at most ${most} points`, value);
    const bytes = new Uint8Array(1 + most);
    bytes[0] = value.length;
    value.forEach((point: unknown, i) => {
      bytes[1 + i] = checkInteger(`value[${i}]`, point, 0, most - 1);
    });
    return bytes;
  },
};

/**
 * SO_TIMESTAMP of SOL_RDS: when the kernel received a message, to the microsecond. AF_RDS has it at this
 * level, and no other kind of timestamps. Only set.
 */
export const rdsTimestamp: WithMessage<WriteonlyOption<boolean>, bigint, never> = withMessage(
  switchOption(SO_TIMESTAMP, 'SO_TIMESTAMP'),
  scmTimestamp,
);
