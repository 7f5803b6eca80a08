/** What SOCK_TIME_SCALE says: how much slower than usual this run is (sanitizers, emulators). 1 where it is unset. */
export const timeScale: number = (() => {
  const text = process.env.SOCK_TIME_SCALE;
  if (text === undefined || text === '') return 1;
  const scale = Number(text);
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new RangeError(`SOCK_TIME_SCALE must be a positive number, not ${JSON.stringify(text)}`);
  }
  return scale;
})();

/**
 * Whether this runs in the kernel lab's emulated machine. What the host's kernel has, and has shown in
 * every variant, is shown there in one.
 */
export const inLab: boolean = process.env.SOCK_LAB === '1';

/** How often to try a property: a tenth as often in the lab, where the processor is emulated. */
export function runs(count = 100): number {
  return inLab ? Math.ceil(count / 10) : count;
}

/** Milliseconds, stretched by SOCK_TIME_SCALE. For limits: what must have happened by then. */
export function scaled(milliseconds: number): number {
  return Math.ceil(milliseconds * timeScale);
}

/** Resolves after some milliseconds, not stretched. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Resolves after `count` turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Rejects where `promise` does not settle within a limit (milliseconds, stretched): a hang then says
 * what hung instead of ending at mocha's own timeout.
 */
export async function within<T>(what: string, promise: PromiseLike<T>, milliseconds = 5000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: not settled within ${scaled(milliseconds)} ms`));
    }, scaled(milliseconds));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
