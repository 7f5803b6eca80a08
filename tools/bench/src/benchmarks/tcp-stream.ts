import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer } from './programs.js';

export const tcpReceive: Benchmark = {
  name: 'tcp-receive',
  title: 'TCP, bulk receive',
  operation: 'KiB',
  note: 'From a C program in another process, 64 KiB a call. Only the processor time of the receiver is counted.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await recvInto', node('sock-tcp-stream', 'recvInto')),
    ours('await recv', node('sock-tcp-stream', 'recv')),
    peer('node:net', node('node-tcp-stream', 'receive')),
    peer('node:net, onread', node('node-tcp-stream', 'receive-onread')),
    limit('C', c('tcp-stream', 'receive')),
  ],
  counterpart: { order: 'first', program: c('tcp-stream', 'source') },
  targets: [
    { work: 'TCP bulk receive', ours: 'await recvInto', against: 'node:net', measure: 'cpu', atMost: 0.6 },
    { work: 'TCP bulk receive', ours: 'await recvInto', against: 'C', measure: 'cpu', atMost: 1.15 },
  ],
};

export const tcpSend: Benchmark = {
  name: 'tcp-send',
  title: 'TCP, bulk send',
  operation: 'KiB',
  note: 'To a C program in another process, 64 KiB a call. Only the processor time of the sender is counted.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await sendAll', node('sock-tcp-stream', 'sendAll')),
    peer('node:net', node('node-tcp-stream', 'send')),
    limit('C', c('tcp-stream', 'send')),
  ],
  counterpart: { order: 'first', program: c('tcp-stream', 'sink') },
  targets: [
    { work: 'TCP bulk send', ours: 'await sendAll', against: 'node:net', measure: 'cpu', atMost: 0.6 },
    { work: 'TCP bulk send', ours: 'await sendAll', against: 'C', measure: 'cpu', atMost: 1.15 },
  ],
};
