import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packagesWithConstants, readDefinitions } from './definitions.js';
import { difference } from './difference.js';
import { emit } from './emit.js';
import { conflicts, inNode, missing, pythonConstants } from './python.js';
import { BASE, baseTable, readRecordings, record } from './tables.js';

/** @typedef {import('./tables.js').Table} Table */

/**
 * @typedef {object} Workspace
 * @property {string} root of the repository
 * @property {string} recordings folder of the tables of other platforms
 * @property {string} python path of python-socket.json
 * @property {readonly string[]} compiler command and arguments
 *
 * @typedef {object} Outcome
 * @property {string[]} lines what to tell
 * @property {string[]} problems what is wrong; empty when all is well
 */

/**
 * Writes constants.gen.ts of the packages, all of them when none is named.
 *
 * @param {Workspace} workspace
 * @param {readonly string[]} names
 * @returns {Outcome}
 */
export function generate(workspace, names) {
  const lines = [];
  const problems = [];
  for (const { definitions, table, problems: own, text } of evaluate(workspace, names)) {
    problems.push(...own);
    if (own.length > 0) continue;
    const { output } = definitions;
    const unchanged = existsSync(output) && readFileSync(output, 'utf8') === text;
    if (!unchanged) writeFileSync(output, text);
    const count = Object.keys(table).length;
    lines.push(`${path.relative(workspace.root, output)}: ${count} constants${unchanged ? ', unchanged' : ''}`);
  }
  return { lines, problems };
}

/**
 * Whether generate would change nothing, no value contradicts constants.json or Python, and no name has two values.
 *
 * @param {Workspace} workspace
 * @param {readonly string[]} names
 * @returns {Outcome}
 */
export function check(workspace, names) {
  const results = evaluate(workspace, names);
  const problems = results.flatMap((result) => result.problems);
  for (const { definitions, text } of results) {
    const { output } = definitions;
    const found = existsSync(output) ? readFileSync(output, 'utf8') : '';
    const changes = difference(found, text);
    if (changes !== '') problems.push(`${path.relative(workspace.root, output)} is not up to date:\n${changes}`);
  }
  const tables = tablesOf(results);
  problems.push(...contradictions(tables), ...conflicts(pythonConstants(workspace.python), tables));
  const count = results.reduce((sum, { table }) => sum + Object.keys(table).length, 0);
  return { lines: problems.length > 0 ? [] : [`${count} constants of ${results.length} packages are right`], problems };
}

/**
 * Which of Python's constants no package has.
 *
 * @param {Workspace} workspace
 * @returns {Outcome}
 */
export function checkPython(workspace) {
  const tables = tablesOf(evaluate(workspace, []));
  const python = pythonConstants(workspace.python);
  const absent = missing(python, tables);
  const known = python.size - absent.length;
  const lines = [
    `${known} of Python's ${python.size} constants are here`,
    ...absent.map(
      (name) => `  ${name} ${python.get(name)}${inNode(name) ? ' (os.constants.errno of Node has it)' : ''}`,
    ),
  ];
  return { lines, problems: conflicts(python, tables) };
}

/**
 * Reads another platform's values.
 *
 * @param {Workspace} workspace
 * @param {string} platform
 * @param {string} source
 * @param {readonly string[]} compiler for that platform
 * @returns {Outcome}
 */
export function recordPlatform(workspace, platform, source, compiler) {
  const { file, lacking } = record(
    workspace.recordings,
    platform,
    source,
    definitionsOf(workspace, []),
    workspace.compiler,
    compiler,
  );
  const lines = [path.relative(workspace.root, file)];
  if (lacking.length > 0) lines.push(`its headers lack: ${lacking.join(' ')}`);
  return { lines, problems: [] };
}

/**
 * The table of Linux is read from this machine's headers: they must be those of a machine whose numbers are the usual
 * ones.
 *
 * @param {string} recordings
 * @param {string} platform 'linux'
 * @param {string} arch 'x64'
 * @returns {string | undefined} what stands in the way
 */
export function hostProblem(recordings, platform, arch) {
  const differs = readRecordings(recordings).some((recording) => recording.platform === `${platform}-${arch}`);
  if (platform === BASE && !differs) return undefined;
  return `the headers of ${platform}-${arch} differ from most: run this on Linux x64 or arm64, or let CC be a compiler for it`;
}

/**
 * @param {Workspace} workspace
 * @param {readonly string[]} names
 */
function definitionsOf({ root }, names) {
  return (names.length > 0 ? names : packagesWithConstants(root)).map((name) => readDefinitions(root, name));
}

/**
 * @param {Workspace} workspace
 * @param {readonly string[]} names
 */
function evaluate(workspace, names) {
  const recordings = readRecordings(workspace.recordings);
  return definitionsOf(workspace, names).map((definitions) => {
    const { table, problems } = baseTable(definitions, workspace.compiler);
    return { definitions, table, problems, text: emit(definitions, table, recordings) };
  });
}

/** @param {ReturnType<typeof evaluate>} results */
function tablesOf(results) {
  return new Map(results.map(({ definitions, table }) => [definitions.name, table]));
}

/**
 * Names that two packages have with different values.
 *
 * @param {ReadonlyMap<string, Table>} tables
 */
function contradictions(tables) {
  /** @type {Map<string, { packageName: string, value: unknown }>} */
  const seen = new Map();
  const problems = [];
  for (const [packageName, table] of tables) {
    for (const [name, value] of Object.entries(table)) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, { packageName, value });
      else if (first.value !== value) {
        problems.push(`${name} is ${first.value} in ${first.packageName}, ${value} in ${packageName}`);
      }
    }
  }
  return problems;
}
