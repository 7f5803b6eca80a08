// node_modules, made or brought up to date by the pinned pnpm, which need not be installed: npx fetches it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './packages.js';
import { Failure, heading, root, run } from './process.js';

/** The command and arguments that run the pinned pnpm. */
export function pnpm() {
  const { packageManager } = readJson(join(root, 'package.json'));
  return { command: 'npx', args: ['-y', packageManager] };
}

/** The oldest Node that can `require()` an ES module, on which "one build for both" rests. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (!fine) throw new Failure(`Node 20.19 or later, or 22.12 or later is needed; this is ${process.version}`);
}

/** Installs when node_modules is missing or was made from another lockfile. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  heading('Installing the development dependencies');
  const { command, args } = pnpm();
  await run(command, [...args, 'install', '--frozen-lockfile']);
}

function isInstalled() {
  try {
    // pnpm keeps a copy of the lockfile that it installed from.
    const installed = readFileSync(join(root, 'node_modules/.pnpm/lock.yaml'), 'utf8');
    return installed === readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
  } catch {
    return false;
  }
}
