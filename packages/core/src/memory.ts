import { outOfRange } from './arguments.js';
import { native } from './native.js';

/**
 * Bytes that memory has, asked for once and kept: optimized code of V8 11 may give the former length
 * of memory that was transferred since, and then the true one. The native check of each attempt finds
 * the former, this one the latter.
 */
export function lengthOf(argument: string, memory: Uint8Array): number {
  const { length } = memory;
  if (length === 0 && native.isDetached(memory.buffer) === 1) {
    throw outOfRange(argument, 'memory that was not transferred elsewhere', memory);
  }
  return length;
}

/** Bytes that several buffers have together, as `lengthOf` gives them. */
export function sizeOf(buffers: readonly Uint8Array[]): number {
  let size = 0;
  buffers.forEach((buffer, i) => {
    size += lengthOf(`buffers[${i}]`, buffer);
  });
  return size;
}
