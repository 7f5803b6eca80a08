export * from './options/icmp.js';
export * from './options/ip.js';
export * from './options/ipv6.js';
export * from './options/mptcp.js';
export * from './options/multicast.js';
export * from './options/sctp.js';
export type { WithMessage, WriteonlyOption } from './options/shared.js';
export * from './options/tcp.js';
export * from './options/udp.js';
