/** What is received, one after the other, until the socket is closed. */
export async function* received<T>(socket: { readonly closed: boolean }, next: () => Promise<T>): AsyncGenerator<T> {
  while (!socket.closed) {
    let item: T;
    try {
      item = await next();
    } catch (error) {
      if (socket.closed) return;
      throw error;
    }
    yield item;
  }
}

/** Sets up a socket that was just opened, and closes it where that fails. */
export function setUp(socket: { close(): void }, steps: () => void): void {
  try {
    steps();
  } catch (error) {
    socket.close();
    throw error;
  }
}
