import {
  ancillaryMessage,
  EXTENDED_ERROR_SIZE,
  type ExtendedError,
  type ReceiveOnlyMessage,
  readU16,
  readU32,
  unpackExtendedError,
} from '@sock/core';
import { PACKET_AUXDATA, PACKET_TX_TIMESTAMP, SOL_PACKET, TP_STATUS_LOSING } from './constants.gen.js';
import { type ChecksumStatus, checksumOf, type VlanTag, vlanOf } from './structures.js';

/** What the kernel knows of a packet beyond its bytes. Source: packet(7), `struct tpacket_auxdata`. */
export interface PacketAuxdata {
  /** TP_STATUS_*, or-ed together. */
  readonly status: number;
  /** Bytes that the packet had. */
  readonly length: number;
  /** Bytes that a filter left of it, whatever the buffer had room for. */
  readonly snapLength: number;
  /** Where the link-layer header begins, bytes from the start of the data. */
  readonly macOffset: number;
  /** Where the network-layer header begins, bytes from the start of the data. */
  readonly networkOffset: number;
  /** The VLAN tag that was taken off the packet. */
  readonly vlan: VlanTag | undefined;
  /** What is known of the transport checksum. */
  readonly checksum: ChecksumStatus;
  /** Whether packets were dropped since the statistics were last read. */
  readonly losing: boolean;
}

/** PACKET_AUXDATA: comes with every packet where `packetAuxdata` is set. Source: packet(7). */
export const scmPacketAuxdata: ReceiveOnlyMessage<PacketAuxdata> = ancillaryMessage({
  level: SOL_PACKET,
  type: PACKET_AUXDATA,
  label: 'PACKET_AUXDATA',
  size: 20,
  decode(data) {
    if (data.length < 20) return undefined;
    const status = readU32(data, 0);
    return {
      status,
      length: readU32(data, 4),
      snapLength: readU32(data, 8),
      macOffset: readU16(data, 12),
      networkOffset: readU16(data, 14),
      vlan: vlanOf(status, readU16(data, 16), readU16(data, 18)),
      checksum: checksumOf(status),
      losing: (status & TP_STATUS_LOSING) !== 0,
    };
  },
});

/**
 * PACKET_TX_TIMESTAMP: comes with each message of the error queue (MSG_ERRQUEUE) beside `scmTimestamping`, which has
 * the time, where `soTimestamping` asks for times of transmission. `info` is where the packet was at that time,
 * SCM_TSTAMP_*, `data` its number, counted from 0, where SOF_TIMESTAMPING_OPT_ID is set.
 */
export const scmPacketTxTimestamp: ReceiveOnlyMessage<ExtendedError> = ancillaryMessage({
  level: SOL_PACKET,
  type: PACKET_TX_TIMESTAMP,
  label: 'PACKET_TX_TIMESTAMP',
  size: EXTENDED_ERROR_SIZE,
  decode: unpackExtendedError,
});
