import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { valuesFromHeaders } from './compiler.js';
import { forPlatform, systemOf } from './definitions.js';

/** @typedef {import('./definitions.js').Definitions} Definitions */
/** @typedef {import('./definitions.js').Constant} Constant */

/**
 * Values by name; null where the platform lacks the name.
 *
 * @typedef {Record<string, number | string | null>} Table
 *
 * @typedef {object} Recording
 * @property {string} platform as Node names it: 'linux-ppc64', or 'darwin' where all machines agree
 * @property {string} source what the values were read from
 * @property {Record<string, Table>} packages
 * @property {boolean} [only] of names that constants.json does not give to the platform nothing is known
 */

/** The platform whose headers are compiled against at every run. The others are recorded, see README.md. */
export const BASE = 'linux';

/**
 * @param {Definitions} definitions
 * @param {readonly string[]} compiler
 * @returns {{ table: Table, problems: string[] }}
 */
export function baseTable(definitions, compiler) {
  return tableFromHeaders(definitions, compiler, BASE);
}

/**
 * @param {Definitions} definitions
 * @param {readonly string[]} compiler for the platform
 * @param {string} platform
 * @returns {{ table: Table, problems: string[] }}
 */
export function tableFromHeaders(definitions, compiler, platform) {
  const headers = valuesFromHeaders(definitions.groups, compiler);
  /** @type {Table} */
  const table = {};
  const problems = [];
  for (const group of definitions.groups) {
    for (const constant of group.constants) {
      const { value, problem } = settle(constant, headers.get(constant.expression), platform);
      table[constant.name] = value;
      if (problem) problems.push(`${definitions.name}: ${constant.name}: ${problem} (<${group.headers.join('>, <')}>)`);
    }
  }
  return { table, problems };
}

/**
 * @param {Constant} constant
 * @param {number | undefined} found in the headers
 * @param {string} platform
 * @returns {{ value: number | string | null, problem?: string }}
 */
function settle(constant, found, platform) {
  if (!belongs(constant, platform)) return { value: null };
  const given = forPlatform(constant.value, platform);
  if (found !== undefined && given !== undefined && found !== given) {
    return { value: found, problem: `is ${found} in the headers, ${given} in constants.json` };
  }
  const value = found ?? given ?? null;
  if (value === null && platform === BASE) return { value, problem: 'is not in the headers, and has no "value"' };
  return { value };
}

/**
 * @param {Constant} constant
 * @param {string} platform
 */
function belongs(constant, platform) {
  return constant.platforms.includes(platform) || constant.platforms.includes(systemOf(platform));
}

/**
 * The value on a platform that was recorded. The kernel gives a new name the same number on every machine unless it
 * says otherwise, so a name younger than the recording has the value of {@link BASE} on another Linux; elsewhere it
 * is unknown, hence absent.
 *
 * @param {Constant} constant
 * @param {Table} base
 * @param {Recording} recording
 * @param {string} packageName
 * @returns {number | string | null}
 */
export function recordedValue(constant, base, recording, packageName) {
  const { platform } = recording;
  if (recording.only === true) return forPlatform(constant.value, platform) ?? base[constant.name] ?? null;
  if (!belongs(constant, platform)) return null;
  const recorded = recording.packages[packageName]?.[constant.name];
  if (recorded !== undefined) return recorded;
  const given = forPlatform(constant.value, platform);
  if (given !== undefined) return given;
  return systemOf(platform) === BASE ? (base[constant.name] ?? null) : null;
}

/**
 * @param {string} folder
 * @returns {Recording[]} by platform, sorted
 */
export function readRecordings(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')));
}

/**
 * What is known of systems that were not recorded: the names that only they have, with the values of constants.json.
 *
 * @param {Definitions} definitions
 * @param {readonly Recording[]} recordings
 * @returns {Recording[]} by platform, sorted; `only` says that nothing is known of other names
 */
export function unrecorded(definitions, recordings) {
  const known = new Set([BASE, ...recordings.map(({ platform }) => systemOf(platform))]);
  const named = definitions.groups.flatMap(({ constants }) => constants.flatMap(({ platforms }) => platforms));
  const platforms = [...new Set(named)].filter((platform) => !known.has(systemOf(platform))).sort();
  return platforms.map((platform) => ({ platform, source: 'constants.json', packages: {}, only: true }));
}

/**
 * Writes down a platform's values: of another Linux only where they differ from {@link BASE}, of another system all.
 *
 * @param {string} folder
 * @param {string} platform
 * @param {string} source
 * @param {readonly Definitions[]} all
 * @param {readonly string[]} baseCompiler
 * @param {readonly string[]} compiler
 * @returns {{ file: string, lacking: string[] }}
 */
export function record(folder, platform, source, all, baseCompiler, compiler) {
  /** @type {Record<string, Table>} */
  const packages = {};
  const lacking = [];
  for (const definitions of all) {
    const base = baseTable(definitions, baseCompiler).table;
    const { table } = tableFromHeaders(definitions, compiler, platform);
    const sameSystem = systemOf(platform) === BASE;
    const entries = Object.entries(table).filter(([name, value]) => !sameSystem || value !== base[name]);
    lacking.push(...entries.filter(([, value]) => value === null).map(([name]) => name));
    if (entries.length > 0) packages[definitions.name] = Object.fromEntries(entries);
  }
  const file = path.join(folder, `${platform}.json`);
  writeFileSync(file, `${JSON.stringify({ platform, source, packages }, null, 2)}\n`);
  return { file, lacking };
}
