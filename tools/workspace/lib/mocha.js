// Running mocha and knowing what it said: every count that is reported anywhere is read from mocha's own summary.

import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { isUnreleased, workspacePackages } from './packages.js';
import { attempt, Failure, heading, root, say } from './process.js';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} notRun
 * @property {Set<string>} reasons what the tests that were not run need, with the remedy
 */

/** A suite that takes longer than this hangs. Milliseconds. */
const limit = 20 * 60_000;

const mocha = join(root, 'node_modules/mocha/bin/mocha.js');

/** @typedef {import('./packages.js').WorkspacePackage & { tests: string }} TestedPackage `tests`: a glob */

/**
 * The packages that have tests, those whose script `test` begins with `mocha '<glob>'`.
 *
 * @param {string[]} [names] only these: a folder, its last part or the name of the package
 * @returns {TestedPackage[]}
 */
export function testedPackages(names = []) {
  const all = workspacePackages().flatMap((one) => {
    const tests = /^mocha '?([^'& ]+)'?(?: &&|$)/.exec(one.manifest.scripts?.test ?? '')?.[1];
    return tests === undefined ? [] : [{ ...one, tests }];
  });
  if (names.length === 0) return all.filter((one) => !isUnreleased(one));
  return names.map((name) => {
    const found = all.find(({ folder, short, manifest }) => [folder, short, manifest.name].includes(name));
    if (found === undefined) throw new Failure(`there is no package ${name} with tests`);
    return found;
  });
}

/**
 * Runs the tests of one package.
 *
 * @param {TestedPackage} tested
 * @param {{ node?: string, env?: NodeJS.ProcessEnv, args?: string[], title?: string }} [options]
 * @returns {Promise<Counts>}
 */
export async function runMocha(tested, options = {}) {
  const { node = process.execPath, env = process.env, args = [], title = tested.folder } = options;
  heading(title);
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const { status, output } = await attempt(node, [mocha, tested.tests, ...args], {
    cwd: tested.path,
    env: { ...env, ...colour },
    capture: true,
    timeout: limit,
  });
  const counts = readCounts(output, status);
  if (status !== 0) say(`${title}: mocha ended with status ${status}`);
  return counts;
}

/**
 * The counts in the output of one or several runs of mocha.
 *
 * @param {string} output
 * @param {number} status of the program that printed it: a failure that no count tells of is counted as one
 * @returns {Counts}
 */
export function readCounts(output, status) {
  const counts = noCounts();
  for (const line of stripVTControlCharacters(output).split(/\r?\n/)) {
    const [, number, outcome] = /^ {2}(\d+) (passing \(\d+[a-z]+\)|failing|pending)$/.exec(line) ?? [];
    if (outcome?.startsWith('passing')) counts.passed += Number(number);
    if (outcome === 'failing') counts.failed += Number(number);
    if (outcome === 'pending') counts.notRun += Number(number);
    const reason = /\[not run: (.+)\]$/.exec(line)?.[1];
    if (reason !== undefined) counts.reasons.add(reason);
  }
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** @returns {Counts} */
export function noCounts() {
  return { passed: 0, failed: 0, notRun: 0, reasons: new Set() };
}

/**
 * @param {Counts} sum what is added to
 * @param {Counts} counts
 */
export function addCounts(sum, counts) {
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  sum.notRun += counts.notRun;
  for (const reason of counts.reasons) sum.reasons.add(reason);
}

/** @param {Counts} counts */
export function summary({ passed, failed, notRun }) {
  return `${passed} passed, ${failed} failed${notRun === 0 ? '' : `, ${notRun} not run`}`;
}

/**
 * Prints the line that .ci/run adds up, and makes the exit status say the same. Nothing run is a failure.
 *
 * @param {Counts} counts
 */
export function conclude(counts) {
  say(`\n${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0) process.exitCode = 1;
  if (counts.passed === 0) throw new Failure('no test ran');
}

/**
 * The command line of what runs tests: packages, options, and after a further `--` options of mocha.
 *
 * @param {string[]} argv
 * @param {string[]} [known] the options
 */
export function parseArguments(argv, known = []) {
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const flags = own.filter((word) => word.startsWith('-'));
  const unknown = flags.find((flag) => !known.includes(flag));
  if (unknown !== undefined) throw new Failure(`unknown option ${unknown}; those of mocha come after a further --`);
  return {
    names: own.filter((word) => !word.startsWith('-')),
    flags,
    mochaArgs: separator < 0 ? [] : argv.slice(separator + 1),
  };
}
