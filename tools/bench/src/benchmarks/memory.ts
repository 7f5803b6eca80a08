import type { Benchmark, Program } from '../harness/types.js';
import { c, node, ours, peer } from './programs.js';

// The heap's room for young objects is kept small: how far it grows depends on what was allocated, not on what is kept.
function collecting(program: Program): Program {
  return { ...program, flags: ['--expose-gc', '--max-semi-space-size=1'] };
}

export const memory: Benchmark = {
  name: 'memory',
  title: 'Memory of an idle TCP connection with a read pending',
  operation: 'connection',
  note:
    "Growth of the server's resident set and heap over some thousand connections, after garbage collection, with a " +
    'small heap for young objects (--max-semi-space-size=1). What the kernel keeps is not in it.',
  measures: ['memory', 'heap'],
  contenders: [
    ours('await recv', collecting(node('sock-memory', 'recv'))),
    ours('await waitReadable', collecting(node('sock-memory', 'waitReadable'))),
    peer('node:net', collecting(node('node-memory'))),
  ],
  counterpart: { order: 'second', program: c('connect', 'hold') },
  targets: [
    { work: 'memory, idle connection', ours: 'await recv', against: 'node:net', measure: 'memory', atMost: 0.4 },
  ],
};
