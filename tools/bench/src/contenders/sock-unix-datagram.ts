// recv, recvInto, recvSync, recvBatch: datagrams received on the path BENCH_PATH.
import { MessageBatch, SOCK_DGRAM, Socket } from '@sock/core';
import { unix } from '@sock/unix';
import { argument, Meter, ready } from './meter.js';

const path = process.env.BENCH_PATH ?? '';
const socket = new Socket(unix, SOCK_DGRAM);
socket.bindSync(path);
ready(path);
const meter = new Meter();

switch (argument(0)) {
  case 'recvSync':
    do socket.recvSync(2048);
    while (!meter.add(1));
    break;
  case 'recvBatch': {
    const batch = new MessageBatch({ count: 64, size: 2048 });
    let received: number;
    do {
      received = await socket.recvBatch(batch);
      for (let i = 0; i < received; i++) if (batch.data(i).length === 0) throw new Error('an empty datagram');
    } while (!meter.add(received));
    break;
  }
  case 'recvInto': {
    const room = Buffer.alloc(2048);
    do await socket.recvInto(room);
    while (!meter.add(1));
    break;
  }
  default:
    do await socket.recv(2048);
    while (!meter.add(1));
}
process.exit();
