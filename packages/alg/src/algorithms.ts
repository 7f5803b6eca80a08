import { readFileSync } from 'node:fs';

/** An algorithm that the kernel has loaded, as /proc/crypto describes it. Sizes are in bytes. */
export interface CryptoAlgorithm {
  /** Name, such as `cbc(aes)`. */
  readonly name: string;
  /** Name of this implementation, such as `cbc-aes-aesni`. */
  readonly driver: string;
  /** Module that has it; `kernel` for what is built in. */
  readonly module: string;
  /** Of several of one name that with the highest is taken. */
  readonly priority: number;
  /** As the kernel calls it: `shash` and `ahash` are bound as `hash`. */
  readonly type: string;
  /** Whether only the kernel itself can use it. */
  readonly internal: boolean;
  /** Whether it passed the kernel's self-test, or was not tested. */
  readonly passed: boolean;
  readonly blockSize?: number;
  readonly digestSize?: number;
  readonly minKeySize?: number;
  readonly maxKeySize?: number;
  readonly ivSize?: number;
  /** Largest tag (AEAD). */
  readonly maxAuthSize?: number;
  /** Seed that a generator asks for; 0 where the kernel seeds it. */
  readonly seedSize?: number;
}

const SIZES = {
  blocksize: 'blockSize',
  digestsize: 'digestSize',
  'min keysize': 'minKeySize',
  'max keysize': 'maxKeySize',
  ivsize: 'ivSize',
  maxauthsize: 'maxAuthSize',
  seedsize: 'seedSize',
} as const;

function toAlgorithm(block: string): CryptoAlgorithm | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon !== -1) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const name = fields.get('name');
  const type = fields.get('type');
  if (name === undefined || type === undefined) return undefined;
  const sizes: Partial<Record<(typeof SIZES)[keyof typeof SIZES], number>> = {};
  for (const [field, member] of Object.entries(SIZES)) {
    const size = Number.parseInt(fields.get(field) ?? '', 10);
    if (!Number.isNaN(size)) sizes[member] = size;
  }
  return {
    name,
    driver: fields.get('driver') ?? '',
    module: fields.get('module') ?? '',
    priority: Number.parseInt(fields.get('priority') ?? '', 10) || 0,
    type,
    internal: fields.get('internal') === 'yes',
    passed: fields.get('selftest') === 'passed',
    ...sizes,
  };
}

/** Reads the text of /proc/crypto. Blocks that describe no algorithm are passed over. */
export function parseAlgorithms(text: string): CryptoAlgorithm[] {
  return text
    .split(/\n{2,}/)
    .map(toAlgorithm)
    .filter((algorithm) => algorithm !== undefined);
}

/**
 * The algorithms that are loaded. Others are loaded, or put together of those, when a socket is bound
 * to them. Source: /proc/crypto, proc(5).
 */
export function cryptoAlgorithms(): CryptoAlgorithm[] {
  return parseAlgorithms(readFileSync('/proc/crypto', 'latin1'));
}
