// recv, recvInto: 64 bytes to and fro over TCP, both ends in this process, every operation awaited.
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet, tcpNoDelay } from '@sock/inet';
import { argument, Meter } from './meter.js';

const message = Buffer.alloc(64);
const meter = new Meter();
const listener = new Socket(inet, SOCK_STREAM);
await listener.bind({ host: '127.0.0.1', port: 0 });
listener.listen(1);
const client = new Socket(inet, SOCK_STREAM);
const [{ socket: peer }] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
client.setOption(tcpNoDelay, true);
peer.setOption(tcpNoDelay, true);

async function echo(): Promise<void> {
  for (;;) await peer.send(await peer.recv(4096));
}

async function echoInto(): Promise<void> {
  const room = Buffer.alloc(4096);
  const reply = room.subarray(0, message.length);
  for (;;) {
    const bytes = await peer.recvInto(room);
    await peer.send(bytes === reply.length ? reply : room.subarray(0, bytes));
  }
}

if (argument(0) === 'recv') {
  void echo();
  do {
    await client.send(message);
    await client.recv(4096);
  } while (!meter.add(1));
} else {
  const room = Buffer.alloc(4096);
  void echoInto();
  do {
    await client.send(message);
    await client.recvInto(room);
  } while (!meter.add(1));
}
process.exit();
