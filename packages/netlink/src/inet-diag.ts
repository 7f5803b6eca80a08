import {
  AF_INET,
  AF_INET6,
  checkInteger,
  checkObject,
  invalidArgumentType,
  type MemoryInfo,
  outOfRange,
  readU16BE,
  readU32,
  readU64,
  writeU32,
} from '@sock/core';
import { type AttributeInput, type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { addressSize, formatIp } from './ip.js';
import type { NetlinkMessage } from './message.js';
import { type Listing, list, listSync, type Names, type NetlinkOptions } from './operation.js';
import { present } from './structures.js';

/** States, by the kernel's number. Source: tcp(7), netinet/tcp.h. */
const STATES = [
  'unknown',
  'established',
  'syn-sent',
  'syn-received',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'closed',
  'close-wait',
  'last-ack',
  'listening',
  'closing',
  'new-syn-received',
] as const;

/** State of a connection; sockets without connections are `closed`, or `established` with a peer. */
export type SocketState = (typeof STATES)[number];

/** The state of a number. */
export const stateOf = (number: number): SocketState => STATES[number] ?? 'unknown';

/** States as bits, as the kernel takes them. */
export function stateBits(argument: string, states: readonly SocketState[] | undefined): number {
  if (states === undefined) return 0xffffffff;
  if (!Array.isArray(states)) throw invalidArgumentType(argument, 'an array of states', states);
  return states.reduce((bits, state, i) => {
    const number = STATES.indexOf(state);
    if (number < 1) throw outOfRange(`${argument}[${i}]`, `one of ${STATES.slice(1).join(', ')}`, state);
    return bits | (1 << number);
  }, 0);
}

/** An end of a connection. */
export interface InetEndpoint {
  host: string;
  port: number;
}

const TIMERS = ['off', 'retransmit', 'keepalive', 'timewait', 'probe'] as const;

/** What a connection waits for. */
export interface SocketTimer {
  kind: (typeof TIMERS)[number] | 'unknown';
  /** Milliseconds that are left. */
  expires: number;
  /** How often it was sent again. */
  retransmits: number;
}

/**
 * A socket of AF_INET or AF_INET6, of any program. Members that the kernel says nothing of are left out. Source:
 * sock_diag(7).
 */
export interface InetSocket {
  /** AF_INET or AF_INET6. */
  family: number;
  /** IPPROTO_*. */
  protocol: number;
  state: SocketState;
  local: InetEndpoint;
  peer: InetEndpoint;
  /** Name of the interface that it is bound to. */
  interface?: string;
  /** Index of the interface that it is bound to, 0 for none. */
  index: number;
  /** Bytes that were not read yet; of a listener, connections that were not accepted yet. */
  receiveQueue: number;
  /** Bytes that were not acknowledged yet; of a listener, connections that may wait. */
  sendQueue: number;
  /** User that it belongs to. */
  uid: number;
  /** Number of its inode, as in `/proc/…/fd`; 0 where it belongs to no program any more. */
  inode: number;
  /** Number of its own, unique while the system runs: SO_COOKIE. */
  cookie: bigint;
  timer: SocketTimer;
  memory?: MemoryInfo;
  /** The bytes of a struct tcp_info; TCP_INFO of the package for internet sockets reads them. */
  tcpInfo?: Buffer;
  /** Name of the congestion control. */
  congestion?: string;
  tos?: number;
  trafficClass?: number;
  /** Directions that are shut down: 1 receiving, 2 sending. */
  shutdown?: number;
  /** Whether it is for IPv6 only. */
  v6Only?: boolean;
  /** SO_MARK; told with CAP_NET_ADMIN. */
  mark?: number;
  /** Number of its control group. */
  cgroup?: bigint;
  /** All that the kernel says besides: INET_DIAG_*. */
  attributes: Attributes;
}

/** Bytes of a struct inet_diag_req_v2 and of a struct inet_diag_msg. */
const REQUEST_SIZE = 56;
const MESSAGE_SIZE = 72;

/** Reads SK_MEMINFO_*, of which older kernels have fewer. */
export function readMemory(bytes: Buffer | undefined): MemoryInfo | undefined {
  if (bytes === undefined || bytes.length < 32) return undefined;
  return {
    receiveAllocated: readU32(bytes, 0),
    receiveBuffer: readU32(bytes, 4),
    sendAllocated: readU32(bytes, 8),
    sendBuffer: readU32(bytes, 12),
    forwardAllocated: readU32(bytes, 16),
    sendQueued: readU32(bytes, 20),
    optionMemory: readU32(bytes, 24),
    backlog: readU32(bytes, 28),
    drops: bytes.length >= 36 ? readU32(bytes, 32) : 0,
  };
}

/** Reads a message about a socket of AF_INET or AF_INET6. `undefined` where it is none. */
export function unpackInetSocket(message: NetlinkMessage, protocol: number, names?: Names): InetSocket | undefined {
  const { type, payload } = message;
  if (type !== c.SOCK_DIAG_BY_FAMILY || payload.length < MESSAGE_SIZE) return undefined;
  const [family = 0, state = 0, timer = 0, retransmits = 0] = payload;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const size = addressSize(family);
  const index = readU32(payload, 40);
  const a = unpackAttributes(payload, MESSAGE_SIZE);
  const v6Only = a.u8(c.INET_DIAG_SKV6ONLY);
  return present<InetSocket>({
    family,
    protocol: a.u8(c.INET_DIAG_PROTOCOL) ?? protocol,
    state: stateOf(state),
    local: { host: formatIp(payload.subarray(8, 8 + size)), port: readU16BE(payload, 4) },
    peer: { host: formatIp(payload.subarray(24, 24 + size)), port: readU16BE(payload, 6) },
    interface: names?.of(index),
    index,
    receiveQueue: readU32(payload, 56),
    sendQueue: readU32(payload, 60),
    uid: readU32(payload, 64),
    inode: readU32(payload, 68),
    cookie: readU64(payload, 44),
    timer: { kind: TIMERS[timer] ?? 'unknown', expires: readU32(payload, 52), retransmits },
    memory: readMemory(a.bytes(c.INET_DIAG_SKMEMINFO)),
    tcpInfo: a.bytes(c.INET_DIAG_INFO),
    congestion: a.text(c.INET_DIAG_CONG),
    tos: a.u8(c.INET_DIAG_TOS),
    trafficClass: a.u8(c.INET_DIAG_TCLASS),
    shutdown: a.u8(c.INET_DIAG_SHUTDOWN),
    v6Only: v6Only === undefined ? undefined : v6Only !== 0,
    mark: a.u32(c.INET_DIAG_MARK),
    cgroup: a.u64(c.INET_DIAG_CGROUP_ID),
    attributes: a,
  });
}

const PROTOCOLS = { tcp: 6, udp: 17, udplite: 136, sctp: 132, mptcp: 262, raw: 255 } as const;

/** Options of `listInetSockets`. */
export interface ListInetSocketsOptions extends NetlinkOptions {
  /** Protocol: its name, or IPPROTO_*; `tcp` unless told. */
  protocol?: keyof typeof PROTOCOLS | number | undefined;
  /** AF_INET or AF_INET6; both unless told. */
  family?: number | undefined;
  /** Only sockets in these states; in any unless told. */
  states?: readonly SocketState[] | undefined;
  /** Anything else for the request: INET_DIAG_REQ_*. */
  extra?: Iterable<AttributeInput> | undefined;
}

/** Options of `listInetSocketsSync`. */
export type ListInetSocketsSyncOptions = Omit<ListInetSocketsOptions, 'signal'>;

// all that can be asked for in one byte, but what belongs to some congestion controls
const EXTENSIONS = [
  c.INET_DIAG_MEMINFO,
  c.INET_DIAG_INFO,
  c.INET_DIAG_CONG,
  c.INET_DIAG_TOS,
  c.INET_DIAG_TCLASS,
  c.INET_DIAG_SKMEMINFO,
  c.INET_DIAG_SHUTDOWN,
].reduce((bits, extension) => bits | (1 << (extension - 1)), 0);

function protocolNumber(protocol: unknown): number {
  if (typeof protocol === 'number') return checkInteger('options.protocol', protocol, 0, 0xffff);
  if (typeof protocol !== 'string')
    throw invalidArgumentType('options.protocol', 'the name or the number of a protocol', protocol);
  if (!Object.hasOwn(PROTOCOLS, protocol)) {
    throw outOfRange('options.protocol', `one of ${Object.keys(PROTOCOLS).join(', ')}, or a number`, protocol);
  }
  return PROTOCOLS[protocol as keyof typeof PROTOCOLS];
}

function listings(options: ListInetSocketsOptions): Listing<InetSocket>[] {
  const { protocol = 'tcp', family, states, extra = [] } = checkObject('options', options);
  const number = protocolNumber(protocol);
  if (family !== undefined && family !== AF_INET && family !== AF_INET6) {
    throw outOfRange('options.family', 'AF_INET or AF_INET6', family);
  }
  const bits = stateBits('options.states', states);
  return (family === undefined ? [AF_INET, AF_INET6] : [family]).map((one) => ({
    protocol: c.NETLINK_SOCK_DIAG,
    label: 'SOCK_DIAG_BY_FAMILY',
    about: String(protocol),
    explain: (code: string) =>
      code === 'ENOENT'
        ? 'this kernel lists no sockets of this protocol; load the module inet_diag, and tcp_diag, udp_diag, ' +
          'raw_diag, mptcp_diag or sctp_diag'
        : undefined,
    request() {
      const payload = Buffer.alloc(REQUEST_SIZE);
      payload[0] = one;
      payload[1] = number > 255 ? PROTOCOLS.raw : number;
      payload[2] = EXTENSIONS;
      writeU32(payload, bits >>> 0, 4);
      const wide = number > 255 ? [attribute.u32(c.INET_DIAG_REQ_PROTOCOL, number)] : [];
      return { type: c.SOCK_DIAG_BY_FAMILY, payload, attributes: [...wide, ...extra] };
    },
    read: (message, names) => unpackInetSocket(message, number, names),
  }));
}

/**
 * The sockets of AF_INET and AF_INET6 in this network namespace, of all programs: `ss`. `options.socket` is
 * one of NETLINK_SOCK_DIAG.
 * @throws NetlinkError `ENOENT` where the kernel lacks the module for the protocol. Source: sock_diag(7).
 */
export async function listInetSockets(options: ListInetSocketsOptions = {}): Promise<InetSocket[]> {
  return list(listings(options), options);
}

/** As `listInetSockets`, blocking the thread. */
export function listInetSocketsSync(options: ListInetSocketsSyncOptions = {}): InetSocket[] {
  return listSync(listings(options), options);
}
