import {
  type AddressFamily,
  AF_ALG,
  checkInteger,
  checkMembers,
  checkString,
  outOfRange,
  readText,
  readU32,
  SOCK_SEQPACKET,
  writeU32,
} from '@sock/core';
import { explain } from './explain.js';

/** An algorithm of the kernel. Source: kernel, crypto/userspace-if. */
export interface AlgAddress {
  /** Interface: `hash`, `skcipher`, `aead` or `rng`. (`akcipher` is not in Linux itself.) */
  readonly type: string;
  /** Algorithm or implementation, such as `cbc(aes)` or `cbc-aes-aesni`; /proc/crypto lists them. */
  readonly name: string;
  /** Features that it must have, such as CRYPTO_ALG_KERN_DRIVER_ONLY, of those in `mask`. */
  readonly features: number;
  /** Features that matter. */
  readonly mask: number;
}

/** What is accepted as an algorithm. */
export interface AlgInput {
  readonly type: string;
  readonly name: string;
  /** 0 unless told. */
  readonly features?: number | undefined;
  /** 0 unless told. */
  readonly mask?: number | undefined;
}

// offsets in a struct sockaddr_alg; source: linux/if_alg.h
const TYPE = 2;
const FEATURES = 16;
const MASK = 20;
const NAME = 24;
/** Bytes of the structure with a name of up to 63 bytes, the only one before Linux 4.12. */
const SIZE = 88;
/** Bytes of a type with its NUL. */
const TYPE_SIZE = 14;
/** Bytes of a name with its NUL: what a sockaddr has room for. */
const NAME_SIZE = 104;

const MEMBERS = ['type', 'name', 'features', 'mask'];

function writeText(argument: string, text: unknown, into: Uint8Array, offset: number, size: number): number {
  const bytes = Buffer.from(checkString(argument, text));
  if (bytes.length === 0 || bytes.length >= size) throw outOfRange(argument, `1 to ${size - 1} bytes`, text);
  into.set(bytes, offset);
  return bytes.length + 1;
}

/**
 * AF_ALG: the kernel's cryptography. A socket is bound to an algorithm and given its key; each
 * `accept` gives one on which an operation runs. `AlgSocket` speaks its messages, and `digest`,
 * `encrypt`, `decrypt` and `randomBytes` do all of it.
 *
 * The kernel tells no addresses of such sockets: `getsockname` fails with `EOPNOTSUPP`.
 */
export const alg: AddressFamily<AlgAddress, AlgInput> = {
  name: 'alg',
  domain: AF_ALG,
  type: SOCK_SEQPACKET,
  namelessPeers: true,
  // hashes are never said to be ready, ciphers without a request always, and of what ends a wait for
  // room or for data Linux tells those who wait for the other
  unpollable: true,
  encode(input, into) {
    const { type, name, features = 0, mask = 0 } = checkMembers('address', input, MEMBERS);
    checkInteger('address.features', features, 0, 0xffffffff);
    checkInteger('address.mask', mask, 0, 0xffffffff);
    writeText('address.type', type, into, TYPE, TYPE_SIZE);
    const length = writeText('address.name', name, into, NAME, NAME_SIZE);
    writeU32(into, features, FEATURES);
    writeU32(into, mask, MASK);
    return Math.max(SIZE, NAME + length);
  },
  decode(sockaddr) {
    if (sockaddr.length <= NAME) throw outOfRange('sockaddr', `more than ${NAME} bytes`, sockaddr.length);
    return {
      type: readText(sockaddr.subarray(TYPE, FEATURES)),
      name: readText(sockaddr.subarray(NAME)),
      features: readU32(sockaddr, FEATURES),
      mask: readU32(sockaddr, MASK),
    };
  },
  format: ({ type, name }) => `${type} ${name}`,
  explain,
};
