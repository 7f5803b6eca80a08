import {
  checkBoolean,
  checkInteger,
  checkObject,
  invalidArgumentType,
  type SendMsgOptions,
  SOCK_RAW,
  Socket,
  SocketError,
  type SocketOption,
  type SocketOptions,
  setUp,
  type TransferOptions,
  type WaitOptions,
} from '@sock/core';
import { type NetlinkAddress, type NetlinkInput, netlink } from './address.js';
import { NETLINK_ROUTE } from './constants.gen.js';
import type { NetlinkReply } from './conversation.js';
import {
  Exchange,
  type NetlinkRequest,
  type ReceivedMessages,
  type RequestOptions,
  receiveNow,
  waitForLength,
  waitForLengthSync,
} from './exchange.js';
import { type NetlinkMessage, type NetlinkMessageInput, packMessage } from './message.js';
import type { Notifications } from './notifications.js';
import {
  netlinkAddMembership,
  netlinkCapAck,
  netlinkDropMembership,
  netlinkExtAck,
  netlinkGetStrictChk,
  netlinkListenAllNsid,
  netlinkListMemberships,
  netlinkNoEnobufs,
  netlinkPktInfo,
} from './options.js';

/** Options of a netlink socket. */
export interface NetlinkSocketOptions extends SocketOptions {
  /** NETLINK_*; NETLINK_ROUTE unless told. */
  protocol?: number | undefined;
  /** Port number; 0, one that the kernel chooses, unless told. */
  pid?: number | undefined;
  /** Multicast groups to join, by number; none unless told. */
  groups?: readonly number[] | undefined;
  /** NETLINK_GET_STRICT_CHK: what a request to list names filters the list; true unless told. */
  strict?: boolean | undefined;
  /** NETLINK_LISTEN_ALL_NSID: notifications also of other network namespaces (CAP_NET_BROADCAST); false unless told. */
  allNamespaces?: boolean | undefined;
  /**
   * NETLINK_NO_ENOBUFS: lose messages silently where there is no room, answers to requests too; false unless
   * told.
   */
  noEnobufs?: boolean | undefined;
}

/** Options of `sendMessages`. */
export interface SendMessagesOptions extends TransferOptions {
  /** Port number of whom to send to; 0, the kernel, unless told. */
  pid?: number | undefined;
  /** Multicast groups to send to besides, as bits; none unless told. */
  groups?: number | undefined;
}

/**
 * A netlink socket: messages rather than bytes. It is bound from the start, takes extended errors, and
 * knows the group of each message.
 *
 * `request` and `dump` may be called while others are pending: answers are told apart by their sequence
 * numbers. Requests are sent in the order of the calls; lists, of which the kernel makes one at a time,
 * wait for each other. What nobody asked for goes to `notifications`. Raw receiving (`recv`,
 * `recvMessages`) takes messages away from all of them: do one or the other.
 *
 * Where the receive buffer overflows, messages are lost. `notifications` then reject once with `ENOBUFS`
 * and go on; requests whose answer was lost reject with `ENOBUFS`, the others are not concerned.
 * Source: netlink(7).
 */
export class NetlinkSocket extends Socket<NetlinkAddress, NetlinkInput> {
  // made when first needed: sockets that are adopted do not run this class's constructor
  private exchanged?: Exchange;

  /**
   * @throws SocketError `EPROTONOSUPPORT` where the kernel lacks the protocol, `EPERM` for groups that need
   * CAP_NET_ADMIN and namespaces that need CAP_SYS_ADMIN, `EADDRINUSE`
   */
  constructor(options: NetlinkSocketOptions = {}) {
    const {
      protocol = NETLINK_ROUTE,
      pid = 0,
      groups = [],
      strict = true,
      allNamespaces = false,
      noEnobufs = false,
      namespace,
    } = checkObject('options', options);
    checkInteger('options.protocol', protocol, 0, 0x7fffffff);
    checkInteger('options.pid', pid, 0, 0xffffffff);
    checkBoolean('options.strict', strict);
    checkBoolean('options.allNamespaces', allNamespaces);
    checkBoolean('options.noEnobufs', noEnobufs);
    if (!Array.isArray(groups)) throw invalidArgumentType('options.groups', 'an array of group numbers', groups);
    for (const [i, group] of groups.entries()) checkInteger(`options.groups[${i}]`, group, 1, 0x7fffffff);
    super(netlink, SOCK_RAW, protocol, { namespace });
    setUp(this, () => {
      this.bindSync({ pid });
      prepare(this, strict);
      if (allNamespaces) this.setOption(netlinkListenAllNsid, true);
      if (noEnobufs) this.setOption(netlinkNoEnobufs, true);
      for (const group of groups) this.join(group);
    });
    this.exchanged = new Exchange(this);
  }

  /** @internal Who asked what, and who gets what. */
  get exchange(): Exchange {
    if (this.exchanged === undefined) {
      const { pid, groups } = this.getsockname();
      // to bind leaves the groups that are not named
      if (pid === 0) this.bindSync({ groups });
      prepare(this, true);
      this.exchanged = new Exchange(this);
    }
    return this.exchanged;
  }

  /** Port number of this socket. */
  get pid(): number {
    return this.getsockname().pid;
  }

  /** Numbers of the multicast groups that this socket is in. */
  get groups(): number[] {
    return this.getOption(netlinkListMemberships);
  }

  /** Joins a multicast group, by its number. @throws SocketError `EPERM`, `EINVAL`. Source: NETLINK_ADD_MEMBERSHIP. */
  join(group: number): void {
    this.setOption(netlinkAddMembership, group);
  }

  /** Leaves a multicast group, by its number. Source: NETLINK_DROP_MEMBERSHIP. */
  leave(group: number): void {
    this.setOption(netlinkDropMembership, group);
  }

  /**
   * Sends a request, with NLM_F_REQUEST, NLM_F_ACK and a sequence number, and waits for its
   * acknowledgement. After a timeout or cancellation the request may have had its effect. For lists there
   * is `dump`. There is no form that never waits: the answer of a request that was sent would be lost.
   * @throws NetlinkError where the kernel refuses it; SocketError `ENOBUFS` where its answer was lost,
   * `EBADMSG` where what came is no answer, `ECONNREFUSED` where nobody has the port `peer`
   */
  async request(request: NetlinkRequest, options: RequestOptions = {}): Promise<NetlinkReply> {
    return this.exchange.request(request, options);
  }

  /** As `request`, blocking the thread. */
  requestSync(request: NetlinkRequest, options: RequestOptions = {}): NetlinkReply {
    return this.exchange.requestSync(request, options);
  }

  /**
   * Sends a request to list, with NLM_F_REQUEST, NLM_F_DUMP and a sequence number, when the iteration
   * begins, and gives the messages as they come. The timeout is that of each wait. A list that is left
   * before its end is read to its end before the next begins.
   * @throws NetlinkError where the kernel refuses it; SocketError `EINTR`, after the last message, where what
   * was listed changed meanwhile and entries may be missing or there twice (NLM_F_DUMP_INTR)
   */
  dump(request: NetlinkRequest, options: RequestOptions = {}): AsyncIterableIterator<NetlinkMessage> {
    return this.exchange.dump(request, options);
  }

  /** As `dump`, blocking the thread. */
  dumpSync(request: NetlinkRequest, options: RequestOptions = {}): IterableIterator<NetlinkMessage> {
    return this.exchange.dumpSync(request, options);
  }

  /**
   * What comes from now on that nobody asked for: messages of the groups that this socket is in (`join`),
   * and what others send to it. Each call gives all of it.
   */
  notifications(options: WaitOptions = {}): Notifications {
    return this.exchange.notifications(checkObject('options', options));
  }

  /**
   * Sends messages as they are, several together, without waiting for answers.
   * @throws TypeError, RangeError naming the member of `messages`
   */
  async sendMessages(messages: readonly NetlinkMessageInput[], options: SendMessagesOptions = {}): Promise<void> {
    await this.sendMsg([pack(messages)], target(options));
  }

  /** As `sendMessages`, blocking the thread. */
  sendMessagesSync(messages: readonly NetlinkMessageInput[], options: SendMessagesOptions = {}): void {
    this.sendMsgSync([pack(messages)], target(options));
  }

  /** As `sendMessages`, without waiting: `null` where it would have to. */
  trySendMessages(
    messages: readonly NetlinkMessageInput[],
    options: Pick<SendMessagesOptions, 'pid' | 'groups' | 'flags'> = {},
  ): true | null {
    return this.trySendMsg([pack(messages)], target(options)) === null ? null : true;
  }

  /**
   * Receives messages that came together, whatever their size. Takes them away from `request`, `dump` and
   * `notifications`.
   * @throws SocketError `ENOBUFS` where messages were lost
   */
  async recvMessages(options: WaitOptions = {}): Promise<ReceivedMessages> {
    for (;;) {
      const received = receiveNow(this, await waitForLength(this, options));
      // somebody else may have been faster
      if (received !== null) return received;
    }
  }

  /** As `recvMessages`, blocking the thread. */
  recvMessagesSync(options: WaitOptions = {}): ReceivedMessages {
    for (;;) {
      const received = receiveNow(this, waitForLengthSync(this, options));
      if (received !== null) return received;
    }
  }

  /** As `recvMessages`, without waiting: `null` where there is none. */
  tryRecvMessages(): ReceivedMessages | null {
    return receiveNow(this);
  }
}

// what older kernels lack does not matter to most
function setWhereKnown(socket: NetlinkSocket, option: SocketOption<boolean>): void {
  try {
    socket.setOption(option, true);
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'ENOPROTOOPT') throw error;
  }
}

function prepare(socket: NetlinkSocket, strict: boolean): void {
  socket.setOption(netlinkPktInfo, true);
  setWhereKnown(socket, netlinkCapAck);
  setWhereKnown(socket, netlinkExtAck);
  if (strict) setWhereKnown(socket, netlinkGetStrictChk);
}

function pack(messages: readonly NetlinkMessageInput[]): Buffer {
  if (!Array.isArray(messages)) throw invalidArgumentType('messages', 'an array of messages', messages);
  return Buffer.concat(messages.map((message) => packMessage(message)));
}

function target(options: SendMessagesOptions): SendMsgOptions<NetlinkInput> {
  const { pid = 0, groups = 0, ...rest } = checkObject('options', options);
  return { ...rest, address: { pid, groups } };
}
