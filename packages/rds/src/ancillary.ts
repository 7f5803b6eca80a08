import {
  type AncillaryMessage,
  ancillaryMessage,
  checkInteger,
  type ReceiveOnlyMessage,
  readU32,
  readU64,
  uint32Message,
} from '@sock/core';
import * as c from './constants.gen.js';

/** Number of a port in the mask of congested ports: several ports share one. */
export function RDS_CONG_MONITOR_BIT(port: number): number {
  return checkInteger('port', port, 0, 0xffff) % c.RDS_CONG_MONITOR_SIZE;
}

/** The mask of a port, to compare with that of `scmRdsCongUpdate`. */
export function RDS_CONG_MONITOR_MASK(port: number): bigint {
  return 1n << BigInt(RDS_CONG_MONITOR_BIT(port));
}

/**
 * RDS_CMSG_CONG_UPDATE: ports that were congested when this socket wanted to send to them, and are no
 * more, each a bit (`RDS_CONG_MONITOR_MASK`). It comes by itself, with no data, where
 * `rdsCongMonitor` is set.
 */
export const scmRdsCongUpdate: ReceiveOnlyMessage<bigint> = ancillaryMessage({
  level: c.SOL_RDS,
  type: c.RDS_CMSG_CONG_UPDATE,
  label: 'RDS_CMSG_CONG_UPDATE',
  size: 8,
  decode: (data) => (data.length < 8 ? undefined : readU64(data, 0)),
});

/** How long a part of the way in took. */
export interface RdsLatency {
  /** RDS_MSG_RX_HDR_TO_DGRAM_START, RDS_MSG_RX_DGRAM_REASSEMBLE or RDS_MSG_RX_DGRAM_DELIVERED. */
  point: number;
  /** Nanoseconds. */
  duration: bigint;
}

// a struct rds_cmsg_rx_trace: a count, as many bytes as there are points, and from offset 8 on their times
const TRACES = 8;

/** RDS_CMSG_RXPATH_LATENCY: how long the message took, at the points that `soRdsMsgRxpathLatency` asked for. */
export const scmRdsRxpathLatency: ReceiveOnlyMessage<RdsLatency[]> = ancillaryMessage({
  level: c.SOL_RDS,
  type: c.RDS_CMSG_RXPATH_LATENCY,
  label: 'RDS_CMSG_RXPATH_LATENCY',
  size: TRACES + 8 * c.RDS_MSG_RX_DGRAM_TRACE_MAX,
  decode(data) {
    const count = Math.min(data[0] ?? 0, c.RDS_MSG_RX_DGRAM_TRACE_MAX);
    if (data.length === 0 || data.length < TRACES + 8 * count) return undefined;
    return Array.from({ length: count }, (_, i) => ({
      point: data[1 + i] as number,
      duration: readU64(data, TRACES + 8 * i),
    }));
  },
});

/** RDS_CMSG_ZCOPY_COOKIE: the caller's number for a message that is sent with MSG_ZEROCOPY. Linux 4.17. */
export const scmRdsZcopyCookie: AncillaryMessage<number> = uint32Message({
  level: c.SOL_RDS,
  type: c.RDS_CMSG_ZCOPY_COOKIE,
  label: 'RDS_CMSG_ZCOPY_COOKIE',
});

/** RDS_CMSG_ZCOPY_COMPLETION: numbers of messages of MSG_ZEROCOPY whose memory is free again. Linux 4.17. */
export const scmRdsZcopyCompletion: ReceiveOnlyMessage<number[]> = ancillaryMessage({
  level: c.SOL_RDS,
  type: c.RDS_CMSG_ZCOPY_COMPLETION,
  label: 'RDS_CMSG_ZCOPY_COMPLETION',
  size: 4 + 4 * c.RDS_MAX_ZCOOKIES,
  decode(data) {
    const count = data.length < 4 ? Number.NaN : Math.min(readU32(data, 0), c.RDS_MAX_ZCOOKIES);
    if (!(data.length >= 4 + 4 * count)) return undefined;
    return Array.from({ length: count }, (_, i) => readU32(data, 4 + 4 * i));
  },
});
