import { checkInteger, checkObject, checkString, type Data, outOfRange, toBytes, writeU16 } from '@sock/core';
import { type AttributeInput, type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import type { NetlinkRequest } from './exchange.js';
import type { NetlinkMessage } from './message.js';
import {
  get,
  getSync,
  type Listing,
  list,
  listSync,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';
import { type AttributePolicy, readPolicy } from './policy.js';

/** A command of a generic netlink family. */
export interface GenericOperation {
  /** Number of the command. */
  id: number;
  /** GENL_ADMIN_PERM, GENL_CMD_CAP_DO and so on, or-ed together. */
  flags: number;
}

/** A family of generic netlink. Source: linux/genetlink.h. */
export interface GenericFamily {
  /** Number of the family, which is the type of its messages. It differs from boot to boot. */
  id: number;
  name: string;
  version: number;
  /** Bytes of the header of its own that its messages have. */
  headerSize: number;
  /** Highest type of its attributes, 0 where commands differ in that. */
  maximumAttribute: number;
  operations: GenericOperation[];
  /** Numbers of its multicast groups (`join`), by name. */
  groups: Record<string, number>;
}

/** A message of generic netlink. */
export interface GenericMessage {
  command: number;
  version: number;
  /** The family's own header, of `headerSize` bytes. */
  header: Buffer;
  attributes: Attributes;
}

/** What is accepted as a message of generic netlink. */
export interface GenericMessageInput {
  command: number;
  /** The family's unless told. */
  version?: number | undefined;
  /** The family's own header; zeros unless told. */
  header?: Data | undefined;
  attributes?: Iterable<AttributeInput> | undefined;
  /** NLM_F_*, or-ed together; none unless told. */
  flags?: number | undefined;
}

/** Bytes of a struct genlmsghdr. */
const HEADER = 4;

/** A request to a family, for `socket.request` and `socket.dump`. */
export function genericRequest(
  family: Pick<GenericFamily, 'id'> & Partial<GenericFamily>,
  message: GenericMessageInput,
): NetlinkRequest {
  const { id, headerSize = 0, version: own = 1 } = checkObject('family', family);
  const { command, version = own, header, attributes = [], flags = 0 } = checkObject('message', message);
  checkInteger('family.id', id, c.GENL_MIN_ID, 0xffff);
  const payload = Buffer.alloc(HEADER + checkInteger('family.headerSize', headerSize, 0, 0xffff));
  payload[0] = checkInteger('message.command', command, 0, 0xff);
  payload[1] = checkInteger('message.version', version, 0, 0xff);
  writeU16(payload, 0, 2);
  if (header !== undefined) {
    const bytes = toBytes('message.header', header);
    if (bytes.length !== headerSize) throw outOfRange('message.header', `${headerSize} bytes`, bytes.length);
    payload.set(bytes, HEADER);
  }
  return { type: id, flags, payload, attributes };
}

/**
 * Reads a message of generic netlink. `undefined` where it is too short to be one.
 * @param headerSize bytes of the family's own header; 0 unless told
 */
export function unpackGeneric(message: NetlinkMessage, headerSize = 0): GenericMessage | undefined {
  const { payload } = message;
  if (payload.length < HEADER + headerSize) return undefined;
  return {
    command: payload[0] ?? 0,
    version: payload[1] ?? 0,
    header: payload.subarray(HEADER, HEADER + headerSize),
    attributes: unpackAttributes(payload, HEADER + headerSize),
  };
}

/** The controller, which knows the others. */
const CONTROLLER = { id: c.GENL_ID_CTRL, version: 2 };

const each = (attributes: Attributes | undefined): Attributes[] =>
  [...(attributes ?? [])].map(({ data }) => unpackAttributes(data));

/** Reads what the controller says of a family. `undefined` where it is no such message. */
export function unpackGenericFamily(message: NetlinkMessage): GenericFamily | undefined {
  if (message.type !== c.GENL_ID_CTRL) return undefined;
  const a = unpackGeneric(message)?.attributes;
  const id = a?.u16(c.CTRL_ATTR_FAMILY_ID);
  const name = a?.text(c.CTRL_ATTR_FAMILY_NAME);
  if (a === undefined || id === undefined || name === undefined) return undefined;
  return {
    id,
    name,
    version: a.u32(c.CTRL_ATTR_VERSION) ?? 0,
    headerSize: a.u32(c.CTRL_ATTR_HDRSIZE) ?? 0,
    maximumAttribute: a.u32(c.CTRL_ATTR_MAXATTR) ?? 0,
    operations: each(a.nested(c.CTRL_ATTR_OPS)).map((one) => ({
      id: one.u32(c.CTRL_ATTR_OP_ID) ?? 0,
      flags: one.u32(c.CTRL_ATTR_OP_FLAGS) ?? 0,
    })),
    groups: Object.fromEntries(
      each(a.nested(c.CTRL_ATTR_MCAST_GROUPS)).map((one) => [
        one.text(c.CTRL_ATTR_MCAST_GRP_NAME) ?? '',
        one.u32(c.CTRL_ATTR_MCAST_GRP_ID) ?? 0,
      ]),
    ),
  };
}

function question(name: string): Listing<GenericFamily> {
  if (Buffer.byteLength(checkString('name', name)) >= c.GENL_NAMSIZ || name === '') {
    throw outOfRange('name', `a name of 1 to ${c.GENL_NAMSIZ - 1} bytes`, name);
  }
  return {
    protocol: c.NETLINK_GENERIC,
    label: 'CTRL_CMD_GETFAMILY',
    about: name,
    explain: (code) => (code === 'ENOENT' ? 'this kernel has no such family; load the module that has it' : undefined),
    request: () =>
      genericRequest(CONTROLLER, {
        command: c.CTRL_CMD_GETFAMILY,
        attributes: [attribute.text(c.CTRL_ATTR_FAMILY_NAME, name)],
      }),
    read: unpackGenericFamily,
  };
}

/**
 * A family of generic netlink, by its name. `options.socket` is one of NETLINK_GENERIC.
 * @throws NetlinkError `ENOENT` where the kernel has none of the name
 */
export async function getGenericFamily(name: string, options: NetlinkOptions = {}): Promise<GenericFamily> {
  return get(question(name), options);
}

/** As `getGenericFamily`, blocking the thread. */
export function getGenericFamilySync(name: string, options: NetlinkSyncOptions = {}): GenericFamily {
  return getSync(question(name), options);
}

const listing: Listing<GenericFamily> = {
  protocol: c.NETLINK_GENERIC,
  label: 'CTRL_CMD_GETFAMILY',
  request: () => genericRequest(CONTROLLER, { command: c.CTRL_CMD_GETFAMILY }),
  read: unpackGenericFamily,
};

/** The families of generic netlink that the kernel has: `genl ctrl list`. */
export async function listGenericFamilies(options: NetlinkOptions = {}): Promise<GenericFamily[]> {
  return list(listing, options);
}

/** As `listGenericFamilies`, blocking the thread. */
export function listGenericFamiliesSync(options: NetlinkSyncOptions = {}): GenericFamily[] {
  return listSync(listing, options);
}

/** What the kernel accepts from the commands of a family. */
export interface GenericPolicy {
  /** Indexes of the policies of requests and of requests to list, by command. */
  commands: Map<number, { request?: number; dump?: number }>;
  /** Policies by attribute type, by index. */
  policies: Map<number, Map<number, AttributePolicy>>;
}

type Piece = (policy: GenericPolicy) => void;

function readPiece(message: NetlinkMessage): Piece | undefined {
  const a = unpackGeneric(message)?.attributes;
  if (message.type !== c.GENL_ID_CTRL || a === undefined) return undefined;
  return ({ commands, policies }) => {
    for (const { type: command, data } of a.nested(c.CTRL_ATTR_OP_POLICY) ?? []) {
      const indexes = unpackAttributes(data);
      const request = indexes.u32(c.CTRL_ATTR_POLICY_DO);
      const dump = indexes.u32(c.CTRL_ATTR_POLICY_DUMP);
      commands.set(command, { ...(request !== undefined && { request }), ...(dump !== undefined && { dump }) });
    }
    for (const { type: index, data } of a.nested(c.CTRL_ATTR_POLICY) ?? []) {
      const known = policies.get(index) ?? new Map<number, AttributePolicy>();
      policies.set(index, known);
      for (const one of unpackAttributes(data)) known.set(one.type, readPolicy(unpackAttributes(one.data)));
    }
  };
}

function policyListing(family: Pick<GenericFamily, 'id'>): Listing<Piece> {
  const { id } = checkObject('family', family);
  checkInteger('family.id', id, c.GENL_MIN_ID, 0xffff);
  return {
    protocol: c.NETLINK_GENERIC,
    label: 'CTRL_CMD_GETPOLICY',
    explain: (code) => (code === 'ENODATA' ? 'the family describes none of its commands' : undefined),
    request: () =>
      genericRequest(CONTROLLER, {
        command: c.CTRL_CMD_GETPOLICY,
        attributes: [attribute.u16(c.CTRL_ATTR_FAMILY_ID, id)],
      }),
    read: readPiece,
  };
}

function assemble(pieces: readonly Piece[]): GenericPolicy {
  const policy: GenericPolicy = { commands: new Map(), policies: new Map() };
  for (const piece of pieces) piece(policy);
  return policy;
}

/**
 * What the kernel accepts from the commands of a family: `genl ctrl policy`. Linux 5.10.
 * @throws NetlinkError `ENODATA` where the family describes none
 */
export async function getGenericPolicy(
  family: Pick<GenericFamily, 'id'>,
  options: NetlinkOptions = {},
): Promise<GenericPolicy> {
  return assemble(await list(policyListing(family), options));
}

/** As `getGenericPolicy`, blocking the thread. */
export function getGenericPolicySync(
  family: Pick<GenericFamily, 'id'>,
  options: NetlinkSyncOptions = {},
): GenericPolicy {
  return assemble(listSync(policyListing(family), options));
}
