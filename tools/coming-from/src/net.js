import dgram from 'node:dgram';
import net from 'node:net';
import { readJson } from './packages.js';

/**
 * @typedef {object} Member
 * @property {string} here Markdown: what takes its place
 * @property {string[]} [uses] exports that `here` names, as `@sock/core Socket.recv`
 * @property {string} [since] the first line of Node that has it, such as `22`
 *
 * @typedef {Record<string, Record<string, Member>>} Mapping by owner, such as `net.Socket`
 */

/** @returns {Mapping} */
export function readMapping() {
  return readJson('tools/coming-from/net.json');
}

/** @param {object} object */
const named = (object) =>
  Object.getOwnPropertyNames(object).filter((name) => !name.startsWith('_') && name !== 'constructor');

/**
 * What this Node has, by owner: members of the prototypes and of new instances.
 *
 * @returns {Record<string, Set<string>>}
 */
export function membersOfNode() {
  const socket = new net.Socket();
  const server = net.createServer();
  const datagrams = dgram.createSocket('udp4');
  try {
    return {
      net: new Set(Object.keys(net).filter((name) => !name.startsWith('_'))),
      'net.Socket': new Set([...named(net.Socket.prototype), ...named(socket)]),
      'net.Server': new Set([...named(net.Server.prototype), ...named(server)]),
      dgram: new Set(Object.keys(dgram).filter((name) => !name.startsWith('_'))),
      'dgram.Socket': new Set([...named(dgram.Socket.prototype), ...named(datagrams)]),
    };
  } finally {
    socket.destroy();
    datagrams.close();
  }
}

/**
 * Members that the mapping lacks, and entries that are no members.
 *
 * @param {Mapping} mapping
 * @param {Record<string, Set<string>>} members
 * @param {number} line of Node, such as 20
 * @returns {string[]}
 */
export function coverage(mapping, members, line) {
  const problems = [];
  for (const [owner, names] of Object.entries(members)) {
    const entries = mapping[owner] ?? {};
    for (const name of names) if (!(name in entries)) problems.push(`${owner}.${name} is mapped nowhere`);
    for (const [name, { since = '0' }] of Object.entries(entries)) {
      if (!names.has(name) && Number(since) < line) problems.push(`${owner}.${name} is mapped, but Node has none`);
    }
  }
  for (const owner of Object.keys(mapping)) if (!(owner in members)) problems.push(`${owner} is no owner of members`);
  return problems;
}
