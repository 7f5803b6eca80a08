import { checkInteger, checkObject, checkOneOf } from '@sock/core';
import * as c from './constants.gen.js';

/** A service that is or was offered, or one to look for. */
export interface QrtrServerPacket {
  type:
    | typeof c.QRTR_TYPE_NEW_SERVER
    | typeof c.QRTR_TYPE_DEL_SERVER
    | typeof c.QRTR_TYPE_NEW_LOOKUP
    | typeof c.QRTR_TYPE_DEL_LOOKUP;
  /** Number of the service, 0 for all where one is looked for. */
  service: number;
  /** Instance, 0 for all where one is looked for; by convention its low byte is a version. */
  instance: number;
  node: number;
  port: number;
}

/** A socket that is gone or has room again, or a node that goes. */
export interface QrtrClientPacket {
  type: typeof c.QRTR_TYPE_BYE | typeof c.QRTR_TYPE_DEL_CLIENT | typeof c.QRTR_TYPE_RESUME_TX;
  node: number;
  port: number;
}

/** A control packet that is nothing but its type. */
export interface QrtrPlainPacket {
  type: typeof c.QRTR_TYPE_HELLO | typeof c.QRTR_TYPE_EXIT | typeof c.QRTR_TYPE_PING;
}

/** A control packet. Source: `struct qrtr_ctrl_pkt`, linux/qrtr.h. */
export type QrtrControlPacket = QrtrServerPacket | QrtrClientPacket | QrtrPlainPacket;

/** As `QrtrControlPacket`; what is left out is 0. */
export type QrtrControlInput =
  | (Pick<QrtrServerPacket, 'type' | 'service'> & Partial<QrtrServerPacket>)
  | (Pick<QrtrClientPacket, 'type'> & Partial<QrtrClientPacket>)
  | QrtrPlainPacket;

const SIZE = 20;
const SERVER_TYPES: readonly number[] = [
  c.QRTR_TYPE_NEW_SERVER,
  c.QRTR_TYPE_DEL_SERVER,
  c.QRTR_TYPE_NEW_LOOKUP,
  c.QRTR_TYPE_DEL_LOOKUP,
];
const CLIENT_TYPES: readonly number[] = [c.QRTR_TYPE_BYE, c.QRTR_TYPE_DEL_CLIENT, c.QRTR_TYPE_RESUME_TX];
const PLAIN_TYPES: readonly number[] = [c.QRTR_TYPE_HELLO, c.QRTR_TYPE_EXIT, c.QRTR_TYPE_PING];
const TYPES = [...SERVER_TYPES, ...CLIENT_TYPES, ...PLAIN_TYPES];

const SERVER_WORDS = ['service', 'instance', 'node', 'port'] as const;
const CLIENT_WORDS = ['node', 'port'] as const;

function wordsOf(type: number): readonly (typeof SERVER_WORDS)[number][] {
  if (SERVER_TYPES.includes(type)) return SERVER_WORDS;
  return CLIENT_TYPES.includes(type) ? CLIENT_WORDS : [];
}

/**
 * The bytes of a control packet, to send to QRTR_PORT_CTRL.
 * @throws TypeError, RangeError naming the member
 */
export function packControlPacket(packet: QrtrControlInput): Buffer {
  const { type } = checkObject('packet', packet);
  const bytes = Buffer.alloc(SIZE);
  // these are little-endian on every machine
  bytes.writeUInt32LE(checkOneOf('packet.type', type, TYPES), 0);
  wordsOf(type).forEach((name, i) => {
    const value = (packet as Partial<QrtrServerPacket>)[name] ?? (name === 'service' ? undefined : 0);
    bytes.writeUInt32LE(checkInteger(`packet.${name}`, value, 0, 0xffffffff), 4 + 4 * i);
  });
  return bytes;
}

/** Reads a control packet; `undefined` for what is none that is known here. */
export function unpackControlPacket(data: Uint8Array): QrtrControlPacket | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < 4) return undefined;
  const type = bytes.readUInt32LE(0);
  if (!TYPES.includes(type)) return undefined;
  const names = wordsOf(type);
  if (bytes.length < 4 + 4 * names.length) return undefined;
  const words = names.map((name, i) => [name, bytes.readUInt32LE(4 + 4 * i)]);
  return { type, ...Object.fromEntries(words) } as QrtrControlPacket;
}
