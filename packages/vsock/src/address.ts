import {
  type AddressFamily,
  AF_VSOCK,
  checkInteger,
  checkMembers,
  outOfRange,
  readU32,
  SOCK_STREAM,
  writeU32,
} from '@sock/core';
import {
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
} from './constants.gen.js';
import { explain } from './explain.js';

/** A port of a virtual machine or its host. Source: vsock(7). */
export interface VsockAddress {
  /** Machine: VMADDR_CID_HOST, VMADDR_CID_LOCAL, the CID of a guest; VMADDR_CID_ANY to bind all of this one's. */
  readonly cid: number;
  /** 32 bits; VMADDR_PORT_ANY to have one chosen. Those below 1024 need CAP_NET_BIND_SERVICE to bind. */
  readonly port: number;
  /** VMADDR_FLAG_TO_HOST, where it is set. Linux 5.11. */
  readonly flags?: number;
}

/** What is accepted as an address: `flags` are 0 unless told. */
export interface VsockInput extends Omit<VsockAddress, 'flags'> {
  readonly flags?: number | undefined;
}

// offsets in a struct sockaddr_vm; source: linux/vm_sockets.h
const PORT = 4;
const CID = 8;
const FLAGS = 12;
const SIZE = 16;

const MEMBERS = ['cid', 'port', 'flags'];

const U32_MAX = 0xffffffff;

const NAMES: Readonly<Record<number, string>> = {
  [VMADDR_CID_ANY]: 'any',
  [VMADDR_CID_HYPERVISOR]: 'hypervisor',
  [VMADDR_CID_LOCAL]: 'local',
  [VMADDR_CID_HOST]: 'host',
};

/**
 * AF_VSOCK: sockets between virtual machines and their host, which need no network. SOCK_STREAM unless
 * told; SOCK_SEQPACKET keeps boundaries, and is for messages that the receiver has room for: one that fits in part
 * ends the connection with `ENOBUFS`; SOCK_DGRAM only where there is a transport for it (VMware).
 * Source: vsock(7).
 */
export const vsock: AddressFamily<VsockAddress, VsockInput> = {
  name: 'vsock',
  domain: AF_VSOCK,
  type: SOCK_STREAM,
  tearsMessages: true,
  encode(input, into) {
    const { cid, port, flags = 0 } = checkMembers('address', input, MEMBERS);
    checkInteger('address.flags', flags, 0, 0xff);
    writeU32(into, checkInteger('address.cid', cid, 0, U32_MAX), CID);
    writeU32(into, checkInteger('address.port', port, 0, U32_MAX), PORT);
    into[FLAGS] = flags;
    return SIZE;
  },
  decode(sockaddr) {
    if (sockaddr.length < SIZE) throw outOfRange('sockaddr', `${SIZE} bytes`, sockaddr.length);
    const flags = sockaddr[FLAGS] as number;
    const address = { cid: readU32(sockaddr, CID), port: readU32(sockaddr, PORT) };
    return flags === 0 ? address : { ...address, flags };
  },
  format: ({ cid, port }) => `${NAMES[cid] ?? cid}:${port === VMADDR_PORT_ANY ? 'any' : port}`,
  explain,
};
