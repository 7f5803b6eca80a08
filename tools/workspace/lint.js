// npm run lint: biome for TypeScript, JavaScript and JSON, clang-format for C and C++, and the rules of the layout.
// npm run format: the same with --write, which repairs what can be repaired.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './lib/install.js';
import { findViolations } from './lib/layout.js';
import { attempt, Failure, heading, main, root, say } from './lib/process.js';

/** The executables in the npm package. */
const clangFormats = new Map([
  ['linux-x64', 'linux_x64'],
  ['darwin-x64', 'darwin_x64'],
  ['darwin-arm64', 'darwin_x64'],
]);

/** Every C and C++ file of the project, absolute. */
function nativeFiles() {
  return ['packages', 'tools', 'examples'].flatMap((folder) => {
    const path = join(root, folder);
    return existsSync(path) ? walk(path) : [];
  });
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    // Hidden folders and what is built or installed hold nothing that was written by hand.
    if (entry.isDirectory()) return /^(\.|node_modules$|build$|dist)/.test(entry.name) ? [] : walk(path);
    return /\.(cc|cpp|c|h)$/.test(entry.name) ? [path] : [];
  });
}

/** @param {boolean} write */
async function clangFormat(write) {
  const { platform, arch } = process;
  const program = clangFormats.get(`${platform}-${arch}`);
  if (program === undefined) {
    say(`not checked: npm has no clang-format for ${platform} on ${arch}`);
    return true;
  }
  const path = join(root, 'node_modules/clang-format/bin', program, 'clang-format');
  const { status } = await attempt(path, [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...nativeFiles()]);
  return status === 0;
}

await main(async () => {
  const write = process.argv.includes('--write');
  await ensureInstalled();

  const failed = [];
  heading('biome');
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const mode = write ? ['check', '--write'] : ['check', '--error-on-warnings'];
  const { status } = await attempt(process.execPath, [biome, ...mode, root]);
  if (status !== 0) failed.push('biome');

  heading('clang-format');
  if (!(await clangFormat(write))) failed.push('clang-format');

  heading('layout');
  const violations = await findViolations();
  for (const violation of violations) say(violation);
  if (violations.length > 0) failed.push('layout');

  if (failed.length > 0)
    throw new Failure(`${failed.join(', ')}: see above${write ? '' : ' (npm run format repairs)'}`);
});
