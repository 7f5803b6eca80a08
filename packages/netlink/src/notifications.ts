import { SocketError, socketError } from '@sock/core';
import { Iteration } from './iteration.js';
import type { NetlinkMessage } from './message.js';
import { Queue } from './queue.js';

/** A message that nobody asked for: what a multicast group was told, or what was sent to this socket. */
export interface NetlinkNotification {
  message: NetlinkMessage;
  /** Number of the multicast group; 0 for what was sent to this socket. */
  group: number;
  /** Port number of the sender: 0 is the kernel. */
  sender: number;
  /** Identifier of the network namespace that it came from, where it has one and `allNamespaces` asks for it. */
  namespaceId: number | undefined;
}

interface Closable {
  readonly closed: boolean;
}

/** Bytes of notifications that are kept while somebody else reads the socket. */
const KEPT_MAX = 4 * 1024 * 1024;

/** What a notification takes besides its payload, roughly. */
const OVERHEAD = 256;

/**
 * Notifications as they come, until the socket is closed. Those that nobody takes wait in the socket's
 * receive buffer. Where that was full, and some were lost, `next` rejects once with `ENOBUFS`, in its
 * place among the others; after that it goes on.
 */
export class Notifications extends Iteration<NetlinkNotification> {
  readonly #socket: Closable;
  readonly #until: (done: () => boolean) => Promise<void>;
  readonly #leave: () => void;
  readonly #queue = new Queue<NetlinkNotification | SocketError>();
  #kept = 0;
  #closed = false;

  /** @internal */
  constructor(socket: Closable, until: (done: () => boolean) => Promise<void>, leave: () => void) {
    super();
    this.#socket = socket;
    this.#until = until;
    this.#leave = leave;
  }

  /** @internal Takes a notification that came. */
  take(notification: NetlinkNotification): void {
    const size = OVERHEAD + notification.message.payload.length;
    if (this.#kept + size > KEPT_MAX) {
      const text = `more than ${KEPT_MAX} bytes of notifications waited to be taken, and the next were lost`;
      this.lose(socketError('recvmsg', 'ENOBUFS', text));
      return;
    }
    this.#kept += size;
    this.#queue.push(notification);
  }

  /** @internal Some were lost. */
  lose(error: SocketError): void {
    if (!(this.#queue.last instanceof SocketError)) this.#queue.push(error);
  }

  protected override async advance(): Promise<IteratorResult<NetlinkNotification, undefined>> {
    for (;;) {
      const first = this.#queue.shift();
      if (first instanceof SocketError) throw first;
      if (first !== undefined) {
        this.#kept -= OVERHEAD + first.message.payload.length;
        return { done: false, value: first };
      }
      if (this.#closed || this.#socket.closed) {
        this.close();
        return { done: true, value: undefined };
      }
      try {
        await this.#until(() => this.#queue.length > 0 || this.#closed);
      } catch (error) {
        // closing the socket ends the iteration quietly
        if (!this.#socket.closed) throw error;
      }
    }
  }

  /** Ends the iteration: what comes from now on is not kept. The socket stays open. */
  override close(): void {
    this.#closed = true;
    this.#queue.clear();
    this.#leave();
  }
}
