import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What a native look-up gives instead of its result: a status, a negative errno or 0, and a text. */
export interface LookupFailure {
  error: [status: number, errno: number, text: string];
}

export interface RawAddressInfo {
  family: number;
  type: number;
  protocol: number;
  canonicalName: string | null;
  sockaddr: Buffer;
}

export interface RawHost {
  name: string;
  aliases: string[];
  addresses: Buffer[];
}

/**
 * The addon. Functions that make a system call give its result, or the errno negated, or
 * `BUFFER_GONE`. Received sockaddrs, message flags and control lengths are in the shared memory.
 */
export interface Native {
  readonly memory: ArrayBuffer;

  socket(domain: number, type: number, protocol: number): number;
  /** On a thread of another network namespace; less than `NOT_ENTERED` where that cannot be entered. */
  socketIn(namespace: number, domain: number, type: number, protocol: number): number;
  createNamespace(): number;
  socketpair(domain: number, type: number, protocol: number, fds: Int32Array): number;
  /** Marks a descriptor as owned by this thread: 1, or 0 where it is already. */
  own(fd: number): number;
  release(fd: number): number;
  /** Closes an owned descriptor; -EBADF for any other. */
  close(fd: number): number;
  closeAny(fd: number): number;
  dup(fd: number): number;
  isSocket(fd: number): number;
  /** `value` -1 asks. */
  nonBlocking(fd: number, value: number): number;
  closeOnExec(fd: number, value: number): number;

  bind(fd: number, sockaddr: Uint8Array, length: number): number;
  connect(fd: number, sockaddr: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  shutdown(fd: number, how: number): number;
  accept(fd: number, named: number): number;
  getsockname(fd: number): number;
  getpeername(fd: number): number;

  recv(fd: number, bytes: Uint8Array, offset: number, length: number, flags: number): number;
  recvfrom(fd: number, bytes: Uint8Array, offset: number, length: number, flags: number): number;
  send(fd: number, bytes: Uint8Array, offset: number, length: number, flags: number): number;
  /** To the sockaddr in `given`. */
  sendto(fd: number, bytes: Uint8Array, offset: number, length: number, flags: number, sockaddrLength: number): number;
  isDetached(buffer: ArrayBufferLike): number;
  sendfile(fd: number, file: number, offset: number, count: number): number;
  /** `size` is what the buffers hold together: fewer bytes mean that one was transferred. */
  recvmsg(
    fd: number,
    buffers: readonly Uint8Array[],
    flags: number,
    control: Uint8Array | null,
    controlLength: number,
    size: number,
  ): number;
  /** To the sockaddr in `given`, where it has a length. */
  sendmsg(
    fd: number,
    buffers: readonly Uint8Array[],
    flags: number,
    sockaddrLength: number,
    control: Uint8Array | null,
    controlLength: number,
    size: number,
  ): number;
  recvmmsg(...batch: BatchArguments): number;
  sendmmsg(...batch: BatchArguments): number;

  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array | null, length: number): number;
  setFilter(fd: number, level: number, name: number, instructions: Uint8Array): number;
  ioctlNumber(fd: number, request: number, argument: number): number;
  ioctlBytes(fd: number, request: number, argument: Uint8Array): number;

  /** Gives the memory, and the handle that the other functions take. */
  mapMemory(fd: number, length: number, offset: number): [memory: ArrayBuffer, handle: MappingHandle] | number;
  /** Detaches the memory. */
  unmapMemory(memory: ArrayBuffer, handle: MappingHandle): number;
  loadAcquire32(handle: MappingHandle, offset: number): number;
  storeRelease32(handle: MappingHandle, offset: number, value: number): number;

  startLoop(dispatch: (count: number) => void): number;
  watch(fd: number): number;
  arm(slot: number, events: number): number;
  unwatch(slot: number): number;
  reference(): number;

  poll(entries: Int32Array, count: number, milliseconds: number): number;
  pollOne(fd: number, events: number, milliseconds: number): number;
  edgeOpen(fd: number, events: number): number;
  edgeWait(edge: number, milliseconds: number): number;
  sleep(milliseconds: number): number;

  nameIndex(): [index: number, name: string][] | number;
  nameToIndex(name: string): number;
  indexToName(index: number): string | number;
  socketInterfaceIndex(fd: number, name: string): number;
  socketInterfaceName(fd: number, index: number): string | number;

  getaddrinfo(
    node: string | null,
    service: string | null,
    family: number,
    type: number,
    protocol: number,
    flags: number,
    blocking: 0 | 1,
  ): RawAddressInfo[] | LookupFailure | Promise<RawAddressInfo[] | LookupFailure>;
  getnameinfo(
    sockaddr: Uint8Array,
    flags: number,
    blocking: 0 | 1,
  ): { host: string; service: string } | LookupFailure | Promise<{ host: string; service: string } | LookupFailure>;
  gethostbyname(
    name: string,
    family: number,
    blocking: 0 | 1,
  ): RawHost | LookupFailure | Promise<RawHost | LookupFailure>;
  gethostbyaddr(
    address: Uint8Array,
    family: number,
    blocking: 0 | 1,
  ): RawHost | LookupFailure | Promise<RawHost | LookupFailure>;
  getservbyname(name: string, protocol: string | null): { name: string; port: number; protocol: string } | null;
  getservbyport(port: number, protocol: string | null): { name: string; port: number; protocol: string } | null;
  getprotobyname(name: string): { name: string; number: number } | null;
  gethostname(): string | number;
  sethostname(name: string): number;
}

/** Names a mapping to the addon. */
export type MappingHandle = Readonly<Record<never, never>> & { readonly mapping: unique symbol };

export type BatchArguments = [
  fd: number,
  data: Uint8Array,
  size: number,
  addresses: Uint8Array,
  control: Uint8Array,
  controlSize: number,
  numbers: Int32Array,
  first: number,
  count: number,
  flags: number,
];

// a result that is no errno: a buffer was detached or shrunk since it was checked
export const BUFFER_GONE = -100_000;

/** Added to a negative errno: it is that of entering a network namespace, not of the call to make there. */
export const NOT_ENTERED = -10_000;

/** The addon as it is: the calls that are made for every message take their numbers in shared memory. */
type Addon = Omit<Native, 'recv' | 'recvfrom' | 'send' | 'sendto'> &
  Record<'recv' | 'recvfrom' | 'send' | 'sendto', (bytes: Uint8Array) => number>;

const load = createRequire(import.meta.url)('node-gyp-build') as (directory: string) => Addon;
const addon = load(fileURLToPath(new URL('..', import.meta.url)));

// the layout of native/environment.h
export const SOCKADDR_SIZE = 128;
export const state: Int32Array = new Int32Array(addon.memory, 0, 16);
export const ADDRESS_LENGTH = 0;
export const MESSAGE_FLAGS = 1;
export const CONTROL_LENGTH = 2;
export const TURN = 3;
export const REFERENCED = 4;
export const PENDING = 5;
const DESCRIPTOR = 6;
const OFFSET = 7;
const LENGTH = 8;
const FLAGS = 9;
const GIVEN_LENGTH = 10;
export const DESCRIPTORS = 11;

/** The sockaddr that the kernel gave last. */
export const received: Uint8Array = new Uint8Array(addon.memory, 64, SOCKADDR_SIZE);
/** A sockaddr to give to the kernel: valid until the next address is encoded. */
export const given: Uint8Array = new Uint8Array(addon.memory, 64 + SOCKADDR_SIZE, SOCKADDR_SIZE);
/** Pairs of slot and events that one turn of the loop found ready. */
export const ready: Int32Array = new Int32Array(addon.memory, 64 + 2 * SOCKADDR_SIZE, 512);

// one call transfers no more; source: read(2)
const TRANSFER_MAX = 0x7ffff000;

function describe(fd: number, offset: number, length: number, flags: number): void {
  state[DESCRIPTOR] = fd;
  state[OFFSET] = offset;
  state[LENGTH] = Math.min(length, TRANSFER_MAX);
  state[FLAGS] = flags;
}

const { recv, recvfrom, send, sendto } = addon;

export const native: Native = {
  ...addon,
  recv(fd, bytes, offset, length, flags) {
    if (offset > TRANSFER_MAX) return this.recv(fd, bytes.subarray(offset), 0, length, flags);
    describe(fd, offset, length, flags);
    return recv(bytes);
  },
  recvfrom(fd, bytes, offset, length, flags) {
    describe(fd, offset, length, flags);
    return recvfrom(bytes);
  },
  send(fd, bytes, offset, length, flags) {
    // behind 2 GiB the offset would not fit into the shared memory
    if (offset > TRANSFER_MAX) return this.send(fd, bytes.subarray(offset), 0, length, flags);
    describe(fd, offset, length, flags);
    return send(bytes);
  },
  sendto(fd, bytes, offset, length, flags, sockaddrLength) {
    describe(fd, offset, length, flags);
    state[GIVEN_LENGTH] = sockaddrLength;
    return sendto(bytes);
  },
};
