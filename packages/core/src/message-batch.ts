import { AddressCache, type Addressed, type AnyAddress, decodeAddress, encodeAddress } from './address.js';
import { Ancillary, type AncillaryItem, encodeAncillary } from './ancillary.js';
import { checkInteger, checkObject, type Data, outOfRange, toBytes } from './arguments.js';
import { MSG_DONTWAIT, MSG_TRUNC } from './constants.gen.js';
import type { Descriptor } from './descriptor.js';
import { EAGAIN, EINTR } from './errno.js';
import { DESCRIPTORS, given, SOCKADDR_SIZE, state } from './native.js';
import { type Direction, type Operation, WRITE } from './operation.js';
import { directionOf } from './receive.js';

/** Most messages that one call takes. Source: UIO_MAXIOV, recvmmsg(2). */
const COUNT_MAX = 1024;
const MEMORY_MAX = 0x7fffffff;

// the numbers of each message, as native/batches.cc has them
const BYTES = 0;
const ADDRESS_BYTES = 1;
const FLAGS = 2;
const CONTROL_BYTES = 3;
const SENDER = 4;
const NUMBERS = 5;

const NO_BYTES = new Uint8Array(0);

/** Size of a `MessageBatch`. */
export interface MessageBatchOptions {
  /** Messages that it has room for, 1 to 1,024. */
  count: number;
  /** Bytes of data for each message; what is longer is cut off, and says so in its flags. */
  size: number;
  /** Bytes of control messages for each message; none unless told. */
  ancillarySize?: number;
}

/**
 * Room for many datagrams, received or sent in one system call and used again for the next: no
 * allocation for each message. `Socket.recvBatch` fills it; `push` collects what `Socket.sendBatch`
 * sends. What `data` gives lies in the batch's own memory: it is valid until the batch is next used.
 * Source: recvmmsg(2), sendmmsg(2).
 */
export class MessageBatch<Address = unknown, Input = Address> {
  /** Messages that it has room for. */
  readonly count: number;
  /** Bytes of data that each message has room for. */
  readonly size: number;
  /** Bytes of control messages that each message has room for. */
  readonly ancillarySize: number;

  private used = 0;
  private readonly memory: Buffer;
  private readonly sockaddrs: Uint8Array;
  private readonly control: Uint8Array;
  private readonly numbers: Int32Array;
  private readonly views: (Buffer | undefined)[];
  private readonly parsed: (Ancillary | undefined)[] = [];
  private readonly cache = new AddressCache();
  // the socket that filled the batch, whose family decodes its addresses
  private socket: Addressed | undefined;
  // the sender that was looked at last, by the first message of those that it sent in a row
  private sender = -1;
  private decoded: Address | null = null;
  // addresses to send to, encoded by the socket that sends
  private readonly inputs: (AnyAddress<Input> | undefined)[] = [];

  constructor(options: MessageBatchOptions) {
    const { count, size, ancillarySize = 0 } = checkObject('options', options);
    this.count = checkInteger('options.count', count, 1, COUNT_MAX);
    this.size = checkInteger('options.size', size, 0, Math.floor(MEMORY_MAX / this.count));
    this.ancillarySize = checkInteger('options.ancillarySize', ancillarySize, 0, Math.floor(MEMORY_MAX / this.count));
    this.memory = Buffer.alloc(this.count * this.size);
    this.sockaddrs = new Uint8Array(this.count * SOCKADDR_SIZE);
    this.control = new Uint8Array(this.count * this.ancillarySize);
    this.numbers = new Int32Array(this.count * NUMBERS);
    this.views = new Array<Buffer | undefined>(this.count).fill(undefined);
  }

  /** Messages in the batch. */
  get length(): number {
    return this.used;
  }

  private slot(index: number): number {
    // of an integer in range nothing is to be told
    if (index >= 0 && index < this.used && (index | 0) === index) return index * NUMBERS;
    return checkInteger('index', index, 0, this.used - 1) * NUMBERS;
  }

  /** Data of a message: a view of the batch's memory, valid until the batch is next used. */
  data(index: number): Buffer {
    let length = this.numbers[this.slot(index) + BYTES] as number;
    // with MSG_TRUNC the kernel tells what the message had, not what there was room for
    if (length > this.size) length = this.size;
    const last = this.views[index];
    if (last !== undefined && last.length === length) return last;
    const offset = index * this.size;
    const view = this.memory.subarray(offset, offset + length);
    this.views[index] = view;
    return view;
  }

  /** Who sent a message; `null` where the kernel gave no address. */
  address(index: number): Address | null {
    const slot = this.slot(index);
    if (this.socket === undefined) return null;
    const sender = this.numbers[slot + SENDER] as number;
    if (sender !== this.sender) {
      const length = this.numbers[slot + ADDRESS_BYTES] as number;
      this.decoded = this.cache.decode(this.socket, this.sockaddrs, index * SOCKADDR_SIZE, length) as Address | null;
      this.sender = sender;
    }
    return this.decoded;
  }

  /** Flags of a received message: MSG_TRUNC, MSG_CTRUNC and so on. */
  flags(index: number): number {
    return this.numbers[this.slot(index) + FLAGS] as number;
  }

  /** Whether a received message was longer than `size`, and its end is lost. */
  truncated(index: number): boolean {
    return (this.flags(index) & MSG_TRUNC) !== 0;
  }

  /** Control messages of a message. They own the descriptors that came with it. */
  ancillary(index: number): Ancillary {
    const length = this.numbers[this.slot(index) + CONTROL_BYTES] as number;
    if (length === 0) return Ancillary.none();
    this.parsed[index] ??= Ancillary.parse(
      this.control.subarray(index * this.ancillarySize, index * this.ancillarySize + length),
    );
    return this.parsed[index];
  }

  /**
   * Adds a message to send; its bytes are copied.
   * @param address where to; may be left out on a connected socket
   * @returns its index
   * @throws RangeError where the batch is full, or the data is longer than `size`
   */
  push(data: Data, address?: AnyAddress<Input> | null, ancillary?: Iterable<AncillaryItem>): number {
    const bytes = toBytes('data', data);
    const index = this.used;
    if (index === this.count)
      throw outOfRange('data', `one of at most ${this.count} messages (the batch is full)`, index);
    if (bytes.length > this.size)
      throw outOfRange('data', `at most ${this.size} bytes (the batch's size)`, bytes.length);
    const control = ancillary === undefined ? NO_BYTES : encodeAncillary(ancillary);
    if (control.length > this.ancillarySize) {
      const expected = `at most ${this.ancillarySize} bytes of control messages (the batch's ancillarySize)`;
      throw outOfRange('ancillary', expected, control.length);
    }
    this.memory.set(bytes, index * this.size);
    this.control.set(control, index * this.ancillarySize);
    const slot = index * NUMBERS;
    this.numbers[slot + BYTES] = bytes.length;
    this.numbers[slot + ADDRESS_BYTES] = 0;
    this.numbers[slot + FLAGS] = 0;
    this.numbers[slot + CONTROL_BYTES] = control.length;
    this.inputs[index] = address ?? undefined;
    this.used = index + 1;
    return index;
  }

  /** Empties the batch. Descriptors that came with received messages and were not taken are closed. */
  clear(): void {
    this.disposeAncillary();
    this.inputs.length = 0;
    this.used = 0;
  }

  private disposeAncillary(): void {
    if (this.ancillarySize === 0) return;
    for (const ancillary of this.parsed) ancillary?.[Symbol.dispose]();
    this.parsed.length = 0;
  }

  /** @internal Receives into the batch: the number of messages, or a negative errno. */
  receive(socket: Addressed, { calls, fd }: Descriptor, flags: number): number {
    this.clear();
    const { memory, size, sockaddrs, control, ancillarySize, numbers, count } = this;
    const got = calls.recvmmsg(fd, memory, size, sockaddrs, control, ancillarySize, numbers, 0, count, flags);
    this.socket = socket;
    this.sender = -1;
    this.used = Math.max(got, 0);
    this.cache.expire();
    // descriptors that came along have an owner at once, which closes them where nobody looks at them
    if (got > 0 && (state[DESCRIPTORS] as number) > 0) for (let i = 0; i < got; i++) this.ancillary(i);
    return got;
  }

  /** @internal Encodes the addresses of all messages: before any is sent. */
  encode(socket: Addressed, first: number): void {
    if (this.socket !== undefined) this.disposeAncillary();
    this.socket = undefined;
    let last: unknown;
    let length = 0;
    for (let i = first; i < this.used; i++) {
      const input = this.inputs[i];
      if (input === undefined) continue;
      // many messages to one peer, given as the same object each time: encoded once
      if (input !== last) length = encodeAddress(socket, input);
      last = input;
      this.sockaddrs.set(length === SOCKADDR_SIZE ? given : given.subarray(0, length), i * SOCKADDR_SIZE);
      this.numbers[i * NUMBERS + ADDRESS_BYTES] = length;
    }
  }

  /** @internal Sends messages from `first`: their number, or a negative errno. */
  transmit({ calls, fd }: Descriptor, first: number, flags: number): number {
    const { memory, size, sockaddrs, control, ancillarySize, numbers, used } = this;
    return calls.sendmmsg(fd, memory, size, sockaddrs, control, ancillarySize, numbers, first, used - first, flags);
  }

  /** @internal The address of a message to send, for errors. */
  destination(socket: Addressed, index: number): unknown {
    const length = index < this.used ? (this.numbers[index * NUMBERS + ADDRESS_BYTES] as number) : 0;
    const offset = index * SOCKADDR_SIZE;
    return length === 0 ? undefined : decodeAddress(socket, this.sockaddrs.subarray(offset, offset + length));
  }
}

/** recvmmsg(2). */
export class RecvBatch implements Operation<number> {
  readonly syscall = 'recvmmsg';
  readonly direction: Direction;

  constructor(
    private readonly socket: Addressed,
    private readonly batch: MessageBatch<unknown, unknown>,
    private readonly flags: number,
  ) {
    this.direction = directionOf(flags);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  // fewer messages than there was room for: there were no more
  get capacity(): number {
    return this.batch.count;
  }

  attempt(descriptor: Descriptor): number {
    return this.batch.receive(this.socket, descriptor, this.flags);
  }

  result(count: number): number {
    return count;
  }
}

/** sendmmsg(2) until all messages are sent. */
export class SendBatch implements Operation<number> {
  readonly syscall = 'sendmmsg';
  readonly direction = WRITE;
  transferred = 0;

  constructor(
    private readonly socket: Addressed,
    private readonly batch: MessageBatch<unknown, unknown>,
    private readonly first: number,
    private readonly flags: number,
    private readonly all: boolean,
  ) {
    batch.encode(socket, first);
  }

  get immediate(): boolean {
    return (this.flags & MSG_DONTWAIT) !== 0;
  }

  attempt(descriptor: Descriptor): number {
    const { batch, first, flags } = this;
    while (first + this.transferred < batch.length) {
      const count = batch.transmit(descriptor, first + this.transferred, flags);
      if (count === -EINTR) continue;
      if (count < 0) return count === -EAGAIN && !this.all && this.transferred > 0 ? this.transferred : count;
      this.transferred += count;
    }
    return this.transferred;
  }

  result(count: number): number {
    return count;
  }

  address(): unknown {
    return this.batch.destination(this.socket, this.first + this.transferred);
  }
}
