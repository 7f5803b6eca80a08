// The packages as they are published: packed, and installed in a folder outside the workspace.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm } from './install.js';
import { publicPackages } from './packages.js';
import { root, run } from './process.js';

/**
 * Packs what is published, the binary of this platform in core.
 *
 * @param {string} folder where the tarballs go
 * @returns {Promise<Map<string, string>>} the path of the tarball of each package, by its name
 */
export async function packPublished(folder) {
  await run(process.execPath, [join(root, 'tools/workspace/prebuild.js')]);
  const { command, args } = pnpm();
  const filters = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
  await run(command, [...args, '-r', ...filters, 'pack', '--out', join(folder, '%s.tgz')], { quiet: true });
  return new Map(
    publicPackages().map(({ manifest: { name } }) => [name, join(folder, `${name.replace('@sock/', 'sock-')}.tgz`)]),
  );
}

/**
 * Installs tarballs without running the scripts of any package.
 *
 * @param {Map<string, string>} tarballs
 * @param {string} folder
 */
export async function installPublished(tarballs, folder) {
  const dependencies = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }, null, 2));
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, quiet: true });
}
