import { checkInteger, checkObject, invalidArgumentType, outOfRange } from './arguments.js';
import { EBADF, EOPNOTSUPP } from './errno.js';
import { CLOSED, failure } from './failure.js';
import { SocketHandle } from './handle.js';
import { BUFFER_GONE, type MappingHandle, native } from './native.js';

/** Options of `mapDescriptor`. */
export interface MappingOptions {
  /** Where in the descriptor's memory the mapping begins, in bytes: a multiple of the page size; 0 unless told. */
  offset?: number | undefined;
}

// words are named by an unsigned 32-bit offset
const LENGTH_MAX = 0xffff_ffff;

// what an unsigned 32-bit argument cannot express would arrive as another offset
const isWordOffset = (offset: unknown): boolean => typeof offset === 'number' && offset >>> 0 === offset;

/** The memory of an open mapping, and the handle that the addon knows it by. */
type Lent = [memory: ArrayBuffer, handle: MappingHandle];

/**
 * Memory that a descriptor and this process share: mmap(2) with MAP_SHARED, to read and to write.
 *
 * `bytes` is the memory itself. Plain reads and writes of it are ordered among each other only as
 * JavaScript is; what the other side watches or changes goes through `loadAcquire32` and
 * `storeRelease32`. After `close`, `bytes` and every other view of the memory are empty. It closes
 * itself when it is collected. The mapping outlives the descriptor: closing the socket does not
 * close it.
 */
export class Mapping implements Disposable {
  /** The memory: of length 0 after `close`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly handle: MappingHandle;

  /** @internal */
  constructor([memory, handle]: Lent) {
    this.bytes = new Uint8Array(memory);
    this.handle = handle;
  }

  /** Bytes of the memory; 0 after `close`. */
  get length(): number {
    return this.bytes.length;
  }

  /** Whether the memory is gone. */
  get closed(): boolean {
    return this.bytes.length === 0;
  }

  /**
   * Reads an unsigned 32-bit word in this machine's byte order. What the other side wrote before it
   * stored the word is seen by all reads that follow.
   * @param offset in bytes, a multiple of 4
   * @throws RangeError where there is no such word, which is so after `close` too
   */
  loadAcquire32(offset: number): number {
    const word = isWordOffset(offset) ? native.loadAcquire32(this.handle, offset) : BUFFER_GONE;
    if (word === BUFFER_GONE) this.refuse(offset);
    return word;
  }

  /**
   * Writes an unsigned 32-bit word in this machine's byte order. The other side sees all writes that
   * came before once it sees the word.
   * @param offset in bytes, a multiple of 4
   * @throws RangeError where there is no such word, which is so after `close` too
   */
  storeRelease32(offset: number, value: number): void {
    checkInteger('value', value, 0, 0xffff_ffff);
    const status = isWordOffset(offset) ? native.storeRelease32(this.handle, offset, value) : BUFFER_GONE;
    if (status === BUFFER_GONE) this.refuse(offset);
  }

  /** Unmaps the memory. Closing again does nothing. */
  close(): void {
    native.unmapMemory(this.bytes.buffer, this.handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private refuse(offset: unknown): never {
    if (this.closed) throw outOfRange('offset', 'within the memory (the mapping is closed)', offset);
    checkInteger('offset', offset, 0, this.length - 4);
    throw outOfRange('offset', 'a multiple of 4', offset);
  }
}

/**
 * Maps memory that belongs to a socket's descriptor, such as a ring that an option has set up.
 * @param length in bytes, 1 to 4,294,967,295
 * @throws SocketError as mmap(2) gives: `EBADF`, `EINVAL` where the descriptor has no such memory,
 * `ENODEV` where it has none at all, `ENOMEM`; `EOPNOTSUPP` where the JavaScript runtime forbids
 * memory that it did not allocate
 */
export function mapDescriptor(
  socket: SocketHandle<unknown, unknown>,
  length: number,
  options: MappingOptions = {},
): Mapping {
  if (!(socket instanceof SocketHandle)) throw invalidArgumentType('socket', 'a Socket', socket);
  checkInteger('length', length, 1, LENGTH_MAX);
  const { offset = 0 } = checkObject('options', options);
  checkInteger('options.offset', offset, 0, Number.MAX_SAFE_INTEGER);
  const lent = native.mapMemory(socket.fileno(), length, offset);
  if (typeof lent !== 'number') return new Mapping(lent);
  const hints: Readonly<Record<number, string>> = {
    [-EBADF]: CLOSED,
    [-EOPNOTSUPP]: 'this JavaScript runtime does not allow memory from outside',
  };
  throw failure(socket.target, 'mmap', lent, { hint: hints[lent] });
}
