import {
  type AnyAddress,
  checkBigInt,
  checkInteger,
  checkObject,
  checkOneOf,
  type Data,
  type FlagOptions,
  outOfRange,
  readU32,
  readU64,
  SOCK_SEQPACKET,
  type SocketOptions,
  socketError,
  type TransferOptions,
  untilClosed,
  type WaitOptions,
  writeU32,
  writeU64,
} from '@sock/core';
import type { TipcInput, TipcSocketAddress } from './address.js';
import * as c from './constants.gen.js';
import { TipcSocket } from './socket.js';

/** What to be told about. Source: `struct tipc_subscr`. */
export interface TipcSubscription {
  /** Type of the service. */
  type: number;
  /** First instance; 0 unless told. */
  lower?: number | undefined;
  /** Last instance; `lower` where only that is told, all of them where neither is. */
  upper?: number | undefined;
  /**
   * `'socket'` for an event about each socket that is bound or not any more; `'service'`, unless told,
   * for the first one of each instance that comes and the last one that goes.
   */
  each?: 'socket' | 'service' | undefined;
  /** Milliseconds until it ends, with an event of the kind `'timeout'`; `null`, unless told, for never. */
  duration?: number | null | undefined;
  /** Yours, 64 bits: comes with each event. 0 unless told. */
  handle?: bigint | undefined;
}

/** An event of the topology server. Source: `struct tipc_event`. */
export interface TipcTopologyEvent {
  /** Something was bound, is not bound any more, or the subscription has ended. */
  kind: 'published' | 'withdrawn' | 'timeout';
  /** Type of the service. */
  type: number;
  /** First instance that is bound, of those that were asked about. */
  lower: number;
  /** Last instance. */
  upper: number;
  /** The socket that is bound. */
  socket: TipcSocketAddress;
  /** The subscription that this belongs to. */
  subscription: Required<TipcSubscription>;
}

// offsets in a struct tipc_subscr
const TYPE = 0;
const LOWER = 4;
const UPPER = 8;
const TIMEOUT = 12;
const FILTER = 16;
const HANDLE = 20;
const SUBSCRIPTION_SIZE = 28;

// offsets in a struct tipc_event
const FOUND_LOWER = 4;
const FOUND_UPPER = 8;
const REF = 12;
const NODE = 16;
const SUBSCRIPTION = 20;
const EVENT_SIZE = SUBSCRIPTION + SUBSCRIPTION_SIZE;

const U32 = 0xffffffff;
const FILTERS = { socket: c.TIPC_SUB_PORTS, service: c.TIPC_SUB_SERVICE } as const;
const KINDS: Readonly<Record<number, TipcTopologyEvent['kind']>> = {
  [c.TIPC_PUBLISHED]: 'published',
  [c.TIPC_WITHDRAWN]: 'withdrawn',
  [c.TIPC_SUBSCR_TIMEOUT]: 'timeout',
};

/**
 * The bytes of a subscription, as the topology server takes them.
 * @param cancel for one that is to end
 * @throws TypeError, RangeError naming the member
 */
export function packSubscription(subscription: TipcSubscription, cancel = false): Buffer {
  const { type, lower, each = 'service', duration = null, handle = 0n } = checkObject('subscription', subscription);
  const { upper = lower ?? U32 } = subscription;
  const bytes = Buffer.alloc(SUBSCRIPTION_SIZE);
  writeU32(bytes, checkInteger('subscription.type', type, 0, U32), TYPE);
  writeU32(bytes, checkInteger('subscription.lower', lower ?? 0, 0, U32), LOWER);
  writeU32(bytes, checkInteger('subscription.upper', upper, 0, U32), UPPER);
  if (upper < (lower ?? 0)) throw outOfRange('subscription.upper', `an integer from ${lower} (lower)`, upper);
  const milliseconds = duration === null ? U32 : checkInteger('subscription.duration', duration, 0, U32 - 1);
  writeU32(bytes, milliseconds, TIMEOUT);
  const filter = FILTERS[checkOneOf('subscription.each', each, ['socket', 'service'])];
  writeU32(bytes, filter | (cancel ? c.TIPC_SUB_CANCEL : 0), FILTER);
  writeU64(bytes, checkBigInt('subscription.handle', handle, 0n, 0xffff_ffff_ffff_ffffn), HANDLE);
  return bytes;
}

/** Reads an event; `undefined` for what is none. */
export function unpackTopologyEvent(bytes: Uint8Array): TipcTopologyEvent | undefined {
  if (bytes.length < EVENT_SIZE) return undefined;
  const kind = KINDS[readU32(bytes, 0)];
  if (kind === undefined) return undefined;
  const asked = bytes.subarray(SUBSCRIPTION);
  const duration = readU32(asked, TIMEOUT);
  return {
    kind,
    type: readU32(asked, TYPE),
    lower: readU32(bytes, FOUND_LOWER),
    upper: readU32(bytes, FOUND_UPPER),
    socket: { kind: 'socket', node: readU32(bytes, NODE), ref: readU32(bytes, REF) },
    subscription: {
      type: readU32(asked, TYPE),
      lower: readU32(asked, LOWER),
      upper: readU32(asked, UPPER),
      each: (readU32(asked, FILTER) & c.TIPC_SUB_SERVICE) !== 0 ? 'service' : 'socket',
      duration: duration === U32 ? null : duration,
      handle: readU64(asked, HANDLE),
    },
  };
}

const SERVER: TipcInput = { kind: 'service', type: c.TIPC_TOP_SRV, instance: c.TIPC_TOP_SRV };

function toEvent(data: Buffer): TipcTopologyEvent {
  const event = unpackTopologyEvent(data);
  if (event !== undefined) return event;
  if (data.length > 0) {
    throw socketError('recv', 'EBADMSG', `a message of ${data.length} bytes is no event of the topology server`);
  }
  throw socketError(
    'recv',
    'ECONNRESET',
    'the topology server has ended the connection: what it was sent is no subscription, or it has as many as it takes',
  );
}

/**
 * A connection to the topology server, which knows what is bound in the cluster: `connect`, `subscribe`,
 * then `recvEvent`. `watchServices` does all of it. Source: linux/tipc.h, net/tipc/topsrv.c.
 */
export class TipcTopologySocket extends TipcSocket {
  /** @throws SocketError `EAFNOSUPPORT` naming the module to load */
  constructor(options?: SocketOptions) {
    super({ ...options, type: SOCK_SEQPACKET });
  }

  /** Connects to the topology server. */
  override connect(address: AnyAddress<TipcInput> = SERVER, options?: WaitOptions): Promise<void> {
    return super.connect(address, options);
  }

  /** As `connect`, blocking the thread. */
  override connectSync(address: AnyAddress<TipcInput> = SERVER, options?: WaitOptions): void {
    super.connectSync(address, options);
  }

  // a subscription is small: there is room for it, or the server has not read a hundred of them
  private order(bytes: Data): void {
    if (this.trySend(bytes) === null) {
      throw socketError('send', 'EAGAIN', 'the topology server has not read the subscriptions before this one yet');
    }
  }

  /**
   * Asks to be told about services: at first of those that are bound already.
   * @throws TypeError, RangeError naming the member; SocketError `ENOTCONN`, `EAGAIN`
   */
  subscribe(subscription: TipcSubscription): void {
    this.order(packSubscription(subscription));
  }

  /**
   * Ends a subscription, which must be told as it was made. Kernels look at the newest one only: where
   * there are several, give each a connection of its own, and close that.
   */
  unsubscribe(subscription: TipcSubscription): void {
    this.order(packSubscription(subscription, true));
  }

  /** Receives an event. @throws SocketError `ECONNRESET` where the server has ended the connection */
  async recvEvent(options?: TransferOptions): Promise<TipcTopologyEvent> {
    return toEvent(await this.recv(EVENT_SIZE, options));
  }

  /** As `recvEvent`, blocking the thread. */
  recvEventSync(options?: TransferOptions): TipcTopologyEvent {
    return toEvent(this.recvSync(EVENT_SIZE, options));
  }

  /** As `recvEvent`, without waiting: `null` where there is none. */
  tryRecvEvent(options?: FlagOptions): TipcTopologyEvent | null {
    const data = this.tryRecv(EVENT_SIZE, options);
    return data === null ? null : toEvent(data);
  }

  /** Events as they come, until the socket is closed. */
  events(options?: TransferOptions): AsyncIterableIterator<TipcTopologyEvent> {
    return untilClosed(this, () => this.recvEvent(options));
  }
}

/** How to watch: `namespace` is that of the node that tells. */
export interface WatchOptions extends SocketOptions {
  /** Ends the watch: the iteration throws its reason. */
  signal?: AbortSignal | undefined;
}

/** How to watch: a subscription, and what ends it. */
export interface WatchServicesOptions extends TipcSubscription, WatchOptions {}

/**
 * What is bound of a service, and what changes, as it happens: first what is there already, then
 * what comes and goes. With a `duration` the last event is of the kind `'timeout'`.
 * @throws TypeError, RangeError naming the member; SocketError
 */
export async function* watchServices(options: WatchServicesOptions): AsyncGenerator<TipcTopologyEvent> {
  const bytes = packSubscription(options);
  const { signal, namespace } = options;
  using topology = new TipcTopologySocket({ namespace });
  await topology.connect(SERVER, { signal });
  await topology.send(bytes, { signal });
  for await (const event of topology.events({ signal })) {
    yield event;
    if (event.kind === 'timeout') return;
  }
}

/** A node that is reached, or not any more. */
export interface TipcNodeEvent {
  kind: 'up' | 'down';
  /** The node's address. */
  node: number;
}

/** Nodes of the cluster, this one among them, as they come and go: first those that are there. */
export async function* watchNodes(options: WatchOptions = {}): AsyncGenerator<TipcNodeEvent> {
  const { signal, namespace } = checkObject('options', options);
  for await (const event of watchServices({ type: c.TIPC_NODE_STATE, each: 'socket', signal, namespace })) {
    yield { kind: event.kind === 'published' ? 'up' : 'down', node: event.lower };
  }
}

/** A link that works, or not any more. */
export interface TipcLinkEvent {
  kind: 'up' | 'down';
  /** Address of the node at its other end. */
  peer: number;
  /** Number of the bearer at this end. */
  bearer: number;
  /** Number of the bearer at the other end. */
  peerBearer: number;
}

/** Links of this node as they come and go: first those that are there. `getLinkName` has their names. */
export async function* watchLinks(options: WatchOptions = {}): AsyncGenerator<TipcLinkEvent> {
  const { signal, namespace } = checkObject('options', options);
  const links = watchServices({ type: c.TIPC_LINK_STATE, each: 'socket', signal, namespace });
  for await (const { kind, lower, socket } of links) {
    const { ref } = socket;
    yield { kind: kind === 'published' ? 'up' : 'down', peer: lower, bearer: ref & 0xffff, peerBearer: ref >>> 16 };
  }
}
