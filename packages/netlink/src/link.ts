import {
  checkObject,
  checkString,
  IFF_LOWER_UP,
  IFF_UP,
  type InterfaceInput,
  readI32,
  readText,
  readU16,
  readU32,
  readU64,
} from '@sock/core';
import { type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { formatIp, formatLinkAddress } from './ip.js';
import { interfaceMessage, LINK_HEADER } from './link-message.js';
import type { NetlinkMessage } from './message.js';
import {
  get,
  getSync,
  type Listing,
  list,
  listSync,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';
import { interfaceIndex, present } from './structures.js';
import { type Changed, Watcher, type WatchOptions } from './watch.js';

const STATISTICS = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxErrors',
  'txErrors',
  'rxDropped',
  'txDropped',
  'multicast',
  'collisions',
  'rxLengthErrors',
  'rxOverErrors',
  'rxCrcErrors',
  'rxFrameErrors',
  'rxFifoErrors',
  'rxMissedErrors',
  'txAbortedErrors',
  'txCarrierErrors',
  'txFifoErrors',
  'txHeartbeatErrors',
  'txWindowErrors',
  'rxCompressed',
  'txCompressed',
  'rxNoHandler',
] as const;

/** Counters of a link, in packets and bytes. Source: `struct rtnl_link_stats64`, linux/if_link.h. */
export type LinkStatistics = Record<(typeof STATISTICS)[number], bigint>;

/** What is particular to a VLAN. */
export interface VlanData {
  /** VLAN identifier, 0 to 4094. */
  id: number;
  /** Ethernet protocol of the tag: 0x8100 (802.1Q), 0x88a8 (802.1ad). */
  protocol: number;
}

/** What is particular to a bridge. Times are in milliseconds. Source: linux/if_link.h, IFLA_BR_*. */
export interface BridgeData {
  forwardDelay?: number;
  helloTime?: number;
  maxAge?: number;
  ageingTime?: number;
  /** Whether the spanning tree protocol is on. */
  stp?: boolean;
  priority?: number;
  vlanFiltering?: boolean;
  vlanDefaultPvid?: number;
  multicastSnooping?: boolean;
}

/** A network interface. Members that the kernel says nothing of are left out. Source: rtnetlink(7), linux/if_link.h. */
export interface Link {
  index: number;
  name: string;
  /** ARPHRD_*: 1 for Ethernet, 772 for the loopback, 280 for CAN. */
  type: number;
  /** IFF_*, or-ed together. */
  flags: number;
  /** Flags that changed, in a notification: all of them for a link that is new. */
  changedFlags: number;
  /** Whether it was set up: IFF_UP. */
  up: boolean;
  /** Whether there is a carrier: IFF_LOWER_UP. */
  carrier: boolean;
  /** IF_OPER_*. */
  operationalState?: number;
  mtu?: number;
  minimumMtu?: number;
  maximumMtu?: number;
  /** Link-layer address, such as `02:00:5e:10:00:01`; of a tunnel an IP address. */
  address?: string;
  broadcast?: string;
  permanentAddress?: string;
  /** Index of the link that this one is a port of: a bridge, a bond, a VRF. */
  master?: number;
  /** Index of the link below, or of the other end of a pair. */
  link?: number;
  /** Identifier of the network namespace that `link` is in, where it is another one. */
  linkNamespaceId?: number;
  /** Kind of a virtual link, such as `veth`. */
  kind?: string;
  /** What is particular to that kind: IFLA_INFO_DATA. */
  data?: Attributes;
  /** Kind of what it is a port of, such as `bridge`. */
  slaveKind?: string;
  /** What is particular to such a port: IFLA_INFO_SLAVE_DATA. */
  slaveData?: Attributes;
  /** Of the kind `vlan`. */
  vlan?: VlanData;
  /** Of the kind `bridge`. */
  bridge?: BridgeData;
  alias?: string;
  alternativeNames: string[];
  /** Number of the group that it is in, 0 being the default. */
  group?: number;
  /** Packets that wait to be sent, at most. */
  transmitQueueLength?: number;
  transmitQueues?: number;
  receiveQueues?: number;
  queueingDiscipline?: string;
  /** How often it was asked to receive every packet. */
  promiscuity?: number;
  carrierChanges?: number;
  statistics?: LinkStatistics;
  /** All that the kernel says: IFLA_*. */
  attributes: Attributes;
}

// link types whose addresses are IP addresses; source: linux/if_arp.h, ARPHRD_TUNNEL and others
const IP_TYPES: readonly number[] = [768, 769, 776, 778, 823];

function addressText(bytes: Buffer | undefined, type: number): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  if (IP_TYPES.includes(type) && (bytes.length === 4 || bytes.length === 16)) return formatIp(bytes);
  return formatLinkAddress(bytes);
}

function readStatistics(bytes: Buffer | undefined): LinkStatistics | undefined {
  if (bytes === undefined || bytes.length < 23 * 8) return undefined;
  // older kernels have fewer
  const read = (i: number): bigint => (bytes.length >= 8 * (i + 1) ? readU64(bytes, 8 * i) : 0n);
  return Object.fromEntries(STATISTICS.map((name, i) => [name, read(i)])) as LinkStatistics;
}

function readVlan(kind: string | undefined, data: Attributes | undefined): VlanData | undefined {
  const id = kind === 'vlan' ? data?.u16(c.IFLA_VLAN_ID) : undefined;
  return id === undefined ? undefined : { id, protocol: data?.be16(c.IFLA_VLAN_PROTOCOL) ?? 0x8100 };
}

const asBoolean = (value: number | undefined): boolean | undefined => (value === undefined ? undefined : value !== 0);
// the kernel counts hundredths of a second here
const asMilliseconds = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value * 10;

function readBridge(kind: string | undefined, data: Attributes | undefined): BridgeData | undefined {
  if (kind !== 'bridge' || data === undefined) return undefined;
  return present<BridgeData>({
    forwardDelay: asMilliseconds(data.u32(c.IFLA_BR_FORWARD_DELAY)),
    helloTime: asMilliseconds(data.u32(c.IFLA_BR_HELLO_TIME)),
    maxAge: asMilliseconds(data.u32(c.IFLA_BR_MAX_AGE)),
    ageingTime: asMilliseconds(data.u32(c.IFLA_BR_AGEING_TIME)),
    stp: asBoolean(data.u32(c.IFLA_BR_STP_STATE)),
    priority: data.u16(c.IFLA_BR_PRIORITY),
    vlanFiltering: asBoolean(data.u8(c.IFLA_BR_VLAN_FILTERING)),
    vlanDefaultPvid: data.u16(c.IFLA_BR_VLAN_DEFAULT_PVID),
    multicastSnooping: asBoolean(data.u8(c.IFLA_BR_MCAST_SNOOPING)),
  });
}

/**
 * Reads a message about a link: RTM_NEWLINK, RTM_DELLINK. `undefined` where it is none, or is about a link
 * only as a port of a bridge.
 */
export function unpackLink(message: NetlinkMessage): Link | undefined {
  const { type: messageType, payload } = message;
  if (messageType !== c.RTM_NEWLINK && messageType !== c.RTM_DELLINK) return undefined;
  // other families tell of their own: of AF_BRIDGE, RTM_DELLINK is a port that left its bridge
  if (payload.length < LINK_HEADER || payload[0] !== 0) return undefined;
  const type = readU16(payload, 2);
  const flags = readU32(payload, 8);
  const a = unpackAttributes(payload, LINK_HEADER);
  const info = a.nested(c.IFLA_LINKINFO);
  const kind = info?.text(c.IFLA_INFO_KIND);
  const data = info?.nested(c.IFLA_INFO_DATA);
  const properties = a.nested(c.IFLA_PROP_LIST);
  return present<Link>({
    index: readI32(payload, 4),
    name: a.text(c.IFLA_IFNAME) ?? '',
    type,
    flags,
    changedFlags: readU32(payload, 12),
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    operationalState: a.u8(c.IFLA_OPERSTATE),
    mtu: a.u32(c.IFLA_MTU),
    minimumMtu: a.u32(c.IFLA_MIN_MTU),
    maximumMtu: a.u32(c.IFLA_MAX_MTU),
    address: addressText(a.bytes(c.IFLA_ADDRESS), type),
    broadcast: addressText(a.bytes(c.IFLA_BROADCAST), type),
    permanentAddress: addressText(a.bytes(c.IFLA_PERM_ADDRESS), type),
    master: a.u32(c.IFLA_MASTER),
    link: a.u32(c.IFLA_LINK),
    linkNamespaceId: a.s32(c.IFLA_LINK_NETNSID),
    kind,
    data,
    slaveKind: info?.text(c.IFLA_INFO_SLAVE_KIND),
    slaveData: info?.nested(c.IFLA_INFO_SLAVE_DATA),
    vlan: readVlan(kind, data),
    bridge: readBridge(kind, data),
    alias: a.text(c.IFLA_IFALIAS),
    alternativeNames: properties?.all(c.IFLA_ALT_IFNAME).map(({ data: name }) => readText(name)) ?? [],
    group: a.u32(c.IFLA_GROUP),
    transmitQueueLength: a.u32(c.IFLA_TXQLEN),
    transmitQueues: a.u32(c.IFLA_NUM_TX_QUEUES),
    receiveQueues: a.u32(c.IFLA_NUM_RX_QUEUES),
    queueingDiscipline: a.text(c.IFLA_QDISC),
    promiscuity: a.u32(c.IFLA_PROMISCUITY),
    carrierChanges: a.u32(c.IFLA_CARRIER_CHANGES),
    statistics: readStatistics(a.bytes(c.IFLA_STATS64)),
    attributes: a,
  });
}

/** Options of `listLinks`. */
export interface ListLinksOptions extends NetlinkOptions {
  /** Only ports of this link, by its name or index. */
  master?: InterfaceInput | undefined;
  /** Only links of this kind, such as `veth`. */
  kind?: string | undefined;
}

/** Options of `listLinksSync`. */
export type ListLinksSyncOptions = Omit<ListLinksOptions, 'signal'>;

function linkListing(options: ListLinksOptions): Listing<Link> {
  const { master, kind } = checkObject('options', options);
  return {
    label: 'RTM_GETLINK',
    request(socket) {
      const attributes = [];
      const index = master === undefined ? undefined : interfaceIndex('options.master', master, socket);
      if (index !== undefined) attributes.push(attribute.u32(c.IFLA_MASTER, index));
      if (kind !== undefined) {
        attributes.push(
          attribute.nested(c.IFLA_LINKINFO, [attribute.text(c.IFLA_INFO_KIND, checkString('options.kind', kind))]),
        );
      }
      return { type: c.RTM_GETLINK, payload: interfaceMessage({}), attributes };
    },
    read(message) {
      const link = unpackLink(message);
      // kernels before 4.20 do not filter
      if (link === undefined || (kind !== undefined && link.kind !== kind)) return undefined;
      return link;
    },
  };
}

/** The links of this network namespace: `ip link`. Source: rtnetlink(7), RTM_GETLINK. */
export async function listLinks(options: ListLinksOptions = {}): Promise<Link[]> {
  return list(linkListing(options), options);
}

/** As `listLinks`, blocking the thread. */
export function listLinksSync(options: ListLinksSyncOptions = {}): Link[] {
  return listSync(linkListing(options), options);
}

function linkQuestion(link: InterfaceInput): Listing<Link> {
  return {
    label: 'RTM_GETLINK',
    about: String(link),
    explain: (code) => (code === 'ENODEV' ? 'there is no such link' : undefined),
    request(socket) {
      const index = interfaceIndex('link', link, socket);
      return { type: c.RTM_GETLINK, payload: interfaceMessage({ index }) };
    },
    read: unpackLink,
  };
}

/**
 * One link, by its name or index.
 * @throws SocketError `ENODEV` where there is none
 */
export async function getLink(link: InterfaceInput, options: NetlinkOptions = {}): Promise<Link> {
  return get(linkQuestion(link), options);
}

/** As `getLink`, blocking the thread. */
export function getLinkSync(link: InterfaceInput, options: NetlinkSyncOptions = {}): Link {
  return getSync(linkQuestion(link), options);
}

/** A link that is new, has changed or is gone. */
export interface LinkChange extends Changed {
  link: Link;
}

/**
 * Changes of links as they come: `ip monitor link`. An `update` may be any change, also none that is
 * to be seen here. Source: rtnetlink(7), RTNLGRP_LINK.
 */
export function watchLinks(options: WatchOptions = {}): Watcher<LinkChange> {
  return new Watcher<LinkChange>(
    {
      groups: [c.RTNLGRP_LINK],
      read({ message, namespaceId }) {
        const link = unpackLink(message);
        if (link === undefined) return undefined;
        return { event: message.type === c.RTM_DELLINK ? 'delete' : 'update', link, namespaceId };
      },
    },
    options,
  );
}
