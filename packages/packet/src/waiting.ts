/** Waits that the end of something ends, besides the signals of their callers. */
export class Waits {
  private readonly own = new AbortController();

  /**
   * Runs a wait. One with a signal of its caller's gets a signal made for it: composite signals of
   * the platform would hold on to one that lives for long.
   * @throws the signal's reason, or that of `end`
   */
  run<Result>(caller: AbortSignal | undefined, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return caller === undefined ? wait(this.own.signal) : this.runWith(caller, wait);
  }

  private async runWith<Result>(caller: AbortSignal, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    caller.throwIfAborted();
    const own = this.own.signal;
    const controller = new AbortController();
    const abort = (): void => controller.abort((caller.aborted ? caller : own).reason);
    caller.addEventListener('abort', abort);
    own.addEventListener('abort', abort);
    try {
      return await wait(controller.signal);
    } finally {
      caller.removeEventListener('abort', abort);
      own.removeEventListener('abort', abort);
    }
  }

  /** Ends the waits, and those to come. */
  end(reason: Error): void {
    this.own.abort(reason);
  }
}

/** Sleeps. @throws the signal's reason */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort);
  });
}
