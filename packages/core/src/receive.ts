import type { AddressCache, Addressed } from './address.js';
import { Ancillary } from './ancillary.js';
import { checkInteger, invalidArgumentType, toTarget } from './arguments.js';
import { MSG_CTRUNC, MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK, MSG_WAITALL, SOCK_STREAM } from './constants.gen.js';
import { type Descriptor, POLLRDHUP } from './descriptor.js';
import { EAGAIN } from './errno.js';
import { lengthOf, sizeOf } from './memory.js';
import { ADDRESS_LENGTH, BUFFER_GONE, CONTROL_LENGTH, MESSAGE_FLAGS, received, state } from './native.js';
import { type Direction, ERROR, type Operation, READ } from './operation.js';
import { borrow, claim, keep, offsetOf } from './slab.js';

/** Most that one call can transfer. Source: read(2). */
export const TRANSFER_MAX = 0x7ffff000;
const CONTROL_MAX = 0x7fffffff;

/** A received message and who sent it. */
export interface Received<Address> {
  data: Buffer;
  /** The sender; `null` where the kernel gives none (a connected stream). */
  address: Address | null;
}

/** A received message with its control messages. */
export interface ReceivedMessage<Address> extends Received<Address> {
  /** Control messages; owns the descriptors that came with them. */
  ancillary: Ancillary;
  /** MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB, MSG_ERRQUEUE. */
  flags: number;
}

/** What was received into the caller's own memory. */
export interface ReceivedInto<Address> {
  bytes: number;
  address: Address | null;
}

/** What was received into the caller's own memory, with its control messages. */
export interface ReceivedMessageInto<Address> extends ReceivedInto<Address> {
  ancillary: Ancillary;
  flags: number;
}

/** What receiving needs of a socket. */
export interface Receiver extends Addressed {
  readonly addresses: AddressCache;
}

/** Checks flags: MSG_* values or-ed together. */
export function checkFlags(flags: unknown): number {
  return flags === undefined ? 0 : checkInteger('flags', flags, -0x80000000, 0x7fffffff);
}

export function checkSize(argument: string, size: unknown): number {
  return checkInteger(argument, size, 0, TRANSFER_MAX);
}

export const directionOf = (flags: number): Direction => ((flags & MSG_ERRQUEUE) !== 0 ? ERROR : READ);

// Descriptors are non-blocking, where the kernel ignores MSG_WAITALL: here it is kept.
const collects = (socket: Receiver, flags: number): boolean =>
  (flags & MSG_WAITALL) !== 0 && socket.type === SOCK_STREAM && (flags & (MSG_ERRQUEUE | MSG_DONTWAIT)) === 0;

/** recv(2) into memory of the library. */
export class Recv implements Operation<Buffer> {
  readonly syscall = 'recv';
  readonly direction: Direction;
  readonly capacity: number | undefined;
  private memory: Buffer | undefined;

  constructor(
    socket: Receiver,
    private readonly size: number,
    private readonly flags: number,
  ) {
    this.direction = directionOf(flags);
    this.capacity = flags === 0 && socket.type === SOCK_STREAM ? size : undefined;
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    const memory = borrow(this.size, this.memory);
    const count = calls.recv(fd, memory, offsetOf(memory), this.size, this.flags);
    this.memory = keep(memory, count);
    return count;
  }

  result(count: number): Buffer {
    // with MSG_TRUNC a datagram's real length is told, which may be more than was asked for
    return claim(this.memory as Buffer, Math.min(count, this.size));
  }
}

/** recv(2) with MSG_WAITALL on a stream: all of it, or what came before the end. */
export class RecvAll implements Operation<number> {
  readonly syscall = 'recv';
  readonly direction: Direction = READ;
  readonly edge: boolean;
  private readonly length: number;
  private done = 0;

  constructor(
    private readonly target: Uint8Array,
    private readonly flags: number,
    private readonly waits: boolean,
  ) {
    this.edge = (flags & MSG_PEEK) !== 0;
    this.length = lengthOf('buffer', target);
  }

  attempt({ calls, fd }: Descriptor): number {
    const { target, length } = this;
    const flags = this.flags & ~MSG_WAITALL;
    // What may not wait must not take a part either, and what only looks cannot take it.
    if (this.edge || !this.waits) {
      const count = calls.recv(fd, target, 0, length, flags | MSG_PEEK);
      if (count < 0 || count === length) {
        return count < 0 || this.edge ? count : calls.recv(fd, target, 0, length, flags);
      }
      // less than all is there: that is a result only where no more can come
      if (calls.pollOne(fd, POLLRDHUP, 0) <= 0) return -EAGAIN;
      return this.edge ? count : calls.recv(fd, target, 0, length, flags);
    }
    while (this.done < length) {
      const count = calls.recv(fd, target, this.done, length - this.done, flags);
      // what came before went with the buffer
      if (count === BUFFER_GONE) this.done = 0;
      if (count < 0) return count;
      if (count === 0) break;
      this.done += count;
    }
    return this.done;
  }

  result(count: number): number {
    return count;
  }

  partial(): number | undefined {
    return this.done > 0 ? this.done : undefined;
  }
}

/** recv(2) into memory of the caller. */
export class RecvInto implements Operation<number> {
  readonly syscall = 'recv';
  readonly direction: Direction;
  readonly capacity: number | undefined;
  private readonly length: number;

  constructor(
    socket: Receiver,
    private readonly target: Uint8Array,
    private readonly flags: number,
  ) {
    this.direction = directionOf(flags);
    this.length = lengthOf('buffer', target);
    this.capacity = flags === 0 && socket.type === SOCK_STREAM ? this.length : undefined;
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    return calls.recv(fd, this.target, 0, this.length, this.flags);
  }

  result(count: number): number {
    return count;
  }
}

/** recvfrom(2) into memory of the library. */
export class RecvFrom<Address> implements Operation<Received<Address>> {
  readonly syscall = 'recvfrom';
  readonly direction: Direction;
  private memory: Buffer | undefined;

  constructor(
    private readonly socket: Receiver,
    private readonly size: number,
    private readonly flags: number,
  ) {
    this.direction = directionOf(flags);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    const memory = borrow(this.size, this.memory);
    const count = calls.recvfrom(fd, memory, offsetOf(memory), this.size, this.flags);
    this.memory = keep(memory, count);
    return count;
  }

  result(count: number): Received<Address> {
    const address = senderOf<Address>(this.socket);
    return { data: claim(this.memory as Buffer, Math.min(count, this.size)), address };
  }
}

/** recvfrom(2) into memory of the caller. */
export class RecvFromInto<Address> implements Operation<ReceivedInto<Address>> {
  readonly syscall = 'recvfrom';
  readonly direction: Direction;
  private readonly length: number;

  constructor(
    private readonly socket: Receiver,
    private readonly target: Uint8Array,
    private readonly flags: number,
  ) {
    this.direction = directionOf(flags);
    this.length = lengthOf('buffer', target);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    return calls.recvfrom(fd, this.target, 0, this.length, this.flags);
  }

  result(count: number): ReceivedInto<Address> {
    return { bytes: count, address: senderOf<Address>(this.socket) };
  }
}

function senderOf<Address>(socket: Receiver): Address | null {
  const { addresses } = socket;
  addresses.expire();
  return addresses.decode(socket, received, 0, state[ADDRESS_LENGTH] as number) as Address | null;
}

// control messages are received here and copied out: few are larger
const CONTROL_SCRATCH = 4096;
let scratch: Uint8Array | undefined;

/** recvmsg(2) into memory of the caller. */
export class RecvMsgInto<Address> implements Operation<ReceivedMessageInto<Address>> {
  readonly syscall = 'recvmsg';
  readonly direction: Direction;
  private control: Uint8Array | undefined;

  constructor(
    private readonly socket: Receiver,
    private readonly targets: Uint8Array[],
    private readonly ancillarySize: number,
    private readonly flags: number,
    private readonly size = sizeOf(targets),
  ) {
    this.direction = directionOf(flags);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    const { ancillarySize } = this;
    if (ancillarySize > CONTROL_SCRATCH) {
      this.control ??= new Uint8Array(ancillarySize);
    } else if (ancillarySize > 0) {
      scratch ??= new Uint8Array(CONTROL_SCRATCH);
      this.control = scratch;
    }
    return calls.recvmsg(fd, this.targets, this.flags, this.control ?? null, ancillarySize, this.size);
  }

  result(count: number): ReceivedMessageInto<Address> {
    const length = state[CONTROL_LENGTH] as number;
    const flags = state[MESSAGE_FLAGS] as number;
    const ancillary =
      length === 0 || this.control === undefined ? Ancillary.none() : Ancillary.parse(this.control.subarray(0, length));
    return { bytes: count, ancillary, flags, address: senderOf<Address>(this.socket) };
  }
}

/** recvmsg(2) with MSG_WAITALL on a stream: until all is there, or control messages came along. */
export class RecvMsgAll<Address> implements Operation<ReceivedMessageInto<Address>> {
  readonly syscall = 'recvmsg';
  readonly direction: Direction = READ;
  readonly edge: boolean;
  private readonly size: number;
  private done = 0;
  private last: ReceivedMessageInto<Address> | undefined;

  constructor(
    private readonly socket: Receiver,
    private readonly targets: readonly Uint8Array[],
    private readonly ancillarySize: number,
    private readonly flags: number,
    private readonly waits: boolean,
  ) {
    this.edge = (flags & MSG_PEEK) !== 0;
    this.size = sizeOf(targets);
  }

  private rest(): Uint8Array[] {
    let skip = this.done;
    return this.targets.map((target) => {
      const used = Math.min(skip, target.length);
      skip -= used;
      return target.subarray(used);
    });
  }

  attempt(descriptor: Descriptor): number {
    const { calls, fd } = descriptor;
    const flags = this.flags & ~MSG_WAITALL;
    const { size: total } = this;
    if (this.targets.some(({ buffer }) => calls.isDetached(buffer) === 1)) {
      // what came before went with the buffer
      this.done = 0;
      return BUFFER_GONE;
    }
    // what may not wait must not take a part either, and what only looks cannot take it
    if (this.edge || !this.waits) {
      const count = calls.recvmsg(fd, this.targets, flags | MSG_PEEK, null, 0, total);
      if (count < 0) return count;
      // control messages, for which there is no room here, end a message: no more will come to it
      const ends = count >= total || ((state[MESSAGE_FLAGS] as number) & MSG_CTRUNC) !== 0;
      if (!ends && calls.pollOne(fd, POLLRDHUP, 0) <= 0) return -EAGAIN;
    }
    do {
      const one = new RecvMsgInto<Address>(this.socket, this.rest(), this.ancillarySize, flags);
      const count = one.attempt(descriptor);
      if (count < 0) return count;
      this.done += count;
      this.last = one.result(count);
      if (count === 0 || this.last.ancillary.length > 0 || (this.last.flags & MSG_CTRUNC) !== 0) break;
    } while (this.done < total && !this.edge);
    return this.done;
  }

  result(count: number): ReceivedMessageInto<Address> {
    return { ...(this.last as ReceivedMessageInto<Address>), bytes: count };
  }

  partial(): ReceivedMessageInto<Address> | undefined {
    return this.done > 0 ? this.result(this.done) : undefined;
  }
}

/** recvmsg(2) into memory of the library. */
export class RecvMsg<Address> implements Operation<ReceivedMessage<Address>> {
  readonly syscall = 'recvmsg';
  readonly direction: Direction;
  private readonly into: RecvMsgInto<Address>;
  private readonly memory: Uint8Array[] = [];
  private borrowed: Buffer | undefined;

  constructor(
    socket: Receiver,
    private readonly size: number,
    ancillarySize: number,
    flags: number,
  ) {
    this.into = new RecvMsgInto(socket, this.memory, ancillarySize, flags, size);
    this.direction = this.into.direction;
  }

  get immediate(): boolean {
    return this.into.immediate;
  }

  attempt(descriptor: Descriptor): number {
    const memory = borrow(this.size, this.borrowed);
    const offset = offsetOf(memory);
    this.memory[0] = memory.subarray(offset, offset + this.size);
    const count = this.into.attempt(descriptor);
    this.borrowed = keep(memory, count);
    if (this.borrowed === undefined) this.memory.length = 0;
    return count;
  }

  result(count: number): ReceivedMessage<Address> {
    const { ancillary, flags, address } = this.into.result(count);
    return { data: claim(this.borrowed as Buffer, Math.min(count, this.size)), ancillary, flags, address };
  }
}

/** The same operation with another form of its result. */
function mapped<From, To>(operation: Operation<From>, convert: (result: From) => To): Operation<To> {
  return {
    syscall: operation.syscall,
    direction: operation.direction,
    edge: operation.edge ?? false,
    attempt: (descriptor) => operation.attempt(descriptor),
    result: (count) => convert(operation.result(count)),
    partial() {
      const partial = operation.partial?.();
      return partial === undefined ? undefined : convert(partial);
    },
  };
}

function recvAll(size: number, flags: number, waits: boolean): Operation<Buffer> {
  const memory = Buffer.allocUnsafeSlow(size);
  return mapped(new RecvAll(memory, flags, waits), (count) => memory.subarray(0, count));
}

export function recv(socket: Receiver, size: unknown, flags: unknown, waits: boolean): Operation<Buffer> {
  const bytes = checkSize('size', size);
  const checked = checkFlags(flags);
  return collects(socket, checked) ? recvAll(bytes, checked, waits) : new Recv(socket, bytes, checked);
}

export function recvInto(socket: Receiver, buffer: unknown, flags: unknown, waits: boolean): Operation<number> {
  const target = toTarget('buffer', buffer);
  const checked = checkFlags(flags);
  return collects(socket, checked) ? new RecvAll(target, checked, waits) : new RecvInto(socket, target, checked);
}

export function recvFrom<Address>(
  socket: Receiver,
  size: unknown,
  flags: unknown,
  waits: boolean,
): Operation<Received<Address>> {
  const bytes = checkSize('size', size);
  const checked = checkFlags(flags);
  if (collects(socket, checked)) return mapped(recvAll(bytes, checked, waits), (data) => ({ data, address: null }));
  return new RecvFrom<Address>(socket, bytes, checked);
}

export function recvFromInto<Address>(
  socket: Receiver,
  buffer: unknown,
  flags: unknown,
  waits: boolean,
): Operation<ReceivedInto<Address>> {
  const target = toTarget('buffer', buffer);
  const checked = checkFlags(flags);
  if (!collects(socket, checked)) return new RecvFromInto<Address>(socket, target, checked);
  return mapped(new RecvAll(target, checked, waits), (bytes) => ({ bytes, address: null }));
}

export function recvMsg<Address>(
  socket: Receiver,
  size: unknown,
  ancillarySize: unknown,
  flags: unknown,
  waits: boolean,
): Operation<ReceivedMessage<Address>> {
  const bytes = checkSize('size', size);
  const control = checkInteger('ancillarySize', ancillarySize, 0, CONTROL_MAX);
  const checked = checkFlags(flags);
  if (!collects(socket, checked)) return new RecvMsg<Address>(socket, bytes, control, checked);
  const memory = Buffer.allocUnsafeSlow(bytes);
  const operation = new RecvMsgAll<Address>(socket, [memory], control, checked, waits);
  return mapped(operation, ({ bytes: count, ...rest }) => ({ data: memory.subarray(0, count), ...rest }));
}

export function recvMsgInto<Address>(
  socket: Receiver,
  buffers: unknown,
  ancillarySize: unknown,
  flags: unknown,
  waits: boolean,
): Operation<ReceivedMessageInto<Address>> {
  if (!Array.isArray(buffers)) throw invalidArgumentType('buffers', 'an array of buffers', buffers);
  const targets = buffers.map((buffer: unknown, i) => toTarget(`buffers[${i}]`, buffer));
  const control = checkInteger('ancillarySize', ancillarySize, 0, CONTROL_MAX);
  const checked = checkFlags(flags);
  if (!collects(socket, checked)) return new RecvMsgInto<Address>(socket, targets, control, checked);
  return new RecvMsgAll<Address>(socket, targets, control, checked, waits);
}
