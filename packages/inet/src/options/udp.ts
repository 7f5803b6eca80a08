import { booleanOption, integerOption, type SocketOption, type WithMessage, withMessage } from '@sock/core';
import { receiveSegmentSize, segmentSize } from '../ancillary.js';
import {
  IPPROTO_UDP,
  SOL_UDPLITE,
  UDP_CORK,
  UDP_ENCAP,
  UDP_GRO,
  UDP_NO_CHECK6_RX,
  UDP_NO_CHECK6_TX,
  UDP_SEGMENT,
  UDPLITE_RECV_CSCOV,
  UDPLITE_SEND_CSCOV,
} from '../constants.gen.js';

const level = IPPROTO_UDP;

/** Gather what is sent into one datagram, until this is unset. Source: udp(7). */
export const udpCork: SocketOption<boolean> = booleanOption({ level, name: UDP_CORK, label: 'UDP_CORK' });

/** Encapsulation that the kernel handles on this socket: a UDP_ENCAP_* value. */
export const udpEncap: SocketOption<number> = integerOption({ level, name: UDP_ENCAP, label: 'UDP_ENCAP', min: 0 });

/** Send IPv6 datagrams without a checksum: only for tunnels that RFC 6936 allows it. */
export const udpNoCheck6Tx: SocketOption<boolean> = booleanOption({
  level,
  name: UDP_NO_CHECK6_TX,
  label: 'UDP_NO_CHECK6_TX',
});

/** Accept IPv6 datagrams without a checksum, as udpNoCheck6Tx. */
export const udpNoCheck6Rx: SocketOption<boolean> = booleanOption({
  level,
  name: UDP_NO_CHECK6_RX,
  label: 'UDP_NO_CHECK6_RX',
});

/**
 * Cut what is sent into datagrams of this many bytes, 0 to 65535, 0 being off; `message` is for one
 * send. Source: udp(7).
 */
export const udpSegment: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ level, name: UDP_SEGMENT, label: 'UDP_SEGMENT', min: 0, max: 0xffff }),
  segmentSize,
);

/** Receive several datagrams of one sender as one message; `message` is the size of each. Source: udp(7). */
export const udpGro: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: UDP_GRO, label: 'UDP_GRO' }),
  receiveSegmentSize,
);

/** Of UDP-Lite: bytes that the checksum of what is sent covers, 0 being all, else at least 8. Source: udplite(7). */
export const udpLiteSendCsCov: SocketOption<number> = integerOption({
  level: SOL_UDPLITE,
  name: UDPLITE_SEND_CSCOV,
  label: 'UDPLITE_SEND_CSCOV',
  min: 0,
  max: 0xffff,
});

/** Of UDP-Lite: bytes that the checksum of what is received must cover at least. Source: udplite(7). */
export const udpLiteRecvCsCov: SocketOption<number> = integerOption({
  level: SOL_UDPLITE,
  name: UDPLITE_RECV_CSCOV,
  label: 'UDPLITE_RECV_CSCOV',
  min: 0,
  max: 0xffff,
});
