import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer, python } from './programs.js';

export const socketpair: Benchmark = {
  name: 'socketpair',
  title: 'Blocking send and receive of 64 bytes on a socket pair',
  operation: 'send + receive',
  note: 'Both ends of a unix stream pair in one thread. With a timeout: 5 s on both ends.',
  measures: ['wall', 'cpu'],
  contenders: [
    ours('recvSync', node('sock-socketpair', 'recv')),
    ours('recvIntoSync', node('sock-socketpair', 'recvInto')),
    ours('recvSync, timeout', node('sock-socketpair', 'recv-timeout')),
    peer('CPython', python('socketpair')),
    peer('CPython, timeout', python('socketpair', 'timeout')),
    limit('C', c('socketpair')),
  ],
  targets: [
    { work: 'blocking send + receive', ours: 'recvSync', against: 'CPython', measure: 'wall', atLeast: 1.25 },
    {
      work: 'the same with a timeout',
      ours: 'recvSync, timeout',
      against: 'CPython, timeout',
      measure: 'wall',
      atLeast: 2,
    },
    { work: 'blocking send + receive', ours: 'recvSync', against: 'C', measure: 'wall', atMost: 1.2 },
    { work: 'blocking send + receive', ours: 'recvIntoSync', against: 'C', measure: 'wall', atMost: 1.2 },
  ],
};
