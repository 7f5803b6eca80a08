import { Buffer } from 'node:buffer';

/** A value as a Python literal. */
export function py(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return "float('nan')";
    return Number.isFinite(value) ? String(value) : `float('${value < 0 ? '-' : ''}inf')`;
  }
  if (typeof value === 'bigint') return String(value);
  // JSON's strings are Python's, but for surrogates that come in pairs
  if (typeof value === 'string') return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) {
    return `bytes.fromhex('${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}')`;
  }
  if (Array.isArray(value)) return `(${value.map((item) => `${py(item)},`).join(' ')})`;
  throw new TypeError(`${typeof value} has no Python literal here`);
}
