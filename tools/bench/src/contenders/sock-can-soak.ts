// recvBatch, recvFrames: tells at each tenth of OPERATIONS frames how much memory is used and what was dropped.
import { type CanAddress, CanRawSocket, unpackFrame } from '@sock/can';
import { MessageBatch } from '@sock/core';
import { Credit } from './credit.js';
import { argument, ready, report } from './meter.js';

const form = argument(0);
const name = argument(1);
const window = Number(argument(2));
const operations = Number(argument(3));
const creditId = 0x7ff;

using socket = new CanRawSocket({ filters: [{ id: creditId, inverted: true }] });
await socket.bind({ interface: name });
const credit = new Credit(window);
const step = operations / 10;
let count = 0;
let next = step;
let dropped = 0;

/** @returns true once all frames have come */
function add(frames: number): boolean {
  if (credit.due(frames)) socket.trySendFrame({ id: creditId });
  count += frames;
  if (count < next) return false;
  next += step;
  const { rss, heapUsed } = process.memoryUsage();
  report({ operations: count, memory: rss, heap: heapUsed, dropped });
  return count >= operations;
}

// the sender has no limit of time
ready(name, window, 0);
if (form === 'recvFrames') {
  let received: Awaited<ReturnType<typeof socket.recvFrames>>;
  do {
    received = await socket.recvFrames();
    dropped = received.at(-1)?.dropped ?? dropped;
  } while (!add(received.length));
} else {
  const batch = new MessageBatch<CanAddress>({ count: 64, size: 72 });
  let received: number;
  do {
    received = await socket.recvBatch(batch);
    for (let i = 0; i < received; i++) if (unpackFrame(batch.data(i)) === undefined) throw new Error('no frame');
  } while (!add(received));
}
process.exit(0);
