import { type Addressed, Addressing, encodeAddress } from './address.js';
import { readI32, readU16 } from './bytes.js';
import { AF_UNSPEC, SO_ERROR, SOL_SOCKET } from './constants.gen.js';
import { type Descriptor, POLLOUT } from './descriptor.js';
import { EAGAIN, EINPROGRESS, EINTR, EISCONN } from './errno.js';
import { given } from './native.js';
import { type Operation, READ, WRITE } from './operation.js';

const RETRY_FIRST = 1;
const RETRY_MAX = 50;
const error = new Uint8Array(4);

/**
 * connect(2). Alone among the operations it is never issued again once it has begun: what became of
 * it is in SO_ERROR. Only a unix socket whose peer's backlog is full (EAGAIN) has not begun.
 */
export class Connect extends Addressing implements Operation<void> {
  readonly syscall = 'connect';
  readonly direction = WRITE;
  delay = 0;
  private begun = false;

  get blocked(): number {
    return this.begun ? -EINPROGRESS : -EAGAIN;
  }

  attempt(descriptor: Descriptor): number {
    const { calls, fd } = descriptor;
    if (!this.begun) {
      this.restore();
      const status = calls.connect(fd, given, this.length);
      if (status === 0 && descriptor.told) {
        descriptor.told = false;
        // AF_UNSPEC ends a connection; another address is not the one that the socket is connected to
        return readU16(given, 0) === AF_UNSPEC ? 0 : -EISCONN;
      }
      if (status === -EAGAIN) {
        // nothing tells when there is room again
        this.delay = this.delay === 0 ? RETRY_FIRST : Math.min(this.delay * 2, RETRY_MAX);
        return -EAGAIN;
      }
      if (status !== -EINPROGRESS && status !== -EINTR) return status;
      this.begun = true;
      this.delay = 0;
      return -EAGAIN;
    }
    const events = calls.pollOne(fd, POLLOUT, 0);
    if (events <= 0) return events === 0 ? -EAGAIN : events;
    const status = calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, error.length);
    if (status < 0) return status;
    const errno = readI32(error, 0);
    descriptor.told = errno === 0;
    return -errno;
  }

  result(): void {}
}

/** bind(2), which never waits. */
export class Bind extends Addressing implements Operation<void> {
  readonly syscall = 'bind';
  readonly direction = WRITE;

  attempt({ calls, fd }: Descriptor): number {
    return calls.bind(fd, given, this.length);
  }

  result(): void {}
}

/** accept4(2): a descriptor. */
export class Accept<Result> implements Operation<Result> {
  readonly syscall = 'accept';
  readonly direction = READ;

  /** @param named whether peers have names that the kernel can tell */
  constructor(
    private readonly accepted: (fd: number) => Result,
    private readonly named: boolean,
  ) {}

  attempt({ calls, fd }: Descriptor): number {
    return calls.accept(fd, this.named ? 1 : 0);
  }

  result(fd: number): Result {
    return this.accepted(fd);
  }
}

export function connect(socket: Addressed, address: unknown): Operation<void> {
  return new Connect(socket, encodeAddress(socket, address));
}

export function bind(socket: Addressed, address: unknown): Operation<void> {
  return new Bind(socket, encodeAddress(socket, address));
}
