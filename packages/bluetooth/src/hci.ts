import {
  checkInteger,
  checkObject,
  type FlagOptions,
  invalidArgumentType,
  Socket,
  setting,
  setUp,
  socketError,
  soTimestampNs,
  type TransferOptions,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { type HciAddress, type HciInput, hci } from './address.js';
import { scmHciDir, scmHciTstamp } from './ancillary.js';
import { EVT_CMD_COMPLETE, EVT_CMD_STATUS, HCI_EVENT_PKT } from './constants.gen.js';
import { Exchange, type Reader, type Reception } from './exchange.js';
import { HciError } from './hci-error.js';
import type { HciFilter } from './hci-filter.js';
import {
  type HciEvent,
  type HciPacket,
  type HciPacketInput,
  packHciCommand,
  packHciPacket,
  unpackHciPacket,
} from './hci-packet.js';
import { hciDataDir, hciFilter, hciTimeStamp } from './options.js';

/** A packet, and what the kernel says of it. */
export interface ReceivedHciPacket {
  packet: HciPacket;
  /** Whether the controller sent it, rather than this machine; always true on the channel user. */
  incoming: boolean;
  /** When it was seen, in nanoseconds since 1970; `null` without timestamps. */
  timestamp: bigint | null;
}

/** How an `HciSocket` is to be. */
export interface HciSocketOptions {
  /** Which packets to receive on the channel raw: all unless told. */
  filter?: Partial<HciFilter> | undefined;
  /** Packets come with their times: true unless told. */
  timestamps?: boolean | undefined;
}

/** Options of `sendCommand`. */
export interface SendCommandOptions extends WaitOptions {
  /**
   * The command is done when an event comes for which this is true, after the controller has taken it on: for
   * commands that only begin something.
   */
  until?: ((event: HciEvent) => boolean) | undefined;
}

/** What a controller answers to a command. */
export interface HciReply {
  /** What the command gives back, behind the status. */
  parameters: Buffer;
  /** The event that was asked for with `until`. */
  event: HciEvent | undefined;
}

const ANCILLARY = scmHciDir.space + scmHciTstamp.space + soTimestampNs.message.space;
const NOTHING = Buffer.alloc(0);

/** Milliseconds that a command may take where neither the call nor the socket has a limit: controllers fall silent. */
const COMMAND_TIMEOUT = 10_000;

function toPacket({ data, ancillary }: Reception): ReceivedHciPacket {
  const packet = unpackHciPacket(data);
  if (packet === undefined) {
    const bytes = data.subarray(0, 16).toString('hex');
    throw socketError('recvmsg', 'EBADMSG', `${data.length} bytes are no packet known here: ${bytes}`);
  }
  const timestamp = scmHciTstamp.find(ancillary) ?? soTimestampNs.message.find(ancillary) ?? null;
  return { packet, incoming: scmHciDir.find(ancillary) ?? true, timestamp };
}

// an answer that cannot be read is an answer all the same
function malformedAnswer(data: Buffer): boolean {
  return data[0] === HCI_EVENT_PKT && (data[1] === EVT_CMD_COMPLETE || data[1] === EVT_CMD_STATUS);
}

/** Knows the answer to a command. */
function answerTo(opcode: number, until: SendCommandOptions['until']): Reader<HciReply> {
  let begun: Buffer | undefined;
  return ({ data }) => {
    const packet = unpackHciPacket(data);
    const details = packet?.type === 'event' ? packet.details : null;
    if (details === null && malformedAnswer(data)) {
      throw socketError('recvmsg', 'EBADMSG', `the controller answers with what is no event: ${data.toString('hex')}`);
    }
    if (packet?.type !== 'event') return undefined;
    if (details?.event === 'COMMAND_COMPLETE' || details?.event === 'COMMAND_STATUS') {
      if (details.opcode !== opcode) return undefined;
      if (details.status !== 0 && details.status !== null) throw new HciError(opcode, details.status);
      begun = details.event === 'COMMAND_COMPLETE' ? details.parameters : NOTHING;
      return until === undefined ? { parameters: begun, event: undefined } : undefined;
    }
    return begun !== undefined && until?.(packet) === true ? { parameters: begun, event: packet } : undefined;
  };
}

/**
 * An HCI socket of the channels raw and user: packets rather than bytes. `bind` it to a controller:
 * `bind({ device: 0 })` for packets beside those of the kernel, `bind({ device: 0, channel: 'user' })` for a
 * controller, which must be down, of its own. `MgmtSocket` and `HciMonitorSocket` are for other channels.
 *
 * `EPIPE` from what receives means that the controller was removed. Raw receiving (`recv` and its kin) takes packets
 * away from `recvPacket` and `sendCommand`: do one or the other. Source: kernel, net/bluetooth/hci_sock.c.
 */
export class HciSocket extends Socket<HciAddress, HciInput> {
  // made when first needed: sockets that are adopted do not run this class's constructor
  private exchanged?: Exchange;

  /** @throws TypeError, RangeError naming the option; SocketError `EAFNOSUPPORT`, `EPERM` (CAP_NET_RAW) */
  constructor(options: HciSocketOptions = {}) {
    const { filter = {}, timestamps = true } = checkObject('options', options);
    const settings = [
      setting('options.filter', hciFilter, filter),
      setting('options', hciDataDir, true),
      setting('options.timestamps', hciTimeStamp, timestamps),
      setting('options.timestamps', soTimestampNs, timestamps),
    ];
    super(hci);
    setUp(this, ...settings);
  }

  private get exchange(): Exchange {
    this.exchanged ??= new Exchange(this, ANCILLARY);
    return this.exchanged;
  }

  /**
   * Sends a packet.
   * @throws TypeError, RangeError naming the member of `packet`; SocketError `ENETDOWN` where the controller is down,
   * `EBADFD` where the socket is not bound, `EPIPE` or `ENXIO` where the controller was removed
   */
  async sendPacket(packet: HciPacketInput, options?: TransferOptions): Promise<void> {
    await this.send(packHciPacket(packet), options);
  }

  /** As `sendPacket`, blocking the thread. */
  sendPacketSync(packet: HciPacketInput, options?: TransferOptions): void {
    this.sendSync(packHciPacket(packet), options);
  }

  /** As `sendPacket`, without waiting: `null` where it would have to. */
  trySendPacket(packet: HciPacketInput, options?: FlagOptions): true | null {
    return this.trySend(packHciPacket(packet), options) === null ? null : true;
  }

  /**
   * Receives a packet.
   * @throws SocketError `EPIPE` where the controller was removed, `EBADMSG` for what is no packet, `ENOBUFS` where
   * packets were lost because nobody received them while `sendCommand` waited
   */
  recvPacket(options: WaitOptions = {}): Promise<ReceivedHciPacket> {
    return this.exchange.next(toPacket, options);
  }

  /** As `recvPacket`, blocking the thread. */
  recvPacketSync(options: WaitOptions = {}): ReceivedHciPacket {
    return this.exchange.nextSync(toPacket, options);
  }

  /** As `recvPacket`, without waiting: `null` where there is none. */
  tryRecvPacket(): ReceivedHciPacket | null {
    return this.exchange.tryNext(toPacket);
  }

  /** Packets as they come, until the socket is closed. */
  packets(options: WaitOptions = {}): AsyncIterableIterator<ReceivedHciPacket> {
    return untilClosed(this, () => this.recvPacket(options));
  }

  /**
   * Sends a command and waits for its completion, for 10 seconds where neither the call nor the socket has a
   * timeout. On the channel raw the answer comes through a socket of its own, whatever the filter of this one; on the
   * channel user other packets stay for `recvPacket`. There is no form that never waits: the answer would be lost.
   * @param opcode `hciOpcode(ogf, ocf)`
   * @throws HciError where the controller refuses it; SocketTimeoutError; SocketError `EBADMSG` where the answer is
   * malformed, and those of `sendPacket`
   */
  async sendCommand(opcode: number, parameters?: Uint8Array, options: SendCommandOptions = {}): Promise<HciReply> {
    const { bytes, rest, read } = this.prepare(opcode, parameters, options);
    using own = this.commandSocket(opcode);
    const socket = own ?? this;
    return await socket.exchange.ask(() => socket.send(bytes, rest), read, rest);
  }

  /** As `sendCommand`, blocking the thread. */
  sendCommandSync(opcode: number, parameters?: Uint8Array, options: SendCommandOptions = {}): HciReply {
    const { bytes, rest, read } = this.prepare(opcode, parameters, options);
    using own = this.commandSocket(opcode);
    const socket = own ?? this;
    return socket.exchange.askSync(() => socket.sendSync(bytes, rest), read, rest);
  }

  private prepare(opcode: number, parameters: Uint8Array | undefined, options: SendCommandOptions) {
    const { until, timeout = this.timeout ?? COMMAND_TIMEOUT, signal } = checkObject('options', options);
    if (until !== undefined && typeof until !== 'function') {
      throw invalidArgumentType('options.until', 'a function', until);
    }
    const bytes = packHciCommand(checkInteger('opcode', opcode, 0, 0xffff), parameters);
    const rest: WaitOptions = { timeout, signal };
    this.exchange.check(rest);
    return { bytes, rest, read: answerTo(opcode, until) };
  }

  // on the channel raw every socket sees all events: the filter of this one need not be touched
  private commandSocket(opcode: number): HciSocket | undefined {
    const { device, channel } = this.getsockname();
    if (channel !== 'raw') return undefined;
    const own = new HciSocket({ filter: { types: [HCI_EVENT_PKT], opcode }, timestamps: false });
    setUp(own, () => own.bindSync({ device }));
    return own;
  }
}
