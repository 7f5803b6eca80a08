import { errnoName, type FailedCall, readI32, readU16, readU32, SocketError } from '@sock/core';
import { align, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { MESSAGE_HEADER, type NetlinkMessage } from './message.js';
import { type AttributePolicy, readPolicy } from './policy.js';
import { present } from './structures.js';

/** What the kernel says of a request. Source: netlink(7), NLMSG_ERROR; linux/netlink.h. */
export interface Acknowledgement {
  /** 0, or the negative errno. */
  errno: number;
  /** What is wrong, or with `errno` 0 a warning, as the kernel words it. */
  text: string | undefined;
  /** Bytes from the start of the request to the attribute that is wrong. */
  offset: number | undefined;
  /** Type of an attribute that is missing. */
  missingType: number | undefined;
  /** Bytes from the start of the request to the attribute in which it is missing; `undefined` at the top. */
  missingNest: number | undefined;
  /** What the attribute that is wrong must be like. */
  policy: AttributePolicy | undefined;
  /** Names what was created, for some requests. */
  cookie: Buffer | undefined;
}

/** Bytes of a struct nlmsgerr. */
const ERROR_SIZE = 4 + MESSAGE_HEADER;

function attributesAt(message: NetlinkMessage): number {
  if (message.type === c.NLMSG_DONE) return 4;
  if ((message.flags & c.NLM_F_CAPPED) !== 0 || message.payload.length < ERROR_SIZE) return ERROR_SIZE;
  const repeated = readU32(message.payload, 4) - MESSAGE_HEADER;
  return repeated > 0 && repeated < message.payload.length ? ERROR_SIZE + align(repeated) : ERROR_SIZE;
}

/**
 * Reads a message of the type NLMSG_ERROR, or the NLMSG_DONE of a list. `undefined` where it is too
 * short to be one.
 */
export function unpackAcknowledgement(message: NetlinkMessage): Acknowledgement | undefined {
  const { payload, flags, type } = message;
  if (payload.length < 4) {
    if (type !== c.NLMSG_DONE) return undefined;
    return { ...NOTHING, errno: 0 };
  }
  // some parts of the kernel end lists with a count
  const errno = Math.min(0, readI32(payload, 0));
  if ((flags & c.NLM_F_ACK_TLVS) === 0) return { ...NOTHING, errno };
  const attributes = unpackAttributes(payload, attributesAt(message));
  const policy = attributes.nested(c.NLMSGERR_ATTR_POLICY);
  return {
    errno,
    text: attributes.text(c.NLMSGERR_ATTR_MSG),
    offset: attributes.u32(c.NLMSGERR_ATTR_OFFS),
    missingType: attributes.u32(c.NLMSGERR_ATTR_MISS_TYPE),
    missingNest: attributes.u32(c.NLMSGERR_ATTR_MISS_NEST),
    policy: policy === undefined ? undefined : readPolicy(policy),
    cookie: attributes.bytes(c.NLMSGERR_ATTR_COOKIE),
  };
}

const NOTHING = {
  text: undefined,
  offset: undefined,
  missingType: undefined,
  missingNest: undefined,
  policy: undefined,
  cookie: undefined,
} as const;

/** A request, as its error tells of it. */
export interface RequestSubject {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Name for messages, such as `RTM_NEWLINK`. */
  readonly label: string;
  /** What it was about, such as the name of a link. */
  readonly about?: string | undefined;
  /** One clause for the message, where the remedy is known. */
  readonly explain?: ((code: string, text: string | undefined) => string | undefined) | undefined;
}

/**
 * The kernel refused a request: `code` is that of its errno, `syscall` the name of the request, such as
 * `RTM_NEWLINK`. The rest is what the kernel adds since Linux 4.12, where it does.
 */
export class NetlinkError extends SocketError {
  /** Type of the request. */
  readonly type: number;
  /** What is wrong, as the kernel words it. */
  declare readonly text?: string;
  /** Bytes from the start of the request to the attribute that is wrong. */
  declare readonly offset?: number;
  /** Type of the attribute that is wrong. */
  declare readonly attribute?: number;
  /** Type of an attribute that is missing. */
  declare readonly missingType?: number;
  /** Bytes from the start of the request to the attribute in which it is missing; `undefined` at the top. */
  declare readonly missingNest?: number;
  /** What the attribute that is wrong must be like. */
  declare readonly policy?: AttributePolicy;

  constructor(request: RequestSubject, acknowledgement: Acknowledgement) {
    const { errno, text, offset, missingType, missingNest, policy } = acknowledgement;
    const code = errnoName(-errno);
    const attribute = attributeAt(request.bytes, offset);
    super(describe(request, code, text, attribute, missingType), { code, errno, syscall: request.label });
    this.type = request.bytes.length >= MESSAGE_HEADER ? readU16(request.bytes, 4) : 0;
    Object.assign(this, present({ text, offset, attribute, missingType, missingNest, policy }));
  }

  static {
    this.prototype.name = 'NetlinkError';
  }
}

function attributeAt(request: Uint8Array, offset: number | undefined): number | undefined {
  if (offset === undefined || offset < MESSAGE_HEADER || offset + 4 > request.length) return undefined;
  return readU16(request, offset + 2) & c.NLA_TYPE_MASK;
}

function describe(
  { label, about, explain }: RequestSubject,
  code: string,
  text: string | undefined,
  attribute: number | undefined,
  missing: number | undefined,
): string {
  const clauses = [
    // the kernel ends some of its sentences
    text?.replace(/\.$/, ''),
    attribute === undefined ? undefined : `attribute ${attribute} of the request is not accepted`,
    missing === undefined ? undefined : `attribute ${missing} is missing`,
    explain?.(code, text) ?? CLAUSES[code],
  ].filter((clause) => clause !== undefined && clause !== '');
  const what = about === undefined || about === '' ? '' : ` ${about}`;
  return `${label} ${code}${what}${clauses.length === 0 ? '' : `: ${clauses.join('; ')}`}`;
}

const NET_ADMIN = 'this needs CAP_NET_ADMIN (setcap cap_net_admin+ep $(which node), or run as root)';

const CLAUSES: Readonly<Record<FailedCall['code'], string>> = {
  EPERM: NET_ADMIN,
  EACCES: NET_ADMIN,
  EEXIST: 'there is one already',
};
