import type { AlgInput } from './address.js';
import { AlgSocket } from './socket.js';
import { type Work, wait } from './work.js';

/**
 * A socket for one operation.
 * @param setUp gives the bound socket its key and what else the algorithm wants
 */
export function* openOperation(address: AlgInput, setUp: (bound: AlgSocket) => void): Work<AlgSocket> {
  const bound = new AlgSocket();
  try {
    bound.tryBind(address);
    setUp(bound);
    bound.timeout = null;
    const { socket } = yield* wait(
      () => bound.accept(),
      () => bound.acceptSync(),
    );
    // nothing that is done here waits for somebody else
    socket.timeout = null;
    return socket;
  } finally {
    bound.close();
  }
}

/** Receives exactly `target.length` bytes, which the kernel must be ready to give. */
export function* receiveAll(socket: AlgSocket, target: Uint8Array): Work<void> {
  for (let done = 0; done < target.length; ) {
    const rest = target.subarray(done);
    done += yield* wait(
      () => socket.recvInto(rest),
      () => socket.recvIntoSync(rest),
    );
  }
}
