import { type ReadonlyOption, type RequestOption, readU32, readU64, writeU32 } from '@sock/core';
import type { IpAddress } from '../address.js';
import { MPTCP_INFO, MPTCP_SUBFLOW_ADDRS, MPTCP_TCPINFO, SOL_MPTCP } from '../constants.gen.js';
import { decodeSockaddr } from '../fields.js';
import { decodeTcpInfo, TCP_INFO_SIZE, type TcpInfo } from '../tcp-info.js';

/**
 * State of a Multipath TCP connection. Source: `struct mptcp_info` of linux/mptcp.h. What the kernel
 * is too old to know is absent.
 */
export interface MptcpInfo {
  /** Subflows besides the first. */
  subflows: number;
  /** Addresses announced to the peer. */
  addAddrSignal: number;
  /** Addresses of the peer that were accepted. */
  addAddrAccepted: number;
  subflowsMax: number;
  addAddrSignalMax: number;
  addAddrAcceptedMax: number;
  /** MPTCP_INFO_FLAG_* values or-ed together. */
  flags: number;
  /** Token of the connection. Source: RFC 8684. */
  token: number;
  writeSeq: bigint;
  sndUna: bigint;
  rcvNxt: bigint;
  localAddrUsed: number;
  localAddrMax: number;
  csumEnabled: boolean;
  retransmits?: number;
  bytesRetrans?: bigint;
  bytesSent?: bigint;
  bytesReceived?: bigint;
  bytesAcked?: bigint;
  /** All subflows. */
  subflowsTotal?: number;
}

/**
 * What the kernel knows about a Multipath TCP connection; `EOPNOTSUPP` where it is plain TCP. Source:
 * the kernel's networking/mptcp.
 */
export const mptcpInfo: ReadonlyOption<MptcpInfo> = {
  level: SOL_MPTCP,
  name: MPTCP_INFO,
  label: 'MPTCP_INFO',
  size: 256,
  decode(raw) {
    const byte = (offset: number): number => raw[offset] ?? 0;
    return {
      subflows: byte(0),
      addAddrSignal: byte(1),
      addAddrAccepted: byte(2),
      subflowsMax: byte(3),
      addAddrSignalMax: byte(4),
      addAddrAcceptedMax: byte(5),
      flags: readU32(raw, 8),
      token: readU32(raw, 12),
      writeSeq: readU64(raw, 16),
      sndUna: readU64(raw, 24),
      rcvNxt: readU64(raw, 32),
      localAddrUsed: byte(40),
      localAddrMax: byte(41),
      csumEnabled: byte(42) !== 0,
      ...(raw.length >= 80 && {
        retransmits: readU32(raw, 44),
        bytesRetrans: readU64(raw, 48),
        bytesSent: readU64(raw, 56),
        bytesReceived: readU64(raw, 64),
        bytesAcked: readU64(raw, 72),
      }),
      ...(raw.length >= 81 && { subflowsTotal: byte(80) }),
    };
  },
};

// a struct mptcp_subflow_data: its size, the number of subflows, the size of the kernel's elements, and that of those behind it
const SUBFLOW_DATA = 16;
const SUBFLOWS = 32;

/** One element for each subflow, of `size` bytes here. */
function subflowOption<T>(
  key: { name: number; label: string },
  size: number,
  decode: (raw: Buffer) => T,
): RequestOption<T[], undefined> {
  return {
    level: SOL_MPTCP,
    ...key,
    encodeRequest() {
      const bytes = new Uint8Array(SUBFLOW_DATA + SUBFLOWS * size);
      writeU32(bytes, SUBFLOW_DATA, 0);
      writeU32(bytes, size, 12);
      return bytes;
    },
    decode(raw) {
      if (raw.length < SUBFLOW_DATA) return [];
      // where the kernel's elements are smaller than what was asked for, it says so
      const given = Math.max(1, readU32(raw, 12));
      const count = Math.min(readU32(raw, 4), Math.floor((raw.length - SUBFLOW_DATA) / given));
      return Array.from({ length: count }, (_, i) => {
        const at = SUBFLOW_DATA + i * given;
        return decode(raw.subarray(at, at + given));
      });
    },
  };
}

/** What the kernel knows about the TCP connection of each subflow, of up to 32. Linux 5.16. */
export const mptcpTcpInfo: RequestOption<TcpInfo[], undefined> = subflowOption(
  { name: MPTCP_TCPINFO, label: 'MPTCP_TCPINFO' },
  TCP_INFO_SIZE,
  decodeTcpInfo,
);

/** The addresses of a subflow. */
export interface MptcpSubflow {
  local: IpAddress | null;
  remote: IpAddress | null;
}

/** The addresses of each subflow, of up to 32. Linux 5.16. Source: `struct mptcp_subflow_addrs`. */
export const mptcpSubflowAddrs: RequestOption<MptcpSubflow[], undefined> = subflowOption(
  { name: MPTCP_SUBFLOW_ADDRS, label: 'MPTCP_SUBFLOW_ADDRS' },
  256,
  (raw) => ({ local: decodeSockaddr(raw), remote: decodeSockaddr(raw.subarray(128)) }),
);
