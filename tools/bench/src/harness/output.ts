import { mkdir, readFile, writeFile } from 'node:fs/promises';
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

/** A run, as the documentation tells of it. */
export interface Run {
  readonly results: readonly BenchmarkResult[];
  readonly machine: Machine;
  readonly settings: Settings;
  /** What disturbed it. */
  readonly busy: string | undefined;
}

/**
 * Writes latest.json and bench.svg to results/; of a run in the kernel lab, lab-GROUP.json and lab-GROUP.svg.
 * @returns the names of the files
 */
export async function writeResults(
  results: readonly BenchmarkResult[],
  machine: Machine,
  settings: Settings,
  group: string | undefined,
): Promise<string[]> {
  const unit = 'wall and cpu: nanoseconds per operation; memory and heap: bytes per operation';
  const whole = { machine, settings, unit, benchmarks: results.map(plain) };
  const [figures, bars] = group === undefined ? ['latest', 'bench'] : [`lab-${group}`, `lab-${group}`];
  return [
    await write(folders.results, `${figures}.json`, `${JSON.stringify(whole, null, 2)}\n`),
    await write(folders.results, `${bars}.svg`, chart(results, describe(machine))),
  ];
}

function section(result: BenchmarkResult): string {
  const missing = absences(result).map((line) => `- ${line}`);
  const { title, note, stretch } = result.benchmark;
  const longer = stretch === undefined ? '' : ` Warm-up and rounds are ${stretch} times as long as the others.`;
  const parts = [`### ${title}`, `${note}${longer}`, markdown(contenderTable(result))];
  if (missing.length > 0) parts.push(missing.join('\n'));
  return parts.join('\n\n');
}

function conditions({ machine, settings, busy }: Run): string {
  const rounds = settings.rounds === 1 ? 'One round' : `Medians of ${settings.rounds} rounds`;
  return (
    `${describe(machine)}. ${rounds} of ${settings.duration} ms${settings.rounds === 1 ? '' : ' each'}, after ` +
    `${settings.warmUp} ms of warm-up in Node.${busy === undefined ? '' : ` When they were measured, ${busy}.`}`
  );
}

const page = 'benchmarks.md';
const opening = (group: string): string => `<!-- lab ${group} -->`;
const closing = (group: string): string => `<!-- end of lab ${group} -->`;

/** The parts of the page that runs in the kernel lab have written, each with its marks. */
async function labParts(): Promise<Map<string, string>> {
  const text = await readFile(join(folders.documentation, page), 'utf8').catch(() => '');
  const found = text.matchAll(/<!-- lab (\S+) -->\n[\s\S]*?<!-- end of lab \1 -->/g);
  return new Map(Array.from(found, ([part, group = '']) => [group, part]));
}

/** Writes benchmarks.md and bench.svg to the documentation. @returns the names of the files */
export async function writeDocumentation(run: Run): Promise<string[]> {
  const { results, machine } = run;
  const text = [
    '# Benchmarks',
    'This page is written by `npm run bench -- --write-docs`. Every line was measured in one run, side by side with ' +
      'what one would use instead and with a C program that makes the same system calls; ' +
      '[tools/bench](../tools/bench/README.md) says how, and measures it on your machine.',
    conditions(run),
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
    ...(await labParts()).values(),
  ].join('\n\n');
  return [
    await write(folders.documentation, page, `${text}\n`),
    await write(folders.documentation, 'bench.svg', chart(results, describe(machine))),
  ];
}

/** Writes the part of benchmarks.md about a group that is measured in the kernel lab. @returns the names of the files */
export async function writeLabDocumentation(run: Run, group: string): Promise<string[]> {
  const { results } = run;
  const part = [
    opening(group),
    `## In the kernel lab: ${group}`,
    `Few kernels have this family: it was measured in the [kernel lab](../tools/kernel-lab/README.md), by ` +
      `\`npm run bench -- --lab ${group} --write-docs\`. Where the processor is emulated its clock advances by a ` +
      'nanosecond for each instruction, so that the figures are numbers of instructions, of the program and of the ' +
      'kernel for it, whatever else the machine does.',
    conditions(run),
    markdown(targetTable(results.flatMap(({ targets }) => targets))),
    ...results.map(section),
    closing(group),
  ].join('\n\n');
  const text = await readFile(join(folders.documentation, page), 'utf8');
  const old = (await labParts()).get(group);
  const whole = old === undefined ? `${text}\n${part}\n` : text.replace(old, () => part);
  return [await write(folders.documentation, page, whole)];
}
