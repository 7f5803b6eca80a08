import type { Benchmark } from '../harness/types.js';
import { accept } from './accept.js';
import { canReceive } from './can.js';
import { memory } from './memory.js';
import { packetReceive, packetRing } from './packet.js';
import { pingPong } from './ping-pong.js';
import { socketpair } from './socketpair.js';
import { start } from './start.js';
import { tcpReceive, tcpSend } from './tcp-stream.js';
import { udpReceive, udpSend } from './udp.js';
import { unixDatagram } from './unix-datagram.js';

export const benchmarks: readonly Benchmark[] = [
  socketpair,
  pingPong,
  tcpReceive,
  tcpSend,
  udpReceive,
  udpSend,
  unixDatagram,
  packetRing,
  packetReceive,
  accept,
  memory,
  start,
  canReceive,
];
