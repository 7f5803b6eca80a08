import {
  AF_BRIDGE,
  AF_UNSPEC,
  checkBoolean,
  checkInteger,
  checkObject,
  type InterfaceInput,
  readI32,
  readU16,
  readU32,
  writeI32,
  writeU16,
} from '@sock/core';
import { type AttributeInput, type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { checkIp, checkLinkAddress, familyOf, formatLinkAddress, readIp } from './ip.js';
import type { NetlinkMessage } from './message.js';
import {
  type AddOptions,
  type AddSyncOptions,
  type Change,
  change,
  changeSync,
  type Listing,
  list,
  listSync,
  type Names,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';
import { interfaceIndex, present } from './structures.js';
import { type Changed, Watcher, type WatchOptions } from './watch.js';

/** How long ago something happened to a neighbour, in milliseconds. */
export interface NeighbourTimes {
  /** It was confirmed. */
  confirmed: number;
  /** It was used. */
  used: number;
  /** It changed. */
  updated: number;
}

/**
 * A neighbour: an IP address and the link-layer address that it has; or, of the family AF_BRIDGE, a
 * link-layer address that a bridge forwards. Members that the kernel says nothing of are left out. Source:
 * rtnetlink(7).
 */
export interface Neighbour {
  /** AF_INET, AF_INET6 or AF_BRIDGE. */
  family: number;
  /** IP address. */
  destination?: string;
  /** Link-layer address, such as `02:00:5e:10:00:01`. */
  linkAddress?: string;
  /** Name of the interface; left out where there is none any more. */
  interface?: string;
  /** Index of the interface. */
  index: number;
  /** NUD_*. */
  state: number;
  /** NTF_*, or-ed together. */
  flags: number;
  /** RTN_*. */
  type: number;
  times?: NeighbourTimes;
  /** Questions that were sent and not answered. */
  probes?: number;
  vlan?: number;
  /** Index of the bridge. */
  master?: number;
  /** Who made it: RTPROT_*. */
  protocol?: number;
  /** All that the kernel says: NDA_*. */
  attributes: Attributes;
}

/** What is accepted as a neighbour. */
export interface NeighbourInput {
  /** Interface, by name or index. */
  interface: InterfaceInput;
  /** AF_INET, AF_INET6 or AF_BRIDGE; that of the destination unless told, without one AF_BRIDGE. */
  family?: number | undefined;
  /** IP address. */
  destination?: string | undefined;
  linkAddress?: string | undefined;
  /** NUD_*; NUD_PERMANENT unless told. */
  state?: number | undefined;
  /** NTF_*, or-ed together: NTF_PROXY to answer for another; for bridges NTF_MASTER or NTF_SELF. */
  flags?: number | undefined;
  vlan?: number | undefined;
  protocol?: number | undefined;
  /** Anything else: NDA_*. */
  extra?: Iterable<AttributeInput> | undefined;
}

/** Bytes of a struct ndmsg. */
const HEADER = 12;
// clock ticks, of which user space has 100 in a second everywhere; source: the kernel's USER_HZ
const TICK = 10;

function readTimes(bytes: Buffer | undefined): NeighbourTimes | undefined {
  if (bytes === undefined || bytes.length < 12) return undefined;
  return { confirmed: readU32(bytes, 0) * TICK, used: readU32(bytes, 4) * TICK, updated: readU32(bytes, 8) * TICK };
}

/** Reads a message about a neighbour: RTM_NEWNEIGH, RTM_DELNEIGH. `undefined` where it is none. */
export function unpackNeighbour(message: NetlinkMessage, names?: Names): Neighbour | undefined {
  const { type, payload } = message;
  if ((type !== c.RTM_NEWNEIGH && type !== c.RTM_DELNEIGH) || payload.length < HEADER) return undefined;
  const index = readI32(payload, 4);
  const a = unpackAttributes(payload, HEADER);
  const linkAddress = a.bytes(c.NDA_LLADDR);
  return present<Neighbour>({
    family: payload[0] ?? 0,
    destination: readIp(a.bytes(c.NDA_DST)),
    linkAddress: linkAddress === undefined || linkAddress.length === 0 ? undefined : formatLinkAddress(linkAddress),
    interface: names?.of(index),
    index,
    state: readU16(payload, 8),
    flags: payload[10] ?? 0,
    type: payload[11] ?? 0,
    times: readTimes(a.bytes(c.NDA_CACHEINFO)),
    probes: a.u32(c.NDA_PROBES),
    vlan: a.u16(c.NDA_VLAN),
    master: a.u32(c.NDA_MASTER),
    protocol: a.u8(c.NDA_PROTOCOL),
    attributes: a,
  });
}

function header(family: number, index: number, state = 0, flags = 0): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes[0] = family;
  writeI32(bytes, index, 4);
  writeU16(bytes, state, 8);
  bytes[10] = flags;
  return bytes;
}

/** Options of `listNeighbours`. */
export interface ListNeighboursOptions extends NetlinkOptions {
  /** AF_INET, AF_INET6, or AF_BRIDGE for what bridges forward; AF_INET and AF_INET6 unless told. */
  family?: number | undefined;
  /** Only those on this interface, by name or index. */
  interface?: InterfaceInput | undefined;
  /** The addresses that this machine answers for (NTF_PROXY) rather than the others; false unless told. */
  proxy?: boolean | undefined;
}

/** Options of `listNeighboursSync`. */
export type ListNeighboursSyncOptions = Omit<ListNeighboursOptions, 'signal'>;

function listing(options: ListNeighboursOptions): Listing<Neighbour> {
  const { family = AF_UNSPEC, interface: link, proxy = false } = checkObject('options', options);
  checkInteger('options.family', family, 0, 0xff);
  checkBoolean('options.proxy', proxy);
  let index = 0;
  return {
    label: 'RTM_GETNEIGH',
    request(socket) {
      index = link === undefined ? 0 : interfaceIndex('options.interface', link, socket);
      // bridges take the interface elsewhere, and are filtered below
      const attributes = index === 0 || family === AF_BRIDGE ? [] : [attribute.u32(c.NDA_IFINDEX, index)];
      return { type: c.RTM_GETNEIGH, payload: header(family, 0, 0, proxy ? c.NTF_PROXY : 0), attributes };
    },
    read(message, names) {
      const neighbour = unpackNeighbour(message, names);
      if (neighbour === undefined || (index !== 0 && neighbour.index !== index)) return undefined;
      return family !== AF_UNSPEC || neighbour.family !== AF_BRIDGE ? neighbour : undefined;
    },
  };
}

/** The neighbours of this network namespace: `ip neighbour`, or `bridge fdb`. Source: rtnetlink(7), RTM_GETNEIGH. */
export async function listNeighbours(options: ListNeighboursOptions = {}): Promise<Neighbour[]> {
  return list(listing(options), options);
}

/** As `listNeighbours`, blocking the thread. */
export function listNeighboursSync(options: ListNeighboursSyncOptions = {}): Neighbour[] {
  return listSync(listing(options), options);
}

function modification(neighbour: NeighbourInput, type: number, label: string, requestFlags: number): Change {
  const { destination, linkAddress, vlan, protocol, flags = 0, extra = [] } = checkObject('neighbour', neighbour);
  const { state = type === c.RTM_NEWNEIGH ? c.NUD_PERMANENT : 0 } = neighbour;
  return {
    label,
    about: destination ?? linkAddress,
    explain: (code) => (code === 'ENOENT' ? 'there is no such neighbour' : undefined),
    request(socket) {
      const found: AttributeInput[] = [];
      let family = AF_BRIDGE;
      if (destination !== undefined) {
        const bytes = checkIp('neighbour.destination', destination);
        family = familyOf(bytes);
        found.push(attribute.bytes(c.NDA_DST, bytes));
      }
      if (linkAddress !== undefined) {
        found.push(attribute.bytes(c.NDA_LLADDR, checkLinkAddress('neighbour.linkAddress', linkAddress)));
      }
      if (vlan !== undefined) found.push(attribute.u16(c.NDA_VLAN, checkInteger('neighbour.vlan', vlan, 0, 4094)));
      if (protocol !== undefined) {
        found.push(attribute.u8(c.NDA_PROTOCOL, checkInteger('neighbour.protocol', protocol, 0, 0xff)));
      }
      const payload = header(
        checkInteger('neighbour.family', neighbour.family ?? family, 0, 0xff),
        interfaceIndex('neighbour.interface', neighbour.interface, socket),
        checkInteger('neighbour.state', state, 0, 0xffff),
        checkInteger('neighbour.flags', flags, 0, 0xff),
      );
      return { type, flags: requestFlags, payload, attributes: [...found, ...extra] };
    },
  };
}

const addition = (neighbour: NeighbourInput, options: AddSyncOptions): Change =>
  modification(
    neighbour,
    c.RTM_NEWNEIGH,
    'RTM_NEWNEIGH',
    c.NLM_F_CREATE | (options?.replace === true ? c.NLM_F_REPLACE : c.NLM_F_EXCL),
  );

/**
 * Adds a neighbour: `ip neighbour add`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EEXIST` where there is one. Source: rtnetlink(7), RTM_NEWNEIGH.
 */
export async function addNeighbour(neighbour: NeighbourInput, options: AddOptions = {}): Promise<void> {
  await change(addition(neighbour, options), options);
}

/** As `addNeighbour`, blocking the thread. */
export function addNeighbourSync(neighbour: NeighbourInput, options: AddSyncOptions = {}): void {
  changeSync(addition(neighbour, options), options);
}

const removal = (neighbour: NeighbourInput): Change => modification(neighbour, c.RTM_DELNEIGH, 'RTM_DELNEIGH', 0);

/**
 * Removes a neighbour: `ip neighbour delete`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `ENOENT` where there is none. Source: rtnetlink(7), RTM_DELNEIGH.
 */
export async function deleteNeighbour(neighbour: NeighbourInput, options: NetlinkOptions = {}): Promise<void> {
  await change(removal(neighbour), options);
}

/** As `deleteNeighbour`, blocking the thread. */
export function deleteNeighbourSync(neighbour: NeighbourInput, options: NetlinkSyncOptions = {}): void {
  changeSync(removal(neighbour), options);
}

/** Options of `watchNeighbours`. */
export interface WatchNeighboursOptions extends WatchOptions {
  /** AF_INET, AF_INET6 or AF_BRIDGE; all of them unless told. */
  family?: number | undefined;
}

/** A neighbour that is new, has changed or is gone. */
export interface NeighbourChange extends Changed {
  neighbour: Neighbour;
}

/** Changes of neighbours as they come: `ip monitor neighbour`. Source: rtnetlink(7), RTNLGRP_NEIGH. */
export function watchNeighbours(options: WatchNeighboursOptions = {}): Watcher<NeighbourChange> {
  const { family = AF_UNSPEC } = checkObject('options', options);
  checkInteger('options.family', family, 0, 0xff);
  return new Watcher<NeighbourChange>(
    {
      groups: [c.RTNLGRP_NEIGH],
      read({ message, namespaceId }, names) {
        const neighbour = unpackNeighbour(message, names);
        if (neighbour === undefined || (family !== AF_UNSPEC && neighbour.family !== family)) return undefined;
        return { event: message.type === c.RTM_DELNEIGH ? 'delete' : 'update', neighbour, namespaceId };
      },
    },
    options,
  );
}
