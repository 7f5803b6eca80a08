import { invalidArgumentType, outOfRange } from '@sock/core';

/** Bytes of the longest hardware address, MAX_ADDR_LEN. Source: linux/netdevice.h. */
export const HARDWARE_ADDRESS_MAX = 32;

const EXPECTED = "a hardware address: bytes, or text such as '02:00:5e:10:00:01'";

/** A hardware address as text: `02:00:5e:10:00:01`; `''` for one of no bytes. */
export function formatHardwareAddress(address: Uint8Array): string {
  if (!(address instanceof Uint8Array)) throw invalidArgumentType('address', 'a Uint8Array', address);
  return Array.from(address, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/**
 * The bytes of a hardware address: of text with one or two hexadecimal digits for each byte, between
 * them `:` or `-`; bytes as they are.
 * @throws TypeError or RangeError naming `argument`; for more than 32 bytes too
 */
export function parseHardwareAddress(address: string | Uint8Array, argument = 'address'): Uint8Array {
  if (typeof address === 'string') {
    if (address === '') return new Uint8Array(0);
    const parts = address.split(address.includes('-') ? '-' : ':');
    if (!parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part)) || parts.length > HARDWARE_ADDRESS_MAX) {
      throw outOfRange(argument, EXPECTED, address);
    }
    return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
  }
  if (!(address instanceof Uint8Array)) throw invalidArgumentType(argument, EXPECTED, address);
  if (address.length > HARDWARE_ADDRESS_MAX) {
    throw outOfRange(argument, `a hardware address of at most ${HARDWARE_ADDRESS_MAX} bytes`, address);
  }
  return address;
}
