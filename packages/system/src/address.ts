import {
  type AddressFamily,
  AF_SYSTEM,
  checkInteger,
  checkMembers,
  outOfRange,
  readU32,
  SOCK_DGRAM,
  writeU16,
  writeU32,
} from '@sock/core';
import { AF_SYS_CONTROL, SYSPROTO_CONTROL } from './constants.gen.js';
import { explain } from './explain.js';

/** A control of the kernel. */
export interface SystemAddress {
  /** Number of the control, which `controlId` finds by its name. */
  readonly id: number;
  /** Number of the connection to it; 0 for one of the kernel's choice. */
  readonly unit: number;
}

/** What is accepted as the address of a control. */
export interface SystemInput {
  readonly id: number;
  /** 0 unless told. */
  readonly unit?: number | undefined;
}

/** Bytes of a `struct sockaddr_ctl`. Source: sys/kern_control.h of macOS. */
const SOCKADDR_CTL = 32;
const SYSADDR = 2;
const ID = 4;
const UNIT = 8;
const U32_MAX = 0xffffffff;
const MEMBERS = ['id', 'unit'];
/** AF_SYS_CONTROL, on systems that do not name it too: the codec works anywhere. */
const CONTROL = AF_SYS_CONTROL ?? 2;

/**
 * AF_SYSTEM of macOS, with SYSPROTO_CONTROL: `new Socket(system)` there. Other systems have no such
 * family: `domain` is `undefined`, and opening a socket throws a TypeError.
 */
export const system: AddressFamily<SystemAddress, SystemInput> = {
  name: 'system',
  domain: AF_SYSTEM,
  type: SOCK_DGRAM,
  protocol: SYSPROTO_CONTROL,

  encode(input, into) {
    const { id, unit = 0 } = checkMembers('address', input, MEMBERS);
    checkInteger('address.id', id, 0, U32_MAX);
    checkInteger('address.unit', unit, 0, U32_MAX);
    writeU16(into, CONTROL, SYSADDR);
    writeU32(into, id, ID);
    writeU32(into, unit, UNIT);
    return SOCKADDR_CTL;
  },

  decode(sockaddr) {
    if (sockaddr.length < UNIT + 4) throw outOfRange('sockaddr', `${SOCKADDR_CTL} bytes`, sockaddr.length);
    return { id: readU32(sockaddr, ID), unit: readU32(sockaddr, UNIT) };
  },

  format: ({ id, unit }) => `control ${id}, unit ${unit}`,

  explain,
};
