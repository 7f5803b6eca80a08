import { readFileSync } from 'node:fs';
import os from 'node:os';

/** @typedef {import('./tables.js').Table} Table */

/**
 * The constants of Python's socket module on Linux, by name.
 *
 * @param {string} file
 * @returns {Map<string, number | string>}
 */
export function pythonConstants(file) {
  const { constants, elsewhere } = JSON.parse(readFileSync(file, 'utf8'));
  const groups = [constants, ...Object.values(elsewhere).filter((group) => !Array.isArray(group))];
  return new Map(groups.flatMap((group) => Object.entries(group)));
}

/**
 * Where a package's value differs from Python's.
 *
 * @param {ReadonlyMap<string, number | string>} python
 * @param {ReadonlyMap<string, Table>} tables by package
 * @returns {string[]}
 */
export function conflicts(python, tables) {
  const problems = [];
  for (const [packageName, table] of tables) {
    for (const [name, value] of Object.entries(table)) {
      const expected = python.get(name);
      if (expected !== undefined && value !== null && value !== expected) {
        problems.push(`${packageName}: ${name} is ${value}, in Python ${expected}`);
      }
    }
  }
  return problems;
}

/**
 * Names of Python's that no package has.
 *
 * @param {ReadonlyMap<string, number | string>} python
 * @param {ReadonlyMap<string, Table>} tables
 * @returns {string[]}
 */
export function missing(python, tables) {
  const known = new Set([...tables.values()].flatMap((table) => Object.keys(table)));
  return [...python.keys()].filter((name) => !known.has(name)).sort();
}

/**
 * Python has a few errno values in its socket module; Node has them all in node:os.
 *
 * @param {string} name
 */
export function inNode(name) {
  return name in os.constants.errno;
}
