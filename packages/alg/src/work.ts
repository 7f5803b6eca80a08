/** Something that may wait, in both of its forms. */
interface Wait {
  promise(): Promise<unknown>;
  sync(): unknown;
}

/** Steps towards a result, written once for the promise form and the Sync form. */
export type Work<Result> = Generator<Wait, Result, unknown>;

/** One step of work. */
export function* wait<Result>(promise: () => Promise<Result>, sync: () => Result): Work<Result> {
  return (yield { promise, sync }) as Result;
}

/** Does work without blocking the thread. */
export async function run<Result>(work: Work<Result>): Promise<Result> {
  let step = work.next();
  while (step.done !== true) {
    try {
      step = work.next(await step.value.promise());
    } catch (error) {
      // what the work itself threw comes out again: it is at its end
      step = work.throw(error);
    }
  }
  return step.value;
}

/** Does work, blocking the thread. */
export function runSync<Result>(work: Work<Result>): Result {
  let step = work.next();
  while (step.done !== true) {
    try {
      step = work.next(step.value.sync());
    } catch (error) {
      step = work.throw(error);
    }
  }
  return step.value;
}
