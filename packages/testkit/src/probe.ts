import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import * as core from '@sock/core';
import {
  type AddressFamily,
  AF_VSOCK,
  EncodedAddress,
  SOCK_DCCP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  writeU16,
  writeU32,
} from '@sock/core';

/** Something that a kernel or a machine may lack. */
export interface Capability {
  /** As SOCK_REQUIRE lists it, such as `AF_CAN`. */
  readonly name: string;
  /** What to do to have it, such as `modprobe can_raw`. */
  readonly remedy: string;
  /** Version of Linux that has it first, such as `6.5`: an older kernel need not have it. */
  readonly since?: string | undefined;
  /** Why it is missing, `undefined` where it is there. Probed once. */
  missing(): string | undefined;
}

/**
 * Describes a capability.
 * @param options.probe throws, or gives false, where the capability is missing
 */
export function capability(options: {
  name: string;
  remedy: string;
  since?: string;
  probe: () => unknown;
}): Capability {
  const { name, remedy, since, probe } = options;
  let probed = false;
  let reason: string | undefined;
  return {
    name,
    remedy,
    since,
    missing() {
      if (!probed) {
        probed = true;
        try {
          if (probe() === false) reason = 'not available';
        } catch (error) {
          reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : String(error);
        }
      }
      return reason;
    },
  };
}

/** A family without addresses: enough to open a socket of any domain. */
function bareFamily(name: string, domain: number): AddressFamily<never> {
  return {
    name,
    domain,
    encode() {
      throw new TypeError(`${name} is only probed`);
    },
    decode() {
      throw new TypeError(`${name} is only probed`);
    },
    format: () => name,
  };
}

/** Opens a socket and closes it. @throws SocketError where the kernel does not let us. */
export function openSocket(domain: number, type: number, protocol = 0): void {
  new Socket(bareFamily(`domain ${domain}`, domain), type, protocol).close();
}

/** Whether a socket of this family, type and protocol can be opened. Source: socket(2). */
export function hasFamily(domain: number, type: number, protocol = 0): boolean {
  try {
    openSocket(domain, type, protocol);
    return true;
  } catch {
    return false;
  }
}

/** The capability to open a socket of this family, type and protocol. */
export function familyCapability(options: {
  name: string;
  remedy: string;
  domain: number | undefined;
  type: number;
  protocol?: number | undefined;
}): Capability {
  const { name, remedy, domain, type, protocol = 0 } = options;
  return capability({
    name,
    remedy,
    probe() {
      if (domain === undefined) throw new Error(`this platform has no ${name}`);
      openSocket(domain, type, protocol);
    },
  });
}

/** Socket type to probe each family with, the remedy where it is missing, and a protocol where there is none of number 0. */
const FAMILIES: Readonly<Record<string, readonly [type: number, remedy: string, protocol?: number]>> = {
  AF_UNIX: [SOCK_STREAM, 'modprobe unix'],
  AF_INET: [SOCK_DGRAM, 'use a kernel with CONFIG_INET'],
  AF_INET6: [SOCK_DGRAM, 'modprobe ipv6, and do not boot with ipv6.disable=1'],
  AF_NETLINK: [SOCK_RAW, 'use a kernel with CONFIG_NET'],
  AF_PACKET: [SOCK_RAW, 'modprobe af_packet, and run with CAP_NET_RAW'],
  AF_CAN: [SOCK_RAW, 'modprobe can_raw', 1],
  AF_BLUETOOTH: [SOCK_SEQPACKET, 'modprobe bluetooth'],
  AF_ALG: [SOCK_SEQPACKET, 'modprobe algif_hash'],
  AF_TIPC: [SOCK_STREAM, 'modprobe tipc'],
  AF_VSOCK: [SOCK_STREAM, 'modprobe vsock_loopback'],
  AF_RDS: [SOCK_SEQPACKET, 'modprobe rds_tcp'],
  AF_QIPCRTR: [SOCK_DGRAM, 'modprobe qrtr'],
};

/** Protocols that have a module of their own: the number, the type of socket to probe with, and the remedy. */
const PROTOCOLS: Readonly<Record<string, readonly [protocol: number, type: number, remedy: string]>> = {
  IPPROTO_SCTP: [132, SOCK_STREAM, 'modprobe sctp'],
  IPPROTO_DCCP: [33, SOCK_DCCP, 'modprobe dccp_ipv4, on a Linux before 6.16'],
};

/** The loopback of AF_VSOCK, which a kernel with the family need not have. */
const vsockLoopback = capability({
  name: 'vsock-loopback',
  remedy: 'modprobe vsock_loopback',
  probe() {
    // a struct sockaddr_vm: CID 1, any port
    const sockaddr = new Uint8Array(16);
    writeU16(sockaddr, AF_VSOCK, 0);
    writeU32(sockaddr, 0xffffffff, 4);
    writeU32(sockaddr, 1, 8);
    using socket = new Socket(bareFamily('vsock', AF_VSOCK), SOCK_STREAM);
    socket.bindSync(new EncodedAddress(sockaddr));
  },
});

const known = new Map<string, Capability>([[vsockLoopback.name, vsockLoopback]]);

/**
 * The capability of a name: an address family (`AF_CAN`), a protocol over IPv4 (`IPPROTO_SCTP`), `vsock-loopback`,
 * `root`, or a command (`command:socat`).
 * What needs more than that is described with `capability` or `familyCapability`.
 */
export function probe(name: string): Capability {
  const cached = known.get(name);
  if (cached !== undefined) return cached;
  const made = make(name);
  known.set(name, made);
  return made;
}

function make(name: string): Capability {
  if (name === 'root') {
    return capability({ name, remedy: 'run as root', probe: () => process.getuid?.() === 0 });
  }
  if (name.startsWith('command:')) {
    const command = name.slice('command:'.length);
    return capability({
      name,
      remedy: `apt-get install ${command}`,
      probe() {
        try {
          execFileSync('sh', ['-c', 'command -v "$1"', 'sh', command], { stdio: 'ignore' });
        } catch {
          throw new Error(`there is no ${command}`);
        }
      },
    });
  }
  const over = PROTOCOLS[name];
  if (over !== undefined) {
    const [protocol, type, remedy] = over;
    return familyCapability({ name, remedy, domain: core.AF_INET, type, protocol });
  }
  const family = FAMILIES[name];
  if (family === undefined) throw new RangeError(`no capability of the name ${name} is known`);
  const domain = (core as unknown as Record<string, number | undefined>)[name];
  const [type, remedy, protocol] = family;
  return familyCapability({ name, remedy, domain, type, protocol });
}

/** Capabilities, by name or described. */
export type Capabilities = string | Capability | readonly (string | Capability)[];

function list(capabilities: Capabilities): Capability[] {
  const items = typeof capabilities === 'string' || 'name' in capabilities ? [capabilities] : capabilities;
  return items.map((item) => (typeof item === 'string' ? probe(item) : item));
}

/** Whether SOCK_REQUIRE (`all`, or names separated by commas) makes a missing capability a failure. */
export function isRequired(name: string): boolean {
  const required = (process.env.SOCK_REQUIRE ?? '').split(',').map((item) => item.trim());
  return required.includes('all') || required.includes(name);
}

/** Whether this kernel is older than a version of Linux. */
export function olderThan(version: string): boolean {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

interface Verdict {
  /** What is missing, with the remedy, `undefined` where nothing is. */
  text: string | undefined;
  required: boolean;
}

function judge(capabilities: Capabilities): Verdict {
  const texts: string[] = [];
  let required = false;
  for (const item of list(capabilities)) {
    const reason = item.missing();
    if (reason === undefined) continue;
    const { name, since, remedy } = item;
    if (since !== undefined && olderThan(since)) {
      texts.push(`needs ${name}, of Linux ${since} or newer`);
      continue;
    }
    texts.push(`needs ${name}: ${reason}; remedy: ${remedy}`);
    required ||= isRequired(name);
  }
  return { text: texts.length === 0 ? undefined : texts.join('; '), required };
}

/**
 * `describe` for tests that need capabilities. Where one is missing the tests are reported as
 * pending, with the remedy in the title; where SOCK_REQUIRE asks for it, that is a failure.
 */
export function describeIf(capabilities: Capabilities, title: string, body: (this: Mocha.Suite) => void): void {
  const { text, required } = judge(capabilities);
  if (text === undefined) describe(title, body);
  else if (required) describe(title, () => failing(text));
  else describe.skip(`${title} [not run: ${text}]`, body);
}

/** `it` for a test that needs capabilities, as `describeIf`. */
export function itIf(capabilities: Capabilities, title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  const { text, required } = judge(capabilities);
  if (text === undefined) it(title, body as Mocha.AsyncFunc);
  else if (required) failing(text, title);
  else it(`${title} [not run: ${text}]`);
}

function failing(text: string, title = 'has what SOCK_REQUIRE asks for'): void {
  it(title, () => {
    throw new Error(text);
  });
}
