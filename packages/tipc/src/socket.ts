import {
  type AnyAddress,
  checkObject,
  EncodedAddress,
  MSG_CTRUNC,
  MSG_EOR,
  MSG_OOB,
  MSG_TRUNC,
  type ReceivedMessage,
  SOCK_DGRAM,
  SOCK_RDM,
  Socket,
  type SocketOptions,
  setting,
  setUp,
  type TransferOptions,
  type UnknownAddress,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { SCOPE, type TipcAddress, type TipcInput, tipc } from './address.js';
import { RETURNED_MAX, scmTipcDestName, scmTipcErrInfo, scmTipcRetData, type TipcDestination } from './ancillary.js';
import { TIPC_CLUSTER_SCOPE, TIPC_MAX_USER_MSG_SIZE, TIPC_OK } from './constants.gen.js';
import { getLinkName, getNodeId } from './node.js';
import {
  type TipcGroupRequest,
  tipcConnTimeout,
  tipcDestDroppable,
  tipcGroupJoin,
  tipcGroupLeave,
  tipcImportance,
  tipcNodelay,
  tipcSrcDroppable,
} from './options.js';

/** How a `TipcSocket` is to be. What is left out is as the kernel has it. */
export interface TipcSocketOptions extends SocketOptions {
  /** SOCK_RDM unless told, SOCK_DGRAM, SOCK_SEQPACKET or SOCK_STREAM. */
  type?: number | undefined;
  /** TIPC_LOW_IMPORTANCE (0) to TIPC_CRITICAL_IMPORTANCE (3). */
  importance?: number | undefined;
  /** Messages may be dropped where the link is congested: true for SOCK_DGRAM unless told. */
  srcDroppable?: boolean | undefined;
  /** What cannot be delivered is dropped, rather than returned: true for SOCK_RDM and SOCK_DGRAM unless told. */
  destDroppable?: boolean | undefined;
  /** How long `connect` waits, in milliseconds: 8,000 unless told. */
  connTimeout?: number | undefined;
  /** Small pieces of a stream are sent at once. */
  nodelay?: boolean | undefined;
}

interface DeliveryBase {
  /** Where it comes from: a socket; `null` where the kernel does not say. */
  address: TipcAddress | UnknownAddress | null;
}

/** A message. */
export interface TipcMessage extends DeliveryBase {
  kind: 'message';
  data: Buffer;
  /** The services that it was sent to, `null` where that was this socket. */
  destination: TipcDestination | null;
  /** Whether there was too little room for it: its end is lost. */
  truncated: boolean;
}

/** A message that this socket sent and that came back. */
export interface TipcReturned extends DeliveryBase {
  kind: 'returned';
  /** Why: TIPC_ERR_NO_NAME, TIPC_ERR_NO_PORT, TIPC_ERR_NO_NODE or TIPC_ERR_OVERLOAD. */
  error: number;
  data: Buffer;
  /** The services that it was sent to, `null` where that was a socket. */
  destination: TipcDestination | null;
  /** Whether its end may be missing: the kernel gives 1,024 bytes back at most. */
  truncated: boolean;
}

/** A member that joins the group of this socket, or leaves it; `address.member` says what it is. */
export interface TipcMemberEvent extends DeliveryBase {
  kind: 'joined' | 'left';
}

/** The end of a connection. */
export interface TipcEnd extends DeliveryBase {
  kind: 'end';
  /**
   * TIPC_CONN_SHUTDOWN where the peer has ended it; TIPC_ERR_NO_PORT where it just closed its socket,
   * TIPC_ERR_NO_NODE where its node is gone, TIPC_OK where the end was told before.
   */
  error: number;
  /** What this socket sent last and the peer did not read, if anything. */
  data: Buffer;
}

/** What `recvDelivery` gives. */
export type TipcDelivery = TipcMessage | TipcReturned | TipcMemberEvent | TipcEnd;

/** Options of `recvDelivery` and its kin. */
export interface RecvDeliveryOptions extends TransferOptions {
  /** Bytes to make room for: 66,000, the largest message, unless told. At least 1. */
  size?: number | undefined;
}

// what comes back comes as a control message
const ANCILLARY = scmTipcErrInfo.space + scmTipcRetData.space + scmTipcDestName.space;

function toDelivery(message: ReceivedMessage<TipcAddress>, connectionless: boolean): TipcDelivery {
  const { data, flags, address, ancillary } = message;
  if ((flags & MSG_OOB) !== 0) return { kind: (flags & MSG_EOR) !== 0 ? 'left' : 'joined', address };
  const info = scmTipcErrInfo.find(ancillary);
  const returned = scmTipcRetData.find(ancillary) ?? Buffer.alloc(0);
  if (!connectionless && (info !== undefined || data.length === 0)) {
    return { kind: 'end', error: info?.error ?? TIPC_OK, data: returned, address };
  }
  const destination = scmTipcDestName.find(ancillary) ?? null;
  if (info === undefined) return { kind: 'message', data, destination, truncated: (flags & MSG_TRUNC) !== 0, address };
  const truncated = (flags & MSG_CTRUNC) !== 0 || info.length >= RETURNED_MAX;
  return { kind: 'returned', error: info.error, data: returned, destination, truncated, address };
}

/**
 * A socket of AF_TIPC that knows what the kernel tells beside the bytes: whom a message was for, what
 * came back, who joined and left a group; that unbinds, and that limits `connect` as C programs have it.
 * Source: tipc(7), linux/tipc.h.
 */
export class TipcSocket extends Socket<TipcAddress, TipcInput> {
  /**
   * @throws TypeError, RangeError naming the option; SocketError `EAFNOSUPPORT` naming the module to load
   */
  constructor(options: TipcSocketOptions = {}) {
    const {
      type = SOCK_RDM,
      importance,
      srcDroppable,
      destDroppable,
      connTimeout,
      nodelay,
      namespace,
    } = checkObject('options', options);
    const settings = [
      setting('options.importance', tipcImportance, importance),
      setting('options.srcDroppable', tipcSrcDroppable, srcDroppable),
      setting('options.destDroppable', tipcDestDroppable, destDroppable),
      setting('options.connTimeout', tipcConnTimeout, connTimeout),
      setting('options.nodelay', tipcNodelay, nodelay),
    ];
    super(tipc, type, undefined, { namespace });
    setUp(this, ...settings);
  }

  /**
   * Takes back a `bind`, of the same services with the same scope.
   * @throws SocketError `EINVAL` where nothing is bound so
   */
  unbind(address: Extract<TipcInput, { kind: 'service' | 'range' }>): void {
    const { sockaddr } = this.encodeAddress(address);
    const copy = Uint8Array.from(sockaddr);
    // a scope is a signed char; 0 is the cluster's, which has no negative
    copy[SCOPE] = -((copy[SCOPE] as number) || TIPC_CLUSTER_SCOPE) & 0xff;
    this.tryBind(new EncodedAddress(copy));
  }

  /** Takes back all that was bound. */
  unbindAll(): void {
    this.tryBind(new EncodedAddress(new Uint8Array(0)));
  }

  /**
   * Connects; the limit is TIPC_CONN_TIMEOUT unless the socket's timeout or an option says otherwise.
   * The peer is connected when it has accepted. On a connectionless socket: whom `send` sends to.
   * @throws SocketError `EHOSTUNREACH`, `ECONNREFUSED`, `ETIMEDOUT`
   */
  override connect(address: AnyAddress<TipcInput>, options?: WaitOptions): Promise<void> {
    return super.connect(address, this.limited(options));
  }

  /** As `connect`, blocking the thread. */
  override connectSync(address: AnyAddress<TipcInput>, options?: WaitOptions): void {
    super.connectSync(address, this.limited(options));
  }

  private limited(options: WaitOptions | undefined): WaitOptions | undefined {
    if (this.closed || this.timeout !== null || options === null || options?.timeout !== undefined) return options;
    return { ...options, timeout: this.getOption(tipcConnTimeout) };
  }

  /**
   * Joins a group. Members send to one that has an instance (`sendTo` a service), to all that have it
   * (`sendTo` a range of one), to one socket (`sendTo` a socket) or to all members (`send`); order is
   * kept among all of these, nothing is lost, and senders wait for slow members.
   * @throws SocketError `EACCES` where it is a member of one already, or of a type below 64. Linux 4.15.
   */
  joinGroup(request: TipcGroupRequest): void {
    this.setOption(tipcGroupJoin, request);
  }

  /** Leaves the group. @throws SocketError `EINVAL` where it is in none */
  leaveGroup(): void {
    this.setOption(tipcGroupLeave, true);
  }

  /**
   * Receives a message, or what else the kernel has to tell, in one system call.
   * @throws SocketError `ENOTCONN`
   */
  async recvDelivery({ size = TIPC_MAX_USER_MSG_SIZE, ...options }: RecvDeliveryOptions = {}): Promise<TipcDelivery> {
    return toDelivery(await this.recvMsg(size, ANCILLARY, options), this.connectionless);
  }

  /** As `recvDelivery`, blocking the thread. */
  recvDeliverySync({ size = TIPC_MAX_USER_MSG_SIZE, ...options }: RecvDeliveryOptions = {}): TipcDelivery {
    return toDelivery(this.recvMsgSync(size, ANCILLARY, options), this.connectionless);
  }

  /** As `recvDelivery`, without waiting: `null` where there is none. */
  tryRecvDelivery({
    size = TIPC_MAX_USER_MSG_SIZE,
    ...options
  }: Pick<RecvDeliveryOptions, 'size' | 'flags'> = {}): TipcDelivery | null {
    const message = this.tryRecvMsg(size, ANCILLARY, options);
    return message === null ? null : toDelivery(message, this.connectionless);
  }

  /** What comes, until the socket is closed or, with the delivery that says so, the connection ends. */
  async *deliveries(options?: RecvDeliveryOptions): AsyncGenerator<TipcDelivery> {
    for await (const delivery of untilClosed(this, () => this.recvDelivery(options))) {
      yield delivery;
      if (delivery.kind === 'end') return;
    }
  }

  private get connectionless(): boolean {
    return this.type === SOCK_RDM || this.type === SOCK_DGRAM;
  }

  /** `getNodeId` of a node. */
  nodeId(node: number): Buffer {
    return getNodeId(this, node);
  }

  /** `getLinkName` of a link. */
  linkName(peer: number, bearer: number): string {
    return getLinkName(this, peer, bearer);
  }
}
