// recvBatch, recvFrom: packets received from the socket's queue, with their addresses, every operation awaited.
import { MessageBatch, soRcvBufForce } from '@sock/core';
import { ETH_P_802_EX1, ETH_P_ALL, type PacketAddress, PacketSocket } from '@sock/packet';
import { argument, Meter, ready } from './meter.js';

using socket = new PacketSocket({ protocol: ETH_P_ALL });
await socket.bind({ interface: 'vb' });
socket.setOption(soRcvBufForce, 4 << 20);
ready(process.pid);
const meter = new Meter();
let bytes = 0;

function count(data: Buffer, address: PacketAddress | null): void {
  bytes += data.length;
  if (address?.protocol !== ETH_P_802_EX1) throw new Error('a packet of another protocol');
}

// a function of its own: V8 optimizes what is called again and again, and an iteration that waits only within
function countAll(batch: MessageBatch<PacketAddress>, received: number): void {
  for (let i = 0; i < received; i++) count(batch.data(i), batch.address(i));
}

if (argument(0) === 'recvBatch') {
  const batch = new MessageBatch<PacketAddress>({ count: 64, size: 2048 });
  let received: number;
  do {
    received = await socket.recvBatch(batch);
    countAll(batch, received);
  } while (!meter.add(received));
} else {
  do {
    const { data, address } = await socket.recvFrom(2048);
    count(data, address);
  } while (!meter.add(1));
}
process.exit(bytes === 0 ? 1 : 0);
