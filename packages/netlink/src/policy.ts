import type { Attributes } from './attribute.js';
import * as c from './constants.gen.js';
import { present } from './structures.js';

/** What the kernel accepts as the value of an attribute. Source: linux/netlink.h. */
export interface AttributePolicy {
  /** NL_ATTR_TYPE_*. */
  type: number;
  /** Least and greatest value of an integer. */
  minimum?: bigint;
  maximum?: bigint;
  /** Least and greatest length, in bytes. */
  minimumLength?: number;
  maximumLength?: number;
  /** Bits that may be set. */
  mask?: bigint;
  /** Of an attribute of attributes: the index of their policy. */
  policy?: number;
  /** The highest type among them. */
  maximumType?: number;
}

/** Reads the policy of one attribute. */
export function readPolicy(attributes: Attributes): AttributePolicy {
  return present<AttributePolicy>({
    type: attributes.u32(c.NL_POLICY_TYPE_ATTR_TYPE) ?? c.NL_ATTR_TYPE_INVALID,
    minimum: attributes.s64(c.NL_POLICY_TYPE_ATTR_MIN_VALUE_S) ?? attributes.u64(c.NL_POLICY_TYPE_ATTR_MIN_VALUE_U),
    maximum: attributes.s64(c.NL_POLICY_TYPE_ATTR_MAX_VALUE_S) ?? attributes.u64(c.NL_POLICY_TYPE_ATTR_MAX_VALUE_U),
    minimumLength: attributes.u32(c.NL_POLICY_TYPE_ATTR_MIN_LENGTH),
    maximumLength: attributes.u32(c.NL_POLICY_TYPE_ATTR_MAX_LENGTH),
    mask: attributes.u64(c.NL_POLICY_TYPE_ATTR_MASK) ?? asBigInt(attributes.u32(c.NL_POLICY_TYPE_ATTR_BITFIELD32_MASK)),
    policy: attributes.u32(c.NL_POLICY_TYPE_ATTR_POLICY_IDX),
    maximumType: attributes.u32(c.NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE),
  });
}

const asBigInt = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));
