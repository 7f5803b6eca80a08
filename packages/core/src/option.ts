import type { AncillaryMessage } from './ancillary.js';
import { checkBigInt, checkBoolean, checkInteger, checkString, invalidArgumentType, outOfRange } from './arguments.js';
import { readI32, readI64, readText, readU32, readU64, writeI32, writeI64, writeU32, writeU64 } from './bytes.js';
import type { SocketInfo } from './family.js';

/**
 * A typed socket option: how the bytes of getsockopt(2) and setsockopt(2) and a value become each
 * other. Without `encode` it cannot be set, without `decode` it cannot be read.
 */
export interface SocketOption<Value, Input = Value> {
  /** SOL_* or IPPROTO_* number, `undefined` on a platform that lacks the option. */
  readonly level: number | undefined;
  /** Option number, `undefined` on a platform that lacks the option. */
  readonly name: number | undefined;
  /** Name of the constant, such as `SO_LINGER`, for messages. */
  readonly label: string;
  /** A number is passed as an int. @throws TypeError or RangeError on what is not accepted. */
  encode?(value: Input, socket: SocketInfo): number | Uint8Array;
  /** `raw` has the length that the kernel gave. */
  decode?(raw: Buffer, socket: SocketInfo): Value;
  /** Bytes to offer getsockopt(2): 4 unless told. */
  readonly size?: number;
  /** Capability that setting or reading needs, such as `CAP_NET_ADMIN`, for messages. */
  readonly capability?: string;
  /** What `encode` gives are instructions, which the kernel takes as a `struct sock_fprog`. */
  readonly program?: boolean;
  /** What `encode` gives is a number that the kernel takes as the length of a value without bytes. */
  readonly asLength?: boolean;
}

/** Level, name and label of an option. */
export interface OptionKey {
  level: number | undefined;
  name: number | undefined;
  label: string;
  capability?: string;
}

/** An option that getsockopt(2) gives and setsockopt(2) does not take. */
export type ReadonlyOption<Value> = Omit<SocketOption<Value, never>, 'encode' | 'decode'> & {
  decode(raw: Buffer, socket: SocketInfo): Value;
};

/** An option that setsockopt(2) takes and getsockopt(2) does not give. */
export type WriteonlyOption<Input> = Omit<SocketOption<never, Input>, 'encode' | 'decode'> & {
  encode(value: Input, socket: SocketInfo): number | Uint8Array;
};

/** An option with the control message that belongs to it. */
export type WithMessage<Option, Value, Input = Value> = Option & {
  /** The control message that the option asks the kernel for, or that does the same for one message. */
  readonly message: AncillaryMessage<Value, Input>;
};

/** Adds its control message to an option. */
export function withMessage<Option extends object, Message extends object>(
  option: Option,
  message: Message,
): Option & { readonly message: Message } {
  return { ...option, message };
}

/**
 * An option that getsockopt(2) answers a question with, such as one about an association or an
 * address: the kernel reads the buffer before it fills it.
 */
export interface RequestOption<Value, Request, Input = never> extends SocketOption<Value, Input> {
  /**
   * The bytes that the kernel reads, as many as it may fill.
   * @throws TypeError or RangeError on what is not accepted, naming `request`
   */
  encodeRequest(request: Request, socket: SocketInfo): Uint8Array;
  decode(raw: Buffer, socket: SocketInfo): Value;
}

// what the kernel gave, with zeros for what it left out
const filled = (raw: Buffer, size: number): Buffer => (raw.length >= size ? raw : Buffer.concat([raw], size));

/** An int that is 0 or 1. */
export function booleanOption(key: OptionKey): SocketOption<boolean> {
  return {
    ...key,
    encode: (value) => (checkBoolean('value', value) ? 1 : 0),
    decode: (raw) => (raw.length >= 4 ? readI32(raw, 0) !== 0 : raw[0] !== 0),
  };
}

/** An int from `min` to `max`. */
export function integerOption(key: OptionKey & { min?: number; max?: number }): SocketOption<number> {
  const { min = -0x80000000, max = 0x7fffffff, ...rest } = key;
  return {
    ...rest,
    encode: (value) => checkInteger('value', value, min, max),
    decode: (raw) => (raw.length >= 4 ? readI32(raw, 0) : (raw[0] ?? 0)),
  };
}

/** An unsigned 32-bit integer. */
export function uint32Option(key: OptionKey & { max?: number }): SocketOption<number> {
  const { max = 0xffffffff, ...rest } = key;
  return {
    ...rest,
    encode(value) {
      const bytes = new Uint8Array(4);
      writeU32(bytes, checkInteger('value', value, 0, max), 0);
      return bytes;
    },
    decode: (raw) => readU32(filled(raw, 4), 0),
  };
}

/** An unsigned 64-bit integer. */
export function uint64Option(key: OptionKey): SocketOption<bigint, bigint | number> {
  return {
    ...key,
    size: 8,
    encode(value) {
      const bytes = new Uint8Array(8);
      writeU64(bytes, checkBigInt('value', value, 0n, 0xffffffffffffffffn), 0);
      return bytes;
    },
    decode: (raw) => readU64(filled(raw, 8), 0),
  };
}

/** A text of at most `size` − 1 bytes, such as an interface's name. */
export function stringOption(key: OptionKey & { size: number }): SocketOption<string> {
  return {
    ...key,
    encode(value) {
      const bytes = Buffer.from(`${checkString('value', value)}\0`);
      if (bytes.length > key.size) throw outOfRange('value', `a text of at most ${key.size - 1} bytes`, value);
      return bytes;
    },
    decode: readText,
  };
}

/** A `struct timeval` in milliseconds, 0 (which the kernel takes as no limit) being `null`. */
export function timevalOption(key: OptionKey): SocketOption<number | null> {
  return {
    ...key,
    size: 16,
    encode(value) {
      const bytes = new Uint8Array(16);
      if (value === null) return bytes;
      if (typeof value !== 'number') throw invalidArgumentType('value', 'milliseconds, or null for no limit', value);
      if (!(value > 0) || value > Number.MAX_SAFE_INTEGER) {
        throw outOfRange('value', 'a positive number of milliseconds, or null for no limit', value);
      }
      // rounded up, but for what floating point adds: a limit below one microsecond must not become "no limit"
      const microseconds = Math.max(1, Math.ceil(Number((value * 1000).toFixed(3))));
      writeI64(bytes, BigInt(Math.floor(microseconds / 1_000_000)), 0);
      writeI64(bytes, BigInt(microseconds % 1_000_000), 8);
      return bytes;
    },
    decode(given) {
      const raw = filled(given, 16);
      const value = Number(readI64(raw, 0)) * 1000 + Number(readI64(raw, 8)) / 1000;
      return value === 0 ? null : value;
    },
  };
}

/** An option that is only read: an int. */
export function readonlyIntegerOption(key: OptionKey): ReadonlyOption<number> {
  return { ...key, decode: (raw) => (raw.length >= 4 ? readI32(raw, 0) : (raw[0] ?? 0)) };
}

/** The bytes of an int in this machine's byte order. */
export function intBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeI32(bytes, value, 0);
  return bytes;
}
