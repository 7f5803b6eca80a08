import { isUtf8 } from 'node:buffer';
import { AF_UNIX, checkObject, type MemoryInfo, readU32, readU64, writeU32 } from '@sock/core';
import { type Attributes, unpackAttributes } from './attribute.js';
import * as c from './constants.gen.js';
import { readMemory, type SocketState, stateBits, stateOf } from './inet-diag.js';
import type { NetlinkMessage } from './message.js';
import { type Listing, list, listSync, type NetlinkOptions } from './operation.js';
import { present } from './structures.js';

/** A socket of AF_UNIX, of any program. Members that the kernel says nothing of are left out. Source: sock_diag(7). */
export interface UnixSocketInfo {
  /** SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET. */
  type: number;
  /** `listening`, `established`, or `closed` for what is neither. */
  state: SocketState;
  /**
   * A path; `''` for a socket without a name; a `Buffer` for an abstract name (it starts with NUL) and for a
   * path that is not UTF-8.
   */
  name: string | Buffer;
  /** Number of its inode, as in `/proc/…/fd`. */
  inode: number;
  /** Inode of the socket that it is connected to. */
  peer?: number;
  /** Number of its own, unique while the system runs: SO_COOKIE. */
  cookie: bigint;
  /** Bytes that were not read yet; of a listener, connections that were not accepted yet. */
  receiveQueue?: number;
  /** Bytes that were sent and not read yet; of a listener, connections that may wait. */
  sendQueue?: number;
  /** Of a listener, the inodes of connections that were not accepted yet. */
  pending?: number[];
  /** The file that its path is: device and inode. */
  file?: { device: number; inode: number };
  memory?: MemoryInfo;
  /** Directions that are shut down: 1 receiving, 2 sending. */
  shutdown?: number;
  /** User that it belongs to. Linux 5.3. */
  uid?: number;
  /** All that the kernel says besides: UNIX_DIAG_*. */
  attributes: Attributes;
}

/** Bytes of a struct unix_diag_req and of a struct unix_diag_msg. */
const REQUEST_SIZE = 24;
const MESSAGE_SIZE = 16;

function readName(bytes: Buffer | undefined): string | Buffer {
  if (bytes === undefined || bytes.length === 0) return '';
  if (bytes[0] === 0) return Buffer.from(bytes);
  const end = bytes.indexOf(0);
  const path = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  return isUtf8(path) ? path.toString() : path;
}

/** Reads a message about a socket of AF_UNIX. `undefined` where it is none. */
export function unpackUnixSocket(message: NetlinkMessage): UnixSocketInfo | undefined {
  const { type: messageType, payload } = message;
  if (messageType !== c.SOCK_DIAG_BY_FAMILY || payload.length < MESSAGE_SIZE || payload[0] !== AF_UNIX)
    return undefined;
  const a = unpackAttributes(payload, MESSAGE_SIZE);
  const queues = a.bytes(c.UNIX_DIAG_RQLEN);
  const file = a.bytes(c.UNIX_DIAG_VFS);
  const icons = a.bytes(c.UNIX_DIAG_ICONS);
  const known = queues !== undefined && queues.length >= 8;
  return present<UnixSocketInfo>({
    type: payload[1] ?? 0,
    state: stateOf(payload[2] ?? 0),
    name: readName(a.bytes(c.UNIX_DIAG_NAME)),
    inode: readU32(payload, 4),
    peer: a.u32(c.UNIX_DIAG_PEER),
    cookie: readU64(payload, 8),
    receiveQueue: known ? readU32(queues, 0) : undefined,
    sendQueue: known ? readU32(queues, 4) : undefined,
    pending: icons === undefined ? undefined : readInodes(icons),
    file: file === undefined || file.length < 8 ? undefined : { inode: readU32(file, 0), device: readU32(file, 4) },
    memory: readMemory(a.bytes(c.UNIX_DIAG_MEMINFO)),
    shutdown: a.u8(c.UNIX_DIAG_SHUTDOWN),
    uid: a.u32(c.UNIX_DIAG_UID),
    attributes: a,
  });
}

function readInodes(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => readU32(bytes, 4 * i));
}

/** Options of `listUnixSockets`. */
export interface ListUnixSocketsOptions extends NetlinkOptions {
  /** Only sockets in these states; in any unless told. */
  states?: readonly SocketState[] | undefined;
}

/** Options of `listUnixSocketsSync`. */
export type ListUnixSocketsSyncOptions = Omit<ListUnixSocketsOptions, 'signal'>;

const SHOW =
  c.UDIAG_SHOW_NAME |
  c.UDIAG_SHOW_VFS |
  c.UDIAG_SHOW_PEER |
  c.UDIAG_SHOW_ICONS |
  c.UDIAG_SHOW_RQLEN |
  c.UDIAG_SHOW_MEMINFO |
  c.UDIAG_SHOW_UID;

function listing(options: ListUnixSocketsOptions): Listing<UnixSocketInfo> {
  const { states } = checkObject('options', options);
  const payload = Buffer.alloc(REQUEST_SIZE);
  payload[0] = AF_UNIX;
  writeU32(payload, stateBits('options.states', states) >>> 0, 4);
  writeU32(payload, SHOW, 12);
  return {
    protocol: c.NETLINK_SOCK_DIAG,
    label: 'SOCK_DIAG_BY_FAMILY',
    about: 'unix',
    explain: (code) =>
      code === 'ENOENT'
        ? 'this kernel lists no sockets of AF_UNIX; load the module unix_diag (modprobe unix_diag)'
        : undefined,
    request: () => ({ type: c.SOCK_DIAG_BY_FAMILY, payload }),
    read: unpackUnixSocket,
  };
}

/**
 * The sockets of AF_UNIX in this network namespace, of all programs: `ss --unix`. `options.socket` is one of
 * NETLINK_SOCK_DIAG.
 * @throws NetlinkError `ENOENT` where the kernel lacks the module unix_diag. Source: sock_diag(7).
 */
export async function listUnixSockets(options: ListUnixSocketsOptions = {}): Promise<UnixSocketInfo[]> {
  return list(listing(options), options);
}

/** As `listUnixSockets`, blocking the thread. */
export function listUnixSocketsSync(options: ListUnixSocketsSyncOptions = {}): UnixSocketInfo[] {
  return listSync(listing(options), options);
}
