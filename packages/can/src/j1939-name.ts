import { checkBigInt, checkBoolean, checkInteger, checkObject, outOfRange } from '@sock/core';
import { CAN_EFF_MASK, J1939_NO_ADDR, J1939_PGN_MAX } from './constants.gen.js';

/** The fields of a NAME, by which a station is known. Source: SAE J1939-81, ISO 11783-5. */
export interface J1939Name {
  /** Number that the manufacturer gave: 21 bits. */
  identityNumber: number;
  /** 11 bits. */
  manufacturerCode: number;
  /** Which of several units with one function: 3 bits. */
  ecuInstance: number;
  /** Which of several such functions: 5 bits. */
  functionInstance: number;
  /** 8 bits. */
  function: number;
  /** 7 bits. */
  vehicleSystem: number;
  /** Which of several such systems: 4 bits. */
  vehicleSystemInstance: number;
  /** 3 bits. */
  industryGroup: number;
  /** Whether the station may choose among addresses. */
  arbitraryAddressCapable: boolean;
}

type NumberField = Exclude<keyof J1939Name, 'arbitraryAddressCapable'>;

const FIELDS: readonly (readonly [field: NumberField, shift: bigint, bits: number])[] = [
  ['identityNumber', 0n, 21],
  ['manufacturerCode', 21n, 11],
  ['ecuInstance', 32n, 3],
  ['functionInstance', 35n, 5],
  ['function', 40n, 8],
  ['vehicleSystem', 49n, 7],
  ['vehicleSystemInstance', 56n, 4],
  ['industryGroup', 60n, 3],
];
const ARBITRARY = 63n;

/** A NAME of its fields; those left out are 0. @throws TypeError, RangeError naming the field */
export function packJ1939Name(fields: Partial<J1939Name>): bigint {
  const { arbitraryAddressCapable = false } = checkObject('fields', fields);
  let name = checkBoolean('fields.arbitraryAddressCapable', arbitraryAddressCapable) ? 1n << ARBITRARY : 0n;
  for (const [field, shift, bits] of FIELDS) {
    name |= BigInt(checkInteger(`fields.${field}`, fields[field] ?? 0, 0, 2 ** bits - 1)) << shift;
  }
  return name;
}

/** The fields of a NAME. */
export function unpackJ1939Name(name: bigint): J1939Name {
  const bits64 = checkBigInt('name', name, 0n, 0xffff_ffff_ffff_ffffn);
  const values = FIELDS.map(([field, shift, bits]) => [field, Number((bits64 >> shift) & BigInt(2 ** bits - 1))]);
  return {
    ...(Object.fromEntries(values) as Record<NumberField, number>),
    arbitraryAddressCapable: bits64 >> ARBITRARY === 1n,
  };
}

/** What the 29 bits of an identifier say in a J1939 network. Source: SAE J1939-21. */
export interface J1939Id {
  /** 0 (first) to 7. */
  priority: number;
  /** Parameter group number, without a destination. */
  pgn: number;
  /** Destination; J1939_NO_ADDR (255) for all, as of every group of PDU2 format. */
  destination: number;
  /** The sender's address. */
  source: number;
}

/** Groups whose format byte is below go to one destination, which is their last byte (PDU1). */
const PDU2 = 240;

/** Whether messages of a group have a destination (PDU1 format), rather than go to all (PDU2). */
export function isPdu1(pgn: number): boolean {
  return ((checkInteger('pgn', pgn, 0, J1939_PGN_MAX) >> 8) & 0xff) < PDU2;
}

/** The 29 bits of an identifier. @throws TypeError, RangeError naming the member of `parts` */
export function packJ1939Id(parts: Partial<J1939Id> & Pick<J1939Id, 'pgn'>): number {
  const { priority = 6, pgn, destination = J1939_NO_ADDR, source = J1939_NO_ADDR } = checkObject('parts', parts);
  checkInteger('parts.pgn', pgn, 0, J1939_PGN_MAX);
  const directed = isPdu1(pgn);
  if (directed && (pgn & 0xff) !== 0) {
    throw outOfRange('parts.pgn', 'one with 0 as its last byte: groups below 0xf000 have their destination there', pgn);
  }
  const to = checkInteger('parts.destination', destination, directed ? 0 : J1939_NO_ADDR, 0xff);
  return (
    ((checkInteger('parts.priority', priority, 0, 7) << 26) |
      ((directed ? pgn | to : pgn) << 8) |
      checkInteger('parts.source', source, 0, 0xff)) >>>
    0
  );
}

/** What an identifier of 29 bits says. */
export function unpackJ1939Id(id: number): J1939Id {
  checkInteger('id', id, 0, CAN_EFF_MASK);
  const group = (id >> 8) & J1939_PGN_MAX;
  const directed = isPdu1(group);
  return {
    priority: id >> 26,
    pgn: directed ? group & ~0xff : group,
    destination: directed ? group & 0xff : J1939_NO_ADDR,
    source: id & 0xff,
  };
}
