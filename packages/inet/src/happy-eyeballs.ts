/** Every attempt failed: why, in the order of the attempts. */
export class AllFailed {
  constructor(readonly errors: unknown[]) {}
}

/** A race of attempts. */
export interface Race<T> {
  /** Number of attempts that can be made. */
  count: number;
  /** Makes an attempt. The signal comes when another has won, or the race is called off. */
  attempt(index: number, signal: AbortSignal): Promise<T>;
  /** Milliseconds after which the next attempt joins in; `null`: only when the last has failed. */
  delay: number | null;
  /** Gets rid of what won too late. */
  discard(value: T): void;
  /** Calls the race off: it rejects with the signal's reason. */
  signal: AbortSignal;
}

/**
 * Makes attempts one after the other, the next as soon as one has failed or has taken `delay`
 * milliseconds without an end, and gives what the first to succeed gave. Source: RFC 8305, section 5.
 * @throws AllFailed where none succeeded
 */
export function race<T>({ count, attempt, delay, discard, signal }: Race<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const attempts: AbortController[] = [];
    const errors: unknown[] = [];
    let failed = 0;
    let over = false;
    let timer: NodeJS.Timeout | undefined;

    const finish = (): void => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      for (const controller of attempts) controller.abort();
    };
    const next = (): void => {
      clearTimeout(timer);
      const index = attempts.length;
      const controller = new AbortController();
      attempts.push(controller);
      if (delay !== null && index + 1 < count) timer = setTimeout(next, delay);
      attempt(index, controller.signal).then(
        (value) => {
          if (over) {
            discard(value);
            return;
          }
          finish();
          resolve(value);
        },
        (error: unknown) => {
          errors[index] = error;
          failed++;
          if (over) return;
          if (attempts.length < count) {
            next();
          } else if (failed === count) {
            finish();
            reject(new AllFailed(errors));
          }
        },
      );
    };

    const stop = (): void => {
      finish();
      reject(signal.reason);
    };

    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop);
    next();
  });
}

/** A list with the families taking turns, the first's family first. Source: RFC 8305, section 4. */
export function interleave<T>(list: readonly T[], familyOf: (item: T) => number): T[] {
  const families = new Map<number, T[]>();
  for (const item of list) {
    const family = familyOf(item);
    const members = families.get(family);
    if (members === undefined) families.set(family, [item]);
    else members.push(item);
  }
  const result: T[] = [];
  for (let i = 0; result.length < list.length; i++) {
    for (const members of families.values()) if (i < members.length) result.push(members[i] as T);
  }
  return result;
}
