import { expect } from 'chai';
import { type Form, invoke } from './forms.js';

/** An error of the library: a SocketError, or a TypeError or RangeError about an argument. */
export interface LibraryError extends Error {
  code?: string;
  errno?: number;
  syscall?: string;
  address?: unknown;
  argument?: string;
  transferred?: number;
}

/** The error that a promise rejects with. */
export async function rejection(promise: unknown): Promise<LibraryError> {
  expect(promise, 'a promise').to.be.instanceOf(Promise);
  let value: unknown;
  try {
    value = await (promise as Promise<unknown>);
  } catch (error) {
    expect(error).to.be.instanceOf(Error);
    return error as LibraryError;
  }
  throw new Error(`resolved to ${String(value)} instead of rejecting`);
}

/** The error that a call throws. */
export function thrown(call: () => unknown): LibraryError {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    expect(error).to.be.instanceOf(Error);
    return error as LibraryError;
  }
  throw new Error(`gave ${String(value)} instead of throwing`);
}

/** The error of one form of an operation: the promise form must reject, the others must throw. */
export async function failure(
  form: Form,
  target: object,
  operation: string,
  ...args: unknown[]
): Promise<LibraryError> {
  if (form === 'promise') return rejection(invoke(form, target, operation, ...args));
  return thrown(() => invoke(form, target, operation, ...args));
}
