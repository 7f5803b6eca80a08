// recvInto PORT, recv PORT, sendAll PORT: bulk transfer, 64 KiB at a time, every operation awaited.
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import { argument, Meter } from './meter.js';

const size = 65536;
const socket = new Socket(inet, SOCK_STREAM);
await socket.connect({ host: '127.0.0.1', port: Number(argument(1)) });
const meter = new Meter(1024);

switch (argument(0)) {
  case 'recvInto': {
    const room = Buffer.alloc(size);
    while (!meter.add((await socket.recvInto(room)) / 1024));
    break;
  }
  case 'recv':
    while (!meter.add((await socket.recv(size)).length / 1024));
    break;
  default: {
    const chunk = Buffer.alloc(size);
    do await socket.sendAll(chunk);
    while (!meter.add(size / 1024));
  }
}
process.exit();
