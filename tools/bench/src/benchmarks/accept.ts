import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer } from './programs.js';

export const accept: Benchmark = {
  name: 'accept',
  title: 'TCP connections accepted and closed',
  operation: 'connection',
  note:
    'From a C program in another process with up to 64 connections waiting. Where it cannot connect faster than the ' +
    'server accepts, the processor time of the server tells more than the number per second.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await accept', node('sock-accept')),
    peer('node:net', node('node-accept')),
    limit('C, epoll', c('accept')),
  ],
  counterpart: { order: 'second', program: c('connect', 'loop') },
  targets: [
    { work: 'accept', ours: 'await accept', against: 'node:net', measure: 'wall', atLeast: 1.3 },
    { work: 'accept', ours: 'await accept', against: 'node:net', measure: 'cpu', atLeast: 1.3 },
  ],
};
