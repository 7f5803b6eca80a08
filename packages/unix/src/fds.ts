import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import {
  type Ancillary,
  type AncillaryItem,
  CMSG_SPACE,
  checkInteger,
  checkObject,
  type Data,
  invalidArgumentType,
  MSG_CTRUNC,
  outOfRange,
  readI32,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SocketError,
  scmRights,
  toBytes,
} from '@sock/core';
import { type UnixAddress, type UnixAddressInput, unix } from './address.js';
import { scmCredentials, scmPidFd } from './ancillary.js';

const { EBADF } = constants.errno;

/** A socket of AF_UNIX. */
export type UnixSocket = Socket<UnixAddress, UnixAddressInput>;

/** How to wait, and the flags of the system call. */
export interface FdOptions {
  /** MSG_*, or'ed. */
  flags?: number | undefined;
  /** Milliseconds, `null` without limit; the socket's own timeout unless told. */
  timeout?: number | null | undefined;
  signal?: AbortSignal | undefined;
}

export interface SendFdsOptions<Input> extends FdOptions {
  /** Whom to send to, on a datagram socket that is not connected. */
  address?: Input | undefined;
}

export interface RecvFdsOptions extends FdOptions {
  /**
   * Bytes to have ready for control messages other than descriptors: enough for `soPassCred` and
   * `soPassPidFd` unless told. What does not fit is cut off, and `truncated` set.
   */
  ancillarySize?: number | undefined;
}

/** What `recvMsg` gives, as far as it matters here. */
export interface ReceivedMessageParts<Address> {
  readonly data: Buffer;
  readonly ancillary: Ancillary;
  readonly flags: number;
  readonly address: Address | null;
}

/**
 * A pair of connected sockets, unnamed, of AF_UNIX: streams unless told. Source: socketpair(2).
 * @param type SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 */
export function socketpair(type: number = SOCK_STREAM, protocol = 0): [UnixSocket, UnixSocket] {
  return Socket.pair(unix, type, protocol);
}

function rightsOf(ancillary: Iterable<AncillaryItem>): number[] {
  const fds: number[] = [];
  for (const { level, type, data } of ancillary) {
    if (level !== SOL_SOCKET || type !== SCM_RIGHTS) continue;
    for (let offset = 0; offset + 4 <= data.length; offset += 4) fds.push(readI32(data, offset));
  }
  return fds;
}

/**
 * Data and the descriptors that came with it. They are close-on-exec and closed when this is
 * disposed, unless `take` or `takeAll` handed them over; if nobody disposes it, when it is collected,
 * with a warning.
 */
export class ReceivedFds<Address = UnixAddress> implements Disposable {
  readonly data: Buffer;
  /** MSG_* that the kernel reported, or'ed. */
  readonly flags: number;
  /** The sender of a datagram; `null` on a stream. */
  readonly address: Address | null;
  /** All control messages: for `scmCredentials.find(received.ancillary)`. It owns the descriptors. */
  readonly ancillary: Ancillary;
  readonly #fds: number[];
  readonly #truncated: boolean;
  #disposed = false;

  /**
   * @param message what `recvMsg` gave
   * @param maxFds of more descriptors than this the last ones are closed, and `truncated` is set
   */
  constructor(message: ReceivedMessageParts<Address>, maxFds: number = SCM_MAX_FD) {
    this.data = message.data;
    this.flags = message.flags;
    this.address = message.address;
    this.ancillary = message.ancillary;
    const fds = rightsOf(message.ancillary);
    const excess = fds.splice(maxFds);
    for (const fd of excess) if (this.ancillary.release(fd)) closeSync(fd);
    this.#fds = fds;
    this.#truncated = excess.length > 0 || (message.flags & MSG_CTRUNC) !== 0;
  }

  /** The descriptors, in order, to look at: −1 for what was taken or closed. They stay owned here. */
  get fds(): readonly number[] {
    return [...this.#fds];
  }

  /** Whether descriptors or other control messages were lost, as there was no room for them. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /**
   * Takes one descriptor, which is then the caller's to close or to adopt.
   * @param index its place among `fds`
   * @throws RangeError where there is none, or it was taken before; SocketError `EBADF` after disposal
   */
  take(index: number): number {
    this.#check();
    const count = this.#fds.length;
    const expected = count === 0 ? 'the index of a descriptor, and none was received' : `an index from 0 to ${count - 1}`;
    if (typeof index !== 'number') throw invalidArgumentType('index', expected, index);
    const fd = this.#fds[index];
    if (fd === undefined) throw outOfRange('index', expected, index);
    this.#fds[index] = -1;
    if (fd < 0 || !this.ancillary.release(fd)) {
      throw outOfRange('index', 'the index of a descriptor that was not taken before', index);
    }
    return fd;
  }

  /**
   * Takes all descriptors that were not taken before, in order.
   * @throws SocketError `EBADF` after disposal
   */
  takeAll(): number[] {
    this.#check();
    const taken = this.#fds.filter((fd) => fd >= 0 && this.ancillary.release(fd));
    this.#fds.fill(-1);
    return taken;
  }

  /** Closes what was not taken. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#fds.fill(-1);
    this.ancillary[Symbol.dispose]();
  }

  #check(): void {
    if (!this.#disposed) return;
    throw new SocketError('take EBADF: the received descriptors were closed', {
      code: 'EBADF',
      errno: -EBADF,
      syscall: 'take',
    });
  }
}

function toMessage<Input>(
  socket: { readonly type: number },
  data: Data,
  fds: readonly number[],
  options: SendFdsOptions<Input>,
): [buffers: Uint8Array[], options: SendFdsOptions<Input> & { ancillary?: AncillaryItem[] }] {
  checkObject('options', options);
  const bytes = toBytes('data', data);
  if (!Array.isArray(fds)) throw invalidArgumentType('fds', 'an array of descriptors', fds);
  if (fds.length > SCM_MAX_FD) {
    throw outOfRange('fds.length', `at most ${SCM_MAX_FD} descriptors in one message (SCM_MAX_FD)`, fds.length);
  }
  if (fds.length === 0) return [[bytes], options];
  if (bytes.length === 0 && socket.type === SOCK_STREAM) {
    throw outOfRange('data', 'at least one byte: on a stream descriptors travel with data', data);
  }
  return [[bytes], { ...options, ancillary: [scmRights.create(fds)] }];
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
  options: SendFdsOptions<Input> = {},
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
 * On a stream one call never gives the descriptors of two messages, and stops before the data of the
 * second. No descriptors and no data is the end of the stream. Source: unix(7), SCM_RIGHTS.
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
  options: RecvFdsOptions = {},
): ReceivedFds<Address> | null {
  const message = socket.tryRecvMsg(size, room(maxFds, options), options);
  return message === null ? null : new ReceivedFds(message, maxFds);
}
