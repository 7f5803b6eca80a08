/**
 * Memory to receive into. A buffer of its own for each message costs more than the message: data is
 * received into a slab that all sockets of the thread share. What is small is copied out, and the
 * slab used again; what is large takes the slab with it.
 */
const SLAB_SIZE = 65_536;
const COPY_LIMIT = 16_384;

let slab: Buffer | undefined;

/** Memory of at least `size` bytes, used by nothing until `claim`; `kept` is what `keep` gave. */
export function borrow(size: number, kept: Buffer | undefined): Buffer {
  if (size > SLAB_SIZE) return kept ?? Buffer.allocUnsafeSlow(size);
  slab ??= Buffer.allocUnsafeSlow(SLAB_SIZE);
  return slab;
}

/** What an operation remembers after an attempt: a wait must not hold on to the slab. */
export function keep(memory: Buffer, count: number): Buffer | undefined {
  return count >= 0 || memory !== slab ? memory : undefined;
}

/** The first `count` bytes of what `borrow` lent, as a buffer that is the caller's alone. */
export function claim(memory: Buffer, count: number): Buffer {
  if (count <= COPY_LIMIT || count < memory.length / 4) {
    const copy = Buffer.allocUnsafe(count);
    memory.copy(copy, 0, 0, count);
    return copy;
  }
  if (memory === slab) slab = undefined;
  return memory.subarray(0, count);
}
