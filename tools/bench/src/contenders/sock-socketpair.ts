// recv, recvInto, recv-timeout: send and receive of 64 bytes on a socket pair, blocking, both ends in one thread.
import { SOCK_STREAM } from '@sock/core';
import { socketpair } from '@sock/unix';
import { argument, Meter } from './meter.js';

const [a, b] = socketpair(SOCK_STREAM);
const form = argument(0);
if (form === 'recv-timeout') {
  a.timeout = 5000;
  b.timeout = 5000;
}
const message = Buffer.alloc(64);
const room = Buffer.alloc(4096);
const meter = new Meter();
if (form === 'recvInto') {
  do {
    a.sendSync(message);
    b.recvIntoSync(room);
  } while (!meter.add(1));
} else {
  do {
    a.sendSync(message);
    b.recvSync(4096);
  } while (!meter.add(1));
}
