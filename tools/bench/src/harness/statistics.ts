import type { Benchmark, ContenderResult, Measure, TargetResult } from './types.js';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of the rounds, `null` where it was not measured. */
export function figure(result: ContenderResult | undefined, measure: Measure): number | null {
  const values = result?.notRun === undefined ? result?.samples[measure] : undefined;
  return values === undefined || values.length === 0 ? null : median(values);
}

/** How far the rounds lie apart: the distance of the quartiles as a share of the median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / median(sorted);
}

/** The ratios of the medians, beside what was to be reached. */
export function judge(benchmark: Benchmark, results: readonly ContenderResult[]): TargetResult[] {
  const value = (name: string, measure: Measure): number | null =>
    figure(
      results.find((result) => result.name === name),
      measure,
    );
  return benchmark.targets.map((target) => {
    const ours = value(target.ours, target.measure);
    const other = value(target.against, target.measure);
    if (ours === null || other === null) return { ...target, ratio: null, reached: null };
    if (target.atLeast !== undefined) {
      return { ...target, ratio: other / ours, reached: other / ours >= target.atLeast };
    }
    return { ...target, ratio: ours / other, reached: ours / other <= (target.atMost ?? 0) };
  });
}
