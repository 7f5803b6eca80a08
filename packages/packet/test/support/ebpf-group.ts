/** Two sockets of a group that asks the eBPF program behind a descriptor: `node ebpf-group.js <fd>` prints their shares. */
import { PACKET_FANOUT_EBPF, PacketSocket, packetFanout, packetFanoutDataBpf } from '@sock/packet';
import { numbered, TEST_PROTOCOL } from './frames.js';

using sender = new PacketSocket();
await sender.bind({ interface: 'va' });
using first = new PacketSocket({ protocol: TEST_PROTOCOL });
using second = new PacketSocket({ protocol: TEST_PROTOCOL });
for (const socket of [first, second]) {
  await socket.bind({ interface: 'vb' });
  socket.setOption(packetFanout, { id: 1, mode: PACKET_FANOUT_EBPF });
}
first.setOption(packetFanoutDataBpf, Number(process.argv[2]));
for (let i = 0; i < 20; i++) await sender.send(numbered(i));

function received(socket: PacketSocket): number {
  let count = 0;
  while (socket.tryRecv(100) !== null) count++;
  return count;
}
console.log(JSON.stringify([first, second].map(received)));
