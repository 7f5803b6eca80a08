import { checkObject, toBytes, writeU16BE } from '@sock/core';
import type { PacketAddress } from './address.js';
import { parseHardwareAddress } from './hardware-address.js';

// bytes of a hardware address that the header has room for
const ADDRESS_SIZE = 8;
const HEADER_SIZE = 16;

/**
 * What a SOCK_DGRAM socket received, with the header that captures of LINKTYPE_LINUX_SLL have, such
 * as those of several interfaces of different kinds. Source: the registry of link types at tcpdump.org.
 * @param address as `recvFrom` gives it
 */
export function cookedPacket(address: PacketAddress, data: Uint8Array): Buffer {
  const { packetType, hardwareType, protocol, address: sender } = checkObject('address', address);
  const bytes = parseHardwareAddress(sender, 'address.address');
  const payload = toBytes('data', data);
  const cooked = Buffer.alloc(HEADER_SIZE + payload.length);
  writeU16BE(cooked, packetType, 0);
  writeU16BE(cooked, hardwareType, 2);
  writeU16BE(cooked, bytes.length, 4);
  cooked.set(bytes.subarray(0, ADDRESS_SIZE), 6);
  writeU16BE(cooked, protocol, 14);
  cooked.set(payload, HEADER_SIZE);
  return cooked;
}
