import { type AnyAddress, decodeAddress, receivedSockaddr } from './address.js';
import type { AncillaryItem } from './ancillary.js';
import { checkInteger, checkObject, type Data, invalidArgumentType, toTarget } from './arguments.js';
import { borrowedDescriptor, type DgramSocketLike, type NetSocketLike, openNetSocket } from './borrow.js';
import { Accept, bind, connect } from './connect.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from './constants.gen.js';
import { Descriptor } from './descriptor.js';
import { attempt, block, run, start, type WaitOptions } from './drivers.js';
import { type DuplexOptions, SocketDuplex } from './duplex.js';
import { EAGAIN, EEXIST } from './errno.js';
import { SocketError, SocketTimeoutError } from './errors.js';
import { failure } from './failure.js';
import type { AddressFamily, UnknownAddress } from './family.js';
import { sendWhole, sendWholeSync } from './file.js';
import {
  type AdoptOptions,
  checkFamily,
  type FamilyChoice,
  Given,
  identify,
  NOBODY,
  notShared,
  SocketHandle,
} from './handle.js';
import { chunksOf, connectionsOf, untilClosed } from './iterators.js';
import { MessageBatch, RecvBatch, SendBatch } from './message-batch.js';
import type { SocketOptions } from './namespace.js';
import { native } from './native.js';
import type { Received, ReceivedInto, ReceivedMessage, ReceivedMessageInto } from './receive.js';
import * as receive from './receive.js';
import { resolveSync, resolveThen } from './resolve.js';
import type { SendFileRange } from './send.js';
import * as transmit from './send.js';
import {
  type BinaryFileMode,
  type BinaryFileOptions,
  type BinarySocketFile,
  makeFile,
  type TextFileMode,
  type TextFileOptions,
  type TextSocketFile,
} from './socket-file.js';
import { waitReadable, waitWritable } from './wait.js';
import { webReadable, webWritable } from './web.js';

/** Flags of one call: MSG_* values or-ed together. Source: recv(2), send(2). */
export interface FlagOptions {
  flags?: number | undefined;
}

/** Options of promise and Sync forms that move data. */
export interface TransferOptions extends WaitOptions, FlagOptions {}

/** Options of `sendMsg`. */
export interface SendMsgOptions<Input> extends TransferOptions {
  /** Where to; left out on a connected socket. */
  address?: AnyAddress<Input> | null | undefined;
  /** Control messages, as `create` of a codec makes them, or raw. */
  ancillary?: Iterable<AncillaryItem> | undefined;
}

/** Options of `sendBatch`. */
export interface SendBatchOptions extends TransferOptions {
  /** Index of the first message to send; 0 unless told. */
  first?: number | undefined;
}

/** Options of `sendFile`. */
export interface SendFileOptions extends WaitOptions, SendFileRange {}

/** A connection that was accepted. */
export interface Accepted<S, Address> {
  socket: S;
  /** The peer. */
  address: Address;
}

/** A subclass of Socket: what its static functions make are its own instances. */
export type SocketClass<S> = abstract new (...args: never[]) => S;

/** The families that the sockets of a class can have. */
export type FamilyOf<S> = S extends { family: AddressFamily<infer Address, infer Input> }
  ? FamilyChoice<Address, Input>
  : never;

const NO_OPTIONS: TransferOptions = Object.freeze({});

/**
 * A socket of any address family.
 *
 * Each operation that may wait has three forms: `recv()` gives a promise and never blocks the thread,
 * `recvSync()` blocks it for up to the timeout, `tryRecv()` never waits and gives `null` where it
 * would have to. Promise forms never throw: what is wrong rejects the promise.
 *
 * All raise SocketError with the `code` of the system call's errno; `EBADF` after `close`,
 * `ECANCELED` where `close` ended them, `ETIMEDOUT` (SocketTimeoutError) after the timeout, `EAGAIN`
 * where timeout 0 or MSG_DONTWAIT forbids to wait; and TypeError or RangeError with the name of the
 * `argument` for what they do not accept, before any system call.
 *
 * The descriptor is non-blocking and close-on-exec from birth; "blocking" is poll(2).
 */
export class Socket<Address = UnknownAddress, Input = Address> extends SocketHandle<Address, Input> {
  /**
   * Opens a socket.
   * @param family address codec, such as `inet` or `unix`
   * @param type SOCK_*; what the family implies, or SOCK_STREAM, unless told. SOCK_NONBLOCK in it
   * means timeout 0, SOCK_CLOEXEC is always set
   * @param protocol what the family implies, or 0, unless told
   * @param options.namespace descriptor of the network namespace to open it in, for good
   * @throws SocketError `EAFNOSUPPORT`, `EPROTONOSUPPORT`, `EPERM`, `EMFILE`. Source: socket(2).
   */
  constructor(family: AddressFamily<Address, Input>, type?: number, protocol?: number, options?: SocketOptions) {
    super(family, type, protocol, options);
  }

  // an instance of the class that this was called on, around a descriptor; the constructors of
  // subclasses, which open sockets of their own, are not run
  private static around<A, I>(
    newTarget: object,
    family: AddressFamily<A, I>,
    descriptor: Descriptor,
    type: number,
    protocol: number,
  ): Socket<A, I> {
    return Reflect.construct(Socket, [family, new Given(descriptor, type, protocol)], newTarget as never) as Socket<
      A,
      I
    >;
  }

  /**
   * Takes ownership of a descriptor, and makes it non-blocking.
   * @param family the codec, or a function that chooses one; addresses stay bytes without it
   * @throws SocketError `EBADF`, `ENOTSOCK`, or `EEXIST` where another Socket of this thread owns it
   * (`duplicate` it instead); RangeError where `family` is of another domain. It is not owned then.
   */
  static adopt<A = UnknownAddress, I = A>(
    this: typeof Socket,
    fd: number,
    family?: FamilyChoice<A, I>,
    options?: AdoptOptions,
  ): Socket<A, I>;
  static adopt<S>(this: SocketClass<S>, fd: number, family?: FamilyOf<S>, options?: AdoptOptions): S;
  static adopt(fd: number, family?: FamilyChoice<unknown, unknown>, options: AdoptOptions = {}): unknown {
    const { chosen, info } = identify(fd, family, options);
    const subject = { family: chosen, ...info };
    if (native.own(fd) === 0) {
      const hint = `the descriptor ${fd} belongs to a Socket already; duplicate() it, or detach() it there`;
      throw failure(subject, 'adopt', -EEXIST, { hint });
    }
    const status = native.nonBlocking(fd, 1);
    if (status < 0) {
      native.release(fd);
      throw failure(subject, 'fcntl', status);
    }
    return Socket.around(this, chosen, new Descriptor(fd, true), info.type, info.protocol);
  }

  /**
   * As `adopt`, of a duplicate of the descriptor, which stays the caller's. Python's `fromfd`.
   * @throws SocketError `EBADF`, `ENOTSOCK`, `EMFILE`. Source: fcntl(2), F_DUPFD_CLOEXEC.
   */
  static duplicate<A = UnknownAddress, I = A>(
    this: typeof Socket,
    fd: number,
    family?: FamilyChoice<A, I>,
    options?: AdoptOptions,
  ): Socket<A, I>;
  static duplicate<S>(this: SocketClass<S>, fd: number, family?: FamilyOf<S>, options?: AdoptOptions): S;
  static duplicate(fd: number, family?: FamilyChoice<unknown, unknown>, options: AdoptOptions = {}): unknown {
    const { chosen, info } = identify(fd, family, options);
    const copy = native.dup(fd);
    if (copy < 0) throw failure({ family: chosen, ...info }, 'dup', copy);
    native.nonBlocking(copy, 1);
    return Socket.around(this, chosen, new Descriptor(copy, true), info.type, info.protocol);
  }

  /**
   * Windows: a socket from what `share` gave in another process.
   * @throws SocketError `EOPNOTSUPP` elsewhere. Source: WSASocket.
   */
  static fromShare(info: ArrayBufferView | ArrayBuffer): Socket {
    toTarget('info', info);
    throw notShared(NOBODY, 'fromshare');
  }

  /**
   * Two sockets that are connected to each other.
   * @throws SocketError `EOPNOTSUPP` for families without pairs, `EMFILE`. Source: socketpair(2).
   */
  static pair<A, I>(
    this: typeof Socket,
    family: AddressFamily<A, I>,
    type?: number,
    protocol?: number,
  ): [Socket<A, I>, Socket<A, I>];
  static pair<A, I, S>(this: SocketClass<S>, family: AddressFamily<A, I>, type?: number, protocol?: number): [S, S];
  static pair(
    family: AddressFamily<unknown, unknown>,
    type: number = family?.type ?? SOCK_STREAM,
    protocol: number = family?.protocol ?? 0,
  ): unknown {
    checkFamily(family);
    const kind = checkInteger('type', type, 0, 0x7fffffff) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    checkInteger('protocol', protocol, 0, 0x7fffffff);
    const fds = new Int32Array(2);
    const status = native.socketpair(family.domain, kind, protocol, fds);
    if (status < 0) {
      throw failure({ family, domain: family.domain, type: kind, protocol }, 'socketpair', status);
    }
    return Array.from(fds, (fd) => {
      const socket = Socket.around(this, family, new Descriptor(fd, true), kind, protocol);
      if ((type & SOCK_NONBLOCK) !== 0) socket.blocking = false;
      return socket;
    });
  }

  /**
   * A view of a socket that `node:net` or `node:dgram` owns: its options, and raw access. Closing the
   * view leaves the socket open; the view is closed when its owner closes the socket.
   * @throws TypeError for what has no descriptor: not connected yet, or closed
   */
  static borrow<A = UnknownAddress, I = A>(
    this: typeof Socket,
    owner: NetSocketLike | DgramSocketLike,
    family?: FamilyChoice<A, I>,
  ): Socket<A, I>;
  static borrow<S>(this: SocketClass<S>, owner: NetSocketLike | DgramSocketLike, family?: FamilyOf<S>): S;
  static borrow(owner: NetSocketLike | DgramSocketLike, family?: FamilyChoice<unknown, unknown>): unknown {
    const descriptor = borrowedDescriptor(owner);
    const { chosen, info } = identify(descriptor.fd, family, {});
    return Socket.around(this, chosen, descriptor, info.type, info.protocol);
  }

  /**
   * A socket with a duplicate of the descriptor, of the same class.
   * @throws SocketError `EMFILE`. Source: fcntl(2), F_DUPFD_CLOEXEC.
   */
  dup(): this {
    const fd = this.check('dup', native.dup(this.fd('dup')));
    const copy = Socket.around(this.constructor, this.family, new Descriptor(fd, true), this.type, this.protocol);
    copy.timeout = this.timeout;
    return copy as this;
  }

  /**
   * Gives the socket a local address. Names are resolved.
   * @throws SocketError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EINVAL`. Source: bind(2).
   */
  bind(address: AnyAddress<Input>): Promise<void> {
    return resolveThen(this.target, address, 'bind', {}, (input) => {
      attempt(this.target, bind(this.target, input));
      return Promise.resolve();
    });
  }

  /** As `bind`, resolving names on this thread. */
  bindSync(address: AnyAddress<Input>): void {
    attempt(this.target, bind(this.target, resolveSync(this.target, address)));
  }

  /** As `bind`, of an address without names. */
  tryBind(address: AnyAddress<Input>): void {
    attempt(this.target, bind(this.target, address));
  }

  /**
   * Connects. Names are resolved. After a timeout or cancellation the attempt may go on in the
   * kernel: close the socket.
   * @throws SocketError `ECONNREFUSED`, `ENETUNREACH`, `EHOSTUNREACH`, `EISCONN`, `EINPROGRESS` with
   * timeout 0. Source: connect(2).
   */
  connect(address: AnyAddress<Input>, options?: WaitOptions): Promise<void> {
    return resolveThen(this.target, address, 'connect', options, (input, rest) =>
      run(this.target, connect(this.target, input), rest),
    );
  }

  /** As `connect`, blocking the thread. */
  connectSync(address: AnyAddress<Input>, options?: WaitOptions): void {
    block(this.target, connect(this.target, resolveSync(this.target, address)), options);
  }

  /** As `connect`, of an address without names: `null` where it goes on in the kernel. */
  tryConnect(address: AnyAddress<Input>): true | null {
    return attempt(this.target, connect(this.target, address)) === null ? null : true;
  }

  /** As `connect`, but gives the (positive) errno rather than an error: 0 where connected. */
  async connectEx(address: AnyAddress<Input>, options?: WaitOptions): Promise<number> {
    try {
      await this.connect(address, options);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** As `connectEx`, blocking the thread. */
  connectExSync(address: AnyAddress<Input>, options?: WaitOptions): number {
    try {
      this.connectSync(address, options);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** As `connectEx`, without waiting: `EINPROGRESS` (115 on Linux) where it goes on in the kernel. */
  tryConnectEx(address: AnyAddress<Input>): number {
    return this.connectExSync(address, { timeout: 0 });
  }

  private acceptance(): Accept<Accepted<this, Address>> {
    return new Accept((fd) => {
      const socket = Socket.around(this.constructor, this.family, new Descriptor(fd, true), this.type, this.protocol);
      return { socket: socket as this, address: decodeAddress(this.target, receivedSockaddr()) as Address };
    }, this.family.namelessPeers !== true);
  }

  /**
   * Accepts a connection: a socket of the same class, whose timeout is the default timeout.
   * @throws SocketError `EINVAL` where the socket does not listen, `EMFILE`, `ECONNABORTED`. Source: accept(2).
   */
  accept(options?: WaitOptions): Promise<Accepted<this, Address>> {
    return start(this.target, () => this.acceptance(), options);
  }

  /** As `accept`, blocking the thread. */
  acceptSync(options?: WaitOptions): Accepted<this, Address> {
    return block(this.target, this.acceptance(), options);
  }

  /** As `accept`, without waiting. */
  tryAccept(): Accepted<this, Address> | null {
    return attempt(this.target, this.acceptance());
  }

  /**
   * Receives up to `size` bytes; an empty buffer is the end of a stream, or an empty datagram.
   * @throws SocketError `ECONNRESET`, `ENOTCONN`, `ECONNREFUSED`. Source: recv(2).
   */
  recv(size: number, options?: TransferOptions): Promise<Buffer> {
    try {
      return run(this.target, receive.recv(this.target, size, options?.flags, true), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `recv`, blocking the thread. */
  recvSync(size: number, options?: TransferOptions): Buffer {
    return block(this.target, receive.recv(this.target, size, options?.flags, true), options);
  }

  /** As `recv`, without waiting. */
  tryRecv(size: number, options?: FlagOptions): Buffer | null {
    return attempt(this.target, receive.recv(this.target, size, flagsOf(options), false));
  }

  /** As `recv`, into memory of the caller: the number of bytes. */
  recvInto(buffer: ArrayBufferView | ArrayBuffer, options?: TransferOptions): Promise<number> {
    try {
      return run(this.target, receive.recvInto(this.target, buffer, options?.flags, true), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `recvInto`, blocking the thread. */
  recvIntoSync(buffer: ArrayBufferView | ArrayBuffer, options?: TransferOptions): number {
    return block(this.target, receive.recvInto(this.target, buffer, options?.flags, true), options);
  }

  /** As `recvInto`, without waiting. */
  tryRecvInto(buffer: ArrayBufferView | ArrayBuffer, options?: FlagOptions): number | null {
    return attempt(this.target, receive.recvInto(this.target, buffer, flagsOf(options), false));
  }

  /** As `recv`, with the sender's address; `null` where the kernel gives none. Source: recvfrom(2). */
  recvFrom(size: number, options?: TransferOptions): Promise<Received<Address>> {
    try {
      return run(this.target, receive.recvFrom<Address>(this.target, size, options?.flags, true), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `recvFrom`, blocking the thread. */
  recvFromSync(size: number, options?: TransferOptions): Received<Address> {
    return block(this.target, receive.recvFrom<Address>(this.target, size, options?.flags, true), options);
  }

  /** As `recvFrom`, without waiting. */
  tryRecvFrom(size: number, options?: FlagOptions): Received<Address> | null {
    return attempt(this.target, receive.recvFrom<Address>(this.target, size, flagsOf(options), false));
  }

  /** As `recvFrom`, into memory of the caller. */
  recvFromInto(buffer: ArrayBufferView | ArrayBuffer, options?: TransferOptions): Promise<ReceivedInto<Address>> {
    return start(this.target, () => receive.recvFromInto<Address>(this.target, buffer, options?.flags, true), options);
  }

  /** As `recvFromInto`, blocking the thread. */
  recvFromIntoSync(buffer: ArrayBufferView | ArrayBuffer, options?: TransferOptions): ReceivedInto<Address> {
    return block(this.target, receive.recvFromInto<Address>(this.target, buffer, options?.flags, true), options);
  }

  /** As `recvFromInto`, without waiting. */
  tryRecvFromInto(buffer: ArrayBufferView | ArrayBuffer, options?: FlagOptions): ReceivedInto<Address> | null {
    return attempt(this.target, receive.recvFromInto<Address>(this.target, buffer, flagsOf(options), false));
  }

  /**
   * Receives a message with its control messages.
   * @param ancillarySize bytes of control messages to make room for: `space` of a codec, CMSG_SPACE
   * or CMSG_LEN; MSG_CTRUNC in `flags` tells of some that had no room. Source: recvmsg(2).
   */
  recvMsg(size: number, ancillarySize = 0, options?: TransferOptions): Promise<ReceivedMessage<Address>> {
    return start(
      this.target,
      () => receive.recvMsg<Address>(this.target, size, ancillarySize, options?.flags, true),
      options,
    );
  }

  /** As `recvMsg`, blocking the thread. */
  recvMsgSync(size: number, ancillarySize = 0, options?: TransferOptions): ReceivedMessage<Address> {
    return block(
      this.target,
      receive.recvMsg<Address>(this.target, size, ancillarySize, options?.flags, true),
      options,
    );
  }

  /** As `recvMsg`, without waiting. */
  tryRecvMsg(size: number, ancillarySize = 0, options?: FlagOptions): ReceivedMessage<Address> | null {
    return attempt(this.target, receive.recvMsg<Address>(this.target, size, ancillarySize, flagsOf(options), false));
  }

  /** As `recvMsg`, into several buffers of the caller, one after the other. */
  recvMsgInto(
    buffers: readonly (ArrayBufferView | ArrayBuffer)[],
    ancillarySize = 0,
    options?: TransferOptions,
  ): Promise<ReceivedMessageInto<Address>> {
    return start(
      this.target,
      () => receive.recvMsgInto<Address>(this.target, buffers, ancillarySize, options?.flags, true),
      options,
    );
  }

  /** As `recvMsgInto`, blocking the thread. */
  recvMsgIntoSync(
    buffers: readonly (ArrayBufferView | ArrayBuffer)[],
    ancillarySize = 0,
    options?: TransferOptions,
  ): ReceivedMessageInto<Address> {
    const operation = receive.recvMsgInto<Address>(this.target, buffers, ancillarySize, options?.flags, true);
    return block(this.target, operation, options);
  }

  /** As `recvMsgInto`, without waiting. */
  tryRecvMsgInto(
    buffers: readonly (ArrayBufferView | ArrayBuffer)[],
    ancillarySize = 0,
    options?: FlagOptions,
  ): ReceivedMessageInto<Address> | null {
    return attempt(
      this.target,
      receive.recvMsgInto<Address>(this.target, buffers, ancillarySize, flagsOf(options), false),
    );
  }

  private batchReception(batch: MessageBatch<unknown, unknown>, options: FlagOptions | undefined): RecvBatch {
    if (!(batch instanceof MessageBatch)) throw invalidArgumentType('batch', 'a MessageBatch', batch);
    return new RecvBatch(this.target, batch, receive.checkFlags(options?.flags));
  }

  /** Receives as many messages as there are and the batch has room for: their number. Source: recvmmsg(2). */
  recvBatch(batch: MessageBatch<unknown, unknown>, options?: TransferOptions): Promise<number> {
    return start(this.target, () => this.batchReception(batch, options), options);
  }

  /** As `recvBatch`, blocking the thread until there is at least one. */
  recvBatchSync(batch: MessageBatch<unknown, unknown>, options?: TransferOptions): number {
    return block(this.target, this.batchReception(batch, options), options);
  }

  /** As `recvBatch`, without waiting. */
  tryRecvBatch(batch: MessageBatch<unknown, unknown>, options?: FlagOptions): number | null {
    return attempt(this.target, this.batchReception(batch, options));
  }

  /**
   * Sends: the number of bytes, which may be fewer than given on a stream. The data must not change
   * before the promise is settled.
   * @throws SocketError `EPIPE`, `ECONNRESET`, `ENOTCONN`, `EMSGSIZE`. Source: send(2).
   */
  send(data: Data, options?: TransferOptions): Promise<number> {
    try {
      return run(this.target, transmit.send(data, options?.flags), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `send`, blocking the thread. */
  sendSync(data: Data, options?: TransferOptions): number {
    return block(this.target, transmit.send(data, options?.flags), options);
  }

  /** As `send`, without waiting. */
  trySend(data: Data, options?: FlagOptions): number | null {
    return attempt(this.target, transmit.send(data, flagsOf(options)));
  }

  /**
   * Sends all of the data, in several steps where it has to be. The timeout is for all of them.
   * @throws SocketError whose `transferred` tells how many bytes were sent before it failed
   */
  sendAll(data: Data, options?: TransferOptions): Promise<void> {
    try {
      return run(this.target, transmit.sendAll(data, options?.flags), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `sendAll`, blocking the thread. */
  sendAllSync(data: Data, options?: TransferOptions): void {
    block(this.target, transmit.sendAll(data, options?.flags), options);
  }

  /**
   * Sends to an address. Names are resolved.
   * @throws SocketError `EMSGSIZE`, `ENETUNREACH`, `EISCONN`, `EDESTADDRREQ`. Source: sendto(2).
   */
  sendTo(data: Data, address: AnyAddress<Input>, options?: TransferOptions): Promise<number> {
    return resolveThen(this.target, address, 'sendto', options, (input, rest) =>
      run(this.target, transmit.sendTo(this.target, data, input, options?.flags), rest),
    );
  }

  /** As `sendTo`, blocking the thread. */
  sendToSync(data: Data, address: AnyAddress<Input>, options?: TransferOptions): number {
    const input = resolveSync(this.target, address);
    return block(this.target, transmit.sendTo(this.target, data, input, options?.flags), options);
  }

  /** As `sendTo`, without waiting, to an address without names. */
  trySendTo(data: Data, address: AnyAddress<Input>, options?: FlagOptions): number | null {
    return attempt(this.target, transmit.sendTo(this.target, data, address, flagsOf(options)));
  }

  /**
   * Sends several buffers as one message, with control messages and to an address, where given.
   * @throws SocketError as `send` and `sendTo`. Source: sendmsg(2).
   */
  sendMsg(buffers: readonly Data[], options: SendMsgOptions<Input> = NO_OPTIONS): Promise<number> {
    return resolveThen(this.target, options?.address, 'sendmsg', options, (address, rest) =>
      run(this.target, transmit.sendMsg(this.target, buffers, { ...options, address }), rest),
    );
  }

  /** As `sendMsg`, blocking the thread. */
  sendMsgSync(buffers: readonly Data[], options: SendMsgOptions<Input> = NO_OPTIONS): number {
    const address = resolveSync(this.target, checkObject('options', options).address);
    return block(this.target, transmit.sendMsg(this.target, buffers, { ...options, address }), options);
  }

  /** As `sendMsg`, without waiting, to an address without names. */
  trySendMsg(
    buffers: readonly Data[],
    options: Pick<SendMsgOptions<Input>, 'address' | 'ancillary' | 'flags'> = NO_OPTIONS,
  ): number | null {
    return attempt(this.target, transmit.sendMsg(this.target, buffers, checkObject('options', options)));
  }

  /**
   * Sends a file, or a part of it, with sendfile(2); what that cannot send is read and sent.
   * @param file a FileHandle, or a descriptor
   * @returns the number of bytes
   * @throws SocketError whose `transferred` tells how many bytes were sent before it failed
   */
  sendFile(file: number | { readonly fd: number }, options: SendFileOptions = {}): Promise<number> {
    return sendWhole(this.target, (data, rest) => this.sendAll(data, rest), file, options);
  }

  /** As `sendFile`, blocking the thread. */
  sendFileSync(file: number | { readonly fd: number }, options: SendFileOptions = {}): number {
    return sendWholeSync(this.target, (data, rest) => this.sendAllSync(data, rest), file, options);
  }

  /** As `sendFile`, as much as there is room for now. Only what sendfile(2) can send. */
  trySendFile(file: number | { readonly fd: number }, options: SendFileRange = {}): number | null {
    const operation = transmit.sendFile(file, checkObject('options', options));
    const sent = attempt(this.target, operation);
    return sent === null && operation.transferred > 0 ? operation.transferred : sent;
  }

  private batchTransmission(batch: MessageBatch<unknown, unknown>, options: SendBatchOptions, all: boolean): SendBatch {
    if (!(batch instanceof MessageBatch)) throw invalidArgumentType('batch', 'a MessageBatch', batch);
    const { first = 0, flags } = checkObject('options', options);
    checkInteger('options.first', first, 0, batch.length);
    return new SendBatch(this.target, batch, first, receive.checkFlags(flags), all);
  }

  /**
   * Sends the messages of a batch: their number. Addresses must be without names.
   * @throws SocketError whose `transferred` tells how many messages were sent before it failed.
   * Source: sendmmsg(2).
   */
  sendBatch(batch: MessageBatch<unknown, unknown>, options: SendBatchOptions = NO_OPTIONS): Promise<number> {
    return start(this.target, () => this.batchTransmission(batch, options, true), options);
  }

  /** As `sendBatch`, blocking the thread. */
  sendBatchSync(batch: MessageBatch<unknown, unknown>, options: SendBatchOptions = NO_OPTIONS): number {
    return block(this.target, this.batchTransmission(batch, options, true), options);
  }

  /** As `sendBatch`, as many as there is room for now; go on from there with `first`. */
  trySendBatch(
    batch: MessageBatch<unknown, unknown>,
    options: Pick<SendBatchOptions, 'first' | 'flags'> = NO_OPTIONS,
  ): number | null {
    return attempt(this.target, this.batchTransmission(batch, options, false));
  }

  /** Waits until there is something to receive or to accept, an end or an error. Source: poll(2). */
  waitReadable(options?: WaitOptions): Promise<void> {
    return start(this.target, waitReadable, options);
  }

  /** As `waitReadable`, blocking the thread. */
  waitReadableSync(options?: WaitOptions): void {
    block(this.target, waitReadable(), options);
  }

  /** Whether there is something to receive or to accept, an end or an error. */
  tryWaitReadable(): boolean {
    return attempt(this.target, waitReadable()) !== null;
  }

  /** Waits until there is room to send, a connection is made, or there is an error. Source: poll(2). */
  waitWritable(options?: WaitOptions): Promise<void> {
    return start(this.target, waitWritable, options);
  }

  /** As `waitWritable`, blocking the thread. */
  waitWritableSync(options?: WaitOptions): void {
    block(this.target, waitWritable(), options);
  }

  /** Whether there is room to send, a connection is made, or there is an error. */
  tryWaitWritable(): boolean {
    return attempt(this.target, waitWritable()) !== null;
  }

  /**
   * Connections as they come, until the socket is closed. Those that their peers gave up before they
   * were accepted are passed over.
   */
  connections(options?: WaitOptions): AsyncIterableIterator<Accepted<this, Address>> {
    return connectionsOf(this, () => this.accept(options));
  }

  /**
   * Datagrams as they come, with their senders, until the socket is closed.
   * @param size bytes to make room for: 65,536 unless told
   */
  messages(size = 65_536, options?: TransferOptions): AsyncIterableIterator<Received<Address>> {
    return untilClosed(this, () => this.recvFrom(size, options));
  }

  /**
   * Data of a stream as it comes, until its end or until the socket is closed.
   * @param size most bytes in one chunk: 65,536 unless told
   */
  chunks(size = 65_536, options?: TransferOptions): AsyncIterableIterator<Buffer> {
    return chunksOf(this, () => this.recv(size, options));
  }

  /**
   * A stream for `node:stream`, which owns the socket from now on: destroying it closes the socket,
   * ending it shuts down the sending direction.
   */
  duplex(options: DuplexOptions = {}): SocketDuplex {
    return new SocketDuplex(this as unknown as Socket<unknown>, checkObject('options', options));
  }

  /**
   * The socket as a file, to read and write by lines. The socket must stay open as long as it is used;
   * there may be several, each with a buffer of its own.
   * @param mode what for: `r`, unless told, `w` or both, and `b` for bytes in the place of text
   */
  makeFile(mode?: TextFileMode, options?: TextFileOptions): TextSocketFile;
  makeFile(mode: BinaryFileMode, options?: BinaryFileOptions): BinarySocketFile;
  makeFile(
    mode: TextFileMode | BinaryFileMode = 'r',
    options: TextFileOptions | BinaryFileOptions = {},
  ): TextSocketFile | BinarySocketFile {
    return makeFile(this as unknown as Socket<unknown>, mode, options);
  }

  /** The receiving direction as a Web stream of bytes. Cancelling it shuts down that direction. */
  get readable(): ReadableStream<Uint8Array> {
    return webReadable(this as unknown as Socket<unknown>);
  }

  /** The sending direction as a Web stream. Closing it shuts down that direction. */
  get writable(): WritableStream<Data> {
    return webWritable(this as unknown as Socket<unknown>);
  }

  /**
   * Hands the descriptor over to a `net.Socket`; this socket is closed then. For what libuv knows as
   * a stream: TCP and unix stream sockets.
   * @throws TypeError for others; SocketError `EBADF`
   */
  toNetSocket(): import('node:net').Socket {
    return openNetSocket(this as unknown as Socket<unknown>);
  }
}

// options of a form that never waits, where no driver looks at them
function flagsOf(options: FlagOptions | undefined): unknown {
  return options === undefined ? undefined : checkObject('options', options).flags;
}

function errnoOf(error: unknown): number {
  // EAGAIN is what Python's connect_ex says of a timeout
  if (error instanceof SocketTimeoutError) return EAGAIN;
  if (error instanceof SocketError && error.syscall === 'connect') return -error.errno;
  throw error;
}
