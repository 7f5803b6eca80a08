import { native, PENDING, REFERENCED, ready, state, TURN } from './native.js';

// the events of uv_poll_t, and what readiness.cc adds
export const READABLE = 1;
export const WRITABLE = 2;
export const DISCONNECT = 4;
export const PRIORITIZED = 8;
/** The watcher was stopped because of an error condition (POLLERR). */
export const STOPPED = 16;

/** What watches descriptors: told what became ready. */
export interface Watcher {
  onReady(events: number): void;
}

const watchers: (Watcher | undefined)[] = [];
let started = false;

function dispatch(count: number): void {
  for (let i = 0; i < count; i++) {
    // a watcher that an earlier one of this list has closed is gone from its slot
    watchers[ready[i * 2] as number]?.onReady(ready[i * 2 + 1] as number);
  }
}

function start(): void {
  started = true;
  native.startLoop(dispatch);
}

/** Watches a descriptor: a slot, or a negative errno. */
export function watch(fd: number, watcher: Watcher): number {
  if (!started) start();
  const slot = native.watch(fd);
  if (slot >= 0) watchers[slot] = watcher;
  return slot;
}

/** Ends a watch: before the descriptor is closed. */
export function unwatch(slot: number): void {
  watchers[slot] = undefined;
  native.unwatch(slot);
}

/** Keeps the loop alive for one more pending operation. */
export function hold(): void {
  if (!started) start();
  const pending = (state[PENDING] as number) + 1;
  state[PENDING] = pending;
  if (state[REFERENCED] === 0) native.reference();
}

/** The end of what `hold` began. The loop notices before it would sleep. */
export function release(): void {
  state[PENDING] = (state[PENDING] as number) - 1;
}

// Operations that need not wait complete without a turn of the loop. A socket that always has data
// would so keep timers and other sockets waiting for ever: after this many, one turn is taken.
const IMMEDIATE_LIMIT = 128;
let immediate = 0;
let turn = 0;

/** Whether one more operation may complete before the loop takes a turn. */
export function mayComplete(): boolean {
  if (immediate++ < IMMEDIATE_LIMIT) return true;
  if (!started) start();
  if (state[TURN] !== turn) {
    turn = state[TURN] as number;
    immediate = 1;
    return true;
  }
  return false;
}
