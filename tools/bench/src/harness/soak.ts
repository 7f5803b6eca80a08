import { amount } from './format.js';
import { soak } from './run.js';
import type { Benchmark, Sample } from './types.js';

/** Bytes of resident memory that the second half of a soak may take beyond the first: what a heap breathes. */
const ALLOWANCE = 16 << 20;

const most = (samples: readonly Sample[]): number => Math.max(...samples.map(({ resident }) => resident));

function line({ operations, resident, used }: Sample, operation: string): string {
  const done = operations.toLocaleString('en-US').padStart(12);
  return `${done} ${operation}s: resident ${amount(resident, 'memory')}, used ${amount(used, 'heap')}`;
}

/**
 * Lets each of our contenders do very many operations, and looks at the memory it takes.
 * @returns whether it stays bounded for all of them
 */
export async function soakAll(benchmarks: readonly Benchmark[], operations: number): Promise<boolean> {
  let bounded = true;
  for (const { title, contenders, counterpart, operation } of benchmarks) {
    for (const contender of contenders.filter(({ party }) => party === 'ours')) {
      const samples: Sample[] = [];
      console.log(`\n${title}: ${contender.name}\n`);
      await soak(contender, counterpart, operations, (sample) => {
        samples.push(sample);
        // at once: what was seen so far is not lost where nobody waits for the rest
        if (samples.length % 4 === 0) console.log(line(sample, operation));
      });
      const half = samples.length >> 1;
      const [first, second] = [samples.slice(0, half), samples.slice(half)];
      const growth = most(second) - most(first);
      console.log(
        `most resident memory: ${amount(most(first), 'memory')} in the first half, ${amount(most(second), 'memory')} in the second`,
      );
      if (growth > ALLOWANCE) {
        bounded = false;
        console.log('it grows');
      }
    }
  }
  return bounded;
}
