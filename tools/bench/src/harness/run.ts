import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type Place } from './child.js';
import { missing } from './peers.js';
import { published } from './published.js';
import { judge } from './statistics.js';
import type {
  Benchmark,
  BenchmarkResult,
  Contender,
  ContenderResult,
  Counterpart,
  Measure,
  Program,
  Report,
  Settings,
} from './types.js';

/** Milliseconds of warm-up for what is not compiled while it runs: its memory is touched for the first time too. */
const coldStart = 50;

async function withTimeout<T>(promise: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function argumentsOf(line: unknown): string[] {
  const { arguments: given } = line as { arguments?: string[] };
  if (given === undefined) throw new Error(`unexpected line ${JSON.stringify(line)}`);
  return given;
}

/** Runs one contender once, in a process of its own, with its counterpart in another, and listens to it. */
async function listen<T>(
  contender: Contender,
  counterpart: Counterpart | undefined,
  variables: NodeJS.ProcessEnv,
  limit: number,
  hear: (measured: Child) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sock-bench-'));
  const children: Child[] = [];
  const start = async (program: Program, extra: readonly string[], place?: Place): Promise<Child> => {
    const child = await Child.start(program, extra, place, { ...variables, BENCH_PATH: join(folder, 'socket') });
    children.push(child);
    return child;
  };
  const whole = async (): Promise<T> => {
    if (counterpart === undefined) return hear(await start(contender.program, []));
    let measured: Child;
    if (counterpart.order === 'first') {
      const other = await start(counterpart.program, [], 'last');
      measured = await start(contender.program, argumentsOf(await other.line()), 'others');
    } else {
      measured = await start(contender.program, [], 'others');
      await start(counterpart.program, argumentsOf(await measured.line()), 'last');
    }
    return hear(measured);
  };
  try {
    return await withTimeout(whole(), limit);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

function measure(benchmark: Benchmark, contender: Contender, settings: Settings): Promise<Report> {
  const { counterpart, stretch = 1 } = benchmark;
  const warmUp = stretch * settings.warmUp;
  const duration = stretch * settings.duration;
  const variables = {
    BENCH_WARM_UP: String(contender.program.kind === 'node' ? warmUp : stretch * coldStart),
    BENCH_DURATION: String(duration),
    BENCH_CONNECTIONS: String(settings.connections),
  };
  const limit = warmUp + duration + settings.patience;
  return listen(contender, counterpart, variables, limit, async (measured) => (await measured.line()) as Report);
}

/** Makes what a contender needs. @returns why it cannot be run, `undefined` where it can */
async function obstacle({ needs, program }: Contender): Promise<string | undefined> {
  if (needs !== undefined) return missing(needs);
  if (program.published !== true) return undefined;
  return published().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const reported: readonly Measure[] = ['wall', 'cpu', 'memory', 'heap'];

async function round(benchmark: Benchmark, results: ContenderResult[], settings: Settings): Promise<void> {
  for (const [index, contender] of benchmark.contenders.entries()) {
    const result = results[index];
    if (result === undefined || result.notRun !== undefined) continue;
    try {
      const report = await measure(benchmark, contender, settings);
      for (const kind of reported) {
        const value = report[kind];
        if (value !== undefined) result.samples[kind] = [...(result.samples[kind] ?? []), value / report.operations];
      }
    } catch (error) {
      result.notRun = (error as Error).message;
    }
  }
}

/** Runs every contender once a round, all of them in turn, so that what disturbs the machine disturbs all. */
export async function runBenchmark(benchmark: Benchmark, settings: Settings): Promise<BenchmarkResult> {
  const results: ContenderResult[] = [];
  for (const contender of benchmark.contenders) {
    const { name, party } = contender;
    const notRun = await obstacle(contender);
    results.push({ name, party, samples: {}, ...(notRun !== undefined && { notRun }) });
  }
  const rounds = settings.rounds * (benchmark.repeat ?? 1);
  for (let i = 0; i < rounds; i++) await round(benchmark, results, settings);
  return { benchmark, contenders: results, targets: judge(benchmark, results) };
}
