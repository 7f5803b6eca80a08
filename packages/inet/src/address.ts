import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  checkInteger,
  checkMembers,
  checkString,
  outOfRange,
  readU32,
  SOCK_DGRAM,
  type SocketInfo,
  writeU32,
} from '@sock/core';
import { getaddrinfo, getaddrinfoSync } from '@sock/core/netdb';
import { abortable } from './abort.js';
import { explain, explainIPv6 } from './explain.js';
import { asciiName } from './hostname.js';
import { formatIPv4, formatIPv6, isIPv4, parseIPv4, parseIPv6 } from './text.js';

/** An IPv4 address and a port. */
export interface InetAddress {
  /** The address as `a.b.c.d`. */
  readonly host: string;
  readonly port: number;
}

/** What is accepted as an IPv4 address and a port. */
export interface InetInput {
  /**
   * An address as `a.b.c.d`; `''` (the default) is any address of this machine, `'<broadcast>'`
   * 255.255.255.255. A name is resolved by the promise and the Sync forms.
   */
  readonly host?: string | undefined;
  /** 0 to 65535, by default 0: for `bind`, a free port of the kernel's choice. */
  readonly port?: number | undefined;
}

/** An IPv6 address and a port. */
export interface Inet6Address extends InetAddress {
  /** The address as RFC 5952 writes it, without its scope. */
  readonly host: string;
  /** Traffic class and flow label, in host byte order. Source: ipv6(7), RFC 3493. */
  readonly flowinfo: number;
  /** Index of the interface that a link-local address belongs to; 0 for the others. */
  readonly scopeid: number;
}

/** An address of either family. Only that of IPv6 has a `scopeid`. */
export type IpAddress = InetAddress | Inet6Address;

/** What is accepted as an IPv6 address and a port. */
export interface Inet6Input extends InetInput {
  /**
   * An address such as `2001:db8::1`, a link-local one also as `fe80::1%eth0` or `fe80::1%2`; `''`
   * (the default) is any address of this machine. A name is resolved by the promise and the Sync forms.
   */
  readonly host?: string | undefined;
  /** Flow label, 0 to 0xfffff, in host byte order; by default 0. */
  readonly flowinfo?: number | undefined;
  /** Index of the interface that a link-local address belongs to; by default 0, or what `host` says behind `%`. */
  readonly scopeid?: number | undefined;
}

/** Bytes of a `struct sockaddr_in`. Source: ip(7). */
const SOCKADDR_IN = 16;
/** Bytes of a `struct sockaddr_in6`. Source: ipv6(7). */
const SOCKADDR_IN6 = 28;

const BROADCAST = '<broadcast>';
const INET_MEMBERS = ['host', 'port'];
const INET6_MEMBERS = [...INET_MEMBERS, 'flowinfo', 'scopeid'];

const NUMERIC_ONLY = '(only the promise and Sync forms resolve names)';

function writePort(port: unknown, into: Uint8Array): void {
  if (typeof port === 'number' && port >= 0 && port <= 0xffff && (port | 0) === port) {
    into[2] = port >> 8;
    into[3] = port & 0xff;
  } else if (port !== undefined) {
    checkInteger('address.port', port, 0, 0xffff);
  }
}

const readPort = (sockaddr: Uint8Array): number => ((sockaddr[2] as number) << 8) | (sockaddr[3] as number);

// the host encoded last and its bytes: a sender mostly has one peer, or the one it just received from
let lastHost = '';
const lastBytes = new Uint8Array(4);

function writeIPv4(host: unknown, into: Uint8Array): void {
  const text = checkString('address.host', host);
  if (text === BROADCAST) {
    into.fill(255, 4, 8);
    return;
  }
  if (!parseIPv4(text, 0, text.length, into, 4)) {
    throw outOfRange('address.host', `a numeric IPv4 address, '' or '${BROADCAST}' ${NUMERIC_ONLY}`, text);
  }
  lastBytes.set(into.subarray(4, 8));
  lastHost = text;
}

/** Writes a `struct sockaddr_in` behind its family field: the bytes used. */
export function encodeInet(input: InetInput, into: Uint8Array): number {
  // one with a host is no address of another family: the check is dear
  if (typeof input !== 'object' || input === null || input.host === undefined)
    checkMembers('address', input, INET_MEMBERS);
  const { host, port } = input;
  writePort(port, into);
  if (host === lastHost) {
    into[4] = lastBytes[0] as number;
    into[5] = lastBytes[1] as number;
    into[6] = lastBytes[2] as number;
    into[7] = lastBytes[3] as number;
  } else if (host !== '' && host !== undefined) {
    writeIPv4(host, into);
  }
  return SOCKADDR_IN;
}

/** Reads a `struct sockaddr_in`. */
export function decodeInet(sockaddr: Uint8Array): InetAddress {
  if (sockaddr.length < 8) throw outOfRange('sockaddr', `${SOCKADDR_IN} bytes`, sockaddr.length);
  return { host: formatIPv4(sockaddr, 4), port: readPort(sockaddr) };
}

let lastHost6 = '';
const lastBytes6 = new Uint8Array(16);

// the scope behind the %, which must not contradict the scopeid beside it
function scopeOf(host: string, percent: number, scopeid: number, socket: Pick<SocketInfo, 'interfaceIndex'>): number {
  const scope = host.slice(percent + 1);
  if (scope === '') throw outOfRange('address.host', "an interface's name or index behind the %", host);
  const index = /^\d+$/.test(scope)
    ? checkInteger('address.host', Number(scope), 0, 0xffffffff)
    : socket.interfaceIndex(scope);
  if (scopeid !== 0 && scopeid !== index) {
    throw outOfRange('address.scopeid', `${index}, the scope that address.host names`, scopeid);
  }
  return index;
}

function writeIPv6(
  host: unknown,
  into: Uint8Array,
  scopeid: number,
  socket: Pick<SocketInfo, 'interfaceIndex'>,
): number {
  const text = checkString('address.host', host);
  const percent = text.indexOf('%');
  const end = percent === -1 ? text.length : percent;
  if (!parseIPv6(text, 0, end, into, 8)) {
    const hint = isIPv4(text) ? ` (IPv4 through an IPv6 socket is ::ffff:${text})` : '';
    throw outOfRange('address.host', `a numeric IPv6 address or '' ${NUMERIC_ONLY}${hint}`, text);
  }
  if (percent !== -1) return scopeOf(text, percent, scopeid, socket);
  lastBytes6.set(into.subarray(8, 24));
  lastHost6 = text;
  return scopeid;
}

/** Writes a `struct sockaddr_in6` behind its family field: the bytes used. */
export function encodeInet6(input: Inet6Input, into: Uint8Array, socket: Pick<SocketInfo, 'interfaceIndex'>): number {
  if (typeof input !== 'object' || input === null || input.host === undefined)
    checkMembers('address', input, INET6_MEMBERS);
  const { host, port, flowinfo = 0, scopeid = 0 } = input;
  writePort(port, into);
  if (flowinfo !== 0) {
    checkInteger('address.flowinfo', flowinfo, 0, 0xfffff);
    into[5] = flowinfo >> 16;
    into[6] = (flowinfo >> 8) & 0xff;
    into[7] = flowinfo & 0xff;
  }
  let scope = scopeid === 0 ? 0 : checkInteger('address.scopeid', scopeid, 0, 0xffffffff);
  if (host === lastHost6) into.set(lastBytes6, 8);
  else if (host !== '' && host !== undefined) scope = writeIPv6(host, into, scope, socket);
  if (scope !== 0) writeU32(into, scope, 24);
  return SOCKADDR_IN6;
}

/** Reads a `struct sockaddr_in6`. */
export function decodeInet6(sockaddr: Uint8Array): Inet6Address {
  if (sockaddr.length < 24) throw outOfRange('sockaddr', `${SOCKADDR_IN6} bytes`, sockaddr.length);
  const flowinfo =
    (((sockaddr[4] as number) << 24) |
      ((sockaddr[5] as number) << 16) |
      ((sockaddr[6] as number) << 8) |
      (sockaddr[7] as number)) >>>
    0;
  return {
    host: formatIPv6(sockaddr, 8),
    port: readPort(sockaddr),
    flowinfo,
    scopeid: sockaddr.length < SOCKADDR_IN6 ? 0 : readU32(sockaddr, 24),
  };
}

// the type only spares duplicates: one socket type is enough, as all have the same addresses
const HINTS = { type: SOCK_DGRAM, protocol: 0, flags: 0 };

// numeric hosts need no resolving; what contains a colon is no name: encode says what is wrong with it
function isName(host: unknown, last: string): host is string {
  if (host === last || host === undefined || host === '' || typeof host !== 'string') return false;
  return host !== BROADCAST && !host.includes(':') && !isIPv4(host);
}

function firstAddress(found: readonly { sockaddr: Uint8Array }[], domain: number): IpAddress {
  const sockaddr = found[0]?.sockaddr as Uint8Array;
  return domain === AF_INET6 ? decodeInet6(sockaddr) : decodeInet(sockaddr);
}

function resolved<Input extends Inet6Input>(input: Input, address: IpAddress): Input {
  const { host } = address;
  // a name may stand for a link-local address, whose scope the resolver knows
  return 'scopeid' in address && address.scopeid !== 0 && !input.scopeid
    ? { ...input, host, scopeid: address.scopeid }
    : { ...input, host };
}

function nameOf(host: string): string {
  return asciiName('address.host', checkString('address.host', host));
}

function resolver<Input extends Inet6Input>(domain: number, lastEncoded: () => string) {
  return {
    resolve(
      input: Input,
      _socket: SocketInfo,
      { signal }: { signal?: AbortSignal | undefined },
    ): Input | Promise<Input> {
      const host: unknown = input?.host;
      if (!isName(host, lastEncoded())) return input;
      const found = getaddrinfo(nameOf(host), null, { family: domain, ...HINTS });
      return abortable(found, signal).then((addresses) => resolved(input, firstAddress(addresses, domain)));
    },
    resolveSync(input: Input): Input {
      const host: unknown = input?.host;
      if (!isName(host, lastEncoded())) return input;
      return resolved(input, firstAddress(getaddrinfoSync(nameOf(host), null, { family: domain, ...HINTS }), domain));
    },
  };
}

function format({ host, port }: InetAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** IPv4: `new Socket(inet, SOCK_DGRAM)`. Source: ip(7). */
export const inet: AddressFamily<InetAddress, InetInput> = {
  name: 'inet',
  domain: AF_INET,
  encode: encodeInet,
  decode: decodeInet,
  ...resolver<InetInput>(AF_INET, () => lastHost),
  format,
  explain,
};

/** IPv6: `new Socket(inet6, SOCK_DGRAM)`. Source: ipv6(7). */
export const inet6: AddressFamily<Inet6Address, Inet6Input> = {
  name: 'inet6',
  domain: AF_INET6,
  encode: encodeInet6,
  decode: decodeInet6,
  ...resolver<Inet6Input>(AF_INET6, () => lastHost6),
  format: ({ host, port, scopeid }) => `[${host}${scopeid ? `%${scopeid}` : ''}]:${port}`,
  explain: explainIPv6,
};
