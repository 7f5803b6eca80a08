import type { Benchmark, Program } from '../harness/types.js';
import { node, ours, peer } from './programs.js';

function launched(name: string): Program {
  return { ...node(name), within: 'launch' };
}

export const start: Benchmark = {
  name: 'start',
  title: 'A script that imports and ends',
  operation: 'start',
  note: 'The whole process, from fork to its end, measured from outside; the scripts take turns. The packages are the published ones.',
  measures: ['wall', 'cpu', 'memory'],
  contenders: [
    ours('@sock/core and @sock/inet', { ...launched('import-sock'), published: true }),
    peer('node:net and node:dgram', launched('import-net')),
    peer('bare node', launched('import-nothing')),
  ],
  repeat: 4,
  targets: [
    { work: 'start-up', ours: '@sock/core and @sock/inet', against: 'bare node', measure: 'wall', atMost: 1.25 },
  ],
};
