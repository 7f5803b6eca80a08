// burst PORT, connected PORT: datagrams sent with node:dgram, 64 before the last one's callback is awaited.
// await PORT: every one's callback awaited.
import { createSocket } from 'node:dgram';
import { argument, Meter } from './meter.js';

const form = argument(0);
const burst = 64;
const port = Number(argument(1));
const host = '127.0.0.1';
const message = Buffer.alloc(64);
const socket = createSocket('udp4');
const meter = new Meter();

function again(): void {
  if (meter.add(burst)) process.exit();
  send();
}

function send(): void {
  if (form === 'connected') {
    for (let i = 1; i < burst; i++) socket.send(message);
    socket.send(message, again);
  } else {
    for (let i = 1; i < burst; i++) socket.send(message, port, host);
    socket.send(message, port, host, again);
  }
}

async function sendOneByOne(): Promise<void> {
  do await new Promise((resolve) => socket.send(message, port, host, resolve));
  while (!meter.add(1));
  process.exit();
}

socket.bind(0, host, () => {
  if (form === 'connected') socket.connect(port, host, send);
  else if (form === 'await') void sendOneByOne();
  else send();
});
