import {
  checkInteger,
  checkObject,
  checkOneOf,
  checkString,
  type Data,
  invalidArgumentType,
  MSG_MORE,
  outOfRange,
  type SocketError,
  type SocketOption,
  socketError,
  soRcvBuf,
  soRcvBufForce,
  soSndBuf,
  soSndBufForce,
  toBytes,
  type WriteonlyOption,
} from '@sock/core';
import { ALG_OP_DECRYPT, ALG_OP_ENCRYPT } from './constants.gen.js';
import { openOperation, receiveAll } from './operation.js';
import { algSetAeadAuthsize, algSetKey } from './options.js';
import type { AlgRequest, AlgSocket } from './socket.js';
import { run, runSync, type Work, wait } from './work.js';

/** Options of `encrypt` and `decrypt`. */
export interface CipherOptions {
  key: Data;
  /**
   * Initialization vector (nonce), as long as the algorithm says. Only `ecb(…)` does without; of
   * other ciphers that have none it is empty.
   */
  iv?: Data | undefined;
  /** Associated data, authenticated and not encrypted: AEAD ciphers only. */
  aad?: Data | undefined;
  /** Bytes of the tag that follows the encrypted data: AEAD ciphers only; 16 unless told. */
  authSize?: number | undefined;
  /** What the algorithm is; told by its name for those that Linux has. */
  type?: 'skcipher' | 'aead' | undefined;
}

interface CipherInput {
  name: string;
  operation: number;
  data: Uint8Array;
  key: Uint8Array;
  iv: Uint8Array | undefined;
  aad: Uint8Array;
  authSize: number;
  aead: boolean;
}

// names of AEAD algorithms, and of implementations named after them
const AEAD =
  /^(?:gcm|ccm|rfc4106|rfc4309|rfc4543|rfc7539|rfc7539esp|authenc|authencesn|seqiv|echainiv|aegis128|krb5enc)\b/;

// Modes whose vector a request leaves behind for the next one. Of others a piece would be encrypted as
// if it were the first.
const CHAINED = /^(?:ecb|cbc|ctr|cfb|ofb|pcbc)\(/;

const AUTH_SIZE = 16;

/** Bytes of a piece: whole blocks of any cipher, whole pages of any machine. */
const PIECE = 0x10000;
const PAGE = 4096;

function check(operation: number, name: string, data: Data, options: CipherOptions): CipherInput {
  checkString('name', name);
  const bytes = toBytes('data', data);
  const { key, iv, aad, authSize, type } = checkObject('options', options);
  const aead =
    (type === undefined ? undefined : checkOneOf('options.type', type, ['skcipher', 'aead'])) ?? typeOf(name);
  const input = {
    name,
    operation,
    data: bytes,
    key: toBytes('options.key', key),
    iv: iv === undefined ? undefined : toBytes('options.iv', iv),
    aad: aad === undefined ? new Uint8Array() : toBytes('options.aad', aad),
    authSize: checkInteger('options.authSize', authSize ?? AUTH_SIZE, 0, 0xffff),
    aead: aead === 'aead',
  };
  // the kernel would take zeros
  if (iv === undefined && !/^ecb\b/.test(name)) {
    throw invalidArgumentType('options.iv', `the initialization vector of ${name}`, iv);
  }
  if (!input.aead && (aad !== undefined || authSize !== undefined)) {
    throw outOfRange(
      aad === undefined ? 'options.authSize' : 'options.aad',
      `left out: ${name} is no AEAD cipher`,
      aad,
    );
  }
  if (input.aead && operation === ALG_OP_DECRYPT && bytes.length < input.authSize) {
    throw outOfRange('data', `at least the ${input.authSize} bytes of the tag`, bytes.length);
  }
  return input;
}

const typeOf = (name: string): 'skcipher' | 'aead' => (AEAD.test(name) ? 'aead' : 'skcipher');

// a buffer of a socket that holds a whole request, made as large as it must be where that is allowed
function makeRoom(
  socket: AlgSocket,
  syscall: string,
  size: number,
  [option, force]: readonly [SocketOption<number>, WriteonlyOption<number>],
): void {
  const room = (): number => Math.max(PAGE, socket.getOption(option) & -PIECE);
  if (size <= room()) return;
  socket.setOption(option, Math.min(size + PIECE, 0x3fffffff));
  if (size > room()) {
    try {
      socket.setOption(force, Math.min(size + PIECE, 0x3fffffff));
    } catch (error) {
      if ((error as SocketError).code !== 'EPERM') throw error;
    }
  }
  if (size <= room()) return;
  const sysctl = option === soSndBuf ? 'wmem_max' : 'rmem_max';
  const clause = `this algorithm takes its data as a whole, ${size} bytes, and ${option.label} has room for ${room()}; raise net.core.${sysctl}`;
  throw socketError(syscall, 'EMSGSIZE', clause);
}

const SNDBUF = [soSndBuf, soSndBufForce] as const;
const RCVBUF = [soRcvBuf, soRcvBufForce] as const;

function* send(socket: AlgSocket, buffers: readonly Uint8Array[], request: AlgRequest, flags = 0): Work<number> {
  return yield* wait(
    () => socket.sendmsgAfalg(buffers, { ...request, flags }),
    () => socket.sendmsgAfalgSync(buffers, { ...request, flags }),
  );
}

function* open({ name, key, aead, authSize }: CipherInput): Work<AlgSocket> {
  return yield* openOperation({ type: aead ? 'aead' : 'skcipher', name }, (bound) => {
    bound.setOption(algSetKey, key);
    if (aead) bound.setOption(algSetAeadAuthsize, authSize);
  });
}

/** As many bytes as were given. */
function* cipher(input: CipherInput): Work<Buffer> {
  const { name, data, operation, iv } = input;
  const result = Buffer.alloc(data.length);
  const socket = yield* open(input);
  try {
    let piece = data.length;
    if (CHAINED.test(name)) {
      // no more than there is room for: a piece that is cut off would be the last
      piece = Math.max(PAGE, Math.min(PIECE, socket.getOption(soSndBuf) & -PAGE));
    } else {
      makeRoom(socket, 'sendmsg', data.length, SNDBUF);
      makeRoom(socket, 'recv', data.length, RCVBUF);
    }
    for (let start = 0; start < data.length; start += piece) {
      const part = data.subarray(start, start + piece);
      const flags = start + piece < data.length ? MSG_MORE : 0;
      if (start === 0) yield* send(socket, [part], { operation, iv }, flags);
      else {
        yield* wait(
          () => socket.sendAll(part, { flags }),
          () => socket.sendAllSync(part, { flags }),
        );
      }
      yield* receiveAll(socket, result.subarray(start, start + part.length));
    }
    return result;
  } finally {
    socket.close();
  }
}

/** The data and the tag behind it, or the data without it. */
function* aeadCipher(input: CipherInput): Work<Buffer> {
  const { data, aad, authSize, operation, iv } = input;
  const result = Buffer.alloc(data.length + (operation === ALG_OP_ENCRYPT ? authSize : -authSize));
  const socket = yield* open(input);
  try {
    makeRoom(socket, 'sendmsg', aad.length + data.length, SNDBUF);
    makeRoom(socket, 'recvmsg', aad.length + result.length, RCVBUF);
    yield* send(socket, [aad, data], { operation, iv, assoclen: aad.length });
    // what is received is the associated data and the result. Where both are empty the kernel would
    // not look at the tag, were it not for a byte that it could fill.
    const expected = aad.length + result.length;
    const targets = expected === 0 ? [new Uint8Array(1)] : [new Uint8Array(aad.length), result];
    const { bytes } = yield* wait(
      () => socket.recvMsgInto(targets),
      () => socket.recvMsgIntoSync(targets),
    );
    if (bytes !== expected) throw socketError('recvmsg', 'EMSGSIZE', `${bytes} bytes came, not ${expected}`);
    return result;
  } finally {
    socket.close();
  }
}

const work = (input: CipherInput): Work<Buffer> => (input.aead ? aeadCipher(input) : cipher(input));

/**
 * Encrypts data with a cipher of the kernel. Nothing is padded: block modes (`cbc(aes)`) take whole
 * blocks. An AEAD cipher (`gcm(aes)`) puts its tag behind the encrypted data.
 *
 * Long data goes in pieces where the mode allows it (`ecb`, `cbc`, `ctr`, `cfb`, `ofb`, `pcbc`); other
 * ciphers take it whole, as far as net.core.wmem_max and net.core.rmem_max allow.
 * @param name of the algorithm, such as `cbc(aes)`
 * @throws SocketError `EAFNOSUPPORT`, `ENOENT` where the kernel has no such cipher, `EINVAL` for a key, a
 * vector, a tag or data of a size that it does not take, `EMSGSIZE` for data that it would have
 * to take whole and that is too long. Source: kernel, crypto/userspace-if.
 */
export async function encrypt(name: string, data: Data, options: CipherOptions): Promise<Buffer> {
  return run(work(check(ALG_OP_ENCRYPT, name, data, options)));
}

/** As `encrypt`, blocking the thread. */
export function encryptSync(name: string, data: Data, options: CipherOptions): Buffer {
  return runSync(work(check(ALG_OP_ENCRYPT, name, data, options)));
}

/**
 * Decrypts what `encrypt` made, with the same options.
 * @param data for an AEAD cipher with the tag at its end
 * @throws SocketError as `encrypt`; `EBADMSG` where the tag does not match: nothing is given then
 */
export async function decrypt(name: string, data: Data, options: CipherOptions): Promise<Buffer> {
  return run(work(check(ALG_OP_DECRYPT, name, data, options)));
}

/** As `decrypt`, blocking the thread. */
export function decryptSync(name: string, data: Data, options: CipherOptions): Buffer {
  return runSync(work(check(ALG_OP_DECRYPT, name, data, options)));
}
