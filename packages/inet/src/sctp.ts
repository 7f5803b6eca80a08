import { closeSync } from 'node:fs';
import {
  type AddressFamily,
  type AncillaryItem,
  type AnyAddress,
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  type Data,
  invalidArgumentType,
  MSG_EOR,
  MSG_NOTIFICATION,
  type ReceivedMessage,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  SocketError,
  type SocketOptions,
  setting,
  setUp,
  socketError,
  soError,
  type TransferOptions,
  toBytes,
  type UnknownAddress,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { type Inet6Input, type IpAddress, inet } from './address.js';
import * as c from './constants.gen.js';
import { checkAssocId, type FieldsInput, i32, structure, u32 } from './fields.js';
import {
  sctpBindxAdd,
  sctpBindxRem,
  sctpConnectx,
  sctpEvent,
  sctpGetLocalAddrs,
  sctpGetPeerAddrs,
  sctpInitMsg,
  sctpNoDelay,
  sctpRecvRcvInfo,
} from './options/sctp.js';
import {
  prInfo as prInfoStructure,
  type SctpInitMsg,
  type SctpNxtInfo,
  type SctpPrInfo,
  scmSctpNxtInfo,
  scmSctpRcvInfo,
  sndInfo,
} from './sctp-ancillary.js';
import { type SctpNotification, unpackSctpNotification } from './sctp-notification.js';

/** How an `SctpSocket` is to be. What is left out is as the kernel has it. */
export interface SctpSocketOptions extends SocketOptions {
  /** `inet` (the default) or `inet6`. */
  family?: AddressFamily<IpAddress, Inet6Input> | undefined;
  /** SOCK_STREAM (the default): one-to-one, as TCP. SOCK_SEQPACKET: one-to-many, as UDP. */
  type?: number | undefined;
  /** Streams and attempts of new associations. */
  initMsg?: FieldsInput<SctpInitMsg> | undefined;
  /** Send small messages at once. */
  noDelay?: boolean | undefined;
  /** Notifications to receive: SCTP_ASSOC_CHANGE, SCTP_PEER_ADDR_CHANGE, …; none unless told. */
  events?: readonly number[] | undefined;
}

/** A message. */
export interface SctpMessage {
  kind: 'message';
  data: Buffer;
  /** Whether this is the end of the message: where there was no room for all of it, the rest comes next. */
  complete: boolean;
  /** The peer; on a one-to-one socket the address that it used. */
  address: IpAddress | UnknownAddress | null;
  /** Number of the stream. */
  stream: number;
  /** Number of the message in its stream. */
  ssn: number;
  /** What the data are, as the sender says. */
  ppid: number;
  /** Whether it may have overtaken others of its stream. */
  unordered: boolean;
  tsn: number;
  cumTsn: number;
  /** What SCTP_CONTEXT is set to. */
  context: number;
  assocId: number;
  /** What is known of the message that comes next, with SCTP_RECVNXTINFO. */
  next: SctpNxtInfo | null;
}

/** The association of a one-to-one socket has ended. */
export interface SctpEnd {
  kind: 'end';
}

/** What an `SctpSocket` receives. */
export type SctpArrival = SctpMessage | SctpNotification | SctpEnd;

/** Options of what receives messages. */
export interface RecvMessageOptions extends TransferOptions {
  /** Bytes to make room for: 65,536 unless told. */
  size?: number | undefined;
}

/** Options of what sends messages without waiting. */
export interface TrySendMessageOptions {
  /** Where to: on a one-to-many socket this begins an association where there is none. */
  address?: AnyAddress<Inet6Input> | null | undefined;
  /** Which association, where no address says it. */
  assocId?: number | undefined;
  /** Number of the stream; 0 unless told. */
  stream?: number | undefined;
  /** What the data are, a number of IANA's list of SCTP payload protocol identifiers; 0 unless told. */
  ppid?: number | undefined;
  /** Whether it may overtake others of its stream. */
  unordered?: boolean | undefined;
  /** Further flags: SCTP_EOF ends the association once all is delivered, SCTP_ABORT at once, … */
  infoFlags?: number | undefined;
  /** Number that a notification of failure gives back. */
  context?: number | undefined;
  /** When it is given up. */
  prInfo?: FieldsInput<SctpPrInfo> | undefined;
  /** Further control messages. */
  ancillary?: Iterable<AncillaryItem> | undefined;
  flags?: number | undefined;
}

/** Options of what sends messages. */
export interface SendMessageOptions extends TrySendMessageOptions, WaitOptions {}

const MESSAGE_SIZE = 65_536;
const RECEIVED_ANCILLARY = scmSctpRcvInfo.space + scmSctpNxtInfo.space;

function toArrival({ data, flags, address, ancillary }: ReceivedMessage<IpAddress>): SctpArrival {
  if ((flags & MSG_NOTIFICATION) !== 0) return unpackSctpNotification(data);
  const info = scmSctpRcvInfo.find(ancillary);
  // a message of SCTP has at least one byte
  if (info === undefined && data.length === 0) return { kind: 'end' };
  const {
    flags: infoFlags = 0,
    stream = 0,
    ssn = 0,
    ppid = 0,
    tsn = 0,
    cumTsn = 0,
    context = 0,
    assocId = 0,
  } = info ?? {};
  return {
    kind: 'message',
    data,
    complete: (flags & MSG_EOR) !== 0,
    address,
    stream,
    ssn,
    ppid,
    unordered: (infoFlags & c.SCTP_UNORDERED) !== 0,
    tsn,
    cumTsn,
    context,
    assocId,
    next: scmSctpNxtInfo.find(ancillary) ?? null,
  };
}

// a struct sctp_peeloff_flags_arg_t: association, the descriptor that the kernel gives, its flags
const peeloffArgument = structure<{ assocId: number; fd: number; flags: number }>(12, {
  assocId: i32(0),
  fd: i32(4),
  flags: u32(8),
});

function transmission(options: TrySendMessageOptions): AncillaryItem[] {
  const { assocId, stream, ppid, unordered, infoFlags = 0, context, prInfo, ancillary = [] } = options;
  if (unordered !== undefined) checkBoolean('options.unordered', unordered);
  const flags = checkInteger('options.infoFlags', infoFlags, 0, 0xffff) | (unordered === true ? c.SCTP_UNORDERED : 0);
  const items: AncillaryItem[] = [
    {
      level: c.IPPROTO_SCTP,
      type: c.SCTP_SNDINFO,
      data: sndInfo.write('options', { assocId, stream, ppid, context, flags }),
    },
  ];
  if (prInfo !== undefined) {
    items.push({ level: c.IPPROTO_SCTP, type: c.SCTP_PRINFO, data: prInfoStructure.write('options.prInfo', prInfo) });
  }
  return [...items, ...ancillary];
}

/**
 * An SCTP socket: messages in streams, over one or several addresses of each end.
 *
 * One-to-one (SOCK_STREAM) it listens, accepts and connects as TCP does. One-to-many (SOCK_SEQPACKET)
 * one socket has many associations: it listens to take those that others begin, and sending to an
 * address begins one. `connect` of a one-to-many socket ends when the association has begun; the
 * notification SCTP_ASSOC_CHANGE tells what became of it. Source: sctp(7), RFC 6458, RFC 9260.
 */
export class SctpSocket extends Socket<IpAddress, Inet6Input> {
  // whether the kernel was asked for SCTP_RCVINFO: sockets that were adopted have not asked yet
  private informed: boolean | undefined;

  /**
   * @throws TypeError, RangeError naming the option; SocketError `EPROTONOSUPPORT` or
   * `ESOCKTNOSUPPORT` naming the module to load
   */
  constructor(options: SctpSocketOptions = {}) {
    const {
      family = inet,
      type = SOCK_STREAM,
      initMsg,
      noDelay,
      events = [],
      namespace,
    } = checkObject('options', options);
    checkOneOf('options.type', type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), [SOCK_STREAM, SOCK_SEQPACKET]);
    if (!Array.isArray(events)) throw invalidArgumentType('options.events', 'an array of notifications', events);
    const settings = [
      setting('options.initMsg', sctpInitMsg, initMsg),
      setting('options.noDelay', sctpNoDelay, noDelay),
      ...events.map((event, i) => {
        const type = checkInteger(`options.events[${i}]`, event, 0, 0xffff);
        return setting('options.events', sctpEvent, { type, on: true });
      }),
    ];
    super(family, type, c.IPPROTO_SCTP, { namespace });
    setUp(this, ...settings);
  }

  private inform(): void {
    if (this.informed) return;
    this.setOption(sctpRecvRcvInfo, true);
    this.informed = true;
  }

  /**
   * Sends a message. On a one-to-many socket `address` or `assocId` says to whom.
   * @returns the number of bytes, which is all of them
   * @throws SocketError `EINVAL` for a stream that there is not, or for an empty message without
   * SCTP_EOF or SCTP_ABORT; `EMSGSIZE`, `EPIPE`, `ENOTCONN`. Source: sctp(7), sctp_sendv(3).
   */
  async sendMessage(data: Data, options: SendMessageOptions = {}): Promise<number> {
    return this.sendMsg([toBytes('data', data)], {
      ...checkObject('options', options),
      ancillary: transmission(options),
    });
  }

  /** As `sendMessage`, blocking the thread. */
  sendMessageSync(data: Data, options: SendMessageOptions = {}): number {
    return this.sendMsgSync([toBytes('data', data)], {
      ...checkObject('options', options),
      ancillary: transmission(options),
    });
  }

  /** As `sendMessage`, without waiting: `null` where there is no room. */
  trySendMessage(data: Data, options: TrySendMessageOptions = {}): number | null {
    return this.trySendMsg([toBytes('data', data)], {
      ...checkObject('options', options),
      ancillary: transmission(options),
    });
  }

  /** Receives a message, a notification that was asked for, or the end of the association. */
  async recvMessage(options: RecvMessageOptions = {}): Promise<SctpArrival> {
    const { size = MESSAGE_SIZE } = checkObject('options', options);
    this.inform();
    return toArrival(await this.recvMsg(size, RECEIVED_ANCILLARY, options));
  }

  /** As `recvMessage`, blocking the thread. */
  recvMessageSync(options: RecvMessageOptions = {}): SctpArrival {
    const { size = MESSAGE_SIZE } = checkObject('options', options);
    this.inform();
    return toArrival(this.recvMsgSync(size, RECEIVED_ANCILLARY, options));
  }

  /** As `recvMessage`, without waiting: `null` where there is nothing. */
  tryRecvMessage(options: Pick<RecvMessageOptions, 'size' | 'flags'> = {}): SctpArrival | null {
    const { size = MESSAGE_SIZE } = checkObject('options', options);
    this.inform();
    const message = this.tryRecvMsg(size, RECEIVED_ANCILLARY, options);
    return message === null ? null : toArrival(message);
  }

  /** Messages and notifications as they come, until the association's end or until the socket is closed. */
  async *arrivals(options?: RecvMessageOptions): AsyncGenerator<SctpMessage | SctpNotification> {
    for await (const arrival of untilClosed(this, () => this.recvMessage(options))) {
      if (arrival.kind === 'end') return;
      yield arrival;
    }
  }

  /**
   * Adds or removes local addresses. They are numeric, and their port is that of the first, or 0.
   * @param flags SCTP_BINDX_ADD_ADDR unless told, or SCTP_BINDX_REM_ADDR
   * @throws SocketError `EADDRNOTAVAIL`, `EADDRINUSE`, `EINVAL`, `EBUSY` for the last one. Source: sctp_bindx(3).
   */
  bindx(addresses: readonly Inet6Input[], flags: number = c.SCTP_BINDX_ADD_ADDR): void {
    const add = checkOneOf('flags', flags, [c.SCTP_BINDX_ADD_ADDR, c.SCTP_BINDX_REM_ADDR]) === c.SCTP_BINDX_ADD_ADDR;
    this.setOption(add ? sctpBindxAdd : sctpBindxRem, addresses);
  }

  private beginConnectx(addresses: readonly Inet6Input[]): boolean {
    try {
      this.setOption(sctpConnectx, addresses);
      return true;
    } catch (error) {
      if (error instanceof SocketError && error.code === 'EINPROGRESS') return false;
      throw error;
    }
  }

  private endConnectx(): void {
    const code = this.getOption(soError);
    if (code !== null) throw socketError('connectx', code);
  }

  /**
   * Connects to a peer of several addresses: the first that answers is used, the others stand by.
   * They are numeric, and have one port.
   * @throws SocketError as `connect`. Source: sctp_connectx(3).
   */
  async connectx(addresses: readonly Inet6Input[], options?: WaitOptions): Promise<void> {
    if (this.beginConnectx(addresses)) return;
    await this.waitWritable(options);
    this.endConnectx();
  }

  /** As `connectx`, blocking the thread. */
  connectxSync(addresses: readonly Inet6Input[], options?: WaitOptions): void {
    if (this.beginConnectx(addresses)) return;
    this.waitWritableSync(options);
    this.endConnectx();
  }

  /** As `connectx`, without waiting: `null` where it goes on in the kernel. */
  tryConnectx(addresses: readonly Inet6Input[]): true | null {
    return this.beginConnectx(addresses) ? true : null;
  }

  /**
   * Gives an association of a one-to-many socket a socket of its own, which sends and receives as a
   * one-to-one socket does.
   * @throws SocketError `EINVAL` where there is no such association, `EMFILE`. Source: sctp_peeloff(3).
   */
  peeloff(assocId: number): this {
    const flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    const request = peeloffArgument.write('request', { assocId: checkAssocId('assocId', assocId), flags }, this);
    const { fd } = peeloffArgument.read(this.getsockopt(c.IPPROTO_SCTP, c.SCTP_SOCKOPT_PEELOFF_FLAGS, request));
    try {
      return (this.constructor as typeof SctpSocket).adopt(fd, this.family) as this;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * Addresses of the peer.
   * @param assocId nothing on a one-to-one socket
   * @throws SocketError `EINVAL` where there is no such association. Source: sctp_getpaddrs(3).
   */
  getpaddrs(assocId?: number): IpAddress[] {
    return this.getOption(sctpGetPeerAddrs, assocId);
  }

  /**
   * Local addresses, of an association or (nothing) of the socket. Source: sctp_getladdrs(3).
   */
  getladdrs(assocId?: number): IpAddress[] {
    return this.getOption(sctpGetLocalAddrs, assocId);
  }
}
