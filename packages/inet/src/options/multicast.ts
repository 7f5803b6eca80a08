import {
  AF_INET,
  AF_INET6,
  booleanOption,
  checkObject,
  checkOneOf,
  checkString,
  type InterfaceInput,
  integerOption,
  interfaceIndex,
  invalidArgumentType,
  outOfRange,
  readU32,
  type SocketInfo,
  type SocketOption,
  type WriteonlyOption,
  writeU16,
  writeU32,
} from '@sock/core';
import {
  IP_ADD_MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_BLOCK_SOURCE,
  IP_DROP_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_UNBLOCK_SOURCE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_JOIN_ANYCAST,
  IPV6_JOIN_GROUP,
  IPV6_LEAVE_ANYCAST,
  IPV6_LEAVE_GROUP,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  MCAST_BLOCK_SOURCE,
  MCAST_EXCLUDE,
  MCAST_INCLUDE,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_MSFILTER,
  MCAST_UNBLOCK_SOURCE,
} from '../constants.gen.js';
import { decodeSockaddr } from '../fields.js';
import { ints, STORAGE_ALIGNMENT, writeIPv4, writeIPv6 } from '../structures.js';
import { formatIPv4, isIPv4, isIPv6 } from '../text.js';
import { interfaceOption } from './shared.js';

/** A multicast group, and the interface to receive it from. */
export interface GroupMembership {
  /** Address of the group. */
  readonly group: string;
  /**
   * Interface by name or index, for IPv4 options also by an address of its own; the routing table's
   * choice unless told.
   */
  readonly interface?: InterfaceInput | undefined;
}

/** One sender to a multicast group, and the interface to receive it from. */
export interface SourceMembership extends GroupMembership {
  /** Address of the sender. */
  readonly source: string;
  /** An address of the interface; the routing table's choice unless told. */
  readonly interface?: string | undefined;
}

/** A struct ip_mreqn: group, address of the interface, index of the interface. */
function ipMembership(value: GroupMembership, socket: SocketInfo): Uint8Array {
  const { group, interface: device } = checkObject('value', value);
  const bytes = new Uint8Array(12);
  writeIPv4('value.group', group, bytes, 0);
  writeInterface('value.interface', device, bytes, socket);
  return bytes;
}

function writeInterface(argument: string, device: unknown, bytes: Uint8Array, socket: SocketInfo): void {
  if (typeof device === 'string' && isIPv4(device)) writeIPv4(argument, device, bytes, 4);
  else bytes.set(ints(interfaceIndex(argument, device, socket)), 8);
}

function ipMembershipOption(name: number, label: string): WriteonlyOption<GroupMembership> {
  return { level: IPPROTO_IP, name, label, encode: ipMembership };
}

/** Join an IPv4 multicast group. Source: ip(7). */
export const ipAddMembership: WriteonlyOption<GroupMembership> = ipMembershipOption(
  IP_ADD_MEMBERSHIP,
  'IP_ADD_MEMBERSHIP',
);

/** Leave an IPv4 multicast group. Source: ip(7). */
export const ipDropMembership: WriteonlyOption<GroupMembership> = ipMembershipOption(
  IP_DROP_MEMBERSHIP,
  'IP_DROP_MEMBERSHIP',
);

/** A struct ip_mreq_source: group, address of the interface, source. */
function ipSourceOption(name: number, label: string): WriteonlyOption<SourceMembership> {
  return {
    level: IPPROTO_IP,
    name,
    label,
    encode(value) {
      const { group, source, interface: device = '' } = checkObject('value', value);
      const bytes = new Uint8Array(12);
      writeIPv4('value.group', group, bytes, 0);
      if (device !== '') writeIPv4('value.interface', device, bytes, 4);
      writeIPv4('value.source', source, bytes, 8);
      return bytes;
    },
  };
}

/** Join an IPv4 multicast group for one sender; joinGroup takes the interface by name. Source: ip(7). */
export const ipAddSourceMembership: WriteonlyOption<SourceMembership> = ipSourceOption(
  IP_ADD_SOURCE_MEMBERSHIP,
  'IP_ADD_SOURCE_MEMBERSHIP',
);

/** Leave an IPv4 multicast group for one sender. Source: ip(7). */
export const ipDropSourceMembership: WriteonlyOption<SourceMembership> = ipSourceOption(
  IP_DROP_SOURCE_MEMBERSHIP,
  'IP_DROP_SOURCE_MEMBERSHIP',
);

/** No longer receive from one sender to a group joined. Source: ip(7). */
export const ipBlockSource: WriteonlyOption<SourceMembership> = ipSourceOption(IP_BLOCK_SOURCE, 'IP_BLOCK_SOURCE');

/** Receive from a blocked sender again. Source: ip(7). */
export const ipUnblockSource: WriteonlyOption<SourceMembership> = ipSourceOption(
  IP_UNBLOCK_SOURCE,
  'IP_UNBLOCK_SOURCE',
);

/**
 * Interface to send to IPv4 groups through, by name, index or an address of its own, `''` being the
 * routing table's choice. Read, it is an address, which the kernel has only where it was set by
 * one: else `''`. Source: ip(7).
 */
export const ipMulticastIf: SocketOption<string, InterfaceInput> = {
  level: IPPROTO_IP,
  name: IP_MULTICAST_IF,
  label: 'IP_MULTICAST_IF',
  encode(value, socket) {
    const bytes = new Uint8Array(12);
    writeInterface('value', value, bytes, socket);
    return bytes;
  },
  decode(raw) {
    const address = formatIPv4(raw, 0);
    return address === '0.0.0.0' ? '' : address;
  },
};

/** Time to live of multicast packets, 0 (this machine only) to 255, −1 for the default, 1. Source: ip(7). */
export const ipMulticastTtl: SocketOption<number> = integerOption({
  level: IPPROTO_IP,
  name: IP_MULTICAST_TTL,
  label: 'IP_MULTICAST_TTL',
  min: -1,
  max: 255,
});

/** Whether receivers on this machine get what is sent to groups: by default they do. Source: ip(7). */
export const ipMulticastLoop: SocketOption<boolean> = booleanOption({
  level: IPPROTO_IP,
  name: IP_MULTICAST_LOOP,
  label: 'IP_MULTICAST_LOOP',
});

/** Whether to receive groups that other sockets joined: by default so. Source: ip(7). */
export const ipMulticastAll: SocketOption<boolean> = booleanOption({
  level: IPPROTO_IP,
  name: IP_MULTICAST_ALL,
  label: 'IP_MULTICAST_ALL',
});

/** A struct ipv6_mreq: group, index of the interface. */
function ipv6MembershipOption(name: number, label: string): WriteonlyOption<GroupMembership> {
  return {
    level: IPPROTO_IPV6,
    name,
    label,
    encode(value, socket) {
      const { group, interface: device } = checkObject('value', value);
      const bytes = new Uint8Array(20);
      writeIPv6('value.group', group, bytes, 0);
      bytes.set(ints(interfaceIndex('value.interface', device, socket)), 16);
      return bytes;
    },
  };
}

/** Join an IPv6 multicast group. Source: ipv6(7), RFC 3493. */
export const ipv6JoinGroup: WriteonlyOption<GroupMembership> = ipv6MembershipOption(IPV6_JOIN_GROUP, 'IPV6_JOIN_GROUP');

/** Leave an IPv6 multicast group. Source: ipv6(7), RFC 3493. */
export const ipv6LeaveGroup: WriteonlyOption<GroupMembership> = ipv6MembershipOption(
  IPV6_LEAVE_GROUP,
  'IPV6_LEAVE_GROUP',
);

/** Answer to an anycast address. Source: the kernel's in6.h. */
export const ipv6JoinAnycast: WriteonlyOption<GroupMembership> = ipv6MembershipOption(
  IPV6_JOIN_ANYCAST,
  'IPV6_JOIN_ANYCAST',
);

/** No longer answer to an anycast address. */
export const ipv6LeaveAnycast: WriteonlyOption<GroupMembership> = ipv6MembershipOption(
  IPV6_LEAVE_ANYCAST,
  'IPV6_LEAVE_ANYCAST',
);

/** Interface to send to IPv6 groups through; `''` is the routing table's choice. Source: ipv6(7). */
export const ipv6MulticastIf: SocketOption<InterfaceInput> = interfaceOption(
  { level: IPPROTO_IPV6, name: IPV6_MULTICAST_IF, label: 'IPV6_MULTICAST_IF' },
  { toKernel: (index) => index, fromKernel: (index) => index },
);

/** Hop limit of multicast packets, 0 (this machine only) to 255, −1 for the default, 1. Source: ipv6(7). */
export const ipv6MulticastHops: SocketOption<number> = integerOption({
  level: IPPROTO_IPV6,
  name: IPV6_MULTICAST_HOPS,
  label: 'IPV6_MULTICAST_HOPS',
  min: -1,
  max: 255,
});

/** Whether receivers on this machine get what is sent to groups: by default they do. Source: ipv6(7). */
export const ipv6MulticastLoop: SocketOption<boolean> = booleanOption({
  level: IPPROTO_IPV6,
  name: IPV6_MULTICAST_LOOP,
  label: 'IPV6_MULTICAST_LOOP',
});

/** Whether to receive groups that other sockets joined: by default so. */
export const ipv6MulticastAll: SocketOption<boolean> = booleanOption({
  level: IPPROTO_IPV6,
  name: IPV6_MULTICAST_ALL,
  label: 'IPV6_MULTICAST_ALL',
});

/** What the functions below need of a socket. Every `Socket` has it. */
export interface MulticastSocket extends SocketInfo {
  getsockopt(level: number, name: number, request: Uint8Array): Uint8Array;
  setsockopt(level: number, name: number, value: Uint8Array): void;
}

/** A multicast group or one sender to it, and the interface to receive it from. */
export interface GroupRequest {
  /** Address of the group, IPv4 or IPv6. */
  readonly group: string;
  /** Only what this sender sends. */
  readonly source?: string | undefined;
  /** Interface by name or index; the routing table's choice unless told. */
  readonly interface?: InterfaceInput | undefined;
}

const STORAGE = 128;

function groupLevel(argument: string, group: unknown): number {
  const text = checkString(argument, group);
  if (isIPv4(text)) return IPPROTO_IP;
  if (isIPv6(text)) return IPPROTO_IPV6;
  throw outOfRange(argument, 'an IPv4 or IPv6 multicast address', text);
}

function writeStorage(argument: string, host: unknown, level: number, bytes: Uint8Array, offset: number): void {
  if (level === IPPROTO_IP) {
    writeU16(bytes, AF_INET, offset);
    writeIPv4(argument, host, bytes, offset + 4);
  } else {
    writeU16(bytes, AF_INET6, offset);
    writeIPv6(argument, host, bytes, offset + 8);
  }
}

/** A struct group_req, or with a source a struct group_source_req. Source: RFC 3678. */
function request(socket: MulticastSocket, plain: number | undefined, sourced: number, value: GroupRequest): void {
  const { group, source, interface: device } = checkObject('membership', value);
  const level = groupLevel('membership.group', group);
  const bytes = new Uint8Array(STORAGE_ALIGNMENT + STORAGE * (source === undefined ? 1 : 2));
  bytes.set(ints(interfaceIndex('membership.interface', device, socket)));
  writeStorage('membership.group', group, level, bytes, STORAGE_ALIGNMENT);
  if (source !== undefined) writeStorage('membership.source', source, level, bytes, STORAGE_ALIGNMENT + STORAGE);
  else if (plain === undefined) throw invalidArgumentType('membership.source', 'the address of a sender', source);
  socket.setsockopt(level, source === undefined ? (plain as number) : sourced, bytes);
}

/**
 * Joins a multicast group, of IPv4 or IPv6; with `source`, for one sender (as often as there are
 * senders to receive from). An IPv6 socket may join IPv4 groups too, unless it is ipv6V6Only.
 * @throws SocketError `EADDRINUSE` where it is joined already, `ENODEV`, `ENOBUFS`. Source: RFC 3678, MCAST_JOIN_GROUP.
 */
export function joinGroup(socket: MulticastSocket, membership: GroupRequest): void {
  request(socket, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP, membership);
}

/**
 * Leaves a multicast group, or with `source` one of its senders.
 * @throws SocketError `EADDRNOTAVAIL` where it was not joined. Source: RFC 3678, MCAST_LEAVE_GROUP.
 */
export function leaveGroup(socket: MulticastSocket, membership: GroupRequest): void {
  request(socket, MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP, membership);
}

/** No longer receives from one sender to a group joined without a source. Source: RFC 3678, MCAST_BLOCK_SOURCE. */
export function blockSource(socket: MulticastSocket, membership: GroupRequest & { source: string }): void {
  request(socket, undefined, MCAST_BLOCK_SOURCE, membership);
}

/** Receives from a blocked sender again. Source: RFC 3678, MCAST_UNBLOCK_SOURCE. */
export function unblockSource(socket: MulticastSocket, membership: GroupRequest & { source: string }): void {
  request(socket, undefined, MCAST_UNBLOCK_SOURCE, membership);
}

/** Which senders to a group joined are received. */
export interface SourceFilter extends Omit<GroupRequest, 'source'> {
  /** `include`: only these; `exclude`: all but these. */
  readonly mode: 'include' | 'exclude';
  /** Addresses of senders. */
  readonly sources: readonly string[];
}

// a struct group_filter: interface, group, mode, number of senders, their addresses
const FILTER_MODE = STORAGE_ALIGNMENT + STORAGE;
const FILTER_COUNT = FILTER_MODE + 4;
const FILTER_SOURCES = FILTER_MODE + 8;

function filterBytes(
  socket: MulticastSocket,
  filter: Omit<SourceFilter, 'mode' | 'sources'>,
  room: number,
): { level: number; bytes: Uint8Array } {
  const { group, interface: device } = checkObject('filter', filter);
  const level = groupLevel('filter.group', group);
  const bytes = new Uint8Array(FILTER_SOURCES + STORAGE * room);
  bytes.set(ints(interfaceIndex('filter.interface', device, socket)));
  writeStorage('filter.group', group, level, bytes, STORAGE_ALIGNMENT);
  writeU32(bytes, room, FILTER_COUNT);
  return { level, bytes };
}

/**
 * Says at once which senders to a group joined are received.
 * @throws SocketError `EINVAL` where the group was not joined. Source: RFC 3678, MCAST_MSFILTER.
 */
export function setSourceFilter(socket: MulticastSocket, filter: SourceFilter): void {
  const { mode, sources } = checkObject('filter', filter);
  checkOneOf('filter.mode', mode, ['include', 'exclude']);
  if (!Array.isArray(sources)) throw invalidArgumentType('filter.sources', 'an array of addresses', sources);
  const { level, bytes } = filterBytes(socket, filter, sources.length);
  writeU32(bytes, mode === 'include' ? MCAST_INCLUDE : MCAST_EXCLUDE, FILTER_MODE);
  sources.forEach((source: unknown, i) => {
    writeStorage(`filter.sources[${i}]`, source, level, bytes, FILTER_SOURCES + STORAGE * i);
  });
  socket.setsockopt(level, MCAST_MSFILTER, bytes);
}

/**
 * Which senders to a group joined are received.
 * @throws SocketError `EADDRNOTAVAIL` where the group was not joined. Source: RFC 3678, MCAST_MSFILTER.
 */
export function getSourceFilter(socket: MulticastSocket, membership: Omit<GroupRequest, 'source'>): SourceFilter {
  for (let room = 64; ; ) {
    const { level, bytes } = filterBytes(socket, membership, room);
    const answer = socket.getsockopt(level, MCAST_MSFILTER, bytes);
    // the number of all senders, of which as many follow as there is room for
    const count = readU32(answer, FILTER_COUNT);
    if (count > room) {
      room = count;
      continue;
    }
    const sources = Array.from({ length: count }, (_, i) => {
      const address = decodeSockaddr(answer.subarray(FILTER_SOURCES + STORAGE * i));
      return address === null ? '' : address.host;
    });
    const mode = readU32(answer, FILTER_MODE) === MCAST_INCLUDE ? 'include' : 'exclude';
    return { ...membership, mode, sources };
  }
}
