import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  checkObject,
  SocketError,
  type SocketOptions,
  type WaitOptions,
} from '@sock/core';
import { NETLINK_ROUTE } from './constants.gen.js';
import { Iteration } from './iteration.js';
import type { NetlinkNotification, Notifications } from './notifications.js';
import { InterfaceNames, type Names, NO_NAMES, openSocket } from './operation.js';
import type { NetlinkSocket } from './socket.js';
import { checkFamily } from './structures.js';

/** Options of functions that watch. */
export interface WatchOptions extends WaitOptions, SocketOptions {
  /**
   * The socket to watch through, which stays open. Unless told one is opened, in this process's network
   * namespace or in `namespace`.
   */
  socket?: NetlinkSocket | undefined;
  /**
   * Whether to watch all network namespaces that have an identifier in this one (CAP_NET_BROADCAST); false
   * unless told. Not with `socket`, where that is an option of the socket.
   */
  allNamespaces?: boolean | undefined;
}

/** Options of functions that watch one or both of IPv4 and IPv6. */
export interface WatchFamilyOptions extends WatchOptions {
  /** AF_INET or AF_INET6; both unless told. */
  family?: number | undefined;
}

/** The groups of a family, or of both. */
export function groupsOf(options: WatchFamilyOptions, inet: number, inet6: number): number[] {
  const { family = AF_UNSPEC } = checkObject('options', options);
  checkFamily('options.family', family);
  return [...(family === AF_INET6 ? [] : [inet]), ...(family === AF_INET ? [] : [inet6])];
}

/** Something that changed. */
export interface Changed {
  /** `update` for what is new or has changed, `delete` for what is gone. */
  event: 'update' | 'delete';
  /** Identifier of the network namespace, where it has one and `allNamespaces` asks for it. */
  namespaceId: number | undefined;
}

/** How to watch: the groups to join, and what to make of what they are told. */
export interface Watch<T> {
  protocol?: number;
  groups: readonly number[];
  /** `undefined` for what is of no interest. */
  read(notification: NetlinkNotification, names: Names): T | undefined;
}

const isTransient = (error: unknown): boolean =>
  error instanceof SocketError && (error.code === 'ENOBUFS' || error.code === 'ETIMEDOUT' || error.code === 'EAGAIN');

/**
 * Changes as they come: from the moment that it was made, so that who lists after that misses nothing. The
 * end of the loop, `close` and `using` close the socket that was opened for it.
 *
 * Where changes come faster than they are taken, and the socket's receive buffer is full, some are lost:
 * `next` rejects once with `ENOBUFS`. List anew then, and go on with the same watcher.
 */
export class Watcher<T> extends Iteration<T> {
  /** The socket that it watches through: to give it a larger receive buffer (`soRcvBuf`), or to `unref` it. */
  readonly socket: NetlinkSocket;
  readonly #own: boolean;
  readonly #watch: Watch<T>;
  readonly #names: InterfaceNames;
  readonly #held: number[] = [];
  readonly #notifications: Notifications;
  #closed = false;

  /** @internal */
  constructor(watch: Watch<T>, options: WatchOptions) {
    super();
    const { socket, own } = openWatched(watch, options);
    this.socket = socket;
    this.#own = own;
    this.#watch = watch;
    this.#names = new InterfaceNames(socket, false);
    try {
      const { timeout = own ? null : undefined, signal } = options;
      this.#notifications = socket.notifications({ timeout, signal });
      for (const group of watch.groups) {
        socket.exchange.hold(group);
        this.#held.push(group);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  protected override async advance(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      let result: IteratorResult<NetlinkNotification, undefined>;
      try {
        result = await this.#notifications.next();
      } catch (error) {
        if (!isTransient(error)) this.close();
        throw error;
      }
      if (result.done === true) {
        this.close();
        return result;
      }
      // others than the kernel may send too, and what they say need not be so
      if (result.value.sender !== 0 || !this.#watch.groups.includes(result.value.group)) continue;
      const value = this.#watch.read(result.value, result.value.namespaceId === undefined ? this.#names : NO_NAMES);
      if (value !== undefined) return { done: false, value };
    }
  }

  /** Ends the iteration. */
  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#notifications?.close();
    if (this.#own) this.socket.close();
    else for (const group of this.#held) this.socket.exchange.release(group);
  }
}

function openWatched(watch: Watch<unknown>, options: WatchOptions): { socket: NetlinkSocket; own: boolean } {
  const { protocol = NETLINK_ROUTE } = watch;
  const { allNamespaces } = checkObject('options', options);
  return openSocket(options, protocol, { allNamespaces });
}
