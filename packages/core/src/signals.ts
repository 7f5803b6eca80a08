/** What a signal ends when it is aborted. */
export interface Abortable {
  handleEvent(): void;
}

/** Those who wait for one signal, behind one listener: Node warns of more than ten. */
class Waiting {
  readonly all = new Set<Abortable>();

  handleEvent(): void {
    for (const item of [...this.all]) item.handleEvent();
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/** Tells `what` when the signal is aborted. */
export function onAbort(signal: AbortSignal, what: Abortable): void {
  let those = waiting.get(signal);
  if (those === undefined) {
    those = new Waiting();
    waiting.set(signal, those);
    signal.addEventListener('abort', those);
  }
  those.all.add(what);
}

/** Ends what `onAbort` began. A signal with a listener is kept alive, so the last takes it along. */
export function offAbort(signal: AbortSignal, what: Abortable): void {
  const those = waiting.get(signal);
  if (those?.all.delete(what) !== true || those.all.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', those);
}
