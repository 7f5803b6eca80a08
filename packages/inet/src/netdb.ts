import {
  AF_INET,
  AF_INET6,
  checkInteger,
  checkObject,
  checkString,
  if_nametoindex,
  invalidArgumentType,
  outOfRange,
  SocketError,
  writeU16,
} from '@sock/core';
import * as database from '@sock/core/netdb';
import { abortable } from './abort.js';
import {
  decodeInet,
  decodeInet6,
  encodeInet,
  encodeInet6,
  type Inet6Input,
  type InetInput,
  type IpAddress,
} from './address.js';
import { AI_IDN } from './constants.gen.js';
import { asciiName } from './hostname.js';
import { formatIPv4, formatIPv6, isIPv4, isIPv6, parseIPv4, parseIPv6 } from './text.js';

/** What a look-up that may wait can be told. */
export interface LookupOptions {
  /** Ends the waiting, with the signal's reason; the look-up itself goes on unseen. */
  signal?: AbortSignal | undefined;
}

/** What narrows `getaddrinfo` down. */
export interface AddressInfoOptions extends LookupOptions {
  /** AF_INET, AF_INET6 or, unless told, 0 for both. */
  family?: number | undefined;
  /** SOCK_*; 0 for all unless told. */
  type?: number | undefined;
  /** IPPROTO_*; 0 for all unless told. */
  protocol?: number | undefined;
  /** AI_* values or-ed together; 0 unless told. */
  flags?: number | undefined;
}

/** One way to reach a service: the arguments of a socket, and its address. */
export interface AddressInfo {
  /** AF_INET or AF_INET6. */
  family: number;
  /** SOCK_* */
  type: number;
  /** IPPROTO_* */
  protocol: number;
  /** The official name of the host, in the first with AI_CANONNAME; else `null`. */
  canonicalName: string | null;
  address: IpAddress;
}

interface Query {
  host: string | null;
  service: string | null;
  hints: { family: number; type: number; protocol: number; flags: number };
}

const INT_MAX = 0x7fffffff;

function checkSignal(options: LookupOptions): AbortSignal | undefined {
  const { signal } = checkObject('options', options);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgumentType('options.signal', 'an AbortSignal', signal);
  }
  signal?.throwIfAborted();
  return signal;
}

function checkQuery(host: string | null, service: string | number | null, options: AddressInfoOptions): Query {
  const { family = 0, type = 0, protocol = 0, flags = 0 } = checkObject('options', options);
  checkInteger('options.family', family, 0, 0xffff);
  checkInteger('options.type', type, 0, INT_MAX);
  checkInteger('options.protocol', protocol, 0, INT_MAX);
  checkInteger('options.flags', flags, 0, INT_MAX);
  let name: string | null = null;
  if (host !== null) {
    name = checkString('host', host);
    if ((flags & AI_IDN) === 0) name = asciiName('host', name);
  }
  let port: string | null = null;
  if (typeof service === 'number') port = String(checkInteger('service', service, 0, 0xffff));
  else if (service !== null) port = checkString('service', service);
  return { host: name, service: port, hints: { family, type, protocol, flags } };
}

function addressInfos(found: readonly database.RawAddressInfo[]): AddressInfo[] {
  const list: AddressInfo[] = [];
  for (const { family, type, protocol, canonicalName, sockaddr } of found) {
    if (family === AF_INET) list.push({ family, type, protocol, canonicalName, address: decodeInet(sockaddr) });
    else if (family === AF_INET6) list.push({ family, type, protocol, canonicalName, address: decodeInet6(sockaddr) });
  }
  return list;
}

/**
 * The addresses of a host and a service, in the order to try them (RFC 6724).
 * @param host a name, an address, or `null` for this machine: any address with AI_PASSIVE, else the loopback
 * @param service a name, a port, or `null` for port 0
 * @throws AddressInfoError `EAI_NONAME`, `EAI_AGAIN`, `EAI_SERVICE`, … Source: getaddrinfo(3).
 */
export async function getaddrinfo(
  host: string | null,
  service: string | number | null = null,
  options: AddressInfoOptions = {},
): Promise<AddressInfo[]> {
  const query = checkQuery(host, service, options);
  const signal = checkSignal(options);
  return addressInfos(await abortable(database.getaddrinfo(query.host, query.service, query.hints), signal));
}

/** As `getaddrinfo`, blocking the thread. */
export function getaddrinfoSync(
  host: string | null,
  service: string | number | null = null,
  options: Omit<AddressInfoOptions, 'signal'> = {},
): AddressInfo[] {
  const query = checkQuery(host, service, options);
  return addressInfos(database.getaddrinfoSync(query.host, query.service, query.hints));
}

const interfaces = { interfaceIndex: if_nametoindex };

// without a socket it is the host that says which family the address is of
function sockaddrOf(address: InetInput | Inet6Input): Uint8Array {
  const host: unknown = checkObject('address', address).host;
  if (typeof host === 'string' && host !== '' && host !== '<broadcast>' && !isIPv4(host) && !isIPv6(host)) {
    throw outOfRange('address.host', 'a numeric address', host);
  }
  const ipv6 = typeof host === 'string' && host.includes(':');
  const sockaddr = new Uint8Array(28);
  writeU16(sockaddr, ipv6 ? AF_INET6 : AF_INET, 0);
  return sockaddr.subarray(0, ipv6 ? encodeInet6(address, sockaddr, interfaces) : encodeInet(address, sockaddr));
}

/** The names of a host and of a service. */
export interface NameInfo {
  host: string;
  service: string;
}

/**
 * The names of an address and its port; where there are none, their numbers.
 * @param flags NI_* values or-ed together
 * @throws AddressInfoError `EAI_NONAME` with NI_NAMEREQD, `EAI_AGAIN`, … Source: getnameinfo(3).
 */
export async function getnameinfo(
  address: InetInput | Inet6Input,
  flags = 0,
  options: LookupOptions = {},
): Promise<NameInfo> {
  const sockaddr = sockaddrOf(address);
  checkInteger('flags', flags, 0, INT_MAX);
  const signal = checkSignal(options);
  return abortable(database.getnameinfo(sockaddr, flags), signal);
}

/** As `getnameinfo`, blocking the thread. */
export function getnameinfoSync(address: InetInput | Inet6Input, flags = 0): NameInfo {
  return database.getnameinfoSync(sockaddrOf(address), checkInteger('flags', flags, 0, INT_MAX));
}

// what needs no database, as an address of a socket needs none
function withoutLookup(name: string): string | undefined {
  if (name === '') return '0.0.0.0';
  if (name === '<broadcast>') return '255.255.255.255';
  return isIPv4(name) ? name : undefined;
}

/**
 * The first IPv4 address of a host.
 * @throws AddressInfoError `EAI_NONAME`, … Source: gethostbyname(3).
 */
export async function gethostbyname(name: string, options: LookupOptions = {}): Promise<string> {
  const known = withoutLookup(checkString('name', name));
  if (known !== undefined) return known;
  const [first] = await getaddrinfo(name, null, { family: AF_INET, signal: options.signal });
  return (first as AddressInfo).address.host;
}

/** As `gethostbyname`, blocking the thread. */
export function gethostbynameSync(name: string): string {
  const known = withoutLookup(checkString('name', name));
  if (known !== undefined) return known;
  const [first] = getaddrinfoSync(name, null, { family: AF_INET });
  return (first as AddressInfo).address.host;
}

/** What the host database knows of a host. */
export interface HostInfo {
  /** The official name. */
  name: string;
  aliases: string[];
  addresses: string[];
}

function hostInfo({ name, aliases, addresses }: database.RawHost): HostInfo {
  const texts = addresses.map((bytes) => (bytes.length === 4 ? formatIPv4(bytes, 0) : formatIPv6(bytes, 0)));
  return { name, aliases, addresses: texts };
}

/**
 * The official name, the other names and the IPv4 addresses of a host.
 * @throws HostError `HOST_NOT_FOUND`, `TRY_AGAIN`, … Source: gethostbyname(3).
 */
export async function gethostbyname_ex(name: string, options: LookupOptions = {}): Promise<HostInfo> {
  const ascii = asciiName('name', checkString('name', name));
  const signal = checkSignal(options);
  return hostInfo(await abortable(database.gethostbyname(ascii, AF_INET), signal));
}

/** As `gethostbyname_ex`, blocking the thread. */
export function gethostbyname_exSync(name: string): HostInfo {
  return hostInfo(database.gethostbynameSync(asciiName('name', checkString('name', name)), AF_INET));
}

function packed(address: string): { bytes: Uint8Array; family: number } | undefined {
  const ipv4 = new Uint8Array(4);
  if (parseIPv4(address, 0, address.length, ipv4, 0)) return { bytes: ipv4, family: AF_INET };
  const percent = address.indexOf('%');
  const ipv6 = new Uint8Array(16);
  const end = percent === -1 ? address.length : percent;
  return parseIPv6(address, 0, end, ipv6, 0) ? { bytes: ipv6, family: AF_INET6 } : undefined;
}

/**
 * The official name, the other names and the addresses of the host that has an address; a name is
 * resolved first.
 * @throws HostError `HOST_NOT_FOUND`, …; AddressInfoError. Source: gethostbyaddr(3).
 */
export async function gethostbyaddr(address: string, options: LookupOptions = {}): Promise<HostInfo> {
  let found = packed(checkString('address', address));
  if (found === undefined) {
    const [first] = await getaddrinfo(address, null, { signal: options.signal });
    found = packed((first as AddressInfo).address.host) as { bytes: Uint8Array; family: number };
  }
  const signal = checkSignal(options);
  return hostInfo(await abortable(database.gethostbyaddr(found.bytes, found.family), signal));
}

/** As `gethostbyaddr`, blocking the thread. */
export function gethostbyaddrSync(address: string): HostInfo {
  let found = packed(checkString('address', address));
  if (found === undefined) {
    const [first] = getaddrinfoSync(address);
    found = packed((first as AddressInfo).address.host) as { bytes: Uint8Array; family: number };
  }
  return hostInfo(database.gethostbyaddrSync(found.bytes, found.family));
}

const ANY = ['', '0.0.0.0', '::'];

function qualified(asked: string, { name, aliases }: HostInfo): string {
  return [name, ...aliases].find((candidate) => candidate.includes('.')) ?? (name || asked);
}

function askedName(name: string): string {
  const asked = checkString('name', name).trim();
  return ANY.includes(asked) ? database.gethostname() : asked;
}

/**
 * The fully qualified name of a host, unless told of this machine: the first of its names with a
 * dot in it. What cannot be looked up is given back as it is.
 */
export async function getfqdn(name = '', options: LookupOptions = {}): Promise<string> {
  const asked = askedName(name);
  try {
    return qualified(asked, await gethostbyaddr(asked, options));
  } catch (error) {
    if (error instanceof SocketError) return asked;
    throw error;
  }
}

/** As `getfqdn`, blocking the thread. */
export function getfqdnSync(name = ''): string {
  const asked = askedName(name);
  try {
    return qualified(asked, gethostbyaddrSync(asked));
  } catch (error) {
    if (error instanceof SocketError) return asked;
    throw error;
  }
}

/** The name of this machine. Source: gethostname(2). */
export function gethostname(): string {
  return database.gethostname();
}

/** Names this machine. @throws SocketError `EPERM` without CAP_SYS_ADMIN, `EINVAL`. Source: sethostname(2). */
export function sethostname(name: string): void {
  database.sethostname(checkString('name', name));
}

function notFound(syscall: string, what: string): SocketError {
  return new SocketError(`${syscall} ENOENT: ${what}`, { code: 'ENOENT', errno: -2, syscall });
}

const forProtocol = (protocol: string | null): string => (protocol === null ? '' : ` for ${protocol}`);

/**
 * The port of a service, such as `http`.
 * @param protocol `tcp` or `udp`; any unless told
 * @throws SocketError `ENOENT` where there is none. Source: getservbyname(3).
 */
export function getservbyname(name: string, protocol: string | null = null): number {
  const found = database.getservbyname(checkString('name', name), protocol);
  if (found === null) throw notFound('getservbyname', `there is no service ${name}${forProtocol(protocol)}`);
  return found.port;
}

/**
 * The service of a port, such as `http` for 80.
 * @param protocol `tcp` or `udp`; any unless told
 * @throws SocketError `ENOENT` where there is none. Source: getservbyport(3).
 */
export function getservbyport(port: number, protocol: string | null = null): string {
  const found = database.getservbyport(checkInteger('port', port, 0, 0xffff), protocol);
  if (found === null) throw notFound('getservbyport', `there is no service on port ${port}${forProtocol(protocol)}`);
  return found.name;
}

/**
 * The number of a protocol, such as `icmp`.
 * @throws SocketError `ENOENT` where there is none. Source: getprotobyname(3).
 */
export function getprotobyname(name: string): number {
  const found = database.getprotobyname(checkString('name', name));
  if (found === null) throw notFound('getprotobyname', `there is no protocol ${name}`);
  return found.number;
}
