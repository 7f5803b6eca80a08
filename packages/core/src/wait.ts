import { type Descriptor, POLLERR, POLLIN, POLLOUT, POLLPRI } from './descriptor.js';
import { EAGAIN } from './errno.js';
import { type Direction, type Operation, READ, WRITE } from './operation.js';

/** Readiness itself: poll(2) on one descriptor. */
export class Wait implements Operation<void> {
  readonly syscall = 'poll';
  readonly passive = true;
  // urgent data are no data to read: the level-triggered watch does not see them
  readonly edge: boolean;

  constructor(
    readonly direction: Direction,
    private readonly urgent = false,
  ) {
    this.edge = urgent;
  }

  private get events(): number {
    if (this.direction === READ) return POLLIN | (this.urgent ? POLLPRI : 0);
    // an error or a hang-up is told of unasked
    return this.direction === WRITE ? POLLOUT : 0;
  }

  attempt({ calls, fd, deferred }: Descriptor): number {
    if (deferred !== 0 && this.direction !== WRITE) return POLLERR;
    const ready = calls.pollOne(fd, this.events, 0);
    return ready === 0 ? -EAGAIN : ready;
  }

  result(): void {}
}

export const waitReadable = (): Operation<void> => new Wait(READ);
export const waitWritable = (): Operation<void> => new Wait(WRITE);
