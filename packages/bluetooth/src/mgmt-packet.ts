import { checkInteger, checkObject, readText } from '@sock/core';
import type { AddressType } from './address.js';
import { decodeType } from './address.js';
import { addressAt } from './bdaddr.js';
import * as c from './constants.gen.js';
import { packRecord, unpackRecord } from './monitor.js';
import { readClass, readU16LE, readU32LE } from './structures.js';

// Commands and events of the management interface. Source: mgmt-api.txt of BlueZ.

/** A device, as events name it. */
export interface MgmtDevice {
  address: string;
  addressType: AddressType;
}

/** What an event says. */
export type MgmtEventDetails =
  | { event: 'CMD_COMPLETE'; opcode: number; status: number; parameters: Buffer }
  | { event: 'CMD_STATUS'; opcode: number; status: number }
  | { event: 'CONTROLLER_ERROR'; code: number }
  | { event: 'INDEX_ADDED' }
  | { event: 'INDEX_REMOVED' }
  /** MGMT_SETTING_*, or-ed together. */
  | { event: 'NEW_SETTINGS'; settings: number }
  | { event: 'CLASS_OF_DEV_CHANGED'; deviceClass: number }
  | { event: 'LOCAL_NAME_CHANGED'; name: string; shortName: string }
  | ({ event: 'DEVICE_CONNECTED'; flags: number; data: Buffer } & MgmtDevice)
  | ({ event: 'DEVICE_DISCONNECTED'; reason: number } & MgmtDevice)
  | ({ event: 'CONNECT_FAILED'; status: number } & MgmtDevice)
  | ({ event: 'PIN_CODE_REQUEST'; secure: boolean } & MgmtDevice)
  | ({ event: 'USER_CONFIRM_REQUEST'; hint: boolean; value: number } & MgmtDevice)
  | ({ event: 'AUTH_FAILED'; status: number } & MgmtDevice)
  | ({ event: 'DEVICE_FOUND'; rssi: number; flags: number; data: Buffer } & MgmtDevice)
  /** 1 for BR/EDR, 2 and 4 for public and random addresses of LE, or-ed together. */
  | { event: 'DISCOVERING'; addressTypes: number; discovering: boolean }
  | ({ event: 'DEVICE_UNPAIRED' } & MgmtDevice);

/** An event of the management interface. */
export interface MgmtEvent {
  /** MGMT_EV_*. */
  code: number;
  /** Number of the controller, −1 for none in particular. */
  device: number;
  parameters: Buffer;
  /** What it says, `null` for an event that is not described here or is too short. */
  details: MgmtEventDetails | null;
}

/** A command of the management interface, as bytes. */
export interface MgmtCommandMessage {
  /** MGMT_OP_*. */
  opcode: number;
  /** Number of the controller; −1, none in particular, unless told. */
  device?: number | undefined;
  parameters?: Uint8Array | undefined;
}

const DEVICE = 7;

const device = (p: Buffer): MgmtDevice => ({
  address: addressAt(p, 0),
  // the interface has the same numbers; what it may have one day is taken for LE
  addressType: decodeType(p[6]) ?? 'random',
});

// data of the length that stands in front of it
function counted(p: Buffer, at: number): Buffer | null {
  const end = at + 2 + readU16LE(p, at);
  return end > p.length ? null : p.subarray(at + 2, end);
}

function connected(p: Buffer): MgmtEventDetails | null {
  const data = counted(p, DEVICE + 4);
  if (data === null) return null;
  return { event: 'DEVICE_CONNECTED', ...device(p), flags: readU32LE(p, DEVICE), data };
}

function found(p: Buffer): MgmtEventDetails | null {
  const data = counted(p, DEVICE + 5);
  if (data === null) return null;
  return { event: 'DEVICE_FOUND', ...device(p), rssi: p.readInt8(DEVICE), flags: readU32LE(p, DEVICE + 1), data };
}

/** How to read an event, by its code: bytes that it has at least, and what they say. */
const EVENTS: Readonly<Record<number, readonly [size: number, read: (p: Buffer) => MgmtEventDetails | null]>> = {
  [c.MGMT_EV_CMD_COMPLETE]: [
    3,
    (p) => ({
      event: 'CMD_COMPLETE',
      opcode: readU16LE(p, 0),
      status: p[2] as number,
      parameters: p.subarray(3),
    }),
  ],
  [c.MGMT_EV_CMD_STATUS]: [3, (p) => ({ event: 'CMD_STATUS', opcode: readU16LE(p, 0), status: p[2] as number })],
  [c.MGMT_EV_CONTROLLER_ERROR]: [1, (p) => ({ event: 'CONTROLLER_ERROR', code: p[0] as number })],
  [c.MGMT_EV_INDEX_ADDED]: [0, () => ({ event: 'INDEX_ADDED' })],
  [c.MGMT_EV_INDEX_REMOVED]: [0, () => ({ event: 'INDEX_REMOVED' })],
  [c.MGMT_EV_NEW_SETTINGS]: [4, (p) => ({ event: 'NEW_SETTINGS', settings: readU32LE(p, 0) })],
  [c.MGMT_EV_CLASS_OF_DEV_CHANGED]: [3, (p) => ({ event: 'CLASS_OF_DEV_CHANGED', deviceClass: readClass(p, 0) })],
  [c.MGMT_EV_LOCAL_NAME_CHANGED]: [
    260,
    (p) => ({ event: 'LOCAL_NAME_CHANGED', name: readText(p.subarray(0, 249)), shortName: readText(p.subarray(249)) }),
  ],
  [c.MGMT_EV_DEVICE_CONNECTED]: [DEVICE + 6, connected],
  [c.MGMT_EV_DEVICE_DISCONNECTED]: [
    DEVICE + 1,
    (p) => ({ event: 'DEVICE_DISCONNECTED', ...device(p), reason: p[DEVICE] as number }),
  ],
  [c.MGMT_EV_CONNECT_FAILED]: [
    DEVICE + 1,
    (p) => ({ event: 'CONNECT_FAILED', ...device(p), status: p[DEVICE] as number }),
  ],
  [c.MGMT_EV_PIN_CODE_REQUEST]: [
    DEVICE + 1,
    (p) => ({ event: 'PIN_CODE_REQUEST', ...device(p), secure: p[DEVICE] !== 0 }),
  ],
  [c.MGMT_EV_USER_CONFIRM_REQUEST]: [
    DEVICE + 5,
    (p) => ({
      event: 'USER_CONFIRM_REQUEST',
      ...device(p),
      hint: p[DEVICE] !== 0,
      value: readU32LE(p, DEVICE + 1),
    }),
  ],
  [c.MGMT_EV_AUTH_FAILED]: [DEVICE + 1, (p) => ({ event: 'AUTH_FAILED', ...device(p), status: p[DEVICE] as number })],
  [c.MGMT_EV_DEVICE_FOUND]: [DEVICE + 7, found],
  [c.MGMT_EV_DISCOVERING]: [
    2,
    (p) => ({ event: 'DISCOVERING', addressTypes: p[0] as number, discovering: p[1] !== 0 }),
  ],
  [c.MGMT_EV_DEVICE_UNPAIRED]: [DEVICE, (p) => ({ event: 'DEVICE_UNPAIRED', ...device(p) })],
};

/**
 * A command as the channel control takes it.
 * @throws TypeError, RangeError naming the member of `command`
 */
export function packMgmtCommand(command: MgmtCommandMessage): Buffer {
  const { opcode, device: index = -1, parameters = new Uint8Array() } = checkObject('command', command);
  checkInteger('command.opcode', opcode, 0, 0xffff);
  checkInteger('command.device', index, -1, c.HCI_DEV_NONE - 1);
  return packRecord(opcode, index, parameters);
}

/** The event in some bytes, `undefined` for what is shorter or longer than it says. */
export function unpackMgmtEvent(bytes: Uint8Array): MgmtEvent | undefined {
  const record = unpackRecord(bytes);
  if (record === undefined) return undefined;
  const { opcode: code, device: index, data: parameters } = record;
  const known = EVENTS[code];
  const details = known === undefined || parameters.length < known[0] ? null : known[1](parameters);
  return { code, device: index, parameters, details };
}
