/** Sets up a socket that was just opened, and closes it where that fails: for constructors of subclasses. */
export function setUp(socket: { close(): void }, steps: () => void): void {
  try {
    steps();
  } catch (error) {
    socket.close();
    throw error;
  }
}
