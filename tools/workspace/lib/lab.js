// The kernel lab, as far as the other commands use it.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { noCounts, testedPackages } from './mocha.js';
import { readJson } from './packages.js';
import { attempt, heading, root } from './process.js';

const folder = join(root, 'tools/kernel-lab');

/** Its own tests are the same on every kernel. */
const testkit = 'packages/testkit';

/** The lab's tests take longer than this only when something hangs. Milliseconds. */
const limit = 75 * 60_000;

/**
 * Makes the lab ready where that needs nobody's answer: as root, with a sudo that asks no password, or when only the
 * kernel is missing. Set-up fetches about 90 MB once, into the person's cache folder.
 *
 * @returns {Promise<string | undefined>} why the lab cannot be run, `undefined` where it can
 */
export async function prepareLab() {
  const script = join(folder, 'setup.sh');
  if (!existsSync(script)) return 'tools/kernel-lab is not in this checkout';
  const check = spawnSync('bash', [script, '--check'], { encoding: 'utf8' });
  if (check.status === 0) return undefined;
  heading('Setting up the kernel lab');
  // Without a terminal on its input the script never asks.
  const setup = spawnSync('bash', [script], { stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8' });
  process.stderr.write(setup.stderr);
  if (setup.status === 0) return undefined;
  const told = setup.stderr.split('\n').filter((line) => line.startsWith('lab: '));
  return told.at(-1)?.slice('lab: '.length) ?? `its set-up failed (status ${setup.status})`;
}

/**
 * Runs the tests of the packages in the lab, every family required: there a test that is not run is a failure.
 *
 * @returns {Promise<import('./mocha.js').Counts>}
 */
export async function runLabTests() {
  heading('kernel lab');
  const summary = join(root, 'build/kernel-lab/summary.json');
  rmSync(summary, { force: true });
  const script = join(folder, 'src/test-lab.js');
  // the tools' own tests, which are not compiled, have nothing to do with the kernel
  const compiled = testedPackages().filter(({ folder, tests }) => folder !== testkit && tests.startsWith('dist-test/'));
  const { status } = await attempt(process.execPath, [script, ...compiled.map(({ path }) => path)], { timeout: limit });
  const counts = noCounts();
  if (existsSync(summary)) {
    const { passes, failures, pending } = readJson(summary);
    counts.passed = passes;
    counts.failed = failures;
    counts.notRun = pending;
  }
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
