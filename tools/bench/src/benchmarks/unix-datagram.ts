import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer, python } from './programs.js';

export const unixDatagram: Benchmark = {
  name: 'unix-datagram',
  title: 'Unix datagrams of 64 bytes received',
  operation: 'datagram',
  note: "From a C program in another process, held back by the kernel's limit of the queue (max_dgram_qlen).",
  measures: ['wall', 'cpu'],
  contenders: [
    ours('await recv', node('sock-unix-datagram', 'recv')),
    ours('await recvInto', node('sock-unix-datagram', 'recvInto')),
    ours('await recvBatch', node('sock-unix-datagram', 'recvBatch')),
    ours('recvSync', node('sock-unix-datagram', 'recvSync')),
    { ...peer('unix-dgram', node('unix-dgram')), needs: 'unix-dgram' },
    peer('CPython', python('unix_datagram')),
    limit('C, recv', c('unix-datagram', 'recv')),
    limit('C, recvmmsg', c('unix-datagram', 'recvmmsg')),
  ],
  counterpart: { order: 'second', program: c('unix-datagram', 'blast') },
  targets: [
    { work: 'unix datagrams received', ours: 'await recv', against: 'unix-dgram', measure: 'wall', atLeast: 3 },
    { work: 'unix datagrams received', ours: 'await recvBatch', against: 'unix-dgram', measure: 'wall', atLeast: 3 },
    { work: 'unix datagrams received', ours: 'recvSync', against: 'CPython', measure: 'wall', atLeast: 1 },
    { work: 'unix datagrams received', ours: 'await recv', against: 'CPython', measure: 'wall', atLeast: 1 },
  ],
};
