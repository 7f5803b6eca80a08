import {
  booleanOption,
  checkBoolean,
  checkInteger,
  checkObject,
  invalidArgumentType,
  type OptionKey,
  type ReadonlyOption,
  readonlyIntegerOption,
  readU16,
  type SocketOption,
  uint32Option,
  withMessage,
  writeU16,
} from '@sock/core';
import { scmHciDir, scmHciTstamp, scmPktStatus } from './ancillary.js';
import { type BluetoothCodec, CODECS_SIZE, decodeCodecs, encodeCodec } from './codec.js';
import * as c from './constants.gen.js';
import { decodeHciFilter, encodeHciFilter, HCI_FILTER_SIZE, type HciFilter } from './hci-filter.js';
import { decodeIsoQos, encodeIsoQos, ISO_QOS_SIZE, type IsoQos, type IsoQosInput } from './iso-qos.js';
import { readClass } from './structures.js';

const bt = (name: number, label: string): OptionKey => ({ level: c.SOL_BLUETOOTH, name, label });
const l2capKey = (name: number, label: string): OptionKey => ({ level: c.SOL_L2CAP, name, label });
const rfcommKey = (name: number, label: string): OptionKey => ({ level: c.SOL_RFCOMM, name, label });
const hciKey = (name: number, label: string): OptionKey => ({ level: c.SOL_HCI, name, label });

/** An unsigned integer of one or two bytes. */
function smallOption(key: OptionKey, size: 1 | 2, max = size === 1 ? 0xff : 0xffff): SocketOption<number> {
  return {
    ...key,
    size,
    encode(value) {
      const checked = checkInteger('value', value, 0, max);
      const bytes = new Uint8Array(size);
      if (size === 1) bytes[0] = checked;
      else writeU16(bytes, checked, 0);
      return bytes;
    },
    decode: (raw) => (size === 1 || raw.length < 2 ? (raw[0] ?? 0) : readU16(raw, 0)),
  };
}

/** How secure a connection must be, or is. Source: `struct bt_security`. */
export interface BluetoothSecurity {
  /** BT_SECURITY_*. */
  level: number;
  /** Bytes of the key of a connection that is encrypted, 0 otherwise. Only read. */
  keySize: number;
}

/**
 * BT_SECURITY: how secure a connection must be; to be set before `connect` and `listen`. On a connected socket of
 * L2CAP to ask for more: what is sent and received waits until that is reached.
 */
export const btSecurity: SocketOption<BluetoothSecurity, Pick<BluetoothSecurity, 'level'>> = {
  ...bt(c.BT_SECURITY, 'BT_SECURITY'),
  size: 2,
  encode(value) {
    const { level } = checkObject('value', value);
    return Uint8Array.of(checkInteger('value.level', level, c.BT_SECURITY_SDP, c.BT_SECURITY_FIPS), 0);
  },
  decode: (raw) => ({ level: raw[0] ?? 0, keySize: raw[1] ?? 0 }),
};

/**
 * BT_DEFER_SETUP: `accept` gives a connection before the peer is told of it; the first `recv`, which then gives an
 * empty buffer, accepts it, and `close` refuses it. To be set after `bind`.
 */
export const btDeferSetup = booleanOption(bt(c.BT_DEFER_SETUP, 'BT_DEFER_SETUP'));

/** BT_FLUSHABLE: the controller may give up what comes too late (L2CAP of BR/EDR); false at first. */
export const btFlushable = booleanOption(bt(c.BT_FLUSHABLE, 'BT_FLUSHABLE'));

/** BT_POWER: the link leaves power saving for what is sent (L2CAP); true at first. Source: `struct bt_power`. */
export const btPower: SocketOption<boolean> = {
  ...bt(c.BT_POWER, 'BT_POWER'),
  size: 1,
  encode: (value) => Uint8Array.of(checkBoolean('value', value) ? 1 : 0),
  decode: (raw) => raw[0] !== 0,
};

/** BT_CHANNEL_POLICY: use of alternative controllers, BT_CHANNEL_POLICY_*. Newer kernels let it only be read. */
export const btChannelPolicy = uint32Option({
  ...bt(c.BT_CHANNEL_POLICY, 'BT_CHANNEL_POLICY'),
  max: c.BT_CHANNEL_POLICY_AMP_PREFERRED,
});

/** BT_VOICE: coding of SCO, BT_VOICE_TRANSPARENT or BT_VOICE_CVSD_16BIT (as at first); to be set before `connect`. */
export const btVoice = smallOption(bt(c.BT_VOICE, 'BT_VOICE'), 2);

/** BT_SNDMTU: bytes of the largest message to send, on a channel of LE, or of SCO and ISO, that is connected. */
export const btSndMtu = smallOption(bt(c.BT_SNDMTU, 'BT_SNDMTU'), 2);

/** BT_RCVMTU: bytes of the largest message to receive, on a channel of LE; to be set before `connect` and `listen`. */
export const btRcvMtu = smallOption(bt(c.BT_RCVMTU, 'BT_RCVMTU'), 2);

/** BT_PHY: radio modes that the connection may use, BT_PHY_* or-ed together. */
export const btPhy: ReadonlyOption<number> = readonlyIntegerOption(bt(c.BT_PHY, 'BT_PHY'));

/**
 * BT_MODE: mode of an L2CAP channel, BT_MODE_*; to be set after `bind`. BT_MODE_EXT_FLOWCTL is for LE; for
 * enhanced retransmission and streaming there is `l2capOptions`.
 * @throws SocketError `ENOPROTOOPT` where the kernel's parameter bluetooth.enable_ecred is not set
 */
export const btMode = smallOption(bt(c.BT_MODE, 'BT_MODE'), 1, c.BT_MODE_EXT_FLOWCTL);

/** BT_PKT_STATUS: packets of SCO come with their status, as the message `scmPktStatus`. */
export const btPktStatus = withMessage(booleanOption(bt(c.BT_PKT_STATUS, 'BT_PKT_STATUS')), scmPktStatus);

/** BT_CODEC: codecs of the adapter, for SCO over a path of its own; setting chooses one. Linux 5.16. */
export const btCodec: SocketOption<BluetoothCodec[], BluetoothCodec> = {
  ...bt(c.BT_CODEC, 'BT_CODEC'),
  size: CODECS_SIZE,
  encode: encodeCodec,
  decode: decodeCodecs,
};

/** BT_ISO_QOS: quality of service of an ISO connection; to be set before `connect`. Linux 6.0. */
export const btIsoQos: SocketOption<IsoQos, IsoQosInput> = {
  ...bt(c.BT_ISO_QOS, 'BT_ISO_QOS'),
  size: ISO_QOS_SIZE,
  encode: encodeIsoQos,
  decode: decodeIsoQos,
};

/** BT_ISO_BASE: announcement of the broadcast, at most 248 bytes. Linux 6.0. */
export const btIsoBase: SocketOption<Buffer, Uint8Array> = {
  ...bt(c.BT_ISO_BASE, 'BT_ISO_BASE'),
  size: 248,
  encode(value) {
    if (!(value instanceof Uint8Array)) throw invalidArgumentType('value', 'a Uint8Array', value);
    checkInteger('value.length', value.length, 0, 248);
    return value;
  },
  decode: (raw) => Buffer.from(raw),
};

/** Sizes and mode of an L2CAP channel of BR/EDR. Source: `struct l2cap_options`. */
export interface L2capOptions {
  /** Bytes of the largest message to send. */
  omtu: number;
  /** Bytes of the largest message to receive. */
  imtu: number;
  /** Milliseconds after which what was not sent is given up; L2CAP_DEFAULT_FLUSH_TO for never. */
  flushTo: number;
  /** L2CAP_MODE_*. */
  mode: number;
  /** 1: with a check sum. */
  fcs: number;
  /** Times that something is sent. */
  maxTx: number;
  /** Messages on their way at most. */
  txwinSize: number;
}

const L2CAP_DEFAULTS: L2capOptions = {
  omtu: 0,
  imtu: c.L2CAP_DEFAULT_MTU,
  flushTo: c.L2CAP_DEFAULT_FLUSH_TO,
  mode: c.L2CAP_MODE_BASIC,
  fcs: 1,
  maxTx: 3,
  txwinSize: 63,
};

/**
 * L2CAP_OPTIONS: sizes and mode of an L2CAP channel of BR/EDR; to be set before `connect` and `listen`. What is
 * left out has the kernel's default value.
 */
export const l2capOptions: SocketOption<L2capOptions, Partial<L2capOptions>> = {
  ...l2capKey(c.L2CAP_OPTIONS, 'L2CAP_OPTIONS'),
  size: 12,
  encode(value) {
    const { omtu, imtu, flushTo, mode, fcs, maxTx, txwinSize } = { ...L2CAP_DEFAULTS, ...checkObject('value', value) };
    const bytes = new Uint8Array(12);
    writeU16(bytes, checkInteger('value.omtu', omtu, 0, 0xffff), 0);
    writeU16(bytes, checkInteger('value.imtu', imtu, 0, 0xffff), 2);
    writeU16(bytes, checkInteger('value.flushTo', flushTo, 0, 0xffff), 4);
    bytes[6] = checkInteger('value.mode', mode, 0, 0xff);
    bytes[7] = checkInteger('value.fcs', fcs, 0, 0xff);
    bytes[8] = checkInteger('value.maxTx', maxTx, 0, 0xff);
    writeU16(bytes, checkInteger('value.txwinSize', txwinSize, 0, 0x3fff), 10);
    return bytes;
  },
  decode(raw) {
    const bytes = padded(raw, 12);
    return {
      omtu: readU16(bytes, 0),
      imtu: readU16(bytes, 2),
      flushTo: readU16(bytes, 4),
      mode: bytes[6] as number,
      fcs: bytes[7] as number,
      maxTx: bytes[8] as number,
      txwinSize: readU16(bytes, 10),
    };
  },
};

// what the kernel left out is 0
function padded(raw: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, raw.length));
  bytes.set(raw);
  return bytes;
}

/** The link below a connection. Source: `struct l2cap_conninfo`. */
export interface ConnectionInfo {
  /** Handle that the controller gave the link. */
  handle: number;
  /** Class of the device at the other end; 0 on LE, and where it is not known. */
  deviceClass: number;
}

function connectionInfo(key: OptionKey): ReadonlyOption<ConnectionInfo> {
  return {
    ...key,
    size: 6,
    decode(raw) {
      const bytes = padded(raw, 6);
      return { handle: readU16(bytes, 0), deviceClass: readClass(bytes, 2) };
    },
  };
}

/** L2CAP_CONNINFO: the link below a connection. @throws SocketError `ENOTCONN` */
export const l2capConninfo = connectionInfo(l2capKey(c.L2CAP_CONNINFO, 'L2CAP_CONNINFO'));

/** L2CAP_LM: link modes, L2CAP_LM_* or-ed together. `btSecurity` is what newer programs use. */
export const l2capLm = uint32Option(l2capKey(c.L2CAP_LM, 'L2CAP_LM'));

/** RFCOMM_CONNINFO: the link below a connection. @throws SocketError `ENOTCONN` */
export const rfcommConninfo = connectionInfo(rfcommKey(c.RFCOMM_CONNINFO, 'RFCOMM_CONNINFO'));

/** RFCOMM_LM: link modes, RFCOMM_LM_* or-ed together. `btSecurity` is what newer programs use. */
export const rfcommLm = uint32Option(rfcommKey(c.RFCOMM_LM, 'RFCOMM_LM'));

/** SCO_OPTIONS: bytes of the largest message, of a connection. @throws SocketError `ENOTCONN` */
export const scoOptions: ReadonlyOption<{ mtu: number }> = {
  level: c.SOL_SCO,
  name: c.SCO_OPTIONS,
  label: 'SCO_OPTIONS',
  size: 2,
  decode: (raw) => ({ mtu: readU16(padded(raw, 2), 0) }),
};

/** SCO_CONNINFO: the link that carries the voice. @throws SocketError `ENOTCONN` */
export const scoConninfo = connectionInfo({ level: c.SOL_SCO, name: c.SCO_CONNINFO, label: 'SCO_CONNINFO' });

/**
 * HCI_FILTER: which packets the channel raw of HCI receives: none at first. Without CAP_NET_RAW only some events
 * pass.
 */
export const hciFilter: SocketOption<HciFilter, Partial<HciFilter>> = {
  ...hciKey(c.HCI_FILTER, 'HCI_FILTER'),
  size: HCI_FILTER_SIZE,
  encode: encodeHciFilter,
  decode: decodeHciFilter,
};

/** HCI_DATA_DIR: packets come with their direction, as its `message`; false at first. */
export const hciDataDir = withMessage(booleanOption(hciKey(c.HCI_DATA_DIR, 'HCI_DATA_DIR')), scmHciDir);

/** HCI_TIME_STAMP: packets come with their times, as its `message`; false at first. */
export const hciTimeStamp = withMessage(booleanOption(hciKey(c.HCI_TIME_STAMP, 'HCI_TIME_STAMP')), scmHciTstamp);
