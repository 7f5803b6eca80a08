import { checkString, invalidArgumentType, outOfRange } from '@sock/core';

const TEXT = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** Bytes of a Bluetooth device address. */
export const BDADDR_SIZE = 6;

/**
 * A device address as the kernel and the air have it, the last part of the text first.
 * @param text six hexadecimal bytes, such as `00:AA:01:00:00:42`
 * @throws TypeError, RangeError naming `argument`. Source: str2ba of BlueZ.
 */
export function str2ba(text: string, argument = 'text'): Uint8Array {
  if (!TEXT.test(checkString(argument, text))) {
    throw outOfRange(argument, 'a device address such as 00:AA:01:00:00:42', text);
  }
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16)).reverse();
}

/**
 * The text of a device address of six bytes, in capitals.
 * @throws TypeError, RangeError naming `bytes`. Source: ba2str of BlueZ.
 */
export function ba2str(bytes: Uint8Array): string {
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'a Uint8Array', bytes);
  if (bytes.length !== BDADDR_SIZE) throw outOfRange('bytes', `${BDADDR_SIZE} bytes`, bytes.length);
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .reverse()
    .join(':');
}

/** The device address at an offset. */
export const addressAt = (bytes: Uint8Array, offset: number): string =>
  ba2str(bytes.subarray(offset, offset + BDADDR_SIZE));
