import {
  type AddressFamily,
  AF_TIPC,
  checkInteger,
  checkMembers,
  checkObject,
  checkOneOf,
  invalidArgumentType,
  outOfRange,
  readU32,
  writeU32,
} from '@sock/core';
import { TIPC_CLUSTER_SCOPE, TIPC_SERVICE_ADDR, TIPC_SERVICE_RANGE, TIPC_SOCKET_ADDR } from './constants.gen.js';
import { explain } from './explain.js';

/** A service: messages go to one of the sockets that are bound to the instance. */
export interface TipcServiceAddress {
  readonly kind: 'service';
  /** Type of the service; those below TIPC_RESERVED_TYPES (64) are the kernel's. */
  readonly type: number;
  readonly instance: number;
  /** Node to look on, 0 for all. */
  readonly domain: number;
  /** TIPC_NODE_SCOPE or TIPC_CLUSTER_SCOPE; absent where there is none. */
  readonly scope?: number;
}

/** A range of instances: what is bound, or whom to send to, all that are bound to any of them. */
export interface TipcRangeAddress {
  readonly kind: 'range';
  readonly type: number;
  /** First instance. */
  readonly lower: number;
  /** Last instance. */
  readonly upper: number;
  /** As of a service. */
  readonly scope?: number;
}

/** A socket. */
export interface TipcSocketAddress {
  readonly kind: 'socket';
  /** The node's address, a hash of its identity; 0 for this node. */
  readonly node: number;
  /** Number of the socket in its node. */
  readonly ref: number;
  readonly scope?: number;
  /** What it is in the group that a message came through. Whom to send to it does not tell. */
  readonly member?: { readonly type: number; readonly instance: number };
}

/** An address as the kernel gives it; sockets have names of the kind `'socket'`, bound or not. */
export type TipcAddress = TipcServiceAddress | TipcRangeAddress | TipcSocketAddress;

/** What is accepted as an address: what is left out is 0, the scope TIPC_CLUSTER_SCOPE. */
export type TipcInput =
  | (Omit<TipcServiceAddress, 'domain'> & { readonly domain?: number | undefined })
  | TipcRangeAddress
  | TipcSocketAddress;

// offsets in a struct sockaddr_tipc; source: linux/tipc.h
const ADDRTYPE = 2;
/** Offset of the scope in a struct sockaddr_tipc: a signed char. */
export const SCOPE = 3;
const FIRST = 4;
const SECOND = 8;
const THIRD = 12;
/** Bytes of a struct sockaddr_tipc. */
const SOCKADDR_SIZE = 16;

const U32 = 0xffffffff;

const KEYS = {
  service: ['kind', 'type', 'instance', 'domain', 'scope'],
  range: ['kind', 'type', 'lower', 'upper', 'scope'],
  socket: ['kind', 'node', 'ref', 'scope', 'member'],
} as const;

const KINDS = Object.keys(KEYS) as (keyof typeof KEYS)[];

function checkShape(input: TipcInput): void {
  if (ArrayBuffer.isView(input)) throw invalidArgumentType('address', 'an address { kind, … }', input);
  checkMembers('address', input, KEYS[checkOneOf('address.kind', checkObject('address', input).kind, KINDS)]);
}

function write(into: Uint8Array, addrtype: number, scope: number, words: readonly [number, number, number]): number {
  into[ADDRTYPE] = addrtype;
  // negative ones unbind
  into[SCOPE] = checkInteger('address.scope', scope, -3, 3) & 0xff;
  words.forEach((word, i) => {
    writeU32(into, word, FIRST + 4 * i);
  });
  return SOCKADDR_SIZE;
}

const word = (name: string, value: unknown): number => checkInteger(`address.${name}`, value, 0, U32);

function encode(input: TipcInput, into: Uint8Array): number {
  checkShape(input);
  switch (input.kind) {
    case 'service': {
      const { type, instance, domain = 0, scope = TIPC_CLUSTER_SCOPE } = input;
      const words = [word('type', type), word('instance', instance), word('domain', domain)] as const;
      return write(into, TIPC_SERVICE_ADDR, scope, words);
    }
    case 'range': {
      const { type, lower, upper, scope = TIPC_CLUSTER_SCOPE } = input;
      const words = [word('type', type), word('lower', lower), word('upper', upper)] as const;
      if (lower > upper) throw outOfRange('address.upper', `an integer from ${lower} (address.lower)`, upper);
      return write(into, TIPC_SERVICE_RANGE, scope, words);
    }
    case 'socket': {
      const { node, ref, scope = 0 } = input;
      return write(into, TIPC_SOCKET_ADDR, scope, [word('ref', ref), word('node', node), 0]);
    }
  }
}

function memberIn(sockaddr: Uint8Array): { member?: { type: number; instance: number } } {
  if (sockaddr.length < 2 * SOCKADDR_SIZE) return {};
  const second = sockaddr.subarray(SOCKADDR_SIZE);
  return { member: Object.freeze({ type: readU32(second, FIRST), instance: readU32(second, SECOND) }) };
}

function decode(sockaddr: Uint8Array): TipcAddress {
  if (sockaddr.length < SOCKADDR_SIZE) throw outOfRange('sockaddr', `${SOCKADDR_SIZE} bytes`, sockaddr.length);
  const [first, second, third] = [FIRST, SECOND, THIRD].map((offset) => readU32(sockaddr, offset)) as [
    number,
    number,
    number,
  ];
  // a signed char
  const number = ((sockaddr[SCOPE] as number) << 24) >> 24;
  const scope = number === 0 ? {} : { scope: number };
  switch (sockaddr[ADDRTYPE]) {
    case TIPC_SERVICE_ADDR:
      return { kind: 'service', type: first, instance: second, domain: third, ...scope };
    case TIPC_SERVICE_RANGE:
      return { kind: 'range', type: first, lower: second, upper: third, ...scope };
    case TIPC_SOCKET_ADDR:
      return { kind: 'socket', node: second, ref: first, ...scope, ...memberIn(sockaddr) };
    default:
      throw outOfRange('sockaddr', 'an address of a known kind', sockaddr[ADDRTYPE]);
  }
}

function format(address: TipcAddress): string {
  switch (address.kind) {
    case 'service': {
      const { type, instance, domain } = address;
      return `service ${type}:${instance}${domain === 0 ? '' : ` on node ${domain.toString(16)}`}`;
    }
    case 'range':
      return `service ${address.type}:${address.lower}-${address.upper}`;
    case 'socket': {
      const { node, ref, member } = address;
      const role = member === undefined ? '' : `, member ${member.type}:${member.instance}`;
      return `socket ${ref}${node === 0 ? '' : ` on node ${node.toString(16)}`}${role}`;
    }
  }
}

/**
 * AF_TIPC: services in a cluster of nodes, addressed by what they are rather than by where they run.
 * Types SOCK_RDM (messages, delivered or returned), SOCK_DGRAM (messages that may be dropped),
 * SOCK_SEQPACKET and SOCK_STREAM. Source: tipc(7), linux/tipc.h.
 *
 * A name of the kind `'socket'` every socket has from birth; to be found by a service's it is bound to
 * it, to as many as it likes. `TipcSocket` has what is beyond that: groups, messages that come back.
 */
export const tipc: AddressFamily<TipcAddress, TipcInput> = {
  name: 'tipc',
  domain: AF_TIPC,
  endsOnce: true,
  encode,
  decode,
  format,
  explain,
};
