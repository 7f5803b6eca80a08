import {
  type AddressFamily,
  AF_NETLINK,
  checkInteger,
  checkMembers,
  outOfRange,
  readU32,
  SOCK_RAW,
  writeU32,
} from '@sock/core';
import { NETLINK_ROUTE } from './constants.gen.js';
import { explain } from './explain.js';

/** A netlink socket, or the multicast groups that a message goes to. Source: netlink(7). */
export interface NetlinkAddress {
  /** Port number of a socket; 0 is the kernel. The kernel gives the first socket of a process its process number. */
  readonly pid: number;
  /** The first 32 multicast groups as bits, 1 being group 1. Groups beyond are joined by number. */
  readonly groups: number;
}

/** What is accepted as a netlink address. */
export interface NetlinkInput {
  /** Port number; 0 unless told: the kernel, or in `bind` one that the kernel chooses. */
  readonly pid?: number | undefined;
  /** Multicast groups as bits, none unless told. */
  readonly groups?: number | undefined;
}

// offsets in a struct sockaddr_nl; source: linux/netlink.h
const PID = 4;
const GROUPS = 8;
const SIZE = 12;

const MEMBERS = ['pid', 'groups'];

/**
 * AF_NETLINK: messages between programs and the kernel. `new Socket(netlink)` is one of
 * NETLINK_ROUTE; other protocols are the third argument. `NetlinkSocket` speaks its messages.
 * Source: netlink(7).
 */
export const netlink: AddressFamily<NetlinkAddress, NetlinkInput> = {
  name: 'netlink',
  domain: AF_NETLINK,
  type: SOCK_RAW,
  protocol: NETLINK_ROUTE,

  encode(input, into) {
    const { pid = 0, groups = 0 } = checkMembers('address', input, MEMBERS);
    writeU32(into, checkInteger('address.pid', pid, 0, 0xffffffff), PID);
    // group 32 or-ed together in JavaScript is negative
    writeU32(into, checkInteger('address.groups', groups, -0x80000000, 0xffffffff) >>> 0, GROUPS);
    return SIZE;
  },

  decode(sockaddr) {
    if (sockaddr.length < SIZE) throw outOfRange('sockaddr', `${SIZE} bytes`, sockaddr.length);
    return { pid: readU32(sockaddr, PID), groups: readU32(sockaddr, GROUPS) };
  },

  format({ pid, groups }) {
    const socket = pid === 0 ? 'kernel' : `pid ${pid}`;
    return groups === 0 ? socket : `${socket}, groups 0x${groups.toString(16)}`;
  },

  explain,
};
