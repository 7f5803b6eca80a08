import { type Addressed, Addressing, encodeAddress } from './address.js';
import { type AncillaryItem, encodeAncillary } from './ancillary.js';
import { checkInteger, type Data, invalidArgumentType, toBytes } from './arguments.js';
import { MSG_DONTWAIT } from './constants.gen.js';
import type { Descriptor } from './descriptor.js';
import { EAGAIN, EINTR } from './errno.js';
import { lengthOf, sizeOf } from './memory.js';
import { type Operation, WRITE } from './operation.js';
import { checkFlags } from './receive.js';

// one turn of the loop sends no more than this of a file, which may have no end
const FILE_TURN = 16 * 1024 * 1024;
const FILE_STEP = 1024 * 1024;

/** send(2). */
export class Send implements Operation<number> {
  readonly syscall = 'send';
  readonly direction = WRITE;
  private readonly length: number;

  constructor(
    private readonly data: Uint8Array,
    private readonly flags: number,
  ) {
    this.length = lengthOf('data', data);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    return calls.send(fd, this.data, 0, this.length, this.flags);
  }

  result(count: number): number {
    return count;
  }
}

/** send(2) until all is sent. */
export class SendAll implements Operation<void> {
  readonly syscall = 'send';
  readonly direction = WRITE;
  transferred = 0;
  private readonly length: number;

  constructor(
    private readonly data: Uint8Array,
    private readonly flags: number,
  ) {
    this.length = lengthOf('data', data);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    const { data, length, flags } = this;
    // at least once: an empty datagram is a datagram
    do {
      const count = calls.send(fd, data, this.transferred, length - this.transferred, flags);
      if (count === -EINTR) continue;
      if (count < 0) return count;
      this.transferred += count;
    } while (this.transferred < length);
    return this.transferred;
  }

  result(): void {}
}

/** sendto(2). */
export class SendTo extends Addressing implements Operation<number> {
  readonly syscall = 'sendto';
  readonly direction = WRITE;
  private readonly size: number;

  constructor(
    socket: Addressed,
    length: number,
    private readonly data: Uint8Array,
    private readonly flags: number,
  ) {
    super(socket, length);
    this.size = lengthOf('data', data);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    this.restore();
    return calls.sendto(fd, this.data, 0, this.size, this.flags, this.length);
  }

  result(count: number): number {
    return count;
  }
}

/** sendmsg(2). */
export class SendMsg extends Addressing implements Operation<number> {
  readonly syscall = 'sendmsg';
  readonly direction = WRITE;
  private readonly size: number;

  constructor(
    socket: Addressed,
    length: number,
    private readonly buffers: readonly Uint8Array[],
    private readonly control: Uint8Array | null,
    private readonly flags: number,
  ) {
    super(socket, length);
    this.size = sizeOf(buffers);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt({ calls, fd }: Descriptor): number {
    const { buffers, flags, length, control, size } = this;
    this.restore();
    return calls.sendmsg(fd, buffers, flags, length, control, control === null ? 0 : control.length, size);
  }

  result(count: number): number {
    return count;
  }
}

/** sendfile(2) until `count` bytes, or the file's end. */
export class SendFile implements Operation<number> {
  readonly syscall = 'sendfile';
  readonly direction = WRITE;
  transferred = 0;

  constructor(
    private readonly file: number,
    private readonly offset: number,
    private readonly count: number,
  ) {}

  attempt({ calls, fd }: Descriptor): number {
    const stop = this.transferred + FILE_TURN;
    while (this.transferred < this.count) {
      if (this.transferred >= stop) return -EAGAIN;
      const offset = this.offset < 0 ? -1 : this.offset + this.transferred;
      const step = Math.min(this.count - this.transferred, FILE_STEP);
      const count = calls.sendfile(fd, this.file, offset, step);
      if (count === -EINTR) continue;
      if (count < 0) return count;
      if (count === 0) break;
      this.transferred += count;
    }
    return this.transferred;
  }

  result(count: number): number {
    return count;
  }
}

export function send(data: unknown, flags: unknown): Operation<number> {
  return new Send(toBytes('data', data), checkFlags(flags));
}

export function sendAll(data: unknown, flags: unknown): Operation<void> {
  return new SendAll(toBytes('data', data), checkFlags(flags));
}

export function sendTo(socket: Addressed, data: unknown, address: unknown, flags: unknown): Operation<number> {
  const bytes = toBytes('data', data);
  const checked = checkFlags(flags);
  return new SendTo(socket, encodeAddress(socket, address), bytes, checked);
}

export interface SendMsgArguments {
  address?: unknown;
  ancillary?: Iterable<AncillaryItem> | undefined;
  flags?: number | undefined;
}

export function sendMsg(socket: Addressed, buffers: unknown, options: SendMsgArguments): Operation<number> {
  if (!Array.isArray(buffers)) throw invalidArgumentType('buffers', 'an array of buffers', buffers);
  const sources = buffers.map((buffer: Data, i) => toBytes(`buffers[${i}]`, buffer));
  const flags = checkFlags(options.flags);
  let control: Uint8Array | null = null;
  if (options.ancillary !== undefined) {
    const { ancillary } = options;
    if (typeof ancillary !== 'object' || ancillary === null || !(Symbol.iterator in ancillary)) {
      throw invalidArgumentType('ancillary', 'an iterable of control messages', ancillary);
    }
    control = encodeAncillary(ancillary);
    if (control.length === 0) control = null;
  }
  const length = options.address === undefined || options.address === null ? 0 : encodeAddress(socket, options.address);
  return new SendMsg(socket, length, sources, control, flags);
}

/** Where in a file, and how much of it. */
export interface SendFileRange {
  /** Bytes from the start of the file; its own position, which then advances, unless told. */
  offset?: number | undefined;
  /** Bytes; to the end of the file unless told. */
  count?: number | undefined;
}

export function sendFile(file: unknown, range: SendFileRange): SendFile {
  const fd = typeof file === 'object' && file !== null && 'fd' in file ? file.fd : file;
  if (typeof fd !== 'number') throw invalidArgumentType('file', 'a FileHandle or a descriptor', file);
  const { offset, count } = range;
  return new SendFile(
    checkInteger('file', fd, 0, 0x7fffffff),
    offset === undefined ? -1 : checkInteger('offset', offset, 0, Number.MAX_SAFE_INTEGER),
    count === undefined ? Number.MAX_SAFE_INTEGER : checkInteger('count', count, 0, Number.MAX_SAFE_INTEGER),
  );
}
