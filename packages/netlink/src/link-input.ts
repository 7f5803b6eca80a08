import {
  checkBoolean,
  checkInteger,
  checkInterfaceName,
  checkObject,
  checkString,
  IFF_ALLMULTI,
  IFF_MULTICAST,
  IFF_NOARP,
  IFF_PROMISC,
  IFF_UP,
  type InterfaceInput,
  outOfRange,
  type SocketInfo,
} from '@sock/core';
import { type AttributeInput, attribute, packAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { checkLinkAddress } from './ip.js';
import type { BridgeData, VlanData } from './link.js';
import { interfaceMessage } from './link-message.js';
import { type Change, change, changeSync, type NetlinkOptions, type NetlinkSyncOptions } from './operation.js';
import { checkU32, interfaceIndex } from './structures.js';

/**
 * A network namespace: that of a process, or the one that a descriptor stands for (of `/run/netns/…` or
 * `/proc/…/ns/net`).
 */
export type NamespaceInput = { pid: number; fd?: never } | { fd: number; pid?: never };

/** What can be said of a link when it is made, and changed later. */
export interface LinkProperties {
  /** New name, 1 to 15 bytes. Renaming a link that is up needs Linux 6.2 (or none of its kind). */
  name?: string | undefined;
  /** Whether it is up. */
  up?: boolean | undefined;
  mtu?: number | undefined;
  /** Link-layer address, such as `02:00:5e:10:00:01`. */
  address?: string | undefined;
  broadcast?: string | undefined;
  /** Link to make it a port of (a bridge, a bond, a VRF), by name or index; `null` for none. */
  master?: InterfaceInput | null | undefined;
  /** Namespace to put it into. */
  namespace?: NamespaceInput | undefined;
  /** Packets that wait to be sent, at most. */
  transmitQueueLength?: number | undefined;
  group?: number | undefined;
  /** Free text, `''` for none. */
  alias?: string | undefined;
  /** Whether addresses are resolved: not IFF_NOARP. */
  arp?: boolean | undefined;
  /** IFF_MULTICAST. */
  multicast?: boolean | undefined;
  /** IFF_PROMISC: receive every packet. */
  promiscuous?: boolean | undefined;
  /** IFF_ALLMULTI: receive every multicast packet. */
  allMulticast?: boolean | undefined;
  /** Anything else, after all that: IFLA_*. */
  extra?: Iterable<AttributeInput> | undefined;
}

/** What is accepted as a change of a link. */
export interface LinkSettings extends LinkProperties {
  /** Kind of the link, where what is particular to it (`bridge`, `data`) is to change. */
  kind?: string | undefined;
  /** Of the kind `bridge`. */
  bridge?: BridgeData | undefined;
  /** What is particular to the kind: attributes in IFLA_INFO_DATA. */
  data?: Iterable<AttributeInput> | undefined;
}

/** What is accepted as a new link. */
export interface LinkInput extends LinkProperties {
  /** Kind, such as `dummy`, `vcan`, `veth`, `vxcan`, `bridge`, `vlan`, `macvlan`. */
  kind: string;
  /** Index; one that is free unless told. */
  index?: number | undefined;
  /** The link below, by name or index, for kinds that have one. */
  link?: InterfaceInput | undefined;
  /** The other end of a `veth` or `vxcan`. It can be set up (`setLink`) once both ends exist. */
  peer?: Omit<LinkProperties, 'master' | 'up'> | undefined;
  /** Of the kind `vlan`; the protocol is 0x8100 unless told. */
  vlan?: (Pick<VlanData, 'id'> & Partial<VlanData>) | undefined;
  /** Of the kind `bridge`. */
  bridge?: BridgeData | undefined;
  /** Of the kinds `macvlan` and `macvtap`: MACVLAN_MODE_*. */
  macvlanMode?: number | undefined;
  transmitQueues?: number | undefined;
  receiveQueues?: number | undefined;
  /** What is particular to the kind, after all that: attributes in IFLA_INFO_DATA. */
  data?: Iterable<AttributeInput> | undefined;
}

/** What goes with some kinds of links only. */
type Particulars = Pick<LinkSettings, 'kind' | 'data' | 'bridge'> &
  Partial<Pick<LinkInput, 'peer' | 'vlan' | 'macvlanMode'>>;

type Interfaces = Pick<SocketInfo, 'interfaceIndex'>;

const FLAGS = {
  up: [IFF_UP, true],
  arp: [IFF_NOARP, false],
  multicast: [IFF_MULTICAST, true],
  promiscuous: [IFF_PROMISC, true],
  allMulticast: [IFF_ALLMULTI, true],
} as const;

function flagsOf(argument: string, properties: LinkProperties): { flags: number; change: number } {
  let flags = 0;
  let changed = 0;
  for (const [name, [bit, sense]] of Object.entries(FLAGS)) {
    const value = properties[name as keyof typeof FLAGS];
    if (value === undefined) continue;
    changed |= bit;
    if (checkBoolean(`${argument}.${name}`, value) === sense) flags |= bit;
  }
  return { flags, change: changed };
}

function namespaceAttribute(argument: string, namespace: NamespaceInput): AttributeInput {
  const { pid, fd } = checkObject(argument, namespace);
  if ((pid === undefined) === (fd === undefined)) throw outOfRange(argument, 'either { pid } or { fd }', namespace);
  if (pid !== undefined) return attribute.u32(c.IFLA_NET_NS_PID, checkInteger(`${argument}.pid`, pid, 1, 0x7fffffff));
  return attribute.u32(c.IFLA_NET_NS_FD, checkInteger(`${argument}.fd`, fd, 0, 0x7fffffff));
}

const ALIAS_MAX = 255;

function propertyAttributes(argument: string, properties: LinkProperties, interfaces: Interfaces): AttributeInput[] {
  const { name, mtu, address, broadcast, master, namespace, transmitQueueLength, group, alias } = properties;
  const found: AttributeInput[] = [];
  if (name !== undefined) found.push(attribute.text(c.IFLA_IFNAME, checkInterfaceName(`${argument}.name`, name)));
  if (mtu !== undefined) found.push(attribute.u32(c.IFLA_MTU, checkU32(`${argument}.mtu`, mtu)));
  if (address !== undefined) {
    found.push(attribute.bytes(c.IFLA_ADDRESS, checkLinkAddress(`${argument}.address`, address)));
  }
  if (broadcast !== undefined) {
    found.push(attribute.bytes(c.IFLA_BROADCAST, checkLinkAddress(`${argument}.broadcast`, broadcast)));
  }
  if (master !== undefined) {
    const index = master === null ? 0 : interfaceIndex(`${argument}.master`, master, interfaces);
    found.push(attribute.u32(c.IFLA_MASTER, index));
  }
  if (namespace !== undefined) found.push(namespaceAttribute(`${argument}.namespace`, namespace));
  if (transmitQueueLength !== undefined) {
    found.push(attribute.u32(c.IFLA_TXQLEN, checkU32(`${argument}.transmitQueueLength`, transmitQueueLength)));
  }
  if (group !== undefined) found.push(attribute.u32(c.IFLA_GROUP, checkU32(`${argument}.group`, group)));
  if (alias !== undefined) {
    if (Buffer.byteLength(checkString(`${argument}.alias`, alias)) > ALIAS_MAX) {
      throw outOfRange(`${argument}.alias`, `a text of at most ${ALIAS_MAX} bytes`, alias);
    }
    found.push(attribute.bytes(c.IFLA_IFALIAS, alias));
  }
  return found;
}

// the kernel counts hundredths of a second here
function centiseconds(argument: string, milliseconds: unknown): number {
  return Math.round(checkInteger(argument, milliseconds, 0, 0x7fffffff) / 10);
}

function bridgeAttributes(argument: string, bridge: BridgeData): AttributeInput[] {
  const {
    forwardDelay,
    helloTime,
    maxAge,
    ageingTime,
    stp,
    priority,
    vlanFiltering,
    vlanDefaultPvid,
    multicastSnooping,
  } = checkObject(argument, bridge);
  const found: AttributeInput[] = [];
  const times = { forwardDelay, helloTime, maxAge, ageingTime };
  const types = [c.IFLA_BR_FORWARD_DELAY, c.IFLA_BR_HELLO_TIME, c.IFLA_BR_MAX_AGE, c.IFLA_BR_AGEING_TIME];
  Object.entries(times).forEach(([name, value], i) => {
    if (value !== undefined) found.push(attribute.u32(types[i] as number, centiseconds(`${argument}.${name}`, value)));
  });
  if (stp !== undefined) found.push(attribute.u32(c.IFLA_BR_STP_STATE, checkBoolean(`${argument}.stp`, stp) ? 1 : 0));
  if (priority !== undefined) {
    found.push(attribute.u16(c.IFLA_BR_PRIORITY, checkInteger(`${argument}.priority`, priority, 0, 0xffff)));
  }
  if (vlanFiltering !== undefined) {
    const value = checkBoolean(`${argument}.vlanFiltering`, vlanFiltering) ? 1 : 0;
    found.push(attribute.u8(c.IFLA_BR_VLAN_FILTERING, value));
  }
  if (vlanDefaultPvid !== undefined) {
    const value = checkInteger(`${argument}.vlanDefaultPvid`, vlanDefaultPvid, 0, 4094);
    found.push(attribute.u16(c.IFLA_BR_VLAN_DEFAULT_PVID, value));
  }
  if (multicastSnooping !== undefined) {
    const value = checkBoolean(`${argument}.multicastSnooping`, multicastSnooping) ? 1 : 0;
    found.push(attribute.u8(c.IFLA_BR_MCAST_SNOOPING, value));
  }
  return found;
}

const PAIRS: readonly string[] = ['veth', 'vxcan'];

// what goes with some kinds only must not be lost with others
function checkKind(argument: string, kind: string | undefined, kinds: readonly string[], value: unknown): void {
  if (kind === undefined || !kinds.includes(kind)) {
    throw outOfRange(argument, `left out, unless the kind is ${kinds.join(' or ')}`, value);
  }
}

function kindData(argument: string, input: Particulars, interfaces: Interfaces): AttributeInput[] {
  const { kind, peer, vlan, bridge, macvlanMode, data } = input;
  const found: AttributeInput[] = [];
  if (peer !== undefined) {
    checkKind(`${argument}.peer`, kind, PAIRS, peer);
    const { up }: LinkProperties = checkObject(`${argument}.peer`, peer);
    // the kernel says ENOTCONN, as that one has no peer at that moment
    if (up !== undefined) throw outOfRange(`${argument}.peer.up`, 'left out: set the peer up afterwards', up);
    const bytes = Buffer.concat([
      interfaceMessage(flagsOf(`${argument}.peer`, peer)),
      packAttributes(propertyAttributes(`${argument}.peer`, peer, interfaces)),
      packAttributes(peer.extra ?? [], `${argument}.peer.extra`),
    ]);
    // VXCAN_INFO_PEER is the same
    found.push(attribute.bytes(c.VETH_INFO_PEER, bytes));
  }
  if (vlan !== undefined) {
    checkKind(`${argument}.vlan`, kind, ['vlan'], vlan);
    const { id, protocol = 0x8100 } = checkObject(`${argument}.vlan`, vlan);
    found.push(attribute.u16(c.IFLA_VLAN_ID, checkInteger(`${argument}.vlan.id`, id, 0, 4094)));
    found.push(attribute.be16(c.IFLA_VLAN_PROTOCOL, checkInteger(`${argument}.vlan.protocol`, protocol, 0, 0xffff)));
  }
  if (macvlanMode !== undefined) {
    checkKind(`${argument}.macvlanMode`, kind, ['macvlan', 'macvtap'], macvlanMode);
    found.push(attribute.u32(c.IFLA_MACVLAN_MODE, checkU32(`${argument}.macvlanMode`, macvlanMode)));
  }
  if (bridge !== undefined) {
    checkKind(`${argument}.bridge`, kind, ['bridge'], bridge);
    found.push(...bridgeAttributes(`${argument}.bridge`, bridge));
  }
  return data === undefined ? found : [...found, ...data];
}

function linkInfo(argument: string, input: Particulars, interfaces: Interfaces): AttributeInput[] {
  const { kind } = input;
  const data = kindData(argument, input, interfaces);
  if (kind === undefined) {
    if (data.length > 0) throw outOfRange(`${argument}.kind`, 'a kind, which `data` is particular to', kind);
    return [];
  }
  const info = [attribute.text(c.IFLA_INFO_KIND, checkString(`${argument}.kind`, kind))];
  if (data.length > 0) info.push(attribute.nested(c.IFLA_INFO_DATA, data));
  return [attribute.nested(c.IFLA_LINKINFO, info)];
}

/** Modules of kinds whose name is another. */
const MODULES: Readonly<Record<string, string>> = { vlan: '8021q', bond: 'bonding', gre: 'ip_gre', macvtap: 'macvtap' };

function unknownKind(kind: string): string {
  const module = MODULES[kind] ?? kind;
  return `this kernel cannot make links of the kind ${kind}; load the module ${module} (modprobe ${module})`;
}

function addition(link: LinkInput): Change {
  const { kind, name, index, link: below, transmitQueues, receiveQueues, extra = [] } = checkObject('link', link);
  checkString('link.kind', kind);
  return {
    label: 'RTM_NEWLINK',
    about: name ?? kind,
    explain: (code, text) => (code === 'EOPNOTSUPP' && /device type/.test(text ?? '') ? unknownKind(kind) : undefined),
    request(socket) {
      const found = propertyAttributes('link', link, socket);
      if (below !== undefined) found.push(attribute.u32(c.IFLA_LINK, interfaceIndex('link.link', below, socket)));
      if (transmitQueues !== undefined) {
        found.push(attribute.u32(c.IFLA_NUM_TX_QUEUES, checkInteger('link.transmitQueues', transmitQueues, 1, 4096)));
      }
      if (receiveQueues !== undefined) {
        found.push(attribute.u32(c.IFLA_NUM_RX_QUEUES, checkInteger('link.receiveQueues', receiveQueues, 1, 4096)));
      }
      found.push(...linkInfo('link', link, socket), ...extra);
      const wanted = index === undefined ? 0 : checkInteger('link.index', index, 1, 0x7fffffff);
      return {
        type: c.RTM_NEWLINK,
        flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
        payload: interfaceMessage({ ...flagsOf('link', link), index: wanted }),
        attributes: found,
      };
    },
  };
}

/**
 * Makes a link: `ip link add`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EEXIST` where one has the name, `EOPNOTSUPP` where the kernel lacks the kind. Source:
 * rtnetlink(7), RTM_NEWLINK.
 */
export async function addLink(link: LinkInput, options: NetlinkOptions = {}): Promise<void> {
  await change(addition(link), options);
}

/** As `addLink`, blocking the thread. */
export function addLinkSync(link: LinkInput, options: NetlinkSyncOptions = {}): void {
  changeSync(addition(link), options);
}

function setting(link: InterfaceInput, settings: LinkSettings): Change {
  const { extra = [] } = checkObject('settings', settings);
  return {
    label: 'RTM_NEWLINK',
    about: String(link),
    explain: (code) => (code === 'ENODEV' ? 'there is no such link' : undefined),
    request(socket) {
      const found = [
        ...propertyAttributes('settings', settings, socket),
        ...linkInfo('settings', settings, socket),
        ...extra,
      ];
      const index = interfaceIndex('link', link, socket);
      return {
        type: c.RTM_NEWLINK,
        payload: interfaceMessage({ ...flagsOf('settings', settings), index }),
        attributes: found,
      };
    },
  };
}

/**
 * Changes a link: `ip link set`. Needs CAP_NET_ADMIN.
 * @throws SocketError `ENODEV` where there is none; NetlinkError `EBUSY` where it must be down for that. Source:
 * rtnetlink(7), RTM_NEWLINK.
 */
export async function setLink(
  link: InterfaceInput,
  settings: LinkSettings,
  options: NetlinkOptions = {},
): Promise<void> {
  await change(setting(link, settings), options);
}

/** As `setLink`, blocking the thread. */
export function setLinkSync(link: InterfaceInput, settings: LinkSettings, options: NetlinkSyncOptions = {}): void {
  changeSync(setting(link, settings), options);
}

function removal(link: InterfaceInput): Change {
  return {
    label: 'RTM_DELLINK',
    about: String(link),
    explain: (code) => (code === 'EOPNOTSUPP' ? 'only virtual links can be removed' : undefined),
    request: (socket) => ({
      type: c.RTM_DELLINK,
      payload: interfaceMessage({ index: interfaceIndex('link', link, socket) }),
    }),
  };
}

/**
 * Removes a virtual link, and the other end of a pair: `ip link delete`. Needs CAP_NET_ADMIN.
 * @throws SocketError `ENODEV` where there is none. Source: rtnetlink(7), RTM_DELLINK.
 */
export async function deleteLink(link: InterfaceInput, options: NetlinkOptions = {}): Promise<void> {
  await change(removal(link), options);
}

/** As `deleteLink`, blocking the thread. */
export function deleteLinkSync(link: InterfaceInput, options: NetlinkSyncOptions = {}): void {
  changeSync(removal(link), options);
}
