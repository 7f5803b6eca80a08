import {
  checkInteger,
  type InterfaceInput,
  interfaceIndex,
  invalidArgumentType,
  type OptionKey,
  outOfRange,
  readI32,
  type SocketOption,
  toBytes,
} from '@sock/core';
import { ints } from '../structures.js';

/** Bytes that the kernel takes and gives as they are, at most `max` of them. */
export function bytesOption(key: OptionKey & { max: number }): SocketOption<Buffer, ArrayBufferView | ArrayBuffer> {
  const { max, ...rest } = key;
  return {
    ...rest,
    size: max,
    encode(value) {
      if (typeof value === 'string') throw invalidArgumentType('value', 'an ArrayBufferView or an ArrayBuffer', value);
      const bytes = toBytes('value', value);
      if (bytes.length > max) throw outOfRange('value', `at most ${max} bytes`, `${bytes.length} bytes`);
      return bytes;
    },
    decode: (raw) => raw,
  };
}

/** An interface: set by name or index, read as its name, or as its index where it is gone; `''` is none. */
export function interfaceOption(
  key: OptionKey,
  order: { toKernel(index: number): number; fromKernel(value: number): number },
): SocketOption<InterfaceInput> {
  return {
    ...key,
    encode: (value, socket) => ints(order.toKernel(interfaceIndex('value', value, socket))),
    decode(raw, socket) {
      const index = order.fromKernel(readI32(raw, 0));
      return index === 0 ? '' : (socket.interfaceName(index) ?? index);
    },
  };
}

/** An int from −1, which means the system's default, to 255. */
export const hops = (value: unknown): number => checkInteger('value', value, -1, 255);

/** The keys of options of one level: of their number and their name in C. */
export const keysOf =
  (level: number) =>
  (name: number | undefined, label: string): OptionKey => ({ level, name, label });

/** How the items of a list are written. */
export interface ListItem {
  /** Bytes. */
  size: 1 | 2 | 4;
  write(into: Uint8Array, value: number, offset: number): void;
}

/**
 * Checks a list of numbers, and writes it behind `header` bytes that are zero.
 * @param what the numbers, for the message
 * @throws TypeError or RangeError naming `argument` or the item of it that is wrong
 */
export function packList(argument: string, value: unknown, what: string, item: ListItem, header = 0): Uint8Array {
  if (!Array.isArray(value)) throw invalidArgumentType(argument, `an array of ${what}`, value);
  const bytes = new Uint8Array(header + item.size * value.length);
  value.forEach((number: unknown, i) => {
    const checked = checkInteger(`${argument}[${i}]`, number, 0, 2 ** (8 * item.size) - 1);
    item.write(bytes, checked, header + item.size * i);
  });
  return bytes;
}
