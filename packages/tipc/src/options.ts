import {
  booleanOption,
  checkBoolean,
  checkInteger,
  checkObject,
  integerOption,
  outOfRange,
  type ReadonlyOption,
  readonlyIntegerOption,
  readU32,
  type SocketOption,
  type WriteonlyOption,
  writeU32,
} from '@sock/core';
import * as c from './constants.gen.js';

const key = (name: number, label: string) => ({ level: c.SOL_TIPC, name, label });

/** An option without a value, which to set does something: `setOption(option, true)`. */
export type CommandOption = WriteonlyOption<true>;

const command = (name: number, label: string): CommandOption => ({
  ...key(name, label),
  asLength: true,
  encode(value) {
    if (!checkBoolean('value', value)) throw outOfRange('value', 'true', value);
    return 0;
  },
});

/**
 * TIPC_IMPORTANCE: of what is sent, TIPC_LOW_IMPORTANCE (0, as at first) to TIPC_CRITICAL_IMPORTANCE
 * (3). What matters more is refused later where a queue fills up; each step doubles the room.
 */
export const tipcImportance = integerOption({ ...key(c.TIPC_IMPORTANCE, 'TIPC_IMPORTANCE'), min: 0, max: 3 });

/**
 * TIPC_SRC_DROPPABLE: messages may be dropped where the link is congested, rather than wait. At first of
 * SOCK_DGRAM only; SOCK_STREAM has it not.
 */
export const tipcSrcDroppable = booleanOption(key(c.TIPC_SRC_DROPPABLE, 'TIPC_SRC_DROPPABLE'));

/**
 * TIPC_DEST_DROPPABLE: what cannot be delivered is dropped rather than returned. At first of SOCK_RDM
 * and SOCK_DGRAM.
 */
export const tipcDestDroppable = booleanOption(key(c.TIPC_DEST_DROPPABLE, 'TIPC_DEST_DROPPABLE'));

/** TIPC_CONN_TIMEOUT: how long `connect` of a `TipcSocket` waits, in milliseconds, at most 65,535; 8,000 at first. */
export const tipcConnTimeout = integerOption({
  ...key(c.TIPC_CONN_TIMEOUT, 'TIPC_CONN_TIMEOUT'),
  min: 0,
  max: 0xffff,
});

/** TIPC_NODE_RECVQ_DEPTH: messages that wait in the node; 0 on kernels that do not count them (since Linux 4.4). */
export const tipcNodeRecvqDepth: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.TIPC_NODE_RECVQ_DEPTH, 'TIPC_NODE_RECVQ_DEPTH'),
);

/** TIPC_SOCK_RECVQ_DEPTH: messages that wait in the socket. */
export const tipcSockRecvqDepth: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.TIPC_SOCK_RECVQ_DEPTH, 'TIPC_SOCK_RECVQ_DEPTH'),
);

/** TIPC_SOCK_RECVQ_USED: memory that these take, in bytes. Linux 4.17. */
export const tipcSockRecvqUsed: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.TIPC_SOCK_RECVQ_USED, 'TIPC_SOCK_RECVQ_USED'),
);

/** TIPC_NODELAY: small pieces of a stream are sent at once rather than collected. Only set. Linux 5.5. */
export const tipcNodelay: WriteonlyOption<boolean> = {
  ...key(c.TIPC_NODELAY, 'TIPC_NODELAY'),
  encode: (value) => (checkBoolean('value', value) ? 1 : 0),
};

/** TIPC_MCAST_BROADCAST: from now on multicast goes out as one broadcast. By itself the kernel chooses. */
export const tipcMcastBroadcast: CommandOption = command(c.TIPC_MCAST_BROADCAST, 'TIPC_MCAST_BROADCAST');

/** TIPC_MCAST_REPLICAST: from now on multicast goes out as a copy for each node. */
export const tipcMcastReplicast: CommandOption = command(c.TIPC_MCAST_REPLICAST, 'TIPC_MCAST_REPLICAST');

/** How to be a member of a group. Source: `struct tipc_group_req`. */
export interface TipcGroupRequest {
  /** The group: 64 (TIPC_RESERVED_TYPES) or more. */
  type: number;
  /** The member: several may have the same. 0 unless told. */
  instance?: number | undefined;
  /** TIPC_CLUSTER_SCOPE, unless told, or TIPC_NODE_SCOPE. Only members of the same scope meet. */
  scope?: number | undefined;
  /** What this member sends comes to it too, where it is addressed. */
  loopback?: boolean | undefined;
  /** Tell of members that join and leave. */
  memberEvents?: boolean | undefined;
}

const flag = (name: string, value: boolean, bit: number): number => (checkBoolean(`value.${name}`, value) ? bit : 0);

/**
 * TIPC_GROUP_JOIN: join a group; the socket must be connectionless. Read, it is the type of the group,
 * `null` where there is none. Linux 4.15.
 */
export const tipcGroupJoin: SocketOption<number | null, TipcGroupRequest> = {
  ...key(c.TIPC_GROUP_JOIN, 'TIPC_GROUP_JOIN'),
  encode(value) {
    const {
      type,
      instance = 0,
      scope = c.TIPC_CLUSTER_SCOPE,
      loopback = false,
      memberEvents = false,
    } = checkObject('value', value);
    const bytes = new Uint8Array(16);
    writeU32(bytes, checkInteger('value.type', type, 0, 0xffffffff), 0);
    writeU32(bytes, checkInteger('value.instance', instance, 0, 0xffffffff), 4);
    writeU32(bytes, checkInteger('value.scope', scope, 0, c.TIPC_NODE_SCOPE), 8);
    const flags =
      flag('loopback', loopback, c.TIPC_GROUP_LOOPBACK) | flag('memberEvents', memberEvents, c.TIPC_GROUP_MEMBER_EVTS);
    writeU32(bytes, flags, 12);
    return bytes;
  },
  decode: (raw) => readU32(raw, 0) || null,
};

/** TIPC_GROUP_LEAVE: leave the group. Linux 4.15. */
export const tipcGroupLeave: CommandOption = command(c.TIPC_GROUP_LEAVE, 'TIPC_GROUP_LEAVE');
