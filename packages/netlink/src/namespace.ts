import { checkInteger, checkObject, outOfRange } from '@sock/core';
import { type AttributeInput, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import type { NamespaceInput } from './link-input.js';
import type { NetlinkMessage } from './message.js';
import {
  type Change,
  change,
  changeSync,
  get,
  getSync,
  type Listing,
  list,
  listSync,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';

/** A struct rtgenmsg. */
const HEADER = 4;

function readId(message: NetlinkMessage): number | undefined {
  if (message.type !== c.RTM_NEWNSID) return undefined;
  return unpackAttributes(message.payload, HEADER).s32(c.NETNSA_NSID);
}

function reference(namespace: NamespaceInput): AttributeInput {
  const { pid, fd } = checkObject('namespace', namespace);
  if ((pid === undefined) === (fd === undefined)) throw outOfRange('namespace', 'either { pid } or { fd }', namespace);
  if (pid !== undefined) return attribute.u32(c.NETNSA_PID, checkInteger('namespace.pid', pid, 1, 0x7fffffff));
  return attribute.u32(c.NETNSA_FD, checkInteger('namespace.fd', fd, 0, 0x7fffffff));
}

function question(namespace: NamespaceInput): Listing<number | null> {
  const attributes = [reference(namespace)];
  return {
    label: 'RTM_GETNSID',
    request: () => ({ type: c.RTM_GETNSID, payload: Buffer.alloc(HEADER), attributes }),
    read(message) {
      const id = readId(message);
      return id === c.NETNSA_NSID_NOT_ASSIGNED ? null : id;
    },
  };
}

/**
 * The identifier that a network namespace has in this one, `null` where it has none. Links tell by it where
 * their other end is, and notifications where they come from.
 * @throws NetlinkError `ESRCH`, `EBADF` where there is no such namespace. Source: ip-netns(8), RTM_GETNSID.
 */
export async function getNamespaceId(namespace: NamespaceInput, options: NetlinkOptions = {}): Promise<number | null> {
  return get(question(namespace), options);
}

/** As `getNamespaceId`, blocking the thread. */
export function getNamespaceIdSync(namespace: NamespaceInput, options: NetlinkSyncOptions = {}): number | null {
  return getSync(question(namespace), options);
}

function assignment(namespace: NamespaceInput, id: number | null): Change {
  const wanted = id === null ? -1 : checkInteger('id', id, 0, 0x7fffffff);
  const attributes = [attribute.s32(c.NETNSA_NSID, wanted), reference(namespace)];
  return {
    label: 'RTM_NEWNSID',
    explain: (code) => (code === 'EEXIST' ? 'the namespace has an identifier already' : undefined),
    request: () => ({ type: c.RTM_NEWNSID, payload: Buffer.alloc(HEADER), attributes }),
  };
}

/**
 * Gives a network namespace an identifier in this one, once and for all. Needs CAP_NET_ADMIN.
 * @param id `null` for one that is free
 * @throws NetlinkError `EEXIST` where it has one, `ENOSPC` where another has it. Source: ip-netns(8),
 * RTM_NEWNSID.
 */
export async function setNamespaceId(
  namespace: NamespaceInput,
  id: number | null,
  options: NetlinkOptions = {},
): Promise<void> {
  await change(assignment(namespace, id), options);
}

/** As `setNamespaceId`, blocking the thread. */
export function setNamespaceIdSync(
  namespace: NamespaceInput,
  id: number | null,
  options: NetlinkSyncOptions = {},
): void {
  changeSync(assignment(namespace, id), options);
}

const listing: Listing<number> = {
  label: 'RTM_GETNSID',
  request: () => ({ type: c.RTM_GETNSID, payload: Buffer.alloc(HEADER) }),
  read: readId,
};

/** The identifiers of other network namespaces in this one: `ip netns list-id`. Source: RTM_GETNSID. */
export async function listNamespaceIds(options: NetlinkOptions = {}): Promise<number[]> {
  return list(listing, options);
}

/** As `listNamespaceIds`, blocking the thread. */
export function listNamespaceIdsSync(options: NetlinkSyncOptions = {}): number[] {
  return listSync(listing, options);
}
