// The native half of @sock/core, built by node-gyp when its sources, the compiler or its flags have changed.

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, Failure, heading, root, run, which } from './process.js';

export const core = join(root, 'packages/core');

/** The folder of the build with AddressSanitizer and UndefinedBehaviorSanitizer; the normal build is left alone. */
export const sanitizedCore = join(core, '.asan');

/**
 * Environment for node-gyp and prebuildify. Headers come with most installations of Node: with them nothing needs to be
 * downloaded. A folder that the person set is kept.
 */
export function gypEnvironment() {
  const env = { ...process.env };
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir = prefix;
  return env;
}

/** Builds packages/core/build/Release/core.node. */
export async function buildNative() {
  await build(core, 'the native half of @sock/core', []);
}

/** Builds the same sources with the sanitizers, in a folder of their own. */
export async function buildSanitized() {
  copySources(sanitizedCore);
  await build(sanitizedCore, 'the native half of @sock/core with sanitizers', ['-Daddon_asan=1']);
}

/**
 * Copies what node-gyp needs into a folder inside packages/core, from where node-addon-api is still found.
 *
 * @param {string} folder
 */
export function copySources(folder) {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'native'), { recursive: true, force: true });
  for (const name of ['native', 'binding.gyp', 'package.json']) {
    // Unchanged times, so that make compiles only what has changed.
    cpSync(join(core, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  }
}

/**
 * @param {string} folder
 * @param {string} what
 * @param {string[]} gypArguments
 */
async function build(folder, what, gypArguments) {
  const stamp = join(folder, 'build/stamp');
  const binary = join(folder, 'build/Release/core.node');
  const inputs = fingerprint(folder, gypArguments);
  if (existsSync(binary) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;
  checkTools();
  heading(`Building ${what}`);
  const gyp = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const options = { cwd: folder, env: gypEnvironment(), quiet: true };
  await run(process.execPath, [gyp, 'configure', '--', ...gypArguments], options);
  await run(process.execPath, [gyp, 'build', '--jobs=max'], options);
  writeFileSync(stamp, inputs);
}

/**
 * @param {string} folder
 * @param {string[]} gypArguments
 */
function fingerprint(folder, gypArguments) {
  const hash = createHash('sha256');
  const compiler = process.env.CXX ?? 'g++';
  const flags = ['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'GYP_DEFINES'].map((name) => process.env[name] ?? '');
  hash.update(JSON.stringify([ask(compiler, ['--version']), process.platform, process.arch, flags, gypArguments]));
  hash.update(readFileSync(join(core, 'node_modules/node-addon-api/package.json')));
  hash.update(readFileSync(join(folder, 'binding.gyp')));
  for (const name of readdirSync(join(folder, 'native'), { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.(cc|h|c)$/.test(name)) continue;
    hash.update(`\0${name}\0`).update(readFileSync(join(folder, 'native', name)));
  }
  return `${hash.digest('hex')}\n`;
}

function checkTools() {
  const compiler = process.env.CXX ?? 'g++';
  const missing = ['python3', 'make', compiler].filter((name) => which(name) === undefined && !existsSync(name));
  if (missing.length === 0) return;
  const remedy = which('apt-get') === undefined ? '' : ' (sudo apt-get install g++ make python3)';
  throw new Failure(`${missing.join(', ')}: not found, and needed to build the native half of @sock/core${remedy}`);
}
