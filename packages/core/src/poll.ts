import { checkBoolean, checkObject, invalidArgumentType } from './arguments.js';
import { Pending, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, TIMER_MAX } from './descriptor.js';
import { BREATH, checkSignal, checkTimeout, type WaitOptions } from './drivers.js';
import { EBADF, EINTR } from './errno.js';
import { CLOSED, failure } from './failure.js';
import { SocketHandle } from './handle.js';
import { native } from './native.js';
import { ERROR, READ, WRITE } from './operation.js';
import { Wait } from './wait.js';

type AnySocket = SocketHandle<unknown, unknown>;

/** A socket and what to wait for on it. */
export interface PollInterest {
  socket: AnySocket;
  /** There is data, a connection to accept, or the end. True unless `writable` is given. */
  readable?: boolean;
  /** There is room to send, or a connection is made. */
  writable?: boolean;
  /** There is urgent data. */
  priority?: boolean;
}

/** A socket that is ready, and for what. Source: poll(2). */
export interface PollResult {
  socket: AnySocket;
  readable: boolean;
  writable: boolean;
  priority: boolean;
  /** An error waits, in SO_ERROR or in the error queue. */
  error: boolean;
  /** The peer has hung up. */
  hangup: boolean;
}

const EVENTS = { [READ]: POLLIN | POLLPRI, [WRITE]: POLLOUT } as const;

class Poll {
  private readonly entries: Int32Array;
  private readonly interests: PollInterest[];

  constructor(interests: Iterable<PollInterest>) {
    if (typeof interests !== 'object' || interests === null || !(Symbol.iterator in interests)) {
      throw invalidArgumentType('interests', 'an iterable of { socket, readable, writable }', interests);
    }
    this.interests = [...interests];
    this.entries = new Int32Array(Math.max(1, this.interests.length * 3));
    this.interests.forEach((interest, i) => {
      const argument = `interests[${i}]`;
      if (typeof interest !== 'object' || interest === null) {
        throw invalidArgumentType(argument, '{ socket, readable, writable }', interest);
      }
      const { socket, priority = false, writable = false, readable = !(writable || priority) } = interest;
      if (!(socket instanceof SocketHandle)) throw invalidArgumentType(`${argument}.socket`, 'a Socket', socket);
      if (socket.closed) throw failure(socket.target, 'poll', -EBADF, { hint: CLOSED });
      let events = 0;
      if (checkBoolean(`${argument}.readable`, readable)) events |= POLLIN;
      if (checkBoolean(`${argument}.writable`, writable)) events |= POLLOUT;
      if (checkBoolean(`${argument}.priority`, priority)) events |= POLLPRI;
      this.entries[i * 3] = socket.fileno();
      this.entries[i * 3 + 1] = events;
    });
  }

  now(milliseconds: number): PollResult[] {
    const { entries, interests } = this;
    // an error that a socket keeps for the next read is one that waits
    const kept = interests.some(({ socket }) => socket.descriptor.deferred !== 0);
    const limit = milliseconds < 0 ? Number.POSITIVE_INFINITY : milliseconds;
    const deadline = kept ? 0 : performance.now() + limit;
    for (;;) {
      const left = deadline - performance.now();
      const count = native.poll(entries, interests.length, Math.max(0, Math.min(left, BREATH)));
      if (count > 0) break;
      if (count < 0 && count !== -EINTR) throw failure((interests[0] as PollInterest).socket.target, 'poll', count);
      if (left <= 0) break;
    }
    const results: PollResult[] = [];
    interests.forEach(({ socket }, i) => {
      const events = (entries[i * 3 + 2] as number) | (socket.descriptor.deferred === 0 ? 0 : POLLIN | POLLERR);
      if (events === 0) return;
      results.push({
        socket,
        readable: (events & POLLIN) !== 0,
        writable: (events & POLLOUT) !== 0,
        priority: (events & POLLPRI) !== 0,
        error: (events & POLLERR) !== 0,
        hangup: (events & POLLHUP) !== 0,
      });
    });
    return results;
  }

  /** Waits for the first of the sockets to become ready, or for the time to run out. */
  async ready(timeout: number | null, signal: AbortSignal | undefined): Promise<void> {
    const waits: Pending<void>[] = [];
    const end = new AbortController();
    try {
      await new Promise<void>((resolve, reject) => {
        const settle = (): void => resolve();
        this.interests.forEach(({ socket }, i) => {
          const events = this.entries[i * 3 + 1] as number;
          const { descriptor, target } = socket;
          for (const direction of [READ, WRITE, ERROR] as const) {
            // no interest at all still waits for an error or a hang-up
            if (direction === ERROR ? events !== 0 : (events & EVENTS[direction]) === 0) continue;
            const wait = new Wait(direction, (events & POLLPRI) !== 0);
            const pending = new Pending(descriptor, target, wait, settle, reject, undefined);
            waits.push(pending);
            descriptor.add(pending as Pending<unknown>, false);
          }
        });
        signal?.addEventListener('abort', () => reject(signal.reason), { signal: end.signal });
        if (timeout !== null) {
          const timer = setTimeout(settle, Math.min(Math.ceil(timeout), TIMER_MAX));
          end.signal.addEventListener('abort', () => clearTimeout(timer));
        }
      });
    } finally {
      end.abort();
      // ends the waits that are still pending: the promise is settled already
      for (const wait of waits) wait.abandon(() => undefined);
    }
  }
}

/**
 * Waits until one or more of several sockets are ready, without blocking the thread.
 * @returns those that are ready; none where `timeout` (milliseconds, `null` for no limit) ran out
 * @throws SocketError `EBADF` for a closed socket, `ECANCELED` for one that is closed meanwhile.
 * Source: poll(2).
 */
export async function poll(interests: Iterable<PollInterest>, options: WaitOptions = {}): Promise<PollResult[]> {
  const set = new Poll(interests);
  const timeout = checkTimeout(checkObject('options', options).timeout ?? null);
  const signal = checkSignal(options.signal);
  signal?.throwIfAborted();
  const deadline = timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout;
  for (;;) {
    const results = set.now(0);
    const left = deadline - performance.now();
    if (results.length > 0 || left <= 0) return results;
    await set.ready(timeout === null ? null : left, signal);
  }
}

/** As `poll`, blocking the thread. */
export function pollSync(interests: Iterable<PollInterest>, options: Pick<WaitOptions, 'timeout'> = {}): PollResult[] {
  const timeout = checkTimeout(checkObject('options', options).timeout ?? null);
  return new Poll(interests).now(timeout ?? -1);
}

/** As `poll`, without waiting: those that are ready now. */
export function tryPoll(interests: Iterable<PollInterest>): PollResult[] {
  return new Poll(interests).now(0);
}
