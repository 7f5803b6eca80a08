import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { executable } from './compile.js';
import { folders } from './paths.js';
import { published } from './published.js';
import type { Program } from './types.js';

/** Where a process runs, of two that work against each other. */
export type Place = 'last' | 'others';

async function command(program: Program, place: Place | undefined): Promise<string[]> {
  const whole: string[] = [];
  if (place !== undefined) whole.push(await executable('apart'), place);
  if (program.within !== undefined) whole.push(await executable(program.within));
  switch (program.kind) {
    case 'c':
      whole.push(await executable(program.name));
      break;
    case 'python':
      whole.push('python3', '-B', join(folders.python, `${program.name}.py`));
      break;
    default: {
      const contenders = program.published === true ? await published() : folders.contenders;
      whole.push(process.execPath, ...(program.flags ?? []), join(contenders, `${program.name}.js`));
    }
  }
  whole.push(...program.arguments);
  return whole;
}

/** A process that speaks in lines of JSON. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterableIterator<string>;
  readonly #ended: Promise<string>;
  #complaints = '';

  private constructor(child: ChildProcess) {
    this.#process = child;
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the child was started without pipes');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
    this.#ended = once(child, 'close').then(
      ([code, signal]) => (signal === null ? `exit code ${code}` : `${signal}`),
      (error: Error) => error.message,
    );
  }

  static async start(
    program: Program,
    extra: readonly string[],
    place: Place | undefined,
    variables: NodeJS.ProcessEnv,
  ): Promise<Child> {
    const [file = '', ...rest] = await command(program, place);
    const child = spawn(file, [...rest, ...extra], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...variables },
    });
    return new Child(child);
  }

  /** The next line it prints. Rejects where it ends first. */
  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done !== true) return JSON.parse(value);
    const end = await this.#ended;
    const complaints = this.#complaints.split('\n');
    const why = complaints.find((text) => /error/i.test(text)) ?? complaints.findLast((text) => text !== '') ?? '';
    throw new Error(`${end} ${why}`.trim());
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
