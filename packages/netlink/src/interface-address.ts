import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  checkInteger,
  checkObject,
  checkString,
  type InterfaceInput,
  readU32,
  writeU32,
} from '@sock/core';
import { type AttributeInput, type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { addressSize, checkIp, familyOf, readIp } from './ip.js';
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
import { checkFamily, checkMilliseconds, checkU32, interfaceIndex, present } from './structures.js';
import { type Changed, groupsOf, Watcher, type WatchFamilyOptions } from './watch.js';

/** An IP address of a network interface. Members that the kernel says nothing of are left out. Source: rtnetlink(7). */
export interface InterfaceAddress {
  /** AF_INET or AF_INET6. */
  family: number;
  address: string;
  /** Bits of the address that its network has. */
  prefixLength: number;
  /** The address at the other end of a point-to-point link. */
  peer?: string;
  broadcast?: string;
  anycast?: string;
  /** Name of the interface; left out where there is none any more. */
  interface?: string;
  /** Index of the interface. */
  index: number;
  /** RT_SCOPE_*. */
  scope: number;
  /** IFA_F_*, or-ed together. */
  flags: number;
  /** Name of the address, of IPv4: the interface's, or that with a suffix. */
  label?: string;
  /** Milliseconds for which the address remains valid, `null` for ever. */
  validLifetime: number | null;
  /** Milliseconds for which new connections should use it, `null` for ever. */
  preferredLifetime: number | null;
  /** Priority of the route to its network. */
  priority?: number;
  /** Who set it: IFAPROT_*. */
  protocol?: number;
  /** All that the kernel says: IFA_*. */
  attributes: Attributes;
}

/** What is accepted as an IP address of a network interface. */
export interface InterfaceAddressInput {
  /** Interface, by name or index. */
  interface: InterfaceInput;
  address: string;
  /** Bits of the address that its network has; all of them unless told. */
  prefixLength?: number | undefined;
  peer?: string | undefined;
  broadcast?: string | undefined;
  /** RT_SCOPE_*: RT_SCOPE_HOST for 127.0.0.0/8, else RT_SCOPE_UNIVERSE unless told. */
  scope?: number | undefined;
  /** IFA_F_NODAD, IFA_F_NOPREFIXROUTE and others, or-ed together. */
  flags?: number | undefined;
  label?: string | undefined;
  /** Milliseconds, counted in seconds by the kernel; `null`, for ever, unless told. */
  validLifetime?: number | null | undefined;
  preferredLifetime?: number | null | undefined;
  priority?: number | undefined;
  protocol?: number | undefined;
  /** Anything else: IFA_*. */
  extra?: Iterable<AttributeInput> | undefined;
}

/** Bytes of a struct ifaddrmsg. */
const HEADER = 8;
const FOREVER = 0xffffffff;

const lifetime = (seconds: number): number | null => (seconds === FOREVER ? null : seconds * 1000);

/** Reads a message about an IP address: RTM_NEWADDR, RTM_DELADDR. `undefined` where it is none. */
export function unpackInterfaceAddress(message: NetlinkMessage, names?: Names): InterfaceAddress | undefined {
  const { type, payload } = message;
  if ((type !== c.RTM_NEWADDR && type !== c.RTM_DELADDR) || payload.length < HEADER) return undefined;
  const [family = 0, prefixLength = 0, lowFlags = 0, scope = 0] = payload;
  const a = unpackAttributes(payload, HEADER);
  const local = readIp(a.bytes(c.IFA_LOCAL));
  const prefix = readIp(a.bytes(c.IFA_ADDRESS));
  const address = local ?? prefix;
  if ((family !== AF_INET && family !== AF_INET6) || address === undefined) return undefined;
  const times = a.bytes(c.IFA_CACHEINFO);
  const known = times !== undefined && times.length >= 8;
  const index = readU32(payload, 4);
  return present<InterfaceAddress>({
    family,
    address,
    prefixLength,
    peer: prefix === address ? undefined : prefix,
    broadcast: readIp(a.bytes(c.IFA_BROADCAST)),
    anycast: readIp(a.bytes(c.IFA_ANYCAST)),
    interface: names?.of(index),
    index,
    scope,
    flags: a.u32(c.IFA_FLAGS) ?? lowFlags,
    label: a.text(c.IFA_LABEL),
    validLifetime: known ? lifetime(readU32(times, 4)) : null,
    preferredLifetime: known ? lifetime(readU32(times, 0)) : null,
    priority: a.u32(c.IFA_RT_PRIORITY),
    protocol: a.u8(c.IFA_PROTO),
    attributes: a,
  });
}

/** Options of `listAddresses`. */
export interface ListAddressesOptions extends NetlinkOptions {
  /** AF_INET or AF_INET6; both unless told. */
  family?: number | undefined;
  /** Only those of this interface, by name or index. */
  interface?: InterfaceInput | undefined;
}

/** Options of `listAddressesSync`. */
export type ListAddressesSyncOptions = Omit<ListAddressesOptions, 'signal'>;

function header(family: number, index: number, prefixLength = 0, scope = 0): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes[0] = family;
  bytes[1] = prefixLength;
  bytes[3] = scope;
  writeU32(bytes, index, 4);
  return bytes;
}

function listing(options: ListAddressesOptions): Listing<InterfaceAddress> {
  const { family = AF_UNSPEC, interface: link } = checkObject('options', options);
  checkFamily('options.family', family);
  let wanted = 0;
  return {
    label: 'RTM_GETADDR',
    request(socket) {
      wanted = link === undefined ? 0 : interfaceIndex('options.interface', link, socket);
      return { type: c.RTM_GETADDR, payload: header(family, wanted) };
    },
    read(message, names) {
      const address = unpackInterfaceAddress(message, names);
      // kernels before 4.20 do not filter
      return wanted !== 0 && address?.index !== wanted ? undefined : address;
    },
  };
}

/** The IP addresses of this network namespace: `ip address`. Source: rtnetlink(7), RTM_GETADDR. */
export async function listAddresses(options: ListAddressesOptions = {}): Promise<InterfaceAddress[]> {
  return list(listing(options), options);
}

/** As `listAddresses`, blocking the thread. */
export function listAddressesSync(options: ListAddressesSyncOptions = {}): InterfaceAddress[] {
  return listSync(listing(options), options);
}

/** Seconds of a lifetime. */
function seconds(argument: string, value: number | null): number {
  // "for ever" must be asked for
  return value === null ? FOREVER : Math.min(Math.ceil(checkMilliseconds(argument, value) / 1000), FOREVER - 1);
}

function body(address: InterfaceAddressInput, socket: Parameters<typeof interfaceIndex>[2]) {
  const { peer, broadcast, label, flags, priority, protocol, extra = [] } = address;
  const { validLifetime = null, preferredLifetime = validLifetime } = address;
  const local = checkIp('address.address', address.address);
  const family = familyOf(local);
  const bits = addressSize(family) * 8;
  const prefixLength = checkInteger('address.prefixLength', address.prefixLength ?? bits, 0, bits);
  const loopback = family === AF_INET && local[0] === 127;
  const scope = address.scope ?? (loopback ? c.RT_SCOPE_HOST : c.RT_SCOPE_UNIVERSE);
  const found = [
    attribute.bytes(c.IFA_LOCAL, local),
    attribute.bytes(c.IFA_ADDRESS, peer === undefined ? local : checkIp('address.peer', peer, family)),
  ];
  if (broadcast !== undefined) {
    found.push(attribute.bytes(c.IFA_BROADCAST, checkIp('address.broadcast', broadcast, family)));
  }
  if (label !== undefined) found.push(attribute.text(c.IFA_LABEL, checkString('address.label', label)));
  if (flags !== undefined) found.push(attribute.u32(c.IFA_FLAGS, checkU32('address.flags', flags)));
  if (priority !== undefined) found.push(attribute.u32(c.IFA_RT_PRIORITY, checkU32('address.priority', priority)));
  if (protocol !== undefined) {
    found.push(attribute.u8(c.IFA_PROTO, checkInteger('address.protocol', protocol, 0, 0xff)));
  }
  if (validLifetime !== null || preferredLifetime !== null) {
    const times = Buffer.alloc(16);
    writeU32(times, seconds('address.validLifetime', validLifetime), 4);
    writeU32(times, seconds('address.preferredLifetime', preferredLifetime), 0);
    found.push(attribute.bytes(c.IFA_CACHEINFO, times));
  }
  const index = interfaceIndex('address.interface', address.interface, socket);
  checkInteger('address.scope', scope, 0, 0xff);
  return { payload: header(family, index, prefixLength, scope), attributes: [...found, ...extra] };
}

function modification(address: InterfaceAddressInput, type: number, label: string, flags: number): Change {
  checkObject('address', address);
  return {
    label,
    about: String(address.address),
    explain: (code) => (code === 'EADDRNOTAVAIL' ? 'the interface does not have this address' : undefined),
    request: (socket) => ({ type, flags, ...body(address, socket) }),
  };
}

const addition = (address: InterfaceAddressInput, options: AddSyncOptions): Change =>
  modification(
    address,
    c.RTM_NEWADDR,
    'RTM_NEWADDR',
    c.NLM_F_CREATE | (options?.replace === true ? c.NLM_F_REPLACE : c.NLM_F_EXCL),
  );

/**
 * Gives an interface an IP address: `ip address add`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EEXIST` where it has it; SocketError `ENODEV` where there is no such interface. Source:
 * rtnetlink(7), RTM_NEWADDR.
 */
export async function addAddress(address: InterfaceAddressInput, options: AddOptions = {}): Promise<void> {
  await change(addition(address, options), options);
}

/** As `addAddress`, blocking the thread. */
export function addAddressSync(address: InterfaceAddressInput, options: AddSyncOptions = {}): void {
  changeSync(addition(address, options), options);
}

const removal = (address: InterfaceAddressInput): Change => modification(address, c.RTM_DELADDR, 'RTM_DELADDR', 0);

/**
 * Takes an IP address from an interface: `ip address delete`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EADDRNOTAVAIL` where it does not have it. Source: rtnetlink(7), RTM_DELADDR.
 */
export async function deleteAddress(address: InterfaceAddressInput, options: NetlinkOptions = {}): Promise<void> {
  await change(removal(address), options);
}

/** As `deleteAddress`, blocking the thread. */
export function deleteAddressSync(address: InterfaceAddressInput, options: NetlinkSyncOptions = {}): void {
  changeSync(removal(address), options);
}

/** An IP address that an interface has got, has changed or has lost. */
export interface AddressChange extends Changed {
  address: InterfaceAddress;
}

/** Changes of IP addresses as they come: `ip monitor address`. Source: rtnetlink(7), RTNLGRP_IPV4_IFADDR. */
export function watchAddresses(options: WatchFamilyOptions = {}): Watcher<AddressChange> {
  return new Watcher<AddressChange>(
    {
      groups: groupsOf(options, c.RTNLGRP_IPV4_IFADDR, c.RTNLGRP_IPV6_IFADDR),
      read({ message, namespaceId }, names) {
        const address = unpackInterfaceAddress(message, names);
        if (address === undefined) return undefined;
        return { event: message.type === c.RTM_DELADDR ? 'delete' : 'update', address, namespaceId };
      },
    },
    options,
  );
}
