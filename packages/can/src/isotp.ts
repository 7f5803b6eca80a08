import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  type Data,
  MSG_TRUNC,
  type ReceivedMessage,
  Socket,
  type SocketOptions,
  setting,
  setUp,
  socketError,
  soError,
  type TransferOptions,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { type IsotpAddress, type IsotpInput, isotp } from './address.js';
import * as c from './constants.gen.js';
import { explain } from './explain.js';
import {
  canIsotpLlOpts,
  canIsotpOpts,
  canIsotpRecvFc,
  canIsotpRxStmin,
  canIsotpTxStmin,
  type IsotpFlowControl,
  type IsotpLinkLayer,
} from './options.js';
import { describeReception, RECEPTION_ANCILLARY, type Reception, receptionSettings } from './reception.js';

/** How an `IsotpSocket` is to be. What is left out is as the kernel has it. */
export interface IsotpSocketOptions extends SocketOptions {
  /** Extended addressing: the byte before the data, of what is sent and, unless `rxExtAddress` is given, received. */
  extAddress?: number | undefined;
  /** The byte before the data of what is received. */
  rxExtAddress?: number | undefined;
  /** Byte that fills the frames sent to their full length: no filling unless told. */
  txPadding?: number | undefined;
  /** Byte that fills the frames received. */
  rxPadding?: number | undefined;
  /** Take frames only with the right length, or the right filling, or both. */
  checkPadding?: 'length' | 'content' | 'both' | undefined;
  /** Listen to what others exchange: send no flow control. */
  listen?: boolean | undefined;
  /**
   * To many receivers, without flow control: `'single'` is functional addressing of messages that fit
   * into one frame, `'consecutive'` also sends longer ones (Linux 5.19; not in the standard).
   */
  broadcast?: 'single' | 'consecutive' | undefined;
  /** Sending and receiving exclude each other. */
  halfDuplex?: boolean | undefined;
  /**
   * `send` ends when the last frame was sent, and reports what went wrong. It blocks the thread
   * meanwhile, in the promise form too: `transmit` does not.
   */
  waitTxDone?: boolean | undefined;
  /** Take over block size and gap from every flow control frame. Linux 6.9. */
  dynamicFlowControl?: boolean | undefined;
  /** Time that a frame takes at most, in milliseconds: 0.05 unless told. */
  frameTxTime?: number | undefined;
  /** Gap between frames sent, in milliseconds, whatever the receiver asks for. */
  txStMin?: number | undefined;
  /** Ignore frames that come after a shorter gap than this, in milliseconds. */
  rxStMin?: number | undefined;
  /** What the receiver asks of the sender. */
  flowControl?: Partial<IsotpFlowControl> | undefined;
  /** The frames that carry it all: of CAN 2.0 unless told. */
  linkLayer?: Partial<IsotpLinkLayer> | undefined;
  /** Messages come with the times at which they were received: true unless told. */
  timestamps?: boolean | undefined;
}

/** A message, and what the kernel says of it. */
export interface ReceivedPdu extends Reception {
  data: Buffer;
  /** Whether the message was longer than there was room for: its end is lost. */
  truncated: boolean;
}

/** Options of what receives messages. */
export interface RecvPduOptions extends TransferOptions {
  /** Bytes to make room for: 65,536 unless told. */
  size?: number | undefined;
}

const PDU_SIZE = 65_536;

const CHECKS = {
  length: c.CAN_ISOTP_CHK_PAD_LEN,
  content: c.CAN_ISOTP_CHK_PAD_DATA,
  both: c.CAN_ISOTP_CHK_PAD_LEN | c.CAN_ISOTP_CHK_PAD_DATA,
} as const;

const BROADCASTS = { single: c.CAN_ISOTP_SF_BROADCAST, consecutive: c.CAN_ISOTP_CF_BROADCAST } as const;

const given = (value: unknown, flag: number): number => (value === undefined ? 0 : flag);

function bit(argument: string, value: unknown, flag: number): number {
  return value !== undefined && checkBoolean(argument, value) ? flag : 0;
}

function choice<K extends string>(argument: string, value: K | undefined, flags: Readonly<Record<K, number>>): number {
  return value === undefined ? 0 : flags[checkOneOf(argument, value, Object.keys(flags) as K[])];
}

function byte(argument: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : checkInteger(argument, value, 0, 0xff);
}

function flagsOf(options: IsotpSocketOptions): number {
  return (
    bit('options.listen', options.listen, c.CAN_ISOTP_LISTEN_MODE) |
    given(options.extAddress, c.CAN_ISOTP_EXTEND_ADDR) |
    given(options.rxExtAddress, c.CAN_ISOTP_RX_EXT_ADDR) |
    given(options.txPadding, c.CAN_ISOTP_TX_PADDING) |
    given(options.rxPadding, c.CAN_ISOTP_RX_PADDING) |
    choice('options.checkPadding', options.checkPadding, CHECKS) |
    choice('options.broadcast', options.broadcast, BROADCASTS) |
    bit('options.halfDuplex', options.halfDuplex, c.CAN_ISOTP_HALF_DUPLEX) |
    bit('options.waitTxDone', options.waitTxDone, c.CAN_ISOTP_WAIT_TX_DONE) |
    bit('options.dynamicFlowControl', options.dynamicFlowControl, c.CAN_ISOTP_DYN_FC_PARMS) |
    given(options.txStMin, c.CAN_ISOTP_FORCE_TXSTMIN) |
    given(options.rxStMin, c.CAN_ISOTP_FORCE_RXSTMIN)
  );
}

// undefined is left out: options take their defaults then
function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function toPdu({ data, flags, address, ancillary }: ReceivedMessage<IsotpAddress>): ReceivedPdu {
  return { data, truncated: (flags & MSG_TRUNC) !== 0, ...describeReception(address, ancillary) };
}

/**
 * A CAN_ISOTP socket: messages longer than a frame, to and from one peer. `bind` it to an interface
 * and the two identifiers, then `send` and `recv`.
 *
 * `send` ends when the kernel has taken the message over, and `recv` when one is complete; what goes
 * wrong on the way is told by the next operation (`ECOMM`, `ETIMEDOUT`, `EILSEQ`, `EMSGSIZE`). With
 * `transmit` it is told by the one that it happened to. Source: kernel, networking/iso15765-2.
 */
export class IsotpSocket extends Socket<IsotpAddress, IsotpInput> {
  /**
   * @throws TypeError, RangeError naming the option; SocketError `EAFNOSUPPORT`, `EPROTONOSUPPORT`
   * naming the module to load, `EINVAL` for options that exclude each other
   */
  constructor(options: IsotpSocketOptions = {}) {
    const flags = flagsOf(checkObject('options', options));
    const { frameTxTime, txStMin, rxStMin, flowControl, linkLayer, timestamps = true, namespace } = options;
    const general = defined({
      frameTxTime,
      extAddress: byte('options.extAddress', options.extAddress),
      txPadContent: byte('options.txPadding', options.txPadding),
      rxPadContent: byte('options.rxPadding', options.rxPadding),
      rxExtAddress: byte('options.rxExtAddress', options.rxExtAddress),
    });
    const anyGeneral = flags !== 0 || Object.keys(general).length > 0;
    const settings = [
      setting('options', canIsotpOpts, anyGeneral ? { flags, ...general } : undefined),
      setting('options.flowControl', canIsotpRecvFc, flowControl),
      setting('options.linkLayer', canIsotpLlOpts, linkLayer),
      setting('options.txStMin', canIsotpTxStmin, txStMin),
      setting('options.rxStMin', canIsotpRxStmin, rxStMin),
      ...receptionSettings(timestamps),
    ];
    super(isotp, undefined, undefined, { namespace });
    setUp(this, ...settings);
  }

  /**
   * Sends a message and waits until all its frames were sent.
   * @throws SocketError `ECOMM` where the receiver sent no flow control or a frame was not sent,
   * `EMSGSIZE` where it has no room for the message
   */
  async transmit(data: Data, options: WaitOptions = {}): Promise<void> {
    await this.send(data, options);
    await this.waitWritable(options);
    this.checkTransmission();
  }

  /** As `transmit`, blocking the thread. */
  transmitSync(data: Data, options: WaitOptions = {}): void {
    this.sendSync(data, options);
    this.waitWritableSync(options);
    this.checkTransmission();
  }

  private checkTransmission(): void {
    const code = this.getOption(soError);
    if (code === null) return;
    throw socketError('send', code, explain({ syscall: 'send', code, type: this.type, protocol: this.protocol }));
  }

  /** Receives a message with its times and the count of lost messages, in one system call. */
  async recvPdu({ size = PDU_SIZE, ...options }: RecvPduOptions = {}): Promise<ReceivedPdu> {
    return toPdu(await this.recvMsg(size, RECEPTION_ANCILLARY, options));
  }

  /** As `recvPdu`, blocking the thread. */
  recvPduSync({ size = PDU_SIZE, ...options }: RecvPduOptions = {}): ReceivedPdu {
    return toPdu(this.recvMsgSync(size, RECEPTION_ANCILLARY, options));
  }

  /** As `recvPdu`, without waiting: `null` where there is none. */
  tryRecvPdu({ size = PDU_SIZE, ...options }: Pick<RecvPduOptions, 'size' | 'flags'> = {}): ReceivedPdu | null {
    const message = this.tryRecvMsg(size, RECEPTION_ANCILLARY, options);
    return message === null ? null : toPdu(message);
  }

  /** Messages as they come, until the socket is closed. */
  pdus(options?: RecvPduOptions): AsyncIterableIterator<ReceivedPdu> {
    return untilClosed(this, () => this.recvPdu(options));
  }
}
