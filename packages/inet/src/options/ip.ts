import {
  booleanOption,
  checkInteger,
  checkObject,
  type InterfaceInput,
  integerOption,
  outOfRange,
  type ReadonlyOption,
  readonlyIntegerOption,
  readU32,
  type SocketOption,
  type WithMessage,
  withMessage,
  writeU32,
} from '@sock/core';
import { decodeInet, type InetAddress } from '../address.js';
import {
  checksum,
  extendedError4,
  fragmentSize4,
  type IpExtendedError,
  originalDestination4,
  type PacketInfo4,
  type PacketInfoInput,
  packetInfo4,
  receivedOptions,
  returnedOptions,
  timeToLive,
  typeOfService,
} from '../ancillary.js';
import { htonl, ntohl } from '../bytes.js';
import {
  IP_BIND_ADDRESS_NO_PORT,
  IP_CHECKSUM,
  IP_FREEBIND,
  IP_HDRINCL,
  IP_LOCAL_PORT_RANGE,
  IP_MINTTL,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_NODEFRAG,
  IP_OPTIONS,
  IP_PKTINFO,
  IP_PROTOCOL,
  IP_RECVERR,
  IP_RECVERR_RFC4884,
  IP_RECVFRAGSIZE,
  IP_RECVOPTS,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_RETOPTS,
  IP_ROUTER_ALERT,
  IP_TOS,
  IP_TRANSPARENT,
  IP_TTL,
  IP_UNICAST_IF,
  IPPROTO_IP,
  SO_ORIGINAL_DST,
} from '../constants.gen.js';
import { bytesOption, interfaceOption } from './shared.js';

const level = IPPROTO_IP;

type Bytes = ArrayBufferView | ArrayBuffer;

/**
 * Type of service of what is sent, 0 to 255: DSCP and ECN (IPTOS_*). `message` is that of one packet.
 * Source: ip(7).
 */
export const ipTos: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ level, name: IP_TOS, label: 'IP_TOS', min: 0, max: 255 }),
  typeOfService,
);

/** Time to live of what is sent, 1 to 255, or −1 for the default. `message` is that of one packet. Source: ip(7). */
export const ipTtl: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ level, name: IP_TTL, label: 'IP_TTL', min: -1, max: 255 }),
  timeToLive,
);

/** Of a raw socket: what is sent begins with the IP header. Source: ip(7), raw(7). */
export const ipHdrIncl: SocketOption<boolean> = booleanOption({ level, name: IP_HDRINCL, label: 'IP_HDRINCL' });

/** IP options of what is sent, at most 40 bytes. Source: ip(7). */
export const ipOptions: SocketOption<Buffer, Bytes> = bytesOption({
  level,
  name: IP_OPTIONS,
  label: 'IP_OPTIONS',
  max: 40,
});

/** Of a raw socket: receive packets to be forwarded that have the Router Alert option. Source: ip(7). */
export const ipRouterAlert: SocketOption<boolean> = booleanOption({
  level,
  name: IP_ROUTER_ALERT,
  label: 'IP_ROUTER_ALERT',
});

/** Report the IP options of received packets as `message`. Source: ip(7). */
export const ipRecvOpts: WithMessage<SocketOption<boolean>, Buffer, Bytes> = withMessage(
  booleanOption({ level, name: IP_RECVOPTS, label: 'IP_RECVOPTS' }),
  receivedOptions,
);

/**
 * Report the IP options of received packets as an answer needs them; sent, `message` is the options of
 * one packet. Source: ip(7).
 */
export const ipRetOpts: WithMessage<SocketOption<boolean>, Buffer, Bytes> = withMessage(
  booleanOption({ level, name: IP_RETOPTS, label: 'IP_RETOPTS' }),
  returnedOptions,
);

/**
 * Report interface and destination of received packets; sent, `message` chooses interface and source.
 * Source: ip(7).
 */
export const ipPktInfo: WithMessage<SocketOption<boolean>, PacketInfo4, PacketInfoInput> = withMessage(
  booleanOption({ level, name: IP_PKTINFO, label: 'IP_PKTINFO' }),
  packetInfo4,
);

/** Discovery of the path's MTU: an IP_PMTUDISC_* value. Source: ip(7). */
export const ipMtuDiscover: SocketOption<number> = integerOption({
  level,
  name: IP_MTU_DISCOVER,
  label: 'IP_MTU_DISCOVER',
  min: 0,
  max: 5,
});

/** Queue errors: `recvMsg` with MSG_ERRQUEUE gives what was sent, and `message`. Source: ip(7). */
export const ipRecvErr: WithMessage<SocketOption<boolean>, IpExtendedError, never> = withMessage(
  booleanOption({ level, name: IP_RECVERR, label: 'IP_RECVERR' }),
  extendedError4,
);

/** With ipRecvErr: queue the extensions of ICMP messages too. Source: RFC 4884. */
export const ipRecvErrRfc4884: SocketOption<boolean> = booleanOption({
  level,
  name: IP_RECVERR_RFC4884,
  label: 'IP_RECVERR_RFC4884',
});

/** Report the time to live of received packets as `message`. Source: ip(7). */
export const ipRecvTtl: WithMessage<SocketOption<boolean>, number> = withMessage(
  booleanOption({ level, name: IP_RECVTTL, label: 'IP_RECVTTL' }),
  timeToLive,
);

/** Report the type of service of received packets as `message`. Source: ip(7). */
export const ipRecvTos: WithMessage<SocketOption<boolean>, number> = withMessage(
  booleanOption({ level, name: IP_RECVTOS, label: 'IP_RECVTOS' }),
  typeOfService,
);

/** Known MTU of the path, in bytes, of a connected socket: else `ENOTCONN`. Source: ip(7). */
export const ipMtu: ReadonlyOption<number> = readonlyIntegerOption({ level, name: IP_MTU, label: 'IP_MTU' });

/** Bind to addresses that this machine does not have, or not yet. Source: ip(7). */
export const ipFreeBind: SocketOption<boolean> = booleanOption({ level, name: IP_FREEBIND, label: 'IP_FREEBIND' });

/** Bind to and answer from addresses of others: a transparent proxy. Source: ip(7). */
export const ipTransparent: SocketOption<boolean> = booleanOption({
  level,
  name: IP_TRANSPARENT,
  label: 'IP_TRANSPARENT',
  capability: 'CAP_NET_ADMIN',
});

/** Report where redirected datagrams were sent to as `message`. Source: ip(7). */
export const ipRecvOrigDstAddr: WithMessage<SocketOption<boolean>, InetAddress, never> = withMessage(
  booleanOption({ level, name: IP_RECVORIGDSTADDR, label: 'IP_RECVORIGDSTADDR' }),
  originalDestination4,
);

/** Least time to live of packets to receive, 0 to 255. Source: RFC 5082. */
export const ipMinTtl: SocketOption<number> = integerOption({
  level,
  name: IP_MINTTL,
  label: 'IP_MINTTL',
  min: 0,
  max: 255,
});

/** Of a raw socket: what is sent is not reassembled on its way out. Source: ip(7). */
export const ipNodefrag: SocketOption<boolean> = booleanOption({ level, name: IP_NODEFRAG, label: 'IP_NODEFRAG' });

/** Report the checksum of received UDP data as `message`. */
export const ipChecksum: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: IP_CHECKSUM, label: 'IP_CHECKSUM' }),
  checksum,
);

/** bind with port 0 leaves the choice of the port to connect. Source: ip(7). */
export const ipBindAddressNoPort: SocketOption<boolean> = booleanOption({
  level,
  name: IP_BIND_ADDRESS_NO_PORT,
  label: 'IP_BIND_ADDRESS_NO_PORT',
});

/** Report the largest fragment of reassembled packets as `message`. */
export const ipRecvFragSize: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: IP_RECVFRAGSIZE, label: 'IP_RECVFRAGSIZE' }),
  fragmentSize4,
);

/** Ports that the kernel may choose from: `low` to `high`, 0 being the system's limit. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** Ports that the kernel may choose for this socket, of IPv4 or IPv6. Source: ip(7). */
export const ipLocalPortRange: SocketOption<PortRange> = {
  level,
  name: IP_LOCAL_PORT_RANGE,
  label: 'IP_LOCAL_PORT_RANGE',
  encode(value) {
    const { low, high } = checkObject('value', value);
    checkInteger('value.low', low, 0, 0xffff);
    checkInteger('value.high', high, 0, 0xffff);
    if (low !== 0 && high !== 0 && low > high) throw outOfRange('value.low', 'no greater than value.high', low);
    const bytes = new Uint8Array(4);
    writeU32(bytes, ((high << 16) | low) >>> 0, 0);
    return bytes;
  },
  decode(raw) {
    const range = readU32(raw, 0);
    return { low: range & 0xffff, high: range >>> 16 };
  },
};

/** Protocol of a raw socket, as it was opened with. */
export const ipProtocol: ReadonlyOption<number> = readonlyIntegerOption({
  level,
  name: IP_PROTOCOL,
  label: 'IP_PROTOCOL',
});

/** Interface to send unicast packets through, whatever their destination. Source: the kernel's in.h. */
export const ipUnicastIf: SocketOption<InterfaceInput> = interfaceOption(
  { level, name: IP_UNICAST_IF, label: 'IP_UNICAST_IF' },
  // network byte order, unlike every other option that takes an index
  { toKernel: (index) => htonl(index) | 0, fromKernel: (value) => ntohl(value >>> 0) },
);

/**
 * Of a connection that a firewall redirected here: where it was meant for. `ENOENT` where it was not
 * redirected, `ENOPROTOOPT` without connection tracking (module nf_conntrack).
 */
export const soOriginalDst: ReadonlyOption<InetAddress> = {
  level,
  name: SO_ORIGINAL_DST,
  label: 'SO_ORIGINAL_DST',
  size: 16,
  decode: decodeInet,
};
