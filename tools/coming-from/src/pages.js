import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as net from './net.js';
import { exists, forms, load, parsePlace, root } from './packages.js';
import * as python from './python.js';

const NOTE = '<!-- Written by `npm run documents` from tools/coming-from: edit that. -->';

/** @param {string} name */
const code = (name) => `\`${name}\``;

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} rows
 */
function table(heads, rows) {
  const cell = (/** @type {string} */ text) => (text === '' ? ' ' : ` ${text.replaceAll('|', '\\|')} `);
  const line = (/** @type {readonly string[]} */ cells) => `|${cells.map(cell).join('|')}|`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Loads packages once. */
class Packages {
  /** @type {Map<string, Promise<import('./packages.js').Loaded>>} */
  #loaded = new Map();

  /** @param {string} name */
  get(name) {
    const loading = this.#loaded.get(name) ?? load(name);
    this.#loaded.set(name, loading);
    return loading;
  }
}

/**
 * A place as Markdown, with its forms.
 *
 * @param {Packages} packages
 * @param {string} here
 */
async function placeText(packages, here) {
  const place = parsePlace(here);
  const loaded = await packages.get(place.package);
  const names = forms(place.name, (name) => exists(loaded, { ...place, name }));
  const isStatic = place.owner !== undefined && place.name in (loaded.exports[place.owner] ?? {});
  const owner = place.owner === undefined ? '' : isStatic ? `${place.owner}.` : '.';
  return names.map((name) => code(`${owner}${name}`)).join(' ');
}

/**
 * @param {Packages} packages
 * @param {Record<string, python.Entry>} entries
 * @param {Map<string, string>} since
 * @param {boolean} [withPackage]
 */
async function entryRows(packages, entries, since, withPackage = true) {
  const rows = [];
  for (const [name, { here, differs = '' }] of Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const places = await Promise.all(here.map((one) => placeText(packages, one)));
    const owners = [...new Set(here.map((one) => parsePlace(one).package))].map(code).join(', ');
    rows.push([code(name), places.join('; '), ...(withPackage ? [owners] : []), since.get(name) ?? '', differs]);
  }
  return rows;
}

/**
 * @param {python.Mapping} mapping
 * @param {python.Names} names
 */
function constantRows(mapping, names) {
  /** @type {string[][]} */
  const rows = [];
  for (const [owner, list] of Object.entries(mapping.constants)) {
    for (const name of list) {
      const value = names.constants.get(name);
      const other = names.elsewhere.has(name) ? 'Of other systems: `undefined` on Linux.' : '';
      rows.push([
        code(name),
        code(owner),
        names.since.get(name) ?? '',
        mapping.constantsDiffer[name] ?? (value === undefined ? other : ''),
      ]);
    }
  }
  return rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** @returns {Promise<Record<string, string>>} the tables of the page about Python */
async function pythonTables() {
  const mapping = python.readMapping();
  const names = python.readNames();
  const packages = new Packages();
  const heads = ['Python', 'here', 'package', 'since', 'what differs'];
  const newer = [];
  for (const { what, since, here, differs = '' } of mapping.newer) {
    const places = await Promise.all(here.map((one) => placeText(packages, one)));
    newer.push([
      what,
      since,
      `${here.map((one) => code(parsePlace(one).package)).join(', ')}: ${places.join(' ')}`,
      differs,
    ]);
  }
  const absent = Object.entries(mapping.absent).map(([name, why]) => [code(name), why]);
  return {
    functions: table(heads, await entryRows(packages, mapping.functions, names.since)),
    methods: table(
      heads.filter((head) => head !== 'package'),
      await entryRows(packages, mapping.methods, names.since, false),
    ),
    exceptions: table(heads, await entryRows(packages, mapping.exceptions, names.since)),
    constants: table(['constant', 'package', 'since', 'what differs'], constantRows(mapping, names)),
    newer: table(['Python', 'since', 'here', 'what differs'], newer),
    absent: table(
      ['Python', 'why not'],
      absent.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    ),
  };
}

/** @returns {Record<string, string>} the tables of the page about node:net and node:dgram */
function netTables() {
  const mapping = net.readMapping();
  return Object.fromEntries(
    Object.entries(mapping).map(([owner, members]) => [
      owner,
      table(
        [owner, 'here'],
        Object.entries(members).map(([name, { here, since }]) => [
          `${code(name)}${since === undefined ? '' : ` (Node ${since})`}`,
          here,
        ]),
      ),
    ]),
  );
}

/**
 * @param {string} template
 * @param {Record<string, string>} tables
 */
export function fill(template, tables) {
  const used = new Set();
  const text = template.replace(/^<!-- table: (\S+) -->$/gm, (_whole, name) => {
    used.add(name);
    const found = tables[name];
    if (found === undefined) throw new Error(`there is no table ${name}`);
    return found;
  });
  const unused = Object.keys(tables).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the page has no place for the tables ${unused.join(', ')}`);
  return `${NOTE}\n\n${text}`;
}

/** @param {string} name */
const template = (name) => readFileSync(path.join(root, 'tools/coming-from', name), 'utf8');

/** @returns {Promise<Map<string, string>>} the pages by their path from the root */
export async function pages() {
  return new Map([
    ['docs/coming-from-python.md', fill(template('python.md'), await pythonTables())],
    ['docs/coming-from-net.md', fill(template('net.md'), netTables())],
  ]);
}
