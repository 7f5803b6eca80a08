import { checkString, invalidArgumentType } from './arguments.js';
import { errnoName } from './errno.js';
import { AddressInfoError, HostError, SocketError } from './errors.js';
import { type LookupFailure, native, type RawAddressInfo, type RawHost } from './native.js';

export type { RawAddressInfo, RawHost } from './native.js';

/** What narrows a look-up down. Source: getaddrinfo(3). */
export interface AddressInfoHints {
  family?: number;
  type?: number;
  protocol?: number;
  flags?: number;
}

/** Names of the errors of getaddrinfo(3). */
const EAI: Readonly<Record<number, string>> = {
  [-1]: 'EAI_BADFLAGS',
  [-2]: 'EAI_NONAME',
  [-3]: 'EAI_AGAIN',
  [-4]: 'EAI_FAIL',
  [-5]: 'EAI_NODATA',
  [-6]: 'EAI_FAMILY',
  [-7]: 'EAI_SOCKTYPE',
  [-8]: 'EAI_SERVICE',
  [-9]: 'EAI_ADDRFAMILY',
  [-10]: 'EAI_MEMORY',
  [-11]: 'EAI_SYSTEM',
  [-12]: 'EAI_OVERFLOW',
};

/** Names of h_errno. Source: gethostbyname(3). */
const H_ERRNO: Readonly<Record<number, string>> = {
  1: 'HOST_NOT_FOUND',
  2: 'TRY_AGAIN',
  3: 'NO_RECOVERY',
  4: 'NO_DATA',
};

const isFailure = (outcome: unknown): outcome is LookupFailure =>
  typeof outcome === 'object' && outcome !== null && 'error' in outcome;

function addressInfo<T extends object>(syscall: string, what: string, outcome: T | LookupFailure): T {
  if (!isFailure(outcome)) return outcome;
  const [status, errno, text] = outcome.error;
  if (errno !== 0) {
    const code = errnoName(-errno);
    throw new SocketError(`${syscall} ${code} ${what}`, { code, errno, syscall });
  }
  const code = EAI[status] ?? `EAI_${status}`;
  throw new AddressInfoError(`${syscall} ${code} ${what}: ${text}`, { code, errno: status, syscall });
}

function host(syscall: string, what: string, outcome: RawHost | LookupFailure): RawHost {
  if (!isFailure(outcome)) return outcome;
  const [status, text] = outcome.error as unknown as [number, string];
  const code = H_ERRNO[status] ?? `H_ERRNO_${status}`;
  throw new HostError(`${syscall} ${code} ${what}: ${text}`, { code, errno: status, syscall });
}

const describe = (node: string | null, service: string | null): string =>
  [node ?? '*', service].filter((part) => part !== null).join(':');

const query = (
  node: string | null,
  service: string | null,
  { family = 0, type = 0, protocol = 0, flags = 0 }: AddressInfoHints,
  blocking: 0 | 1,
): ReturnType<typeof native.getaddrinfo> => {
  if (node !== null) checkString('host', node);
  if (service !== null) checkString('service', service);
  return native.getaddrinfo(node, service, family, type, protocol, flags, blocking);
};

/** getaddrinfo(3) on a thread of its own. @throws AddressInfoError */
export async function getaddrinfo(
  node: string | null,
  service: string | null,
  hints: AddressInfoHints = {},
): Promise<RawAddressInfo[]> {
  return addressInfo('getaddrinfo', describe(node, service), await query(node, service, hints, 0));
}

/** getaddrinfo(3) on this thread. @throws AddressInfoError */
export function getaddrinfoSync(
  node: string | null,
  service: string | null,
  hints: AddressInfoHints = {},
): RawAddressInfo[] {
  const outcome = query(node, service, hints, 1) as RawAddressInfo[] | LookupFailure;
  return addressInfo('getaddrinfo', describe(node, service), outcome);
}

/** The names of an address and of its port. */
export interface NameInfo {
  host: string;
  service: string;
}

function checkBytes(argument: string, bytes: unknown): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType(argument, 'a Uint8Array', bytes);
  return bytes;
}

/** getnameinfo(3) on a thread of its own. @throws AddressInfoError */
export async function getnameinfo(sockaddr: Uint8Array, flags = 0): Promise<NameInfo> {
  return addressInfo('getnameinfo', '', await native.getnameinfo(checkBytes('sockaddr', sockaddr), flags, 0));
}

/** getnameinfo(3) on this thread. @throws AddressInfoError */
export function getnameinfoSync(sockaddr: Uint8Array, flags = 0): NameInfo {
  const outcome = native.getnameinfo(checkBytes('sockaddr', sockaddr), flags, 1);
  return addressInfo('getnameinfo', '', outcome as NameInfo | LookupFailure);
}

/** gethostbyname2(3) on a thread of its own. @throws HostError */
export async function gethostbyname(name: string, family: number): Promise<RawHost> {
  return host('gethostbyname', name, await native.gethostbyname(checkString('name', name), family, 0));
}

/** gethostbyname2(3) on this thread. @throws HostError */
export function gethostbynameSync(name: string, family: number): RawHost {
  const outcome = native.gethostbyname(checkString('name', name), family, 1);
  return host('gethostbyname', name, outcome as RawHost | LookupFailure);
}

/** gethostbyaddr(3) on a thread of its own. @throws HostError */
export async function gethostbyaddr(address: Uint8Array, family: number): Promise<RawHost> {
  return host('gethostbyaddr', '', await native.gethostbyaddr(checkBytes('address', address), family, 0));
}

/** gethostbyaddr(3) on this thread. @throws HostError */
export function gethostbyaddrSync(address: Uint8Array, family: number): RawHost {
  const outcome = native.gethostbyaddr(checkBytes('address', address), family, 1);
  return host('gethostbyaddr', '', outcome as RawHost | LookupFailure);
}

/** An entry of the services database. Source: services(5). */
export interface ServiceEntry {
  name: string;
  port: number;
  protocol: string;
}

/** getservbyname(3): `null` where there is none. */
export function getservbyname(name: string, protocol: string | null): ServiceEntry | null {
  return native.getservbyname(checkString('name', name), protocol === null ? null : checkString('protocol', protocol));
}

/** getservbyport(3): `null` where there is none. The port is in host order. */
export function getservbyport(port: number, protocol: string | null): ServiceEntry | null {
  return native.getservbyport(port, protocol === null ? null : checkString('protocol', protocol));
}

/** getprotobyname(3): `null` where there is none. */
export function getprotobyname(name: string): { name: string; number: number } | null {
  return native.getprotobyname(checkString('name', name));
}

function local(syscall: string, errno: number): SocketError {
  const code = errnoName(-errno);
  return new SocketError(`${syscall} ${code}`, { code, errno, syscall });
}

/** gethostname(2). */
export function gethostname(): string {
  const name = native.gethostname();
  if (typeof name === 'number') throw local('gethostname', name);
  return name;
}

/** sethostname(2). @throws SocketError `EPERM` without CAP_SYS_ADMIN */
export function sethostname(name: string): void {
  const status = native.sethostname(checkString('name', name));
  if (status < 0) throw local('sethostname', status);
}
