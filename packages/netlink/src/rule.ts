import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  checkBoolean,
  checkInteger,
  checkInterfaceName,
  checkObject,
  outOfRange,
  readU16,
  readU32,
  writeU16,
  writeU32,
} from '@sock/core';
import { type AttributeInput, type Attributes, attribute, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { addressSize, checkIp, familyOf, readIp } from './ip.js';
import type { NetlinkMessage } from './message.js';
import {
  type Change,
  change,
  changeSync,
  type Listing,
  list,
  listSync,
  type NetlinkOptions,
  type NetlinkSyncOptions,
} from './operation.js';
import { checkFamily, checkU32, present } from './structures.js';
import { type Changed, groupsOf, Watcher, type WatchFamilyOptions } from './watch.js';

/** From the first to the last, both included. */
export interface Range {
  first: number;
  last: number;
}

/** What a rule looks at. Members that are left out match anything. */
interface Selector {
  /** Network of the sender. */
  source?: string;
  sourcePrefixLength?: number;
  /** Network of the receiver. */
  destination?: string;
  destinationPrefixLength?: number;
  /** Name of the interface that it came in through. */
  incomingInterface?: string;
  /** Name of the interface that the sending socket is bound to. */
  outgoingInterface?: string;
  /** Mark, and the bits of it that count. */
  mark?: number;
  markMask?: number;
  /** Users that the sending socket may belong to. */
  users?: Range;
  /** IPPROTO_*. */
  ipProtocol?: number;
  sourcePorts?: Range;
  destinationPorts?: Range;
}

/** A rule that chooses a routing table. Members that the kernel says nothing of are left out. Source: ip-rule(8). */
export interface Rule extends Selector {
  /** AF_INET or AF_INET6. */
  family: number;
  /** Rules are looked at by their priority, the least first. */
  priority: number;
  /** Table to look into: RT_TABLE_*. */
  table: number;
  /** FR_ACT_*. */
  action: number;
  /** Priority of the rule to go on with, for FR_ACT_GOTO. */
  goto?: number;
  /** Whether it is for what does not match: FIB_RULE_INVERT. */
  invert: boolean;
  /** FIB_RULE_*, or-ed together. */
  flags: number;
  /** Type of service that it is for, 0 for any. */
  tos: number;
  /** Routes with prefixes of this length or shorter do not count. */
  suppressPrefixLength?: number;
  /** Whether the table is that of the VRF that the interface is in. */
  l3mdev?: boolean;
  /** Who made it: RTPROT_*. */
  protocol?: number;
  /** All that the kernel says: FRA_*. */
  attributes: Attributes;
}

/** What is accepted as a rule. */
export interface RuleInput extends Selector {
  /** AF_INET or AF_INET6; that of the networks unless told, or AF_INET. */
  family?: number;
  /** One less than the least that there is, but for that of the local table, unless told. */
  priority?: number;
  /** RT_TABLE_MAIN unless told. */
  table?: number;
  /** FR_ACT_*; FR_ACT_TO_TBL unless told, or FR_ACT_GOTO with `goto`. */
  action?: number;
  goto?: number;
  invert?: boolean;
  tos?: number;
  suppressPrefixLength?: number;
  l3mdev?: boolean;
  protocol?: number;
  /** Anything else: FRA_*. */
  extra?: Iterable<AttributeInput>;
}

/** Bytes of a struct fib_rule_hdr. */
const HEADER = 12;
const NO_LIMIT = 0xffffffff;

function readRange(bytes: Buffer | undefined, size: 2 | 4): Range | undefined {
  if (bytes === undefined || bytes.length < 2 * size) return undefined;
  return size === 2
    ? { first: readU16(bytes, 0), last: readU16(bytes, 2) }
    : { first: readU32(bytes, 0), last: readU32(bytes, 4) };
}

/** Reads a message about a rule: RTM_NEWRULE, RTM_DELRULE. `undefined` where it is none, or none of IP. */
export function unpackRule(message: NetlinkMessage): Rule | undefined {
  const { type, payload } = message;
  if ((type !== c.RTM_NEWRULE && type !== c.RTM_DELRULE) || payload.length < HEADER) return undefined;
  const [family = 0, destinationLength = 0, sourceLength = 0, tos = 0, table = 0, , , action = 0] = payload;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const a = unpackAttributes(payload, HEADER);
  const flags = readU32(payload, 8);
  const source = readIp(a.bytes(c.FRA_SRC));
  const destination = readIp(a.bytes(c.FRA_DST));
  const suppress = a.u32(c.FRA_SUPPRESS_PREFIXLEN);
  const l3mdev = a.u8(c.FRA_L3MDEV);
  const protocol = a.u8(c.FRA_PROTOCOL);
  return present<Rule>({
    family,
    priority: a.u32(c.FRA_PRIORITY) ?? 0,
    table: a.u32(c.FRA_TABLE) ?? table,
    action,
    goto: a.u32(c.FRA_GOTO),
    invert: (flags & c.FIB_RULE_INVERT) !== 0,
    flags,
    tos,
    source,
    sourcePrefixLength: source === undefined ? undefined : sourceLength,
    destination,
    destinationPrefixLength: destination === undefined ? undefined : destinationLength,
    incomingInterface: a.text(c.FRA_IIFNAME),
    outgoingInterface: a.text(c.FRA_OIFNAME),
    mark: a.u32(c.FRA_FWMARK),
    markMask: a.u32(c.FRA_FWMASK),
    users: readRange(a.bytes(c.FRA_UID_RANGE), 4),
    ipProtocol: a.u8(c.FRA_IP_PROTO),
    sourcePorts: readRange(a.bytes(c.FRA_SPORT_RANGE), 2),
    destinationPorts: readRange(a.bytes(c.FRA_DPORT_RANGE), 2),
    suppressPrefixLength: suppress === NO_LIMIT ? undefined : suppress,
    l3mdev: l3mdev === undefined || l3mdev === 0 ? undefined : true,
    protocol: protocol === c.RTPROT_UNSPEC ? undefined : protocol,
    attributes: a,
  });
}

/** Options of `listRules`. */
export interface ListRulesOptions extends NetlinkOptions {
  /** AF_INET or AF_INET6; both unless told. */
  family?: number | undefined;
}

/** Options of `listRulesSync`. */
export type ListRulesSyncOptions = Omit<ListRulesOptions, 'signal'>;

function listing(options: ListRulesOptions): Listing<Rule> {
  const { family = AF_UNSPEC } = checkObject('options', options);
  checkFamily('options.family', family);
  const payload = Buffer.alloc(HEADER);
  payload[0] = family;
  return { label: 'RTM_GETRULE', request: () => ({ type: c.RTM_GETRULE, payload }), read: unpackRule };
}

/** The rules of this network namespace: `ip rule`. Source: rtnetlink(7), RTM_GETRULE. */
export async function listRules(options: ListRulesOptions = {}): Promise<Rule[]> {
  return list(listing(options), options);
}

/** As `listRules`, blocking the thread. */
export function listRulesSync(options: ListRulesSyncOptions = {}): Rule[] {
  return listSync(listing(options), options);
}

function rangeAttribute(argument: string, type: number, range: Range, size: 2 | 4): AttributeInput {
  const { first, last } = checkObject(argument, range);
  const maximum = size === 2 ? 0xffff : 0xffffffff;
  checkInteger(`${argument}.first`, first, 0, maximum);
  checkInteger(`${argument}.last`, last, first, maximum);
  const bytes = Buffer.alloc(2 * size);
  const write = size === 2 ? writeU16 : writeU32;
  write(bytes, first, 0);
  write(bytes, last, size);
  return attribute.bytes(type, bytes);
}

const U32_MEMBERS = {
  mark: c.FRA_FWMARK,
  markMask: c.FRA_FWMASK,
  priority: c.FRA_PRIORITY,
  goto: c.FRA_GOTO,
  suppressPrefixLength: c.FRA_SUPPRESS_PREFIXLEN,
} as const;

function familyOfRule({ family, source, destination }: RuleInput): number {
  if (family !== undefined) {
    if (family !== AF_INET && family !== AF_INET6) throw outOfRange('rule.family', 'AF_INET or AF_INET6', family);
    return family;
  }
  if (source !== undefined) return familyOf(checkIp('rule.source', source));
  return destination === undefined ? AF_INET : familyOf(checkIp('rule.destination', destination));
}

function body(rule: RuleInput, creates: boolean): { payload: Buffer; attributes: AttributeInput[] } {
  const { source, destination, incomingInterface, outgoingInterface, users, ipProtocol, protocol, l3mdev } = rule;
  const { sourcePorts, destinationPorts, tos = 0, invert = false, extra = [] } = rule;
  const family = familyOfRule(rule);
  const bits = addressSize(family) * 8;
  const found: AttributeInput[] = [];
  const payload = Buffer.alloc(HEADER);
  payload[0] = family;
  payload[3] = checkInteger('rule.tos', tos, 0, 0xff);
  if (destination !== undefined) {
    found.push(attribute.bytes(c.FRA_DST, checkIp('rule.destination', destination, family)));
    payload[1] = checkInteger('rule.destinationPrefixLength', rule.destinationPrefixLength ?? bits, 0, bits);
  }
  if (source !== undefined) {
    found.push(attribute.bytes(c.FRA_SRC, checkIp('rule.source', source, family)));
    payload[2] = checkInteger('rule.sourcePrefixLength', rule.sourcePrefixLength ?? bits, 0, bits);
  }
  for (const [name, type] of Object.entries(U32_MEMBERS)) {
    const value = rule[name as keyof typeof U32_MEMBERS];
    if (value !== undefined) found.push(attribute.u32(type, checkU32(`rule.${name}`, value)));
  }
  if (incomingInterface !== undefined) {
    const name = checkInterfaceName('rule.incomingInterface', incomingInterface);
    found.push(attribute.text(c.FRA_IIFNAME, name));
  }
  if (outgoingInterface !== undefined) {
    const name = checkInterfaceName('rule.outgoingInterface', outgoingInterface);
    found.push(attribute.text(c.FRA_OIFNAME, name));
  }
  if (users !== undefined) found.push(rangeAttribute('rule.users', c.FRA_UID_RANGE, users, 4));
  if (ipProtocol !== undefined) {
    found.push(attribute.u8(c.FRA_IP_PROTO, checkInteger('rule.ipProtocol', ipProtocol, 0, 0xff)));
  }
  if (sourcePorts !== undefined) found.push(rangeAttribute('rule.sourcePorts', c.FRA_SPORT_RANGE, sourcePorts, 2));
  if (destinationPorts !== undefined) {
    found.push(rangeAttribute('rule.destinationPorts', c.FRA_DPORT_RANGE, destinationPorts, 2));
  }
  if (protocol !== undefined) {
    found.push(attribute.u8(c.FRA_PROTOCOL, checkInteger('rule.protocol', protocol, 0, 0xff)));
  }
  const own = l3mdev !== undefined && checkBoolean('rule.l3mdev', l3mdev);
  if (own) found.push(attribute.u8(c.FRA_L3MDEV, 1));
  const jumps = rule.goto !== undefined;
  const action = rule.action ?? (jumps ? c.FR_ACT_GOTO : creates ? c.FR_ACT_TO_TBL : c.FR_ACT_UNSPEC);
  payload[7] = checkInteger('rule.action', action, 0, 0xff);
  const implied = creates && action === c.FR_ACT_TO_TBL && !own ? c.RT_TABLE_MAIN : c.RT_TABLE_UNSPEC;
  const table = checkU32('rule.table', rule.table ?? implied);
  if (table !== c.RT_TABLE_UNSPEC) found.push(attribute.u32(c.FRA_TABLE, table));
  payload[4] = table > 255 ? c.RT_TABLE_UNSPEC : table;
  writeU32(payload, checkBoolean('rule.invert', invert) ? c.FIB_RULE_INVERT : 0, 8);
  return { payload, attributes: [...found, ...extra] };
}

function addition(rule: RuleInput): Change {
  checkObject('rule', rule);
  return {
    label: 'RTM_NEWRULE',
    request: () => ({ type: c.RTM_NEWRULE, flags: c.NLM_F_CREATE | c.NLM_F_EXCL, ...body(rule, true) }),
  };
}

/**
 * Adds a rule: `ip rule add`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `EEXIST` where there is one like it. Source: ip-rule(8), RTM_NEWRULE.
 */
export async function addRule(rule: RuleInput, options: NetlinkOptions = {}): Promise<void> {
  await change(addition(rule), options);
}

/** As `addRule`, blocking the thread. */
export function addRuleSync(rule: RuleInput, options: NetlinkSyncOptions = {}): void {
  changeSync(addition(rule), options);
}

function removal(rule: RuleInput): Change {
  checkObject('rule', rule);
  return {
    label: 'RTM_DELRULE',
    explain: (code) => (code === 'ENOENT' ? 'there is no such rule' : undefined),
    request: () => ({ type: c.RTM_DELRULE, ...body(rule, false) }),
  };
}

/**
 * Removes the first rule that has everything that is given: `ip rule delete`. Needs CAP_NET_ADMIN.
 * @throws NetlinkError `ENOENT` where there is none. Source: ip-rule(8), RTM_DELRULE.
 */
export async function deleteRule(rule: RuleInput, options: NetlinkOptions = {}): Promise<void> {
  await change(removal(rule), options);
}

/** As `deleteRule`, blocking the thread. */
export function deleteRuleSync(rule: RuleInput, options: NetlinkSyncOptions = {}): void {
  changeSync(removal(rule), options);
}

/** A rule that is new or is gone. */
export interface RuleChange extends Changed {
  rule: Rule;
}

/** Changes of rules as they come: `ip monitor rule`. Source: RTNLGRP_IPV4_RULE. */
export function watchRules(options: WatchFamilyOptions = {}): Watcher<RuleChange> {
  return new Watcher<RuleChange>(
    {
      groups: groupsOf(options, c.RTNLGRP_IPV4_RULE, c.RTNLGRP_IPV6_RULE),
      read({ message, namespaceId }) {
        const rule = unpackRule(message);
        if (rule === undefined) return undefined;
        return { event: message.type === c.RTM_DELRULE ? 'delete' : 'update', rule, namespaceId };
      },
    },
    options,
  );
}
