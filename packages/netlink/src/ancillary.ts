import { ancillaryMessage, type ReceiveOnlyMessage, readI32, readU32 } from '@sock/core';
import { NETLINK_LISTEN_ALL_NSID, NETLINK_PKTINFO, SOL_NETLINK } from './constants.gen.js';

/**
 * NETLINK_PKTINFO: the number of the multicast group that a message came through, 0 for one that was
 * sent to this socket. It comes with every message where `netlinkPktInfo` is set. Source: netlink(7).
 */
export const scmNetlinkPktInfo: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_NETLINK,
  type: NETLINK_PKTINFO,
  label: 'NETLINK_PKTINFO',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readU32(data, 0)),
});

/**
 * NETLINK_LISTEN_ALL_NSID: the identifier of the network namespace that a message came from, where it has
 * one in the socket's own, and `netlinkListenAllNsid` is set. Source: netlink(7).
 */
export const scmNetlinkNsid: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_NETLINK,
  type: NETLINK_LISTEN_ALL_NSID,
  label: 'NETLINK_LISTEN_ALL_NSID',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readI32(data, 0)),
});
