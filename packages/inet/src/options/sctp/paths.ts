import type { RequestOption } from '@sock/core';
import type { Inet6Input } from '../../address.js';
import * as c from '../../constants.gen.js';
import { type FieldsInput, structure, u8, u16, u16be, u32 } from '../../fields.js';
import {
  ALIGNED,
  assocNumber,
  BEHIND_ALIGNED,
  key,
  keyedOption,
  keyedRead,
  PACKED,
  peerAddrInfo,
  type SctpAssocAddress,
  type SctpAssocValueOption,
  type SctpPeerAddrInfo,
  type SctpPeerAddrRequest,
} from './shared.js';

/** State of an address of the peer. */
export const sctpGetPeerAddrInfo: RequestOption<
  SctpPeerAddrInfo,
  SctpPeerAddrRequest & { readonly address: Inet6Input }
> = keyedRead(key(c.SCTP_GET_PEER_ADDR_INFO, 'SCTP_GET_PEER_ADDR_INFO'), peerAddrInfo);

/** How an address of the peer is watched; 0 leaves as it is. Source: RFC 6458, `struct sctp_paddrparams`. */
export interface SctpPeerAddrParams extends SctpAssocAddress {
  /** Milliseconds between heartbeats. */
  heartbeatInterval: number;
  /** Retransmissions in a row before the address is taken for unreachable. */
  pathMaxRetransmissions: number;
  /** Bytes. */
  pathMtu: number;
  /** Milliseconds. */
  sackDelay: number;
  /** SPP_HB_ENABLE, SPP_HB_DISABLE, SPP_HB_DEMAND, SPP_PMTUD_ENABLE, … or-ed together. */
  flags: number;
  /** With SPP_IPV6_FLOWLABEL. */
  ipv6FlowLabel: number;
  /** With SPP_DSCP. */
  dscp: number;
}

/** How an address of the peer, or all of them, are watched. */
export const sctpPeerAddrParams: RequestOption<
  SctpPeerAddrParams,
  SctpPeerAddrRequest,
  FieldsInput<SctpPeerAddrParams>
> = keyedOption(
  key(c.SCTP_PEER_ADDR_PARAMS, 'SCTP_PEER_ADDR_PARAMS'),
  // packed: what follows the 16 bits of spp_pathmaxrxt is not aligned
  structure<SctpPeerAddrParams>(156, {
    ...PACKED,
    heartbeatInterval: u32(132),
    pathMaxRetransmissions: u16(136),
    pathMtu: u32(138),
    sackDelay: u32(142),
    flags: u32(146),
    ipv6FlowLabel: u32(150),
    dscp: u8(154),
  }),
);

/** Thresholds of an address. Source: RFC 7829, `struct sctp_paddrthlds_v2`. */
export interface SctpPeerAddrThresholds extends SctpAssocAddress {
  /** Retransmissions in a row before the address is taken for unreachable. */
  pathMaxRetransmissions: number;
  /** Retransmissions in a row after which it may have failed, and others are tried. */
  potentiallyFailed: number;
  /** Retransmissions in a row after which another address becomes the primary one. */
  primaryChange: number;
}

/** Thresholds of an address of the peer, or of all. */
export const sctpPeerAddrThldsV2: RequestOption<
  SctpPeerAddrThresholds,
  SctpPeerAddrRequest,
  FieldsInput<SctpPeerAddrThresholds>
> = keyedOption(
  key(c.SCTP_PEER_ADDR_THLDS_V2, 'SCTP_PEER_ADDR_THLDS_V2'),
  structure<SctpPeerAddrThresholds>(BEHIND_ALIGNED + 8, {
    ...ALIGNED,
    pathMaxRetransmissions: u16(BEHIND_ALIGNED),
    potentiallyFailed: u16(BEHIND_ALIGNED + 2),
    primaryChange: u16(BEHIND_ALIGNED + 4),
  }),
);

/** Whether notifications and states tell of addresses that may have failed. Source: RFC 7829. */
export const sctpExposePotentiallyFailedState: SctpAssocValueOption<number> = assocNumber(
  key(c.SCTP_EXPOSE_POTENTIALLY_FAILED_STATE, 'SCTP_EXPOSE_POTENTIALLY_FAILED_STATE'),
  2,
);

/** The UDP port behind which an address of the peer speaks SCTP. Source: RFC 6951, `struct sctp_udpencaps`. */
export interface SctpUdpEncaps extends SctpAssocAddress {
  /** 0 is no UDP. */
  port: number;
}

/** The UDP port behind which the peer speaks SCTP; the kernel listens where net.sctp.udp_port says. */
export const sctpRemoteUdpEncapsPort: RequestOption<
  SctpUdpEncaps,
  SctpPeerAddrRequest,
  FieldsInput<SctpUdpEncaps>
> = keyedOption(
  key(c.SCTP_REMOTE_UDP_ENCAPS_PORT, 'SCTP_REMOTE_UDP_ENCAPS_PORT'),
  structure<SctpUdpEncaps>(BEHIND_ALIGNED + 8, {
    ...ALIGNED,
    port: u16be(BEHIND_ALIGNED),
  }),
);

/** How often the path MTU is probed. Source: RFC 8899, `struct sctp_probeinterval`. */
export interface SctpProbeInterval extends SctpAssocAddress {
  /** Milliseconds, at least 5000; 0 is never. */
  interval: number;
}

/** How often the path MTU to an address of the peer, or to all, is probed. */
export const sctpPlpmtudProbeInterval: RequestOption<
  SctpProbeInterval,
  SctpPeerAddrRequest,
  FieldsInput<SctpProbeInterval>
> = keyedOption(
  key(c.SCTP_PLPMTUD_PROBE_INTERVAL, 'SCTP_PLPMTUD_PROBE_INTERVAL'),
  structure<SctpProbeInterval>(BEHIND_ALIGNED + 8, {
    ...ALIGNED,
    interval: u32(BEHIND_ALIGNED),
  }),
);
