import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  type InterfaceInput,
  invalidArgumentType,
  outOfRange,
  type SocketInfo,
  writeI32,
  writeU16,
} from '@sock/core';
import { type AttributeInput, attribute, packAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { addressSize, checkIp, familyOf } from './ip.js';
import {
  type AddOptions,
  type AddSyncOptions,
  type Change,
  change,
  changeSync,
  get,
  getSync,
  type Listing,
  list,
  listSync,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';
import { type Route, type RouteMetrics, routeMessage, unpackRoute } from './route.js';
import { checkFamily, checkMilliseconds, checkU32, interfaceIndex } from './structures.js';
import { type Changed, groupsOf, Watcher, type WatchFamilyOptions } from './watch.js';

/** What is accepted as one of several ways that a route goes. */
export interface NextHopInput {
  gateway?: string | undefined;
  /** Interface, by name or index. */
  interface?: InterfaceInput | undefined;
  /** Its share of the traffic, 1 to 256; 1 unless told. */
  weight?: number | undefined;
  /** RTNH_F_*, or-ed together; none unless told. */
  flags?: number | undefined;
}

/** What is accepted as a route. */
export interface RouteInput {
  /** AF_INET or AF_INET6; that of the addresses unless told, or AF_INET. */
  family?: number | undefined;
  /** Network; left out for the default route. */
  destination?: string | undefined;
  /** Bits that the network has; all of them unless told. */
  prefixLength?: number | undefined;
  /** Network of the senders that it is for. */
  source?: string | undefined;
  sourcePrefixLength?: number | undefined;
  /** Address of the next router; it may be of the other family. */
  gateway?: string | undefined;
  /** Interface, by name or index. */
  interface?: InterfaceInput | undefined;
  /** The several ways that it goes, instead of `gateway` and `interface`. */
  nextHops?: readonly NextHopInput[] | undefined;
  /** Number of a next-hop object, instead of those. */
  nextHopId?: number | undefined;
  preferredSource?: string | undefined;
  priority?: number | undefined;
  /** RT_TABLE_MAIN, for local addresses RT_TABLE_LOCAL unless told. */
  table?: number | undefined;
  /** RTPROT_*; RTPROT_STATIC unless told. */
  protocol?: number | undefined;
  /** RT_SCOPE_*; what suits the type and the gateway unless told. */
  scope?: number | undefined;
  /** RTN_*; RTN_UNICAST unless told. */
  type?: number | undefined;
  tos?: number | undefined;
  /** RTNH_F_ONLINK and others, or-ed together. */
  flags?: number | undefined;
  metrics?: RouteMetrics | undefined;
  /** Anything else: RTA_*. */
  extra?: Iterable<AttributeInput> | undefined;
}

/** Options of `listRoutes`. */
export interface ListRoutesOptions extends NetlinkOptions {
  /** AF_INET or AF_INET6; both unless told. */
  family?: number | undefined;
  /** Only those of this table: RT_TABLE_MAIN and others. */
  table?: number | undefined;
  /** Only those through this interface, by name or index. */
  interface?: InterfaceInput | undefined;
  /** Only those made by this: RTPROT_*. */
  protocol?: number | undefined;
  /** Only those of this type: RTN_*. */
  type?: number | undefined;
}

/** Options of `listRoutesSync`. */
export type ListRoutesSyncOptions = Omit<ListRoutesOptions, 'signal'>;

type Interfaces = Pick<SocketInfo, 'interfaceIndex'>;

function listing(options: ListRoutesOptions): Listing<Route> {
  const { family = AF_UNSPEC, table = 0, interface: link, protocol = 0, type = 0 } = checkObject('options', options);
  checkFamily('options.family', family);
  checkU32('options.table', table);
  checkInteger('options.protocol', protocol, 0, 0xff);
  checkInteger('options.type', type, 0, 0xff);
  let index = 0;
  return {
    label: 'RTM_GETROUTE',
    request(socket) {
      index = link === undefined ? 0 : interfaceIndex('options.interface', link, socket);
      const attributes = [];
      if (table !== 0) attributes.push(attribute.u32(c.RTA_TABLE, table));
      if (index !== 0) attributes.push(attribute.u32(c.RTA_OIF, index));
      return { type: c.RTM_GETROUTE, payload: routeMessage({ family, table, protocol, type }), attributes };
    },
    read(message, names) {
      const route = unpackRoute(message, names);
      // kernels before 4.20 filter nothing, and no kernel entries of its cache
      if (route === undefined || (route.flags & c.RTM_F_CLONED) !== 0) return undefined;
      if (table !== 0 && route.table !== table) return undefined;
      if (protocol !== 0 && route.protocol !== protocol) return undefined;
      if (type !== 0 && route.type !== type) return undefined;
      return index === 0 || goesThrough(route, index) ? route : undefined;
    },
  };
}

const goesThrough = (route: Route, index: number): boolean =>
  route.index === index || route.nextHops.some((hop) => hop.index === index);

/** The routes of this network namespace, of all tables unless told: `ip route show table all`. Source: rtnetlink(7). */
export async function listRoutes(options: ListRoutesOptions = {}): Promise<Route[]> {
  return list(listing(options), options);
}

/** As `listRoutes`, blocking the thread. */
export function listRoutesSync(options: ListRoutesSyncOptions = {}): Route[] {
  return listSync(listing(options), options);
}

/** Options of `getRoute`. */
export interface GetRouteOptions extends NetlinkOptions {
  /** Source address. */
  source?: string | undefined;
  /** Interface to leave through, by name or index. */
  interface?: InterfaceInput | undefined;
  /** Mark (SO_MARK). */
  mark?: number | undefined;
  /** Give the route as it is in its table, rather than what follows from it for this destination; false unless told. */
  match?: boolean | undefined;
}

/** Options of `getRouteSync`. */
export type GetRouteSyncOptions = Omit<GetRouteOptions, 'signal'>;

function question(destination: string, options: GetRouteOptions): Listing<Route> {
  const to = checkIp('destination', destination);
  const family = familyOf(to);
  const bits = to.length * 8;
  const { source, interface: link, mark, match = false } = checkObject('options', options);
  checkBoolean('options.match', match);
  return {
    label: 'RTM_GETROUTE',
    about: destination,
    explain: (code) => (code === 'ENETUNREACH' ? 'there is no route' : undefined),
    request(socket) {
      const attributes = [attribute.bytes(c.RTA_DST, to)];
      if (source !== undefined) attributes.push(attribute.bytes(c.RTA_SRC, checkIp('options.source', source, family)));
      if (link !== undefined) {
        attributes.push(attribute.u32(c.RTA_OIF, interfaceIndex('options.interface', link, socket)));
      }
      if (mark !== undefined) attributes.push(attribute.u32(c.RTA_MARK, checkU32('options.mark', mark)));
      // IPv6 gives the table unasked, and does not want to be asked
      const lookup = family === AF_INET ? c.RTM_F_LOOKUP_TABLE : 0;
      const flags = match ? c.RTM_F_FIB_MATCH : lookup;
      const sourcePrefixLength = source === undefined ? 0 : bits;
      const payload = routeMessage({ family, prefixLength: bits, sourcePrefixLength, flags });
      return { type: c.RTM_GETROUTE, payload, attributes };
    },
    read: unpackRoute,
  };
}

/**
 * The route that something sent to an address takes: `ip route get`.
 * @throws NetlinkError `ENETUNREACH` where there is none. Source: rtnetlink(7), RTM_GETROUTE.
 */
export async function getRoute(destination: string, options: GetRouteOptions = {}): Promise<Route> {
  return get(question(destination, options), options);
}

/** As `getRoute`, blocking the thread. */
export function getRouteSync(destination: string, options: GetRouteSyncOptions = {}): Route {
  return getSync(question(destination, options), options);
}

function gatewayAttribute(argument: string, gateway: unknown, family: number): AttributeInput {
  const bytes = checkIp(argument, gateway);
  if (familyOf(bytes) === family) return attribute.bytes(c.RTA_GATEWAY, bytes);
  const via = Buffer.alloc(2 + bytes.length);
  writeU16(via, familyOf(bytes), 0);
  via.set(bytes, 2);
  return attribute.bytes(c.RTA_VIA, via);
}

function packHop(argument: string, hop: NextHopInput, family: number, interfaces: Interfaces): Buffer {
  const { gateway, interface: link, weight = 1, flags = 0 } = checkObject(argument, hop);
  const header = Buffer.alloc(8);
  header[2] = checkInteger(`${argument}.flags`, flags, 0, 0xff) & ~TOLD;
  header[3] = checkInteger(`${argument}.weight`, weight, 1, 256) - 1;
  if (link !== undefined) writeI32(header, interfaceIndex(`${argument}.interface`, link, interfaces), 4);
  const bytes = Buffer.concat([
    header,
    packAttributes(gateway === undefined ? [] : [gatewayAttribute(`${argument}.gateway`, gateway, family)]),
  ]);
  writeU16(bytes, bytes.length, 0);
  return bytes;
}

const METRICS = {
  lock: c.RTAX_LOCK,
  mtu: c.RTAX_MTU,
  window: c.RTAX_WINDOW,
  advertisedMss: c.RTAX_ADVMSS,
  reordering: c.RTAX_REORDERING,
  hopLimit: c.RTAX_HOPLIMIT,
  initialCwnd: c.RTAX_INITCWND,
  initialRwnd: c.RTAX_INITRWND,
  features: c.RTAX_FEATURES,
} as const;

function metricAttributes(metrics: RouteMetrics): AttributeInput[] {
  const { minimumRto, quickAck, congestion } = checkObject('route.metrics', metrics);
  const found: AttributeInput[] = [];
  for (const [name, type] of Object.entries(METRICS)) {
    const value = metrics[name as keyof typeof METRICS];
    if (value !== undefined) found.push(attribute.u32(type, checkU32(`route.metrics.${name}`, value)));
  }
  if (minimumRto !== undefined) {
    const value = Math.ceil(checkMilliseconds('route.metrics.minimumRto', minimumRto));
    found.push(attribute.u32(c.RTAX_RTO_MIN, value));
  }
  if (quickAck !== undefined) {
    found.push(attribute.u32(c.RTAX_QUICKACK, checkBoolean('route.metrics.quickAck', quickAck) ? 1 : 0));
  }
  if (congestion !== undefined) {
    found.push(attribute.text(c.RTAX_CC_ALGO, checkString('route.metrics.congestion', congestion)));
  }
  return found;
}

const LOCAL_TYPES: readonly number[] = [c.RTN_LOCAL, c.RTN_BROADCAST, c.RTN_ANYCAST];

// the family of the first address that is given
function familyOfRoute({ family, destination, source, gateway, preferredSource, nextHops }: RouteInput): number {
  if (family !== undefined) {
    if (family !== AF_INET && family !== AF_INET6) throw outOfRange('route.family', 'AF_INET or AF_INET6', family);
    return family;
  }
  const members = { destination, source, preferredSource, gateway };
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) return familyOf(checkIp(`route.${name}`, value));
  }
  if (nextHops !== undefined && !Array.isArray(nextHops)) {
    throw invalidArgumentType('route.nextHops', 'an array of next hops', nextHops);
  }
  const hop = nextHops?.find((one) => one?.gateway !== undefined);
  return hop === undefined ? AF_INET : familyOf(checkIp('route.nextHops.gateway', hop.gateway));
}

function scopeOf({ scope, gateway, nextHops, nextHopId }: RouteInput, family: number, type: number): number {
  if (scope !== undefined) return checkInteger('route.scope', scope, 0, 0xff);
  // IPv6 knows no scopes of routes
  if (family === AF_INET6) return c.RT_SCOPE_UNIVERSE;
  if (type === c.RTN_LOCAL) return c.RT_SCOPE_HOST;
  if (type === c.RTN_BROADCAST || type === c.RTN_ANYCAST || type === c.RTN_MULTICAST) return c.RT_SCOPE_LINK;
  const direct = gateway === undefined && (nextHops ?? []).length === 0 && nextHopId === undefined;
  return direct && type === c.RTN_UNICAST ? c.RT_SCOPE_LINK : c.RT_SCOPE_UNIVERSE;
}

function networkOf(name: 'destination' | 'source', address: unknown, length: unknown, family: number) {
  const argument = name === 'source' ? 'route.sourcePrefixLength' : 'route.prefixLength';
  const bits = addressSize(family) * 8;
  if (address === undefined) {
    return { bytes: undefined, length: checkInteger(argument, length ?? 0, 0, 0) };
  }
  const bytes = checkIp(`route.${name}`, address, family);
  return { bytes, length: checkInteger(argument, length ?? bits, 0, bits) };
}

// flags that the kernel tells and does not take: what was listed can be added again
const TOLD =
  c.RTNH_F_DEAD |
  c.RTNH_F_LINKDOWN |
  c.RTNH_F_OFFLOAD |
  c.RTNH_F_UNRESOLVED |
  c.RTNH_F_TRAP |
  c.RTM_F_OFFLOAD |
  c.RTM_F_TRAP |
  c.RTM_F_OFFLOAD_FAILED;

function body(route: RouteInput, interfaces: Interfaces, creates: boolean) {
  const { gateway, interface: link, nextHops, nextHopId, preferredSource, priority, metrics, extra = [] } = route;
  const { tos = 0, flags = 0 } = route;
  const family = familyOfRoute(route);
  // what is left out when something is removed matches anything
  const type = checkInteger('route.type', route.type ?? (creates ? c.RTN_UNICAST : c.RTN_UNSPEC), 0, 0xff);
  const protocol = checkInteger('route.protocol', route.protocol ?? (creates ? c.RTPROT_STATIC : 0), 0, 0xff);
  const scope = creates || route.scope !== undefined ? scopeOf(route, family, type) : c.RT_SCOPE_NOWHERE;
  const table = checkU32(
    'route.table',
    route.table ?? (LOCAL_TYPES.includes(type) ? c.RT_TABLE_LOCAL : c.RT_TABLE_MAIN),
  );
  const destination = networkOf('destination', route.destination, route.prefixLength, family);
  const source = networkOf('source', route.source, route.sourcePrefixLength, family);
  const found: AttributeInput[] = [attribute.u32(c.RTA_TABLE, table)];
  if (destination.bytes !== undefined) found.push(attribute.bytes(c.RTA_DST, destination.bytes));
  if (source.bytes !== undefined) found.push(attribute.bytes(c.RTA_SRC, source.bytes));
  if (gateway !== undefined) found.push(gatewayAttribute('route.gateway', gateway, family));
  if (link !== undefined) found.push(attribute.u32(c.RTA_OIF, interfaceIndex('route.interface', link, interfaces)));
  if (nextHops !== undefined && nextHops.length > 0) {
    const hops = nextHops.map((hop, i) => packHop(`route.nextHops[${i}]`, hop, family, interfaces));
    found.push(attribute.bytes(c.RTA_MULTIPATH, Buffer.concat(hops)));
  }
  if (nextHopId !== undefined) found.push(attribute.u32(c.RTA_NH_ID, checkU32('route.nextHopId', nextHopId)));
  if (preferredSource !== undefined) {
    found.push(attribute.bytes(c.RTA_PREFSRC, checkIp('route.preferredSource', preferredSource, family)));
  }
  if (priority !== undefined) found.push(attribute.u32(c.RTA_PRIORITY, checkU32('route.priority', priority)));
  if (metrics !== undefined) found.push(attribute.nested(c.RTA_METRICS, metricAttributes(metrics)));
  const payload = routeMessage({
    family,
    prefixLength: destination.length,
    sourcePrefixLength: source.length,
    tos: checkInteger('route.tos', tos, 0, 0xff),
    table,
    protocol,
    scope,
    type,
    flags: (checkU32('route.flags', flags) & ~TOLD) >>> 0,
  });
  return { payload, attributes: [...found, ...extra] };
}

const about = ({ destination = 'default', prefixLength }: RouteInput): string =>
  prefixLength === undefined ? String(destination) : `${destination}/${prefixLength}`;

function addition(route: RouteInput, options: AddSyncOptions): Change {
  checkObject('route', route);
  const flags = c.NLM_F_CREATE | (options?.replace === true ? c.NLM_F_REPLACE : c.NLM_F_EXCL);
  return {
    label: 'RTM_NEWROUTE',
    about: about(route),
    request: (socket) => ({ type: c.RTM_NEWROUTE, flags, ...body(route, socket, true) }),
  };
}

/**
 * Adds a route: `ip route add`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EEXIST` where there is one, `ENETUNREACH` where the gateway cannot be reached,
 * `ENETDOWN` where the interface is down. Source: rtnetlink(7), RTM_NEWROUTE.
 */
export async function addRoute(route: RouteInput, options: AddOptions = {}): Promise<void> {
  await change(addition(route, options), options);
}

/** As `addRoute`, blocking the thread. */
export function addRouteSync(route: RouteInput, options: AddSyncOptions = {}): void {
  changeSync(addition(route, options), options);
}

function removal(route: RouteInput): Change {
  checkObject('route', route);
  return {
    label: 'RTM_DELROUTE',
    about: about(route),
    explain: (code) => (code === 'ESRCH' ? 'there is no such route' : undefined),
    request: (socket) => ({ type: c.RTM_DELROUTE, ...body(route, socket, false) }),
  };
}

/**
 * Removes the first route that has everything that is given: `ip route delete`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `ESRCH` where there is none. Source: rtnetlink(7), RTM_DELROUTE.
 */
export async function deleteRoute(route: RouteInput, options: NetlinkOptions = {}): Promise<void> {
  await change(removal(route), options);
}

/** As `deleteRoute`, blocking the thread. */
export function deleteRouteSync(route: RouteInput, options: NetlinkSyncOptions = {}): void {
  changeSync(removal(route), options);
}

/** A route that is new, has changed or is gone. */
export interface RouteChange extends Changed {
  route: Route;
}

/** Changes of routes as they come: `ip monitor route`. Source: rtnetlink(7), RTNLGRP_IPV4_ROUTE. */
export function watchRoutes(options: WatchFamilyOptions = {}): Watcher<RouteChange> {
  return new Watcher<RouteChange>(
    {
      groups: groupsOf(options, c.RTNLGRP_IPV4_ROUTE, c.RTNLGRP_IPV6_ROUTE),
      read({ message, namespaceId }, names) {
        const route = unpackRoute(message, names);
        if (route === undefined) return undefined;
        return { event: message.type === c.RTM_DELROUTE ? 'delete' : 'update', route, namespaceId };
      },
    },
    options,
  );
}
