import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** @param {string} file from the root */
export function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}

/** @param {string} name of a package or of a module of Node's */
const folderOf = (name) => `packages/${name.replace('@sock/', '')}`;

/**
 * What a package exports.
 *
 * @typedef {object} Loaded
 * @property {string} name
 * @property {boolean} unfinished whether it is still being written
 * @property {Record<string, any>} exports
 */

/**
 * @param {string} name
 * @returns {Promise<Loaded>}
 */
export async function load(name) {
  if (name === 'node:os') return { name, unfinished: false, exports: (await import('node:os')).constants.errno };
  const unfinished = readJson(`${folderOf(name)}/package.json`).private === true;
  return { name, unfinished, exports: await import(name) };
}

/** @type {(name: string) => string} the capitalised name, for `try…` */
const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/**
 * The forms of an operation that exist: `recv`, `recvSync`, `tryRecv`.
 *
 * @param {string} name
 * @param {(name: string) => boolean} has
 */
export function forms(name, has) {
  return [name, `${name}Sync`, `try${capital(name)}`].filter((form) => form === name || has(form));
}

/**
 * Where something is: `@sock/core Socket.recvInto`.
 *
 * @typedef {object} Place
 * @property {string} package
 * @property {string | undefined} owner the class, of a member
 * @property {string} name
 */

/**
 * @param {string} here
 * @returns {Place}
 */
export function parsePlace(here) {
  const [name = '', symbol = ''] = here.split(' ');
  const [owner, member] = symbol.split('.');
  return { package: name, owner: member === undefined ? undefined : owner, name: member ?? owner ?? '' };
}

/**
 * Whether a package has what a place names. Members that only instances have are asked of `instance`.
 *
 * @param {Loaded} loaded
 * @param {Place} place
 * @param {object} [instance]
 */
export function exists({ exports }, { owner, name }, instance) {
  if (owner === undefined) return name in exports;
  const value = exports[owner];
  return (
    value !== undefined && (name in value.prototype || name in value || (instance !== undefined && name in instance))
  );
}

/**
 * The places that do not exist. Packages that are still being written are not looked into.
 *
 * @param {readonly string[]} places
 * @returns {Promise<string[]>}
 */
export async function missing(places) {
  const { Socket } = await import('@sock/core');
  const { inet } = await import('@sock/inet');
  const socket = new Socket(inet);
  const problems = [];
  try {
    for (const here of places) {
      const place = parsePlace(here);
      const loaded = await load(place.package);
      if (!loaded.unfinished && !exists(loaded, place, socket)) problems.push(here);
    }
  } finally {
    socket.close();
  }
  return problems;
}
