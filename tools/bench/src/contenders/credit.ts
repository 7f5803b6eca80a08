/** Bytes asked for with SO_RCVBUF. */
export const receiveBuffer = 4 << 20;

/**
 * Datagrams that the sender may have under way, from the receive buffer that the kernel granted: about one
 * kilobyte is charged for each small datagram, and half of the buffer stays free.
 */
export function windowOf(granted: number): number {
  return 2 * Math.min(1024, Math.floor(granted / 4096));
}

/** Says when the sender is owed another credit, which is worth half a window. */
export class Credit {
  readonly #half: number;
  #owed = 0;

  constructor(window: number) {
    this.#half = window / 2;
  }

  due(received: number): boolean {
    this.#owed += received;
    if (this.#owed < this.#half) return false;
    this.#owed -= this.#half;
    return true;
  }
}
