import type { Socket } from '@sock/core';
import { scaled, turns } from '../time.js';

/** The three forms of an operation: `recv`, `recvSync`, `tryRecv`. */
export const FORMS = ['promise', 'sync', 'try'] as const;
export type Form = (typeof FORMS)[number];

/** Name of the method for one form of an operation. */
export function methodName(form: Form, operation: string): string {
  if (form === 'promise') return operation;
  if (form === 'sync') return `${operation}Sync`;
  return `try${operation[0]?.toUpperCase()}${operation.slice(1)}`;
}

/** The operations that have a promise form. */
export type Operation = {
  [K in keyof Socket]: Socket[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof Socket] &
  string;

type Method = (...args: unknown[]) => unknown;

/** Calls one form of an operation, whatever comes of it. */
export function invoke(form: Form, target: object, operation: string, ...args: unknown[]): unknown {
  const name = methodName(form, operation);
  const method = (target as Record<string, Method | undefined>)[name];
  if (method === undefined) throw new Error(`there is no ${name}`);
  return method.apply(target, args);
}

/**
 * Runs one form of an operation to its end: the blocking form within a limit, the try form again and
 * again until it no longer gives `null`.
 */
export async function perform<A, I, K extends Operation>(
  form: Form,
  socket: Socket<A, I>,
  operation: K,
  ...args: Parameters<Socket<A, I>[K]>
): Promise<Awaited<ReturnType<Socket<A, I>[K]>>> {
  type Result = Awaited<ReturnType<Socket<A, I>[K]>>;
  if (form === 'promise') return (await invoke(form, socket, operation, ...args)) as Result;
  if (form === 'sync') {
    const { timeout } = socket;
    if (timeout === null) socket.timeout = scaled(5000);
    try {
      return invoke(form, socket, operation, ...args) as Result;
    } finally {
      if (timeout === null && !socket.closed) socket.timeout = null;
    }
  }
  const limit = performance.now() + scaled(5000);
  for (;;) {
    const result = invoke(form, socket, operation, ...args);
    if (result !== null) return result as Result;
    if (performance.now() > limit) throw new Error(`${methodName(form, operation)} gave null for ${scaled(5000)} ms`);
    await turns(1);
  }
}
