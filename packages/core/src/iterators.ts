import { ECONNABORTED } from './errno.js';
import { SocketError } from './errors.js';

interface Closable {
  readonly closed: boolean;
}

// the end of an iteration over what a socket receives: closing the socket ends it quietly
async function* until<T>(
  socket: Closable,
  next: () => Promise<T>,
  skips: (error: unknown) => boolean,
): AsyncGenerator<T> {
  while (!socket.closed) {
    let item: T;
    try {
      item = await next();
    } catch (error) {
      if (socket.closed) return;
      if (skips(error)) continue;
      throw error;
    }
    yield item;
  }
}

const none = (): boolean => false;

export function connectionsOf<T>(socket: Closable, accept: () => Promise<T>): AsyncGenerator<T> {
  return until(socket, accept, (error) => error instanceof SocketError && error.errno === -ECONNABORTED);
}

/**
 * What `receive` gives, one after the other, until the socket is closed: that ends the iteration, and
 * what was pending then is no error.
 */
export function untilClosed<T>(
  socket: { readonly closed: boolean },
  receive: () => Promise<T>,
): AsyncIterableIterator<T> {
  return until(socket, receive, none);
}

export async function* chunksOf(socket: Closable, receive: () => Promise<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of until(socket, receive, none)) {
    if (chunk.length === 0) return;
    yield chunk;
  }
}
