import { checkInteger, readText, readU16, readU32, Socket, SocketError, writeU16, writeU32 } from '@sock/core';
import { hci } from './address.js';
import { addressAt } from './bdaddr.js';
import * as c from './constants.gen.js';

// Requests of ioctl(2) that concern controllers. Source: bluetooth/hci.h of BlueZ.

/** Counters of a controller. Source: `struct hci_dev_stats`. */
export interface HciDeviceStats {
  /** Errors in receiving and sending. */
  errRx: number;
  errTx: number;
  /** Commands sent, events received. */
  cmdTx: number;
  evtRx: number;
  /** Packets of data sent and received. */
  aclTx: number;
  aclRx: number;
  /** Packets of voice sent and received. */
  scoTx: number;
  scoRx: number;
  byteRx: number;
  byteTx: number;
}

/** A controller. Source: `struct hci_dev_info`. */
export interface HciDeviceInfo {
  /** Number, 0 for hci0. */
  device: number;
  /** Such as `hci0`. */
  name: string;
  /** BDADDR_ANY while it has not been up yet. */
  address: string;
  /** Whether it is up. */
  up: boolean;
  /** Bits numbered by HCI_UP, HCI_PSCAN and so on. */
  flags: number;
  /** How it is connected: HCI_VIRTUAL, HCI_USB and so on. */
  bus: number;
  /** HCI_PRIMARY or HCI_AMP. */
  type: number;
  /** LMP features, 8 bytes. */
  features: Buffer;
  packetTypes: number;
  linkPolicy: number;
  linkMode: number;
  /** Bytes of a packet of data, and packets that it has room for. */
  aclMtu: number;
  aclPackets: number;
  /** Bytes of a packet of voice, and packets that it has room for. */
  scoMtu: number;
  scoPackets: number;
  stats: HciDeviceStats;
}

/** A connection of a controller. Source: `struct hci_conn_info`. */
export interface HciConnection {
  handle: number;
  /** Of the other end. */
  address: string;
  /** SCO_LINK, ACL_LINK, ESCO_LINK, 0x80 for LE. */
  type: number;
  /** Whether it was made from here. */
  outgoing: boolean;
  /** Of the kernel: 1 connected, 5 to 7 on the way. */
  state: number;
  /** Link modes, as L2CAP_LM_*. */
  linkMode: number;
}

const DEVICES_MAX = 64;
const INFO_SIZE = 92;
const STATS = 52;
const REQUEST_SIZE = 8;
const CONNECTIONS_MAX = 64;
const CONNECTION_SIZE = 16;

const checkDevice = (device: unknown): number => checkInteger('device', device, 0, c.HCI_DEV_NONE - 1);

// any socket will do, and it need not be bound
function request(number: number, argument: number | Uint8Array): void {
  using socket = new Socket(hci);
  socket.ioctl(number, argument);
}

function readStats(bytes: Uint8Array): HciDeviceStats {
  const counter = (i: number) => readU32(bytes, STATS + 4 * i);
  return {
    errRx: counter(0),
    errTx: counter(1),
    cmdTx: counter(2),
    evtRx: counter(3),
    aclTx: counter(4),
    aclRx: counter(5),
    scoTx: counter(6),
    scoRx: counter(7),
    byteRx: counter(8),
    byteTx: counter(9),
  };
}

/** A controller. @throws SocketError `ENODEV` */
export function hciDeviceInfo(device: number): HciDeviceInfo {
  const bytes = Buffer.alloc(INFO_SIZE);
  writeU16(bytes, checkDevice(device), 0);
  request(c.HCIGETDEVINFO, bytes);
  const flags = readU32(bytes, 16);
  const kind = bytes[20] as number;
  return {
    device: readU16(bytes, 0),
    name: readText(bytes.subarray(2, 10)),
    address: addressAt(bytes, 10),
    up: ((flags >>> c.HCI_UP) & 1) === 1,
    flags,
    bus: kind & 0x0f,
    type: (kind >> 4) & 0x03,
    features: Buffer.from(bytes.subarray(21, 29)),
    packetTypes: readU32(bytes, 32),
    linkPolicy: readU32(bytes, 36),
    linkMode: readU32(bytes, 40),
    aclMtu: readU16(bytes, 44),
    aclPackets: readU16(bytes, 46),
    scoMtu: readU16(bytes, 48),
    scoPackets: readU16(bytes, 50),
    stats: readStats(bytes),
  };
}

/** Numbers of the controllers of this machine. */
export function hciDevices(): number[] {
  const bytes = Buffer.alloc(4 + DEVICES_MAX * REQUEST_SIZE);
  writeU16(bytes, DEVICES_MAX, 0);
  request(c.HCIGETDEVLIST, bytes);
  const count = Math.min(readU16(bytes, 0), DEVICES_MAX);
  return Array.from({ length: count }, (_, i) => readU16(bytes, 4 + i * REQUEST_SIZE)).sort((a, b) => a - b);
}

/** Connections of a controller. @throws SocketError `ENODEV` */
export function hciConnections(device: number): HciConnection[] {
  const bytes = Buffer.alloc(4 + CONNECTIONS_MAX * CONNECTION_SIZE);
  writeU16(bytes, checkDevice(device), 0);
  writeU16(bytes, CONNECTIONS_MAX, 2);
  request(c.HCIGETCONNLIST, bytes);
  const count = Math.min(readU16(bytes, 2), CONNECTIONS_MAX);
  return Array.from({ length: count }, (_, i) => {
    const at = 4 + i * CONNECTION_SIZE;
    return {
      handle: readU16(bytes, at),
      address: addressAt(bytes, at + 2),
      type: bytes[at + 8] as number,
      outgoing: bytes[at + 9] !== 0,
      state: readU16(bytes, at + 10),
      linkMode: readU32(bytes, at + 12),
    };
  });
}

/**
 * Takes a controller up; nothing is done to one that is up, but that the kernel, which takes new ones up to get to
 * know them, leaves it so. Blocks the thread until the controller has answered; `mgmtSetPowered` does not.
 * @throws SocketError `ENODEV`, `EPERM` (CAP_NET_ADMIN), `ETIMEDOUT`, `ERFKILL`
 */
export function hciDeviceUp(device: number): void {
  try {
    request(c.HCIDEVUP, checkDevice(device));
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'EALREADY') throw error;
  }
}

/** Takes a controller down; its connections end. @throws SocketError `ENODEV`, `EPERM` */
export function hciDeviceDown(device: number): void {
  request(c.HCIDEVDOWN, checkDevice(device));
}

/** Resets a controller that is up; its connections end. @throws SocketError `ENODEV`, `ENETDOWN`, `EPERM` */
export function hciDeviceReset(device: number): void {
  request(c.HCIDEVRESET, checkDevice(device));
}

/** Clears the counters of a controller. @throws SocketError `ENODEV`, `EPERM` */
export function hciDeviceResetStats(device: number): void {
  request(c.HCIDEVRESTAT, checkDevice(device));
}

function set(number: number, device: number, value: number): void {
  const bytes = new Uint8Array(REQUEST_SIZE);
  writeU16(bytes, checkDevice(device), 0);
  writeU32(bytes, value, 4);
  request(number, bytes);
}

/** Whether others find and reach a controller: SCAN_INQUIRY and SCAN_PAGE, or-ed together. @throws SocketError `ENODEV`, `EPERM` */
export function hciSetScan(device: number, scan: number): void {
  set(c.HCISETSCAN, device, checkInteger('scan', scan, 0, c.SCAN_INQUIRY | c.SCAN_PAGE));
}

// sizes are two 16-bit integers in the place of one of 32 bits
function setMtu(number: number, device: number, mtu: number, packets: number): void {
  const bytes = new Uint8Array(4);
  writeU16(bytes, checkInteger('packets', packets, 0, 0xffff), 0);
  writeU16(bytes, checkInteger('mtu', mtu, 0, 0xffff), 2);
  set(number, device, readU32(bytes, 0));
}

/** Bytes of a packet of voice, and packets that a controller has room for. @throws SocketError `ENODEV`, `EPERM` */
export function hciSetScoMtu(device: number, mtu: number, packets: number): void {
  setMtu(c.HCISETSCOMTU, device, mtu, packets);
}

/** As `hciSetScoMtu`, of packets of data. */
export function hciSetAclMtu(device: number, mtu: number, packets: number): void {
  setMtu(c.HCISETACLMTU, device, mtu, packets);
}
