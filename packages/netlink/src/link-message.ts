import { writeI32, writeU32 } from '@sock/core';

/** Bytes of a struct ifinfomsg. Source: rtnetlink(7). */
export const LINK_HEADER = 16;

/** A struct ifinfomsg. */
export function interfaceMessage(members: {
  family?: number;
  index?: number;
  flags?: number;
  change?: number;
}): Buffer {
  const { family = 0, index = 0, flags = 0, change = 0 } = members;
  const bytes = Buffer.alloc(LINK_HEADER);
  bytes[0] = family;
  writeI32(bytes, index, 4);
  writeU32(bytes, flags, 8);
  writeU32(bytes, change, 12);
  return bytes;
}
