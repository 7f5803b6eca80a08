import {
  ETH_P_8021Q,
  TP_STATUS_CSUM_VALID,
  TP_STATUS_CSUMNOTREADY,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
} from './constants.gen.js';

/** The VLAN tag that the kernel or the adapter took off a packet. Source: IEEE 802.1Q, packet(7). */
export interface VlanTag {
  /** Number of the VLAN: 0 to 4,095. */
  readonly id: number;
  /** Priority: 0 to 7. */
  readonly priority: number;
  /** Whether the packet may be dropped first. */
  readonly dropEligible: boolean;
  /** ETH_P_8021Q or ETH_P_8021AD. */
  readonly protocol: number;
}

/** The tag that a status says there is. */
export function vlanOf(status: number, tci: number, tpid: number): VlanTag | undefined {
  if ((status & TP_STATUS_VLAN_VALID) === 0) return undefined;
  return {
    id: tci & 0xfff,
    priority: (tci >> 13) & 7,
    dropEligible: (tci & 0x1000) !== 0,
    protocol: status & TP_STATUS_VLAN_TPID_VALID ? tpid : ETH_P_8021Q,
  };
}

/**
 * What is known of a packet's transport checksum: `valid` was verified, `incomplete` is not computed
 * yet (a packet that this machine sends, the adapter will do it), `unknown` may be either way.
 */
export type ChecksumStatus = 'valid' | 'incomplete' | 'unknown';

/** What a status says of the checksum. */
export function checksumOf(status: number): ChecksumStatus {
  if (status & TP_STATUS_CSUMNOTREADY) return 'incomplete';
  return status & TP_STATUS_CSUM_VALID ? 'valid' : 'unknown';
}
