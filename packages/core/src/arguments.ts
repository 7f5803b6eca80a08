import { inspect } from 'node:util';
import { native } from './native.js';

/** A TypeError or RangeError about one argument. */
export interface ArgumentError extends Error {
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_OUT_OF_RANGE';
  /** The argument that is wrong, such as `address.port`. */
  argument: string;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name;
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const text = inspect(value, { colors: false });
  return `type ${typeof value} (${text.length > 40 ? `${text.slice(0, 40)}…` : text})`;
}

function argumentError<E extends Error>(error: E, code: ArgumentError['code'], argument: string): E & ArgumentError {
  // the stack's first line carries the code, as Node's own argument errors do
  const { name } = error;
  error.name = `${name} [${code}]`;
  void error.stack;
  // and the name is the prototype's again
  Reflect.deleteProperty(error, 'name');
  return Object.assign(error, { code, argument });
}

/**
 * A value of the wrong type: `argument must be <expected>, not <what it is>`.
 * @param argument name of the argument as the caller knows it, such as `address.port`
 * @param expected what is accepted, such as `an integer from 0 to 65535`
 */
export function invalidArgumentType(argument: string, expected: string, value: unknown): TypeError & ArgumentError {
  const error = new TypeError(`${argument} must be ${expected}, not ${show(value)}`);
  return argumentError(error, 'ERR_INVALID_ARG_TYPE', argument);
}

/** A value of the right type that is not accepted: `argument must be <expected>, not <value>`. */
export function outOfRange(argument: string, expected: string, value: unknown): RangeError & ArgumentError {
  const text = typeof value === 'object' && value !== null ? show(value) : inspect(value);
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  const error = new RangeError(`${argument} must be ${expected}, not ${shown}`);
  return argumentError(error, 'ERR_OUT_OF_RANGE', argument);
}

/**
 * Runs a check that calls an argument by a name of its own: what it refuses is refused by the name that the caller knows
 * it by, members included.
 * @param name what the caller knows it as, such as `frames[1]`
 * @param own what the check calls it, such as `frame`
 */
export function knownAs<T>(name: string, own: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    rename(error as ArgumentError, name, own);
    throw error;
  }
}

function rename(error: ArgumentError, name: string, own: string): void {
  const { argument, message, stack } = error;
  if (argument === undefined || !argument.startsWith(own) || !/^(?:$|[.[])/.test(argument.slice(own.length))) return;
  error.argument = name + argument.slice(own.length);
  error.message = name + message.slice(own.length);
  if (stack !== undefined) error.stack = stack.replace(message, error.message);
}

/** Checks an integer from `min` to `max`, both included, and gives it back. */
export function checkInteger(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw invalidArgumentType(argument, `an integer from ${min} to ${max}`, value);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(argument, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** Checks a bigint (or an integer, which is converted) from `min` to `max` and gives it back. */
export function checkBigInt(argument: string, value: unknown, min: bigint, max: bigint): bigint {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw invalidArgumentType(argument, `a bigint from ${min} to ${max}`, value);
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw outOfRange(argument, `a bigint from ${min} to ${max}`, value);
  }
  const big = BigInt(value);
  if (big < min || big > max) throw outOfRange(argument, `a bigint from ${min} to ${max}`, value);
  return big;
}

/** Checks a string without NUL, which no C interface can take, and gives it back. */
export function checkString(argument: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgumentType(argument, 'a string', value);
  if (value.includes('\0')) throw outOfRange(argument, 'a string without NUL characters', value);
  return value;
}

/** Checks a boolean and gives it back. */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgumentType(argument, 'a boolean', value);
  return value;
}

/** Checks an object that is neither null nor an array, and gives it back. */
export function checkObject<T>(argument: string, value: T): T & object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgumentType(argument, 'an object', value);
  }
  return value as T & object;
}

/**
 * Checks an object that has no members but those of a list, and gives it back: one of another kind, such as an address
 * of another family, must not pass as one that leaves everything out.
 * @param what what it is, for messages
 */
export function checkMembers<T>(
  argument: string,
  value: T,
  members: readonly string[],
  what = 'an address',
): T & object {
  const expected = `${what} { ${members.join(', ')} }`;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw invalidArgumentType(argument, expected, value);
  }
  for (const key of Object.keys(value)) if (!members.includes(key)) throw outOfRange(argument, expected, value);
  return value as T & object;
}

/** Checks one of a list of values and gives it back. */
export function checkOneOf<T extends string | number>(argument: string, value: unknown, accepted: readonly T[]): T {
  if (!accepted.includes(value as T)) {
    throw outOfRange(argument, `one of ${accepted.map((v) => inspect(v)).join(', ')}`, value);
  }
  return value as T;
}

/** Longest name of a network interface, in bytes: IFNAMSIZ without its NUL. Source: netdevice(7). */
const INTERFACE_NAME_MAX = 15;

/** Checks a network interface's name: 1 to 15 bytes without `/`, white space or NUL. Source: netdevice(7). */
export function checkInterfaceName(argument: string, value: unknown): string {
  const name = checkString(argument, value);
  if (name === '' || Buffer.byteLength(name) > INTERFACE_NAME_MAX) {
    throw outOfRange(argument, `an interface name of 1 to ${INTERFACE_NAME_MAX} bytes`, name);
  }
  return name;
}

/** Data that can be sent: bytes in any form, or a string, which is sent as UTF-8. */
export type Data = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

// A detached ArrayBuffer is as long as an empty one, and a view of it too. What JavaScript has to
// tell them apart (that making a view fails) does not survive optimization in V8 11.
function memoryOf(argument: string, data: ArrayBufferView | ArrayBuffer | SharedArrayBuffer): Uint8Array {
  const buffer = ArrayBuffer.isView(data) ? data.buffer : data;
  if (buffer.byteLength === 0 && native.isDetached(buffer) === 1) {
    throw outOfRange(argument, 'memory that was not transferred elsewhere', data);
  }
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data);
  try {
    return new Uint8Array(buffer, data.byteOffset, data.byteLength);
  } catch {
    throw outOfRange(argument, 'memory that was not shrunk', data);
  }
}

const isMemory = (data: unknown): data is ArrayBufferView | ArrayBuffer | SharedArrayBuffer =>
  ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof SharedArrayBuffer;

/** Data as bytes: the same memory, except for strings, which become UTF-8. */
export function toBytes(argument: string, data: unknown): Uint8Array {
  if (data instanceof Uint8Array && data.length > 0) return data;
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (isMemory(data)) return memoryOf(argument, data);
  throw invalidArgumentType(argument, 'a string, an ArrayBufferView or an ArrayBuffer', data);
}

/** A buffer to receive into, as bytes: the same memory. */
export function toTarget(argument: string, buffer: unknown): Uint8Array {
  if (buffer instanceof Uint8Array && buffer.length > 0) return buffer;
  if (isMemory(buffer)) return memoryOf(argument, buffer);
  throw invalidArgumentType(argument, 'an ArrayBufferView or an ArrayBuffer', buffer);
}
