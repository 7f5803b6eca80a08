import {
  checkBoolean,
  checkInteger,
  checkObject,
  type Data,
  Deadline,
  type FlagOptions,
  type InterfaceInput,
  invalidArgumentType,
  knownAs,
  outOfRange,
  type ReceivedMessage,
  Socket,
  type SocketOptions,
  setUp,
  socketError,
  type TransferOptions,
  toBytes,
  untilClosed,
} from '@sock/core';
import { bcm, type CanAddress, type CanInput } from './address.js';
import {
  BCM_FRAMES_MAX,
  BCM_MESSAGE_MAX,
  type BcmMessage,
  type BcmMessageInput,
  packBcmMessage,
  unpackBcmMessage,
} from './bcm-message.js';
import * as c from './constants.gen.js';
import type { CanFrame, ClassicFrameInput, FdFrameInput } from './frame.js';
import { describeReception, RECEPTION_ANCILLARY, type Reception, receptionSettings } from './reception.js';
import { checkInterval } from './structures.js';

/** A frame of CAN 2.0, or of CAN FD. */
export type BcmFrameInput = ClassicFrameInput | FdFrameInput;

/** Which job is meant: jobs of one socket differ in at least one of these. */
export interface BcmJobKey {
  id: number;
  /** Whether the identifier has 29 bits: where it does not fit into 11, unless told. */
  extended?: boolean | undefined;
  /** Whether the job is about remote frames. */
  remote?: boolean | undefined;
  /** Whether the job is about frames of CAN FD. */
  fd?: boolean | undefined;
  /** The interface, for a socket that is connected to all of them. */
  interface?: InterfaceInput | undefined;
}

/** A job that sends frames again and again. */
export interface BcmTxJob extends Partial<BcmJobKey> {
  /** The frame to send, or several (at most 256) to send in turn. `id` and `fd` are theirs, unless told. */
  frames: BcmFrameInput | readonly BcmFrameInput[];
  /**
   * Milliseconds between two frames, down to microseconds; 0 stops. Left out, a job that is there
   * keeps its timer, and only its frames change; a new one does not send.
   */
  interval?: number | undefined;
  /** How many frames to send with `interval`: no end unless told. */
  count?: number | undefined;
  /** Milliseconds between two frames after the counted ones: none are sent then, unless told. */
  nextInterval?: number | undefined;
  /** Tell with the event TX_EXPIRED when the counted frames have been sent. */
  countEvent?: boolean | undefined;
  /** Send the new content at once, not only at its time. */
  announce?: boolean | undefined;
  /** Give all frames the job's identifier. */
  copyId?: boolean | undefined;
  /** Begin again with the first of several frames. */
  restart?: boolean | undefined;
  /** Whether the timer starts, as it does unless told: the first frame is sent at once then. */
  start?: boolean | undefined;
}

/** A job that receives: it tells of frames of one identifier, of all of them or of changed ones. */
export interface BcmRxJob extends BcmJobKey {
  /** Bits of the data whose change is told of. Without `mask` and `multiplex` every frame is. */
  mask?: Data | undefined;
  /**
   * For data whose meaning depends on a part of it: `mask` has the bits that tell them apart; each
   * content has such bits as they are in it, and the bits whose change is told of. At most 256.
   */
  multiplex?: { mask: Data; contents: readonly Data[] } | undefined;
  /** Another length is a change too. */
  checkLength?: boolean | undefined;
  /** Milliseconds without a frame after which RX_TIMEOUT is told of; none unless told. */
  timeout?: number | undefined;
  /** Milliseconds that pass at least between two events; changes between them come as one. */
  throttle?: number | undefined;
  /** Whether the timeout counts from now rather than from the first frame: as it does unless told. */
  start?: boolean | undefined;
  /** Whether a frame starts the timeout anew, as it does unless told. */
  autoTimer?: boolean | undefined;
  /** After RX_TIMEOUT tell of the next frame even if it is unchanged. */
  announceResume?: boolean | undefined;
  /** Answer remote frames of this identifier with this frame, in the kernel; there are no events then. */
  reply?: ClassicFrameInput | undefined;
}

/** What the broadcast manager tells of. */
export interface BcmEventBase extends Reception {
  id: number;
  extended: boolean;
  remote: boolean;
  fd: boolean;
}

/** A frame came: changed, or any, as the job says. */
export interface BcmChanged extends BcmEventBase {
  kind: 'RX_CHANGED';
  frame: CanFrame;
}

/** No frame came in time, or all counted frames were sent. */
export interface BcmExpired extends BcmEventBase {
  kind: 'RX_TIMEOUT' | 'TX_EXPIRED';
}

/** What a job is like, where a message of one's own asked for it; `txRead` and `rxRead` give it themselves. */
export interface BcmStatus extends BcmEventBase {
  kind: 'TX_STATUS' | 'RX_STATUS';
  message: BcmMessage;
}

export type BcmEvent = BcmChanged | BcmExpired | BcmStatus;

const KINDS: Readonly<Record<number, BcmEvent['kind']>> = {
  [c.CAN_BCM_TX_STATUS]: 'TX_STATUS',
  [c.CAN_BCM_TX_EXPIRED]: 'TX_EXPIRED',
  [c.CAN_BCM_RX_STATUS]: 'RX_STATUS',
  [c.CAN_BCM_RX_TIMEOUT]: 'RX_TIMEOUT',
  [c.CAN_BCM_RX_CHANGED]: 'RX_CHANGED',
};

function toEvent({ data, address, ancillary }: ReceivedMessage<CanAddress>): BcmEvent {
  const message = unpackBcmMessage(data);
  const kind = message === undefined ? undefined : KINDS[message.opcode];
  const [frame] = message?.frames ?? [];
  if (message === undefined || kind === undefined || (kind === 'RX_CHANGED' && frame === undefined)) {
    throw socketError('recvmsg', 'EBADMSG', `${data.length} bytes that are no message of CAN_BCM known here`);
  }
  const { id, extended, remote, flags } = message;
  const fd = (flags & c.CAN_BCM_CAN_FD_FRAME) !== 0;
  const base = { id, extended, remote, fd, ...describeReception(address, ancillary) };
  if (kind === 'RX_CHANGED') return { kind, ...base, frame: frame as CanFrame };
  if (kind === 'TX_STATUS' || kind === 'RX_STATUS') return { kind, ...base, message };
  return { kind, ...base };
}

const bit = (argument: string, value: unknown, flag: number): number =>
  value !== undefined && checkBoolean(argument, value) ? flag : 0;

const interval = (argument: string, value: unknown): number | undefined =>
  value === undefined ? undefined : checkInterval(argument, value);

function keyOf({ id, extended, remote, fd }: BcmJobKey) {
  return { id, extended, remote, flags: bit('job.fd', fd, c.CAN_BCM_CAN_FD_FRAME) };
}

function txTimer({ count, start = true, ...job }: BcmTxJob) {
  const first = interval('job.interval', job.interval);
  const next = interval('job.nextInterval', job.nextInterval);
  const starts = checkBoolean('job.start', start);
  if (first === undefined) {
    if (count !== undefined) throw outOfRange('job.count', 'left out, where interval is', count);
    if (next !== undefined) throw outOfRange('job.nextInterval', 'left out, where interval is', next);
    return { flags: 0 };
  }
  if (next !== undefined && count === undefined) throw outOfRange('job.nextInterval', 'left out, where count is', next);
  const counted = count !== undefined && checkInteger('job.count', count, 0, 0xffffffff) > 0;
  const flags = c.CAN_BCM_SETTIMER | (starts && first !== 0 ? c.CAN_BCM_STARTTIMER : 0);
  return counted
    ? { flags, count, interval1: first, interval2: next ?? 0 }
    : { flags, interval2: count === undefined ? first : (next ?? 0) };
}

function txMessage(job: BcmTxJob): BcmMessageInput {
  const { frames, extended, remote, countEvent, announce, copyId, restart } = checkObject('job', job);
  const list: readonly BcmFrameInput[] = Array.isArray(frames) ? frames : [frames];
  if (list.length === 0 || list.length > BCM_FRAMES_MAX) {
    throw outOfRange('job.frames', `1 to ${BCM_FRAMES_MAX} frames`, list.length);
  }
  const first = checkObject('job.frames', list[0] as BcmFrameInput);
  const { flags, ...timer } = txTimer(job);
  return {
    opcode: c.CAN_BCM_TX_SETUP,
    flags:
      flags |
      bit('job.fd', job.fd ?? first.kind === 'fd', c.CAN_BCM_CAN_FD_FRAME) |
      bit('job.countEvent', countEvent, c.CAN_BCM_TX_COUNTEVT) |
      bit('job.announce', announce, c.CAN_BCM_TX_ANNOUNCE) |
      bit('job.copyId', copyId, c.CAN_BCM_TX_CP_CAN_ID) |
      bit('job.restart', restart, c.CAN_BCM_TX_RESET_MULTI_IDX),
    ...timer,
    id: job.id ?? first.id,
    extended: job.id === undefined ? (extended ?? first.extended) : extended,
    remote,
    frames: list,
  };
}

/** Bytes of a mask, filled up with 0 to those of a frame. */
function maskFrame(argument: string, mask: unknown, id: number, fd: boolean): BcmFrameInput {
  const bytes = toBytes(argument, mask);
  const size = fd ? c.CANFD_MAX_DLEN : c.CAN_MAX_DLEN;
  if (bytes.length > size) throw outOfRange(argument, `at most ${size} bytes`, bytes.length);
  const data = Buffer.alloc(size);
  data.set(bytes);
  return fd ? { kind: 'fd', id, data } : { id, data };
}

function rxFrames({ id, fd = false, mask, multiplex, reply }: BcmRxJob): BcmFrameInput[] {
  const given = [mask, multiplex, reply].filter((value) => value !== undefined);
  if (given.length > 1) throw outOfRange('job', 'one with mask, with multiplex or with reply', given.length);
  if (reply !== undefined) return [checkObject('job.reply', reply)];
  if (mask !== undefined) return [maskFrame('job.mask', mask, id, fd)];
  if (multiplex === undefined) return [];
  const { mask: selector, contents } = checkObject('job.multiplex', multiplex);
  if (!Array.isArray(contents)) throw invalidArgumentType('job.multiplex.contents', 'an array of bytes', contents);
  if (contents.length === 0 || contents.length > BCM_FRAMES_MAX) {
    throw outOfRange('job.multiplex.contents', `1 to ${BCM_FRAMES_MAX} contents`, contents.length);
  }
  return [
    maskFrame('job.multiplex.mask', selector, id, fd),
    ...contents.map((content, i) => maskFrame(`job.multiplex.contents[${i}]`, content, id, fd)),
  ];
}

function rxMessage(job: BcmRxJob): BcmMessageInput {
  const { id, extended, reply, timeout, throttle, start = true, autoTimer = true } = checkObject('job', job);
  const frames = rxFrames(job);
  const timed = timeout !== undefined || throttle !== undefined;
  const starts = checkBoolean('job.start', start) && timed;
  const keeps = checkBoolean('job.autoTimer', autoTimer);
  return {
    opcode: c.CAN_BCM_RX_SETUP,
    flags:
      bit('job.fd', job.fd, c.CAN_BCM_CAN_FD_FRAME) |
      (frames.length === 0 ? c.CAN_BCM_RX_FILTER_ID : 0) |
      (timed ? c.CAN_BCM_SETTIMER : 0) |
      (starts ? c.CAN_BCM_STARTTIMER : 0) |
      (keeps ? 0 : c.CAN_BCM_RX_NO_AUTOTIMER) |
      bit('job.checkLength', job.checkLength, c.CAN_BCM_RX_CHECK_DLC) |
      bit('job.announceResume', job.announceResume, c.CAN_BCM_RX_ANNOUNCE_RESUME) |
      (reply === undefined ? 0 : c.CAN_BCM_RX_RTR_FRAME),
    interval1: interval('job.timeout', timeout),
    interval2: interval('job.throttle', throttle),
    id,
    extended,
    remote: reply !== undefined || job.remote,
    frames,
  };
}

/** Why a wait was interrupted: an event is there that another call read. */
const WOKEN = new Error('an event is there');

/**
 * A CAN_BCM socket: jobs that the kernel does by itself, sending frames in a cycle and watching for
 * changed ones. `connect` it to an interface, or to all of them, where each job that sends names its
 * own. The jobs end with the socket.
 *
 * Giving orders never waits, so that the methods that do have one form only. What happens is told by
 * events: `recvEvent`, `events`. Source: kernel, networking/can.
 */
export class BcmSocket extends Socket<CanAddress, CanInput> {
  // events that `txRead` and `rxRead` found before their answer
  private kept: ReceivedMessage<CanAddress>[] | undefined;
  // calls of `recvEvent` that wait, the first one first: with what ends their wait
  private waits: { interrupt: AbortController }[] | undefined;

  /** @throws SocketError `EAFNOSUPPORT`, `EPROTONOSUPPORT` naming the module to load */
  constructor(options?: SocketOptions) {
    super(bcm, undefined, undefined, options);
    setUp(this, ...receptionSettings(true));
  }

  /**
   * Gives any order to the broadcast manager.
   * @param name the interface, for a socket that is connected to all of them
   * @throws SocketError `EINVAL` for what it does not take, `ENOTCONN`, `ENODEV`
   */
  command(message: BcmMessageInput, name?: InterfaceInput): void {
    this.give(packBcmMessage(message), 'name', name);
  }

  private give(bytes: Buffer, argument: string, name: InterfaceInput | undefined): void {
    const address = name === undefined ? undefined : { interface: name };
    knownAs(argument, 'address.interface', () => this.sendMsgSync([bytes], { address, timeout: 0 }));
  }

  private order(message: BcmMessageInput, job: { readonly interface?: InterfaceInput | undefined }): void {
    const bytes = knownAs('job', 'message', () => packBcmMessage(message));
    this.give(bytes, 'job.interface', job.interface);
  }

  /**
   * Makes a job that sends, or changes it: its frames, and its timer where `interval` is given.
   * @throws TypeError, RangeError naming the member of `job`; SocketError `ENODEV` where neither the
   * socket nor the job has an interface, `EINVAL` where a job that is there shall have more frames
   */
  txSetup(job: BcmTxJob): void {
    this.order(txMessage(job), job);
  }

  /** Ends a job that sends. @throws SocketError `EINVAL` where there is none */
  txDelete(job: BcmJobKey): void {
    this.order({ opcode: c.CAN_BCM_TX_DELETE, ...keyOf(checkObject('job', job)) }, job);
  }

  /** Sends one frame now. */
  txSend(frame: BcmFrameInput, options: { interface?: InterfaceInput | undefined } = {}): void {
    const { id, extended, kind } = checkObject('frame', frame);
    const flags = kind === 'fd' ? c.CAN_BCM_CAN_FD_FRAME : 0;
    const pack = () => packBcmMessage({ opcode: c.CAN_BCM_TX_SEND, flags, id, extended, frames: [frame] });
    const bytes = knownAs('frame', 'message', () => knownAs('message', 'message.frames[0]', pack));
    this.give(bytes, 'options.interface', checkObject('options', options).interface);
  }

  /** What a job that sends is like now. @throws SocketError `EINVAL` where there is none */
  txRead(job: BcmJobKey): BcmMessage {
    return this.read(c.CAN_BCM_TX_READ, c.CAN_BCM_TX_STATUS, checkObject('job', job));
  }

  /**
   * Makes a job that receives, or changes it.
   * @throws TypeError, RangeError naming the member of `job`; SocketError `EINVAL`
   */
  rxSetup(job: BcmRxJob): void {
    this.order(rxMessage(job), job);
  }

  /** Ends a job that receives. @throws SocketError `EINVAL` where there is none */
  rxDelete(job: BcmJobKey): void {
    this.order({ opcode: c.CAN_BCM_RX_DELETE, ...keyOf(checkObject('job', job)) }, job);
  }

  /** What a job that receives is like now. @throws SocketError `EINVAL` where there is none */
  rxRead(job: BcmJobKey): BcmMessage {
    return this.read(c.CAN_BCM_RX_READ, c.CAN_BCM_RX_STATUS, checkObject('job', job));
  }

  // the answer is in the socket's queue when the order was given, behind events that came before
  private read(opcode: number, answer: number, job: BcmJobKey): BcmMessage {
    const key = keyOf(job);
    // makes room for the answer
    this.drain();
    this.order({ opcode, ...key }, job);
    const status = this.drain((message) => message.opcode === answer && message.id === job.id);
    this.wake();
    if (status !== undefined) return status;
    throw socketError('recvmsg', 'ENOBUFS', 'there was no room for the answer (SO_RCVBUF)');
  }

  // an event that is kept is not for the first one's `recvMsg`: it has to look here
  private wake(): void {
    if (this.kept !== undefined && this.kept.length > 0) this.waits?.[0]?.interrupt.abort(WOKEN);
  }

  private drain(isAnswer: (message: BcmMessage) => boolean = () => false): BcmMessage | undefined {
    for (;;) {
      const message = this.tryRecvMsg(BCM_MESSAGE_MAX, RECEPTION_ANCILLARY);
      if (message === null) return undefined;
      const decoded = unpackBcmMessage(message.data);
      if (decoded !== undefined && isAnswer(decoded)) return decoded;
      this.kept ??= [];
      this.kept.push(message);
    }
  }

  /**
   * Receives what the broadcast manager tells of.
   * @throws SocketError `ENETDOWN` where the interface went down (its jobs go on when it is up again),
   * `ENODEV` where it was removed
   */
  async recvEvent(options: TransferOptions = {}): Promise<BcmEvent> {
    const deadline = new Deadline(checkObject('options', options), this.timeout);
    const { signal } = deadline;
    const wait = { interrupt: new AbortController() };
    const abort = () => wait.interrupt.abort(signal?.reason);
    signal?.addEventListener('abort', abort);
    this.waits ??= [];
    this.waits.push(wait);
    try {
      for (;;) {
        const message = this.waits[0] === wait ? this.kept?.shift() : undefined;
        if (message !== undefined) return toEvent(message);
        wait.interrupt = new AbortController();
        if (signal?.aborted) abort();
        const rest = { ...options, signal: wait.interrupt.signal, timeout: deadline.left('recvmsg') };
        try {
          return toEvent(await this.recvMsg(BCM_MESSAGE_MAX, RECEPTION_ANCILLARY, rest));
        } catch (error) {
          if (error !== WOKEN) throw error;
        }
      }
    } finally {
      this.waits.splice(this.waits.indexOf(wait), 1);
      signal?.removeEventListener('abort', abort);
      this.wake();
    }
  }

  /** As `recvEvent`, blocking the thread. */
  recvEventSync(options?: TransferOptions): BcmEvent {
    return toEvent(this.kept?.shift() ?? this.recvMsgSync(BCM_MESSAGE_MAX, RECEPTION_ANCILLARY, options));
  }

  /** As `recvEvent`, without waiting: `null` where there is none. */
  tryRecvEvent(options?: FlagOptions): BcmEvent | null {
    const message = this.kept?.shift() ?? this.tryRecvMsg(BCM_MESSAGE_MAX, RECEPTION_ANCILLARY, options);
    return message === null ? null : toEvent(message);
  }

  /** Events as they come, until the socket is closed. */
  events(options?: TransferOptions): AsyncIterableIterator<BcmEvent> {
    return untilClosed(this, () => this.recvEvent(options));
  }
}
