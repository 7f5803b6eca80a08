import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chart } from './chart.js';
import { absences, contenderTable, markdown, targetTable } from './format.js';
import { describe, type Machine } from './machine.js';
import { folders } from './paths.js';
import { figure } from './statistics.js';
import type { BenchmarkResult, Measure, Settings } from './types.js';

const all: readonly Measure[] = ['wall', 'cpu', 'memory', 'heap'];

function plain(result: BenchmarkResult): object {
  const { name, title, operation, note } = result.benchmark;
  return {
    name,
    title,
    operation,
    note,
    contenders: result.contenders.map((contender) => ({
      name: contender.name,
      party: contender.party,
      ...(contender.notRun !== undefined && { notRun: contender.notRun }),
      medians: Object.fromEntries(
        all.flatMap((measure) => {
          const value = figure(contender, measure);
          return value === null ? [] : [[measure, value]];
        }),
      ),
      samples: contender.samples,
    })),
    targets: result.targets,
  };
}

async function write(folder: string, name: string, content: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

/** Writes latest.json and bench.svg to results/. @returns the names of the files */
export async function writeResults(
  results: readonly BenchmarkResult[],
  machine: Machine,
  settings: Settings,
): Promise<string[]> {
  const unit = 'wall and cpu: nanoseconds per operation; memory and heap: bytes per operation';
  const whole = { machine, settings, unit, benchmarks: results.map(plain) };
  return [
    await write(folders.results, 'latest.json', `${JSON.stringify(whole, null, 2)}\n`),
    await write(folders.results, 'bench.svg', chart(results, describe(machine))),
  ];
}

function section(result: BenchmarkResult): string {
  const missing = absences(result).map((line) => `- ${line}`);
  const parts = [`### ${result.benchmark.title}`, result.benchmark.note, markdown(contenderTable(result))];
  if (missing.length > 0) parts.push(missing.join('\n'));
  return parts.join('\n\n');
}

/** Writes benchmarks.md and bench.svg to the documentation. @returns the names of the files */
export async function writeDocumentation(
  results: readonly BenchmarkResult[],
  machine: Machine,
  settings: Settings,
  busy: string | undefined,
): Promise<string[]> {
  const page = [
    '# Benchmarks',
    'This page is written by `npm run bench -- --write-docs`. Every line was measured in one run, side by side with ' +
      'what one would use instead and with a C program that makes the same system calls; ' +
      '[tools/bench](../tools/bench/README.md) says how, and measures it on your machine.',
    `${describe(machine)}. Medians of ${settings.rounds} rounds of ${settings.duration} ms each, after ` +
      `${settings.warmUp} ms of warm-up in Node.${busy === undefined ? '' : ` When they were measured, ${busy}.`}`,
    '![@sock beside its peers and C](bench.svg)',
    '## Ratios',
    'With a target of “at least” the ratio says how many times as fast @sock is as the other; with “at most” how much ' +
      'it needs of what the other needs. A target is what the project sets out to reach, not a promise for every ' +
      'machine.',
    markdown(targetTable(results.flatMap(({ targets }) => targets))),
    '## Figures',
    'Time is what passes, CPU the processor time, user and system, of the measured process. The spread is the ' +
      'distance of the quartiles of the rounds, as a share of the median, for the first figure.',
    ...results.map(section),
    '',
  ].join('\n\n');
  return [
    await write(folders.documentation, 'benchmarks.md', page.replace(/\n+$/, '\n')),
    await write(folders.documentation, 'bench.svg', chart(results, describe(machine))),
  ];
}
