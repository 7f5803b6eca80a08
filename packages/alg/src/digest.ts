import { checkObject, checkString, type Data, MSG_MORE, toBytes } from '@sock/core';
import { openOperation } from './operation.js';
import { algSetKey } from './options.js';
import { run, runSync, type Work, wait } from './work.js';

/** Options of `digest`. */
export interface DigestOptions {
  /** Key, for algorithms that have one, such as `hmac(sha256)` and `cmac(aes)`. */
  key?: Data | undefined;
}

/** Bytes of the longest digest (HASH_MAX_DIGESTSIZE). A hash gives its own size where more is asked for. */
const DIGEST_MAX = 64;

/** Bytes that one call hashes at most: the kernel does not come back before it is done. */
const PIECE = 0x40000;

interface DigestInput {
  name: string;
  bytes: Uint8Array;
  key: Uint8Array | undefined;
}

// arguments are checked before anything is opened, and in the promise form within the promise
function check(name: string, data: Data, options: DigestOptions): DigestInput {
  const { key } = checkObject('options', options);
  return {
    name: checkString('name', name),
    bytes: toBytes('data', data),
    key: key === undefined ? undefined : toBytes('options.key', key),
  };
}

function* hash({ name, bytes, key }: DigestInput): Work<Buffer> {
  const socket = yield* openOperation({ type: 'hash', name }, (bound) => {
    if (key !== undefined) bound.setOption(algSetKey, key);
  });
  try {
    for (let start = 0; start < bytes.length; start += PIECE) {
      const piece = bytes.subarray(start, start + PIECE);
      yield* wait(
        () => socket.sendAll(piece, { flags: MSG_MORE }),
        () => socket.sendAllSync(piece, { flags: MSG_MORE }),
      );
    }
    return yield* wait(
      () => socket.recv(DIGEST_MAX),
      () => socket.recvSync(DIGEST_MAX),
    );
  } finally {
    socket.close();
  }
}

/**
 * The digest of some data, or, with a key, its authentication code.
 * @param name of the algorithm, such as `sha256`, `hmac(sha256)` or `cmac(aes)`
 * @throws SocketError `EAFNOSUPPORT`, `ENOENT` where the kernel has no such hash, `ENOKEY` where it wants
 * a key, `EINVAL` for a key of a size that it does not take. Source: kernel, crypto/userspace-if.
 */
export async function digest(name: string, data: Data, options: DigestOptions = {}): Promise<Buffer> {
  return run(hash(check(name, data, options)));
}

/** As `digest`, blocking the thread. */
export function digestSync(name: string, data: Data, options: DigestOptions = {}): Buffer {
  return runSync(hash(check(name, data, options)));
}
