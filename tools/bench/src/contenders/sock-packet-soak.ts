// packets, recvBatch: tells at each tenth of OPERATIONS packets how much memory is used and what was dropped.
import { MessageBatch } from '@sock/core';
import { ETH_P_ALL, type PacketAddress, PacketSocket, type ReceivedPacket } from '@sock/packet';
import { argument, ready, report } from './meter.js';

const operations = Number(argument(1));
using socket = new PacketSocket({ protocol: ETH_P_ALL });
await socket.bind({ interface: 'vb' });
const step = operations / 10;
let count = 0;
let next = step;

/** @returns true once all packets have come */
function add(packets: number): boolean {
  count += packets;
  if (count < next) return false;
  next += step;
  const { rss, heapUsed } = process.memoryUsage();
  report({ operations: count, memory: rss, heap: heapUsed, dropped: socket.statistics().drops });
  return count >= operations;
}

if (argument(0) === 'packets') {
  using ring = socket.ring();
  ready(process.pid);
  // the last thousand, as a program might keep some
  const kept: ReceivedPacket[] = [];
  for await (const packet of ring) {
    kept[count % 1000] = packet;
    if (add(1)) break;
  }
} else {
  ready(process.pid);
  const batch = new MessageBatch<PacketAddress>({ count: 64, size: 2048 });
  while (!add(await socket.recvBatch(batch)));
}
process.exit(0);
