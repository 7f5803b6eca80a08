/** Receives through a ring until it is terminated. */
import { parentPort } from 'node:worker_threads';
import { PacketSocket } from '@sock/packet';
import { numberOf, TEST_PROTOCOL } from '../support/frames.js';

const socket = new PacketSocket({ protocol: TEST_PROTOCOL });
const ring = socket.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
await socket.bind({ interface: 'vb' });
parentPort?.postMessage('waiting');
for await (const { data } of ring) parentPort?.postMessage(numberOf(data));
