import {
  checkInteger,
  checkObject,
  checkString,
  type FlagOptions,
  outOfRange,
  Socket,
  setUp,
  socketError,
  soTimestampNs,
  type TransferOptions,
  untilClosed,
} from '@sock/core';
import { type HciAddress, type HciInput, hci } from './address.js';
import * as c from './constants.gen.js';
import { type HciPacket, unpackHciPacket } from './hci-packet.js';
import { asBuffer, readU16LE, writeU16LE } from './structures.js';

/** A message of the channels monitor, control and logging: six bytes of header. */
export interface HciRecord {
  /** HCI_MON_*. */
  opcode: number;
  /** Number of the controller, −1 for none in particular. */
  device: number;
  data: Buffer;
  /** The packet, where the record is of one; `null` for others, and for what is no packet. */
  packet: HciPacket | null;
}

/** A record, and when it was made. */
export interface ReceivedHciRecord extends HciRecord {
  /** Nanoseconds since 1970. */
  timestamp: bigint | null;
}

/** A message for the monitor. */
export interface HciLog {
  /** Name of the program. */
  ident: string;
  message: string;
  /** As of syslog(3): 3 error, 4 warning, 6 information (unless told), 7 debugging. */
  priority?: number | undefined;
  /** Number of the controller that it concerns; −1, none, unless told. */
  device?: number | undefined;
}

/** Bytes of the header: three 16-bit integers. Source: `struct hci_mon_hdr`, `struct mgmt_hdr`. */
export const HEADER_SIZE = 6;

/** A message of the channels control and logging. */
export function packRecord(opcode: number, device: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + data.length);
  writeU16LE(bytes, opcode, 0);
  writeU16LE(bytes, device === -1 ? c.HCI_DEV_NONE : device, 2);
  writeU16LE(bytes, data.length, 4);
  bytes.set(data, HEADER_SIZE);
  return bytes;
}

/** The parts of a message, `undefined` where it is shorter or longer than it says. */
export function unpackRecord(bytes: Uint8Array): Omit<HciRecord, 'packet'> | undefined {
  if (bytes.length < HEADER_SIZE || bytes.length !== HEADER_SIZE + readU16LE(bytes, 4)) return undefined;
  const device = readU16LE(bytes, 2);
  return {
    opcode: readU16LE(bytes, 0),
    device: device === c.HCI_DEV_NONE ? -1 : device,
    data: asBuffer(bytes).subarray(HEADER_SIZE),
  };
}

const PACKET_TYPES: Readonly<Record<number, number>> = {
  [c.HCI_MON_COMMAND_PKT]: c.HCI_COMMAND_PKT,
  [c.HCI_MON_EVENT_PKT]: c.HCI_EVENT_PKT,
  [c.HCI_MON_ACL_TX_PKT]: c.HCI_ACLDATA_PKT,
  [c.HCI_MON_ACL_RX_PKT]: c.HCI_ACLDATA_PKT,
  [c.HCI_MON_SCO_TX_PKT]: c.HCI_SCODATA_PKT,
  [c.HCI_MON_SCO_RX_PKT]: c.HCI_SCODATA_PKT,
  [c.HCI_MON_ISO_TX_PKT]: c.HCI_ISODATA_PKT,
  [c.HCI_MON_ISO_RX_PKT]: c.HCI_ISODATA_PKT,
};

/** A record of the channel monitor, `undefined` for what is none. Source: kernel, net/bluetooth/hci_mon.h. */
export function unpackHciRecord(bytes: Uint8Array): HciRecord | undefined {
  const record = unpackRecord(bytes);
  if (record === undefined) return undefined;
  const type = PACKET_TYPES[record.opcode];
  const packet = type === undefined ? undefined : unpackHciPacket(Buffer.concat([Uint8Array.of(type), record.data]));
  return { ...record, packet: packet ?? null };
}

/**
 * A message of the channel logging, which every monitor (btmon, `HciMonitorSocket`) shows:
 * `new Socket(hci)`, `bind({ channel: 'logging' })`, `send(packHciLog({ ident, message }))`.
 * @throws TypeError, RangeError naming the member of `log`
 */
export function packHciLog(log: HciLog): Buffer {
  const { ident, message, priority = 6, device = -1 } = checkObject('log', log);
  const name = text('log.ident', ident);
  if (name.length > 0xff) throw outOfRange('log.ident', 'a text of at most 254 bytes', ident);
  const head = Uint8Array.of(checkInteger('log.priority', priority, 0, 7), name.length);
  checkInteger('log.device', device, -1, c.HCI_DEV_NONE - 1);
  return packRecord(0, device, Buffer.concat([head, name, text('log.message', message)]));
}

function text(argument: string, value: string): Buffer {
  if (checkString(argument, value).includes('\0')) throw outOfRange(argument, 'a text without NUL', value);
  return Buffer.from(`${value}\0`);
}

const RECORD_SIZE = 8192;

/**
 * An HCI socket of the channel monitor, bound from the start: everything that all controllers, the kernel and other
 * programs do, as btmon shows it. First come the controllers and programs that are there already.
 */
export class HciMonitorSocket extends Socket<HciAddress, HciInput> {
  /** @throws SocketError `EAFNOSUPPORT`, `EPERM` (CAP_NET_RAW) */
  constructor() {
    super(hci);
    setUp(this, () => {
      this.setOption(soTimestampNs, true);
      this.bindSync({ channel: 'monitor' });
    });
  }

  /** Receives a record. @throws SocketError `EBADMSG` for what is none */
  async recvRecord(options?: TransferOptions): Promise<ReceivedHciRecord> {
    return toRecord(await this.recvMsg(RECORD_SIZE, soTimestampNs.message.space, options));
  }

  /** As `recvRecord`, blocking the thread. */
  recvRecordSync(options?: TransferOptions): ReceivedHciRecord {
    return toRecord(this.recvMsgSync(RECORD_SIZE, soTimestampNs.message.space, options));
  }

  /** As `recvRecord`, without waiting: `null` where there is none. */
  tryRecvRecord(options?: FlagOptions): ReceivedHciRecord | null {
    const message = this.tryRecvMsg(RECORD_SIZE, soTimestampNs.message.space, options);
    return message === null ? null : toRecord(message);
  }

  /** Records as they come, until the socket is closed. */
  records(options?: TransferOptions): AsyncIterableIterator<ReceivedHciRecord> {
    return untilClosed(this, () => this.recvRecord(options));
  }
}

type Message = Pick<Awaited<ReturnType<HciMonitorSocket['recvMsg']>>, 'data' | 'ancillary'>;

function toRecord({ data, ancillary }: Message): ReceivedHciRecord {
  const record = unpackHciRecord(data);
  if (record === undefined) throw socketError('recvmsg', 'EBADMSG', `${data.length} bytes are no record known here`);
  return { ...record, timestamp: soTimestampNs.message.find(ancillary) ?? null };
}
