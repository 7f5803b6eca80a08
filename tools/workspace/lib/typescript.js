// The TypeScript of all packages, built by one `tsc -b` that compiles only what has changed.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { workspacePackages } from './packages.js';
import { heading, root, run } from './process.js';

export const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Every project that the root's tsconfig.json refers to: sources and tests. */
export async function buildTypeScript() {
  const first = !existsSync(join(root, 'packages/core/dist/index.js'));
  if (first) heading('Building the TypeScript');
  pruneOutputs();
  await run(process.execPath, [tsc, '-b', root]);
}

/** Removes what was compiled from sources that no longer exist: a deleted test would otherwise still be run. */
function pruneOutputs() {
  for (const { path } of workspacePackages()) {
    prune(join(path, 'dist'), join(path, existsSync(join(path, 'src')) ? 'src' : '.'));
    prune(join(path, 'dist-test'), join(path, 'test'));
  }
}

/**
 * @param {string} outputs
 * @param {string} sources
 */
function prune(outputs, sources) {
  if (!existsSync(outputs)) return;
  for (const name of readdirSync(outputs, { recursive: true, encoding: 'utf8' })) {
    const stem = /^(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(name)?.[1];
    if (stem !== undefined && !existsSync(join(sources, `${stem}.ts`))) rmSync(join(outputs, name));
  }
}
