// The kernel lab, as far as the other commands use it.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCounts } from './mocha.js';
import { attempt, heading, root } from './process.js';

const folder = join(root, 'tools/kernel-lab');

/** The lab's tests take longer than this only when something hangs. Milliseconds. */
const limit = 45 * 60_000;

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

/** Runs the tests of the families in the lab, every family required. */
export async function runLabTests() {
  heading('kernel lab');
  const { status, output } = await attempt(process.execPath, [join(folder, 'src/test-lab.js')], {
    capture: true,
    timeout: limit,
  });
  return readCounts(output, status);
}
