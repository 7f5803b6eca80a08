import { type ReadonlyOption, readU32, readU64 } from '@sock/core';
import { MPTCP_INFO, SOL_MPTCP } from '../constants.gen.js';

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
