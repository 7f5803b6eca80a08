import {
  checkInteger,
  checkObject,
  MSG_PEEK,
  MSG_TRUNC,
  type ReceivedMessage,
  type Socket,
  SocketError,
  SocketTimeoutError,
  UnknownAddress,
  type WaitOptions,
} from '@sock/core';
import type { NetlinkAddress, NetlinkInput } from './address.js';
import { scmNetlinkNsid, scmNetlinkPktInfo } from './ancillary.js';
import { NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './constants.gen.js';
import { Conversation, type NetlinkReply } from './conversation.js';
import type { RequestSubject } from './error.js';
import { Limit } from './limit.js';
import { type NetlinkMessage, type NetlinkMessageInput, packMessage, unpackMessages } from './message.js';
import { type NetlinkNotification, Notifications } from './notifications.js';
import { netlinkAddMembership, netlinkDropMembership, netlinkListMemberships } from './options.js';

/** A request: its sequence number is the socket's to give. */
export type NetlinkRequest = Omit<NetlinkMessageInput, 'sequence' | 'pid'>;

/** Options of requests. */
export interface RequestOptions extends WaitOptions {
  /** Port number of whom to ask; 0, the kernel, unless told. */
  peer?: number | undefined;
  /** Name of the request in error messages, such as `RTM_NEWLINK`; its number unless told. */
  label?: string | undefined;
  /** What it is about, for error messages, such as the name of a link. */
  about?: string | undefined;
  /** A clause for error messages by the error's code and the kernel's words, where there is a remedy to name. */
  explain?: ((code: string, text: string | undefined) => string | undefined) | undefined;
}

/** What was received together. */
export interface ReceivedMessages {
  messages: NetlinkMessage[];
  /** What follows the last message and is none: empty where all is well. */
  rest: Buffer;
  /** Number of the multicast group that it came through; 0 for what was sent to this socket. */
  group: number;
  /** Port number of the sender: 0 is the kernel. */
  sender: number;
  /** Identifier of the network namespace that it came from, where it has one and `allNamespaces` asks for it. */
  namespaceId: number | undefined;
}

type NetlinkSocketLike = Socket<NetlinkAddress, NetlinkInput>;

/** Bytes of control messages that come with each message. */
export const ANCILLARY_SIZE = scmNetlinkPktInfo.space + scmNetlinkNsid.space;

// the kernel makes the parts of a list as large as what was last received into, up to this
const RECEIVE_SIZE = 32_768;

const NOTHING = new Uint8Array(0);
const LENGTH = { flags: MSG_PEEK | MSG_TRUNC };

// an end to draining, for who sends faster than this receives
const DRAIN_MAX = 65_536;

// setTimeout(3) of Node takes longer waits as none
const TIMER_MAX = 0x7fffffff;

export function describe({ data, ancillary, address }: ReceivedMessage<NetlinkAddress>): ReceivedMessages {
  const { messages, rest } = unpackMessages(data);
  const known = address === null || address instanceof UnknownAddress ? undefined : address;
  return {
    messages,
    rest,
    group: scmNetlinkPktInfo.find(ancillary) ?? 0,
    sender: known?.pid ?? 0,
    namespaceId: scmNetlinkNsid.find(ancillary),
  };
}

/** Receives what is there, whatever its size; `null` where nothing is. */
export function receiveNow(
  socket: NetlinkSocketLike,
  length = socket.tryRecvInto(NOTHING, LENGTH),
): ReceivedMessages | null {
  if (length === null) return null;
  const received = socket.tryRecvMsg(Math.max(length, RECEIVE_SIZE), ANCILLARY_SIZE);
  return received === null ? null : describe(received);
}

/** Waits for a message: its length. */
export const waitForLength = (socket: NetlinkSocketLike, options: WaitOptions): Promise<number> =>
  socket.recvInto(NOTHING, { ...options, ...LENGTH });

/** As `waitForLength`, blocking the thread. */
export const waitForLengthSync = (socket: NetlinkSocketLike, options: WaitOptions): number =>
  socket.recvIntoSync(NOTHING, { ...options, ...LENGTH });

const isOverflow = (error: unknown): error is SocketError => error instanceof SocketError && error.code === 'ENOBUFS';

/** Somebody who waits for something that what comes in brings about. */
interface Waiter {
  done(): boolean;
  settle(): void;
  fail(error: unknown): void;
}

/**
 * Who asked what on a socket, and who gets what comes in. Everybody who waits takes part in one read; what
 * it brings is handed to whom it belongs, and all look whether they have what they wait for.
 */
export class Exchange {
  readonly #socket: NetlinkSocketLike;
  readonly #conversations = new Map<number, Conversation>();
  // lists that were asked for, in order: the first is the one that the kernel is at
  readonly #lists: Conversation[] = [];
  readonly #sinks = new Set<Notifications>();
  readonly #waiters = new Set<Waiter>();
  readonly #memberships = new Map<number, { users: number; joined: boolean }>();
  // whom requests went to but the kernel
  readonly #peers = new Set<number>();
  #reading: AbortController | undefined;
  // after an overflow the kernel drops everything until the receive queue is empty, without telling again
  #congested = false;
  #sequence = 0;
  #wrapped = false;

  constructor(socket: NetlinkSocketLike) {
    this.#socket = socket;
  }

  #nextSequence(): number {
    do {
      if (this.#sequence === 0xffffffff) this.#wrapped = true;
      this.#sequence = (this.#sequence % 0xffffffff) + 1;
    } while (this.#conversations.has(this.#sequence));
    return this.#sequence;
  }

  #open(request: NetlinkRequest, options: RequestOptions, list: boolean): Conversation {
    const { peer = 0, label, about, explain } = checkObject('options', options);
    checkInteger('options.peer', peer, 0, 0xffffffff);
    const { type, flags = 0 } = checkObject('message', request);
    checkInteger('message.flags', flags, 0, 0xffff);
    const sequence = this.#nextSequence();
    const added = NLM_F_REQUEST | (list ? NLM_F_DUMP : NLM_F_ACK);
    const bytes = packMessage({ ...request, sequence, pid: 0, flags: flags | added });
    const subject: RequestSubject = { bytes, label: label ?? `request ${type}`, about, explain };
    return new Conversation(sequence, peer, list, subject);
  }

  #limit(options: RequestOptions, label = options.label): Limit {
    return new Limit(options, this.#socket.timeout, label ?? 'netlink request');
  }

  #begin(conversation: Conversation): void {
    this.#conversations.set(conversation.sequence, conversation);
    if (conversation.peer !== 0) this.#peers.add(conversation.peer);
  }

  #forget(conversation: Conversation): void {
    this.#conversations.delete(conversation.sequence);
    const index = this.#lists.indexOf(conversation);
    if (index >= 0) this.#lists.splice(index, 1);
    // the next list may have its turn
    this.#wake();
  }

  /** Sends a request and waits for its acknowledgement. */
  async request(request: NetlinkRequest, options: RequestOptions): Promise<NetlinkReply> {
    const conversation = this.#open(request, options, false);
    const limit = this.#limit(options);
    this.#begin(conversation);
    try {
      await this.#send(conversation, limit);
      await this.until(limit, () => conversation.finished);
      return conversation.reply();
    } finally {
      this.#forget(conversation);
    }
  }

  /** As `request`, blocking the thread. */
  requestSync(request: NetlinkRequest, options: RequestOptions): NetlinkReply {
    const conversation = this.#open(request, options, false);
    const limit = this.#limit(options);
    this.#begin(conversation);
    try {
      this.#sendSync(conversation, limit);
      this.#untilSync(limit, () => conversation.finished);
      return conversation.reply();
    } finally {
      this.#forget(conversation);
    }
  }

  async #send({ peer, subject }: Conversation, limit: Limit): Promise<void> {
    if (this.#congested) this.#drain();
    const { signal } = limit;
    await this.#socket.sendMsg([subject.bytes], { address: { pid: peer }, timeout: limit.left(), signal });
  }

  #sendSync({ peer, subject }: Conversation, limit: Limit): void {
    if (this.#congested) this.#drain();
    this.#socket.sendMsgSync([subject.bytes], { address: { pid: peer }, timeout: limit.left() });
  }

  /**
   * Sends a request to list, once the lists asked for before are done, and gives its messages as they come.
   * @param whole the limit of all of it; that of the options holds for each wait unless told
   */
  async *dump(
    request: NetlinkRequest,
    options: RequestOptions,
    whole?: Limit,
  ): AsyncGenerator<NetlinkMessage, void, undefined> {
    const conversation = this.#open(request, options, true);
    const limit = () => whole ?? this.#limit(options);
    let sent = false;
    this.#lists.push(conversation);
    try {
      // sent at once where it can be: requests go out in the order of the calls
      if (this.#lists[0] !== conversation) await this.until(limit(), () => this.#lists[0] === conversation);
      this.#begin(conversation);
      await this.#send(conversation, limit());
      sent = true;
      for (;;) {
        // what came is given before what went wrong after it
        for (let next = conversation.messages.shift(); next !== undefined; next = conversation.messages.shift())
          yield next;
        if (conversation.finished) break;
        await this.until(limit(), () => conversation.ready);
      }
      conversation.check();
    } finally {
      this.#leave(conversation, sent);
    }
  }

  /** As `dump`, blocking the thread. */
  *dumpSync(
    request: NetlinkRequest,
    options: RequestOptions,
    whole?: Limit,
  ): Generator<NetlinkMessage, void, undefined> {
    const conversation = this.#open(request, options, true);
    const limit = () => whole ?? this.#limit(options);
    let sent = false;
    this.#lists.push(conversation);
    try {
      this.#untilSync(limit(), () => this.#lists[0] === conversation);
      this.#begin(conversation);
      this.#sendSync(conversation, limit());
      sent = true;
      for (;;) {
        for (let next = conversation.messages.shift(); next !== undefined; next = conversation.messages.shift())
          yield next;
        if (conversation.finished) break;
        this.#untilSync(limit(), () => conversation.ready);
      }
      conversation.check();
    } finally {
      this.#leave(conversation, sent);
    }
  }

  // The kernel goes on with a list that nobody wants any more, and takes no other before its end:
  // it stays in the row until then.
  #leave(conversation: Conversation, sent: boolean): void {
    conversation.discard();
    if (!sent || conversation.finished || this.#socket.closed) this.#forget(conversation);
  }

  /** Notifications from now on. */
  notifications(options: WaitOptions): Notifications {
    const limit = () => this.#limit(options, 'notification');
    // what is wrong with the options is found now
    limit();
    const sink = new Notifications(
      this.#socket,
      (done) => this.until(limit(), done),
      () => {
        this.#sinks.delete(sink);
        this.#wake();
      },
    );
    this.#sinks.add(sink);
    return sink;
  }

  /** Joins a group for as long as anybody needs it. */
  hold(group: number): void {
    const known = this.#memberships.get(group);
    if (known !== undefined) {
      known.users++;
      return;
    }
    // one that somebody else joined is somebody else's to leave
    const joined = !this.#socket.getOption(netlinkListMemberships).includes(group);
    if (joined) this.#socket.setOption(netlinkAddMembership, group);
    this.#memberships.set(group, { users: 1, joined });
  }

  /** Leaves a group where nobody else needs it. */
  release(group: number): void {
    const known = this.#memberships.get(group);
    if (known === undefined || --known.users > 0) return;
    this.#memberships.delete(group);
    if (known.joined && !this.#socket.closed) this.#socket.setOption(netlinkDropMembership, group);
  }

  /** Receives until something is so. */
  until(limit: Limit, done: () => boolean): Promise<void> {
    try {
      if (limit.timeout === 0) this.#untilSync(limit, done);
      if (done()) return Promise.resolve();
      limit.signal?.throwIfAborted();
      return this.#wait(limit, limit.left(), done);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #wait(limit: Limit, left: number | null, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = limit;
      const leave = (): void => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        done,
        settle() {
          leave();
          resolve();
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      const giveUp = (error: unknown): void => {
        waiter.fail(error);
        this.#read();
      };
      const abort = (): void => giveUp(signal?.reason);
      // what keeps the process alive is the read
      const timer =
        left === null ? undefined : setTimeout(() => giveUp(limit.expired()), Math.min(left, TIMER_MAX)).unref();
      signal?.addEventListener('abort', abort);
      this.#waiters.add(waiter);
      this.#read();
    });
  }

  // reads while somebody waits, and no longer
  #read(): void {
    if (this.#waiters.size === 0) this.#reading?.abort();
    if (this.#waiters.size === 0 || this.#reading !== undefined) return;
    const controller = new AbortController();
    this.#reading = controller;
    this.#receive(controller.signal).then(
      () => {
        this.#reading = undefined;
        this.#wake();
      },
      (error) => {
        this.#reading = undefined;
        if (!controller.signal.aborted) for (const waiter of [...this.#waiters]) waiter.fail(error);
        // there may be some who came after the read was given up
        this.#read();
      },
    );
  }

  async #receive(signal: AbortSignal): Promise<void> {
    try {
      this.#takeNow(await waitForLength(this.#socket, { timeout: null, signal }));
    } catch (error) {
      if (!isOverflow(error)) throw error;
      this.#overflow(error);
    }
  }

  #stepSync(limit: Limit): void {
    try {
      this.#takeNow(waitForLengthSync(this.#socket, { timeout: limit.left() }));
    } catch (error) {
      if (error instanceof SocketTimeoutError) throw limit.expired();
      if (!isOverflow(error)) throw error;
      this.#overflow(error);
    }
    this.#wake();
  }

  #untilSync(limit: Limit, done: () => boolean): void {
    while (!done()) this.#stepSync(limit);
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) if (waiter.done()) waiter.settle();
    this.#read();
  }

  #takeNow(length?: number): boolean {
    const received = receiveNow(this.#socket, length);
    if (received === null) this.#congested = false;
    else this.#take(received);
    return received !== null;
  }

  #take({ messages, rest, group, sender, namespaceId }: ReceivedMessages): void {
    for (const message of messages) {
      if (group !== 0 || !this.#answers(message, sender)) {
        const notification: NetlinkNotification = { message, group, sender, namespaceId };
        for (const sink of this.#sinks) sink.take(notification);
      }
    }
    if (rest.length > 0 && group === 0) {
      for (const conversation of [...this.#conversations.values()]) {
        if (conversation.peer === sender) this.#end(conversation, () => conversation.garble());
      }
    }
  }

  // whether it belongs to a request, be it one that nobody waits for any more
  #answers(message: NetlinkMessage, sender: number): boolean {
    const conversation = this.#conversations.get(message.sequence);
    if (conversation === undefined) {
      const asked = this.#wrapped || (message.sequence > 0 && message.sequence <= this.#sequence);
      return asked && (sender === 0 || this.#peers.has(sender)) && (message.flags & NLM_F_REQUEST) === 0;
    }
    if (conversation.peer !== sender) return false;
    this.#end(conversation, () => conversation.take(message));
    return true;
  }

  #end(conversation: Conversation, action: () => void): void {
    action();
    if (conversation.finished && conversation.list) this.#forget(conversation);
  }

  // takes all that is there
  #drain(): void {
    for (let i = 0; i < DRAIN_MAX; i++) {
      try {
        if (!this.#takeNow()) return;
      } catch (error) {
        if (!isOverflow(error)) throw error;
        for (const sink of this.#sinks) sink.lose(error);
      }
    }
  }

  // Messages were lost. What came before is still there; answers that are not among it will not come.
  #overflow(error: SocketError): void {
    for (const sink of this.#sinks) sink.lose(error);
    this.#congested = true;
    if (this.#conversations.size === 0) return;
    this.#drain();
    for (const conversation of [...this.#conversations.values()]) {
      // programs wait where there is no room, and lose nothing
      if (conversation.peer === 0) this.#end(conversation, () => conversation.lose());
    }
  }
}
