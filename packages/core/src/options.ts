import {
  ancillaryMessage,
  type ReceiveOnlyMessage,
  scmTimestamp,
  scmTimestamping,
  scmTimestampNs,
  uint32Message,
} from './ancillary.js';
import {
  checkBigInt,
  checkBoolean,
  checkInteger,
  checkObject,
  invalidArgumentType,
  outOfRange,
  toBytes,
} from './arguments.js';
import { readI32, readU16, readU32, readU64, writeI32, writeU16, writeU32, writeU64 } from './bytes.js';
import * as c from './constants.gen.js';
import { errnoName } from './errno.js';
import {
  booleanOption,
  intBytes,
  integerOption,
  type ReadonlyOption,
  readonlyIntegerOption,
  type SocketOption,
  stringOption,
  timevalOption,
  uint32Option,
  uint64Option,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
} from './option.js';

// Options of SOL_SOCKET that any family may have. Source, unless told: socket(7).

const level = c.SOL_SOCKET;
const NET_ADMIN = 'CAP_NET_ADMIN';

/** Allow a local address that is in use by closed connections. */
export const soReuseAddr = booleanOption({ level, name: c.SO_REUSEADDR, label: 'SO_REUSEADDR' });
/** Share a local address with other sockets that set this too; the kernel spreads the load. */
export const soReusePort = booleanOption({ level, name: c.SO_REUSEPORT, label: 'SO_REUSEPORT' });
/** Probe an idle connection now and then. */
export const soKeepAlive = booleanOption({ level, name: c.SO_KEEPALIVE, label: 'SO_KEEPALIVE' });
/** Allow to send to broadcast addresses. */
export const soBroadcast = booleanOption({ level, name: c.SO_BROADCAST, label: 'SO_BROADCAST' });
/** Send only to hosts on a directly connected network. */
export const soDontRoute = booleanOption({ level, name: c.SO_DONTROUTE, label: 'SO_DONTROUTE' });
/** Leave urgent data among the other data. */
export const soOobInline = booleanOption({ level, name: c.SO_OOBINLINE, label: 'SO_OOBINLINE' });
/** Record debugging information, where the protocol does. Needs CAP_NET_ADMIN. */
export const soDebug = booleanOption({ level, name: c.SO_DEBUG, label: 'SO_DEBUG', capability: NET_ADMIN });
/** Disable UDP checksums over IPv4. Source: the kernel's net/core/sock.c. */
export const soNoCheck = booleanOption({ level, name: c.SO_NO_CHECK, label: 'SO_NO_CHECK' });
/** Deliver SCM_TIMESTAMP with each message: microseconds. */
export const soTimestamp = withMessage(
  booleanOption({ level, name: c.SO_TIMESTAMP, label: 'SO_TIMESTAMP' }),
  scmTimestamp,
);
/** Deliver SCM_TIMESTAMPNS with each message: nanoseconds. */
export const soTimestampNs = withMessage(
  booleanOption({ level, name: c.SO_TIMESTAMPNS, label: 'SO_TIMESTAMPNS' }),
  scmTimestampNs,
);
/** Timestamps of the kernel and of the adapter: SOF_TIMESTAMPING_*. Source: networking/timestamping. */
export const soTimestamping = withMessage(
  uint32Option({ level, name: c.SO_TIMESTAMPING, label: 'SO_TIMESTAMPING' }),
  scmTimestamping,
);
/** Deliver the Wi-Fi acknowledgement status with each message of the error queue. */
export const soWifiStatus = booleanOption({ level, name: c.SO_WIFI_STATUS, label: 'SO_WIFI_STATUS' });
/** SO_RXQ_OVFL: messages dropped so far, modulo 2^32, where `soRxqOvfl` is set. */
export const scmRxqOvfl: ReceiveOnlyMessage<number> = ancillaryMessage({
  level,
  type: c.SO_RXQ_OVFL,
  label: 'SO_RXQ_OVFL',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readU32(data, 0)),
});
/** Deliver the count of messages that were dropped for want of room so far. */
export const soRxqOvfl = withMessage(booleanOption({ level, name: c.SO_RXQ_OVFL, label: 'SO_RXQ_OVFL' }), scmRxqOvfl);
/** Forbid to change the filter from now on. */
export const soLockFilter = booleanOption({ level, name: c.SO_LOCK_FILTER, label: 'SO_LOCK_FILTER' });
/** Wake also who waits for urgent data (POLLPRI) when something is in the error queue. */
export const soSelectErrQueue = booleanOption({ level, name: c.SO_SELECT_ERR_QUEUE, label: 'SO_SELECT_ERR_QUEUE' });
/** Send without copying, with MSG_ZEROCOPY; completions come in the error queue. Source: networking/msg_zerocopy. */
export const soZeroCopy = booleanOption({ level, name: c.SO_ZEROCOPY, label: 'SO_ZEROCOPY' });
/** Busy polling stays on while packets come. Needs CAP_NET_ADMIN. */
export const soPreferBusyPoll = booleanOption({
  level,
  name: c.SO_PREFER_BUSY_POLL,
  label: 'SO_PREFER_BUSY_POLL',
  capability: NET_ADMIN,
});

/** Bytes for data received: the kernel gives twice what is set. */
export const soRcvBuf = integerOption({ level, name: c.SO_RCVBUF, label: 'SO_RCVBUF', min: 0 });
/** Bytes for data to send: the kernel gives twice what is set. */
export const soSndBuf = integerOption({ level, name: c.SO_SNDBUF, label: 'SO_SNDBUF', min: 0 });
/** As `soRcvBuf`, above the system's limit. Needs CAP_NET_ADMIN. Only set. */
export const soRcvBufForce: WriteonlyOption<number> = {
  level,
  name: c.SO_RCVBUFFORCE,
  label: 'SO_RCVBUFFORCE',
  capability: NET_ADMIN,
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};
/** As `soSndBuf`, above the system's limit. Needs CAP_NET_ADMIN. Only set. */
export const soSndBufForce: WriteonlyOption<number> = {
  level,
  name: c.SO_SNDBUFFORCE,
  label: 'SO_SNDBUFFORCE',
  capability: NET_ADMIN,
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};
/** Bytes that must be there before a socket is readable. */
export const soRcvLowat = integerOption({ level, name: c.SO_RCVLOWAT, label: 'SO_RCVLOWAT', min: 0 });
/** Bytes that must be free before a socket is writable: 1 on Linux, and cannot be set. */
export const soSndLowat = readonlyIntegerOption({ level, name: c.SO_SNDLOWAT, label: 'SO_SNDLOWAT' });
/**
 * Limit of blocking receives in milliseconds, `null` for none. Sockets here are non-blocking, so
 * that this has no effect on them: use `timeout`. It is for descriptors that are handed on.
 */
export const soRcvTimeo = timevalOption({ level, name: c.SO_RCVTIMEO, label: 'SO_RCVTIMEO' });
/** Limit of blocking sends: see `soRcvTimeo`. */
export const soSndTimeo = timevalOption({ level, name: c.SO_SNDTIMEO, label: 'SO_SNDTIMEO' });
/** Priority of what is sent, 0 to 6; above that CAP_NET_ADMIN is needed. */
export const soPriority = integerOption({
  level,
  name: c.SO_PRIORITY,
  label: 'SO_PRIORITY',
  min: 0,
  capability: NET_ADMIN,
});
/** Mark of one message, where SO_MARK is of the socket. Needs CAP_NET_ADMIN. */
export const scmMark = uint32Message({ level, type: c.SO_MARK, label: 'SO_MARK' });

/** Mark of what is sent, for routing and filters; `message` is that of one message. Needs CAP_NET_ADMIN. */
export const soMark = withMessage(
  uint32Option({ level, name: c.SO_MARK, label: 'SO_MARK', capability: NET_ADMIN }),
  scmMark,
);
/** Microseconds of busy polling. Raising it needs CAP_NET_ADMIN. */
export const soBusyPoll = integerOption({
  level,
  name: c.SO_BUSY_POLL,
  label: 'SO_BUSY_POLL',
  min: 0,
  capability: NET_ADMIN,
});
/** Packets in one round of busy polling. Raising it needs CAP_NET_ADMIN. */
export const soBusyPollBudget = integerOption({
  level,
  name: c.SO_BUSY_POLL_BUDGET,
  label: 'SO_BUSY_POLL_BUDGET',
  min: 0,
  max: 0xffff,
  capability: NET_ADMIN,
});
/** Processor that handles the socket's packets. */
export const soIncomingCpu = integerOption({ level, name: c.SO_INCOMING_CPU, label: 'SO_INCOMING_CPU' });
/**
 * Where MSG_PEEK starts to read, in bytes; −1 (as at first) for always at the beginning. Peeking moves it forward,
 * receiving moves it back. Source: socket(7), unix(7), udp(7).
 */
export const soPeekOff = integerOption({ level, name: c.SO_PEEK_OFF, label: 'SO_PEEK_OFF', min: -1 });
/** Bytes per second at most, over TCP. */
export const soMaxPacingRate = uint64Option({ level, name: c.SO_MAX_PACING_RATE, label: 'SO_MAX_PACING_RATE' });
/** Whether memory is reserved for the socket, in bytes. Needs CAP_NET_ADMIN. Source: the kernel's net/core/sock.c. */
export const soReserveMem = integerOption({
  level,
  name: c.SO_RESERVE_MEM,
  label: 'SO_RESERVE_MEM',
  min: 0,
  capability: NET_ADMIN,
});
/** Which buffer sizes are locked: SOCK_SNDBUF_LOCK (1), SOCK_RCVBUF_LOCK (2). */
export const soBufLock = integerOption({ level, name: c.SO_BUF_LOCK, label: 'SO_BUF_LOCK', min: 0, max: 3 });
/** Whether a silent socket's transmit hash is chosen anew: 0, 1, or 255 for the system's default. */
export const soTxRehash = integerOption({ level, name: c.SO_TXREHASH, label: 'SO_TXREHASH', min: -1, max: 255 });

/** SOCK_* of the socket. */
export const soType = readonlyIntegerOption({ level, name: c.SO_TYPE, label: 'SO_TYPE' });
/** AF_* of the socket. */
export const soDomain = readonlyIntegerOption({ level, name: c.SO_DOMAIN, label: 'SO_DOMAIN' });
/** Protocol of the socket. */
export const soProtocol = readonlyIntegerOption({ level, name: c.SO_PROTOCOL, label: 'SO_PROTOCOL' });
/** NAPI id of the last packet's queue; 0 for none. */
export const soIncomingNapiId = readonlyIntegerOption({
  level,
  name: c.SO_INCOMING_NAPI_ID,
  label: 'SO_INCOMING_NAPI_ID',
});
/** Whether the socket listens. */
export const soAcceptConn: ReadonlyOption<boolean> = {
  level,
  name: c.SO_ACCEPTCONN,
  label: 'SO_ACCEPTCONN',
  decode: (raw) => readI32(raw, 0) !== 0,
};
/** The error that waits, by its code, such as `ECONNREFUSED`; `null` for none. Reading it takes it away. */
export const soError: ReadonlyOption<string | null> = {
  level,
  name: c.SO_ERROR,
  label: 'SO_ERROR',
  decode(raw) {
    const errno = readI32(raw, 0);
    return errno === 0 ? null : errnoName(errno);
  },
};
/** A number of the socket's own, unique while the system runs. Source: the kernel's net/core/sock.c. */
export const soCookie: ReadonlyOption<bigint> = {
  level,
  name: c.SO_COOKIE,
  label: 'SO_COOKIE',
  size: 8,
  decode: (raw) => readU64(raw, 0),
};
/** A number of the socket's network namespace. Source: the kernel's net/core/sock.c. */
export const soNetnsCookie: ReadonlyOption<bigint> = {
  level,
  name: c.SO_NETNS_COOKIE,
  label: 'SO_NETNS_COOKIE',
  size: 8,
  decode: (raw) => readU64(raw, 0),
};

/** Memory that a socket uses, in bytes but for `drops`. Source: SO_MEMINFO, the kernel's net/core/sock.c. */
export interface MemoryInfo {
  receiveAllocated: number;
  receiveBuffer: number;
  sendAllocated: number;
  sendBuffer: number;
  forwardAllocated: number;
  sendQueued: number;
  optionMemory: number;
  backlog: number;
  /** Messages dropped for want of room. */
  drops: number;
}

/** Memory that the socket uses. */
export const soMemInfo: ReadonlyOption<MemoryInfo> = {
  level,
  name: c.SO_MEMINFO,
  label: 'SO_MEMINFO',
  size: 36,
  decode: (raw) => ({
    receiveAllocated: readU32(raw, 0),
    receiveBuffer: readU32(raw, 4),
    sendAllocated: readU32(raw, 8),
    sendBuffer: readU32(raw, 12),
    forwardAllocated: readU32(raw, 16),
    sendQueued: readU32(raw, 20),
    optionMemory: readU32(raw, 24),
    backlog: readU32(raw, 28),
    drops: readU32(raw, 32),
  }),
};

/** The interface that the socket is bound to; `''` for none. Needs CAP_NET_RAW to change. */
export const soBindToDevice: SocketOption<string> = {
  ...stringOption({ level, name: c.SO_BINDTODEVICE, label: 'SO_BINDTODEVICE', size: 16 }),
  capability: 'CAP_NET_RAW',
};
/** Index of the interface that the socket is bound to; 0 for none. */
export const soBindToIfIndex = integerOption({ level, name: c.SO_BINDTOIFINDEX, label: 'SO_BINDTOIFINDEX', min: 0 });

/**
 * Seconds that `close` lingers over data that was not sent yet; 0 discards them and resets the
 * connection; `null` is the usual closing in the background.
 */
export const soLinger: SocketOption<number | null> = {
  level,
  name: c.SO_LINGER,
  label: 'SO_LINGER',
  size: 8,
  encode(value) {
    const bytes = new Uint8Array(8);
    if (value === null) return bytes;
    if (typeof value !== 'number') throw invalidArgumentType('value', 'a number of seconds, or null', value);
    writeI32(bytes, 1, 0);
    writeI32(bytes, checkInteger('value', value, 0, 0xffff), 4);
    return bytes;
  },
  decode: (raw) => (readI32(raw, 0) === 0 ? null : readI32(raw, 4)),
};

/** Clock and behaviour of transmission at a set time. */
export interface TransmitTime {
  /** CLOCK_*: 11 for CLOCK_TAI, 1 for CLOCK_MONOTONIC. */
  clock: number;
  /** Send at the deadline at the latest, rather than not before it. */
  deadline?: boolean;
  /** Report what missed its time in the error queue. */
  reportErrors?: boolean;
}

/** When to send a message: nanoseconds of the clock of `soTxTime`. */
export const scmTxTime = ancillaryMessage<bigint, bigint | number>({
  level,
  type: c.SCM_TXTIME,
  label: 'SCM_TXTIME',
  size: 8,
  encode(value) {
    const bytes = new Uint8Array(8);
    writeU64(bytes, checkBigInt('value', value, 0n, 0xffffffffffffffffn), 0);
    return bytes;
  },
  decode: (data) => (data.length < 8 ? undefined : readU64(data, 0)),
});

/** Send each message at its own time, `soTxTime.message`. Source: tc-etf(8). */
export const soTxTime: WithMessage<SocketOption<TransmitTime>, bigint, bigint | number> = {
  message: scmTxTime,
  level,
  name: c.SO_TXTIME,
  label: 'SO_TXTIME',
  size: 8,
  capability: NET_ADMIN,
  encode(value) {
    const { clock, deadline = false, reportErrors = false } = checkObject('value', value);
    const bytes = new Uint8Array(8);
    writeI32(bytes, checkInteger('value.clock', clock, 0, 0x7fffffff), 0);
    const flags =
      (checkBoolean('value.deadline', deadline) ? 1 : 0) | (checkBoolean('value.reportErrors', reportErrors) ? 2 : 0);
    writeU32(bytes, flags, 4);
    return bytes;
  },
  decode(raw) {
    const flags = readU32(raw, 4);
    return { clock: readI32(raw, 0), deadline: (flags & 1) !== 0, reportErrors: (flags & 2) !== 0 };
  },
};

/** One instruction of a classic BPF program. Source: the kernel's networking/filter. */
export interface FilterInstruction {
  /** Operation: BPF_* or-ed together, 0 to 65,535. */
  code: number;
  /** Instructions to skip where a jump's condition holds. */
  jt?: number;
  /** Instructions to skip where it does not. */
  jf?: number;
  /** Operand. */
  k?: number;
}

const INSTRUCTIONS_MAX = 4096;

/** The bytes of a program: instructions, or bytes that are such already. Checks what can be checked before the kernel does. */
export function packFilter(
  program: readonly FilterInstruction[] | ArrayBufferView | ArrayBuffer,
  argument = 'value',
): Uint8Array {
  if (!Array.isArray(program)) {
    const bytes = toBytes(argument, program);
    if (bytes.length === 0 || bytes.length % 8 !== 0 || bytes.length > INSTRUCTIONS_MAX * 8) {
      throw outOfRange(argument, `1 to ${INSTRUCTIONS_MAX} instructions of 8 bytes`, bytes.length);
    }
    return bytes;
  }
  if (program.length === 0 || program.length > INSTRUCTIONS_MAX) {
    throw outOfRange(argument, `1 to ${INSTRUCTIONS_MAX} instructions`, program.length);
  }
  const bytes = new Uint8Array(program.length * 8);
  program.forEach((instruction: FilterInstruction, i) => {
    const at = `${argument}[${i}]`;
    const { code, jt = 0, jf = 0, k = 0 } = checkObject(at, instruction);
    writeU16(bytes, checkInteger(`${at}.code`, code, 0, 0xffff), i * 8);
    bytes[i * 8 + 2] = checkInteger(`${at}.jt`, jt, 0, 0xff);
    bytes[i * 8 + 3] = checkInteger(`${at}.jf`, jf, 0, 0xff);
    writeU32(bytes, checkInteger(`${at}.k`, k, -0x80000000, 0xffffffff) >>> 0, i * 8 + 4);
  });
  return bytes;
}

/** The instructions of a program's bytes. */
export function unpackFilter(bytes: Uint8Array): FilterInstruction[] {
  const program: FilterInstruction[] = [];
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    program.push({ code: readU16(bytes, i), jt: bytes[i + 2] ?? 0, jf: bytes[i + 3] ?? 0, k: readU32(bytes, i + 4) });
  }
  return program;
}

type Program = readonly FilterInstruction[] | ArrayBufferView | ArrayBuffer;

/** A classic BPF program that decides which messages the socket receives. Only set. */
export const soAttachFilter: WriteonlyOption<Program> = {
  level,
  name: c.SO_ATTACH_FILTER,
  label: 'SO_ATTACH_FILTER',
  program: true,
  encode: (value) => packFilter(value),
};
/** A classic BPF program that chooses among the sockets of a SO_REUSEPORT group. Only set. */
export const soAttachReusePortCbpf: WriteonlyOption<Program> = {
  level,
  name: c.SO_ATTACH_REUSEPORT_CBPF,
  label: 'SO_ATTACH_REUSEPORT_CBPF',
  program: true,
  encode: (value) => packFilter(value),
};
/** An eBPF program, by its descriptor, that decides which messages the socket receives. Only set. */
export const soAttachBpf: WriteonlyOption<number> = {
  level,
  name: c.SO_ATTACH_BPF,
  label: 'SO_ATTACH_BPF',
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};
/** Removes the filter; the value is of no interest to the kernel. Only set. @throws SocketError `ENOENT` where there is none */
export const soDetachFilter: WriteonlyOption<true> = {
  level,
  name: c.SO_DETACH_FILTER,
  label: 'SO_DETACH_FILTER',
  encode(value) {
    if (checkBoolean('value', value) !== true) throw outOfRange('value', 'true', value);
    return intBytes(0);
  },
};
