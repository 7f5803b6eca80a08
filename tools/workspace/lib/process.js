// Running other programs and talking to the person at the terminal. Node's own modules only: this runs before anything
// is installed.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** What went wrong, told to the person in one sentence: printed without a stack trace. */
export class Failure extends Error {}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {string} title */
export function heading(title) {
  say(process.stdout.isTTY ? `\n\u001b[1m${title}\u001b[0m` : `\n${title}`);
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Runs a program to its end, its output going where ours goes; with `capture` the output is returned too.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean, quiet?: boolean, timeout?: number }} [options]
 *   `quiet` shows the output only if the program fails; `timeout` in milliseconds.
 * @returns {Promise<{ status: number, output: string }>} a program ended by a signal has status 128 + its number
 */
export async function attempt(command, args, options = {}) {
  const { cwd = root, env = process.env, capture = false, quiet = false, timeout } = options;
  const piped = capture || quiet;
  // A group of its own, so that a program that hangs can be ended together with what it started.
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: piped ? ['inherit', 'pipe', 'pipe'] : 'inherit',
    detached: timeout !== undefined,
  });
  /** @type {string[]} */
  const chunks = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    chunks.push(chunk);
    if (!quiet) process.stdout.write(chunk);
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    chunks.push(chunk);
    if (!quiet) process.stderr.write(chunk);
  });
  /** @param {NodeJS.Signals} signal */
  const endGroup = (signal) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Already gone.
    }
  };
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    endGroup('SIGTERM');
  };
  let late = false;
  const limit =
    timeout === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          endGroup('SIGKILL');
        }, timeout);
  if (timeout !== undefined) process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
    });
    const output = chunks.join('');
    if (quiet && status !== 0) process.stderr.write(output);
    if (interrupted) throw new Failure('interrupted');
    if (late) say(`\n${command} was ended after ${duration(timeout ?? 0)}: it hung`);
    return { status, output };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Failure(reason.code === 'ENOENT' ? `${command} was not found` : `${command}: ${reason.message}`);
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
  return numbers[/** @type {keyof typeof numbers} */ (signal)] ?? 0;
}

/**
 * As {@link attempt}, but a status other than 0 is a failure.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Parameters<typeof attempt>[2]} [options]
 */
export async function run(command, args, options) {
  const { status, output } = await attempt(command, args, options);
  if (status !== 0) throw new Failure(`${[command, ...args].join(' ')} failed (status ${status})`);
  return output;
}

/**
 * What a small program prints, without showing it; `undefined` when it cannot be run or fails.
 *
 * @param {string} command
 * @param {string[]} args
 */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * The path of an executable of PATH, `undefined` when there is none.
 *
 * @param {string} name
 */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/**
 * Runs a script's main function: a {@link Failure} is told in one line, anything else with its stack.
 *
 * @param {() => Promise<void> | void} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    process.exitCode = 1;
    const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : error;
    process.stderr.write(`\n${text}\n`);
  }
}
