import {
  booleanOption,
  checkInteger,
  type ReadonlyOption,
  readU32,
  type WriteonlyOption,
  withMessage,
} from '@sock/core';
import { scmNetlinkNsid, scmNetlinkPktInfo } from './ancillary.js';
import * as c from './constants.gen.js';

const level = c.SOL_NETLINK;

const groupOption = (name: number, label: string): WriteonlyOption<number> => ({
  level,
  name,
  label,
  encode: (value) => checkInteger('value', value, 1, 0x7fffffff),
});

/**
 * NETLINK_ADD_MEMBERSHIP: joins a multicast group, by its number. Only set.
 * @throws SocketError `EPERM` for groups that need CAP_NET_ADMIN, `EINVAL` where the protocol has no such
 * group. Source: netlink(7).
 */
export const netlinkAddMembership = groupOption(c.NETLINK_ADD_MEMBERSHIP, 'NETLINK_ADD_MEMBERSHIP');

/** NETLINK_DROP_MEMBERSHIP: leaves a multicast group, by its number. Only set. Source: netlink(7). */
export const netlinkDropMembership = groupOption(c.NETLINK_DROP_MEMBERSHIP, 'NETLINK_DROP_MEMBERSHIP');

/** Bytes for the groups of any protocol: generic netlink has as many as its families need. */
const MEMBERSHIPS_SIZE = 8192;

/** NETLINK_LIST_MEMBERSHIPS: the numbers of the multicast groups that the socket is in. Source: netlink(7). */
export const netlinkListMemberships: ReadonlyOption<number[]> = {
  level,
  name: c.NETLINK_LIST_MEMBERSHIPS,
  label: 'NETLINK_LIST_MEMBERSHIPS',
  size: MEMBERSHIPS_SIZE,
  decode(raw) {
    const groups: number[] = [];
    for (let offset = 0; offset + 4 <= raw.length; offset += 4) {
      const word = readU32(raw, offset);
      for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) groups.push(offset * 8 + bit + 1);
    }
    return groups;
  },
};

/** NETLINK_PKTINFO: each message comes with the number of its group, `netlinkPktInfo.message`. Source: netlink(7). */
export const netlinkPktInfo = withMessage(
  booleanOption({ level, name: c.NETLINK_PKTINFO, label: 'NETLINK_PKTINFO' }),
  scmNetlinkPktInfo,
);

/**
 * NETLINK_BROADCAST_ERROR: parts of the kernel that send to a group that this socket is in are told when it has
 * no room; connection tracking then sends again. Source: netlink(7).
 */
export const netlinkBroadcastError = booleanOption({
  level,
  name: c.NETLINK_BROADCAST_ERROR,
  label: 'NETLINK_BROADCAST_ERROR',
});

/**
 * NETLINK_NO_ENOBUFS: messages that find no room are lost without `ENOBUFS`, and those that come
 * after them are received at once. Source: netlink(7).
 */
export const netlinkNoEnobufs = booleanOption({ level, name: c.NETLINK_NO_ENOBUFS, label: 'NETLINK_NO_ENOBUFS' });

/**
 * NETLINK_LISTEN_ALL_NSID: receives the multicasts of all network namespaces that have an identifier in
 * the socket's own; that comes along, `netlinkListenAllNsid.message`.
 * @throws SocketError `EPERM` without CAP_NET_BROADCAST. Source: netlink(7).
 */
export const netlinkListenAllNsid = withMessage(
  booleanOption({
    level,
    name: c.NETLINK_LISTEN_ALL_NSID,
    label: 'NETLINK_LISTEN_ALL_NSID',
    capability: 'CAP_NET_BROADCAST',
  }),
  scmNetlinkNsid,
);

/** NETLINK_CAP_ACK: errors do not repeat the whole request. Source: netlink(7). */
export const netlinkCapAck = booleanOption({ level, name: c.NETLINK_CAP_ACK, label: 'NETLINK_CAP_ACK' });

/** NETLINK_EXT_ACK: errors say what is wrong, and where. Source: netlink(7). */
export const netlinkExtAck = booleanOption({ level, name: c.NETLINK_EXT_ACK, label: 'NETLINK_EXT_ACK' });

/**
 * NETLINK_GET_STRICT_CHK: requests to list are checked as strictly as others, and what they name filters
 * the list. Linux 4.20. Source: kernel, net/core/rtnetlink.c.
 */
export const netlinkGetStrictChk = booleanOption({
  level,
  name: c.NETLINK_GET_STRICT_CHK,
  label: 'NETLINK_GET_STRICT_CHK',
});
