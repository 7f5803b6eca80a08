import { checkInteger, checkObject, readI32, readU32, writeI32, writeU32 } from '@sock/core';

/** A process and the identity it acts under. Source: `struct ucred`, unix(7). */
export interface Credentials {
  /** Process number. */
  readonly pid: number;
  /** User number. */
  readonly uid: number;
  /** Group number. */
  readonly gid: number;
}

/** Bytes of `struct ucred`. */
export const CREDENTIALS_SIZE = 12;

/** Bytes to have ready for a security label: more than any module makes of one. */
export const LABEL_SIZE = 4096;

/** `undefined` for what is too short. */
export function decodeCredentials(data: Uint8Array): Credentials | undefined {
  if (data.length < CREDENTIALS_SIZE) return undefined;
  return { pid: readI32(data, 0), uid: readU32(data, 4), gid: readU32(data, 8) };
}

/** Members left out are this process's own: its number, real user and real group. */
export function encodeCredentials(value: Partial<Credentials>): Uint8Array {
  const {
    pid = process.pid,
    uid = process.getuid?.() ?? 0,
    gid = process.getgid?.() ?? 0,
  } = checkObject('value', value);
  const bytes = new Uint8Array(CREDENTIALS_SIZE);
  writeI32(bytes, checkInteger('value.pid', pid, 0, 0x7fffffff), 0);
  writeU32(bytes, checkInteger('value.uid', uid, 0, 0xffffffff), 4);
  writeU32(bytes, checkInteger('value.gid', gid, 0, 0xffffffff), 8);
  return bytes;
}
