import { MSG_ERRQUEUE, SHUT_RDWR, SHUT_WR } from './constants.gen.js';
import { POLLHUP } from './descriptor.js';
import { EAGAIN } from './errno.js';
import { SocketError } from './errors.js';
import { ADDRESS_LENGTH, CONTROL_LENGTH, MESSAGE_FLAGS, type Native, state } from './native.js';
import type { Socket } from './socket.js';

/**
 * The system calls of a family that tells the end of a connection only once (`endsOnce`): where there
 * is nothing to receive and never will be, the end is given again. Where it is told too early (`endsEarly`),
 * what came before it goes first.
 */
export function endingCalls(calls: Native, early = false): Native {
  const again = (fd: number, flags: number, receive: () => number): number => {
    const count = receive();
    const over = count === -EAGAIN || (early && count === 0);
    if (!over || (flags & MSG_ERRQUEUE) !== 0) return count;
    const events = calls.pollOne(fd, 0, 0);
    if (events < 0 || (events & POLLHUP) === 0) return count;
    // what came between the two calls goes first; after POLLHUP nothing comes any more
    const last = receive();
    if (last !== -EAGAIN) return last;
    state[ADDRESS_LENGTH] = state[CONTROL_LENGTH] = state[MESSAGE_FLAGS] = 0;
    return 0;
  };
  const receiving: Pick<Native, 'recv' | 'recvfrom' | 'recvmsg' | 'recvmmsg'> = {
    recv: (fd, bytes, offset, length, flags) => again(fd, flags, () => calls.recv(fd, bytes, offset, length, flags)),
    recvfrom: (fd, bytes, offset, length, flags) =>
      again(fd, flags, () => calls.recvfrom(fd, bytes, offset, length, flags)),
    recvmsg: (fd, buffers, flags, control, controlLength, size) =>
      again(fd, flags, () => calls.recvmsg(fd, buffers, flags, control, controlLength, size)),
    recvmmsg: (...batch) => again(batch[0], batch[9], () => calls.recvmmsg(...batch)),
  };
  return Object.assign(Object.create(calls) as Native, receiving);
}

/**
 * Ends a direction of a connection for a stream. One that the peer has ended already needs no shutdown.
 * Where a family ends both directions or none (EINVAL), the end of what is sent ends both, and that of
 * what is received nothing: nobody reads it any more.
 */
export function endDirection(socket: Socket<unknown>, how: number): void {
  if (socket.closed) return;
  try {
    socket.shutdown(how);
  } catch (error) {
    const code = error instanceof SocketError ? error.code : undefined;
    if (code === 'EINVAL') {
      if (how === SHUT_WR) endDirection(socket, SHUT_RDWR);
    } else if (code !== 'ENOTCONN') {
      throw error;
    }
  }
}
