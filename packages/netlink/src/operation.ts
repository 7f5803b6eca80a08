import { setTimeout as delay } from 'node:timers/promises';
import {
  checkObject,
  invalidArgumentType,
  outOfRange,
  SocketError,
  type SocketOptions,
  socketError,
  type WaitOptions,
} from '@sock/core';
import { NETLINK_ROUTE } from './constants.gen.js';
import type { NetlinkReply } from './conversation.js';
import type { NetlinkRequest, RequestOptions } from './exchange.js';
import { Limit } from './limit.js';
import type { NetlinkMessage } from './message.js';
import { NetlinkSocket, type NetlinkSocketOptions } from './socket.js';

/** Options of functions that ask the kernel something. */
export interface NetlinkOptions extends WaitOptions, SocketOptions {
  /**
   * The socket to ask through, which stays open. Unless told one is opened for each call, in this
   * process's network namespace or in `namespace`.
   */
  socket?: NetlinkSocket | undefined;
}

/** Options of the functions that block the thread. */
export type NetlinkSyncOptions = Omit<NetlinkOptions, 'signal'>;

/** Options of functions that add. */
export interface AddOptions extends NetlinkOptions {
  /** Replace what exists; false unless told. */
  replace?: boolean | undefined;
}

/** Options of functions that add and block the thread. */
export type AddSyncOptions = Omit<AddOptions, 'signal'>;

/** A request: what to send, and what it is for error messages. */
export interface Change extends Pick<RequestOptions, 'label' | 'about' | 'explain'> {
  /** NETLINK_*; NETLINK_ROUTE unless told. */
  protocol?: number;
  /** Makes the request, for a socket whose namespace has the interfaces that it names. */
  request(socket: NetlinkSocket): NetlinkRequest;
}

/** A request for a list, and how to read what comes. */
export interface Listing<T> extends Change {
  /** `undefined` for what does not belong to the list. */
  read(message: NetlinkMessage, names: Names): T | undefined;
}

/** How often a list that changes all the time is begun anew: for about a second, so that a burst of changes can end. */
const ATTEMPTS = 20;

/** Milliseconds to wait before the next attempt. */
const pauseAfter = (attempt: number): number => Math.min(2 ** (attempt - 1), 100);

// once the signal is aborted, the next attempt says so
const pause = (attempt: number, signal: AbortSignal | undefined): Promise<void> =>
  delay(pauseAfter(attempt), undefined, { signal }).catch(() => {});

function pauseSync(attempt: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseAfter(attempt));
}

/** Names of interfaces, by index. */
export interface Names {
  /** `undefined` where there is none, or none any more. */
  of(index: number | undefined): string | undefined;
}

/** Of a namespace whose interfaces cannot be asked for. */
export const NO_NAMES: Names = { of: () => undefined };

/** Names of the interfaces of a socket's network namespace. */
export class InterfaceNames implements Names {
  readonly #socket: NetlinkSocket;
  readonly #known: Map<number, string | undefined> | undefined;

  /** @param remembers whether names may be taken to stay the same */
  constructor(socket: NetlinkSocket, remembers: boolean) {
    this.#socket = socket;
    this.#known = remembers ? new Map() : undefined;
  }

  of(index: number | undefined): string | undefined {
    if (index === undefined || index === 0) return undefined;
    if (this.#known?.has(index) === true) return this.#known.get(index);
    const name = this.#socket.interfaceName(index);
    this.#known?.set(index, name);
    return name;
  }
}

/** The socket of the options, or a new one, which is to be closed. */
export function openSocket(
  options: NetlinkOptions,
  protocol: number = NETLINK_ROUTE,
  further: Pick<NetlinkSocketOptions, 'allNamespaces'> = {},
): { socket: NetlinkSocket; own: boolean } {
  const { socket, namespace } = checkObject('options', options);
  if (socket === undefined) {
    const opened = new NetlinkSocket({ ...further, protocol, namespace });
    // default timeouts are for the sockets that users make
    opened.timeout = null;
    return { socket: opened, own: true };
  }
  if (!(socket instanceof NetlinkSocket) || socket.protocol !== protocol) {
    throw invalidArgumentType('options.socket', `a NetlinkSocket of the protocol ${protocol}`, socket);
  }
  for (const [name, value] of Object.entries({ namespace, ...further })) {
    if (value !== undefined) throw outOfRange(`options.${name}`, 'left out where there is a socket', value);
  }
  return { socket, own: false };
}

const isInterrupted = (error: unknown): boolean => error instanceof SocketError && error.code === 'EINTR';

const limitOf = (options: NetlinkOptions, socket: NetlinkSocket, what: Change | undefined): Limit =>
  new Limit(options, socket.timeout, what?.label ?? 'netlink request');

/** The options of a request for one of our functions. */
function requestOptions({ label, about, explain }: Change, { timeout, signal }: NetlinkOptions): RequestOptions {
  return { label, about, explain, timeout, signal };
}

/** Sends a request. */
export async function change(what: Change, options: NetlinkOptions): Promise<NetlinkReply> {
  const { socket, own } = openSocket(options, what.protocol);
  try {
    return await socket.request(what.request(socket), requestOptions(what, options));
  } finally {
    if (own) socket.close();
  }
}

/** As `change`, blocking the thread. */
export function changeSync(what: Change, options: NetlinkSyncOptions): NetlinkReply {
  const { socket, own } = openSocket(options, what.protocol);
  try {
    return socket.requestSync(what.request(socket), requestOptions(what, options));
  } finally {
    if (own) socket.close();
  }
}

/** Lists; what changed meanwhile is listed again. */
export async function list<T>(what: Listing<T> | readonly Listing<T>[], options: NetlinkOptions): Promise<T[]> {
  const listings = [what].flat() as Listing<T>[];
  const { socket, own } = openSocket(options, listings[0]?.protocol);
  try {
    const limit = limitOf(options, socket, listings[0]);
    let found: T[] = [];
    for (const listing of listings) found = found.concat(await whole(listing, options, socket, limit));
    return found;
  } finally {
    if (own) socket.close();
  }
}

async function whole<T>(what: Listing<T>, options: NetlinkOptions, socket: NetlinkSocket, limit: Limit): Promise<T[]> {
  for (let attempt = 1; ; attempt++) {
    const names = new InterfaceNames(socket, true);
    const found: T[] = [];
    try {
      for await (const message of socket.exchange.dump(what.request(socket), requestOptions(what, options), limit)) {
        const item = what.read(message, names);
        if (item !== undefined) found.push(item);
      }
      return found;
    } catch (error) {
      if (!isInterrupted(error) || attempt === ATTEMPTS) throw error;
      await pause(attempt, limit.signal);
    }
  }
}

/** As `list`, blocking the thread. */
export function listSync<T>(what: Listing<T> | readonly Listing<T>[], options: NetlinkSyncOptions): T[] {
  const listings = [what].flat() as Listing<T>[];
  const { socket, own } = openSocket(options, listings[0]?.protocol);
  try {
    const limit = limitOf(options, socket, listings[0]);
    return listings.flatMap((listing) => wholeSync(listing, options, socket, limit));
  } finally {
    if (own) socket.close();
  }
}

function wholeSync<T>(what: Listing<T>, options: NetlinkSyncOptions, socket: NetlinkSocket, limit: Limit): T[] {
  for (let attempt = 1; ; attempt++) {
    const names = new InterfaceNames(socket, true);
    const found: T[] = [];
    try {
      for (const message of socket.exchange.dumpSync(what.request(socket), requestOptions(what, options), limit)) {
        const item = what.read(message, names);
        if (item !== undefined) found.push(item);
      }
      return found;
    } catch (error) {
      if (!isInterrupted(error) || attempt === ATTEMPTS) throw error;
      pauseSync(attempt);
    }
  }
}

/** Asks for one thing: the first message of the answer. */
export async function get<T>(what: Listing<T>, options: NetlinkOptions): Promise<T> {
  const { socket, own } = openSocket(options, what.protocol);
  try {
    const { messages } = await socket.request(what.request(socket), requestOptions(what, options));
    return only(what, messages, socket);
  } finally {
    if (own) socket.close();
  }
}

/** As `get`, blocking the thread. */
export function getSync<T>(what: Listing<T>, options: NetlinkSyncOptions): T {
  const { socket, own } = openSocket(options, what.protocol);
  try {
    const { messages } = socket.requestSync(what.request(socket), requestOptions(what, options));
    return only(what, messages, socket);
  } finally {
    if (own) socket.close();
  }
}

function only<T>(what: Listing<T>, messages: readonly NetlinkMessage[], socket: NetlinkSocket): T {
  const names = new InterfaceNames(socket, true);
  for (const message of messages) {
    const item = what.read(message, names);
    if (item !== undefined) return item;
  }
  throw socketError(what.label ?? 'netlink request', 'EBADMSG', 'the answer has no message');
}
