#!/usr/bin/env node
// The lab's command line: one guest with a command or a shell, or a pair of guests.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { MODULES, runGuest, shellCommand } from './guest.js';
import { LabUnavailableError } from './kernels.js';
import { runPair } from './pair.js';

const USAGE = `usage: npm run lab -- [options] 'shell command'      run it in a guest
       npm run lab -- [options] program argument...
       npm run lab -- [options]                      a shell, where there is a terminal
       npm run lab -- --pair [options] 'A' 'B'       A and B in two guests joined by eth0

  -t, --limit SECONDS    for the whole run (600; a shell: none); then status 124 and the guest's console
  -m, --memory MIB       of the guest (2048)
      --modules 'A B'    modules to load first, instead of those of every family; '+A B' adds to them
  -w, --writable FOLDER  a folder of the host that the guest may write to (repeatable)
  -e, --env NAME[=VALUE] a variable for the guest (repeatable)
  -C, --cwd FOLDER       where the command runs (the current folder)
  -i, --terminal         the command runs on this terminal (default: stdin /dev/null, stdout and stderr apart)
      --kernel KERNEL    a kernel package (.deb, several with commas), or the name of one in the cache
      --cpus N           processors (1: more now and then hang under emulation)
      --accel ACCEL      kvm or tcg (kvm where the processor's own virtualisation is there)
      --qemu 'ARGS'      further arguments of qemu
      --console          print the guest's console at the end
  -v, --verbose          print timings at the end

The guest runs as root over this machine's own files: it may write anywhere, and all of that is gone at its end,
except in --writable folders. PATH, HOME, LANG, LC_*, TERM, TZ, CI, colours and SOCK_* are passed on.

Status: the command's; 124 after the limit, 125 when the guest ended without one, 69 when there is no lab, 2 usage.`;

/** @param {string} message @returns {never} */
function usage(message) {
  console.error(message ? `lab: ${message}\n\n${USAGE}` : USAGE);
  process.exit(message ? 2 : 0);
}

const OPTIONS = /** @type {const} */ ({
  limit: { type: 'string', short: 't' },
  memory: { type: 'string', short: 'm' },
  modules: { type: 'string' },
  writable: { type: 'string', short: 'w', multiple: true },
  env: { type: 'string', short: 'e', multiple: true },
  cwd: { type: 'string', short: 'C' },
  terminal: { type: 'boolean', short: 'i' },
  kernel: { type: 'string' },
  cpus: { type: 'string' },
  accel: { type: 'string' },
  qemu: { type: 'string' },
  pair: { type: 'boolean' },
  console: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
});

function readArguments() {
  const args = process.argv.slice(2);
  // what follows the first word that is no option belongs to the command
  const { tokens } = parseArgs({ args, options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
  const command = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length;
  try {
    const own = args.slice(0, command);
    const { values, positionals } = parseArgs({ args: own, options: OPTIONS, allowPositionals: true });
    return { values, positionals: [...positionals, ...args.slice(command)] };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} text @param {string} name */
function count(text, name) {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) usage(`--${name} wants a number, not '${text}'`);
  return Number(text);
}

/** @param {string} text */
const words = (text) => text.split(/\s+/).filter((word) => word !== '');

/** @param {string[]} assignments */
function variables(assignments) {
  return Object.fromEntries(
    assignments.map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, process.env[text]] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/**
 * @param {import('./guest.js').GuestResult} result
 * @param {number} limit milliseconds
 * @param {string} who
 */
function explain(result, limit, who) {
  if (result.reason === 'limit') console.error(`lab: ${who} stopped after ${limit / 1000} s; its console:`);
  else if (result.reason === 'crash') console.error(`lab: ${who} ended without a status; its console:`);
  else if (result.reason === 'aborted' && !stoppedBy) {
    console.error(`lab: ${who} was ended because the other one had failed`);
    return;
  } else return;
  console.error(result.console.trimEnd().split('\n').slice(-100).join('\n'));
}

const { values, positionals } = readArguments();
if (values.help) usage('');
const terminal = values.terminal ?? (positionals.length === 0 && !values.pair);
if (terminal && (!process.stdin.isTTY || !process.stdout.isTTY)) {
  usage(positionals.length === 0 ? 'no command, and no terminal for a shell' : '--terminal wants a terminal');
}
if (values.pair && positionals.length !== 2) usage('--pair wants two commands');
if (values.accel !== undefined && values.accel !== 'kvm' && values.accel !== 'tcg') usage('--accel is kvm or tcg');
const limit = (count(values.limit, 'limit') ?? (terminal ? 0 : 600)) * 1000;
const modules = values.modules?.startsWith('+')
  ? [...MODULES, ...words(values.modules.slice(1))]
  : words(values.modules ?? MODULES.join(' '));

const abort = new AbortController();
let stoppedBy = 0;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    stoppedBy = 128 + constants.signals[signal];
    abort.abort();
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // the reader is gone (lab … | head): so is the reason to go on
  stream.on('error', () => {
    stoppedBy = 128 + constants.signals.SIGPIPE;
    abort.abort();
  });
}

/** @type {Omit<import('./guest.js').GuestOptions, 'command'>} */
const options = {
  terminal,
  limit,
  modules,
  signal: abort.signal,
  writable: values.writable ?? [],
  env: variables(values.env ?? []),
  qemu: words(values.qemu ?? ''),
  ...(values.cwd !== undefined && { cwd: values.cwd }),
  ...(values.kernel !== undefined && { kernel: values.kernel }),
  ...(values.memory !== undefined && { memory: count(values.memory, 'memory') ?? 0 }),
  ...(values.cpus !== undefined && { cpus: count(values.cpus, 'cpus') ?? 1 }),
  ...(values.accel !== undefined && { accel: values.accel }),
};

async function run() {
  if (values.pair) return runPair([positionals[0] ?? '', positionals[1] ?? ''], options);
  // one word is a shell command, several are a program and its arguments
  const command = positionals.length > 1 ? shellCommand(positionals) : (positionals[0] ?? null);
  return [await runGuest({ ...options, command })];
}

// qemu makes the terminal raw and is not always asked to undo it
const settings = terminal ? spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'] }).stdout.toString() : '';
try {
  const results = await run();
  results.forEach((result, i) => {
    const who = values.pair ? `guest ${i + 1}` : 'the guest';
    explain(result, limit, who);
    if (values.console) console.error(`lab: the console of ${who}:\n${result.console}`);
    if (values.verbose) {
      const boot = result.boot === null ? 'not booted' : `booted in ${result.boot} s`;
      console.error(`lab: ${who}: status ${result.status}, ${boot}, ${result.seconds.toFixed(2)} s in all`);
    }
  });
  // of a pair the first that failed by itself, rather than one that was ended because of it
  const failed = results.find(({ status, reason }) => status !== 0 && reason !== 'aborted');
  process.exitCode = stoppedBy || (failed ?? results.find(({ status }) => status !== 0))?.status || 0;
} catch (error) {
  if (!(error instanceof LabUnavailableError)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = error.status;
} finally {
  if (settings) spawnSync('stty', [settings.trim()], { stdio: ['inherit', 'ignore', 'ignore'] });
}
