import {
  type AddressFamily,
  AF_PACKET,
  checkInteger,
  checkMembers,
  type InterfaceInput,
  interfaceIndex,
  outOfRange,
  readI32,
  readU16,
  readU16BE,
  SOCK_RAW,
  type SocketInfo,
  writeI32,
  writeU16,
  writeU16BE,
} from '@sock/core';
import { explain } from './explain.js';
import { formatHardwareAddress, parseHardwareAddress } from './hardware-address.js';

/** Where a packet came from, or what a socket is bound to. Source: packet(7), `struct sockaddr_ll`. */
export interface PacketAddress {
  /** Name of the interface; `''` for all of them, and for one that is gone. */
  readonly interface: string;
  /** Link-layer protocol, ETH_P_*, in this machine's byte order. */
  readonly protocol: number;
  /** To whom a packet was: PACKET_HOST, PACKET_OUTGOING and so on. */
  readonly packetType: number;
  /** Kind of the interface, ARPHRD_*. */
  readonly hardwareType: number;
  /** Hardware address: of the sender for what was received; of no bytes where the interface has none. */
  readonly address: Buffer;
}

/** What is accepted as an address. */
export interface PacketInput {
  /** Name or index of the interface; `''` or 0 (the default) for all of them. */
  readonly interface?: InterfaceInput | undefined;
  /** Link-layer protocol, ETH_P_*, in this machine's byte order; that of the socket unless told. */
  readonly protocol?: number | undefined;
  /** The kernel does not look at it, so that an address that came out goes in again. */
  readonly packetType?: number | undefined;
  /** The kernel does not look at it. */
  readonly hardwareType?: number | undefined;
  /** Hardware address of the receiver, as bytes or as text such as `'02:00:5e:10:00:01'`. */
  readonly address?: Uint8Array | string | undefined;
}

// offsets in a struct sockaddr_ll; source: packet(7)
const PROTOCOL = 2;
const IFINDEX = 4;
const HATYPE = 8;
const PKTTYPE = 10;
const HALEN = 11;
const ADDR = 12;
/** The kernel takes no less, whatever the hardware address needs. */
const SIZE = 20;

const MEMBERS = ['interface', 'protocol', 'packetType', 'hardwareType', 'address'];

/** Checks a link-layer protocol, in this machine's byte order. */
export function checkProtocol(argument: string, value: unknown): number {
  return checkInteger(argument, value, 0, 0xffff);
}

/** The 16 bits of a protocol in network byte order, as a number of this machine's. */
function toNetwork(protocol: number): number {
  const bytes = new Uint8Array(2);
  writeU16BE(bytes, protocol, 0);
  return readU16(bytes, 0);
}

/** Reads a `struct sockaddr_ll`. */
export function decodePacketAddress(sockaddr: Uint8Array, socket: Pick<SocketInfo, 'interfaceName'>): PacketAddress {
  if (sockaddr.length < ADDR) throw outOfRange('sockaddr', `at least ${ADDR} bytes`, sockaddr.length);
  const index = readI32(sockaddr, IFINDEX);
  return {
    // a socket whose interface was removed is bound to the index -1
    interface: index > 0 ? (socket.interfaceName(index) ?? '') : '',
    protocol: readU16BE(sockaddr, PROTOCOL),
    packetType: sockaddr[PKTTYPE] as number,
    hardwareType: readU16(sockaddr, HATYPE),
    address: Buffer.from(sockaddr.subarray(ADDR, ADDR + (sockaddr[HALEN] as number))),
  };
}

/**
 * AF_PACKET: packets as the link layer has them, of type SOCK_RAW (with link-layer header) or
 * SOCK_DGRAM (without). `PacketSocket` is the socket for most uses. Source: packet(7).
 *
 * Protocols are numbers in this machine's byte order everywhere, unlike in C:
 * `new Socket(packet, SOCK_RAW, ETH_P_ALL)`. A socket made like this receives from all interfaces
 * until it is bound.
 */
export const packet: AddressFamily<PacketAddress, PacketInput> = {
  name: 'packet',
  domain: AF_PACKET,
  type: SOCK_RAW,

  encodeProtocol: (protocol) => toNetwork(checkProtocol('protocol', protocol)),

  encode(input, into, socket) {
    checkMembers('address', input, MEMBERS);
    const { protocol = socket.protocol, packetType = 0, hardwareType = 0, address = '' } = input;
    writeU16BE(into, checkProtocol('address.protocol', protocol), PROTOCOL);
    writeU16(into, checkInteger('address.hardwareType', hardwareType, 0, 0xffff), HATYPE);
    into[PKTTYPE] = checkInteger('address.packetType', packetType, 0, 0xff);
    const bytes = parseHardwareAddress(address, 'address.address');
    into[HALEN] = bytes.length;
    into.set(bytes, ADDR);
    writeI32(into, interfaceIndex('address.interface', input.interface, socket), IFINDEX);
    return Math.max(SIZE, ADDR + bytes.length);
  },

  decode: decodePacketAddress,

  format({ interface: name, protocol, address }) {
    const parts = [name === '' ? '(any interface)' : name];
    if (address.length > 0) parts.push(formatHardwareAddress(address));
    if (protocol !== 0) parts.push(`protocol 0x${protocol.toString(16).padStart(4, '0')}`);
    return parts.join(' ');
  },

  explain,
};
