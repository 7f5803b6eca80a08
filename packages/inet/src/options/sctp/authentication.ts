import {
  checkInteger,
  checkObject,
  type Data,
  outOfRange,
  type SocketOption,
  toBytes,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
  writeI32,
  writeU16,
  writeU32,
} from '@sock/core';
import * as c from '../../constants.gen.js';
import { checkAssocId, type FieldsInput, i32, structure, u16 } from '../../fields.js';
import { type SctpAuthInfo, scmSctpAuthInfo } from '../../sctp-ancillary.js';
import { packList } from '../shared.js';
import {
  assocFlag,
  assocList,
  assocOption,
  counted,
  key,
  type OfAssociation,
  type SctpAssocOption,
  type SctpAssocStatus,
  type SctpAssocValueOption,
  U16,
  writeOnly,
} from './shared.js';

/** Authentication, in associations to come. Source: RFC 4895. */
export const sctpAuthSupported: SctpAssocValueOption<boolean> = assocFlag(
  key(c.SCTP_AUTH_SUPPORTED, 'SCTP_AUTH_SUPPORTED'),
);

/** Require a type of chunk to be authenticated, in associations to come. Source: RFC 4895. */
export const sctpAuthChunk: WriteonlyOption<number> = {
  ...key(c.SCTP_AUTH_CHUNK, 'SCTP_AUTH_CHUNK'),
  encode: (value) => Uint8Array.of(checkInteger('value', value, 0, 0xff)),
};

const HMACS_MAX = 64;

/** Algorithms of authentication, the best first: SCTP_AUTH_HMAC_ID_SHA256, … SHA-1 must be among them. */
export const sctpHmacIdent: SocketOption<number[], readonly number[]> = {
  ...key(c.SCTP_HMAC_IDENT, 'SCTP_HMAC_IDENT'),
  size: 4 + 2 * HMACS_MAX,
  encode(value) {
    const bytes = packList('value', value, 'algorithms', U16, 4);
    writeU32(bytes, value.length, 0);
    return bytes;
  },
  decode: (raw) => counted(raw, 0, 2),
};

/** A shared key. */
export interface SctpAuthKey {
  readonly assocId?: number;
  /** 0 to 65535. */
  readonly keyNumber: number;
  /** Up to 65535 bytes. */
  readonly key: Data;
}

/** Set a shared key. Needs sctpAuthSupported at both ends. Source: RFC 4895. */
export const sctpAuthKey: WriteonlyOption<SctpAuthKey> = {
  ...key(c.SCTP_AUTH_KEY, 'SCTP_AUTH_KEY'),
  encode(value) {
    const { assocId, keyNumber, key } = checkObject('value', value);
    const secret = toBytes('value.key', key);
    if (secret.length > 0xffff) throw outOfRange('value.key', 'at most 65535 bytes', `${secret.length} bytes`);
    const bytes = new Uint8Array(8 + secret.length);
    writeI32(bytes, checkAssocId('value.assocId', assocId), 0);
    writeU16(bytes, checkInteger('value.keyNumber', keyNumber, 0, 0xffff), 4);
    writeU16(bytes, secret.length, 6);
    bytes.set(secret, 8);
    return bytes;
  },
};

/** A key of an association. */
export interface SctpAuthKeyId extends OfAssociation {
  keyNumber: number;
}

const keyId = structure<SctpAuthKeyId>(8, { assocId: i32(0), keyNumber: u16(4) });

/** Key that is used for sending. The message says it for one message. */
export const sctpAuthActiveKey: WithMessage<
  SctpAssocOption<SctpAuthKeyId>,
  SctpAuthInfo,
  FieldsInput<SctpAuthInfo>
> = withMessage(assocOption(key(c.SCTP_AUTH_ACTIVE_KEY, 'SCTP_AUTH_ACTIVE_KEY'), keyId), scmSctpAuthInfo);

/** Delete a key that is not active. */
export const sctpAuthDeleteKey: WriteonlyOption<FieldsInput<SctpAuthKeyId>> = writeOnly(
  key(c.SCTP_AUTH_DELETE_KEY, 'SCTP_AUTH_DELETE_KEY'),
  keyId,
);

/** Send nothing more with a key. */
export const sctpAuthDeactivateKey: WriteonlyOption<FieldsInput<SctpAuthKeyId>> = writeOnly(
  key(c.SCTP_AUTH_DEACTIVATE_KEY, 'SCTP_AUTH_DEACTIVATE_KEY'),
  keyId,
);

/** Types of chunks that the peer wants authenticated. */
export const sctpPeerAuthChunks: SctpAssocStatus<number[]> = assocList(
  key(c.SCTP_PEER_AUTH_CHUNKS, 'SCTP_PEER_AUTH_CHUNKS'),
  8 + 256,
  (raw) => counted(raw, 4, 1),
);

/** Types of chunks that this end wants authenticated. */
export const sctpLocalAuthChunks: SctpAssocStatus<number[]> = assocList(
  key(c.SCTP_LOCAL_AUTH_CHUNKS, 'SCTP_LOCAL_AUTH_CHUNKS'),
  8 + 256,
  (raw) => counted(raw, 4, 1),
);
