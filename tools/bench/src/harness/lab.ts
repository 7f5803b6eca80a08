import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { executable } from './compile.js';
import { folders } from './paths.js';
import { missing } from './peers.js';
import type { Benchmark, Program } from './types.js';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../cli.js', import.meta.url));

/** Seconds that a guest may take in all: a soak takes hours under emulation. */
const limit = 8 * 3600;

/** Whether this is a guest of the kernel lab. */
export const insideLab = process.env.SOCK_LAB === '1';

/** Whether the guest's processor is emulated: its clock then counts instructions, a nanosecond for each. */
export const emulated = process.env.LAB_ACCEL === 'tcg';

function programs(benchmark: Benchmark): Program[] {
  const contenders = benchmark.contenders.map(({ program }) => program);
  return benchmark.counterpart === undefined ? contenders : [...contenders, benchmark.counterpart.program];
}

// here, once: what a guest writes is gone at its end, and compilers take minutes under emulation
async function compile(benchmarks: readonly Benchmark[]): Promise<void> {
  const names = new Set(['apart']);
  for (const { kind, name, within } of benchmarks.flatMap(programs)) {
    if (kind === 'c') names.add(name);
    if (within !== undefined) names.add(within);
  }
  for (const name of names) await executable(name);
  for (const { needs } of benchmarks.flatMap(({ contenders }) => contenders)) {
    if (needs !== undefined) await missing(needs);
  }
}

/**
 * Runs this command line again in a guest of the kernel lab, which may write to the results and the documentation.
 * @returns the status
 */
export async function runInLab(benchmarks: readonly Benchmark[], words: readonly string[]): Promise<number> {
  const [load = 0] = loadavg();
  await compile(benchmarks);
  await mkdir(folders.results, { recursive: true });
  const writable = [folders.results, folders.documentation].flatMap((folder) => ['--writable', folder]);
  const { acceleration } = (await import(join(folders.lab, 'src/kernels.js'))) as { acceleration(): string };
  // what an emulated processor needs for an instruction says nothing, and depends on what else this machine does
  const clock = acceleration() === 'tcg' ? ['--qemu=-icount shift=0'] : [];
  const options = [
    ...clock,
    '--limit',
    String(limit),
    '--cwd',
    folders.results,
    '--env',
    `SOCK_BENCH_LOAD=${load}`,
    ...writable,
  ];
  const command = [join(folders.lab, 'src/lab.js'), ...options, process.execPath, cli, ...words];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}

/** Makes the guest ready for benchmarks. */
export async function prepareGuest(benchmarks: readonly Benchmark[]): Promise<void> {
  const commands = new Set(benchmarks.flatMap(({ lab }) => lab?.setup ?? []));
  for (const command of commands) await run('sh', ['-c', command]);
}
