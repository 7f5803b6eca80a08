import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Constant
 * @property {string} name what TypeScript exports
 * @property {string} expression what C is asked for; the name, unless the header has another one
 * @property {string} [text] what it is, one sentence or less
 * @property {string} [since] the system's version that has it first
 * @property {string} [reference] where it is documented, where that differs from its group
 * @property {Readonly<Record<string, number | string>>} [value] by platform: for headers too old to know the name
 * @property {readonly string[]} platforms which platforms can have it
 *
 * @typedef {object} Group
 * @property {string} title
 * @property {string} [reference]
 * @property {readonly string[]} headers
 * @property {readonly Constant[]} constants
 *
 * @typedef {object} Definitions
 * @property {string} name the folder below packages/
 * @property {string} input path of constants.json
 * @property {string} output path of constants.gen.ts
 * @property {readonly Group[]} groups
 */

const GROUP_KEYS = new Set(['title', 'reference', 'headers', 'platforms', 'constants']);
const CONSTANT_KEYS = new Set(['text', 'since', 'reference', 'value', 'expression', 'platforms']);
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DEFAULT_PLATFORMS = ['linux'];

/** A mistake in a constants.json, with its place. */
export class DefinitionError extends Error {
  /**
   * @param {string} file
   * @param {string} problem
   */
  constructor(file, problem) {
    super(`${file}: ${problem}`);
    this.name = 'DefinitionError';
  }
}

/**
 * The packages that have a constants.json, by folder name, sorted.
 *
 * @param {string} root of the repository
 * @returns {string[]}
 */
export function packagesWithConstants(root) {
  const packages = path.join(root, 'packages');
  return readdirSync(packages)
    .filter((name) => existsSync(path.join(packages, name, 'constants.json')))
    .sort();
}

/**
 * @param {string} root of the repository
 * @param {string} name of the folder below packages/
 * @returns {Definitions}
 */
export function readDefinitions(root, name) {
  const input = path.join(root, 'packages', name, 'constants.json');
  if (!existsSync(input)) throw new DefinitionError(path.relative(root, input), 'no such file');
  const output = path.join(root, 'packages', name, 'src', 'constants.gen.ts');
  const groups = parseDefinitions(readFileSync(input, 'utf8'), path.relative(root, input));
  return { name, input, output, groups };
}

/**
 * @param {string} text
 * @param {string} file for messages
 * @returns {Group[]}
 */
export function parseDefinitions(text, file) {
  const json = parseJson(text, file);
  if (!isObject(json) || !Array.isArray(json.groups)) throw new DefinitionError(file, '"groups" must be an array');
  const seen = new Set();
  return json.groups.map((/** @type {unknown} */ raw, /** @type {number} */ index) =>
    parseGroup(raw, `${file}: groups[${index}]`, seen),
  );
}

/**
 * @param {unknown} raw
 * @param {string} where
 * @param {Set<string>} seen
 * @returns {Group}
 */
function parseGroup(raw, where, seen) {
  if (!isObject(raw)) throw new DefinitionError(where, 'must be an object');
  checkKeys(raw, GROUP_KEYS, where);
  const { title, reference, headers = [], platforms = DEFAULT_PLATFORMS, constants } = raw;
  if (typeof title !== 'string') throw new DefinitionError(where, '"title" must be a string');
  checkStrings(headers, `${where}: "headers"`);
  checkStrings(platforms, `${where}: "platforms"`);
  if (!isObject(constants)) throw new DefinitionError(where, '"constants" must be an object');
  const list = Object.entries(constants).map(([name, definition]) => {
    const place = `${where}: ${name}`;
    if (!NAME.test(name)) throw new DefinitionError(place, 'is no identifier');
    if (seen.has(name)) throw new DefinitionError(place, 'is defined twice');
    seen.add(name);
    return parseConstant(name, definition, platforms, place);
  });
  return { title, ...(reference === undefined ? {} : { reference }), headers, constants: list };
}

/**
 * @param {string} name
 * @param {unknown} raw
 * @param {readonly string[]} platforms
 * @param {string} where
 * @returns {Constant}
 */
function parseConstant(name, raw, platforms, where) {
  if (typeof raw === 'string') return { name, expression: name, platforms, ...(raw === '' ? {} : { text: raw }) };
  if (!isObject(raw)) throw new DefinitionError(where, 'must be its description, or an object');
  checkKeys(raw, CONSTANT_KEYS, where);
  for (const key of ['text', 'since', 'reference', 'expression']) {
    if (raw[key] !== undefined && typeof raw[key] !== 'string') {
      throw new DefinitionError(where, `"${key}" must be a string`);
    }
  }
  if (raw.platforms !== undefined) checkStrings(raw.platforms, `${where}: "platforms"`);
  const { value, ...rest } = raw;
  return {
    name,
    expression: name,
    platforms,
    ...rest,
    ...(value === undefined ? {} : { value: parseValue(value, where) }),
  };
}

/**
 * @param {unknown} raw
 * @param {string} where
 * @returns {Record<string, number | string>}
 */
function parseValue(raw, where) {
  const values = isObject(raw) ? raw : { linux: raw };
  for (const value of Object.values(values)) {
    if (typeof value !== 'string' && !Number.isSafeInteger(value)) {
      throw new DefinitionError(where, '"value" must be an integer, a string, or one of these by platform');
    }
  }
  return values;
}

/**
 * What holds for a platform such as 'linux-ppc64': the most specific entry.
 *
 * @template T
 * @param {Readonly<Record<string, T>> | undefined} values
 * @param {string} platform
 * @returns {T | undefined}
 */
export function forPlatform(values, platform) {
  return values?.[platform] ?? values?.[systemOf(platform)];
}

/** @param {string} platform 'linux-x64' */
export function systemOf(platform) {
  return platform.split('-', 1)[0] ?? platform;
}

/**
 * @param {string} text
 * @param {string} file
 * @returns {unknown}
 */
function parseJson(text, file) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DefinitionError(file, error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {Record<string, unknown>} object
 * @param {Set<string>} known
 * @param {string} where
 */
function checkKeys(object, known, where) {
  for (const key of Object.keys(object)) {
    if (!known.has(key)) throw new DefinitionError(where, `unknown key "${key}" (known: ${[...known].join(', ')})`);
  }
}

/**
 * @param {unknown} value
 * @param {string} where
 */
function checkStrings(value, where) {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new DefinitionError(where, 'must be an array of strings');
  }
}
