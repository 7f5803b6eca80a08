import { MSG_ERRQUEUE, SHUT_RDWR, SHUT_WR } from './constants.gen.js';
import { POLLERR, POLLHUP, POLLOUT } from './descriptor.js';
import { EAGAIN, ENOBUFS } from './errno.js';
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

const NOTHING = new Uint8Array(0);

/**
 * The system calls of connections whose kernel sends a part of a message where there is not room for all of it,
 * and says that there is no room at all (`tearsMessages`): a second attempt would send the message behind its own
 * beginning, as one. So it is tried where there is some room only, a torn message ends the connection, and the
 * error is ENOBUFS. Several messages in one call would hide it: each goes in its own.
 */
export function wholeCalls(calls: Native): Native {
  const whole = (fd: number, send: () => number): number => {
    const events = calls.pollOne(fd, POLLOUT, 0);
    if (events >= 0 && (events & (POLLOUT | POLLERR | POLLHUP)) === 0) {
      // nothing is sent, and tells whether anything can be: a direction that was shut down is not writable either
      const possible = calls.send(fd, NOTHING, 0, 0, 0);
      return possible < 0 ? possible : -EAGAIN;
    }
    const count = send();
    if (count !== -EAGAIN) return count;
    calls.shutdown(fd, SHUT_RDWR);
    return -ENOBUFS;
  };
  const sending: Pick<Native, 'send' | 'sendto' | 'sendmsg' | 'sendmmsg'> = {
    send: (fd, bytes, offset, length, flags) => whole(fd, () => calls.send(fd, bytes, offset, length, flags)),
    sendto: (fd, bytes, offset, length, flags, sockaddrLength) =>
      whole(fd, () => calls.sendto(fd, bytes, offset, length, flags, sockaddrLength)),
    sendmsg: (fd, buffers, flags, sockaddrLength, control, controlLength, size) =>
      whole(fd, () => calls.sendmsg(fd, buffers, flags, sockaddrLength, control, controlLength, size)),
    sendmmsg: (fd, data, size, addresses, control, controlSize, numbers, first, count, flags) =>
      whole(fd, () =>
        calls.sendmmsg(fd, data, size, addresses, control, controlSize, numbers, first, Math.min(count, 1), flags),
      ),
  };
  return Object.assign(Object.create(calls) as Native, sending);
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
