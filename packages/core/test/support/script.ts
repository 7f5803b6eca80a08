import type { Socket } from '@sock/core';
import type { Descriptor } from '#core/descriptor.js';
import { type Native, native } from '#core/native.js';

/** What a scripted call does: gives a number, or runs instead of the call. */
export type Step = number | ((...args: never[]) => number);

export type Call = {
  [K in keyof Native]: Native[K] extends (...args: never[]) => number ? K : never;
}[keyof Native];

/** The descriptor beneath a socket, where its system calls can be exchanged. */
export function descriptorOf(socket: Socket<never> | Socket<unknown>): Descriptor {
  return (socket as unknown as { descriptor: Descriptor }).descriptor;
}

/**
 * Exchanges system calls of a socket. Each call takes the next step of its script; when that is used
 * up, the real call is made. The log tells which calls were made, and with what.
 */
export class Script {
  readonly log: { call: Call; args: unknown[]; result: number }[] = [];

  constructor(socket: Socket<never> | Socket<unknown>, steps: Partial<Record<Call, readonly Step[]>>) {
    const calls = { ...native };
    for (const call of Object.keys(native) as Call[]) {
      const real = native[call];
      if (typeof real !== 'function') continue;
      const left = [...(steps[call] ?? [])];
      const scripted = (...args: never[]): number => {
        const step = left.shift();
        const run = typeof step === 'function' ? step : (real as (...all: never[]) => number);
        const result = typeof step === 'number' ? step : run.apply(native, args);
        this.log.push({ call, args, result });
        return result;
      };
      Object.assign(calls, { [call]: scripted });
    }
    descriptorOf(socket).calls = calls;
  }

  /** How often a call was made. */
  count(call: Call): number {
    return this.log.filter((entry) => entry.call === call).length;
  }

  /** The arguments of each time that a call was made. */
  args(call: Call): unknown[][] {
    return this.log.filter((entry) => entry.call === call).map((entry) => entry.args);
  }

  /** What each call gave. */
  results(call: Call): number[] {
    return this.log.filter((entry) => entry.call === call).map((entry) => entry.result);
  }
}

export { native };
