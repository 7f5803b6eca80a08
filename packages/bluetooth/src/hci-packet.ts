import { checkInteger, checkObject, checkOneOf, outOfRange, toBytes } from '@sock/core';
import {
  HCI_ACLDATA_PKT,
  HCI_COMMAND_PKT,
  HCI_EVENT_PKT,
  HCI_ISODATA_PKT,
  HCI_SCODATA_PKT,
  HCI_VENDOR_PKT,
} from './constants.gen.js';
import { describeHciEvent, type HciEventDetails } from './hci-event.js';
import { asBuffer, readU16LE, writeU16LE } from './structures.js';

// Packets between this machine and a controller, with the type in front (H4).
// Source: Bluetooth Core Specification, 4.E, 5.4; 4.A, 2.

/** A command to a controller. */
export interface HciCommand {
  type: 'command';
  /** Group and number: `hciOpcode(ogf, ocf)`. */
  opcode: number;
  parameters: Buffer;
}

/** An event of a controller. */
export interface HciEvent {
  type: 'event';
  /** EVT_*. */
  code: number;
  parameters: Buffer;
  /** What it says, `null` for an event that is not known here or is too short. */
  details: HciEventDetails | null;
}

/** Data of a link. */
export interface HciAclData {
  type: 'acl';
  /** Handle of the link. */
  handle: number;
  /** ACL_START_NO_FLUSH, ACL_CONT, ACL_START, or 3 for a whole message. */
  boundary: number;
  /** 0 for one receiver. */
  broadcast: number;
  data: Buffer;
}

/** Voice of a link. */
export interface HciScoData {
  type: 'sco';
  handle: number;
  /** 0 correct, 1 perhaps, 2 lost, 3 partly lost. */
  status: number;
  data: Buffer;
}

/** Isochronous data. */
export interface HciIsoData {
  type: 'iso';
  handle: number;
  /** 0 first piece, 1 further piece, 2 whole message, 3 last piece. */
  boundary: number;
  /** Whether a time comes in front of the data. */
  timestamped: boolean;
  data: Buffer;
}

/** What a maker uses for purposes of its own. */
export interface HciVendorData {
  type: 'vendor';
  data: Buffer;
}

/** A packet between this machine and a controller. */
export type HciPacket = HciCommand | HciEvent | HciAclData | HciScoData | HciIsoData | HciVendorData;

/** What is accepted as a packet. */
export type HciPacketInput =
  | { type: 'command'; opcode: number; parameters?: Uint8Array | undefined }
  | { type: 'event'; code: number; parameters?: Uint8Array | undefined }
  | {
      type: 'acl';
      handle: number;
      boundary?: number | undefined;
      broadcast?: number | undefined;
      data: Uint8Array | string;
    }
  | { type: 'sco'; handle: number; status?: number | undefined; data: Uint8Array | string }
  | {
      type: 'iso';
      handle: number;
      boundary?: number | undefined;
      timestamped?: boolean | undefined;
      data: Uint8Array | string;
    }
  | { type: 'vendor'; data: Uint8Array | string };

const OPCODE_MAX = 0xffff;
const HANDLE_MAX = 0xfff;

/** The opcode of a command, of its group (0 to 63) and its number in it (0 to 1023). */
export function hciOpcode(ogf: number, ocf: number): number {
  return (checkInteger('ogf', ogf, 0, 0x3f) << 10) | checkInteger('ocf', ocf, 0, 0x3ff);
}

/** Group and number of a command. */
export function splitHciOpcode(opcode: number): { ogf: number; ocf: number } {
  checkInteger('opcode', opcode, 0, OPCODE_MAX);
  return { ogf: opcode >> 10, ocf: opcode & 0x3ff };
}

function body(argument: string, data: unknown, max: number): Uint8Array {
  const bytes = toBytes(argument, data);
  if (bytes.length > max) throw outOfRange(argument, `at most ${max} bytes`, bytes.length);
  return bytes;
}

// type, handle with four flags, length, data
function packData(type: number, handle: unknown, flags: number, data: Uint8Array, wide: boolean): Buffer {
  const head = wide ? 5 : 4;
  const bytes = Buffer.alloc(head + data.length);
  bytes[0] = type;
  writeU16LE(bytes, checkInteger('packet.handle', handle, 0, HANDLE_MAX) | (flags << 12), 1);
  if (wide) writeU16LE(bytes, data.length, 3);
  else bytes[3] = data.length;
  bytes.set(data, head);
  return bytes;
}

/**
 * A packet that carries a command.
 * @throws TypeError, RangeError naming the argument
 */
export function packHciCommand(opcode: number, parameters: Uint8Array = new Uint8Array()): Buffer {
  const data = body('parameters', parameters, 0xff);
  const bytes = Buffer.alloc(4 + data.length);
  bytes[0] = HCI_COMMAND_PKT;
  writeU16LE(bytes, checkInteger('opcode', opcode, 0, OPCODE_MAX), 1);
  bytes[3] = data.length;
  bytes.set(data, 4);
  return bytes;
}

const twoBits = (argument: string, value: unknown): number => checkInteger(argument, value, 0, 3);
const TYPES = ['command', 'event', 'acl', 'sco', 'iso', 'vendor'] as const;

/**
 * A packet as a socket of the channels raw and user takes it.
 * @throws TypeError, RangeError naming the member of `packet`
 */
export function packHciPacket(packet: HciPacketInput): Buffer {
  checkOneOf('packet.type', checkObject('packet', packet).type, TYPES);
  switch (packet.type) {
    case 'command': {
      const parameters = body('packet.parameters', packet.parameters ?? new Uint8Array(), 0xff);
      return packHciCommand(checkInteger('packet.opcode', packet.opcode, 0, OPCODE_MAX), parameters);
    }
    case 'event': {
      const parameters = body('packet.parameters', packet.parameters ?? new Uint8Array(), 0xff);
      const code = checkInteger('packet.code', packet.code, 0, 0xff);
      return Buffer.concat([Uint8Array.of(HCI_EVENT_PKT, code, parameters.length), parameters]);
    }
    case 'acl': {
      const boundary = twoBits('packet.boundary', packet.boundary ?? 2);
      const flags = boundary | (twoBits('packet.broadcast', packet.broadcast ?? 0) << 2);
      return packData(HCI_ACLDATA_PKT, packet.handle, flags, body('packet.data', packet.data, 0xffff), true);
    }
    case 'sco': {
      const status = twoBits('packet.status', packet.status ?? 0);
      return packData(HCI_SCODATA_PKT, packet.handle, status, body('packet.data', packet.data, 0xff), false);
    }
    case 'iso': {
      const flags = twoBits('packet.boundary', packet.boundary ?? 2) | (packet.timestamped === true ? 4 : 0);
      return packData(HCI_ISODATA_PKT, packet.handle, flags, body('packet.data', packet.data, 0x3fff), true);
    }
    default:
      return Buffer.concat([Uint8Array.of(HCI_VENDOR_PKT), body('packet.data', packet.data, 0xffff)]);
  }
}

function unpackEvent(bytes: Buffer): HciEvent | undefined {
  if (bytes.length < 3 || bytes.length !== 3 + (bytes[2] as number)) return undefined;
  const code = bytes[1] as number;
  const parameters = bytes.subarray(3);
  return { type: 'event', code, parameters, details: describeHciEvent(code, parameters) };
}

function unpackCommand(bytes: Buffer): HciCommand | undefined {
  if (bytes.length < 4 || bytes.length !== 4 + (bytes[3] as number)) return undefined;
  return { type: 'command', opcode: readU16LE(bytes, 1), parameters: bytes.subarray(4) };
}

function unpackSco(bytes: Buffer): HciScoData | undefined {
  if (bytes.length < 4 || bytes.length !== 4 + (bytes[3] as number)) return undefined;
  const word = readU16LE(bytes, 1);
  return { type: 'sco', handle: word & HANDLE_MAX, status: (word >> 12) & 3, data: bytes.subarray(4) };
}

function unpackAcl(bytes: Buffer): HciAclData | undefined {
  if (bytes.length < 5 || bytes.length !== 5 + readU16LE(bytes, 3)) return undefined;
  const word = readU16LE(bytes, 1);
  return {
    type: 'acl',
    handle: word & HANDLE_MAX,
    boundary: (word >> 12) & 3,
    broadcast: word >> 14,
    data: bytes.subarray(5),
  };
}

function unpackIso(bytes: Buffer): HciIsoData | undefined {
  if (bytes.length < 5 || bytes.length !== 5 + (readU16LE(bytes, 3) & 0x3fff)) return undefined;
  const word = readU16LE(bytes, 1);
  return {
    type: 'iso',
    handle: word & HANDLE_MAX,
    boundary: (word >> 12) & 3,
    timestamped: ((word >> 14) & 1) === 1,
    data: bytes.subarray(5),
  };
}

const UNPACK: Readonly<Record<number, (bytes: Buffer) => HciPacket | undefined>> = {
  [HCI_COMMAND_PKT]: unpackCommand,
  [HCI_ACLDATA_PKT]: unpackAcl,
  [HCI_SCODATA_PKT]: unpackSco,
  [HCI_EVENT_PKT]: unpackEvent,
  [HCI_ISODATA_PKT]: unpackIso,
  [HCI_VENDOR_PKT]: (bytes) => ({ type: 'vendor', data: bytes.subarray(1) }),
};

/**
 * The packet in some bytes, whose memory it shares. `undefined` for what is no packet: too short, longer or shorter
 * than it says, or of an unknown type.
 */
export function unpackHciPacket(bytes: Uint8Array): HciPacket | undefined {
  const type = bytes[0];
  return type === undefined ? undefined : UNPACK[type]?.(asBuffer(bytes));
}
