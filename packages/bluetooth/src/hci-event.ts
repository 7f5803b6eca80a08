import { type AddressType, decodeType } from './address.js';
import { addressAt } from './bdaddr.js';
import * as c from './constants.gen.js';
import { readClass, readU16LE } from './structures.js';

// What events say. Source: Bluetooth Core Specification, 4.E, 7.7.

/** A command was executed. */
export interface HciCommandComplete {
  event: 'COMMAND_COMPLETE';
  opcode: number;
  /** Commands that the controller has room for. */
  packets: number;
  /** HCI_SUCCESS, or why it failed; `null` for a command that gives nothing back. */
  status: number | null;
  /** What the command gives back, behind the status. */
  parameters: Buffer;
}

/** A command is being executed, or was refused. */
export interface HciCommandStatus {
  event: 'COMMAND_STATUS';
  opcode: number;
  packets: number;
  /** HCI_SUCCESS: its event will follow. */
  status: number;
}

/** A link was made, or was not. */
export interface HciConnectionComplete {
  event: 'CONNECTION_COMPLETE' | 'SYNCHRONOUS_CONNECTION_COMPLETE';
  status: number;
  handle: number;
  address: string;
  /** SCO_LINK, ACL_LINK or ESCO_LINK. */
  linkType: number;
}

/** Another device wants a link. */
export interface HciConnectionRequest {
  event: 'CONNECTION_REQUEST';
  address: string;
  deviceClass: number;
  linkType: number;
}

/** A link ended. */
export interface HciDisconnectionComplete {
  event: 'DISCONNECTION_COMPLETE';
  status: number;
  handle: number;
  /** Why: HCI_OE_USER_ENDED_CONNECTION and so on. */
  reason: number;
}

/** Packets of data left the controller. */
export interface HciCompletedPackets {
  event: 'NUMBER_OF_COMPLETED_PACKETS';
  links: { handle: number; count: number }[];
}

/** The controller failed. */
export interface HciHardwareError {
  event: 'HARDWARE_ERROR';
  code: number;
}

/** A link of LE was made, or was not. */
export interface HciLeConnectionComplete {
  event: 'LE_CONNECTION_COMPLETE';
  status: number;
  handle: number;
  /** Whether this is the central. */
  central: boolean;
  address: string;
  addressType: AddressType;
  /** Milliseconds between two moments to send. */
  interval: number;
  /** Moments that the peripheral may leave out. */
  latency: number;
  /** Milliseconds without a sign of life that end the link. */
  supervisionTimeout: number;
}

/** An advertisement of LE. */
export interface HciLeAdvertisement {
  /** 0 connectable, 1 directed, 2 scannable, 3 neither, 4 answer to a scan. */
  kind: number;
  address: string;
  addressType: AddressType;
  data: Buffer;
  /** dBm; 127 where it is not known. */
  rssi: number;
}

/** Advertisements were heard. */
export interface HciLeAdvertisingReport {
  event: 'LE_ADVERTISING_REPORT';
  reports: HciLeAdvertisement[];
}

/** An event of LE that is not described here. */
export interface HciLeMeta {
  event: 'LE_META';
  /** EVT_LE_*. */
  subevent: number;
  parameters: Buffer;
}

/** What an event says. */
export type HciEventDetails =
  | HciCommandComplete
  | HciCommandStatus
  | HciConnectionComplete
  | HciConnectionRequest
  | HciDisconnectionComplete
  | HciCompletedPackets
  | HciHardwareError
  | HciLeConnectionComplete
  | HciLeAdvertisingReport
  | HciLeMeta;

const LE_CONNECTION = 18;
const LE_ENHANCED_CONNECTION = 30;

// an identity that the controller resolved has numbers of its own
const leType = (value: number): AddressType => decodeType((value & 1) + c.BDADDR_LE_PUBLIC) as AddressType;

function leConnection(p: Buffer, at: number): HciLeConnectionComplete {
  return {
    event: 'LE_CONNECTION_COMPLETE',
    status: p[1] as number,
    handle: readU16LE(p, 2) & 0xfff,
    central: p[4] === 0,
    addressType: leType(p[5] as number),
    address: addressAt(p, 6),
    interval: readU16LE(p, at) * 1.25,
    latency: readU16LE(p, at + 2),
    supervisionTimeout: readU16LE(p, at + 4) * 10,
  };
}

function leAdvertisements(p: Buffer): HciLeAdvertisingReport | null {
  const reports: HciLeAdvertisement[] = [];
  let at = 2;
  for (let left = p[1] ?? 0; left > 0; left--) {
    const length = p[at + 8];
    if (length === undefined || at + 10 + length > p.length) return null;
    reports.push({
      kind: p[at] as number,
      addressType: leType(p[at + 1] as number),
      address: addressAt(p, at + 2),
      data: p.subarray(at + 9, at + 9 + length),
      rssi: p.readInt8(at + 9 + length),
    });
    at += 10 + length;
  }
  return { event: 'LE_ADVERTISING_REPORT', reports };
}

function leMeta(p: Buffer): HciEventDetails | null {
  const subevent = p[0];
  if (subevent === undefined) return null;
  if (subevent === c.EVT_LE_CONN_COMPLETE) return p.length < LE_CONNECTION ? null : leConnection(p, 12);
  if (subevent === c.EVT_LE_ENHANCED_CONN_COMPLETE) {
    return p.length < LE_ENHANCED_CONNECTION ? null : leConnection(p, 24);
  }
  if (subevent === c.EVT_LE_ADVERTISING_REPORT) return leAdvertisements(p);
  return { event: 'LE_META', subevent, parameters: p.subarray(1) };
}

function completedPackets(p: Buffer): HciCompletedPackets | null {
  const count = p[0] as number;
  if (p.length < 1 + 4 * count) return null;
  const links = Array.from({ length: count }, (_, i) => ({
    handle: readU16LE(p, 1 + 4 * i) & 0xfff,
    count: readU16LE(p, 3 + 4 * i),
  }));
  return { event: 'NUMBER_OF_COMPLETED_PACKETS', links };
}

function connection(event: HciConnectionComplete['event'], p: Buffer): HciConnectionComplete {
  return {
    event,
    status: p[0] as number,
    handle: readU16LE(p, 1) & 0xfff,
    address: addressAt(p, 3),
    linkType: p[9] as number,
  };
}

/** How to read an event, by its code: bytes that it has at least, and what they say. */
const EVENTS: Readonly<Record<number, readonly [size: number, read: (p: Buffer) => HciEventDetails | null]>> = {
  [c.EVT_CMD_COMPLETE]: [
    3,
    (p) => ({
      event: 'COMMAND_COMPLETE',
      packets: p[0] as number,
      opcode: readU16LE(p, 1),
      status: p[3] ?? null,
      parameters: p.subarray(4),
    }),
  ],
  [c.EVT_CMD_STATUS]: [
    4,
    (p) => ({
      event: 'COMMAND_STATUS',
      status: p[0] as number,
      packets: p[1] as number,
      opcode: readU16LE(p, 2),
    }),
  ],
  [c.EVT_CONN_COMPLETE]: [11, (p) => connection('CONNECTION_COMPLETE', p)],
  [c.EVT_SYNC_CONN_COMPLETE]: [17, (p) => connection('SYNCHRONOUS_CONNECTION_COMPLETE', p)],
  [c.EVT_CONN_REQUEST]: [
    10,
    (p) => ({
      event: 'CONNECTION_REQUEST',
      address: addressAt(p, 0),
      deviceClass: readClass(p, 6),
      linkType: p[9] as number,
    }),
  ],
  [c.EVT_DISCONN_COMPLETE]: [
    4,
    (p) => ({
      event: 'DISCONNECTION_COMPLETE',
      status: p[0] as number,
      handle: readU16LE(p, 1) & 0xfff,
      reason: p[3] as number,
    }),
  ],
  [c.EVT_NUM_COMP_PKTS]: [1, completedPackets],
  [c.EVT_HARDWARE_ERROR]: [1, (p) => ({ event: 'HARDWARE_ERROR', code: p[0] as number })],
  [c.EVT_LE_META_EVENT]: [1, leMeta],
};

/** What an event says, `null` for one that is not known here or is too short. */
export function describeHciEvent(code: number, parameters: Buffer): HciEventDetails | null {
  const known = EVENTS[code];
  if (known === undefined || parameters.length < known[0]) return null;
  return known[1](parameters);
}
