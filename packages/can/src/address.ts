import {
  type AddressFamily,
  AF_CAN,
  checkBigInt,
  checkInteger,
  checkMembers,
  type InterfaceInput,
  interfaceIndex,
  outOfRange,
  readI32,
  readU32,
  readU64,
  SOCK_DGRAM,
  SOCK_RAW,
  type SocketInfo,
  writeI32,
  writeU32,
  writeU64,
} from '@sock/core';
import {
  CAN_BCM,
  CAN_ISOTP,
  CAN_J1939,
  CAN_RAW,
  J1939_NO_ADDR,
  J1939_NO_NAME,
  J1939_NO_PGN,
  J1939_PGN_MAX,
} from './constants.gen.js';
import { explain } from './explain.js';
import { decodeTransportId, encodeTransportId } from './structures.js';

/** A CAN interface, of CAN_RAW and CAN_BCM. */
export interface CanAddress {
  /** Name, such as `can0`; `''` for all CAN interfaces. */
  readonly interface: string;
}

/** What is accepted as a CAN interface. */
export interface CanInput {
  /** Name, such as `can0`, or index; `''` or 0 (the default) for all CAN interfaces. */
  readonly interface?: InterfaceInput | undefined;
}

/** An interface and the two identifiers of an ISO-TP connection. */
export interface IsotpAddress extends CanAddress {
  /** Identifier of the frames received. 29 bits; CAN_EFF_FLAG marks an extended one of 11 bits or less. */
  readonly rxId: number;
  /** Identifier of the frames sent, likewise. */
  readonly txId: number;
}

/** What is accepted as the address of an ISO-TP connection. */
export interface IsotpInput extends CanInput {
  readonly interface: InterfaceInput;
  /**
   * Identifier of the frames received. More than 11 bits, or CAN_EFF_FLAG, make it extended. 0
   * unless told, for what only sends (CAN_ISOTP_SF_BROADCAST, CAN_ISOTP_CF_BROADCAST).
   */
  readonly rxId?: number | undefined;
  /** Identifier of the frames sent, likewise. 0 unless told, for what only listens (CAN_ISOTP_LISTEN_MODE). */
  readonly txId?: number | undefined;
}

/** A station of a J1939 network, and what it sends or receives. */
export interface J1939Address extends CanAddress {
  /** NAME of the station, J1939_NO_NAME (0) where there is none. `unpackJ1939Name` has its fields. */
  readonly name: bigint;
  /** Parameter group number, J1939_NO_PGN for none in particular. */
  readonly pgn: number;
  /** Address, J1939_NO_ADDR (255) for none; as a destination that is all stations. */
  readonly address: number;
}

/** What is accepted as a J1939 address. */
export interface J1939Input extends CanInput {
  readonly interface: InterfaceInput;
  /** NAME; J1939_NO_NAME unless told. */
  readonly name?: bigint | undefined;
  /**
   * Parameter group number; J1939_NO_PGN unless told. In `bind`, to receive only that group; in
   * `connect` and `sendTo`, the group to send.
   */
  readonly pgn?: number | undefined;
  /** Address; J1939_NO_ADDR unless told. */
  readonly address?: number | undefined;
}

// offsets in a struct sockaddr_can; source: linux/can.h
const IFINDEX = 4;
const RX_ID = 8;
const TX_ID = 12;
const NAME = 8;
const PGN = 16;
const ADDR = 20;
/** Bytes up to the identifiers, which is what every kernel with AF_CAN takes. */
const SIZE = 16;
const SIZE_J1939 = 24;

const NAME_MAX = 0xffff_ffff_ffff_ffffn;

function writeInterface(input: unknown, into: Uint8Array, socket: SocketInfo): number {
  const index = interfaceIndex('address.interface', input, socket);
  writeI32(into, index, IFINDEX);
  return index;
}

// transport protocols work on one interface
function writeOneInterface(input: unknown, into: Uint8Array, socket: SocketInfo): void {
  if (writeInterface(input, into, socket) !== 0) return;
  throw outOfRange('address.interface', 'the name or the index of a CAN interface', input);
}

function checkLength(sockaddr: Uint8Array, size: number): void {
  if (sockaddr.length < size) throw outOfRange('sockaddr', `${size} bytes`, sockaddr.length);
}

function readInterface(sockaddr: Uint8Array, socket: SocketInfo): string {
  checkLength(sockaddr, IFINDEX + 4);
  const index = readI32(sockaddr, IFINDEX);
  if (index === 0) return '';
  const name = socket.interfaceName(index);
  // not '': that would be all interfaces
  if (name === undefined) throw outOfRange('sockaddr', 'an interface that is still there', index);
  return name;
}

const INTERFACE_MEMBERS = ['interface'];
const ISOTP_MEMBERS = ['interface', 'rxId', 'txId'];
const J1939_MEMBERS = ['interface', 'name', 'pgn', 'address'];

const interfaceCodec = {
  domain: AF_CAN,
  encode(input: CanInput, into: Uint8Array, socket: SocketInfo): number {
    checkMembers('address', input, INTERFACE_MEMBERS);
    writeInterface(input.interface, into, socket);
    return SIZE;
  },
  decode: (sockaddr: Uint8Array, socket: SocketInfo): CanAddress => ({ interface: readInterface(sockaddr, socket) }),
  format: ({ interface: name }: CanAddress): string => (name === '' ? '(all CAN interfaces)' : name),
  explain,
};

/**
 * CAN_RAW: frames as they are on the bus. `new Socket(canRaw)`; `CanRawSocket` speaks its frames.
 * Source: kernel, networking/can.
 */
export const canRaw: AddressFamily<CanAddress, CanInput> = {
  ...interfaceCodec,
  name: 'canRaw',
  type: SOCK_RAW,
  protocol: CAN_RAW,
};

/**
 * CAN_BCM: the broadcast manager. It is connected rather than bound; an address with a message names
 * the interface of a job where the socket is connected to all. `BcmSocket` speaks its messages.
 * Source: kernel, networking/can.
 */
export const bcm: AddressFamily<CanAddress, CanInput> = {
  ...interfaceCodec,
  name: 'bcm',
  type: SOCK_DGRAM,
  protocol: CAN_BCM,
};

const hexId = (id: number): string => id.toString(16).toUpperCase().padStart(3, '0');

/** CAN_ISOTP: the transport protocol of ISO 15765-2. `new Socket(isotp)`. Source: kernel, networking/iso15765-2. */
export const isotp: AddressFamily<IsotpAddress, IsotpInput> = {
  name: 'isotp',
  domain: AF_CAN,
  type: SOCK_DGRAM,
  protocol: CAN_ISOTP,
  encode(input, into, socket) {
    checkMembers('address', input, ISOTP_MEMBERS);
    const { rxId = 0, txId = 0 } = input;
    writeU32(into, encodeTransportId('address.rxId', rxId), RX_ID);
    writeU32(into, encodeTransportId('address.txId', txId), TX_ID);
    writeOneInterface(input.interface, into, socket);
    return SIZE;
  },
  decode(sockaddr, socket) {
    checkLength(sockaddr, TX_ID + 4);
    return {
      interface: readInterface(sockaddr, socket),
      rxId: decodeTransportId(readU32(sockaddr, RX_ID)),
      txId: decodeTransportId(readU32(sockaddr, TX_ID)),
    };
  },
  format: ({ interface: name, rxId, txId }) => `${name} rx ${hexId(rxId)} tx ${hexId(txId)}`,
  explain,
};

/** CAN_J1939: SAE J1939. `new Socket(j1939)`. Source: kernel, networking/j1939. */
export const j1939: AddressFamily<J1939Address, J1939Input> = {
  name: 'j1939',
  domain: AF_CAN,
  type: SOCK_DGRAM,
  protocol: CAN_J1939,
  encode(input, into, socket) {
    checkMembers('address', input, J1939_MEMBERS);
    const { name = BigInt(J1939_NO_NAME), pgn = J1939_NO_PGN, address = J1939_NO_ADDR } = input;
    writeU64(into, checkBigInt('address.name', name, 0n, NAME_MAX), NAME);
    writeU32(into, checkPgn('address.pgn', pgn), PGN);
    into[ADDR] = checkInteger('address.address', address, 0, 255);
    writeOneInterface(input.interface, into, socket);
    return SIZE_J1939;
  },
  decode(sockaddr, socket) {
    checkLength(sockaddr, ADDR + 1);
    return {
      interface: readInterface(sockaddr, socket),
      name: readU64(sockaddr, NAME),
      pgn: readU32(sockaddr, PGN),
      address: sockaddr[ADDR] as number,
    };
  },
  format({ interface: name, name: station, pgn, address }) {
    const parts = [name === '' ? '(no interface)' : name];
    if (station !== 0n) parts.push(`name ${station.toString(16).padStart(16, '0')}`);
    if (address !== J1939_NO_ADDR) parts.push(`address ${address}`);
    if (pgn !== J1939_NO_PGN) parts.push(`pgn ${pgn}`);
    return parts.join(' ');
  },
  explain,
};

function checkPgn(argument: string, pgn: unknown): number {
  if (pgn === J1939_NO_PGN) return J1939_NO_PGN;
  return checkInteger(argument, pgn, 0, J1939_PGN_MAX);
}
