import { amount, titles } from './format.js';
import { figure } from './statistics.js';
import type { BenchmarkResult, ContenderResult, Party } from './types.js';

const width = 480;
const labels = 170;
const values = 76;
const row = 18;
const gap = 24;
const colours: Record<Party, string> = { ours: '#0a7d5a', peer: '#c4651a', c: '#6b7280' };

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`;
}

function shown(result: BenchmarkResult): { contender: ContenderResult; value: number }[] {
  return result.contenders.flatMap((contender) => {
    const value = figure(contender, result.benchmark.measures[0]);
    return value === null ? [] : [{ contender, value: Math.max(value, 0) }];
  });
}

function lines(title: string): string[] {
  const parts: string[] = [''];
  for (const word of title.split(' ')) {
    const last = parts.at(-1) ?? '';
    if (last.length + word.length > 52) parts.push(word);
    else parts[parts.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return parts;
}

function heading(result: BenchmarkResult): string[] {
  const { title, measures, operation } = result.benchmark;
  return lines(`${title}: ${titles[measures[0]]} per ${operation}`);
}

function height(result: BenchmarkResult): number {
  return heading(result).length * 17 + shown(result).length * row + gap;
}

function panel(result: BenchmarkResult, x: number, y: number): string[] {
  const parts = heading(result).map((line, i) => text(x, y + 12 + i * 17, line, ' class="title"'));
  const bars = shown(result);
  const largest = Math.max(...bars.map(({ value }) => value));
  const room = width - labels - values;
  let top = y + 17 * parts.length + 4;
  for (const { contender, value } of bars) {
    const length = Math.max(1, Math.round((room * value) / largest));
    const fill = colours[contender.party];
    parts.push(
      text(x + labels - 6, top + 12, contender.name, ' text-anchor="end"'),
      `<rect x="${x + labels}" y="${top + 2}" width="${length}" height="${row - 5}" rx="2" fill="${fill}"/>`,
      text(x + labels + length + 5, top + 12, amount(value, result.benchmark.measures[0])),
    );
    top += row;
  }
  return parts;
}

function legend(y: number): string[] {
  const entries: [Party, string][] = [
    ['ours', '@sock'],
    ['peer', 'what one would use instead'],
    ['c', 'the same system calls in C'],
  ];
  let x = 20;
  return entries.flatMap(([party, label]) => {
    const at = x;
    x += 40 + label.length * 7;
    return [
      `<rect x="${at}" y="${y - 10}" width="12" height="12" rx="2" fill="${colours[party]}"/>`,
      text(at + 18, y, label),
    ];
  });
}

/** Bars, the shorter the better, one panel for each benchmark, in two columns. */
export function chart(results: readonly BenchmarkResult[], machine: string): string {
  const bottoms: [number, number] = [64, 64];
  const parts: string[] = [];
  for (const result of results) {
    if (shown(result).length === 0) continue;
    const column = bottoms[0] <= bottoms[1] ? 0 : 1;
    parts.push(...panel(result, 20 + column * (width + 20), bottoms[column]));
    bottoms[column] += height(result);
  }
  const whole = { width: 2 * width + 60, height: Math.max(...bottoms) + 24 };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole.width} ${whole.height}" role="img"`,
    ' font-family="system-ui, sans-serif" font-size="12" fill="#1f2937">',
    '<title>@sock beside its peers and C: shorter is better</title>',
    '<style>.title{font-weight:600;font-size:13px}.small{font-size:10px;fill:#6b7280}</style>',
    `<rect width="${whole.width}" height="${whole.height}" fill="#ffffff"/>`,
    ...legend(28),
    text(whole.width - 20, 28, 'shorter is better', ' text-anchor="end"'),
    ...parts,
    text(20, whole.height - 12, machine, ' class="small"'),
    '</svg>',
    '',
  ].join('\n');
}
