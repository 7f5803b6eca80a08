// packets, blocks: packets received through a ring, as copies or where they are, every wait awaited.
import { ETH_P_802_EX1, ETH_P_ALL, type PacketBlock, PacketSocket } from '@sock/packet';
import { argument, Meter, ready } from './meter.js';

using socket = new PacketSocket({ protocol: ETH_P_ALL });
await socket.bind({ interface: 'vb' });
using ring = socket.ring({ blocks: 256, blockSize: 262_144, blockTimeout: 1000 });
ready(process.pid);
const meter = new Meter();
let bytes = 0;

function check(bytes: Buffer, start: number): void {
  if (bytes[start + 12] !== ETH_P_802_EX1 >> 8 || bytes[start + 13] !== (ETH_P_802_EX1 & 0xff)) {
    throw new Error('a packet of another protocol');
  }
}

// a function of its own: V8 optimizes what is called again and again, and an iteration that waits only within
function sizeOf(block: PacketBlock): number {
  const { memory } = block;
  let size = 0;
  block.forEach((start, end) => {
    size += end - start;
    check(memory, start);
  });
  return size;
}

if (argument(0) === 'blocks') {
  for await (const block of ring.blocks()) {
    bytes += sizeOf(block);
    if (meter.add(block.length)) break;
  }
} else {
  for await (const { data } of ring) {
    bytes += data.length;
    check(data, 0);
    if (meter.add(1)) break;
  }
}
process.exit(bytes === 0 ? 1 : 0);
