import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer, python } from './programs.js';

export const socketpair: Benchmark = {
  name: 'socketpair',
  title: 'Blocking send and receive of 64 bytes on a socket pair',
  operation: 'send + receive',
  note:
    'Both ends of a unix stream pair in one thread. With a timeout: 5 s on both ends. The process is never idle, ' +
    'so that its processor time is the time it takes where nobody else uses the machine.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('recvSync', node('sock-socketpair', 'recv')),
    ours('recvIntoSync', node('sock-socketpair', 'recvInto')),
    ours('recvSync, timeout', node('sock-socketpair', 'recv-timeout')),
    peer('CPython', python('socketpair')),
    peer('CPython, timeout', python('socketpair', 'timeout')),
    limit('C', c('socketpair')),
  ],
  targets: [
    { work: 'blocking send + receive', ours: 'recvSync', against: 'CPython', measure: 'cpu', atLeast: 1.25 },
    {
      work: 'the same with a timeout',
      ours: 'recvSync, timeout',
      against: 'CPython, timeout',
      measure: 'cpu',
      atLeast: 2,
    },
    { work: 'blocking send + receive', ours: 'recvSync', against: 'C', measure: 'cpu', atMost: 1.2 },
    { work: 'blocking send + receive', ours: 'recvIntoSync', against: 'C', measure: 'cpu', atMost: 1.2 },
  ],
};
