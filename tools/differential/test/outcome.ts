import { AddressInfoError, HostError, SocketError, SocketTimeoutError } from '@sock/core';

/** What became of a call: its value, or the kind of its error. */
export type Outcome = { value: unknown } | { error: string; errno?: number };

/** A value in the form that outcomes.py gives, so that both can be compared. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (ArrayBuffer.isView(value)) {
    return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') {
    return value <= 2n ** 53n && value >= -(2n ** 53n) ? Number(value) : { int: value.toString() };
  }
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

function failure(error: unknown): Outcome {
  if (error instanceof AddressInfoError) return { error: 'gaierror', errno: error.errno };
  if (error instanceof HostError) return { error: 'herror', errno: error.errno };
  if (error instanceof SocketTimeoutError) return { error: 'timeout' };
  if (error instanceof SocketError) return { error: 'OSError', errno: -error.errno };
  const { code } = error as { code?: string };
  if (error instanceof TypeError && code === 'ERR_INVALID_ARG_TYPE') return { error: 'TypeError' };
  if (error instanceof RangeError && code === 'ERR_OUT_OF_RANGE') return { error: 'RangeError' };
  // nothing else may reach a user: that is a defect, and no outcome to compare
  throw error;
}

/** What became of our form of a call. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { value: plain(await call()) };
  } catch (error) {
    return failure(error);
  }
}
