import {
  type Ancillary,
  checkBoolean,
  checkObject,
  type ExtendedError,
  type FlagOptions,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  type ReceivedMessage,
  readU16,
  readU32,
  readU64,
  SCM_TIMESTAMPING_OPT_STATS,
  SCM_TSTAMP_ACK,
  SCM_TSTAMP_SCHED,
  SO_EE_ORIGIN_TIMESTAMPING,
  SOF_TIMESTAMPING_OPT_CMSG,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_STATS,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_TX_ACK,
  SOF_TIMESTAMPING_TX_SCHED,
  SOL_SOCKET,
  Socket,
  type SocketOptions,
  setting,
  setUp,
  soBroadcast,
  socketError,
  type TransferOptions,
  UnknownAddress,
  untilClosed,
} from '@sock/core';
import { type J1939Address, type J1939Input, j1939 } from './address.js';
import { scmJ1939DestAddr, scmJ1939DestName, scmJ1939ErrQueue, scmJ1939Prio } from './ancillary.js';
import * as c from './constants.gen.js';
import type { J1939Filter } from './filters.js';
import { soJ1939ErrQueue, soJ1939Filter, soJ1939Promisc, soJ1939SendPrio } from './options.js';
import { describeReception, RECEPTION_ANCILLARY, type Reception, receptionSettings } from './reception.js';

/** How a `J1939Socket` is to be. What is left out is as the kernel has it: false, unless told. */
export interface J1939SocketOptions extends SocketOptions {
  /** Receive what goes to all stations, and be allowed to send to them (SO_BROADCAST). */
  broadcast?: boolean | undefined;
  /** Receive all messages of the bus, whomever they are for. */
  promiscuous?: boolean | undefined;
  /** Which messages to receive, by sender and group. */
  filters?: readonly J1939Filter[] | undefined;
  /** Priority of what is sent, 0 (first) to 7; 6 unless told. */
  priority?: number | undefined;
  /** Progress and errors are told by events (`recvEvent`, `events`). */
  events?: boolean | undefined;
  /** Messages come with the times at which they were received: true unless told. */
  timestamps?: boolean | undefined;
}

/** A station: its address, and its NAME where one is known (else 0). */
export interface J1939Station {
  address: number;
  name: bigint;
}

/**
 * A message of a parameter group, and what the kernel says of it: of a message of several frames it
 * does not say the time.
 */
export interface ReceivedGroup extends Reception {
  data: Buffer;
  pgn: number;
  source: J1939Station;
  /** Address J1939_NO_ADDR (255) is all stations. */
  destination: J1939Station;
  /** 0 (first) to 7; `null` where the kernel does not tell. */
  priority: number | null;
  /** Whether the message was longer than there was room for: its end is lost. */
  truncated: boolean;
}

/** Options of what receives messages. */
export interface RecvGroupOptions extends TransferOptions {
  /** Bytes to make room for: 65,536 unless told. A message has up to 117,440,505. */
  size?: number | undefined;
}

/** What became of a message. Source: kernel, networking/j1939. */
export interface J1939Event {
  /**
   * - `TX_SCHED`: a message is being sent; for long ones also their progress: `bytes`
   * - `TX_ACK`: it was sent, and acknowledged where it was long
   * - `TX_ABORT`, `RX_ABORT`: sending, or receiving, a long message failed: `code`
   * - `RX_RTS`, `RX_DPO`: a station wants to send a long message; the next part of it (Linux 5.15)
   */
  kind: 'TX_SCHED' | 'TX_ACK' | 'TX_ABORT' | 'RX_RTS' | 'RX_DPO' | 'RX_ABORT';
  /** Which of the messages that this socket sent: 0 is the first. */
  id: number;
  /** Why it failed, such as `EHOSTUNREACH` (no answer) or `EMSGSIZE` (no room); else `null`. */
  code: string | null;
  /** Bytes that were acknowledged so far; `null` where not told. */
  bytes: number | null;
  /** Bytes of the whole message, of RX events. */
  total: number | null;
  /** Group, of RX events. */
  pgn: number | null;
  /** Sender, of RX events. */
  source: J1939Station | null;
  /** Receiver, of RX events. */
  destination: J1939Station | null;
  /** When, in nanoseconds since 1970. */
  timestamp: bigint | null;
}

const GROUP_SIZE = 65_536;
const GROUP_ANCILLARY = RECEPTION_ANCILLARY + scmJ1939DestAddr.space + scmJ1939DestName.space + scmJ1939Prio.space;

/** Attributes come with an event as data, and as a control message of the same size. */
const ATTRIBUTES_SIZE = 256;
const EVENT_ANCILLARY = GROUP_ANCILLARY + scmJ1939ErrQueue.space + ATTRIBUTES_SIZE;

const EVENT_TIMESTAMPS =
  SOF_TIMESTAMPING_TX_SCHED |
  SOF_TIMESTAMPING_TX_ACK |
  SOF_TIMESTAMPING_OPT_CMSG |
  SOF_TIMESTAMPING_OPT_STATS |
  SOF_TIMESTAMPING_OPT_TSONLY |
  SOF_TIMESTAMPING_OPT_ID;

function toGroup(socket: J1939Socket, message: ReceivedMessage<J1939Address>): ReceivedGroup {
  const { data, flags, address, ancillary } = message;
  const from = address === null || address instanceof UnknownAddress ? undefined : address;
  return {
    data,
    pgn: from?.pgn ?? c.J1939_NO_PGN,
    source: { address: from?.address ?? c.J1939_NO_ADDR, name: from?.name ?? 0n },
    destination: {
      address: scmJ1939DestAddr.find(ancillary) ?? c.J1939_NO_ADDR,
      name: scmJ1939DestName.find(ancillary) ?? 0n,
    },
    priority: scmJ1939Prio.find(ancillary) ?? null,
    truncated: (flags & MSG_TRUNC) !== 0,
    ...describeReception(address, ancillary),
    interface: from?.interface || boundInterface(socket),
  };
}

// the kernel does not say where a message of several frames came from: there is only one possibility
function boundInterface(socket: J1939Socket): string {
  if (socket.closed) return '';
  const address = socket.getsockname();
  return address instanceof UnknownAddress ? '' : address.interface;
}

const INFOS: Readonly<Record<number, J1939Event['kind']>> = {
  [c.J1939_EE_INFO_TX_ABORT]: 'TX_ABORT',
  [c.J1939_EE_INFO_RX_RTS]: 'RX_RTS',
  [c.J1939_EE_INFO_RX_DPO]: 'RX_DPO',
  [c.J1939_EE_INFO_RX_ABORT]: 'RX_ABORT',
};

function kindOf({ origin, info }: ExtendedError): J1939Event['kind'] | undefined {
  if (origin !== SO_EE_ORIGIN_TIMESTAMPING) return INFOS[info];
  return info === SCM_TSTAMP_ACK ? 'TX_ACK' : info === SCM_TSTAMP_SCHED ? 'TX_SCHED' : undefined;
}

/** Bytes of a `struct nlattr`. Source: netlink(7). */
const ATTRIBUTE_HEADER = 4;

function attributesOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  for (let offset = 0; offset + ATTRIBUTE_HEADER <= bytes.length; ) {
    const length = readU16(bytes, offset);
    if (length < ATTRIBUTE_HEADER || offset + length > bytes.length) break;
    attributes.set(readU16(bytes, offset + 2), bytes.subarray(offset + ATTRIBUTE_HEADER, offset + length));
    offset += (length + 3) & ~3;
  }
  return attributes;
}

function attributeBytes(data: Uint8Array, ancillary: Ancillary): Uint8Array {
  for (const item of ancillary) {
    if (item.level === SOL_SOCKET && item.type === SCM_TIMESTAMPING_OPT_STATS) return item.data;
  }
  return data;
}

function numberIn(bytes: Uint8Array | undefined): number | null {
  if (bytes === undefined) return null;
  return bytes.length >= 4 ? readU32(bytes, 0) : (bytes[0] ?? null);
}

function stationIn(address: Uint8Array | undefined, name: Uint8Array | undefined): J1939Station | null {
  if (address?.[0] === undefined && name === undefined) return null;
  return {
    address: address?.[0] ?? c.J1939_NO_ADDR,
    name: name !== undefined && name.length >= 8 ? readU64(name, 0) : 0n,
  };
}

function toEvent({ data, address, ancillary }: ReceivedMessage<J1939Address>): J1939Event {
  const entry = scmJ1939ErrQueue.find(ancillary);
  const kind = entry === undefined ? undefined : kindOf(entry);
  if (entry === undefined || kind === undefined) {
    throw socketError('recvmsg', 'EBADMSG', 'an entry of the error queue that is no event known here');
  }
  const attributes = attributesOf(attributeBytes(data, ancillary));
  const at = (key: number) => attributes.get(key);
  return {
    kind,
    id: entry.data,
    code: entry.code,
    bytes: numberIn(at(c.J1939_NLA_BYTES_ACKED)),
    total: numberIn(at(c.J1939_NLA_TOTAL_SIZE)),
    pgn: numberIn(at(c.J1939_NLA_PGN)),
    source: stationIn(at(c.J1939_NLA_SRC_ADDR), at(c.J1939_NLA_SRC_NAME)),
    destination: stationIn(at(c.J1939_NLA_DEST_ADDR), at(c.J1939_NLA_DEST_NAME)),
    timestamp: describeReception(address, ancillary).timestamp,
  };
}

/**
 * A CAN_J1939 socket: messages of parameter groups, up to 1785 bytes and beyond. `bind` it to an
 * interface and an address, or a NAME that `claimAddress` claimed one for; `sendTo` names the group
 * and the destination. Source: kernel, networking/j1939.
 */
export class J1939Socket extends Socket<J1939Address, J1939Input> {
  /**
   * @throws TypeError, RangeError naming the option; SocketError `EAFNOSUPPORT`, `EPROTONOSUPPORT`
   * naming the module to load, `EPERM` for a priority below 2 without CAP_NET_ADMIN
   */
  constructor(options: J1939SocketOptions = {}) {
    const {
      broadcast,
      promiscuous,
      filters,
      priority,
      events = false,
      timestamps = true,
      namespace,
    } = checkObject('options', options);
    const settings = [
      setting('options.broadcast', soBroadcast, broadcast),
      setting('options.promiscuous', soJ1939Promisc, promiscuous),
      setting('options.filters', soJ1939Filter, filters),
      setting('options.priority', soJ1939SendPrio, priority),
      setting('options.events', soJ1939ErrQueue, checkBoolean('options.events', events) || undefined),
      ...receptionSettings(timestamps, events ? EVENT_TIMESTAMPS : 0),
    ];
    super(j1939, undefined, undefined, { namespace });
    setUp(this, ...settings);
  }

  /**
   * Receives a message with its sender, destination, priority and times, in one system call.
   * @throws SocketError `ENETDOWN`, `ENODEV`
   */
  async recvGroup({ size = GROUP_SIZE, ...options }: RecvGroupOptions = {}): Promise<ReceivedGroup> {
    return toGroup(this, await this.recvMsg(size, GROUP_ANCILLARY, options));
  }

  /** As `recvGroup`, blocking the thread. */
  recvGroupSync({ size = GROUP_SIZE, ...options }: RecvGroupOptions = {}): ReceivedGroup {
    return toGroup(this, this.recvMsgSync(size, GROUP_ANCILLARY, options));
  }

  /** As `recvGroup`, without waiting: `null` where there is none. */
  tryRecvGroup({ size = GROUP_SIZE, ...options }: Pick<RecvGroupOptions, 'size' | 'flags'> = {}): ReceivedGroup | null {
    const message = this.tryRecvMsg(size, GROUP_ANCILLARY, options);
    return message === null ? null : toGroup(this, message);
  }

  /** Messages as they come, until the socket is closed. */
  groups(options?: RecvGroupOptions): AsyncIterableIterator<ReceivedGroup> {
    return untilClosed(this, () => this.recvGroup(options));
  }

  /** Receives what became of a message, from the error queue: for sockets made with `events: true`. */
  async recvEvent(options: TransferOptions = {}): Promise<J1939Event> {
    return toEvent(await this.recvMsg(ATTRIBUTES_SIZE, EVENT_ANCILLARY, fromErrorQueue(options)));
  }

  /** As `recvEvent`, blocking the thread. */
  recvEventSync(options: TransferOptions = {}): J1939Event {
    return toEvent(this.recvMsgSync(ATTRIBUTES_SIZE, EVENT_ANCILLARY, fromErrorQueue(options)));
  }

  /** As `recvEvent`, without waiting: `null` where there is none. */
  tryRecvEvent(options: FlagOptions = {}): J1939Event | null {
    const message = this.tryRecvMsg(ATTRIBUTES_SIZE, EVENT_ANCILLARY, fromErrorQueue(options));
    return message === null ? null : toEvent(message);
  }

  /** Events as they come, until the socket is closed. */
  events(options?: TransferOptions): AsyncIterableIterator<J1939Event> {
    return untilClosed(this, () => this.recvEvent(options));
  }
}

function fromErrorQueue<O extends FlagOptions>(options: O): O {
  return { ...options, flags: (checkObject('options', options).flags ?? 0) | MSG_ERRQUEUE };
}
