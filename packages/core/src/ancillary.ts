import { endianness } from 'node:os';
import { checkInteger, invalidArgumentType, toBytes } from './arguments.js';
import { LONG_SIZE, readI32, readI64, readU32, writeI32, writeU32, writeU64 } from './bytes.js';
import {
  SCM_PIDFD,
  SCM_RIGHTS,
  SCM_TIMESTAMP,
  SCM_TIMESTAMPING,
  SCM_TIMESTAMPNS,
  SOL_SOCKET,
} from './constants.gen.js';
import { errnoName } from './errno.js';
import { native } from './native.js';

// a struct cmsghdr is a size_t and two ints; what follows is aligned as a size_t
const HEADER = LONG_SIZE + 8;
// what leaves room in an int for the header, and for the padding too
const LENGTH_MAX = 0x7fffffff - HEADER;
const SPACE_MAX = LENGTH_MAX - LONG_SIZE;

const align = (length: number): number => (length + LONG_SIZE - 1) & ~(LONG_SIZE - 1);

/**
 * Bytes of a control message with `length` bytes of data, without padding: the ancillary size that
 * receives one such message and nothing behind it. Source: cmsg(3).
 */
export function CMSG_LEN(length: number): number {
  return HEADER + checkInteger('length', length, 0, LENGTH_MAX);
}

/**
 * Bytes that a control message with `length` bytes of data takes in a row of several. The ancillary
 * size for several messages is the sum of theirs. Source: cmsg(3).
 */
export function CMSG_SPACE(length: number): number {
  return HEADER + align(checkInteger('length', length, 0, SPACE_MAX));
}

/** One control message as the kernel has it. Source: cmsg(3). */
export interface AncillaryItem {
  /** Originating protocol, such as SOL_SOCKET. */
  readonly level: number;
  /** Protocol-specific type, such as SCM_RIGHTS. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** A control-message codec: how the bytes of one kind of control message and a value become each other. */
export interface AncillaryCodec<Value, Input = Value> {
  /** Originating protocol, `undefined` on a platform that lacks the message. */
  readonly level: number | undefined;
  readonly type: number | undefined;
  /** Name of the constant, such as `SCM_RIGHTS`, for messages. */
  readonly label: string;
  /** Bytes of data that one message has at most, for `space`. */
  readonly size: number;
  /** Absent where the kernel only sends this message. @throws TypeError or RangeError on what is not accepted. */
  encode?(value: Input): Uint8Array;
  /** `undefined` for what is too short. Never throws on what the kernel gave. */
  decode(data: Uint8Array): Value | undefined;
}

/** A control-message codec with the ways to use it. */
export interface AncillaryMessage<Value, Input = Value> extends AncillaryCodec<Value, Input> {
  /** Bytes to add to the ancillary size of `recvMsg` for one such message: CMSG_SPACE of `size`. */
  readonly space: number;
  /** Decodes the first such message, `undefined` where there is none or it was cut off. */
  find(ancillary: Iterable<AncillaryItem>): Value | undefined;
  /** Decodes all such messages. */
  findAll(ancillary: Iterable<AncillaryItem>): Value[];
  /** Makes a message to send. */
  create(value: Input): AncillaryItem;
}

/** A message that the kernel makes and that cannot be sent: `create` throws a TypeError. */
export type ReceiveOnlyMessage<Value> = AncillaryMessage<Value, never>;

/** Completes a control-message codec with `find`, `findAll`, `create` and `space`. */
export function ancillaryMessage<Value, Input = Value>(
  codec: AncillaryCodec<Value, Input>,
): AncillaryMessage<Value, Input> {
  const { level, type } = codec;
  function* decoded(ancillary: Iterable<AncillaryItem>): Generator<Value> {
    for (const item of ancillary) {
      if (item.level !== level || item.type !== type) continue;
      const value = codec.decode(item.data);
      if (value !== undefined) yield value;
    }
  }
  return {
    ...codec,
    space: CMSG_SPACE(codec.size),
    find(ancillary) {
      for (const value of decoded(ancillary)) return value;
      return undefined;
    },
    findAll: (ancillary) => [...decoded(ancillary)],
    create(value) {
      if (codec.encode === undefined || level === undefined || type === undefined) {
        throw invalidArgumentType('message', `a control message that can be sent (${codec.label} cannot)`, codec.label);
      }
      return { level, type, data: codec.encode(value) };
    },
  };
}

/** A control message that is a number of 32 bits without a sign. */
export function uint32Message(
  identity: Pick<AncillaryCodec<number>, 'level' | 'type' | 'label'>,
): AncillaryMessage<number> {
  return ancillaryMessage<number>({
    ...identity,
    size: 4,
    encode(value) {
      const bytes = new Uint8Array(4);
      writeU32(bytes, checkInteger('value', value, 0, 0xffffffff), 0);
      return bytes;
    },
    decode: (data) => (data.length < 4 ? undefined : readU32(data, 0)),
  });
}

/** Control messages as the kernel takes them, one behind the other. */
export function encodeAncillary(items: Iterable<AncillaryItem>): Uint8Array {
  const parts: { level: number; type: number; data: Uint8Array }[] = [];
  let size = 0;
  let index = 0;
  for (const item of items as Iterable<unknown>) {
    const argument = `ancillary[${index++}]`;
    if (typeof item !== 'object' || item === null) {
      throw invalidArgumentType(argument, 'a control message { level, type, data }', item);
    }
    const { level, type, data } = item as Record<'level' | 'type' | 'data', unknown>;
    const part = {
      level: checkInteger(`${argument}.level`, level, -0x80000000, 0x7fffffff),
      type: checkInteger(`${argument}.type`, type, -0x80000000, 0x7fffffff),
      data: toBytes(`${argument}.data`, data),
    };
    size += CMSG_SPACE(part.data.length);
    parts.push(part);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const { level, type, data } of parts) {
    const length = CMSG_LEN(data.length);
    if (LONG_SIZE === 8) writeU64(bytes, BigInt(length), offset);
    else writeU32(bytes, length, offset);
    writeI32(bytes, level, offset + LONG_SIZE);
    writeI32(bytes, type, offset + LONG_SIZE + 4);
    bytes.set(data, offset + HEADER);
    offset += HEADER + align(data.length);
  }
  return bytes;
}

// Where in 64 bits the lower half lies, and the upper one. Numbers of 32 bits are read without an object for each.
const [LOW, HIGH] = endianness() === 'LE' ? [0, 4] : [4, 0];

// a size_t, of what fits into memory: the kernel counts no control messages of 4 GB
const lengthAt = (control: Uint8Array, offset: number): number =>
  readU32(control, LONG_SIZE === 8 ? offset + LOW : offset);

/** Shared by all control messages without descriptors: nothing is ever added. */
const NO_DESCRIPTORS = new Set<number>();

const carriesDescriptors = ({ level, type }: AncillaryItem): boolean =>
  level === SOL_SOCKET && (type === SCM_RIGHTS || type === SCM_PIDFD);

function descriptorsIn(data: Uint8Array): number[] {
  const fds: number[] = [];
  for (let offset = 0; offset + 4 <= data.length; offset += 4) fds.push(readI32(data, offset));
  return fds;
}

function closeAll(fds: ReadonlySet<number>): void {
  for (const fd of fds) native.close(fd);
}

const collected = new FinalizationRegistry<ReadonlySet<number>>((fds) => {
  if (fds.size === 0) return;
  process.emitWarning(
    `${fds.size} received descriptor(s) were never taken (fd ${[...fds].join(', ')}); they are closed now. ` +
      'Take them with scmRights.take(ancillary), or dispose of the ancillary data',
    'ResourceWarning',
  );
  closeAll(fds);
});

/**
 * The control messages that came with a message, in the kernel's order, those that were cut off
 * included. It owns the descriptors among them (SCM_RIGHTS, SCM_PIDFD): `take` hands them over,
 * disposing closes the others. What is collected undisposed is closed too, with a warning.
 */
export class Ancillary implements Iterable<AncillaryItem>, Disposable {
  private static readonly empty = new Ancillary([], NO_DESCRIPTORS);

  /** @internal */
  private constructor(
    private readonly items: readonly AncillaryItem[],
    private readonly fds: Set<number>,
  ) {
    if (fds.size > 0) collected.register(this, fds, this);
  }

  /** No control messages. */
  static none(): Ancillary {
    return Ancillary.empty;
  }

  /** @internal Reads what recvmsg(2) gave; copies it. */
  static parse(control: Uint8Array): Ancillary {
    const items: AncillaryItem[] = [];
    let fds: Set<number> | undefined;
    for (let offset = 0; offset + HEADER <= control.length; ) {
      const length = lengthAt(control, offset);
      if (length < HEADER) break;
      const item = {
        level: readI32(control, offset + LONG_SIZE),
        type: readI32(control, offset + LONG_SIZE + 4),
        data: control.slice(offset + HEADER, Math.min(offset + length, control.length)),
      };
      items.push(item);
      if (carriesDescriptors(item)) {
        // a pidfd that the kernel could not make is an errno
        fds ??= new Set();
        for (const fd of descriptorsIn(item.data)) if (fd >= 0) fds.add(fd);
      }
      offset += align(length);
    }
    return new Ancillary(items, fds ?? NO_DESCRIPTORS);
  }

  /** Number of control messages. */
  get length(): number {
    return this.items.length;
  }

  [Symbol.iterator](): Iterator<AncillaryItem> {
    return this.items[Symbol.iterator]();
  }

  /** Descriptors that this owns still, in no order. */
  get descriptors(): number[] {
    return [...this.fds];
  }

  /**
   * Hands over the descriptors in the messages of one type: the caller closes them from now on.
   * Those that were taken before are not given again.
   */
  take(level: number, type: number): number[] {
    const taken: number[] = [];
    for (const item of this.items) {
      if (item.level !== level || item.type !== type || !carriesDescriptors(item)) continue;
      for (const fd of descriptorsIn(item.data)) {
        if (this.release(fd)) taken.push(fd);
      }
    }
    return taken;
  }

  /** Hands over one descriptor: the caller closes it from now on. `false` where it is not owned here. */
  release(fd: number): boolean {
    if (!this.fds.delete(fd)) return false;
    native.release(fd);
    return true;
  }

  /** Closes the descriptors that were not taken. */
  [Symbol.dispose](): void {
    closeAll(this.fds);
    this.fds.clear();
  }
}

/**
 * Descriptors passed between processes. `find` looks without taking; `take` hands them over.
 * Source: unix(7).
 */
export const scmRights: AncillaryMessage<number[], readonly number[]> & {
  /** Hands over the descriptors received: the caller closes them, or gives them to `Socket.adopt`. */
  take(ancillary: Ancillary): number[];
} = Object.assign(
  ancillaryMessage<number[], readonly number[]>({
    level: SOL_SOCKET,
    type: SCM_RIGHTS,
    label: 'SCM_RIGHTS',
    size: 4,
    encode(fds) {
      if (!Array.isArray(fds)) throw invalidArgumentType('fds', 'an array of descriptors', fds);
      const bytes = new Uint8Array(fds.length * 4);
      // -1 is the kernel's to refuse: EBADF
      fds.forEach((fd: unknown, i) => {
        writeI32(bytes, checkInteger(`fds[${i}]`, fd, -1, 0x7fffffff), i * 4);
      });
      return bytes;
    },
    decode: descriptorsIn,
  }),
  {
    take(ancillary: Ancillary): number[] {
      if (!(ancillary instanceof Ancillary)) throw invalidArgumentType('ancillary', 'an Ancillary', ancillary);
      return ancillary.take(SOL_SOCKET, SCM_RIGHTS);
    },
  },
);

/** An entry of a socket's error queue (MSG_ERRQUEUE): what became of something that was sent. */
export interface ExtendedError {
  /** Symbolic code, such as `ECONNREFUSED`; `null` where it is no error. */
  readonly code: string | null;
  /** Negative errno, as in Node's own errors; 0 where it is no error. */
  readonly errno: number;
  /** Who says so: SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_TIMESTAMPING and so on. */
  readonly origin: number;
  /** What belongs to the origin, such as the type of an ICMP message. */
  readonly type: number;
  /** What belongs to the type, such as the code of an ICMP message, or SO_EE_CODE_ZEROCOPY_COPIED. */
  readonly subcode: number;
  /** What belongs to the origin: SCM_TSTAMP_* of a timestamp, the path's MTU of EMSGSIZE. */
  readonly info: number;
  /** What belongs to the origin: the number of what was sent, with SOF_TIMESTAMPING_OPT_ID. */
  readonly data: number;
}

/** Bytes of a `struct sock_extended_err`. */
export const EXTENDED_ERROR_SIZE = 16;
/** What the kernel gives for entries that tell of no error. */
const ENOMSG = 42;

/**
 * Reads a `struct sock_extended_err`, for the control messages of error queues; `undefined` for what is too short.
 * Source: recv(2), ip(7).
 */
export function unpackExtendedError(data: Uint8Array): ExtendedError | undefined {
  if (data.length < EXTENDED_ERROR_SIZE) return undefined;
  const errno = readU32(data, 0);
  const none = errno === 0 || errno === ENOMSG;
  return {
    code: none ? null : errnoName(errno),
    errno: none ? 0 : -errno,
    origin: data[4] as number,
    type: data[5] as number,
    subcode: data[6] as number,
    info: readU32(data, 8),
    data: readU32(data, 12),
  };
}

const SECOND = 1_000_000_000n;

// a struct timespec, in nanoseconds since 1970
function timespec(data: Uint8Array, offset: number): bigint | undefined {
  if (data.length < offset + 16) return undefined;
  // most messages have one of several times: bigints are dear
  const seconds = readI32(data, offset + HIGH) * 2 ** 32 + readU32(data, offset + LOW);
  const nanoseconds = readU32(data, offset + 8 + LOW);
  return seconds === 0 && nanoseconds === 0 ? 0n : BigInt(seconds) * SECOND + BigInt(nanoseconds);
}

/** When the kernel received the message, in nanoseconds since 1970; microseconds matter. Source: socket(7). */
export const scmTimestamp: ReceiveOnlyMessage<bigint> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_TIMESTAMP,
  label: 'SCM_TIMESTAMP',
  size: 16,
  decode: (data) => (data.length < 16 ? undefined : readI64(data, 0) * SECOND + readI64(data, 8) * 1000n),
});

/** When the kernel received the message, in nanoseconds since 1970. Source: socket(7). */
export const scmTimestampNs: ReceiveOnlyMessage<bigint> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_TIMESTAMPNS,
  label: 'SCM_TIMESTAMPNS',
  size: 16,
  decode: (data) => timespec(data, 0),
});

/** Timestamps of SO_TIMESTAMPING, each in nanoseconds; 0 where there is none. */
export interface Timestamping {
  /** The kernel's clock, since 1970. */
  software: bigint;
  /** The network adapter's own clock. */
  hardware: bigint;
}

/** Timestamps as SO_TIMESTAMPING asked for. Source: the kernel's networking/timestamping. */
export const scmTimestamping: ReceiveOnlyMessage<Timestamping> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_TIMESTAMPING,
  label: 'SCM_TIMESTAMPING',
  size: 48,
  decode(data) {
    const software = timespec(data, 0);
    const hardware = timespec(data, 32);
    return software === undefined || hardware === undefined ? undefined : { software, hardware };
  },
});
