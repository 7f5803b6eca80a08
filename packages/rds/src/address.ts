import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  AF_RDS,
  AF_UNSPEC,
  outOfRange,
  readU16,
  SOCK_SEQPACKET,
  writeU16,
} from '@sock/core';
import { type Inet6Address, type Inet6Input, type InetAddress, type InetInput, inet, inet6 } from '@sock/inet';
import { explain } from './explain.js';

/** An address and a port, of IPv4 or of IPv6: those of @sock/inet. */
export type RdsAddress = InetAddress | Inet6Address;

/**
 * What is accepted as an address and a port: of IPv6 where the host has a colon, or there is a
 * `scopeid` or `flowinfo`; else of IPv4. A name is resolved to an address of IPv4.
 */
export type RdsInput = InetInput | Inet6Input;

const isIPv6 = (input: unknown): input is Inet6Input =>
  typeof input === 'object' &&
  input !== null &&
  ('scopeid' in input || 'flowinfo' in input || (input as { host?: unknown }).host?.toString().includes(':') === true);

/** Nobody's address: what the kernel says of a socket that is not bound. */
const UNBOUND: RdsAddress = { host: '0.0.0.0', port: 0 };

/**
 * AF_RDS: datagrams that arrive, in order and once, over one connection for each pair of hosts. The
 * only type is SOCK_SEQPACKET. A socket must be bound to an address of this host before it sends.
 * Source: rds(7), kernel, networking/rds.
 */
export const rds: AddressFamily<RdsAddress, RdsInput> = {
  name: 'rds',
  domain: AF_RDS,
  type: SOCK_SEQPACKET,
  addressDomains: [AF_UNSPEC, AF_INET, AF_INET6],

  encode(input, into, socket) {
    const codec = isIPv6(input) ? inet6 : inet;
    writeU16(into, codec.domain, 0);
    return codec.encode(input, into, socket);
  },

  decode(sockaddr, socket) {
    switch (readU16(sockaddr, 0)) {
      case AF_INET:
        return inet.decode(sockaddr, socket);
      case AF_INET6:
        return inet6.decode(sockaddr, socket);
      case AF_UNSPEC:
        return { ...UNBOUND };
      default:
        throw outOfRange('sockaddr', 'an address of IPv4 or IPv6', readU16(sockaddr, 0));
    }
  },

  resolve(input, socket, options) {
    const codec = isIPv6(input) ? inet6 : inet;
    return codec.resolve?.(input, socket, options) ?? input;
  },
  resolveSync(input, socket) {
    const codec = isIPv6(input) ? inet6 : inet;
    return codec.resolveSync?.(input, socket) ?? input;
  },

  format: (address) => ('scopeid' in address ? inet6.format(address) : inet.format(address)),
  explain,
};
