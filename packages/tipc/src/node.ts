import { checkInteger, readText, type Socket, writeU32 } from '@sock/core';
import type { TipcAddress, TipcInput } from './address.js';
import { SIOCGETLINKNAME, SIOCGETNODEID, TIPC_MAX_LINK_NAME, TIPC_NODEID_LEN } from './constants.gen.js';

// Zones, clusters and nodes of addresses that were given by hand: 8, 12 and 12 bits.

/** A node's address of its zone, cluster and node, as kernels before 4.17 had it. Source: linux/tipc.h. */
export function tipc_addr(zone: number, cluster: number, node: number): number {
  checkInteger('zone', zone, 0, 0xff);
  checkInteger('cluster', cluster, 0, 0xfff);
  checkInteger('node', node, 0, 0xfff);
  return zone * 0x1000000 + cluster * 0x1000 + node;
}

const checkAddress = (address: number): number => checkInteger('address', address, 0, 0xffffffff);

/** Zone of a node's address. */
export const tipc_zone = (address: number): number => checkAddress(address) >>> 24;

/** Cluster of a node's address. */
export const tipc_cluster = (address: number): number => (checkAddress(address) >>> 12) & 0xfff;

/** Node of a node's address. */
export const tipc_node = (address: number): number => checkAddress(address) & 0xfff;

type AnyTipcSocket = Pick<Socket<TipcAddress, TipcInput>, 'ioctl'>;

/**
 * The identity of a node, 16 bytes, of which its address is a hash.
 * @param node its address
 * @throws SocketError `EADDRNOTAVAIL` where there is no such node. Source: SIOCGETNODEID, linux/tipc.h.
 */
export function getNodeId(socket: AnyTipcSocket, node: number): Buffer {
  const request = Buffer.alloc(4 + TIPC_NODEID_LEN);
  writeU32(request, checkInteger('node', node, 0, 0xffffffff), 0);
  socket.ioctl(SIOCGETNODEID, request);
  return request.subarray(4);
}

/** A node's identity as the tipc tool shows it: as text where it is one, in hexadecimal digits elsewhere. */
export function formatNodeId(id: Uint8Array): string {
  const end = id.findLastIndex((byte) => byte !== 0) + 1;
  const used = Buffer.from(id.subarray(0, end));
  const text = used.length > 0 && used.every((byte) => byte > 0x20 && byte < 0x7f);
  return text ? used.toString('latin1') : Buffer.from(id).toString('hex');
}

/**
 * The name of a link, such as `1001001:eth0-1001002:eth0`.
 * @param peer address of the node at its other end
 * @param bearer number of the bearer at this end, as events of links have it
 * @throws SocketError `EADDRNOTAVAIL` where there is no such link. Source: SIOCGETLINKNAME, linux/tipc.h.
 */
export function getLinkName(socket: AnyTipcSocket, peer: number, bearer: number): string {
  const request = Buffer.alloc(8 + TIPC_MAX_LINK_NAME);
  writeU32(request, checkInteger('peer', peer, 0, 0xffffffff), 0);
  writeU32(request, checkInteger('bearer', bearer, 0, 0xffff), 4);
  socket.ioctl(SIOCGETLINKNAME, request);
  return readText(request.subarray(8));
}
