import { checkInteger, type Data, toBytes, type WriteonlyOption } from '@sock/core';
import * as c from './constants.gen.js';

const key = (name: number, label: string) => ({ level: c.SOL_ALG, name, label });

const bytes = (value: Data): Uint8Array => toBytes('value', value);

/**
 * ALG_SET_KEY: the key of a keyed hash or a cipher, the seed of a generator. Set on the bound socket,
 * before `accept`; a change holds for what is accepted afterwards.
 * @throws SocketError `EINVAL` where the algorithm takes no key of this size, `EBUSY` while a socket
 * accepted earlier is open. Source: kernel, crypto/userspace-if.
 */
export const algSetKey: WriteonlyOption<Data> = { ...key(c.ALG_SET_KEY, 'ALG_SET_KEY'), encode: bytes };

/**
 * ALG_SET_KEY_BY_KEY_SERIAL: as `algSetKey`, with the key that a keyring of the kernel has under this
 * serial number (add_key(2)): of the type user, logon, encrypted or trusted. The process need not
 * know the key. Linux 6.2.
 * @throws SocketError `ENOKEY`, `EACCES`, `EKEYEXPIRED`, `EKEYREVOKED`
 */
export const algSetKeyByKeySerial: WriteonlyOption<number> = {
  ...key(c.ALG_SET_KEY_BY_KEY_SERIAL, 'ALG_SET_KEY_BY_KEY_SERIAL'),
  encode: (value) => checkInteger('value', value, -0x80000000, 0x7fffffff),
};

/**
 * ALG_SET_AEAD_AUTHSIZE: bytes of the tag of an AEAD cipher; as many as it can have unless told. Set
 * on the bound socket, before `accept`.
 * @throws SocketError `EINVAL` for a size that the algorithm does not have
 */
export const algSetAeadAuthsize: WriteonlyOption<number> = {
  ...key(c.ALG_SET_AEAD_AUTHSIZE, 'ALG_SET_AEAD_AUTHSIZE'),
  asLength: true,
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};

/**
 * ALG_SET_DRBG_ENTROPY: entropy of a deterministic generator, in place of the kernel's own, for tests
 * with known answers. Set on the bound socket, before the seed (`algSetKey`). Linux 5.10, where it is
 * configured (CONFIG_CRYPTO_USER_API_RNG_CAVP), as no distribution has it.
 */
export const algSetDrbgEntropy: WriteonlyOption<Data> = {
  ...key(c.ALG_SET_DRBG_ENTROPY, 'ALG_SET_DRBG_ENTROPY'),
  capability: 'CAP_SYS_ADMIN',
  encode: bytes,
};
