import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type Capability, probe } from './probe.js';
import { scaled } from './time.js';
import { stripTypes } from './typescript.js';

/** How a child process ended. */
export interface Outcome {
  /** Exit status, `null` where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Milliseconds from start to end. */
  elapsed: number;
}

export interface ChildOptions {
  /** Milliseconds after which the child is killed and `outcome` rejects: 20 000 unless told. Stretched. */
  timeout?: number;
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Written to the standard input, which is then closed. Without it the input stays open. */
  input?: string | Uint8Array;
  /** Descriptors for the child, from descriptor 3 upwards. */
  descriptors?: readonly number[];
}

export interface NodeOptions extends ChildOptions {
  /** Options of node, such as `--expose-gc`. */
  flags?: readonly string[];
  /** What the program finds in `process.argv.slice(1)`. */
  args?: readonly string[];
  /** Whether the program is TypeScript, whose types are to be stripped. */
  typescript?: boolean;
}

/**
 * A child process that ends, at the latest, at its time limit. What is preloaded here is preloaded there: this is how a
 * program is started that ends up as node, such as unshare(1).
 */
export class Child {
  readonly process: ChildProcess;
  /** Resolves when the child has ended; rejects where the time limit ended it. */
  readonly outcome: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #read = 0;
  #ended = false;
  readonly #progress = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])];
    const spawnOptions: SpawnOptions = { stdio, env: { ...process.env, ...options.env }, detached: true };
    if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
    const started = performance.now();
    const child = spawn(command, args, spawnOptions);
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    // a child that ended early closes its input: its status says what is wrong, not EPIPE
    child.stdin?.on('error', () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
    const limit = scaled(options.timeout ?? 20_000);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill();
    }, limit);
    this.outcome = once(child, 'close').then((status) => {
      const [code, signal] = status as [number | null, NodeJS.Signals | null];
      const elapsed = performance.now() - started;
      const outcome = { code, signal, stdout: this.#stdout, stderr: this.#stderr, elapsed };
      if (late) throw new Error(`${command} did not end within ${limit} ms\n${show(outcome)}`);
      return outcome;
    });
    this.outcome
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer);
        this.#ended = true;
        this.#wake();
      });
  }

  #wake(): void {
    for (const resolve of this.#progress) resolve();
    this.#progress.clear();
  }

  /** Writes to the child's standard input. */
  write(text: string | Uint8Array): void {
    this.process.stdin?.write(text);
  }

  /** The next line of the child's standard output; rejects where the child ended without one. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#stdout.indexOf('\n', this.#read);
      if (end !== -1) {
        const line = this.#stdout.slice(this.#read, end);
        this.#read = end + 1;
        return line;
      }
      if (this.#ended) throw new Error(`no further line from the child\n${show(await this.outcome)}`);
      await new Promise<void>((resolve) => this.#progress.add(resolve));
    }
  }

  /** Waits until the child's standard output and error together contain `text`. */
  async says(text: string): Promise<void> {
    while (!this.#stdout.includes(text) && !this.#stderr.includes(text)) {
      if (this.#ended) throw new Error(`the child never said ${text}\n${show(await this.outcome)}`);
      await new Promise<void>((resolve) => this.#progress.add(resolve));
    }
  }

  /** The outcome of a child that must end with status 0 and silent standard error. */
  async succeeded(): Promise<Outcome> {
    const outcome = await this.outcome;
    if (outcome.code !== 0 || outcome.stderr !== '') throw new Error(`the child failed\n${show(outcome)}`);
    return outcome;
  }

  /** Ends the child, and what it started in its process group. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    const { pid, exitCode, signalCode } = this.process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // gone in the meantime
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.outcome.catch(() => {});
  }
}

function show({ code, signal, stdout, stderr }: Outcome): string {
  return `status ${code ?? signal}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
}

/** A sanitizer that is preloaded into node would report on programs that were not built for it. */
const foreign = { LD_PRELOAD: undefined, NODE_OPTIONS: undefined };

/** Starts a program of another make, such as socat, without what is preloaded here. */
export function startCommand(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  return new Child(command, args, { ...options, env: { ...foreign, ...options.env } });
}

/**
 * Starts an ES module, given as text, in a node process of its own. Its bare imports resolve as those
 * of the working directory do, which for a test is the folder of its package.
 */
export function startNode(source: string, options: NodeOptions = {}): Child {
  const { flags = [], args = [], typescript = false, ...rest } = options;
  const program = typescript ? stripTypes(source) : source;
  return new Child(process.execPath, [...flags, '--input-type=module', '--eval', program, '--', ...args], rest);
}

/** Runs an ES module, given as text, to its end. */
export function runNode(source: string, options: NodeOptions = {}): Promise<Outcome> {
  const child = startNode(source, { input: '', ...options });
  return child.outcome;
}

/**
 * The system's own Python where it has one: others are often built without families that the system's has, and those of
 * version managers are found by shell scripts, which take seconds in the lab.
 */
export const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
export const python: Capability = probe(`command:${PYTHON}`);

/** Starts a Python 3 program, given as text. Output is unbuffered. */
export function startPython(source: string, args: readonly string[] = [], options: ChildOptions = {}): Child {
  return startCommand(PYTHON, ['-u', '-c', source, ...args], options);
}

/** Runs a Python 3 program, given as text, to its end; it must succeed. Gives its standard output. */
export async function runPython(source: string, args: readonly string[] = [], options: ChildOptions = {}) {
  const { stdout } = await startPython(source, args, { input: '', ...options }).succeeded();
  return stdout;
}

/** Starts socat(1). */
export function startSocat(args: readonly string[], options: ChildOptions = {}): Child {
  return startCommand('socat', args, options);
}
