import {
  type AddressFamily,
  AF_BLUETOOTH,
  checkInteger,
  checkMembers,
  checkOneOf,
  invalidArgumentType,
  outOfRange,
  readU16,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  writeU16,
} from '@sock/core';
import { addressAt, str2ba } from './bdaddr.js';
import {
  BDADDR_ANY,
  BDADDR_BREDR,
  BDADDR_LE_PUBLIC,
  BDADDR_LE_RANDOM,
  BTPROTO_HCI,
  BTPROTO_ISO,
  BTPROTO_L2CAP,
  BTPROTO_RFCOMM,
  BTPROTO_SCO,
  HCI_CHANNEL_CONTROL,
  HCI_CHANNEL_LOGGING,
  HCI_CHANNEL_MONITOR,
  HCI_CHANNEL_RAW,
  HCI_CHANNEL_USER,
  HCI_DEV_NONE,
} from './constants.gen.js';
import { explain } from './explain.js';
import { readU16LE, writeU16LE } from './structures.js';

/** Whose address it is: of BR/EDR, or of LE, given by the maker or random. */
export type AddressType = 'bredr' | 'public' | 'random';

/** An L2CAP channel, or the service to connect to. */
export interface L2capAddress {
  /** Device address, such as `00:AA:01:00:00:42`; BDADDR_ANY for any adapter of this machine. */
  readonly address: string;
  /** Protocol and service, 0 for none. */
  readonly psm: number;
  /** Number of the channel, 0 for none yet. */
  readonly cid: number;
  readonly addressType: AddressType;
}

/** What is accepted as an L2CAP address. */
export interface L2capInput {
  /** Device address; BDADDR_ANY unless told: any adapter of this machine. */
  readonly address?: string | undefined;
  /**
   * Protocol and service: odd, with an even upper byte, from 0x1001 for everybody; on LE 0x80 to 0xff for
   * everybody. 0, which `bind` takes as one of its own choice, unless told.
   */
  readonly psm?: number | undefined;
  /**
   * Number of a fixed channel, instead of a `psm`; 0 unless told. Where there is a `psm` it is passed over: an
   * address that the kernel gave has both.
   */
  readonly cid?: number | undefined;
  /** `'bredr'` unless told. */
  readonly addressType?: AddressType | undefined;
}

/** An RFCOMM channel. */
export interface RfcommAddress {
  /** Device address; BDADDR_ANY for any adapter of this machine. */
  readonly address: string;
  /** 1 to 30. */
  readonly channel: number;
}

/** What is accepted as an RFCOMM address. */
export interface RfcommInput {
  /** Device address; BDADDR_ANY unless told. */
  readonly address?: string | undefined;
  /** 1 to 30; 0, which `bind` leaves open and `listen` chooses, unless told. */
  readonly channel?: number | undefined;
}

/** What of the kernel an HCI socket talks to. */
export type HciChannel = 'raw' | 'user' | 'monitor' | 'control' | 'logging';

/** A controller and a channel. */
export interface HciAddress {
  /** Number of the controller, 0 for hci0; −1 for none in particular. */
  readonly device: number;
  readonly channel: HciChannel;
}

/** What is accepted as an HCI address. */
export interface HciInput {
  /** Number of the controller; −1, none in particular, unless told. */
  readonly device?: number | undefined;
  /** `'raw'` unless told. */
  readonly channel?: HciChannel | undefined;
}

/** A device that voice goes to or comes from. */
export interface ScoAddress {
  /** Device address; BDADDR_ANY for any adapter of this machine. */
  readonly address: string;
}

/** What is accepted as a SCO address. */
export interface ScoInput {
  /** Device address; BDADDR_ANY unless told. */
  readonly address?: string | undefined;
}

/** The broadcast of an ISO address. */
export interface IsoBroadcast {
  /** Address of whom to listen to. */
  readonly address: string;
  readonly addressType: AddressType;
  /** Number of the advertising set, 0 to 15. */
  readonly sid: number;
  /** Numbers of the streams to synchronize to, at most 31. */
  readonly bis: readonly number[];
}

/** An ISO channel. */
export interface IsoAddress {
  readonly address: string;
  readonly addressType: AddressType;
  /** Absent for a connection. */
  readonly broadcast?: IsoBroadcast | undefined;
}

/** What is accepted as an ISO address. */
export interface IsoInput {
  /** Device address; BDADDR_ANY unless told: to connect to it broadcasts. */
  readonly address?: string | undefined;
  /** `'public'` unless told. */
  readonly addressType?: AddressType | undefined;
  /** In `bind`: the broadcast to listen to. */
  readonly broadcast?:
    | {
        readonly address: string;
        readonly addressType?: AddressType | undefined;
        readonly sid?: number | undefined;
        readonly bis?: readonly number[] | undefined;
      }
    | undefined;
}

const TYPES: Readonly<Record<AddressType, number>> = {
  bredr: BDADDR_BREDR,
  public: BDADDR_LE_PUBLIC,
  random: BDADDR_LE_RANDOM,
};
const TYPE_NAMES = Object.keys(TYPES) as AddressType[];

/** The number of an address type. */
export function encodeType(argument: string, type: AddressType, accepted: readonly AddressType[] = TYPE_NAMES): number {
  return TYPES[checkOneOf(argument, type, accepted)];
}

/** The address type of a number, `undefined` for one that is none. */
export const decodeType = (value: number | undefined): AddressType | undefined =>
  TYPE_NAMES.find((name) => TYPES[name] === value);

function knownType(value: number | undefined): AddressType {
  const type = decodeType(value);
  if (type === undefined) throw outOfRange('sockaddr', 'an address type known here', value);
  return type;
}

const CHANNELS: Readonly<Record<HciChannel, number>> = {
  raw: HCI_CHANNEL_RAW,
  user: HCI_CHANNEL_USER,
  monitor: HCI_CHANNEL_MONITOR,
  control: HCI_CHANNEL_CONTROL,
  logging: HCI_CHANNEL_LOGGING,
};
const CHANNEL_NAMES = Object.keys(CHANNELS) as HciChannel[];

function checkLength(sockaddr: Uint8Array, size: number): void {
  if (sockaddr.length < size) throw outOfRange('sockaddr', `${size} bytes`, sockaddr.length);
}

function writeAddress(into: Uint8Array, address: string | undefined, offset: number, argument = 'address.address') {
  into.set(str2ba(address ?? BDADDR_ANY, argument), offset);
}

const typeText = (type: AddressType): string => (type === 'bredr' ? '' : ` (${type})`);

/**
 * L2CAP: messages (SOCK_SEQPACKET, unless another type is asked for) or a stream over a channel of BR/EDR
 * or LE, messages without a connection (SOCK_DGRAM). Source: `struct sockaddr_l2`.
 */
export const l2cap: AddressFamily<L2capAddress, L2capInput> = {
  name: 'l2cap',
  domain: AF_BLUETOOTH,
  type: SOCK_SEQPACKET,
  protocol: BTPROTO_L2CAP,
  endsOnce: true,
  endsEarly: true,
  encode(input, into) {
    checkMembers('address', input, ['address', 'psm', 'cid', 'addressType']);
    const psm = checkInteger('address.psm', input.psm ?? 0, 0, 0xffff);
    const cid = checkInteger('address.cid', input.cid ?? 0, 0, 0xffff);
    const type = encodeType('address.addressType', input.addressType ?? 'bredr');
    writeAddress(into, input.address, 4);
    writeU16LE(into, psm, 2);
    // the kernel takes one or the other, and gives both
    if (psm === 0) writeU16LE(into, cid, 10);
    into[12] = type;
    return 14;
  },
  decode(sockaddr) {
    checkLength(sockaddr, 13);
    return {
      address: addressAt(sockaddr, 4),
      psm: readU16LE(sockaddr, 2),
      cid: readU16LE(sockaddr, 10),
      addressType: knownType(sockaddr[12]),
    };
  },
  format({ address, psm, cid, addressType }) {
    const parts = [`${address}${typeText(addressType)}`];
    if (psm !== 0) parts.push(`psm ${psm}`);
    else if (cid !== 0) parts.push(`cid ${cid}`);
    return parts.join(' ');
  },
  explain,
};

/** RFCOMM: a stream to one of 30 channels of a device. Source: `struct sockaddr_rc`. */
export const rfcomm: AddressFamily<RfcommAddress, RfcommInput> = {
  name: 'rfcomm',
  domain: AF_BLUETOOTH,
  type: SOCK_STREAM,
  protocol: BTPROTO_RFCOMM,
  endsOnce: true,
  encode(input, into) {
    checkMembers('address', input, ['address', 'channel']);
    into[8] = checkInteger('address.channel', input.channel ?? 0, 0, 30);
    writeAddress(into, input.address, 2);
    return 10;
  },
  decode(sockaddr) {
    checkLength(sockaddr, 9);
    return { address: addressAt(sockaddr, 2), channel: sockaddr[8] as number };
  },
  format: ({ address, channel }) => `${address} channel ${channel}`,
  explain,
};

/** HCI: a controller itself, or what the kernel tells of all. Source: `struct sockaddr_hci`. */
export const hci: AddressFamily<HciAddress, HciInput> = {
  name: 'hci',
  domain: AF_BLUETOOTH,
  type: SOCK_RAW,
  protocol: BTPROTO_HCI,
  encode(input, into) {
    checkMembers('address', input, ['device', 'channel']);
    const device = checkInteger('address.device', input.device ?? -1, -1, HCI_DEV_NONE - 1);
    writeU16(into, CHANNELS[checkOneOf('address.channel', input.channel ?? 'raw', CHANNEL_NAMES)], 4);
    writeU16(into, device === -1 ? HCI_DEV_NONE : device, 2);
    return 6;
  },
  decode(sockaddr) {
    checkLength(sockaddr, 6);
    const number = readU16(sockaddr, 4);
    const channel = CHANNEL_NAMES.find((name) => CHANNELS[name] === number);
    if (channel === undefined) throw outOfRange('sockaddr', 'a channel known here', number);
    const device = readU16(sockaddr, 2);
    return { device: device === HCI_DEV_NONE ? -1 : device, channel };
  },
  format: ({ device, channel }) => `${device === -1 ? '(no device)' : `hci${device}`} ${channel}`,
  explain,
};

/** SCO: voice, in messages, over a link of BR/EDR. Source: `struct sockaddr_sco`. */
export const sco: AddressFamily<ScoAddress, ScoInput> = {
  name: 'sco',
  domain: AF_BLUETOOTH,
  type: SOCK_SEQPACKET,
  protocol: BTPROTO_SCO,
  endsOnce: true,
  encode(input, into) {
    checkMembers('address', input, ['address']);
    writeAddress(into, input.address, 2);
    return 8;
  },
  decode(sockaddr) {
    checkLength(sockaddr, 8);
    return { address: addressAt(sockaddr, 2) };
  },
  format: ({ address }) => address,
  explain,
};

// offsets in a struct sockaddr_iso, behind which there may be a struct sockaddr_iso_bc
const ISO_SIZE = 10;
const BROADCAST = 9;
const BROADCAST_SIZE = 40;
const BIS_MAX = 31;
const LE_TYPES: readonly AddressType[] = ['public', 'random'];

function encodeBroadcast(broadcast: NonNullable<IsoInput['broadcast']>, into: Uint8Array): void {
  checkMembers('address.broadcast', broadcast, ['address', 'addressType', 'sid', 'bis']);
  const { address, addressType = 'public', sid = 0, bis = [] } = broadcast;
  if (!Array.isArray(bis)) throw invalidArgumentType('address.broadcast.bis', 'an array of stream numbers', bis);
  if (bis.length > BIS_MAX) throw outOfRange('address.broadcast.bis', `at most ${BIS_MAX} streams`, bis.length);
  const streams = bis.map((one, i) => checkInteger(`address.broadcast.bis[${i}]`, one, 1, BIS_MAX));
  into.set(str2ba(address, 'address.broadcast.address'), BROADCAST);
  into[BROADCAST + 6] = encodeType('address.broadcast.addressType', addressType, LE_TYPES);
  into[BROADCAST + 7] = checkInteger('address.broadcast.sid', sid, 0, 15);
  into[BROADCAST + 8] = streams.length;
  into.set(streams, BROADCAST + 9);
}

function decodeBroadcast(sockaddr: Uint8Array): IsoBroadcast {
  const count = Math.min(sockaddr[BROADCAST + 8] as number, BIS_MAX);
  return {
    address: addressAt(sockaddr, BROADCAST),
    addressType: knownType(sockaddr[BROADCAST + 6]),
    sid: sockaddr[BROADCAST + 7] as number,
    bis: Array.from(sockaddr.subarray(BROADCAST + 9, BROADCAST + 9 + count)),
  };
}

/**
 * ISO: isochronous messages over LE, to a device or broadcast. Linux 6.0, where the management interface has
 * enabled them (`mgmtSetExpFeature`). Source: `struct sockaddr_iso`.
 */
export const iso: AddressFamily<IsoAddress, IsoInput> = {
  name: 'iso',
  domain: AF_BLUETOOTH,
  type: SOCK_SEQPACKET,
  protocol: BTPROTO_ISO,
  endsOnce: true,
  encode(input, into) {
    checkMembers('address', input, ['address', 'addressType', 'broadcast']);
    const type = encodeType('address.addressType', input.addressType ?? 'public', LE_TYPES);
    if (input.broadcast !== undefined) encodeBroadcast(input.broadcast, into);
    writeAddress(into, input.address, 2);
    into[8] = type;
    return input.broadcast === undefined ? ISO_SIZE : ISO_SIZE + BROADCAST_SIZE;
  },
  decode(sockaddr) {
    checkLength(sockaddr, 9);
    const address = { address: addressAt(sockaddr, 2), addressType: knownType(sockaddr[8]) };
    if (sockaddr.length < ISO_SIZE + BROADCAST_SIZE) return address;
    return { ...address, broadcast: decodeBroadcast(sockaddr) };
  },
  format({ address, addressType, broadcast }) {
    const own = `${address}${typeText(addressType)}`;
    return broadcast === undefined ? own : `${own} broadcast of ${broadcast.address} sid ${broadcast.sid}`;
  },
  explain,
};
