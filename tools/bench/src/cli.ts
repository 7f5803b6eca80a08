import { parseArgs } from 'node:util';
import { benchmarks } from './benchmarks/index.js';
import { absences, columns, contenderTable, targetTable } from './harness/format.js';
import { emulated, insideLab, laboratory, prepareGuest, runInLab } from './harness/lab.js';
import { describe, disturbance, machine } from './harness/machine.js';
import { writeDocumentation, writeLabDocumentation, writeResults } from './harness/output.js';
import { runBenchmark } from './harness/run.js';
import type { Benchmark, BenchmarkResult, Settings } from './harness/types.js';

const help = `npm run bench -- [options]

  --quick          three short rounds instead of five: under a minute
  --long           rounds of ten times the length, for a machine that is busy
  --only NAME      only this benchmark; may be given several times
  --rounds NUMBER  rounds of each contender
  --write-docs     also writes docs/benchmarks.md and docs/bench.svg, from a whole run
  --lab GROUP      the benchmarks of a family that few kernels have, in the kernel lab
  --contender TEXT only contenders whose name has this in it; may be given several times
  --list           names the benchmarks
`;

function chosen(names: readonly string[], group: string | undefined): readonly Benchmark[] {
  const groups = new Set(benchmarks.flatMap(({ lab }) => lab?.group ?? []));
  if (group !== undefined && !groups.has(group)) {
    throw new Error(`--lab takes one of ${[...groups].join(', ')}, not ${group}`);
  }
  const offered = benchmarks.filter(({ lab }) => lab?.group === group);
  for (const name of names) {
    if (offered.some((benchmark) => benchmark.name === name)) continue;
    const other = benchmarks.find((benchmark) => benchmark.name === name)?.lab;
    if (other !== undefined) throw new Error(`${name} runs in the kernel lab: --lab ${other.group}`);
    throw new Error(`--only takes one of ${offered.map((benchmark) => benchmark.name).join(', ')}, not ${name}`);
  }
  return names.length === 0 ? offered : offered.filter(({ name }) => names.includes(name));
}

function withContenders(benchmark: Benchmark, texts: readonly string[]): Benchmark {
  if (texts.length === 0) return benchmark;
  return {
    ...benchmark,
    contenders: benchmark.contenders.filter(({ name }) => texts.some((text) => name.includes(text))),
  };
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`${option} takes a number from ${least} to ${most}`);
}

function roundsOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : numberOf('--rounds', text, 1, 100);
}

function settingsOf(quick: boolean, rounds: string | undefined): Settings {
  // Instructions are counted, not time: what else the machine does makes no difference. A process may wait long, though.
  if (emulated) {
    return quick
      ? { rounds: roundsOf(rounds, 1), warmUp: 800, duration: 150, connections: 200, patience: 300_000 }
      : { rounds: roundsOf(rounds, 3), warmUp: 1500, duration: 300, connections: 400, patience: 300_000 };
  }
  return quick
    ? { rounds: roundsOf(rounds, 3), warmUp: 150, duration: 120, connections: 2000, patience: 5000 }
    : { rounds: roundsOf(rounds, 5), warmUp: 400, duration: 300, connections: 4000, patience: 5000 };
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
      lab: { type: 'string' },
      contender: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.list) {
    for (const { name, title, lab } of benchmarks) {
      console.log(`${name.padEnd(15)}${title}${lab === undefined ? '' : ` (--lab ${lab.group})`}`);
    }
    return;
  }
  const only = values.only.flatMap((text) => text.split(','));
  const wanted = chosen(only, values.lab).map((benchmark) => withContenders(benchmark, values.contender));
  if (values['write-docs'] && only.length + values.contender.length > 0) {
    throw new Error('--write-docs needs a whole run, without --only and --contender');
  }
  if (values.lab !== undefined && !insideLab) {
    process.exitCode = await runInLab('cli', wanted.map(laboratory), process.argv.slice(2));
    return;
  }
  await prepareGuest(wanted);
  const usual = settingsOf(values.quick, values.rounds);
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
  const files = await writeResults(results, here, settings, values.lab);
  if (values['write-docs']) {
    const run = { results, machine: here, settings, busy };
    files.push(
      ...(await (values.lab === undefined ? writeDocumentation(run) : writeLabDocumentation(run, values.lab))),
    );
  }
  console.log(`\n${files.join('\n')}`);
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
