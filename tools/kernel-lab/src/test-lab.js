#!/usr/bin/env node
// Runs the packages' compiled tests in guests, with every address family required: one guest for each package, so that
// no package meets what another one left behind in the kernel, and one that crashes takes none with it.
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { runGuest, shellCommand } from './guest.js';
import { acceleration, findKernel, LAB, LabUnavailableError } from './kernels.js';
import { MarkLines } from './output.js';
import { collect, describeResult } from './results.js';

const ROOT = dirname(dirname(LAB));
const USAGE = `usage: npm run test:lab -- [options] [package...] [-- options of mocha]

  -g, --guests N          guests at a time (2, or 1 on a single processor)
  -t, --limit SECONDS     for one package (1800)
      --stall SECONDS     for one test (300)
  -m, --memory MIB        of each guest (2048)
  -o, --out FOLDER        where PACKAGE.json, PACKAGE.log and summary.json go (build/kernel-lab)
      --scale N           stretches the tests' time limits: SOCK_TIME_SCALE (10; with kvm 3)
      --node-flags FLAGS  of the node that runs mocha (--no-opt; with kvm none)
      --kernel KERNEL     as of 'npm run lab'
  -e, --env NAME[=VALUE]  a variable for the guest (repeatable)

The tests are those of packages/*/dist-test: compile them first ('npm run build'). Whatever fails or is skipped, and a
package whose tests are not compiled, makes the status 1; only a test whose title says "Linux X.Y or newer" may be
skipped on an older kernel. Status 69: there is no lab here ('npm run lab:setup').`;

/** @typedef {{ name: string, path: string, files: number, last: number }} TestedPackage */

/** @param {string} message @returns {never} */
function usage(message) {
  console.error(message ? `lab: ${message}\n\n${USAGE}` : USAGE);
  process.exit(message ? 2 : 0);
}

/** @param {string} folder @param {string} suffix */
function countFiles(folder, suffix) {
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(suffix)).length;
}

/** Those that have tests; the longest first, as far as an earlier run tells, so that none is left over at the end.
 * @param {string[]} wanted names or paths; none: all
 * @param {string} out
 * @returns {TestedPackage[]}
 */
function findPackages(wanted, out) {
  const home = join(ROOT, 'packages');
  const folders =
    wanted.length === 0
      ? readdirSync(home).map((name) => join(home, name))
      : wanted.map((name) => (existsSync(join(home, name)) ? join(home, name) : resolve(name)));
  const found = folders.flatMap((path) => {
    const sources = countFiles(join(path, 'test'), '.test.ts');
    const files = countFiles(join(path, 'dist-test'), '.test.js');
    if (sources === 0 && files === 0) return [];
    const name = basename(path);
    return [{ name, path, files, last: lastDuration(join(out, `${name}.json`)) }];
  });
  if (found.length === 0) usage(`no tests in ${wanted.join(', ') || 'packages'}`);
  return found.sort((a, b) => b.last - a.last || b.files - a.files);
}

/** @param {string} file */
function lastDuration(file) {
  try {
    return Number(JSON.parse(readFileSync(file, 'utf8')).seconds) || 0;
  } catch {
    return 0;
  }
}

function readArguments() {
  const argv = process.argv.slice(2);
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  try {
    const { values, positionals } = parseArgs({
      args: own,
      allowPositionals: true,
      options: {
        guests: { type: 'string', short: 'g' },
        limit: { type: 'string', short: 't' },
        stall: { type: 'string' },
        memory: { type: 'string', short: 'm' },
        out: { type: 'string', short: 'o' },
        scale: { type: 'string' },
        'node-flags': { type: 'string' },
        kernel: { type: 'string' },
        env: { type: 'string', short: 'e', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    });
    for (const name of /** @type {const} */ (['guests', 'limit', 'stall', 'memory', 'scale'])) {
      const value = values[name];
      if (value !== undefined && !(Number(value) > 0)) usage(`--${name} wants a positive number, not '${value}'`);
    }
    return { values, positionals, mochaArgs: separator < 0 ? [] : argv.slice(separator + 1) };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals, mochaArgs } = readArguments();
if (values.help) usage('');
const out = resolve(values.out ?? join(ROOT, 'build/kernel-lab'));
const limit = Number(values.limit ?? 1800) * 1000;
const stall = Number(values.stall ?? 300) * 1000;
const emulated = acceleration() === 'tcg';
// Under emulation what turbofan gains is less than what its compiling costs, for tests that each run once.
const nodeFlags = (values['node-flags'] ?? (emulated ? '--no-opt' : '')).split(/\s+/).filter((flag) => flag !== '');
const given = Object.fromEntries(
  (values.env ?? []).map((text) => {
    const at = text.indexOf('=');
    return at < 0 ? [text, process.env[text]] : [text.slice(0, at), text.slice(at + 1)];
  }),
);

/**
 * @param {TestedPackage} tested
 * @param {string} kernel
 * @param {AbortSignal} signal
 */
async function runPackage({ name, path, files }, kernel, signal) {
  if (files === 0) {
    const run = { status: 1, reason: 'exit', seconds: 0, kernel, limit };
    const result = collect(name, '', run);
    result.tests = [{ title: 'the tests are compiled', state: 'failed', error: `no ${path}/dist-test: npm run build` }];
    return result;
  }
  const folder = join(out, 'guests', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // the real path: in a guest each symbolic link of the way costs a round trip
  const mocha = realpathSync(join(ROOT, 'node_modules/mocha/bin/mocha.js'));
  const command = shellCommand([
    process.execPath,
    ...nodeFlags,
    ...[mocha, '--reporter', join(LAB, 'src/reporter.js'), ...mochaArgs, 'dist-test/**/*.test.js'],
  ]);
  const output = new PassThrough();
  const log = createWriteStream(join(out, `${name}.log`));
  output.pipe(log);
  const marked = output.pipe(new MarkLines(`${name} │ `));
  marked.pipe(process.stdout, { end: false });
  const events = join(folder, 'events');
  const stalled = new AbortController();
  const watch = watchStall(events, stalled);
  const guest = await runGuest({
    command,
    limit,
    signal: AbortSignal.any([signal, stalled.signal]),
    cwd: path,
    stdout: output,
    stderr: output,
    writable: [folder],
    env: {
      SOCK_REQUIRE: 'all',
      SOCK_TIME_SCALE: values.scale ?? (emulated ? '10' : '3'),
      LAB_EVENTS: events,
      ...given,
    },
    ...(values.memory !== undefined && { memory: Number(values.memory) }),
    ...(values.kernel !== undefined && { kernel: values.kernel }),
  });
  clearInterval(watch);
  if (guest.reason === 'limit' || guest.reason === 'crash') {
    output.write(`the guest's console:\n${guest.console.trimEnd().split('\n').slice(-100).join('\n')}\n`);
  }
  output.end();
  await Promise.all([finished(log), finished(marked)]);
  const text = existsSync(events) ? readFileSync(events, 'utf8') : '';
  const reason = stalled.signal.aborted ? 'stall' : guest.reason;
  return collect(name, text, { ...guest, reason, kernel, limit });
}

/**
 * Aborts when a file has not grown for longer than a test may take: a test that blocks its thread is beyond the reach
 * of mocha's own limits.
 *
 * @param {string} file
 * @param {AbortController} controller
 */
function watchStall(file, controller) {
  let [size, since] = [-1, Date.now()];
  return setInterval(() => {
    const now = existsSync(file) ? statSync(file).size : 0;
    if (now !== size) [size, since] = [now, Date.now()];
    else if (Date.now() - since > stall) controller.abort();
  }, 1000).unref();
}

/** @param {TestedPackage[]} packages @param {AbortSignal} signal */
async function runAll(packages, signal) {
  const kernel = findKernel(values.kernel).name;
  mkdirSync(out, { recursive: true });
  const queue = [...packages];
  /** @type {import('./results.js').PackageResult[]} */
  const results = [];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const result = await runPackage(next, kernel, signal);
      writeFileSync(join(out, `${next.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
      results.push(result);
    }
  };
  const guests = Number(values.guests ?? Math.min(2, availableParallelism()));
  await Promise.all(Array.from({ length: guests }, worker));
  return { kernel, results: results.sort((a, b) => a.package.localeCompare(b.package)) };
}

const abort = new AbortController();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => abort.abort());
try {
  const started = performance.now();
  const { kernel, results } = await runAll(findPackages(positionals, out), abort.signal);
  for (const result of results) console.log(`\n${describeResult(result)}`);
  /** @param {'passes' | 'failures' | 'pending'} key */
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const total = { passes: sum('passes'), failures: sum('failures'), pending: sum('pending') };
  const packages = results.map(({ tests, ...counts }) => counts);
  writeFileSync(join(out, 'summary.json'), `${JSON.stringify({ kernel, ...total, packages }, null, 2)}\n`);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(
    `\nlab: ${results.length} packages on ${kernel} in ${seconds} s; details in ${relative(process.cwd(), out)}`,
  );
  if (total.failures > 0 || total.passes === 0) process.exitCode = 1;
  if (abort.signal.aborted) process.exitCode = 130;
} catch (error) {
  if (!(error instanceof LabUnavailableError)) throw error;
  console.error(`lab: ${error.message}`);
  process.exitCode = error.status;
}
