import {
  AF_INET6,
  booleanOption,
  checkInteger,
  checkObject,
  type InterfaceInput,
  integerOption,
  interfaceIndex,
  outOfRange,
  type ReadonlyOption,
  readI32,
  readU32,
  type SocketOption,
  stringOption,
  toBytes,
  uint32Option,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
  writeU16,
} from '@sock/core';
import { bytesLeft } from '../ancillary.js';
import {
  IPPROTO_TCP,
  TCP_CC_INFO,
  TCP_CONGESTION,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_DELACK_MAX_US,
  TCP_FASTOPEN,
  TCP_FASTOPEN_CONNECT,
  TCP_FASTOPEN_KEY,
  TCP_FASTOPEN_NO_COOKIE,
  TCP_INFO,
  TCP_INQ,
  TCP_IS_MPTCP,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_LINGER2,
  TCP_MAXSEG,
  TCP_MD5SIG,
  TCP_MD5SIG_EXT,
  TCP_MD5SIG_FLAG_IFINDEX,
  TCP_MD5SIG_FLAG_PREFIX,
  TCP_MD5SIG_MAXKEYLEN,
  TCP_NODELAY,
  TCP_NOTSENT_LOWAT,
  TCP_QUICKACK,
  TCP_RTO_MAX_MS,
  TCP_RTO_MIN_US,
  TCP_SAVE_SYN,
  TCP_SAVED_SYN,
  TCP_SYNCNT,
  TCP_THIN_LINEAR_TIMEOUTS,
  TCP_TIMESTAMP,
  TCP_TX_DELAY,
  TCP_ULP,
  TCP_USER_TIMEOUT,
  TCP_WINDOW_CLAMP,
} from '../constants.gen.js';
import { ints, writeIPv4, writeIPv6 } from '../structures.js';
import { decodeTcpInfo, TCP_INFO_SIZE, type TcpInfo } from '../tcp-info.js';
import { bytesOption } from './shared.js';

const level = IPPROTO_TCP;

/** Send small pieces at once, without Nagle's algorithm. Source: tcp(7). */
export const tcpNoDelay: SocketOption<boolean> = booleanOption({ level, name: TCP_NODELAY, label: 'TCP_NODELAY' });

/** Largest segment to send, in bytes; 0 is the system's choice. Source: tcp(7). */
export const tcpMaxSeg: SocketOption<number> = integerOption({
  level,
  name: TCP_MAXSEG,
  label: 'TCP_MAXSEG',
  min: 0,
  max: 32_767,
});

/** Hold partial segments back, for at most 200 milliseconds, until this is unset. Source: tcp(7). */
export const tcpCork: SocketOption<boolean> = booleanOption({ level, name: TCP_CORK, label: 'TCP_CORK' });

/** Seconds of silence before the first keep-alive probe (with soKeepAlive). Source: tcp(7). */
export const tcpKeepIdle: SocketOption<number> = integerOption({
  level,
  name: TCP_KEEPIDLE,
  label: 'TCP_KEEPIDLE',
  min: 1,
  max: 32_767,
});

/** Seconds between keep-alive probes. Source: tcp(7). */
export const tcpKeepIntvl: SocketOption<number> = integerOption({
  level,
  name: TCP_KEEPINTVL,
  label: 'TCP_KEEPINTVL',
  min: 1,
  max: 32_767,
});

/** Keep-alive probes without an answer before the connection is dropped. Source: tcp(7). */
export const tcpKeepCnt: SocketOption<number> = integerOption({
  level,
  name: TCP_KEEPCNT,
  label: 'TCP_KEEPCNT',
  min: 1,
  max: 127,
});

/** SYNs sent before connecting fails. Source: tcp(7). */
export const tcpSynCnt: SocketOption<number> = integerOption({
  level,
  name: TCP_SYNCNT,
  label: 'TCP_SYNCNT',
  min: 1,
  max: 127,
});

/** Seconds that a closed connection may stay in FIN_WAIT2; −1 is no time at all. Source: tcp(7). */
export const tcpLinger2: SocketOption<number> = integerOption({
  level,
  name: TCP_LINGER2,
  label: 'TCP_LINGER2',
  min: -1,
});

/**
 * Accept a connection when its first data came, or after about this many seconds. The kernel
 * rounds to what its retransmissions allow. Source: tcp(7).
 */
export const tcpDeferAccept: SocketOption<number> = integerOption({
  level,
  name: TCP_DEFER_ACCEPT,
  label: 'TCP_DEFER_ACCEPT',
  min: 0,
});

/** Largest receive window to advertise, in bytes. Source: tcp(7). */
export const tcpWindowClamp: SocketOption<number> = integerOption({
  level,
  name: TCP_WINDOW_CLAMP,
  label: 'TCP_WINDOW_CLAMP',
  min: 0,
});

/** All that the kernel knows about the connection. Source: tcp(7), `struct tcp_info`. */
export const tcpInfo: ReadonlyOption<TcpInfo> = {
  level,
  name: TCP_INFO,
  label: 'TCP_INFO',
  size: TCP_INFO_SIZE,
  decode: decodeTcpInfo,
};

/** Acknowledge at once; the kernel may go back to delaying by itself. Source: tcp(7). */
export const tcpQuickAck: SocketOption<boolean> = booleanOption({ level, name: TCP_QUICKACK, label: 'TCP_QUICKACK' });

/**
 * Congestion control algorithm, such as `cubic`; those of net.ipv4.tcp_allowed_congestion_control
 * need no capability. Source: tcp(7).
 */
export const tcpCongestion: SocketOption<string> = stringOption({
  level,
  name: TCP_CONGESTION,
  label: 'TCP_CONGESTION',
  size: 16,
  capability: 'CAP_NET_ADMIN',
});

/** Linear instead of exponential retransmission timeouts for a connection with little in flight. */
export const tcpThinLinearTimeouts: SocketOption<boolean> = booleanOption({
  level,
  name: TCP_THIN_LINEAR_TIMEOUTS,
  label: 'TCP_THIN_LINEAR_TIMEOUTS',
});

/**
 * Milliseconds that sent data may stay unacknowledged before the connection is dropped; 0 is the
 * default. Source: tcp(7).
 */
export const tcpUserTimeout: SocketOption<number> = integerOption({
  level,
  name: TCP_USER_TIMEOUT,
  label: 'TCP_USER_TIMEOUT',
  min: 0,
});

/** Of a listening socket: connections whose SYN brought data that may wait to be accepted. Source: tcp(7), RFC 7413. */
export const tcpFastOpen: SocketOption<number> = integerOption({
  level,
  name: TCP_FASTOPEN,
  label: 'TCP_FASTOPEN',
  min: 0,
});

/** connect succeeds at once, and the first data go with the SYN. Source: tcp(7). */
export const tcpFastOpenConnect: SocketOption<boolean> = booleanOption({
  level,
  name: TCP_FASTOPEN_CONNECT,
  label: 'TCP_FASTOPEN_CONNECT',
});

/** Key of a listening socket's Fast Open cookies: 16 bytes, or 32 for a key and its predecessor. */
export const tcpFastOpenKey: SocketOption<Buffer, ArrayBufferView | ArrayBuffer> = bytesOption({
  level,
  name: TCP_FASTOPEN_KEY,
  label: 'TCP_FASTOPEN_KEY',
  max: 32,
});

/** Fast Open without cookies. */
export const tcpFastOpenNoCookie: SocketOption<boolean> = booleanOption({
  level,
  name: TCP_FASTOPEN_NO_COOKIE,
  label: 'TCP_FASTOPEN_NO_COOKIE',
});

/** The clock of the connection's TCP timestamps. */
export const tcpTimestamp: ReadonlyOption<number> = {
  level,
  name: TCP_TIMESTAMP,
  label: 'TCP_TIMESTAMP',
  decode: (raw) => readU32(raw, 0),
};

/** Bytes not yet sent below which the socket counts as writable. */
export const tcpNotSentLowat: SocketOption<number> = uint32Option({
  level,
  name: TCP_NOTSENT_LOWAT,
  label: 'TCP_NOTSENT_LOWAT',
});

/** What the congestion control algorithm tells of itself, a structure of its own; empty where it tells nothing. */
export const tcpCcInfo: ReadonlyOption<Buffer> = {
  level,
  name: TCP_CC_INFO,
  label: 'TCP_CC_INFO',
  size: 64,
  decode: (raw) => raw,
};

/** Of a listening socket: keep the headers of SYNs: 0 none, 1 IP and TCP, 2 with the link layer's. */
export const tcpSaveSyn: SocketOption<number> = integerOption({
  level,
  name: TCP_SAVE_SYN,
  label: 'TCP_SAVE_SYN',
  min: 0,
  max: 2,
});

/** Of an accepted socket: the headers of its SYN, given once; empty without tcpSaveSyn. */
export const tcpSavedSyn: ReadonlyOption<Buffer> = {
  level,
  name: TCP_SAVED_SYN,
  label: 'TCP_SAVED_SYN',
  size: 512,
  decode: (raw) => raw,
};

/** Upper layer protocol, such as `tls`; it cannot be unset. Source: the kernel's networking/tls. */
export const tcpUlp: SocketOption<string> = stringOption({ level, name: TCP_ULP, label: 'TCP_ULP', size: 16 });

/** Report with what is received how many bytes are left, as `message`. */
export const tcpInq: WithMessage<SocketOption<boolean>, number, never> = withMessage(
  booleanOption({ level, name: TCP_INQ, label: 'TCP_INQ' }),
  bytesLeft,
);

/** Delay what is sent by this many microseconds: for tests of slow networks. */
export const tcpTxDelay: SocketOption<number> = integerOption({
  level,
  name: TCP_TX_DELAY,
  label: 'TCP_TX_DELAY',
  min: 0,
});

/** Whether the connection is Multipath TCP and has not fallen back. Source: the kernel's networking/mptcp. */
export const tcpIsMptcp: ReadonlyOption<boolean> = {
  level,
  name: TCP_IS_MPTCP,
  label: 'TCP_IS_MPTCP',
  decode: (raw) => readI32(raw, 0) !== 0,
};

/** Longest retransmission timeout, in milliseconds. */
export const tcpRtoMaxMs: SocketOption<number> = integerOption({
  level,
  name: TCP_RTO_MAX_MS,
  label: 'TCP_RTO_MAX_MS',
  min: 1000,
  max: 120_000,
});

/** Shortest retransmission timeout, in microseconds. */
export const tcpRtoMinUs: SocketOption<number> = integerOption({
  level,
  name: TCP_RTO_MIN_US,
  label: 'TCP_RTO_MIN_US',
  min: 1,
});

/** Longest delay of an acknowledgement, in microseconds. */
export const tcpDelAckMaxUs: SocketOption<number> = integerOption({
  level,
  name: TCP_DELACK_MAX_US,
  label: 'TCP_DELACK_MAX_US',
  min: 1,
});

/** A key for the segments from and to a peer. Source: RFC 2385. */
export interface TcpMd5Key {
  /** Address of the peer. */
  readonly host: string;
  /** Up to 80 bytes; none removes the peer's key. */
  readonly key: string | ArrayBufferView | ArrayBuffer;
}

/** A key for the segments from and to a network. */
export interface TcpMd5PrefixKey extends TcpMd5Key {
  /** Leading bits of `host` that name the network; all of them unless told. */
  readonly prefix?: number | undefined;
  /** The key is for this L3 master device only. */
  readonly interface?: InterfaceInput | undefined;
}

// a struct tcp_md5sig: a struct sockaddr_storage, flags, prefix length, key length, interface, key
const MD5SIG_FLAGS = 128;

function md5Signature(value: TcpMd5Key, ipv6: boolean, domain: number): Uint8Array {
  const { host, key } = checkObject('value', value);
  const bytes = new Uint8Array(MD5SIG_FLAGS + 8 + TCP_MD5SIG_MAXKEYLEN);
  const secret = toBytes('value.key', key);
  if (secret.length > TCP_MD5SIG_MAXKEYLEN) {
    throw outOfRange('value.key', `at most ${TCP_MD5SIG_MAXKEYLEN} bytes`, `${secret.length} bytes`);
  }
  writeU16(bytes, domain, 0);
  if (ipv6) writeIPv6('value.host', host, bytes, 8);
  else writeIPv4('value.host', host, bytes, 4);
  writeU16(bytes, secret.length, MD5SIG_FLAGS + 2);
  bytes.set(secret, MD5SIG_FLAGS + 8);
  return bytes;
}

/** Sign segments with a key that both ends know, as BGP does. Source: tcp(7), RFC 2385. */
export const tcpMd5Sig: WriteonlyOption<TcpMd5Key> = {
  level,
  name: TCP_MD5SIG,
  label: 'TCP_MD5SIG',
  encode: (value, { domain }) => md5Signature(value, domain === AF_INET6, domain),
};

/** As tcpMd5Sig, for all peers of a network. */
export const tcpMd5SigExt: WriteonlyOption<TcpMd5PrefixKey> = {
  level,
  name: TCP_MD5SIG_EXT,
  label: 'TCP_MD5SIG_EXT',
  encode(value, socket) {
    const ipv6 = socket.domain === AF_INET6;
    const bytes = md5Signature(value, ipv6, socket.domain);
    const { prefix, interface: device } = value;
    let flags = 0;
    if (prefix !== undefined) {
      flags |= TCP_MD5SIG_FLAG_PREFIX;
      bytes[MD5SIG_FLAGS + 1] = checkInteger('value.prefix', prefix, 0, ipv6 ? 128 : 32);
    }
    if (device !== undefined) {
      flags |= TCP_MD5SIG_FLAG_IFINDEX;
      bytes.set(ints(interfaceIndex('value.interface', device, socket)), MD5SIG_FLAGS + 4);
    }
    bytes[MD5SIG_FLAGS] = flags;
    return bytes;
  },
};
