import { spawnSync } from 'node:child_process';

/** @typedef {import('./definitions.js').Group} Group */

/** What the compiler could not make sense of. */
export class CompilerError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'CompilerError';
  }
}

/** File name that `#line` gives to the constants, so that a message of the compiler leads back to its constant. */
const UNIT = 'constants';
const MARK = '@constant';

/**
 * The values that the headers give to names. Nothing is executed: the values are read from the assembly text, so a
 * cross compiler serves as well as the machine's own.
 *
 * @param {readonly Group[]} groups
 * @param {readonly string[]} compiler command and arguments of gcc or clang
 * @returns {Map<string, number>} by expression; what the headers lack is not in it
 */
export function valuesFromHeaders(groups, compiler) {
  /** @type {Map<string, { headers: readonly string[], expressions: Set<string> }>} */
  const units = new Map();
  for (const { headers, constants } of groups) {
    if (headers.length === 0) continue;
    const key = headers.join(' ');
    const unit = units.get(key) ?? { headers, expressions: new Set() };
    units.set(key, unit);
    for (const { expression, value } of constants) {
      const isText = value !== undefined && Object.values(value).some((one) => typeof one === 'string');
      if (!isText) unit.expressions.add(expression);
    }
  }
  const values = new Map();
  for (const { headers, expressions } of units.values()) {
    for (const [expression, value] of compileUnit(headers, [...expressions], compiler)) values.set(expression, value);
  }
  return values;
}

/**
 * @param {readonly string[]} headers
 * @param {readonly string[]} expressions
 * @param {readonly string[]} compiler
 * @returns {Map<string, number>}
 */
function compileUnit(headers, expressions, compiler) {
  const first = compile(headers, expressions, compiler);
  if (first.status === 0) return readValues(first.stdout, expressions);
  const unknown = unknownExpressions(first.stderr, expressions);
  const known = expressions.filter((expression) => !unknown.has(expression));
  if (unknown.size === 0) throw new CompilerError(failure(headers, first.stderr));
  const second = compile(headers, known, compiler);
  if (second.status !== 0) throw new CompilerError(failure(headers, second.stderr));
  return readValues(second.stdout, known);
}

/**
 * @param {readonly string[]} headers
 * @param {readonly string[]} expressions
 * @param {readonly string[]} compiler
 */
function compile(headers, expressions, compiler) {
  const [command, ...args] = compiler;
  if (command === undefined) throw new CompilerError('no compiler given');
  const all = [...args, '-x', 'c', '-std=gnu11', '-w', '-S', '-o', '-', '-'];
  const result = spawnSync(command, all, {
    input: program(headers, expressions),
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 26,
  });
  if (result.error) throw new CompilerError(`${command}: ${result.error.message}`);
  return result;
}

/**
 * A header that this system lacks is left out: its names are then unknown, like any other that is too new. Two halves,
 * because an immediate operand has 32 bits on some machines.
 *
 * @param {readonly string[]} headers
 * @param {readonly string[]} expressions
 */
function program(headers, expressions) {
  return [
    '#define _GNU_SOURCE 1',
    '#include <stddef.h>',
    ...headers.flatMap((header) => [`#if __has_include(<${header}>)`, `#include <${header}>`, '#endif']),
    `#define CONSTANT(index, value) __asm__ volatile("\\n${MARK} " #index " %c0 %c1" \\`,
    '  : : "i" ((int)((long long)(value) >> 32)), "i" ((int)(long long)(value)))',
    'void constants(void);',
    'void constants(void) {',
    `#line 1 "${UNIT}"`,
    ...expressions.map((expression, index) => `CONSTANT(${index}, ${expression});`),
    '}',
    '',
  ].join('\n');
}

/**
 * @param {string} assembly
 * @param {readonly string[]} expressions
 * @returns {Map<string, number>}
 */
function readValues(assembly, expressions) {
  const values = new Map();
  for (const [, index, high, low] of assembly.matchAll(new RegExp(`^\\s*${MARK} (\\d+) (-?\\d+) (-?\\d+)$`, 'gm'))) {
    const value = Number(high) * 2 ** 32 + (Number(low) >>> 0);
    const expression = expressions[Number(index)];
    if (!Number.isSafeInteger(value)) throw new CompilerError(`${expression} does not fit a number: ${value}`);
    values.set(expression, value);
  }
  const lost = expressions.find((expression) => !values.has(expression));
  if (lost !== undefined) throw new CompilerError(`${lost}: no value in the compiler's output`);
  return values;
}

/**
 * Only a name that is undeclared itself counts as unknown; whatever else goes wrong is a mistake to report. The
 * compilers report an undeclared name once per function, which is enough: expressions are distinct.
 *
 * @param {string} stderr
 * @param {readonly string[]} expressions
 * @returns {Set<string>}
 */
function unknownExpressions(stderr, expressions) {
  const unknown = new Set();
  const pattern = new RegExp(
    `^${UNIT}:(\\d+):\\d+: error: (?:['‘](\\w+)['’] undeclared|use of undeclared identifier '(\\w+)')`,
    'gm',
  );
  for (const [, line, gcc, clang] of stderr.matchAll(pattern)) {
    const expression = expressions[Number(line) - 1];
    if (expression !== undefined && expression === (gcc ?? clang)) unknown.add(expression);
  }
  return unknown;
}

/**
 * @param {readonly string[]} headers
 * @param {string} stderr
 */
function failure(headers, stderr) {
  const lines = stderr.split('\n').filter((line) => /error/.test(line));
  return `cannot compile against <${headers.join('>, <')}>:\n${lines.slice(0, 20).join('\n')}`;
}
