import { checkInteger, checkObject, invalidArgumentType, readU32, writeU32 } from '@sock/core';
import { readU16LE, writeU16LE } from './structures.js';

/** Which packets the channel raw receives. Source: `struct hci_filter`. */
export interface HciFilter {
  /** Types of packets, HCI_COMMAND_PKT to HCI_ISODATA_PKT, and HCI_VENDOR_PKT; `'all'` for all. */
  types: readonly number[] | 'all';
  /** Codes of the events, EVT_*; `'all'` for all. */
  events: readonly number[] | 'all';
  /** The command whose completion to receive; 0 for all. Other events are not concerned. */
  opcode: number;
}

/** Bytes of a struct hci_filter. */
export const HCI_FILTER_SIZE = 16;

// the kernel looks at the lower bits only, and has a bit of its own for packets of makers
const typeBit = (type: number): number => (type === 0xff ? 0 : type & 31);
const eventBit = (event: number): number => event & 63;
const ALL = 0xffffffff;

function bits(argument: string, values: unknown, max: number, bit: (value: number) => number): [number, number] {
  if (values === 'all') return [ALL, ALL];
  if (!Array.isArray(values)) throw invalidArgumentType(argument, "an array of numbers, or 'all'", values);
  const words: [number, number] = [0, 0];
  for (const [i, value] of values.entries()) {
    const at = bit(checkInteger(`${argument}[${i}]`, value, 0, max));
    words[at >> 5] = ((words[at >> 5] as number) | (1 << (at & 31))) >>> 0;
  }
  return words;
}

/** A filter as the kernel takes it. What is left out matches everything. */
export function encodeHciFilter(value: Partial<HciFilter>): Uint8Array {
  const { types = 'all', events = 'all', opcode = 0 } = checkObject('value', value);
  const bytes = new Uint8Array(HCI_FILTER_SIZE);
  writeU32(bytes, bits('value.types', types, 0xff, typeBit)[0], 0);
  const [low, high] = bits('value.events', events, 0x3f, eventBit);
  writeU32(bytes, low, 4);
  writeU32(bytes, high, 8);
  writeU16LE(bytes, checkInteger('value.opcode', opcode, 0, 0xffff), 12);
  return bytes;
}

function numbers(low: number, high: number): number[] | 'all' {
  if (low === ALL && high === ALL) return 'all';
  const set: number[] = [];
  for (let i = 0; i < 64; i++) if (((i < 32 ? low : high) >>> (i & 31)) & 1) set.push(i);
  return set;
}

/** What the kernel gave; what it left out matches nothing. */
export function decodeHciFilter(raw: Uint8Array): HciFilter {
  const bytes = new Uint8Array(HCI_FILTER_SIZE);
  bytes.set(raw.subarray(0, HCI_FILTER_SIZE));
  const types = readU32(bytes, 0);
  const kinds = types === ALL ? 'all' : numbers(types, 0);
  return {
    types: kinds === 'all' ? kinds : kinds.map((type) => (type === 0 ? 0xff : type)),
    events: numbers(readU32(bytes, 4), readU32(bytes, 8)),
    opcode: readU16LE(bytes, 12),
  };
}
