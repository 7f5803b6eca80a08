import { type PacketRing, PacketSocket, type ReceivedPacket } from '@sock/packet';
import { TEST_PROTOCOL } from './frames.js';

/** A socket that receives what is of the protocol on an interface. */
export async function opened(name: string, protocol: number = TEST_PROTOCOL, type?: number): Promise<PacketSocket> {
  const socket = new PacketSocket({ protocol, type });
  await socket.bind({ interface: name });
  return socket;
}

/** The next packets of a ring. */
export async function collect(ring: PacketRing, count: number): Promise<ReceivedPacket[]> {
  const list: ReceivedPacket[] = [];
  for await (const packet of ring) if (list.push(packet) === count) break;
  return list;
}

/** The numbers from `start` on. */
export const range = (count: number, start = 0): number[] => Array.from({ length: count }, (_, i) => start + i);
