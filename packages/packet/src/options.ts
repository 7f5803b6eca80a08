import {
  booleanOption,
  checkInteger,
  checkObject,
  checkOneOf,
  type InterfaceInput,
  integerOption,
  interfaceIndex,
  outOfRange,
  type ReadonlyOption,
  readU32,
  readU64,
  type SocketOption,
  uint32Option,
  type WriteonlyOption,
  withMessage,
  writeI32,
  writeU16,
  writeU32,
} from '@sock/core';
import { scmPacketAuxdata } from './ancillary.js';
import * as c from './constants.gen.js';
import { checkFilter, type FilterProgram } from './filter.js';
import { parseHardwareAddress } from './hardware-address.js';

// Options of SOL_PACKET. Source, unless told: packet(7).

const level = c.SOL_PACKET;

/** What a socket receives beyond what is for this machine. */
export interface PacketMembership {
  /** The interface, by name or index. */
  readonly interface: InterfaceInput;
  /** PACKET_MR_PROMISC, PACKET_MR_ALLMULTI, PACKET_MR_MULTICAST or PACKET_MR_UNICAST. */
  readonly type: number;
  /** Hardware address of the group (PACKET_MR_MULTICAST), or of one more station (PACKET_MR_UNICAST). */
  readonly address?: Uint8Array | string | undefined;
}

const MEMBERSHIPS = [c.PACKET_MR_MULTICAST, c.PACKET_MR_PROMISC, c.PACKET_MR_ALLMULTI, c.PACKET_MR_UNICAST];

function membershipOption(name: number, label: string): WriteonlyOption<PacketMembership> {
  return {
    level,
    name,
    label,
    encode(value, socket) {
      const { interface: where, type, address = '' } = checkObject('value', value);
      const kind = checkOneOf('value.type', type, MEMBERSHIPS);
      const bytes = parseHardwareAddress(address, 'value.address');
      // a struct packet_mreq has room for 8 bytes; longer ones are taken as well
      const mreq = new Uint8Array(8 + Math.max(8, bytes.length));
      writeU16(mreq, kind, 4);
      writeU16(mreq, bytes.length, 6);
      mreq.set(bytes, 8);
      writeI32(mreq, interfaceIndex('value.interface', where, socket), 0);
      return mreq;
    },
  };
}

/**
 * Receive more than what is for this machine. Each is counted: it lasts until it is dropped as often
 * as it was added, or the socket is closed.
 * @throws SocketError `ENODEV`, `EINVAL` for an address of the wrong length
 */
export const packetAddMembership = membershipOption(c.PACKET_ADD_MEMBERSHIP, 'PACKET_ADD_MEMBERSHIP');
/** Undo `packetAddMembership`. */
export const packetDropMembership = membershipOption(c.PACKET_DROP_MEMBERSHIP, 'PACKET_DROP_MEMBERSHIP');

/** `packetAuxdata.message` comes with each packet: VLAN tag, lengths, checksum status. */
export const packetAuxdata = withMessage(
  booleanOption({ level, name: c.PACKET_AUXDATA, label: 'PACKET_AUXDATA' }),
  scmPacketAuxdata,
);
/** Addresses name the interface that received the packet first, such as a bridge's or a bond's port. */
export const packetOrigDev = booleanOption({ level, name: c.PACKET_ORIGDEV, label: 'PACKET_ORIGDEV' });
/** Do not receive what this machine sends. Linux 4.20. */
export const packetIgnoreOutgoing = booleanOption({
  level,
  name: c.PACKET_IGNORE_OUTGOING,
  label: 'PACKET_IGNORE_OUTGOING',
});
/** Packets skip the packet scheduler on their way to the driver: faster, and dropped where it is busy. Linux 3.14. */
export const packetQdiscBypass = booleanOption({ level, name: c.PACKET_QDISC_BYPASS, label: 'PACKET_QDISC_BYPASS' });

/**
 * A `struct virtio_net_hdr` of 10 bytes comes before each packet, both ways: `packVirtioHeader`,
 * `unpackVirtioHeader`. Only of sockets of type SOCK_RAW, and only before there is a ring.
 */
export const packetVnetHdr = booleanOption({ level, name: c.PACKET_VNET_HDR, label: 'PACKET_VNET_HDR' });
/** As `packetVnetHdr`, by the size of the header in bytes: 0, 10 or 12. Linux 6.4. */
export const packetVnetHdrSz: SocketOption<number> = {
  ...integerOption({ level, name: c.PACKET_VNET_HDR_SZ, label: 'PACKET_VNET_HDR_SZ' }),
  encode: (value) => checkOneOf('value', value, [0, 10, 12]),
};

/** Layout of rings: TPACKET_V1 (as at first), TPACKET_V2 or TPACKET_V3. Only before there is a ring. */
export const packetVersion: SocketOption<number> = {
  ...integerOption({ level, name: c.PACKET_VERSION, label: 'PACKET_VERSION' }),
  encode: (value) => checkOneOf('value', value, [c.TPACKET_V1, c.TPACKET_V2, c.TPACKET_V3]),
};
/** Bytes to leave free before each packet of a receive ring. Only before there is a ring. */
export const packetReserve = uint32Option({ level, name: c.PACKET_RESERVE, label: 'PACKET_RESERVE', max: 0x7fffffff });
/** A transmit ring passes over what it cannot send, rather than to stop there. Only before there is a ring. */
export const packetLoss = booleanOption({ level, name: c.PACKET_LOSS, label: 'PACKET_LOSS' });
/**
 * Packets that a TPACKET_V2 ring had to cut off are queued whole as well, this many at most. Reading
 * it back needs a kernel newer than the option itself.
 */
export const packetCopyThresh = integerOption({
  level,
  name: c.PACKET_COPY_THRESH,
  label: 'PACKET_COPY_THRESH',
  min: 0,
});
/** Where a ring's time stamps come from: SOF_TIMESTAMPING_RAW_HARDWARE, or 0 for the kernel's clock. */
export const packetTimestamp = integerOption({ level, name: c.PACKET_TIMESTAMP, label: 'PACKET_TIMESTAMP', min: 0 });
/** Frames of a transmit ring say where their data begin. Only before there is a ring. */
export const packetTxHasOff = booleanOption({ level, name: c.PACKET_TX_HAS_OFF, label: 'PACKET_TX_HAS_OFF' });

/** Counts of a socket. Source: packet(7), `struct tpacket_stats_v3`. */
export interface PacketStatistics {
  /** Packets that passed the filter, those that were dropped included. */
  packets: number;
  /** Packets dropped for want of room. */
  drops: number;
  /** How often a TPACKET_V3 ring was full and stood still; 0 for other sockets. */
  freezes: number;
}

/** Counts since they were last read: reading sets them to 0. `PacketSocket` adds them up. */
export const packetStatistics: ReadonlyOption<PacketStatistics> = {
  level,
  name: c.PACKET_STATISTICS,
  label: 'PACKET_STATISTICS',
  size: 12,
  decode: (raw) => ({
    packets: readU32(raw, 0),
    drops: readU32(raw, 4),
    freezes: raw.length >= 12 ? readU32(raw, 8) : 0,
  }),
};

/** A group of sockets that share packets. */
export interface PacketFanout {
  /** Number of the group in its network namespace: 0 to 65,535. */
  readonly id: number;
  /** How packets are shared: PACKET_FANOUT_HASH, PACKET_FANOUT_LB and so on. */
  readonly mode: number;
  /** PACKET_FANOUT_FLAG_*, or-ed together. */
  readonly flags: number;
}

/** What is accepted as a group. */
export interface PacketFanoutInput {
  /** Number of the group; 0 unless told, which is right for PACKET_FANOUT_FLAG_UNIQUEID. */
  readonly id?: number | undefined;
  readonly mode: number;
  /** None unless told. */
  readonly flags?: number | undefined;
  /** Sockets in the group at most, of its first member's choice: 256 unless told. */
  readonly maxMembers?: number | undefined;
}

/**
 * Join a group, for good. The socket must be bound first, and all of a group must be bound alike and
 * name the same mode and flags.
 *
 * Read, it is `null` without a group. The kernel tells group 0 with PACKET_FANOUT_HASH and no flags
 * not from none.
 * @throws SocketError `EINVAL` where the socket does not receive or does not fit the group, `ENOSPC`
 * where the group is full
 */
export const packetFanout: SocketOption<PacketFanout | null, PacketFanoutInput> = {
  level,
  name: c.PACKET_FANOUT,
  label: 'PACKET_FANOUT',
  encode(value) {
    const { id = 0, mode, flags = 0, maxMembers } = checkObject('value', value);
    const bytes = new Uint8Array(maxMembers === undefined ? 4 : 8);
    checkInteger('value.id', id, 0, 0xffff);
    checkInteger('value.mode', mode, 0, 0xff);
    if ((checkInteger('value.flags', flags, 0, 0xffff) & 0xff) !== 0) {
      throw outOfRange('value.flags', 'PACKET_FANOUT_FLAG_*, or-ed together', flags);
    }
    writeU32(bytes, (((mode | flags) << 16) | id) >>> 0, 0);
    if (maxMembers !== undefined) writeU32(bytes, checkInteger('value.maxMembers', maxMembers, 1, 0xffff), 4);
    return bytes;
  },
  decode(raw) {
    const value = readU32(raw, 0);
    return value === 0 ? null : { id: value & 0xffff, mode: (value >> 16) & 0xff, flags: (value >>> 16) & 0xff00 };
  },
};

/**
 * The program of a group whose mode is PACKET_FANOUT_CBPF: what it returns, modulo the number of
 * members, is the socket that gets the packet. Linux 4.3.
 */
export const packetFanoutData: WriteonlyOption<FilterProgram> = {
  level,
  name: c.PACKET_FANOUT_DATA,
  label: 'PACKET_FANOUT_DATA',
  program: true,
  encode: (value) => checkFilter(value, 'value'),
};
/** The eBPF program, by its descriptor, of a group whose mode is PACKET_FANOUT_EBPF. Linux 4.3. */
export const packetFanoutDataBpf: WriteonlyOption<number> = {
  level,
  name: c.PACKET_FANOUT_DATA,
  label: 'PACKET_FANOUT_DATA',
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};

/** What became of packets that the chosen socket of a group had no room for. */
export interface RolloverStatistics {
  /** Packets that went to another socket. */
  all: bigint;
  /** Those among them that belong to a flow that takes most of the traffic. */
  huge: bigint;
  /** Packets that no socket had room for. */
  failed: bigint;
}

/**
 * Counts of a group with PACKET_FANOUT_ROLLOVER or PACKET_FANOUT_FLAG_ROLLOVER.
 * @throws SocketError `EINVAL` for other sockets
 */
export const packetRolloverStats: ReadonlyOption<RolloverStatistics> = {
  level,
  name: c.PACKET_ROLLOVER_STATS,
  label: 'PACKET_ROLLOVER_STATS',
  size: 24,
  decode: (raw) => ({ all: readU64(raw, 0), huge: readU64(raw, 8), failed: readU64(raw, 16) }),
};
