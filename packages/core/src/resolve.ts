import type { Addressed } from './address.js';
import { TIMER_MAX } from './descriptor.js';
import { checkSignal, checkTimeout, type Target, type WaitOptions } from './drivers.js';
import { timedOut } from './failure.js';
import { EncodedAddress, UnknownAddress } from './family.js';

// longer than a timer can run; what comes after the look-up has the whole limit

type Resolver = Target & Addressed;

const isRaw = (input: unknown): boolean =>
  input === undefined || input === null || input instanceof EncodedAddress || input instanceof UnknownAddress;

/** Resolves names in an address, blocking the thread. */
export function resolveSync(target: Resolver, input: unknown): unknown {
  const { family } = target;
  return isRaw(input) || family.resolveSync === undefined ? input : family.resolveSync(input, target);
}

/**
 * Resolves names in an address and goes on with the result. The timeout and the signal are for both;
 * what is wrong rejects the promise. Without names nothing is waited for.
 */
export function resolveThen<Result>(
  target: Resolver,
  input: unknown,
  syscall: string,
  options: WaitOptions | undefined,
  next: (input: unknown, options: WaitOptions | undefined) => Promise<Result>,
): Promise<Result> {
  try {
    if (isRaw(input) || target.family.resolve === undefined) return next(input, options);
    const signal = checkSignal(options?.signal);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const resolved = target.family.resolve(input, target, { signal });
    if (!(resolved instanceof Promise)) return next(resolved, options);
    return within(target, syscall, resolved, options, signal, next);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function within<Result>(
  target: Resolver,
  syscall: string,
  resolving: Promise<unknown>,
  options: WaitOptions | undefined,
  signal: AbortSignal | undefined,
  next: (input: unknown, options: WaitOptions | undefined) => Promise<Result>,
): Promise<Result> {
  const timeout = options?.timeout === undefined ? target.timeout : checkTimeout(options.timeout);
  // a look-up always waits: timeout 0 is for what comes after it
  const deadline = timeout === null || timeout === 0 ? null : performance.now() + timeout;
  const end = new AbortController();
  try {
    const resolved = await new Promise((resolve, reject) => {
      resolving.then(resolve, reject);
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: end.signal });
      if (deadline === null || (timeout as number) > TIMER_MAX) return;
      const timer = setTimeout(() => reject(timedOut(target, syscall, timeout as number)), timeout as number);
      end.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const rest = deadline === null ? timeout : Math.max(deadline - performance.now(), Number.MIN_VALUE);
    return await next(resolved, { ...options, timeout: rest });
  } finally {
    end.abort();
  }
}
