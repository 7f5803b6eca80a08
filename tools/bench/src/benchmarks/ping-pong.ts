import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer } from './programs.js';

export const pingPong: Benchmark = {
  name: 'ping-pong',
  title: 'TCP, 64 bytes to and fro',
  operation: 'round trip',
  note:
    'Both ends in one thread on 127.0.0.1, TCP_NODELAY set; C with one epoll for both. The process is never idle, ' +
    'so that its processor time is the time it takes where nobody else uses the machine.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await recv', node('sock-ping-pong', 'recv')),
    ours('await recvInto', node('sock-ping-pong', 'recvInto')),
    peer('node:net, events', node('node-ping-pong', 'events')),
    peer('node:net, await', node('node-ping-pong', 'await')),
    limit('C, epoll', c('ping-pong')),
  ],
  targets: [
    { work: 'TCP round trip', ours: 'await recv', against: 'node:net, events', measure: 'cpu', atLeast: 1.5 },
    { work: 'TCP round trip', ours: 'await recvInto', against: 'node:net, events', measure: 'cpu', atLeast: 1.5 },
    { work: 'TCP round trip', ours: 'await recv', against: 'C, epoll', measure: 'cpu', atMost: 1.8 },
    { work: 'TCP round trip', ours: 'await recvInto', against: 'C, epoll', measure: 'cpu', atMost: 1.8 },
  ],
};
