import {
  type AncillaryMessage,
  ancillaryMessage,
  checkBoolean,
  checkInteger,
  checkObject,
  EXTENDED_ERROR_SIZE,
  type ExtendedError,
  type InterfaceInput,
  if_indextoname,
  if_nametoindex,
  interfaceIndex,
  type ReceiveOnlyMessage,
  readI32,
  readU16,
  readU32,
  readU32BE,
  toBytes,
  unpackExtendedError,
  writeU16,
} from '@sock/core';
import { decodeInet, decodeInet6, type Inet6Address, type InetAddress, type IpAddress } from './address.js';
import {
  IP_CHECKSUM,
  IP_ORIGDSTADDR,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVFRAGSIZE,
  IP_RECVOPTS,
  IP_RETOPTS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_DONTFRAG,
  IPV6_FLOWINFO,
  IPV6_HOPLIMIT,
  IPV6_ORIGDSTADDR,
  IPV6_PATHMTU,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  IPV6_RECVFRAGSIZE,
  IPV6_TCLASS,
  TCP_CM_INQ,
  UDP_GRO,
  UDP_SEGMENT,
} from './constants.gen.js';
import { decodeSockaddr } from './fields.js';
import { ints, writeIPv4, writeIPv6 } from './structures.js';
import { formatIPv4, formatIPv6 } from './text.js';

// control messages are made without a socket: names are those of this thread's network namespace
const interfaces = { interfaceIndex: if_nametoindex };

function interfaceName(index: number): string {
  if (index === 0) return '';
  try {
    return if_indextoname(index);
  } catch {
    return '';
  }
}

/** An int, of which the kernel may give only the first byte. */
const readInt = (data: Uint8Array): number | undefined => (data.length >= 4 ? readI32(data, 0) : data[0]);

interface IntKey {
  level: number;
  type: number;
  label: string;
}

function intMessage(key: IntKey, range: readonly [min: number, max: number]): AncillaryMessage<number> {
  const encode = (value: number): Uint8Array => ints(checkInteger('value', value, ...range));
  return ancillaryMessage<number>({ ...key, size: 4, encode, decode: readInt });
}

const receivedInt = (key: IntKey): ReceiveOnlyMessage<number> => ancillaryMessage({ ...key, size: 4, decode: readInt });

function bytesMessage(key: IntKey, size: number): AncillaryMessage<Buffer, ArrayBufferView | ArrayBuffer> {
  return ancillaryMessage<Buffer, ArrayBufferView | ArrayBuffer>({
    ...key,
    size,
    encode: (value) => toBytes('value', value),
    decode: (data) => Buffer.from(data),
  });
}

/** Where a received packet came in. */
export interface PacketInfo {
  /** Name of the interface; `''` where it is gone. Looked up when it is read. */
  readonly interface: string;
  readonly interfaceIndex: number;
  /** Destination in the packet's header: an address of this machine, or a group. */
  readonly destination: string;
}

/** As `PacketInfo`, for IPv4. */
export interface PacketInfo4 extends PacketInfo {
  /** The local address that the packet was for: what an answer is best sent from. */
  readonly source: string;
}

/** How a packet is to leave. */
export interface PacketInfoInput {
  /** Local address to send from; the routing table's choice unless told. */
  readonly source?: string | undefined;
  /** Interface to send through; the routing table's choice unless told. */
  readonly interface?: InterfaceInput | undefined;
}

/** IP_PKTINFO: interface and addresses. Source: ip(7), `struct in_pktinfo`. */
export const packetInfo4: AncillaryMessage<PacketInfo4, PacketInfoInput> = ancillaryMessage<
  PacketInfo4,
  PacketInfoInput
>({
  level: IPPROTO_IP,
  type: IP_PKTINFO,
  label: 'IP_PKTINFO',
  size: 12,
  encode(value) {
    const input = checkObject('value', value);
    const bytes = new Uint8Array(12);
    bytes.set(ints(interfaceIndex('value.interface', input.interface, interfaces)));
    if (input.source !== undefined && input.source !== '') writeIPv4('value.source', input.source, bytes, 4);
    return bytes;
  },
  decode(data) {
    if (data.length < 12) return undefined;
    const index = readI32(data, 0);
    return {
      get interface() {
        return interfaceName(index);
      },
      interfaceIndex: index,
      source: formatIPv4(data, 4),
      destination: formatIPv4(data, 8),
    };
  },
});

/** Bytes of a `struct in6_pktinfo` that say how packets are to leave. */
export function encodePacketInfo6(value: PacketInfoInput): Uint8Array {
  const input = checkObject('value', value);
  const bytes = new Uint8Array(20);
  if (input.source !== undefined && input.source !== '') writeIPv6('value.source', input.source, bytes, 0);
  bytes.set(ints(interfaceIndex('value.interface', input.interface, interfaces)), 16);
  return bytes;
}

/** IPV6_PKTINFO: interface and address. Source: ipv6(7), RFC 3542, `struct in6_pktinfo`. */
export const packetInfo6: AncillaryMessage<PacketInfo, PacketInfoInput> = ancillaryMessage<PacketInfo, PacketInfoInput>(
  {
    level: IPPROTO_IPV6,
    type: IPV6_PKTINFO,
    label: 'IPV6_PKTINFO',
    size: 20,
    encode: encodePacketInfo6,
    decode(data) {
      if (data.length < 20) return undefined;
      const index = readI32(data, 16);
      return {
        get interface() {
          return interfaceName(index);
        },
        interfaceIndex: index,
        destination: formatIPv6(data, 0),
      };
    },
  },
);

/** IP_TTL: time to live. */
export const timeToLive: AncillaryMessage<number> = intMessage(
  { level: IPPROTO_IP, type: IP_TTL, label: 'IP_TTL' },
  [1, 255],
);

/** IP_TOS: type of service, with the ECN bits (IPTOS_ECN_MASK). */
export const typeOfService: AncillaryMessage<number> = intMessage(
  { level: IPPROTO_IP, type: IP_TOS, label: 'IP_TOS' },
  [0, 255],
);

/** IPV6_HOPLIMIT; −1 sends with the default. */
export const hopLimit: AncillaryMessage<number> = intMessage(
  { level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, label: 'IPV6_HOPLIMIT' },
  [-1, 255],
);

/** IPV6_TCLASS: traffic class, with the ECN bits; −1 sends with the default. */
export const trafficClass: AncillaryMessage<number> = intMessage(
  { level: IPPROTO_IPV6, type: IPV6_TCLASS, label: 'IPV6_TCLASS' },
  [-1, 255],
);

/** IPV6_DONTFRAG, for one message. */
export const dontFragment: AncillaryMessage<boolean> = ancillaryMessage<boolean>({
  level: IPPROTO_IPV6,
  type: IPV6_DONTFRAG,
  label: 'IPV6_DONTFRAG',
  size: 4,
  encode: (value) => ints(checkBoolean('value', value) ? 1 : 0),
  decode: (data) => (data.length < 4 ? undefined : readI32(data, 0) !== 0),
});

/** IPV6_FLOWINFO of a received packet: traffic class and flow label, in host byte order. */
export const flowInfo: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: IPPROTO_IPV6,
  type: IPV6_FLOWINFO,
  label: 'IPV6_FLOWINFO',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readU32BE(data, 0)),
});

/** An entry of the error queue: what went wrong with something sent, or became of it. */
export interface IpExtendedError extends ExtendedError {
  /** The machine that reported it; `null` where that is this one. Its port is 0. */
  readonly offender: IpAddress | null;
}

function decodeExtendedError(data: Uint8Array): IpExtendedError | undefined {
  const error = unpackExtendedError(data);
  return error && { ...error, offender: decodeSockaddr(data.subarray(EXTENDED_ERROR_SIZE)) };
}

/** IP_RECVERR, with MSG_ERRQUEUE. Source: ip(7), `struct sock_extended_err`. */
export const extendedError4: ReceiveOnlyMessage<IpExtendedError> = ancillaryMessage({
  level: IPPROTO_IP,
  type: IP_RECVERR,
  label: 'IP_RECVERR',
  size: EXTENDED_ERROR_SIZE + 16,
  decode: decodeExtendedError,
});

/** IPV6_RECVERR, with MSG_ERRQUEUE. Source: ipv6(7). */
export const extendedError6: ReceiveOnlyMessage<IpExtendedError> = ancillaryMessage({
  level: IPPROTO_IPV6,
  type: IPV6_RECVERR,
  label: 'IPV6_RECVERR',
  size: EXTENDED_ERROR_SIZE + 28,
  decode: decodeExtendedError,
});

/** IP_ORIGDSTADDR: where a datagram was sent to before it was redirected here. Source: ip(7). */
export const originalDestination4: ReceiveOnlyMessage<InetAddress> = ancillaryMessage({
  level: IPPROTO_IP,
  type: IP_ORIGDSTADDR,
  label: 'IP_ORIGDSTADDR',
  size: 16,
  decode: (data) => (data.length < 16 ? undefined : decodeInet(data)),
});

/** IPV6_ORIGDSTADDR, as IP_ORIGDSTADDR. */
export const originalDestination6: ReceiveOnlyMessage<Inet6Address> = ancillaryMessage({
  level: IPPROTO_IPV6,
  type: IPV6_ORIGDSTADDR,
  label: 'IPV6_ORIGDSTADDR',
  size: 28,
  decode: (data) => (data.length < 28 ? undefined : decodeInet6(data)),
});

/** The MTU of the path to an address. */
export interface PathMtu {
  readonly address: Inet6Address;
  /** Bytes. */
  readonly mtu: number;
}

/** Reads a `struct ip6_mtuinfo`. Source: RFC 3542. */
export function decodePathMtu(data: Uint8Array): PathMtu | undefined {
  return data.length < 32 ? undefined : { address: decodeInet6(data.subarray(0, 28)), mtu: readU32(data, 28) };
}

/** IPV6_PATHMTU: a datagram was too big for the path. */
export const pathMtu: ReceiveOnlyMessage<PathMtu> = ancillaryMessage({
  level: IPPROTO_IPV6,
  type: IPV6_PATHMTU,
  label: 'IPV6_PATHMTU',
  size: 32,
  decode: decodePathMtu,
});

/** IP_RECVOPTS: the IP options of a received packet, as they were. */
export const receivedOptions: AncillaryMessage<Buffer, ArrayBufferView | ArrayBuffer> = bytesMessage(
  { level: IPPROTO_IP, type: IP_RECVOPTS, label: 'IP_RECVOPTS' },
  40,
);

/** IP_RETOPTS: IP options as they are needed in an answer. */
export const returnedOptions: AncillaryMessage<Buffer, ArrayBufferView | ArrayBuffer> = bytesMessage(
  { level: IPPROTO_IP, type: IP_RETOPTS, label: 'IP_RETOPTS' },
  40,
);

/** IP_CHECKSUM: the checksum of what was received, as far as the kernel summed it up. */
export const checksum: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: IPPROTO_IP,
  type: IP_CHECKSUM,
  label: 'IP_CHECKSUM',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readU32(data, 0)),
});

/** IP_RECVFRAGSIZE: bytes of the largest fragment; only reassembled packets have it. */
export const fragmentSize4: ReceiveOnlyMessage<number> = receivedInt({
  level: IPPROTO_IP,
  type: IP_RECVFRAGSIZE,
  label: 'IP_RECVFRAGSIZE',
});

/** IPV6_RECVFRAGSIZE, as IP_RECVFRAGSIZE. */
export const fragmentSize6: ReceiveOnlyMessage<number> = receivedInt({
  level: IPPROTO_IPV6,
  type: IPV6_RECVFRAGSIZE,
  label: 'IPV6_RECVFRAGSIZE',
});

/** An IPv6 extension header, from its first byte on. Source: RFC 3542. */
export function extensionHeader(type: number, label: string): AncillaryMessage<Buffer, ArrayBufferView | ArrayBuffer> {
  // a header says its length in one byte, in units of 8 bytes behind the first 8
  return bytesMessage({ level: IPPROTO_IPV6, type, label }, 2048);
}

/** UDP_SEGMENT: the kernel cuts one message into datagrams of this many bytes. Source: udp(7). */
export const segmentSize: AncillaryMessage<number> = ancillaryMessage<number>({
  level: IPPROTO_UDP,
  type: UDP_SEGMENT,
  label: 'UDP_SEGMENT',
  size: 2,
  encode(value) {
    const bytes = new Uint8Array(2);
    writeU16(bytes, checkInteger('value', value, 0, 0xffff), 0);
    return bytes;
  },
  decode: (data) => (data.length < 2 ? undefined : readU16(data, 0)),
});

/** UDP_GRO: bytes of each of the datagrams that were received as one message; the last may be shorter. */
export const receiveSegmentSize: ReceiveOnlyMessage<number> = receivedInt({
  level: IPPROTO_UDP,
  type: UDP_GRO,
  label: 'UDP_GRO',
});

/** TCP_CM_INQ: bytes that are left to receive. */
export const bytesLeft: ReceiveOnlyMessage<number> = receivedInt({
  level: IPPROTO_TCP,
  type: TCP_CM_INQ,
  label: 'TCP_CM_INQ',
});
