import { endianness } from 'node:os';
import { readU16, readU32, readU64 } from '@sock/core';

// bit-fields begin at the end that the byte order says
const LITTLE = endianness() === 'LE';

/**
 * State and statistics of a TCP connection, as the kernel counts them: times in microseconds unless
 * told otherwise, sizes in bytes. What the running kernel is too old to know is absent.
 * Source: `struct tcp_info` of linux/tcp.h, tcp(7), RFC 4898.
 */
export interface TcpInfo {
  /** TCP_ESTABLISHED, TCP_LISTEN, … */
  state: number;
  /** State of congestion control: TCP_CA_Open, … */
  caState: number;
  /** Retransmission timeouts in a row. */
  retransmits: number;
  /** Probes of a zero window or keep-alive that were not answered. */
  probes: number;
  /** Doublings of the retransmission timeout. */
  backoff: number;
  /** TCPI_OPT_* values or-ed together. */
  options: number;
  sndWscale: number;
  rcvWscale: number;
  /** The delivery rate was limited by the program, not by the network. */
  deliveryRateAppLimited: boolean;
  /** TFO_* value: why Fast Open failed. */
  fastOpenClientFail: number;
  /** Retransmission timeout. */
  rto: number;
  /** Delay before a late acknowledgement. */
  ato: number;
  sndMss: number;
  rcvMss: number;
  /** Segments sent and not acknowledged; of a listening socket, connections to accept. */
  unacked: number;
  /** Segments selectively acknowledged; of a listening socket, its backlog. */
  sacked: number;
  /** Segments taken for lost. */
  lost: number;
  /** Segments retransmitted and not acknowledged. */
  retrans: number;
  fackets: number;
  /** Milliseconds since data were sent last. */
  lastDataSent: number;
  lastAckSent: number;
  /** Milliseconds since data were received last. */
  lastDataRecv: number;
  /** Milliseconds since an acknowledgement was received last. */
  lastAckRecv: number;
  /** MTU of the path. */
  pmtu: number;
  rcvSsthresh: number;
  /** Smoothed round-trip time. */
  rtt: number;
  rttvar: number;
  sndSsthresh: number;
  /** Congestion window, in segments. */
  sndCwnd: number;
  advmss: number;
  reordering: number;
  /** Round-trip time as the receiving side estimates it. */
  rcvRtt: number;
  rcvSpace: number;
  /** Segments retransmitted, ever. */
  totalRetrans: number;
  /** Bytes per second; the largest number where there is no limit. */
  pacingRate?: bigint;
  maxPacingRate?: bigint;
  bytesAcked?: bigint;
  bytesReceived?: bigint;
  segsOut?: number;
  segsIn?: number;
  /** Bytes written and not yet sent. */
  notsentBytes?: number;
  minRtt?: number;
  dataSegsIn?: number;
  dataSegsOut?: number;
  /** Bytes per second. */
  deliveryRate?: bigint;
  /** Time with data in flight or to be sent. */
  busyTime?: bigint;
  /** Time limited by the peer's receive window. */
  rwndLimited?: bigint;
  /** Time limited by the send buffer. */
  sndbufLimited?: bigint;
  /** Segments delivered. */
  delivered?: number;
  /** Segments delivered with a congestion mark. */
  deliveredCe?: number;
  bytesSent?: bigint;
  bytesRetrans?: bigint;
  dsackDups?: number;
  reordSeen?: number;
  /** Segments received out of order. */
  rcvOoopack?: number;
  /** The peer's receive window. */
  sndWnd?: number;
  /** The receive window advertised. */
  rcvWnd?: number;
  /** Changes of the hash that chooses a path. */
  rehash?: number;
  /** Retransmission timeouts, ever. */
  totalRto?: number;
  totalRtoRecoveries?: number;
  /** Milliseconds spent recovering from retransmission timeouts. */
  totalRtoTime?: number;
  /** Segments received with a congestion mark. Source: RFC 9768, as are the next six. */
  receivedCe?: number;
  deliveredE1Bytes?: number;
  deliveredE0Bytes?: number;
  deliveredCeBytes?: number;
  receivedE1Bytes?: number;
  receivedE0Bytes?: number;
  receivedCeBytes?: number;
}

type Counter = Exclude<
  keyof TcpInfo,
  | 'state'
  | 'caState'
  | 'retransmits'
  | 'probes'
  | 'backoff'
  | 'options'
  | 'sndWscale'
  | 'rcvWscale'
  | 'deliveryRateAppLimited'
  | 'fastOpenClientFail'
>;

/** Bytes to offer the kernel: room for what later kernels add. */
export const TCP_INFO_SIZE = 512;

// in the structure's order: 2, 4 or 8 bytes each, without gaps
const FIELDS: readonly (readonly [width: 2 | 4 | 8, ...names: Counter[]])[] = [
  [4, 'rto', 'ato', 'sndMss', 'rcvMss', 'unacked', 'sacked', 'lost', 'retrans', 'fackets'],
  [4, 'lastDataSent', 'lastAckSent', 'lastDataRecv', 'lastAckRecv', 'pmtu', 'rcvSsthresh', 'rtt', 'rttvar'],
  [4, 'sndSsthresh', 'sndCwnd', 'advmss', 'reordering', 'rcvRtt', 'rcvSpace', 'totalRetrans'],
  [8, 'pacingRate', 'maxPacingRate', 'bytesAcked', 'bytesReceived'],
  [4, 'segsOut', 'segsIn', 'notsentBytes', 'minRtt', 'dataSegsIn', 'dataSegsOut'],
  [8, 'deliveryRate', 'busyTime', 'rwndLimited', 'sndbufLimited'],
  [4, 'delivered', 'deliveredCe'],
  [8, 'bytesSent', 'bytesRetrans'],
  [4, 'dsackDups', 'reordSeen', 'rcvOoopack', 'sndWnd', 'rcvWnd', 'rehash'],
  [2, 'totalRto', 'totalRtoRecoveries'],
  [4, 'totalRtoTime', 'receivedCe', 'deliveredE1Bytes', 'deliveredE0Bytes', 'deliveredCeBytes'],
  [4, 'receivedE1Bytes', 'receivedE0Bytes', 'receivedCeBytes'],
];

/** Reads a `struct tcp_info` of any kernel: as much as there is. */
export function decodeTcpInfo(raw: Buffer): TcpInfo {
  const scales = raw[6] ?? 0;
  const flags = raw[7] ?? 0;
  const info: Record<string, number | bigint | boolean> = {
    state: raw[0] ?? 0,
    caState: raw[1] ?? 0,
    retransmits: raw[2] ?? 0,
    probes: raw[3] ?? 0,
    backoff: raw[4] ?? 0,
    options: raw[5] ?? 0,
    sndWscale: LITTLE ? scales & 15 : scales >> 4,
    rcvWscale: LITTLE ? scales >> 4 : scales & 15,
    deliveryRateAppLimited: (flags & (LITTLE ? 1 : 0x80)) !== 0,
    fastOpenClientFail: (flags >> (LITTLE ? 1 : 5)) & 3,
  };
  let offset = 8;
  for (const [width, ...names] of FIELDS) {
    for (const name of names) {
      if (offset + width > raw.length) return info as unknown as TcpInfo;
      if (width === 8) info[name] = readU64(raw, offset);
      else if (width === 4) info[name] = readU32(raw, offset);
      else info[name] = readU16(raw, offset);
      offset += width;
    }
  }
  return info as unknown as TcpInfo;
}
