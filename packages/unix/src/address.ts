import { isUtf8 } from 'node:buffer';
import { type AddressFamily, AF_UNIX, invalidArgumentType, outOfRange } from '@sock/core';
import { UNIX_PATH_MAX } from './constants.gen.js';
import { explain } from './explain.js';

/**
 * An address as the kernel gave it.
 *
 * - a string: a path in the file system; `''` for a socket without a name
 * - a `Buffer` that starts with NUL: an abstract name, NUL included, of exactly the kernel's length
 * - any other `Buffer`: a path that is not UTF-8
 */
export type UnixAddress = string | Buffer;

/**
 * An address to bind, connect or send to: a path as a string or as bytes, or an abstract name as a
 * string or as bytes that start with NUL. To bind `''` makes the kernel choose an abstract name
 * (autobind).
 */
export type UnixInput = string | Uint8Array;

/** Offset of sun_path in `struct sockaddr_un`. Source: unix(7). */
const SUN_PATH = 2;

/** Bytes in sun_path; the platforms that do not name the constant have the BSDs' size. */
const SUN_PATH_SIZE = UNIX_PATH_MAX ?? 104;

const ACCEPTED = 'a path, or an abstract name that starts with NUL, as a string or bytes';

function toName(input: UnixInput): Uint8Array {
  if (typeof input === 'string') {
    // UTF-8 has no form for these: another name than the one asked for would be used
    if (/\p{Surrogate}/u.test(input)) throw outOfRange('address', 'a string without lone surrogates', input);
    return Buffer.from(input, 'utf8');
  }
  if (input instanceof Uint8Array) return input;
  throw invalidArgumentType('address', ACCEPTED, input);
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escapeByte(byte);
  return text;
}

/**
 * AF_UNIX: sockets between processes of one machine, of type SOCK_STREAM, SOCK_DGRAM or
 * SOCK_SEQPACKET. Source: unix(7).
 *
 * A path has at most 107 bytes, an abstract name 108 with its leading NUL; more is a RangeError.
 * Paths are relative to the working directory, and nobody removes them: unlink a path before it is
 * bound again. Abstract names vanish with their socket, may have NUL bytes inside, and are Linux's.
 */
export const unix: AddressFamily<UnixAddress, UnixInput> = {
  name: 'unix',
  domain: AF_UNIX,

  encode(input, into) {
    const name = toName(input);
    const abstract = name[0] === 0;
    if (!abstract && name.includes(0)) {
      throw outOfRange('address', 'a path without NUL (only the first byte of an abstract name makes it one)', input);
    }
    const limit = abstract ? SUN_PATH_SIZE : SUN_PATH_SIZE - 1;
    if (name.length > limit) {
      throw outOfRange(
        'address',
        abstract
          ? `an abstract name of at most ${limit} bytes with its leading NUL (this one has ${name.length})`
          : `a path of at most ${limit} bytes (this one has ${name.length}; shorter is a relative path, ` +
              'a symbolic link to the directory, or /proc/self/fd/<descriptor of the directory>/<name>)',
        input,
      );
    }
    into.set(name, SUN_PATH);
    return SUN_PATH + name.length;
  },

  decode(sockaddr) {
    const name = sockaddr.subarray(SUN_PATH);
    if (name.length === 0) return '';
    if (name[0] === 0) return Buffer.from(name);
    const end = name.indexOf(0);
    const path = end === -1 ? name : name.subarray(0, end);
    const bytes = Buffer.from(path);
    return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
  },

  format(address) {
    if (address.length === 0) return '(unnamed)';
    if (typeof address !== 'string') {
      return address[0] === 0 ? `@${printable(address.subarray(1))}` : printable(address);
    }
    if (address.startsWith('\0')) return `@${printable(Buffer.from(address).subarray(1))}`;
    // control characters would let a path rewrite the line that it is shown in
    return address.replace(/[\p{Cc}]/gu, (c) => escapeByte(c.codePointAt(0) ?? 0));
  },

  explain,
};
