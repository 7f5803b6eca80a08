import { execFileSync } from 'node:child_process';
import { ETH_HLEN, ETH_P_802_EX1, ETH_P_IP, parseHardwareAddress } from '@sock/packet';
import { carrier, listLinksSync, setLinkSync } from '@sock/testkit/network';
import { LOCAL, REMOTE } from './namespace.js';

/** A protocol that nothing else speaks: IEEE 802 local experiments. */
export const TEST_PROTOCOL: number = ETH_P_802_EX1;

/** An Ethernet frame. */
export function frame(
  payload: string | Uint8Array,
  { to = REMOTE, from = LOCAL, protocol = TEST_PROTOCOL }: { to?: string; from?: string; protocol?: number } = {},
): Buffer {
  const header = Buffer.alloc(ETH_HLEN);
  header.set(parseHardwareAddress(to), 0);
  header.set(parseHardwareAddress(from), 6);
  header.writeUInt16BE(protocol, 12);
  return Buffer.concat([header, Buffer.from(payload as Uint8Array)]);
}

/** A frame that carries its number: what is lost, changed or out of order shows. */
export function numbered(number: number, size = 60): Buffer {
  const payload = Buffer.alloc(size - ETH_HLEN, number & 0xff);
  payload.writeUInt32BE(number, 0);
  return frame(payload);
}

/** The number of such a frame, or −1 where it is not whole. */
export function numberOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (view.getUint16(12) !== TEST_PROTOCOL) return -1;
  const number = view.getUint32(ETH_HLEN);
  for (let i = ETH_HLEN + 4; i < end - start; i++) if (view.getUint8(i) !== (number & 0xff)) return -1;
  return number;
}

/** The Internet checksum. Source: RFC 1071. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 packet with a UDP datagram without checksum. */
export function udp(
  payload: string,
  { sourcePort = 1000, port = 2000, source = '192.0.2.1', host = '192.0.2.2' } = {},
): Buffer {
  const data = Buffer.from(payload);
  const packet = Buffer.alloc(28 + data.length);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 17;
  packet.set(source.split('.').map(Number), 12);
  packet.set(host.split('.').map(Number), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  packet.writeUInt16BE(sourcePort, 20);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8 + data.length, 24);
  packet.set(data, 28);
  return packet;
}

/** An Ethernet frame with such a packet. */
export const udpFrame = (payload: string, options: Parameters<typeof udp>[1] = {}): Buffer =>
  frame(udp(payload, options), { protocol: ETH_P_IP });

/** Runs ip(8): its output. */
export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

/** Brings a link up, and waits until both its ends can send. */
export async function up(name: string): Promise<void> {
  setLinkSync(name, { up: true });
  await carrier();
}

/** Hardware address of an interface, as text. */
export function hardwareAddress(name: string): string {
  const text = listLinksSync().find((link) => link.name === name)?.address;
  if (text === undefined) throw new Error(`${name} has no hardware address`);
  return text;
}
