import { checkInteger, checkObject, readU16, readU32, writeU16, writeU32 } from '@sock/core';
import { BT_ISO_QOS_CIG_UNSET, BT_ISO_QOS_CIS_UNSET } from './constants.gen.js';

/** One direction of an ISO connection. Source: `struct bt_iso_io_qos`. */
export interface IsoDirection {
  /** Microseconds between messages. */
  interval: number;
  /** Milliseconds that a message takes at most. */
  latency: number;
  /** Bytes of the largest message; 0 for a direction that is not used. */
  sdu: number;
  /** Radio modes, 1 for 1M, 2 for 2M, 4 for coded, or-ed together. */
  phy: number;
  /** Times that something is sent again at most. */
  rtn: number;
}

/** Quality of service of an ISO connection; of a broadcast in the same places. Source: `struct bt_iso_qos`. */
export interface IsoQos {
  /** Group, of a broadcast the broadcast group; BT_ISO_QOS_CIG_UNSET for one that the kernel chooses. */
  cig: number;
  /** Stream, of a broadcast the broadcast stream; BT_ISO_QOS_CIS_UNSET for one that the kernel chooses. */
  cis: number;
  /** Accuracy of the peer's clock; of a broadcast the interval of synchronization. */
  sca: number;
  /** 1: streams are interleaved, 0: one after the other. */
  packing: number;
  /** 1: framed, 0: unframed. */
  framing: number;
  /** From the peer. */
  in: IsoDirection;
  /** To the peer. */
  out: IsoDirection;
}

/** What is accepted as quality of service: what is left out has the kernel's default value. */
export interface IsoQosInput extends Partial<Omit<IsoQos, 'in' | 'out'>> {
  in?: Partial<IsoDirection> | undefined;
  out?: Partial<IsoDirection> | undefined;
}

/** Bytes of the structure, with what newer kernels have behind it for broadcasts. */
export const ISO_QOS_SIZE = 60;
const IN = 8;
const OUT = 20;

const DIRECTION: IsoDirection = { interval: 10_000, latency: 10, sdu: 40, phy: 2, rtn: 2 };
const DEFAULTS = { cig: BT_ISO_QOS_CIG_UNSET, cis: BT_ISO_QOS_CIS_UNSET, sca: 0, packing: 0, framing: 0 };

function writeDirection(bytes: Uint8Array, at: number, name: string, value: Partial<IsoDirection> = {}): void {
  const { interval, latency, sdu, phy, rtn } = { ...DIRECTION, ...checkObject(name, value) };
  writeU32(bytes, checkInteger(`${name}.interval`, interval, 0, 0xfffff), at);
  writeU16(bytes, checkInteger(`${name}.latency`, latency, 0, 0xffff), at + 4);
  writeU16(bytes, checkInteger(`${name}.sdu`, sdu, 0, 0xfff), at + 6);
  bytes[at + 8] = checkInteger(`${name}.phy`, phy, 0, 7);
  bytes[at + 9] = checkInteger(`${name}.rtn`, rtn, 0, 0xff);
}

const readDirection = (bytes: Uint8Array, at: number): IsoDirection => ({
  interval: readU32(bytes, at),
  latency: readU16(bytes, at + 4),
  sdu: readU16(bytes, at + 6),
  phy: bytes[at + 8] as number,
  rtn: bytes[at + 9] as number,
});

/** Quality of service as the kernel takes it. */
export function encodeIsoQos(value: IsoQosInput): Uint8Array {
  const { in: from, out: to, ...rest } = checkObject('value', value);
  const given = { ...DEFAULTS, ...rest };
  const bytes = new Uint8Array(ISO_QOS_SIZE);
  for (const [i, name] of (['cig', 'cis', 'sca', 'packing', 'framing'] as const).entries()) {
    bytes[i] = checkInteger(`value.${name}`, given[name], 0, 0xff);
  }
  writeDirection(bytes, IN, 'value.in', from);
  writeDirection(bytes, OUT, 'value.out', to);
  return bytes;
}

/** What the kernel gave; what it left out is 0. */
export function decodeIsoQos(raw: Uint8Array): IsoQos {
  const bytes = new Uint8Array(ISO_QOS_SIZE);
  bytes.set(raw.subarray(0, ISO_QOS_SIZE));
  return {
    cig: bytes[0] as number,
    cis: bytes[1] as number,
    sca: bytes[2] as number,
    packing: bytes[3] as number,
    framing: bytes[4] as number,
    in: readDirection(bytes, IN),
    out: readDirection(bytes, OUT),
  };
}
