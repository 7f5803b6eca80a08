import { AF_INET, AF_INET6, type ReadonlyOption, readText, readU16BE, readU32, readU64 } from '@sock/core';
import { type InetAddress, inet_ntop } from '@sock/inet';
import * as c from './constants.gen.js';

/** Bytes to offer for a list: what the core takes at most. */
const LIST_SIZE = 1024 * 1024;

/** A counter of the kernel's. Source: `struct rds_info_counter`. */
export interface RdsCounter {
  /** Such as `send_queued`. */
  name: string;
  value: bigint;
}

/** A connection of two hosts, which all their sockets share. Source: `struct rds_info_connection`. */
export interface RdsConnection {
  /** Address of this host. */
  local: string;
  /** Address of the other host. */
  peer: string;
  /** Such as `tcp`, or `loopback`. */
  transport: string;
  /** RDS_INFO_CONNECTION_FLAG_*, or'ed. */
  flags: number;
  /** Number of the next message that is sent. */
  nextTxSeq: bigint;
  /** Number of the next message that is received. */
  nextRxSeq: bigint;
}

/** A socket. Source: `struct rds_info_socket`. */
export interface RdsSocketInfo {
  bound: InetAddress;
  connected: InetAddress;
  /** Bytes of its send buffer. */
  sndbuf: number;
  /** Bytes of its receive buffer. */
  rcvbuf: number;
  /** Number of its inode, as in /proc/<pid>/fd. */
  inode: bigint;
}

/** A message that waits. Source: `struct rds_info_message`. */
export interface RdsMessageInfo {
  seq: bigint;
  /** Bytes. */
  length: number;
  /** Socket of this host. */
  local: InetAddress;
  /** Socket of the other host. */
  peer: InetAddress;
  /** RDS_INFO_MESSAGE_FLAG_*, or'ed. */
  flags: number;
}

// lists are structures of one size, one behind the other: what is cut short at the end is none
function listOption<Value>(
  name: number,
  label: string,
  size: number,
  decode: (bytes: Buffer) => Value,
): ReadonlyOption<Value[]> {
  return {
    level: c.SOL_RDS,
    name,
    label,
    size: LIST_SIZE,
    decode: (raw) =>
      Array.from({ length: Math.floor(raw.length / size) }, (_, i) => decode(raw.subarray(i * size, (i + 1) * size))),
  };
}

const host = (bytes: Buffer, offset: number): string => inet_ntop(AF_INET, bytes.subarray(offset, offset + 4));

const address = (bytes: Buffer, hostAt: number, portAt: number): InetAddress => ({
  host: host(bytes, hostAt),
  port: readU16BE(bytes, portAt),
});

/** RDS_INFO_COUNTERS: what the kernel has counted since RDS was loaded. Source: rds-info(1). */
export const rdsInfoCounters: ReadonlyOption<RdsCounter[]> = listOption(
  c.RDS_INFO_COUNTERS,
  'RDS_INFO_COUNTERS',
  40,
  (bytes) => ({ name: readText(bytes.subarray(0, 32)), value: readU64(bytes, 32) }),
);

/** RDS_INFO_CONNECTIONS: connections of IPv4. */
export const rdsInfoConnections: ReadonlyOption<RdsConnection[]> = listOption(
  c.RDS_INFO_CONNECTIONS,
  'RDS_INFO_CONNECTIONS',
  42,
  (bytes) => ({
    local: host(bytes, 16),
    peer: host(bytes, 20),
    transport: readText(bytes.subarray(24, 40)),
    flags: bytes[40] as number,
    nextTxSeq: readU64(bytes, 0),
    nextRxSeq: readU64(bytes, 8),
  }),
);

/** RDS6_INFO_CONNECTIONS: connections of IPv6, and of IPv4 as `::ffff:a.b.c.d`. Linux 4.19. */
export const rds6InfoConnections: ReadonlyOption<RdsConnection[]> = listOption(
  c.RDS6_INFO_CONNECTIONS,
  'RDS6_INFO_CONNECTIONS',
  65,
  (bytes) => ({
    local: inet_ntop(AF_INET6, bytes.subarray(16, 32)),
    peer: inet_ntop(AF_INET6, bytes.subarray(32, 48)),
    transport: readText(bytes.subarray(48, 64)),
    flags: bytes[64] as number,
    nextTxSeq: readU64(bytes, 0),
    nextRxSeq: readU64(bytes, 8),
  }),
);

/** RDS_INFO_SOCKETS: sockets that are bound to addresses of IPv4. */
export const rdsInfoSockets: ReadonlyOption<RdsSocketInfo[]> = listOption(
  c.RDS_INFO_SOCKETS,
  'RDS_INFO_SOCKETS',
  28,
  (bytes) => ({
    bound: address(bytes, 4, 12),
    connected: address(bytes, 8, 14),
    sndbuf: readU32(bytes, 0),
    rcvbuf: readU32(bytes, 16),
    inode: readU64(bytes, 20),
  }),
);

const messages = (name: number, label: string): ReadonlyOption<RdsMessageInfo[]> =>
  listOption(name, label, 26, (bytes) => ({
    seq: readU64(bytes, 0),
    length: readU32(bytes, 8),
    local: address(bytes, 12, 20),
    peer: address(bytes, 16, 22),
    flags: bytes[24] as number,
  }));

/** RDS_INFO_SEND_MESSAGES: messages that wait to be sent. */
export const rdsInfoSendMessages = messages(c.RDS_INFO_SEND_MESSAGES, 'RDS_INFO_SEND_MESSAGES');

/** RDS_INFO_RETRANS_MESSAGES: messages that were sent and not acknowledged yet. */
export const rdsInfoRetransMessages = messages(c.RDS_INFO_RETRANS_MESSAGES, 'RDS_INFO_RETRANS_MESSAGES');

/** RDS_INFO_RECV_MESSAGES: messages that wait to be read. */
export const rdsInfoRecvMessages = messages(c.RDS_INFO_RECV_MESSAGES, 'RDS_INFO_RECV_MESSAGES');
