/**
 * Memory to receive into. A buffer of its own for each message costs more than the message: data is
 * received into slabs that all sockets of the thread share.
 *
 * Where little is asked for, messages lie side by side in a slab, each handed out where it was
 * received. Where more is asked for, what is small is copied out and the slab used again; what is
 * large takes the slab with it.
 */
const ROW_SIZE = 32_768;
const ROW_LIMIT = 4096;
const SLAB_SIZE = 65_536;
const COPY_LIMIT = 16_384;

let row = Buffer.allocUnsafeSlow(0);
let used = 0;
let slab: Buffer | undefined;

/** Memory for an attempt to receive up to `size` bytes, at `offsetOf` it. `kept` is what `keep` gave. */
export function borrow(size: number, kept: Buffer | undefined): Buffer {
  if (size <= ROW_LIMIT) {
    if (row.length - used < size) {
      row = Buffer.allocUnsafeSlow(ROW_SIZE);
      used = 0;
      // many messages lie in it: transferring one to another thread would take the others along
      process.getBuiltinModule('node:worker_threads').markAsUntransferable(row.buffer);
    }
    return row;
  }
  if (size > SLAB_SIZE) return kept ?? Buffer.allocUnsafeSlow(size);
  slab ??= Buffer.allocUnsafeSlow(SLAB_SIZE);
  return slab;
}

/** Where in what `borrow` lent the data goes. */
export function offsetOf(memory: Buffer): number {
  return memory === row ? used : 0;
}

/** What an operation remembers after an attempt: a wait must not hold on to a slab. */
export function keep(memory: Buffer, count: number): Buffer | undefined {
  return count >= 0 || (memory !== slab && memory !== row) ? memory : undefined;
}

/** The `count` bytes that were received into what `borrow` lent, as a buffer that is the caller's alone. */
export function claim(memory: Buffer, count: number): Buffer {
  if (memory === row) {
    const start = used;
    // aligned, as Node's own pool is
    used = (used + count + 7) & ~7;
    return row.subarray(start, start + count);
  }
  if (count <= COPY_LIMIT || count < memory.length / 4) {
    const copy = Buffer.allocUnsafe(count);
    memory.copy(copy, 0, 0, count);
    return copy;
  }
  if (memory === slab) slab = undefined;
  return memory.subarray(0, count);
}
