import { checkInteger, checkObject, checkString, type Data, toBytes } from '@sock/core';
import { openOperation, receiveAll } from './operation.js';
import { algSetKey } from './options.js';
import { run, runSync, type Work } from './work.js';

/** Options of `randomBytes`. */
export interface RandomBytesOptions {
  /** Generator: `stdrng`, the kernel's default, unless told; `jitterentropy_rng`, `drbg_nopr_hmac_sha256`. */
  name?: string | undefined;
  /**
   * Seed. Empty unless told: the DRBGs gather entropy by themselves and take it as a personalization
   * string. `ansi_cprng` wants one of its own size (48 bytes), and gives the same bytes for the same.
   */
  seed?: Data | undefined;
}

interface RandomInput {
  size: number;
  name: string;
  seed: Uint8Array;
}

function check(size: number, options: RandomBytesOptions): RandomInput {
  const { name = 'stdrng', seed = '' } = checkObject('options', options);
  return {
    size: checkInteger('size', size, 0, 0x7fffffff),
    name: checkString('options.name', name),
    seed: toBytes('options.seed', seed),
  };
}

function* generate({ size, name, seed }: RandomInput): Work<Buffer> {
  // until it was seeded, with nothing at least, a generator answers EINVAL
  const socket = yield* openOperation({ type: 'rng', name }, (bound) => bound.setOption(algSetKey, seed));
  try {
    const result = Buffer.alloc(size);
    yield* receiveAll(socket, result);
    return result;
  } finally {
    socket.close();
  }
}

/**
 * Random bytes of a generator of the kernel.
 * @throws SocketError `EAFNOSUPPORT`, `ENOENT` where the kernel has no such generator, `EINVAL` where it wants
 * a seed of another size. Source: kernel, crypto/userspace-if.
 */
export async function randomBytes(size: number, options: RandomBytesOptions = {}): Promise<Buffer> {
  return run(generate(check(size, options)));
}

/** As `randomBytes`, blocking the thread. */
export function randomBytesSync(size: number, options: RandomBytesOptions = {}): Buffer {
  return runSync(generate(check(size, options)));
}
