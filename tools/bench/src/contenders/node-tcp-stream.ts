// receive PORT, receive-onread PORT, send PORT: bulk transfer with node:net, 64 KiB at a time.
import { connect, type Socket } from 'node:net';
import { argument, Meter } from './meter.js';

const port = Number(argument(1));
const host = '127.0.0.1';
const size = 65536;
const meter = new Meter(1024);

function received(bytes: number): true {
  if (meter.add(bytes / 1024)) process.exit();
  return true;
}

function sendAll(socket: Socket): void {
  const chunk = Buffer.alloc(size);
  const fill = (): void => {
    do {
      if (meter.add(size / 1024)) process.exit();
    } while (socket.write(chunk));
  };
  socket.on('drain', fill);
  fill();
}

switch (argument(0)) {
  case 'receive':
    connect({ port, host }).on('data', (data) => received(data.length));
    break;
  case 'receive-onread':
    connect({ port, host, onread: { buffer: Buffer.alloc(size), callback: received } });
    break;
  default: {
    const socket = connect({ port, host }, () => sendAll(socket));
  }
}
