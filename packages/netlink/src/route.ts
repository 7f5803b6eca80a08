import { AF_INET, AF_INET6, readI32, readU16, readU32, writeU32 } from '@sock/core';
import { type Attributes, align, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { addressSize, formatIp, readIp } from './ip.js';
import type { NetlinkMessage } from './message.js';
import type { Names } from './operation.js';
import { present } from './structures.js';

/** One of several ways that a route goes. */
export interface NextHop {
  gateway?: string;
  /** Name of the interface. */
  interface?: string;
  /** Index of the interface. */
  index?: number;
  /** Its share of the traffic, 1 to 256. */
  weight: number;
  /** RTNH_F_*, or-ed together. */
  flags: number;
}

/** Properties of what goes by a route. Source: rtnetlink(7), RTAX_*. */
export interface RouteMetrics {
  /** Metrics that are not to be changed, as bits: 1 << RTAX_MTU and so on. */
  lock?: number;
  mtu?: number;
  window?: number;
  advertisedMss?: number;
  reordering?: number;
  hopLimit?: number;
  /** Congestion and receive windows at first, in packets. */
  initialCwnd?: number;
  initialRwnd?: number;
  /** RTAX_FEATURE_*. */
  features?: number;
  /** Milliseconds. */
  minimumRto?: number;
  quickAck?: boolean;
  /** Name of the congestion control. */
  congestion?: string;
}

/** A route. Members that the kernel says nothing of are left out. Source: rtnetlink(7). */
export interface Route {
  /** AF_INET or AF_INET6. */
  family: number;
  /** Network; `0.0.0.0` or `::` with the length 0 for the default route. */
  destination: string;
  prefixLength: number;
  /** Network of the senders that it is for. */
  source?: string;
  sourcePrefixLength: number;
  /** Address of the next router; it may be of the other family. */
  gateway?: string;
  /** Name of the interface; left out where there is none any more. */
  interface?: string;
  /** Index of the interface. */
  index?: number;
  /** The several ways that it goes; empty for a route that goes one. */
  nextHops: NextHop[];
  /** Number of the next-hop object that it uses. */
  nextHopId?: number;
  /** Source address for what this machine sends. */
  preferredSource?: string;
  /** Of several routes the one with the least goes first. */
  priority?: number;
  /** RT_TABLE_*, or the number of another table. */
  table: number;
  /** Who made it: RTPROT_*. */
  protocol: number;
  /** RT_SCOPE_*. */
  scope: number;
  /** RTN_*. */
  type: number;
  /** Type of service that it is for, 0 for any. */
  tos: number;
  /** RTM_F_* and RTNH_F_*, or-ed together. */
  flags: number;
  metrics: RouteMetrics;
  /** Milliseconds until it goes, where it does. */
  expires?: number;
  /** All that the kernel says: RTA_*. */
  attributes: Attributes;
}

/** Bytes of a struct rtmsg, and of a struct rtnexthop. */
export const ROUTE_HEADER = 12;
const HOP_HEADER = 8;

/** Bytes of a struct rtvia before the address. */
const VIA_HEADER = 2;

function gatewayOf(attributes: Attributes): string | undefined {
  return readIp(attributes.bytes(c.RTA_GATEWAY)) ?? readIp(attributes.bytes(c.RTA_VIA)?.subarray(VIA_HEADER));
}

function readHops(bytes: Buffer | undefined, names: Names | undefined): NextHop[] {
  const hops: NextHop[] = [];
  let offset = 0;
  while (bytes !== undefined && offset + HOP_HEADER <= bytes.length) {
    const length = readU16(bytes, offset);
    if (length < HOP_HEADER || offset + length > bytes.length) break;
    const index = readI32(bytes, offset + 4);
    const attributes = unpackAttributes(bytes.subarray(offset, offset + length), HOP_HEADER);
    hops.push(
      present<NextHop>({
        gateway: gatewayOf(attributes),
        interface: names?.of(index),
        index: index === 0 ? undefined : index,
        weight: (bytes[offset + 3] ?? 0) + 1,
        flags: bytes[offset + 2] ?? 0,
      }),
    );
    offset += align(length);
  }
  return hops;
}

function readMetrics(metrics: Attributes | undefined): RouteMetrics {
  if (metrics === undefined) return {};
  const quickAck = metrics.u32(c.RTAX_QUICKACK);
  return present<RouteMetrics>({
    lock: metrics.u32(c.RTAX_LOCK),
    mtu: metrics.u32(c.RTAX_MTU),
    window: metrics.u32(c.RTAX_WINDOW),
    advertisedMss: metrics.u32(c.RTAX_ADVMSS),
    reordering: metrics.u32(c.RTAX_REORDERING),
    hopLimit: metrics.u32(c.RTAX_HOPLIMIT),
    initialCwnd: metrics.u32(c.RTAX_INITCWND),
    initialRwnd: metrics.u32(c.RTAX_INITRWND),
    features: metrics.u32(c.RTAX_FEATURES),
    minimumRto: metrics.u32(c.RTAX_RTO_MIN),
    quickAck: quickAck === undefined ? undefined : quickAck !== 0,
    congestion: metrics.text(c.RTAX_CC_ALGO),
  });
}

// clock ticks, of which user space has 100 in a second everywhere; source: the kernel's USER_HZ
const TICK = 10;

function expiresOf(attributes: Attributes): number | undefined {
  const cache = attributes.bytes(c.RTA_CACHEINFO);
  const ticks = cache === undefined || cache.length < 12 ? 0 : readI32(cache, 8);
  return ticks === 0 ? undefined : ticks * TICK;
}

/** Reads a message about a route: RTM_NEWROUTE, RTM_DELROUTE. `undefined` where it is none, or none of IP. */
export function unpackRoute(message: NetlinkMessage, names?: Names): Route | undefined {
  const { type: messageType, payload } = message;
  if ((messageType !== c.RTM_NEWROUTE && messageType !== c.RTM_DELROUTE) || payload.length < ROUTE_HEADER)
    return undefined;
  const [family = 0, prefixLength = 0, sourcePrefixLength = 0, tos = 0, table = 0, protocol = 0, scope = 0, type = 0] =
    payload;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const a = unpackAttributes(payload, ROUTE_HEADER);
  const index = a.u32(c.RTA_OIF);
  return present<Route>({
    family,
    destination: readIp(a.bytes(c.RTA_DST)) ?? formatIp(new Uint8Array(addressSize(family))),
    prefixLength,
    source: readIp(a.bytes(c.RTA_SRC)),
    sourcePrefixLength,
    gateway: gatewayOf(a),
    interface: names?.of(index),
    index,
    nextHops: readHops(a.bytes(c.RTA_MULTIPATH), names),
    nextHopId: a.u32(c.RTA_NH_ID),
    preferredSource: readIp(a.bytes(c.RTA_PREFSRC)),
    priority: a.u32(c.RTA_PRIORITY),
    table: a.u32(c.RTA_TABLE) ?? table,
    protocol,
    scope,
    type,
    tos,
    flags: readU32(payload, 8),
    metrics: readMetrics(a.nested(c.RTA_METRICS)),
    expires: expiresOf(a),
    attributes: a,
  });
}

/** A struct rtmsg. */
export function routeMessage(members: {
  family: number;
  prefixLength?: number;
  sourcePrefixLength?: number;
  tos?: number;
  table?: number;
  protocol?: number;
  scope?: number;
  type?: number;
  flags?: number;
}): Buffer {
  const {
    family,
    prefixLength = 0,
    sourcePrefixLength = 0,
    tos = 0,
    table = 0,
    protocol = 0,
    scope = 0,
    type = 0,
  } = members;
  const bytes = Buffer.alloc(ROUTE_HEADER);
  bytes.set([
    family,
    prefixLength,
    sourcePrefixLength,
    tos,
    table > 255 ? c.RT_TABLE_COMPAT : table,
    protocol,
    scope,
    type,
  ]);
  writeU32(bytes, members.flags ?? 0, 8);
  return bytes;
}
