import { readJson } from './packages.js';

/**
 * @typedef {object} Entry
 * @property {string[]} here
 * @property {string} [differs]
 *
 * @typedef {object} Newer
 * @property {string} what
 * @property {string} since
 * @property {string[]} here
 * @property {string} [differs]
 *
 * @typedef {object} Mapping
 * @property {Record<string, string[]>} constants by package
 * @property {Record<string, string>} constantsDiffer
 * @property {Record<string, Entry>} functions
 * @property {Record<string, Entry>} methods
 * @property {Record<string, Entry>} exceptions
 * @property {Newer[]} newer
 * @property {Record<string, string>} absent
 */

export const KINDS = /** @type {const} */ (['functions', 'methods', 'exceptions']);

/** @returns {Mapping} */
export function readMapping() {
  return readJson('tools/coming-from/python.json');
}

/**
 * The names of Python's socket module: with the value on Linux, `undefined` where only other systems have it or the value
 * was not read.
 *
 * @typedef {object} Names
 * @property {Map<string, number | string | undefined>} constants
 * @property {Set<string>} elsewhere constants that only other systems have
 * @property {Record<'functions' | 'methods' | 'exceptions', string[]>} others
 * @property {string[]} classes
 * @property {Map<string, string>} since version of Python that added a name
 */

/** @returns {Names} */
export function readNames() {
  const python = readJson('tools/constants/python-socket.json');
  const groups = Object.values(python.elsewhere);
  const elsewhere = new Set(
    groups
      .filter(Array.isArray)
      .flat()
      .filter((name) => !(name in python.constants)),
  );
  const since = new Map();
  for (const [version, names] of Object.entries(python.since)) for (const name of names) since.set(name, version);
  const others = { functions: python.functions, methods: python.methods, exceptions: python.exceptions };
  const named = new Set([...Object.values(others).flat()]);
  /** @type {Map<string, number | string | undefined>} */
  const constants = new Map([...since.keys()].filter((name) => !named.has(name)).map((name) => [name, undefined]));
  for (const name of elsewhere) constants.set(name, undefined);
  for (const values of [python.constants, ...groups.filter((group) => !Array.isArray(group))]) {
    for (const [name, value] of Object.entries(values)) constants.set(name, /** @type {number | string} */ (value));
  }
  return { constants, elsewhere, others, classes: python.classes, since };
}

/**
 * Names that the mapping lacks, has twice, or has without need. Empty when each name is where it belongs, once.
 *
 * @param {Mapping} mapping
 * @param {Names} names
 * @returns {string[]}
 */
export function coverage(mapping, names) {
  const problems = [];
  const mapped = [...Object.values(mapping.constants).flat()];
  const absent = Object.keys(mapping.absent);
  const wanted = [...names.constants.keys(), ...names.classes];
  problems.push(...compare('constant', [...mapped, ...absent], wanted));
  for (const kind of KINDS) problems.push(...compare(kind, Object.keys(mapping[kind]), names.others[kind]));
  for (const name of Object.keys(mapping.constantsDiffer)) {
    if (!names.constants.has(name)) problems.push(`constantsDiffer: ${name} is no constant`);
  }
  return problems;
}

/**
 * @param {string} kind
 * @param {readonly string[]} mapped
 * @param {readonly string[]} wanted
 */
function compare(kind, mapped, wanted) {
  const seen = new Set();
  const problems = [];
  for (const name of mapped) {
    if (seen.has(name)) problems.push(`${kind}: ${name} is mapped twice`);
    if (!wanted.includes(name)) problems.push(`${kind}: ${name} is mapped, but no name of Python's`);
    seen.add(name);
  }
  for (const name of wanted) if (!seen.has(name)) problems.push(`${kind}: ${name} is mapped nowhere`);
  return problems;
}
