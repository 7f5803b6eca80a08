import {
  checkInteger,
  checkObject,
  type EncodedAddress,
  type FlagOptions,
  type InterfaceInput,
  invalidArgumentType,
  knownAs,
  MessageBatch,
  MSG_CONFIRM,
  MSG_DONTROUTE,
  type ReceivedMessage,
  Socket,
  SocketError,
  type SocketOptions,
  setting,
  setUp,
  type TransferOptions,
  untilClosed,
} from '@sock/core';
import { type CanAddress, type CanInput, canRaw } from './address.js';
import { CANXL_MTU } from './constants.gen.js';
import type { CanFilterInput } from './filters.js';
import { type CanFrame, type CanFrameInput, packFrame, unpackFrame } from './frame.js';
import {
  canRawErrFilter,
  canRawFdFrames,
  canRawFilter,
  canRawJoinFilters,
  canRawLoopback,
  canRawRecvOwnMsgs,
  canRawXlFrames,
} from './options.js';
import { describeReception, RECEPTION_ANCILLARY, type Reception, receptionSettings } from './reception.js';

/** A frame, and what the kernel says of it. */
export interface ReceivedFrame extends Reception {
  frame: CanFrame;
  /** Whether a program of this machine sent it (MSG_DONTROUTE). */
  local: boolean;
  /** Whether this socket sent it (MSG_CONFIRM); it gets these only with CAN_RAW_RECV_OWN_MSGS. */
  own: boolean;
}

/** How a `CanRawSocket` is to be. What is left out is as the kernel has it: false, unless told. */
export interface CanRawSocketOptions extends SocketOptions {
  /** CAN FD frames too. */
  fd?: boolean | undefined;
  /** CAN XL frames too, and CAN FD frames with them. Linux 6.1. */
  xl?: boolean | undefined;
  /** Which frames to receive: all of the bus unless told. */
  filters?: readonly CanFilterInput[] | undefined;
  /** A frame must match all filters, rather than one. */
  joinFilters?: boolean | undefined;
  /** Classes of error frames to receive, CAN_ERR_* or-ed together. */
  errors?: number | undefined;
  /** Other sockets of this machine receive what this one sends: true unless told. */
  loopback?: boolean | undefined;
  /** This socket receives what it sends. */
  ownFrames?: boolean | undefined;
  /** Frames come with the times at which they were received: true unless told. */
  timestamps?: boolean | undefined;
}

/** Options of what sends frames. */
export interface SendFrameOptions extends TransferOptions {
  /** The interface to send on, for a socket that is bound to all of them. */
  interface?: InterfaceInput | undefined;
}

/** Options of what receives several frames at once. */
export interface RecvFramesOptions extends TransferOptions {
  /** Frames at most: 1 to 1,024; 64 unless told. */
  count?: number | undefined;
}

type Batch = MessageBatch<CanAddress, CanInput>;

// Batches of sockets that wait for nothing at the moment, by their size: each is used by one call at
// a time.
const spare = new Map<string, Batch>();

function takeBatch(count: number, size: number, ancillarySize: number): Batch {
  const key = `${count} ${size} ${ancillarySize}`;
  const batch = spare.get(key);
  spare.delete(key);
  return batch ?? new MessageBatch<CanAddress, CanInput>({ count, size, ancillarySize });
}

// most that is kept for later, in sizes: programs use one or two
const SPARE_MAX = 8;

function giveBack(batch: Batch): void {
  batch.clear();
  if (spare.size < SPARE_MAX) spare.set(`${batch.count} ${batch.size} ${batch.ancillarySize}`, batch);
}

const BATCH_MAX = 1024;
const COUNT = 64;

// what the kernel has given out it does not give again: nothing is lost because it is not known
const unpack = (data: Buffer): CanFrame => unpackFrame(data) ?? { kind: 'unknown', data };

function toFrame({ data, flags, address, ancillary }: ReceivedMessage<CanAddress>): ReceivedFrame {
  return {
    frame: unpack(data),
    ...describeReception(address, ancillary),
    local: (flags & MSG_DONTROUTE) !== 0,
    own: (flags & MSG_CONFIRM) !== 0,
  };
}

function receptionBatch({ count = COUNT }: RecvFramesOptions): Batch {
  return takeBatch(checkInteger('options.count', count, 1, BATCH_MAX), CANXL_MTU, RECEPTION_ANCILLARY);
}

function framesOf(batch: Batch): ReceivedFrame[] {
  return Array.from({ length: batch.length }, (_, i) =>
    toFrame({
      // the batch's memory is used again
      data: Buffer.from(batch.data(i)),
      flags: batch.flags(i),
      address: batch.address(i),
      ancillary: batch.ancillary(i),
    }),
  );
}

/**
 * A CAN_RAW socket: frames rather than bytes. `bind` it to an interface, or to all of them:
 * `bind({ interface: '' })`.
 *
 * `ENETDOWN` from what receives means that the interface went down: the socket stays bound and
 * receives again once it is up. `ENODEV` means that it was removed. `ENOBUFS` from what sends means
 * that the interface's queue was full and the frame was not sent; it may be sent again.
 * Source: kernel, networking/can.
 */
export class CanRawSocket extends Socket<CanAddress, CanInput> {
  /**
   * @throws SocketError `EAFNOSUPPORT` where the kernel has no AF_CAN, `ENOPROTOOPT` where it lacks
   * what was asked for
   */
  constructor(options: CanRawSocketOptions = {}) {
    const {
      fd,
      xl,
      filters,
      joinFilters,
      errors,
      loopback,
      ownFrames,
      timestamps = true,
      namespace,
    } = checkObject('options', options);
    const settings = [
      setting('options.fd', canRawFdFrames, fd),
      setting('options.xl', canRawXlFrames, xl),
      setting('options.filters', canRawFilter, filters),
      setting('options.joinFilters', canRawJoinFilters, joinFilters),
      setting('options.errors', canRawErrFilter, errors),
      setting('options.loopback', canRawLoopback, loopback),
      setting('options.ownFrames', canRawRecvOwnMsgs, ownFrames),
      ...receptionSettings(timestamps),
    ];
    super(canRaw, undefined, undefined, { namespace });
    setUp(this, ...settings);
  }

  private destination(name: InterfaceInput): EncodedAddress {
    return knownAs('options.interface', 'address.interface', () => this.encodeAddress({ interface: name }));
  }

  /**
   * Sends a frame.
   * @throws TypeError, RangeError naming the member of `frame`; SocketError `ENETDOWN`, `ENOBUFS`,
   * `ENXIO` where the socket is bound to no single interface, `EINVAL` for a kind of frame that the
   * socket or the interface does not take
   */
  async sendFrame(frame: CanFrameInput, options: SendFrameOptions = {}): Promise<void> {
    const bytes = packFrame(frame);
    const { interface: name } = checkObject('options', options);
    await (name === undefined ? this.send(bytes, options) : this.sendTo(bytes, this.destination(name), options));
  }

  /** As `sendFrame`, blocking the thread. */
  sendFrameSync(frame: CanFrameInput, options: SendFrameOptions = {}): void {
    const bytes = packFrame(frame);
    const { interface: name } = checkObject('options', options);
    if (name === undefined) this.sendSync(bytes, options);
    else this.sendToSync(bytes, this.destination(name), options);
  }

  /** As `sendFrame`, without waiting: `null` where it would have to. */
  trySendFrame(frame: CanFrameInput, options: Pick<SendFrameOptions, 'interface' | 'flags'> = {}): true | null {
    const bytes = packFrame(frame);
    const { interface: name } = checkObject('options', options);
    const sent =
      name === undefined ? this.trySend(bytes, options) : this.trySendTo(bytes, this.destination(name), options);
    return sent === null ? null : true;
  }

  /**
   * Receives a frame with its interface, its times and the count of lost frames, in one system call.
   * With MSG_ERRQUEUE among the flags: a frame that was sent, with the time of it, where
   * SO_TIMESTAMPING asks for that (of kind `unknown`, without data, with SOF_TIMESTAMPING_OPT_TSONLY).
   * @throws SocketError `ENETDOWN`, `ENODEV`
   */
  async recvFrame(options?: TransferOptions): Promise<ReceivedFrame> {
    return toFrame(await this.recvMsg(CANXL_MTU, RECEPTION_ANCILLARY, options));
  }

  /** As `recvFrame`, blocking the thread. */
  recvFrameSync(options?: TransferOptions): ReceivedFrame {
    return toFrame(this.recvMsgSync(CANXL_MTU, RECEPTION_ANCILLARY, options));
  }

  /** As `recvFrame`, without waiting: `null` where there is none. */
  tryRecvFrame(options?: FlagOptions): ReceivedFrame | null {
    const message = this.tryRecvMsg(CANXL_MTU, RECEPTION_ANCILLARY, options);
    return message === null ? null : toFrame(message);
  }

  /** Frames as they come, until the socket is closed. */
  frames(options?: TransferOptions): AsyncIterableIterator<ReceivedFrame> {
    return untilClosed(this, () => this.recvFrame(options));
  }

  /**
   * Receives as many frames as there are, at least one, in one system call. Source: recvmmsg(2).
   * `recvBatch` and `unpackFrame` do so without an allocation per frame.
   */
  async recvFrames(options: RecvFramesOptions = {}): Promise<ReceivedFrame[]> {
    const batch = receptionBatch(checkObject('options', options));
    try {
      await this.recvBatch(batch, options);
      return framesOf(batch);
    } finally {
      giveBack(batch);
    }
  }

  /** As `recvFrames`, blocking the thread. */
  recvFramesSync(options: RecvFramesOptions = {}): ReceivedFrame[] {
    const batch = receptionBatch(checkObject('options', options));
    try {
      this.recvBatchSync(batch, options);
      return framesOf(batch);
    } finally {
      giveBack(batch);
    }
  }

  /** As `recvFrames`, without waiting: `null` where there is none. */
  tryRecvFrames(options: Pick<RecvFramesOptions, 'count' | 'flags'> = {}): ReceivedFrame[] | null {
    const batch = receptionBatch(checkObject('options', options));
    try {
      return this.tryRecvBatch(batch, options) === null ? null : framesOf(batch);
    } finally {
      giveBack(batch);
    }
  }

  // frames ready to send, in batches of what one system call takes
  private collect(frames: readonly CanFrameInput[], { interface: name }: SendFrameOptions): Batch[] {
    if (!Array.isArray(frames)) throw invalidArgumentType('frames', 'an array of frames', frames);
    const packed = frames.map((frame, i) => knownAs(`frames[${i}]`, 'frame', () => packFrame(frame)));
    const address = name === undefined ? undefined : this.destination(name);
    const batches: Batch[] = [];
    for (let start = 0; start < packed.length; start += BATCH_MAX) {
      const part = packed.slice(start, start + BATCH_MAX);
      const largest = Math.max(...part.map(({ length }) => length));
      const batch = takeBatch(Math.max(part.length, COUNT), largest, 0);
      for (const bytes of part) batch.push(bytes, address);
      batches.push(batch);
    }
    return batches;
  }

  /**
   * Sends frames, in as few system calls as they take: their number.
   * @throws as `sendFrame`; SocketError has in `transferred` how many frames were sent before it
   * failed. Source: sendmmsg(2).
   */
  async sendFrames(frames: readonly CanFrameInput[], options: SendFrameOptions = {}): Promise<number> {
    const batches = this.collect(frames, checkObject('options', options));
    try {
      let sent = 0;
      for (const batch of batches) sent += await this.sendBatch(batch, options).catch(countFrom(sent));
      return sent;
    } finally {
      batches.forEach(giveBack);
    }
  }

  /** As `sendFrames`, blocking the thread. */
  sendFramesSync(frames: readonly CanFrameInput[], options: SendFrameOptions = {}): number {
    const batches = this.collect(frames, checkObject('options', options));
    let sent = 0;
    try {
      for (const batch of batches) sent += this.sendBatchSync(batch, options);
      return sent;
    } catch (error) {
      return countFrom(sent)(error);
    } finally {
      batches.forEach(giveBack);
    }
  }

  /** As `sendFrames`, as many as there is room for now; `null` where there is none. */
  trySendFrames(
    frames: readonly CanFrameInput[],
    options: Pick<SendFrameOptions, 'interface' | 'flags'> = {},
  ): number | null {
    const batches = this.collect(frames, checkObject('options', options));
    let sent = 0;
    try {
      for (const batch of batches) {
        const count = this.trySendBatch(batch, options);
        sent += count ?? 0;
        if (count !== batch.length) return sent === 0 ? null : sent;
      }
      return sent;
    } catch (error) {
      return countFrom(sent)(error);
    } finally {
      batches.forEach(giveBack);
    }
  }
}

// a failure of a later batch tells of all frames that were sent
function countFrom(sent: number): (error: unknown) => never {
  return (error) => {
    if (sent > 0 && error instanceof SocketError) {
      Object.assign(error, { transferred: sent + (error.transferred ?? 0) });
    }
    throw error;
  };
}
