// What the workspace consists of, read from the folders themselves: a new package is in no other list than the
// references of the root's tsconfig.json.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './process.js';

/**
 * @typedef {object} WorkspacePackage
 * @property {string} folder from the root, as `packages/core`
 * @property {string} path absolute
 * @property {string} short the last part of the folder
 * @property {Manifest} manifest
 *
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {Record<string, string>} [exports]
 * @property {Record<string, string>} [scripts]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [devDependencies]
 */

/** @returns {WorkspacePackage[]} those of `packages/` with core first, then `tools/`, then `examples` */
export function workspacePackages() {
  const families = subfolders('packages').filter((folder) => folder !== 'packages/core');
  return ['packages/core', ...families, ...subfolders('tools'), 'examples']
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({
      folder,
      path: join(root, folder),
      short: basename(folder),
      manifest: readJson(join(root, folder, 'package.json')),
    }));
}

/**
 * Whether this is a family that is still being written: private, and not the testkit, which always is. It is built and
 * checked with everything; its tests run when it is named.
 *
 * @param {WorkspacePackage} one
 */
export function isUnreleased({ folder, manifest }) {
  return folder.startsWith('packages/') && folder !== 'packages/testkit' && manifest.private === true;
}

/** Those that are published. */
export function publicPackages() {
  return workspacePackages().filter(({ manifest }) => manifest.private !== true);
}

/** Those of one address family each. */
export function familyPackages() {
  return publicPackages().filter(({ folder }) => folder.startsWith('packages/') && folder !== 'packages/core');
}

/** @param {string} path */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {string} folder */
function subfolders(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${folder}/${entry.name}`)
    .sort();
}
