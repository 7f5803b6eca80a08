import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  invalidArgumentType,
  outOfRange,
  readText,
} from '@sock/core';
import { type AddressType, decodeType, encodeType } from './address.js';
import { addressAt, str2ba } from './bdaddr.js';
import * as c from './constants.gen.js';
import type { MgmtDevice } from './mgmt-packet.js';
import { asBuffer, readClass, readU16LE, readU32LE, writeU16LE } from './structures.js';

/**
 * A command of the management interface: how its value becomes bytes, and what the kernel answers a value.
 * Source: mgmt-api.txt of BlueZ.
 */
export interface MgmtCommand<Input, Output> {
  /** MGMT_OP_*. */
  readonly opcode: number;
  /** Name of the constant, for messages. */
  readonly label: string;
  /** @throws TypeError, RangeError on what is not accepted */
  encode(value: Input): Uint8Array;
  /** `undefined` for what is no answer to this command. */
  decode(parameters: Buffer): Output | undefined;
}

const NONE = new Uint8Array();

const nothing = (): Uint8Array => NONE;

/** What a controller is, and how it is set. */
export interface MgmtInfo {
  address: string;
  /** Version of Bluetooth: 9 for 5.0. Source: Bluetooth Assigned Numbers. */
  version: number;
  manufacturer: number;
  /** Settings that it knows, MGMT_SETTING_* or-ed together. */
  supportedSettings: number;
  /** Settings that are on. */
  currentSettings: number;
  deviceClass: number;
  name: string;
  shortName: string;
}

const readSettings = (p: Buffer): number | undefined => (p.length < 4 ? undefined : readU32LE(p, 0));

function readIndexes(p: Buffer): number[] | undefined {
  if (p.length < 2 || p.length < 2 + 2 * readU16LE(p, 0)) return undefined;
  return Array.from({ length: readU16LE(p, 0) }, (_, i) => readU16LE(p, 2 + 2 * i));
}

const devices = (p: Buffer, at: number): MgmtDevice => ({
  address: addressAt(p, at),
  addressType: decodeType(p[at + 6]) ?? 'random',
});

function writeDevice(value: MgmtDeviceInput): Uint8Array {
  const { address, addressType = 'bredr' } = checkObject('value', value);
  return Buffer.concat([str2ba(address, 'value.address'), Uint8Array.of(encodeType('value.addressType', addressType))]);
}

/** What is accepted as a device. */
export interface MgmtDeviceInput {
  address: string;
  /** `'bredr'` unless told. */
  addressType?: AddressType | undefined;
}

const readDevice = (p: Buffer): MgmtDevice | undefined => (p.length < 7 ? undefined : devices(p, 0));

/** A setting that is on or off; the answer is all settings that are on then, MGMT_SETTING_* or-ed together. */
function switchCommand(opcode: number, label: string): MgmtCommand<boolean, number> {
  return {
    opcode,
    label,
    encode: (value) => Uint8Array.of(checkBoolean('value', value) ? 1 : 0),
    decode: readSettings,
  };
}

/** A setting of several values. */
function modeCommand(opcode: number, label: string, max: number): MgmtCommand<number, number> {
  return {
    opcode,
    label,
    encode: (value) => Uint8Array.of(checkInteger('value', value, 0, max)),
    decode: readSettings,
  };
}

/** Version of the interface. Of no controller in particular, and of everybody. */
export const mgmtReadVersion: MgmtCommand<void, { version: number; revision: number }> = {
  opcode: c.MGMT_OP_READ_VERSION,
  label: 'MGMT_OP_READ_VERSION',
  encode: nothing,
  decode: (p) => (p.length < 3 ? undefined : { version: p[0] as number, revision: readU16LE(p, 1) }),
};

/** Commands and events that this kernel has, MGMT_OP_* and MGMT_EV_*. Of no controller in particular. */
export const mgmtReadCommands: MgmtCommand<void, { commands: number[]; events: number[] }> = {
  opcode: c.MGMT_OP_READ_COMMANDS,
  label: 'MGMT_OP_READ_COMMANDS',
  encode: nothing,
  decode(p) {
    if (p.length < 4) return undefined;
    const commands = readU16LE(p, 0);
    const events = readU16LE(p, 2);
    if (p.length < 4 + 2 * (commands + events)) return undefined;
    const list = (from: number, length: number) => Array.from({ length }, (_, i) => readU16LE(p, 4 + 2 * (from + i)));
    return { commands: list(0, commands), events: list(commands, events) };
  },
};

/** Numbers of the controllers. Of no controller in particular. */
export const mgmtReadIndexList: MgmtCommand<void, number[]> = {
  opcode: c.MGMT_OP_READ_INDEX_LIST,
  label: 'MGMT_OP_READ_INDEX_LIST',
  encode: nothing,
  decode: readIndexes,
};

/** A controller. */
export const mgmtReadInfo: MgmtCommand<void, MgmtInfo> = {
  opcode: c.MGMT_OP_READ_INFO,
  label: 'MGMT_OP_READ_INFO',
  encode: nothing,
  decode(p) {
    if (p.length < 280) return undefined;
    return {
      address: addressAt(p, 0),
      version: p[6] as number,
      manufacturer: readU16LE(p, 7),
      supportedSettings: readU32LE(p, 9),
      currentSettings: readU32LE(p, 13),
      deviceClass: readClass(p, 17),
      name: readText(p.subarray(20, 269)),
      shortName: readText(p.subarray(269, 280)),
    };
  },
};

/** Takes a controller up, or down. */
export const mgmtSetPowered = switchCommand(c.MGMT_OP_SET_POWERED, 'MGMT_OP_SET_POWERED');
/** Whether others reach a controller. */
export const mgmtSetConnectable = switchCommand(c.MGMT_OP_SET_CONNECTABLE, 'MGMT_OP_SET_CONNECTABLE');
/** Whether that goes fast, for more power (BR/EDR). */
export const mgmtSetFastConnectable = switchCommand(c.MGMT_OP_SET_FAST_CONNECTABLE, 'MGMT_OP_SET_FAST_CONNECTABLE');
/** Whether others may pair with a controller. */
export const mgmtSetBondable = switchCommand(c.MGMT_OP_SET_BONDABLE, 'MGMT_OP_SET_BONDABLE');
/** Authentication of the link, of old (BR/EDR). */
export const mgmtSetLinkSecurity = switchCommand(c.MGMT_OP_SET_LINK_SECURITY, 'MGMT_OP_SET_LINK_SECURITY');
/** Secure simple pairing (BR/EDR). */
export const mgmtSetSsp = switchCommand(c.MGMT_OP_SET_SSP, 'MGMT_OP_SET_SSP');
/** LE. */
export const mgmtSetLe = switchCommand(c.MGMT_OP_SET_LE, 'MGMT_OP_SET_LE');
/** BR/EDR, of a controller that has LE too. */
export const mgmtSetBredr = switchCommand(c.MGMT_OP_SET_BREDR, 'MGMT_OP_SET_BREDR');
/** Advertising of LE: 0 off, 1 on, 2 on and connectable. */
export const mgmtSetAdvertising = modeCommand(c.MGMT_OP_SET_ADVERTISING, 'MGMT_OP_SET_ADVERTISING', 2);
/** Secure Connections: 0 off, 1 on, 2 nothing else. */
export const mgmtSetSecureConn = modeCommand(c.MGMT_OP_SET_SECURE_CONN, 'MGMT_OP_SET_SECURE_CONN', 2);

/**
 * Whether others find a controller: 0 no, 1 yes, 2 for a limited time.
 * `timeout` is in milliseconds, of which whole seconds matter; none unless told.
 */
export const mgmtSetDiscoverable: MgmtCommand<{ mode: number; timeout?: number | null | undefined }, number> = {
  opcode: c.MGMT_OP_SET_DISCOVERABLE,
  label: 'MGMT_OP_SET_DISCOVERABLE',
  encode(value) {
    const { mode, timeout = null } = checkObject('value', value);
    const bytes = Uint8Array.of(checkInteger('value.mode', mode, 0, 2), 0, 0);
    if (timeout !== null) {
      writeU16LE(bytes, Math.ceil(checkInteger('value.timeout', timeout, 1, 65_535_000) / 1000), 1);
    }
    return bytes;
  },
  decode: readSettings,
};

function fixedText(argument: string, value: unknown, size: number): Buffer {
  const bytes = Buffer.from(checkString(argument, value));
  if (bytes.length >= size || bytes.includes(0)) {
    throw outOfRange(argument, `a text of at most ${size - 1} bytes without NUL`, value);
  }
  return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
}

/** Name of a controller. */
export const mgmtSetLocalName: MgmtCommand<
  { name: string; shortName?: string | undefined },
  { name: string; shortName: string }
> = {
  opcode: c.MGMT_OP_SET_LOCAL_NAME,
  label: 'MGMT_OP_SET_LOCAL_NAME',
  encode(value) {
    const { name, shortName = '' } = checkObject('value', value);
    return Buffer.concat([fixedText('value.name', name, 249), fixedText('value.shortName', shortName, 11)]);
  },
  decode(p) {
    if (p.length < 260) return undefined;
    return { name: readText(p.subarray(0, 249)), shortName: readText(p.subarray(249, 260)) };
  },
};

/** Devices that a controller is connected to. */
export const mgmtGetConnections: MgmtCommand<void, MgmtDevice[]> = {
  opcode: c.MGMT_OP_GET_CONNECTIONS,
  label: 'MGMT_OP_GET_CONNECTIONS',
  encode: nothing,
  decode(p) {
    if (p.length < 2 || p.length < 2 + 7 * readU16LE(p, 0)) return undefined;
    return Array.from({ length: readU16LE(p, 0) }, (_, i) => devices(p, 2 + 7 * i));
  },
};

/** Ends the connection to a device. */
export const mgmtDisconnect: MgmtCommand<MgmtDeviceInput, MgmtDevice> = {
  opcode: c.MGMT_OP_DISCONNECT,
  label: 'MGMT_OP_DISCONNECT',
  encode: writeDevice,
  decode: readDevice,
};

/**
 * What this machine can ask its user when it pairs: 0 shows, 1 shows and takes yes or no, 2 keyboard, 3 nothing,
 * 4 keyboard and display.
 */
export const mgmtSetIoCapability: MgmtCommand<number, null> = {
  opcode: c.MGMT_OP_SET_IO_CAPABILITY,
  label: 'MGMT_OP_SET_IO_CAPABILITY',
  encode: (value) => Uint8Array.of(checkInteger('value', value, 0, 4)),
  decode: () => null,
};

/** Pairs with a device; `ioCapability` is as of `mgmtSetIoCapability`, 3 unless told. */
export const mgmtPairDevice: MgmtCommand<MgmtDeviceInput & { ioCapability?: number | undefined }, MgmtDevice> = {
  opcode: c.MGMT_OP_PAIR_DEVICE,
  label: 'MGMT_OP_PAIR_DEVICE',
  encode(value) {
    const device = writeDevice(value);
    return Buffer.concat([device, Uint8Array.of(checkInteger('value.ioCapability', value.ioCapability ?? 3, 0, 4))]);
  },
  decode: readDevice,
};

/** Forgets a device, and ends the connection to it where `disconnect` says so (unless told). */
export const mgmtUnpairDevice: MgmtCommand<MgmtDeviceInput & { disconnect?: boolean | undefined }, MgmtDevice> = {
  opcode: c.MGMT_OP_UNPAIR_DEVICE,
  label: 'MGMT_OP_UNPAIR_DEVICE',
  encode(value) {
    const device = writeDevice(value);
    const disconnect = checkBoolean('value.disconnect', value.disconnect ?? true);
    return Buffer.concat([device, Uint8Array.of(disconnect ? 1 : 0)]);
  },
  decode: readDevice,
};

/** Answers USER_CONFIRM_REQUEST with yes. */
export const mgmtUserConfirmReply: MgmtCommand<MgmtDeviceInput, MgmtDevice> = {
  opcode: c.MGMT_OP_USER_CONFIRM_REPLY,
  label: 'MGMT_OP_USER_CONFIRM_REPLY',
  encode: writeDevice,
  decode: readDevice,
};

function discoveryCommand(opcode: number, label: string): MgmtCommand<number, number> {
  return {
    opcode,
    label,
    encode: (value) => Uint8Array.of(checkInteger('value', value, 1, 7)),
    decode: (p) => p[0],
  };
}

/** Looks for devices, which come as DEVICE_FOUND: 1 for BR/EDR, 2 and 4 for public and random addresses of LE, or-ed together. */
export const mgmtStartDiscovery = discoveryCommand(c.MGMT_OP_START_DISCOVERY, 'MGMT_OP_START_DISCOVERY');
/** Ends that; with the value that it was begun with. */
export const mgmtStopDiscovery = discoveryCommand(c.MGMT_OP_STOP_DISCOVERY, 'MGMT_OP_STOP_DISCOVERY');

/** The experimental feature that lets ISO sockets be opened. Of no controller in particular. */
export const EXP_FEATURE_ISO_SOCKET = '6fbaf188-05e0-496a-9885-d6ddfdb4e03e';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const readUuid = (p: Buffer, at: number): string =>
  Buffer.from(p.subarray(at, at + 16))
    .reverse()
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** An experimental feature; bit 0 of `flags`: it is on. */
export interface MgmtExpFeature {
  uuid: string;
  flags: number;
}

/** Experimental features of the kernel, or of a controller. */
export const mgmtReadExpFeatures: MgmtCommand<void, MgmtExpFeature[]> = {
  opcode: c.MGMT_OP_READ_EXP_FEATURES_INFO,
  label: 'MGMT_OP_READ_EXP_FEATURES_INFO',
  encode: nothing,
  decode(p) {
    if (p.length < 2 || p.length < 2 + 20 * readU16LE(p, 0)) return undefined;
    return Array.from({ length: readU16LE(p, 0) }, (_, i) => ({
      uuid: readUuid(p, 2 + 20 * i),
      flags: readU32LE(p, 18 + 20 * i),
    }));
  },
};

/** Switches an experimental feature: `{ uuid: EXP_FEATURE_ISO_SOCKET, enable: true }`. */
export const mgmtSetExpFeature: MgmtCommand<{ uuid: string; enable: boolean }, MgmtExpFeature> = {
  opcode: c.MGMT_OP_SET_EXP_FEATURE,
  label: 'MGMT_OP_SET_EXP_FEATURE',
  encode(value) {
    const { uuid, enable } = checkObject('value', value);
    if (!UUID.test(checkString('value.uuid', uuid))) throw outOfRange('value.uuid', 'a UUID', uuid);
    const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex').reverse();
    return Buffer.concat([bytes, Uint8Array.of(checkBoolean('value.enable', enable) ? 1 : 0)]);
  },
  decode: (p) => (p.length < 20 ? undefined : { uuid: readUuid(p, 0), flags: readU32LE(p, 16) }),
};

/** A command that is not described here: bytes to it and from it. */
export function mgmtCommand(opcode: number, label = `command ${opcode}`): MgmtCommand<Uint8Array, Buffer> {
  checkInteger('opcode', opcode, 1, 0xffff);
  return {
    opcode,
    label: checkString('label', label),
    encode(value) {
      if (!(value instanceof Uint8Array)) throw invalidArgumentType('value', 'a Uint8Array', value);
      return value;
    },
    decode: (parameters) => asBuffer(parameters),
  };
}

/** Names of settings, such as `POWERED`, of MGMT_SETTING_* or-ed together. */
export function mgmtSettingNames(settings: number): string[] {
  checkInteger('settings', settings, 0, 0xffffffff);
  return SETTINGS.filter((_, bit) => ((settings >>> bit) & 1) === 1);
}

/** By number of the bit. */
const SETTINGS = [
  'POWERED',
  'CONNECTABLE',
  'FAST_CONNECTABLE',
  'DISCOVERABLE',
  'BONDABLE',
  'LINK_SECURITY',
  'SSP',
  'BREDR',
  'HS',
  'LE',
  'ADVERTISING',
  'SECURE_CONN',
  'DEBUG_KEYS',
  'PRIVACY',
  'CONFIGURATION',
  'STATIC_ADDRESS',
  'PHY_CONFIGURATION',
  'WIDEBAND_SPEECH',
  'CIS_CENTRAL',
  'CIS_PERIPHERAL',
];
