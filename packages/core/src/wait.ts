import { type Descriptor, POLLIN, POLLOUT, POLLPRI } from './descriptor.js';
import { EAGAIN } from './errno.js';
import { type Operation, READ, WRITE } from './operation.js';

/** Readiness itself: poll(2) on one descriptor. */
export class Wait implements Operation<void> {
  readonly syscall = 'poll';
  // urgent data are no data to read: the level-triggered watch does not see them
  readonly edge: boolean;

  constructor(
    readonly direction: typeof READ | typeof WRITE,
    private readonly urgent = false,
  ) {
    this.edge = urgent;
  }

  attempt({ calls, fd }: Descriptor): number {
    const events = this.direction === READ ? POLLIN | (this.urgent ? POLLPRI : 0) : POLLOUT;
    const ready = calls.pollOne(fd, events, 0);
    return ready === 0 ? -EAGAIN : ready;
  }

  result(): void {}
}

export const waitReadable = (): Operation<void> => new Wait(READ);
export const waitWritable = (): Operation<void> => new Wait(WRITE);
