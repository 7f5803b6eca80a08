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
import type { Benchmark, Lab, Program } from './types.js';

const run = promisify(execFile);

/** Seconds that a guest may take in all: a soak takes hours under emulation. */
const limit = 8 * 3600;

/** Whether this is a guest of the kernel lab. */
export const insideLab = process.env.SOCK_LAB === '1';

/** Whether the guest's processor is emulated: its clock then counts instructions, a nanosecond for each. */
export const emulated = process.env.LAB_ACCEL === 'tcg';

/** What is run in a guest: a benchmark, or a soak. */
export interface Laboratory {
  readonly lab?: Lab;
  readonly programs: readonly Program[];
  readonly needs: readonly string[];
}

export function laboratory({ lab, contenders, counterpart }: Benchmark): Laboratory {
  const programs = contenders.map(({ program }) => program);
  return {
    ...(lab !== undefined && { lab }),
    programs: counterpart === undefined ? programs : [...programs, counterpart.program],
    needs: contenders.flatMap(({ needs }) => needs ?? []),
  };
}

// here, once: what a guest writes is gone at its end, and compilers take minutes under emulation
async function compile(experiments: readonly Laboratory[]): Promise<void> {
  const names = new Set(['apart']);
  for (const { kind, name, within } of experiments.flatMap(({ programs }) => programs)) {
    if (kind === 'c') names.add(name);
    if (within !== undefined) names.add(within);
  }
  for (const name of names) await executable(name);
  for (const name of new Set(experiments.flatMap(({ needs }) => needs))) await missing(name);
}

/**
 * Runs a command line again in a guest of the kernel lab, which may write to the results and the documentation.
 * @param script the file beside cli.js
 * @returns the status
 */
export async function runInLab(
  script: 'cli' | 'soak',
  experiments: readonly Laboratory[],
  words: readonly string[],
): Promise<number> {
  const [load = 0] = loadavg();
  await compile(experiments);
  await mkdir(folders.results, { recursive: true });
  const writable = [folders.results, folders.documentation].flatMap((folder) => ['--writable', folder]);
  const { acceleration } = (await import(join(folders.lab, 'src/kernels.js'))) as { acceleration(): string };
  // what an emulated processor needs for an instruction says nothing, and depends on what else this machine does
  const clock = acceleration() === 'tcg' && script === 'cli' ? ['--qemu=-icount shift=0'] : [];
  const settings = ['--limit', String(limit), '--cwd', folders.results, '--env', `SOCK_BENCH_LOAD=${load}`];
  const file = fileURLToPath(new URL(`../${script}.js`, import.meta.url));
  const command = [
    join(folders.lab, 'src/lab.js'),
    ...clock,
    ...settings,
    ...writable,
    process.execPath,
    file,
    ...words,
  ];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}

/** Makes the guest ready. */
export async function prepareGuest(experiments: readonly { readonly lab?: Lab }[]): Promise<void> {
  const commands = new Set(experiments.flatMap(({ lab }) => lab?.setup ?? []));
  for (const command of commands) await run('sh', ['-c', command]);
}
