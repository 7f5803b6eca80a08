import { errnoOf, SocketError } from '@sock/core';
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN } from './constants.gen.js';
import { NetlinkError, type RequestSubject, unpackAcknowledgement } from './error.js';
import type { NetlinkMessage } from './message.js';
import { Queue } from './queue.js';

/** What the kernel answered to a request. */
export interface NetlinkReply {
  /** The messages before the acknowledgement, in order. */
  messages: NetlinkMessage[];
  /** What the kernel warns of, in its words. */
  warning: string | undefined;
  /** Names what was created, for some requests. */
  cookie: Buffer | undefined;
}

/** A request and what comes back. */
export class Conversation {
  /** Messages that came and were not taken yet. */
  readonly messages = new Queue<NetlinkMessage>();
  /** Whether all has come, or what is missing never will. */
  finished = false;
  // made where it is thrown, so that its stack tells who asked
  #error: (() => Error) | undefined;
  #interrupted = false;
  #discards = false;
  #warning: string | undefined;
  #cookie: Buffer | undefined;

  /**
   * @param sequence number of the request
   * @param peer port number of who answers
   * @param list whether it is one that NLMSG_DONE ends, of which a socket has one at a time
   */
  constructor(
    readonly sequence: number,
    readonly peer: number,
    readonly list: boolean,
    readonly subject: RequestSubject,
  ) {}

  /** Whether there is something to take, or nothing more to come. */
  get ready(): boolean {
    return this.finished || this.messages.length > 0;
  }

  /** Takes a message that came. */
  take(message: NetlinkMessage): void {
    if (this.finished) return;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) this.#interrupted = true;
    switch (message.type) {
      case NLMSG_NOOP:
        return;
      case NLMSG_ERROR:
      case NLMSG_DONE:
        this.#end(message);
        return;
      case NLMSG_OVERRUN:
        this.#fail(() => this.#made('ENOBUFS', 'data was lost'));
        return;
      default:
        if (!this.#discards) this.messages.push(message);
    }
  }

  #end(message: NetlinkMessage): void {
    this.finished = true;
    const acknowledgement = unpackAcknowledgement(message);
    if (acknowledgement === undefined) {
      this.#error = () => this.#made('EBADMSG', 'the acknowledgement is too short');
    } else if (acknowledgement.errno !== 0) {
      this.#error = () => new NetlinkError(this.subject, acknowledgement);
    } else {
      this.#warning = acknowledgement.text;
      this.#cookie = acknowledgement.cookie;
    }
  }

  #made(code: string, text: string): SocketError {
    const { label, about } = this.subject;
    const what = about === undefined || about === '' ? '' : ` ${about}`;
    return new SocketError(`${label} ${code}${what}: ${text}`, { code, errno: -errnoOf(code), syscall: label });
  }

  #fail(error: () => Error): void {
    if (this.finished) return;
    this.finished = true;
    this.#error = error;
  }

  /** Ends it, because messages were lost, and its own may be among them. */
  lose(): void {
    this.#fail(() =>
      this.#made('ENOBUFS', 'the receive buffer was full and the answer was lost; the request may have had its effect'),
    );
  }

  /** Ends it, because what came cannot be read. */
  garble(): void {
    this.#fail(() => this.#made('EBADMSG', 'what came instead of an answer is malformed'));
  }

  /** Nobody waits for the rest any more. */
  discard(): void {
    this.#discards = true;
    this.messages.clear();
  }

  /** Throws what ended it, if that is an error. */
  check(): void {
    if (this.#error !== undefined) throw this.#error();
    if (this.list && this.#interrupted) {
      throw this.#made('EINTR', 'what was listed changed meanwhile (NLM_F_DUMP_INTR): list it again');
    }
  }

  /** All that came. */
  reply(): NetlinkReply {
    this.check();
    return { messages: this.messages.takeAll(), warning: this.#warning, cookie: this.#cookie };
  }
}
