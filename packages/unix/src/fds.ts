import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import {
  type Ancillary,
  type AncillaryItem,
  type AnyAddress,
  CMSG_SPACE,
  checkInteger,
  checkObject,
  type Data,
  invalidArgumentType,
  MSG_CTRUNC,
  outOfRange,
  type ReceivedMessage,
  SCM_MAX_FD,
  SOCK_STREAM,
  Socket,
  SocketError,
  scmRights,
  type TransferOptions,
  toBytes,
} from '@sock/core';
import { type UnixAddress, type UnixInput, unix } from './address.js';
import { scmCredentials, scmPidFd } from './ancillary.js';

/** A socket of AF_UNIX. */
export type UnixSocket = Socket<UnixAddress, UnixInput>;

/** Options of `sendFds` and `sendFdsSync`. */
export interface SendFdsOptions<Input> extends TransferOptions {
  /** Whom to send to, on a datagram socket that is not connected. */
  address?: AnyAddress<Input> | undefined;
}

/** Options of `recvFds` and `recvFdsSync`. */
export interface RecvFdsOptions extends TransferOptions {
  /**
   * Bytes to have ready for control messages other than descriptors: enough for `soPassCred` and
   * `soPassPidFd` unless told. What does not fit is cut off, and `truncated` set.
   */
  ancillarySize?: number | undefined;
}

/**
 * A pair of connected sockets, unnamed, of AF_UNIX: streams unless told. Source: socketpair(2).
 * @param type SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 */
export function socketpair(type: number = SOCK_STREAM, protocol = 0): [UnixSocket, UnixSocket] {
  return Socket.pair(unix, type, protocol);
}

function close(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // somebody closed it without taking it: there is nothing left to close
  }
}

/**
 * Data and the descriptors that came with it. They are close-on-exec and closed when this is
 * disposed, unless `take` or `takeAll` handed them over; if nobody disposes it, when it is collected,
 * with a warning.
 */
export class ReceivedFds<Address = UnixAddress> implements Disposable {
  readonly data: Buffer;
  /** MSG_* that the kernel reported, or-ed together. */
  readonly flags: number;
  /** The sender's address, `null` where it has no name. */
  readonly address: Address | null;
  /** All control messages: for `scmCredentials.find(received.ancillary)`. */
  readonly ancillary: Ancillary;
  /** Whether descriptors or other control messages were lost, as there was no room for them. */
  readonly truncated: boolean;
  readonly #fds: number[];
  #disposed = false;

  /**
   * @param message what `recvMsg` gave
   * @param maxFds of more descriptors than this the last ones are closed, and `truncated` is set
   */
  constructor(message: ReceivedMessage<Address>, maxFds: number = SCM_MAX_FD) {
    const { data, flags, address, ancillary } = message;
    this.data = data;
    this.flags = flags;
    this.address = address;
    this.ancillary = ancillary;
    this.#fds = scmRights.findAll(ancillary).flat();
    const excess = this.#fds.splice(checkInteger('maxFds', maxFds, 0, SCM_MAX_FD));
    for (const fd of excess) if (ancillary.release(fd)) close(fd);
    this.truncated = excess.length > 0 || (flags & MSG_CTRUNC) !== 0;
  }

  /** The descriptors, in order, to look at: −1 for what was taken or closed. They stay owned here. */
  get fds(): readonly number[] {
    return [...this.#fds];
  }

  /**
   * Takes one descriptor, which is then the caller's to close or to adopt.
   * @param index its place among `fds`
   * @throws RangeError where there is none, or it was taken before; SocketError `EBADF` after disposal
   */
  take(index: number): number {
    this.#checkOpen();
    const count = this.#fds.length;
    const expected =
      count === 0
        ? 'the index of a descriptor (none was received)'
        : `the index of a descriptor, from 0 to ${count - 1}`;
    if (typeof index !== 'number') throw invalidArgumentType('index', expected, index);
    const fd = this.#fds[index];
    if (fd === undefined) throw outOfRange('index', expected, index);
    if (!this.ancillary.release(fd))
      throw outOfRange('index', 'the index of a descriptor that was not taken before', index);
    this.#fds[index] = -1;
    return fd;
  }

  /**
   * Takes all descriptors that were not taken before, in order.
   * @throws SocketError `EBADF` after disposal
   */
  takeAll(): number[] {
    this.#checkOpen();
    const taken = this.#fds.filter((fd) => this.ancillary.release(fd));
    this.#fds.fill(-1);
    return taken;
  }

  /** Closes what was not taken. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#fds.fill(-1);
    this.ancillary[Symbol.dispose]();
  }

  #checkOpen(): void {
    if (!this.#disposed) return;
    const details = { code: 'EBADF', errno: -constants.errno.EBADF, syscall: 'take' };
    throw new SocketError('take EBADF: the received descriptors were closed', details);
  }
}

/** @internal Checks what is to be sent, before any of it is: the data as bytes. */
export function checkPassing(socket: { readonly type: number }, data: Data, fds: readonly number[]): Uint8Array {
  const bytes = toBytes('data', data);
  if (!Array.isArray(fds)) throw invalidArgumentType('fds', 'an array of descriptors', fds);
  fds.forEach((fd: unknown, i) => {
    checkInteger(`fds[${i}]`, fd, -1, 0x7fffffff);
  });
  if (fds.length > SCM_MAX_FD) {
    throw outOfRange('fds.length', `at most ${SCM_MAX_FD} descriptors in one message (SCM_MAX_FD)`, fds.length);
  }
  if (fds.length > 0 && bytes.length === 0 && socket.type === SOCK_STREAM) {
    throw outOfRange('data', 'at least one byte: on a stream descriptors travel with data', data);
  }
  return bytes;
}

function toMessage<Options extends object>(
  socket: { readonly type: number },
  data: Data,
  fds: readonly number[],
  options: Options,
): [buffers: Uint8Array[], options: Options & { ancillary?: AncillaryItem[] }] {
  checkObject('options', options);
  const buffers = [checkPassing(socket, data, fds)];
  return [buffers, fds.length === 0 ? options : { ...options, ancillary: [scmRights.create(fds)] }];
}

/**
 * Sends data and open descriptors: the receiver gets descriptors of its own for the same open files.
 *
 * On a stream fewer bytes than given may be sent, as by `send`; the descriptors go with the first
 * of them. The descriptors stay the caller's, and must stay open until the operation has finished.
 * Source: unix(7), SCM_RIGHTS.
 *
 * @param fds at most 253; what is not an open descriptor is the kernel's `EBADF`
 * @returns how many bytes were sent
 * @throws RangeError for descriptors without data on a stream
 */
export async function sendFds<Address, Input>(
  socket: Socket<Address, Input>,
  data: Data,
  fds: readonly number[],
  options: SendFdsOptions<Input> = {},
): Promise<number> {
  return socket.sendMsg(...toMessage(socket, data, fds, options));
}

/** As `sendFds`, blocking the thread. */
export function sendFdsSync<Address, Input>(
  socket: Socket<Address, Input>,
  data: Data,
  fds: readonly number[],
  options: SendFdsOptions<Input> = {},
): number {
  return socket.sendMsgSync(...toMessage(socket, data, fds, options));
}

/** As `sendFds`, without waiting: `null` when it would block. */
export function trySendFds<Address, Input>(
  socket: Socket<Address, Input>,
  data: Data,
  fds: readonly number[],
  options: Pick<SendFdsOptions<Input>, 'address' | 'flags'> = {},
): number | null {
  return socket.trySendMsg(...toMessage(socket, data, fds, options));
}

function room(maxFds: number, options: RecvFdsOptions): number {
  checkInteger('maxFds', maxFds, 0, SCM_MAX_FD);
  const { ancillarySize = scmCredentials.space + scmPidFd.space } = checkObject('options', options);
  return CMSG_SPACE(maxFds * 4) + checkInteger('options.ancillarySize', ancillarySize, 0, 0x10000);
}

/**
 * Receives data and the descriptors that come with it.
 *
 * On a stream descriptors come with the first byte that was sent with them, which may follow bytes
 * sent before; no call gives the descriptors of two messages. No descriptors and no data is the end of
 * the stream. Source: unix(7), SCM_RIGHTS.
 *
 * @param size bytes of data at most
 * @param maxFds descriptors at most, 0 to 253; where more were sent the rest is closed, and
 * `truncated` set
 * @returns what owns the descriptors: `take` them, and dispose it (`using`)
 */
export async function recvFds<Address, Input>(
  socket: Socket<Address, Input>,
  size: number,
  maxFds: number,
  options: RecvFdsOptions = {},
): Promise<ReceivedFds<Address>> {
  return new ReceivedFds(await socket.recvMsg(size, room(maxFds, options), options), maxFds);
}

/** As `recvFds`, blocking the thread. */
export function recvFdsSync<Address, Input>(
  socket: Socket<Address, Input>,
  size: number,
  maxFds: number,
  options: RecvFdsOptions = {},
): ReceivedFds<Address> {
  return new ReceivedFds(socket.recvMsgSync(size, room(maxFds, options), options), maxFds);
}

/** As `recvFds`, without waiting: `null` when it would block. */
export function tryRecvFds<Address, Input>(
  socket: Socket<Address, Input>,
  size: number,
  maxFds: number,
  options: Pick<RecvFdsOptions, 'ancillarySize' | 'flags'> = {},
): ReceivedFds<Address> | null {
  const message = socket.tryRecvMsg(size, room(maxFds, options), options);
  return message === null ? null : new ReceivedFds(message, maxFds);
}
