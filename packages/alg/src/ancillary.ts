import {
  type AncillaryMessage,
  ancillaryMessage,
  type Data,
  readU32,
  toBytes,
  uint32Message,
  writeU32,
} from '@sock/core';
import * as c from './constants.gen.js';

/** Bytes of the longest vector that an algorithm of the kernel has (Adiantum). */
const IV_MAX = 32;

const level = c.SOL_ALG;

/**
 * ALG_SET_OP: what to do, ALG_OP_ENCRYPT or ALG_OP_DECRYPT. A message with other control messages and
 * without this one decrypts. Source: kernel, crypto/userspace-if.
 */
export const scmAlgSetOp: AncillaryMessage<number> = uint32Message({ level, type: c.ALG_SET_OP, label: 'ALG_SET_OP' });

/**
 * ALG_SET_AEAD_ASSOCLEN: how many bytes at the beginning of the data are associated data, which are
 * authenticated and not encrypted. Source: kernel, crypto/userspace-if.
 */
export const scmAlgSetAeadAssoclen: AncillaryMessage<number> = uint32Message({
  level,
  type: c.ALG_SET_AEAD_ASSOCLEN,
  label: 'ALG_SET_AEAD_ASSOCLEN',
});

/**
 * ALG_SET_IV: the initialization vector, as long as the algorithm says (`ivSize`).
 * Source: `struct af_alg_iv`, linux/if_alg.h.
 */
export const scmAlgSetIv: AncillaryMessage<Uint8Array, Data> = ancillaryMessage<Uint8Array, Data>({
  level,
  type: c.ALG_SET_IV,
  label: 'ALG_SET_IV',
  size: 4 + IV_MAX,
  encode(value) {
    const iv = toBytes('value', value);
    const bytes = new Uint8Array(4 + iv.length);
    writeU32(bytes, iv.length, 0);
    bytes.set(iv, 4);
    return bytes;
  },
  decode(data) {
    if (data.length < 4) return undefined;
    const length = readU32(data, 0);
    return data.length < 4 + length ? undefined : data.slice(4, 4 + length);
  },
});
