import {
  booleanOption,
  checkInteger,
  checkObject,
  type InterfaceInput,
  integerOption,
  type ReadonlyOption,
  readU32BE,
  type SocketOption,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
  writeU16,
  writeU32BE,
} from '@sock/core';
import { decodeInet6, type Inet6Address } from '../address.js';
import {
  decodePathMtu,
  dontFragment,
  encodePacketInfo6,
  extendedError6,
  extensionHeader,
  flowInfo,
  fragmentSize6,
  hopLimit,
  type IpExtendedError,
  originalDestination6,
  type PacketInfo,
  type PacketInfoInput,
  type PathMtu,
  packetInfo6,
  pathMtu,
  trafficClass,
} from '../ancillary.js';
import { htonl, ntohl } from '../bytes.js';
import {
  IP6T_SO_ORIGINAL_DST,
  IPPROTO_IPV6,
  IPV6_ADDR_PREFERENCES,
  IPV6_AUTOFLOWLABEL,
  IPV6_CHECKSUM,
  IPV6_DONTFRAG,
  IPV6_DSTOPTS,
  IPV6_FL_A_GET,
  IPV6_FL_F_CREATE,
  IPV6_FLOWINFO,
  IPV6_FLOWINFO_SEND,
  IPV6_FLOWLABEL_MGR,
  IPV6_FREEBIND,
  IPV6_HDRINCL,
  IPV6_HOPOPTS,
  IPV6_MINHOPCOUNT,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_PATHMTU,
  IPV6_PKTINFO,
  IPV6_RECVDSTOPTS,
  IPV6_RECVERR,
  IPV6_RECVERR_RFC4884,
  IPV6_RECVFRAGSIZE,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVHOPOPTS,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVPATHMTU,
  IPV6_RECVPKTINFO,
  IPV6_RECVRTHDR,
  IPV6_RECVTCLASS,
  IPV6_ROUTER_ALERT,
  IPV6_ROUTER_ALERT_ISOLATE,
  IPV6_RTHDR,
  IPV6_RTHDRDSTOPTS,
  IPV6_TCLASS,
  IPV6_TRANSPARENT,
  IPV6_UNICAST_HOPS,
  IPV6_UNICAST_IF,
  IPV6_V6ONLY,
} from '../constants.gen.js';
import { writeIPv6 } from '../structures.js';
import { bytesOption, interfaceOption } from './shared.js';

const level = IPPROTO_IPV6;

type Bytes = ArrayBufferView | ArrayBuffer;

/** Do not take IPv4 too, as mapped addresses (`::ffff:192.0.2.1`). To be set before bind. Source: ipv6(7). */
export const ipv6V6Only: SocketOption<boolean> = booleanOption({ level, name: IPV6_V6ONLY, label: 'IPV6_V6ONLY' });

/** Hop limit of unicast packets, −1 (the default) to 255. Source: ipv6(7), RFC 3493. */
export const ipv6UnicastHops: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ level, name: IPV6_UNICAST_HOPS, label: 'IPV6_UNICAST_HOPS', min: -1, max: 255 }),
  hopLimit,
);

/** Report the hop limit of received packets as `message`. Source: RFC 3542. */
export const ipv6RecvHopLimit: WithMessage<SocketOption<boolean>, number> = withMessage(
  booleanOption({ level, name: IPV6_RECVHOPLIMIT, label: 'IPV6_RECVHOPLIMIT' }),
  hopLimit,
);

/** Traffic class of what is sent, −1 (the default) to 255. `message` is that of one packet. Source: RFC 3542. */
export const ipv6TClass: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ level, name: IPV6_TCLASS, label: 'IPV6_TCLASS', min: -1, max: 255 }),
  trafficClass,
);

/** Report the traffic class of received packets as `message`. Source: RFC 3542. */
export const ipv6RecvTClass: WithMessage<SocketOption<boolean>, number> = withMessage(
  booleanOption({ level, name: IPV6_RECVTCLASS, label: 'IPV6_RECVTCLASS' }),
  trafficClass,
);

/**
 * Report interface and destination of received packets; sent, `message` chooses interface and source.
 * Source: RFC 3542.
 */
export const ipv6RecvPktInfo: WithMessage<SocketOption<boolean>, PacketInfo, PacketInfoInput> = withMessage(
  booleanOption({ level, name: IPV6_RECVPKTINFO, label: 'IPV6_RECVPKTINFO' }),
  packetInfo6,
);

/** Interface and source of all that is sent; `message` is those of one packet. Source: RFC 3542. */
export const ipv6PktInfo: WithMessage<WriteonlyOption<PacketInfoInput>, PacketInfo, PacketInfoInput> = withMessage(
  { level, name: IPV6_PKTINFO, label: 'IPV6_PKTINFO', encode: encodePacketInfo6 },
  packetInfo6,
);

/** Queue errors: `recvMsg` with MSG_ERRQUEUE gives what was sent, and `message`. Source: ipv6(7). */
export const ipv6RecvErr: WithMessage<SocketOption<boolean>, IpExtendedError, never> = withMessage(
  booleanOption({ level, name: IPV6_RECVERR, label: 'IPV6_RECVERR' }),
  extendedError6,
);

/** With ipv6RecvErr: queue the extensions of ICMP messages too. Source: RFC 4884. */
export const ipv6RecvErrRfc4884: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_RECVERR_RFC4884,
  label: 'IPV6_RECVERR_RFC4884',
});

/** MTU of the path, in bytes: read of a connected socket, else `ENOTCONN`; set, 0 or at least 1280. Source: ipv6(7). */
export const ipv6Mtu: SocketOption<number> = integerOption({ level, name: IPV6_MTU, label: 'IPV6_MTU', min: 0 });

/** Discovery of the path's MTU: an IPV6_PMTUDISC_* value. Source: ipv6(7). */
export const ipv6MtuDiscover: SocketOption<number> = integerOption({
  level,
  name: IPV6_MTU_DISCOVER,
  label: 'IPV6_MTU_DISCOVER',
  min: 0,
  max: 5,
});

/** Do not fragment what is sent; `message` is for one packet. Source: RFC 3542. */
export const ipv6DontFrag: WithMessage<SocketOption<boolean>, boolean> = withMessage(
  booleanOption({ level, name: IPV6_DONTFRAG, label: 'IPV6_DONTFRAG' }),
  dontFragment,
);

/** Report that a datagram was too big for its path as `message`, with data of no bytes. Source: RFC 3542. */
export const ipv6RecvPathMtu: WithMessage<SocketOption<boolean>, PathMtu, never> = withMessage(
  booleanOption({ level, name: IPV6_RECVPATHMTU, label: 'IPV6_RECVPATHMTU' }),
  pathMtu,
);

/** Known MTU of the path of a connected socket: else `ENOTCONN`. Source: RFC 3542. */
export const ipv6PathMtu: ReadonlyOption<PathMtu> = {
  level,
  name: IPV6_PATHMTU,
  label: 'IPV6_PATHMTU',
  size: 32,
  decode: (raw) => decodePathMtu(raw) as PathMtu,
};

/** Of a raw socket: offset of a checksum for the kernel to fill in and to check; −1 for none. Source: RFC 3542. */
export const ipv6Checksum: SocketOption<number> = integerOption({
  level,
  name: IPV6_CHECKSUM,
  label: 'IPV6_CHECKSUM',
  min: -1,
});

/** Report traffic class and flow label of received packets as `message`. Source: the kernel's in6.h. */
export const ipv6FlowInfo: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: IPV6_FLOWINFO, label: 'IPV6_FLOWINFO' }),
  flowInfo,
);

/** Send with the `flowinfo` of the address, whose flow label must have been asked for (ipv6FlowLabelMgr). */
export const ipv6FlowInfoSend: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_FLOWINFO_SEND,
  label: 'IPV6_FLOWINFO_SEND',
});

/** Choose flow labels for what is sent. Source: RFC 6438. */
export const ipv6AutoFlowLabel: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_AUTOFLOWLABEL,
  label: 'IPV6_AUTOFLOWLABEL',
});

/** A request about a flow label. Source: the kernel's in6.h, `struct in6_flowlabel_req`. */
export interface FlowLabelRequest {
  /** IPV6_FL_A_GET, IPV6_FL_A_PUT or IPV6_FL_A_RENEW. */
  readonly action: number;
  /** Flow label, 1 to 0xfffff, in host byte order. */
  readonly label: number;
  /** Destination that the label is for; any unless told. */
  readonly host?: string;
  /** IPV6_FL_S_*: who may share the label; nobody (IPV6_FL_S_EXCL) unless told. */
  readonly share?: number;
  /** IPV6_FL_F_* values or-ed together; 0 unless told. */
  readonly flags?: number;
  /** Seconds that the label stays valid; the kernel's default unless told. */
  readonly expires?: number;
  /** Seconds before the label can be given to another after its end; the kernel's default unless told. */
  readonly linger?: number;
}

// a struct in6_flowlabel_req
const FLOW_LABEL = 16;

function flowLabelRequest(argument: string, value: FlowLabelRequest, least: number): Uint8Array {
  const { action, label, host = '', share = 1, flags = 0, expires = 0, linger = 0 } = checkObject(argument, value);
  const bytes = new Uint8Array(32);
  if (host !== '') writeIPv6(`${argument}.host`, host, bytes, 0);
  writeU32BE(bytes, checkInteger(`${argument}.label`, label, least, 0xfffff), FLOW_LABEL);
  bytes[20] = checkInteger(`${argument}.action`, action, 0, 255);
  bytes[21] = checkInteger(`${argument}.share`, share, 0, 255);
  writeU16(bytes, checkInteger(`${argument}.flags`, flags, 0, 0xffff), 22);
  writeU16(bytes, checkInteger(`${argument}.expires`, expires, 0, 0xffff), 24);
  writeU16(bytes, checkInteger(`${argument}.linger`, linger, 0, 0xffff), 26);
  return bytes;
}

/** Ask for a flow label, or give it back; leaseFlowLabel leaves the choice to the kernel. Source: the kernel's in6.h. */
export const ipv6FlowLabelMgr: WriteonlyOption<FlowLabelRequest> = {
  level,
  name: IPV6_FLOWLABEL_MGR,
  label: 'IPV6_FLOWLABEL_MGR',
  encode: (value) => flowLabelRequest('value', value, 1),
};

/**
 * Leases a flow label of the kernel's choice, for ipv6FlowInfoSend and the `flowinfo` of addresses.
 * ipv6FlowLabelMgr with IPV6_FL_A_PUT gives it back, as does closing the socket.
 * @returns the label, 1 to 0xfffff, in host byte order
 * @throws SocketError `EINVAL`, `ENOBUFS`. Source: the kernel's in6.h, `struct in6_flowlabel_req`.
 */
export function leaseFlowLabel(
  socket: { setsockopt(level: number, name: number, value: Uint8Array): void },
  request: Omit<FlowLabelRequest, 'action' | 'label'>,
): number {
  const { flags = 0 } = checkObject('request', request);
  const whole = { ...request, action: IPV6_FL_A_GET, label: 0, flags: flags | IPV6_FL_F_CREATE };
  const bytes = flowLabelRequest('request', whole, 0);
  socket.setsockopt(level, IPV6_FLOWLABEL_MGR, bytes);
  // the kernel has written the label into the request
  return readU32BE(bytes, FLOW_LABEL) & 0xfffff;
}

/** Of a raw socket: what is sent begins with the IPv6 header. */
export const ipv6HdrIncl: SocketOption<boolean> = booleanOption({ level, name: IPV6_HDRINCL, label: 'IPV6_HDRINCL' });

/** Bind to and answer from addresses of others: a transparent proxy. */
export const ipv6Transparent: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_TRANSPARENT,
  label: 'IPV6_TRANSPARENT',
  capability: 'CAP_NET_ADMIN',
});

/** Bind to addresses that this machine does not have, or not yet. */
export const ipv6FreeBind: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_FREEBIND,
  label: 'IPV6_FREEBIND',
});

/** Report where redirected datagrams were sent to as `message`. */
export const ipv6RecvOrigDstAddr: WithMessage<SocketOption<boolean>, Inet6Address, never> = withMessage(
  booleanOption({ level, name: IPV6_RECVORIGDSTADDR, label: 'IPV6_RECVORIGDSTADDR' }),
  originalDestination6,
);

/** Interface to send unicast packets through, whatever their destination. */
export const ipv6UnicastIf: SocketOption<InterfaceInput> = interfaceOption(
  { level, name: IPV6_UNICAST_IF, label: 'IPV6_UNICAST_IF' },
  // network byte order, unlike every other option that takes an index
  { toKernel: (index) => htonl(index) | 0, fromKernel: (value) => ntohl(value >>> 0) },
);

/** Report the largest fragment of reassembled packets as `message`. */
export const ipv6RecvFragSize: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: IPV6_RECVFRAGSIZE, label: 'IPV6_RECVFRAGSIZE' }),
  fragmentSize6,
);

/** Least hop limit of packets to receive, 0 to 255. Source: RFC 5082. */
export const ipv6MinHopCount: SocketOption<number> = integerOption({
  level,
  name: IPV6_MINHOPCOUNT,
  label: 'IPV6_MINHOPCOUNT',
  min: 0,
  max: 255,
});

/** Which source address to prefer: IPV6_PREFER_SRC_* values or-ed together. Source: RFC 5014. */
export const ipv6AddrPreferences: SocketOption<number> = integerOption({
  level,
  name: IPV6_ADDR_PREFERENCES,
  label: 'IPV6_ADDR_PREFERENCES',
  min: 0,
});

/**
 * Of a raw socket: receive packets to be forwarded with the Router Alert option of this value; −1 for
 * none. Source: ipv6(7).
 */
export const ipv6RouterAlert: SocketOption<number> = integerOption({
  level,
  name: IPV6_ROUTER_ALERT,
  label: 'IPV6_ROUTER_ALERT',
  min: -1,
});

/** With ipv6RouterAlert: only packets of this network namespace. */
export const ipv6RouterAlertIsolate: SocketOption<boolean> = booleanOption({
  level,
  name: IPV6_ROUTER_ALERT_ISOLATE,
  label: 'IPV6_ROUTER_ALERT_ISOLATE',
});

const hopByHop = extensionHeader(IPV6_HOPOPTS, 'IPV6_HOPOPTS');
const destination = extensionHeader(IPV6_DSTOPTS, 'IPV6_DSTOPTS');
const routing = extensionHeader(IPV6_RTHDR, 'IPV6_RTHDR');
const beforeRouting = extensionHeader(IPV6_RTHDRDSTOPTS, 'IPV6_RTHDRDSTOPTS');

const header = (name: number, label: string): SocketOption<Buffer, Bytes> =>
  bytesOption({ level, name, label, max: 2048, capability: 'CAP_NET_RAW' });

/** Hop-by-hop options header of what is sent, none unless told; `message` is that of one packet. Source: RFC 3542. */
export const ipv6HopOpts: WithMessage<SocketOption<Buffer, Bytes>, Buffer, Bytes> = withMessage(
  header(IPV6_HOPOPTS, 'IPV6_HOPOPTS'),
  hopByHop,
);

/** Report the hop-by-hop options header of received packets as `message`. Source: RFC 3542. */
export const ipv6RecvHopOpts: WithMessage<SocketOption<boolean>, Buffer, Bytes> = withMessage(
  booleanOption({ level, name: IPV6_RECVHOPOPTS, label: 'IPV6_RECVHOPOPTS' }),
  hopByHop,
);

/** Destination options header of what is sent, none unless told; `message` is that of one packet. Source: RFC 3542. */
export const ipv6DstOpts: WithMessage<SocketOption<Buffer, Bytes>, Buffer, Bytes> = withMessage(
  header(IPV6_DSTOPTS, 'IPV6_DSTOPTS'),
  destination,
);

/** Report the destination options headers of received packets as `message`. Source: RFC 3542. */
export const ipv6RecvDstOpts: WithMessage<SocketOption<boolean>, Buffer, Bytes> = withMessage(
  booleanOption({ level, name: IPV6_RECVDSTOPTS, label: 'IPV6_RECVDSTOPTS' }),
  destination,
);

/** Destination options header before the routing header; `message` is that of one packet. Source: RFC 3542. */
export const ipv6RthdrDstOpts: WithMessage<SocketOption<Buffer, Bytes>, Buffer, Bytes> = withMessage(
  header(IPV6_RTHDRDSTOPTS, 'IPV6_RTHDRDSTOPTS'),
  beforeRouting,
);

/** Routing header of what is sent, none unless told; `message` is that of one packet. Source: RFC 3542. */
export const ipv6Rthdr: WithMessage<SocketOption<Buffer, Bytes>, Buffer, Bytes> = withMessage(
  header(IPV6_RTHDR, 'IPV6_RTHDR'),
  routing,
);

/** Report the routing header of received packets as `message`. Source: RFC 3542. */
export const ipv6RecvRthdr: WithMessage<SocketOption<boolean>, Buffer, Bytes> = withMessage(
  booleanOption({ level, name: IPV6_RECVRTHDR, label: 'IPV6_RECVRTHDR' }),
  routing,
);

/** As soOriginalDst, for IPv6 (module nf_conntrack). */
export const ip6tSoOriginalDst: ReadonlyOption<Inet6Address> = {
  level,
  name: IP6T_SO_ORIGINAL_DST,
  label: 'IP6T_SO_ORIGINAL_DST',
  size: 28,
  decode: decodeInet6,
};
