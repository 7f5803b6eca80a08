import { figure, spread } from './statistics.js';
import type { BenchmarkResult, ContenderResult, Measure, TargetResult } from './types.js';

export const titles: Record<Measure, string> = { wall: 'time', cpu: 'CPU', memory: 'resident', heap: 'heap' };

export const parties = { ours: '@sock', peer: 'peer', c: 'C' } as const;

function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A figure with its unit. */
export function amount(value: number | null, measure: Measure): string {
  if (value === null) return '–';
  if (measure === 'memory' || measure === 'heap') return `${digits(value / 1024)} KiB`;
  if (value >= 1e6) return `${digits(value / 1e6)} ms`;
  return value >= 1e4 ? `${digits(value / 1e3)} µs` : `${digits(value)} ns`;
}

function perSecond(nanoseconds: number | null): string {
  return nanoseconds === null ? '–' : digits(1e9 / nanoseconds);
}

/** Text in columns: the first one starts at the left, the others end at the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** The same as a table of Markdown, in columns too. */
export function markdown([head = [], ...body]: readonly (readonly string[])[]): string {
  const widths = head.map((_cell, i) => Math.max(4, ...[head, ...body].map((row) => row[i]?.length ?? 0)));
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return [head, rule, ...body].map((row) => `| ${row.map(pad).join(' | ')} |`).join('\n');
}

function timed(result: BenchmarkResult): boolean {
  return result.benchmark.measures.includes('wall') && result.benchmark.operation !== 'start';
}

function contenderRow(result: BenchmarkResult, contender: ContenderResult): string[] {
  const { measures } = result.benchmark;
  const row = [contender.name, parties[contender.party]];
  for (const measure of measures) row.push(amount(figure(contender, measure), measure));
  if (timed(result)) row.push(perSecond(figure(contender, 'wall')));
  const samples = contender.samples[measures[0]];
  row.push(samples === undefined || samples.length < 2 ? '–' : `${(spread(samples) * 100).toFixed(0)} %`);
  return row;
}

/** What was measured of each contender. */
export function contenderTable(result: BenchmarkResult): string[][] {
  const { measures, operation } = result.benchmark;
  const head = [`per ${operation}`, 'by', ...measures.map((measure) => titles[measure])];
  if (timed(result)) head.push('per second');
  head.push('spread');
  return [head, ...result.contenders.map((contender) => contenderRow(result, contender))];
}

function wanted(target: TargetResult): string {
  return target.atLeast === undefined ? `≤ ${target.atMost} ×` : `≥ ${target.atLeast} ×`;
}

/** The ratios, beside what was to be reached. */
export function targetTable(targets: readonly TargetResult[]): string[][] {
  return [
    ['work', '@sock', 'against', 'by', 'ratio', 'target', ''],
    ...targets.map((target) => [
      target.work,
      target.ours,
      target.against,
      titles[target.measure],
      target.ratio === null ? '–' : `${target.ratio.toFixed(2)} ×`,
      wanted(target),
      target.reached === null ? 'not run' : target.reached ? 'reached' : 'not reached',
    ]),
  ];
}

/** What was not run, and why. */
export function absences(result: BenchmarkResult): string[] {
  return result.contenders.flatMap(({ name, notRun }) => (notRun === undefined ? [] : [`${name}: not run: ${notRun}`]));
}
