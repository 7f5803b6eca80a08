import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  checkInteger,
  checkInterfaceName,
  checkOneOf,
  invalidArgumentType,
  outOfRange,
  type SocketInfo,
} from '@sock/core';

/** The index of an interface that is given by name or by index, and must be one. */
export function interfaceIndex(argument: string, value: unknown, socket: Pick<SocketInfo, 'interfaceIndex'>): number {
  if (typeof value === 'number') return checkInteger(argument, value, 1, 0x7fffffff);
  if (typeof value !== 'string') throw invalidArgumentType(argument, "an interface's name or index", value);
  return socket.interfaceIndex(checkInterfaceName(argument, value));
}

/** Members that may be missing, as `undefined` rather. */
type Sparse<T> = { [Key in keyof T]: T[Key] | (object extends Pick<T, Key> ? undefined : never) };

/** An object without the members that are `undefined`. */
export function present<T extends object>(members: Required<Sparse<T>>): T {
  // made anew: objects that members were deleted from are slow
  const found: Partial<T> = {};
  for (const key in members) {
    const value = members[key as keyof T];
    if (value !== undefined) found[key as keyof T] = value as T[keyof T];
  }
  return found as T;
}

/** An identifier of 32 bits in an attribute, and so on: the argument is named where it is wrong. */
export const checkU32 = (argument: string, value: unknown): number => checkInteger(argument, value, 0, 0xffffffff);

/** AF_INET, AF_INET6, or AF_UNSPEC for both. */
export const checkFamily = (argument: string, value: unknown): number =>
  checkOneOf(argument, value, [AF_UNSPEC, AF_INET, AF_INET6]);

/** Checks a number of milliseconds from 0. */
export function checkMilliseconds(argument: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgumentType(argument, 'a number of milliseconds', value);
  if (!(value >= 0) || value === Number.POSITIVE_INFINITY) {
    throw outOfRange(argument, 'a number of milliseconds from 0', value);
  }
  return value;
}
