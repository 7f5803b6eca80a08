import {
  checkInteger,
  checkObject,
  invalidArgumentType,
  Socket,
  setUp,
  socketError,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { type HciAddress, type HciInput, hci } from './address.js';
import { HCI_DEV_NONE, MGMT_EV_CMD_COMPLETE, MGMT_EV_CMD_STATUS } from './constants.gen.js';
import { Exchange, type Reader, type Reception } from './exchange.js';
import type { MgmtCommand } from './mgmt-command.js';
import { MgmtError } from './mgmt-error.js';
import { type MgmtEvent, packMgmtCommand, unpackMgmtEvent } from './mgmt-packet.js';
import { readU16LE } from './structures.js';

/** Options of `command`. */
export interface MgmtCommandOptions extends WaitOptions {
  /** Number of the controller; −1, none in particular, unless told. */
  device?: number | undefined;
}

function malformed(data: Buffer): never {
  const bytes = data.subarray(0, 16).toString('hex');
  throw socketError('recvmsg', 'EBADMSG', `${data.length} bytes are no message of the management interface: ${bytes}`);
}

const toEvent = ({ data }: Reception): MgmtEvent => unpackMgmtEvent(data) ?? malformed(data);

const isAnswer = (code: number): boolean => code === MGMT_EV_CMD_COMPLETE || code === MGMT_EV_CMD_STATUS;

/** Knows the answer to a command. */
function answerTo<O>(command: MgmtCommand<never, O>, device: number): Reader<{ value: O }> {
  return ({ data }) => {
    const event = unpackMgmtEvent(data);
    if (event === undefined || (event.details === null && isAnswer(event.code))) {
      // an answer that cannot be read is an answer all the same
      return data.length >= 2 && isAnswer(readU16LE(data, 0)) ? malformed(data) : undefined;
    }
    const { details } = event;
    if (details?.event !== 'CMD_COMPLETE' && details?.event !== 'CMD_STATUS') return undefined;
    if (details.opcode !== command.opcode || event.device !== device) return undefined;
    if (details.status !== 0) throw new MgmtError(command.label, command.opcode, details.status);
    const value = command.decode(details.event === 'CMD_COMPLETE' ? details.parameters : Buffer.alloc(0));
    return value === undefined ? malformed(data) : { value };
  };
}

/**
 * The management interface: an HCI socket of the channel control, bound from the start. Commands on controllers, and
 * events of what happens to them. What needs no CAP_NET_ADMIN is to read: `mgmtReadVersion`, `mgmtReadIndexList`,
 * `mgmtReadInfo`.
 *
 * `command` may be called while others are pending. Raw receiving (`recv` and its kin) takes events away from
 * `recvEvent` and `command`: do one or the other. Source: mgmt-api.txt of BlueZ.
 */
export class MgmtSocket extends Socket<HciAddress, HciInput> {
  // made when first needed: sockets that are adopted do not run this class's constructor
  private exchanged?: Exchange;

  /** @throws SocketError `EAFNOSUPPORT`, `EINVAL` where the kernel has no such interface */
  constructor() {
    super(hci);
    setUp(this, () => this.bindSync({ channel: 'control' }));
  }

  private get exchange(): Exchange {
    this.exchanged ??= new Exchange(this, 0);
    return this.exchanged;
  }

  /**
   * Sends a command and waits for its answer. After a timeout or cancellation it may have had its effect. There is no
   * form that never waits: the answer would be lost.
   * @param value what the command takes, nothing for those that read
   * @throws MgmtError where the kernel refuses it; SocketTimeoutError; SocketError `EBADMSG` where the answer is
   * malformed; TypeError, RangeError naming the member of `value`
   */
  async command<Input, Output>(
    command: MgmtCommand<Input, Output>,
    ...[value, options = {}]: Arguments<Input>
  ): Promise<Output> {
    const { bytes, read, rest } = this.prepare(command, value as Input, options);
    return (await this.exchange.ask(() => this.send(bytes, rest), read, rest)).value;
  }

  /** As `command`, blocking the thread. */
  commandSync<Input, Output>(command: MgmtCommand<Input, Output>, ...[value, options = {}]: Arguments<Input>): Output {
    const { bytes, read, rest } = this.prepare(command, value as Input, options);
    return this.exchange.askSync(() => this.sendSync(bytes, rest), read, rest).value;
  }

  private prepare<Input, Output>(command: MgmtCommand<Input, Output>, value: Input, options: MgmtCommandOptions) {
    const { device = -1, ...rest } = checkObject('options', options);
    if (typeof checkObject('command', command).encode !== 'function') {
      throw invalidArgumentType('command', 'a command of the management interface', command);
    }
    checkInteger('options.device', device, -1, HCI_DEV_NONE - 1);
    this.exchange.check(rest);
    const bytes = packMgmtCommand({ opcode: command.opcode, device, parameters: command.encode(value) });
    return { bytes, read: answerTo(command as MgmtCommand<never, Output>, device), rest };
  }

  /**
   * Receives an event. What this socket's own commands do is told by their answers alone.
   * @throws SocketError `EBADMSG` for what is no event, `ENOBUFS` where events were lost because nobody received them
   * while commands were waited for
   */
  recvEvent(options: WaitOptions = {}): Promise<MgmtEvent> {
    return this.exchange.next(toEvent, options);
  }

  /** As `recvEvent`, blocking the thread. */
  recvEventSync(options: WaitOptions = {}): MgmtEvent {
    return this.exchange.nextSync(toEvent, options);
  }

  /** As `recvEvent`, without waiting: `null` where there is none. */
  tryRecvEvent(): MgmtEvent | null {
    return this.exchange.tryNext(toEvent);
  }

  /** Events as they come, until the socket is closed. */
  events(options: WaitOptions = {}): AsyncIterableIterator<MgmtEvent> {
    return untilClosed(this, () => this.recvEvent(options));
  }
}

/** Of a command that takes nothing the value may be left out. */
type Arguments<Input> = undefined extends Input
  ? [value?: undefined, options?: MgmtCommandOptions]
  : [value: Input, options?: MgmtCommandOptions];
