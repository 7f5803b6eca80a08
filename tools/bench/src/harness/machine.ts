import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The kind of machine that the figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memory: string;
  kernel: string;
  node: string;
  python: string;
  compiler: string;
}

async function firstLine(file: string, ...given: string[]): Promise<string> {
  return run(file, given).then(
    ({ stdout, stderr }) => (stdout || stderr).split('\n')[0]?.trim() ?? '',
    () => 'none',
  );
}

export async function machine(): Promise<Machine> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${/^\d+(\.\d+)*/.exec(release())?.[0] ?? release()}`,
    node: `Node ${process.version}`,
    python: await firstLine('python3', '--version'),
    compiler: await firstLine(process.env.CC ?? 'cc', '--version'),
  };
}

export function describe(of: Machine): string {
  return `${of.cpu}, ${of.cores} cores, ${of.memory}; ${of.kernel}; ${of.node}; ${of.python}; ${of.compiler}`;
}

/** What to know about figures measured while others use the machine; nothing where it is quiet. */
export function disturbance(): string | undefined {
  // in a guest the machine that matters is the host
  const load = Number(process.env.SOCK_BENCH_LOAD ?? loadavg()[0]);
  return load < 0.5 ? undefined : `the machine was busy (load ${load.toFixed(1)}): the figures are rough`;
}
