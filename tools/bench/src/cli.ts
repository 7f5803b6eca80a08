import { parseArgs } from 'node:util';
import { benchmarks } from './benchmarks/index.js';
import { absences, columns, contenderTable, targetTable } from './harness/format.js';
import { describe, disturbance, machine } from './harness/machine.js';
import { writeDocumentation, writeResults } from './harness/output.js';
import { runBenchmark } from './harness/run.js';
import type { Benchmark, BenchmarkResult, Settings } from './harness/types.js';

const help = `npm run bench -- [options]

  --quick          three short rounds instead of five: under a minute
  --long           rounds of ten times the length, for a machine that is busy
  --only NAME      only this benchmark; may be given several times
  --rounds NUMBER  rounds of each contender
  --write-docs     also writes docs/benchmarks.md and docs/bench.svg, from a whole run
  --list           names the benchmarks
`;

function chosen(names: readonly string[]): readonly Benchmark[] {
  for (const name of names) {
    if (!benchmarks.some((benchmark) => benchmark.name === name)) {
      throw new Error(`--only takes one of ${benchmarks.map((benchmark) => benchmark.name).join(', ')}, not ${name}`);
    }
  }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}

function roundsOf(text: string | undefined, otherwise: number): number {
  const rounds = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error('--rounds takes a number from 1 to 100');
  return rounds;
}

function print(result: BenchmarkResult): void {
  console.log(`\n${result.benchmark.title} (${result.benchmark.name})\n`);
  console.log(columns(contenderTable(result)));
  for (const line of absences(result)) console.log(line);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.list) {
    for (const { name, title } of benchmarks) console.log(`${name.padEnd(15)}${title}`);
    return;
  }
  const only = values.only.flatMap((text) => text.split(','));
  const wanted = chosen(only);
  if (values['write-docs'] && only.length > 0) throw new Error('--write-docs needs a whole run, without --only');
  const usual: Settings = values.quick
    ? { rounds: roundsOf(values.rounds, 3), warmUp: 150, duration: 120, connections: 2000 }
    : { rounds: roundsOf(values.rounds, 5), warmUp: 400, duration: 300, connections: 4000 };
  const settings = values.long ? { ...usual, warmUp: 10 * usual.warmUp, duration: 10 * usual.duration } : usual;
  const here = await machine();
  console.log(describe(here));
  const busy = disturbance();
  if (busy !== undefined) console.log(busy);
  const results: BenchmarkResult[] = [];
  for (const benchmark of wanted) {
    const result = await runBenchmark(benchmark, settings);
    results.push(result);
    print(result);
  }
  console.log('\nRatios (≥: how many times as fast as the other; ≤: how much of what the other needs)\n');
  console.log(columns(targetTable(results.flatMap(({ targets }) => targets))));
  const files = await writeResults(results, here, settings);
  if (values['write-docs']) files.push(...(await writeDocumentation(results, here, settings, busy)));
  console.log(`\n${files.join('\n')}`);
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
