// CAN frames received on an interface, by the form that the first argument names: recvBatch, unpack (recvBatch, and an
// object for each frame), or with times and the count of lost frames: recvFrames, recvFrame, tryRecvFrame, frames.
import { type CanAddress, CanRawSocket, type ReceivedFrame, unpackFrame } from '@sock/can';
import { MessageBatch, readU32 } from '@sock/core';
import { Credit } from './credit.js';
import { argument, Meter, ready } from './meter.js';

const form = argument(0);
const name = argument(1);
const window = Number(argument(2));
const creditId = 0x7ff;

const socket = new CanRawSocket({
  timestamps: form !== 'recvBatch' && form !== 'unpack',
  filters: [{ id: creditId, inverted: true }],
});
await socket.bind({ interface: name });
const credit = new Credit(window);
let seen = 0;
ready(name, window);
const meter = new Meter();

function over(count: number): boolean {
  if (credit.due(count)) socket.trySendFrame({ id: creditId });
  return meter.add(count);
}

function look({ frame, interface: from, timestamp }: ReceivedFrame): void {
  if (frame.kind === 'classic' && from !== '' && timestamp !== null) seen += frame.id + (frame.data[0] as number);
}

// functions of their own: V8 optimizes what is called again and again, and an iteration that waits only within; and a
// sum that a module keeps is a new object with each addition
function lookAtBytes(batch: MessageBatch<CanAddress>, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (batch.address(i)?.interface === '') throw new Error('a frame without an interface');
    const data = batch.data(i);
    sum += readU32(data, 0) + (data[8] as number);
  }
  return sum;
}

function lookAtFrames(batch: MessageBatch<CanAddress>, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (batch.address(i)?.interface === '') throw new Error('a frame without an interface');
    const frame = unpackFrame(batch.data(i));
    if (frame?.kind === 'classic') sum += frame.id + (frame.data[0] as number);
  }
  return sum;
}

switch (form) {
  case 'recvBatch':
  case 'unpack': {
    const batch = new MessageBatch<CanAddress>({ count: 64, size: 72 });
    const lookAt = form === 'unpack' ? lookAtFrames : lookAtBytes;
    let received: number;
    do {
      received = await socket.recvBatch(batch);
      seen += lookAt(batch, received);
    } while (!over(received));
    break;
  }
  case 'recvFrames': {
    let received: ReceivedFrame[];
    do {
      received = await socket.recvFrames();
      received.forEach(look);
    } while (!over(received.length));
    break;
  }
  case 'tryRecvFrame':
    for (let done = false; !done; ) {
      const received = socket.tryRecvFrame();
      if (received === null) {
        await socket.waitReadable();
        continue;
      }
      look(received);
      done = over(1);
    }
    break;
  case 'frames':
    for await (const received of socket.frames()) {
      look(received);
      if (over(1)) break;
    }
    break;
  default:
    do look(await socket.recvFrame());
    while (!over(1));
}
process.exit(seen === 0 ? 1 : 0);
