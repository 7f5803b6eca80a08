import { writeSync } from 'node:fs';

/** What a measured process reports: nanoseconds, bytes, and how many operations they were for. */
export interface Report {
  operations: number;
  /** Nanoseconds that passed. */
  wall?: number;
  /** Nanoseconds of processor time, user and system, of all threads. */
  cpu?: number;
  /** Bytes of resident memory. */
  memory?: number;
  /** Bytes of the JavaScript heap, a part of `memory`. */
  heap?: number;
  /** Operations that there was no room for. */
  dropped?: number;
}

export function report(result: Report): void {
  writeSync(1, `${JSON.stringify(result)}\n`);
}

/** Tells the harness what to start the other process with. */
export function ready(...arguments_: (string | number)[]): void {
  writeSync(1, `${JSON.stringify({ arguments: arguments_.map(String) })}\n`);
}

export function argument(index: number): string {
  const value = process.argv[2 + index];
  if (value === undefined) throw new Error(`argument ${index + 1} is missing`);
  return value;
}

function milliseconds(variable: string, otherwise: number): bigint {
  return BigInt(process.env[variable] ?? otherwise) * 1_000_000n;
}

/** Counts operations for the warm-up and then for the measured time. */
export class Meter {
  readonly #warmUp = milliseconds('BENCH_WARM_UP', 400);
  readonly #duration = milliseconds('BENCH_DURATION', 300);
  readonly #begun = process.hrtime.bigint();
  readonly #every: number;
  #next: number;
  #operations = 0;
  #first = 0;
  #wall: bigint | null = null;
  #cpu: NodeJS.CpuUsage | undefined;

  /** @param every how many operations pass between two looks at the clock */
  constructor(every = 64) {
    this.#every = every;
    this.#next = every;
  }

  /** @returns true once the measured time is over and the result is printed */
  add(operations: number): boolean {
    this.#operations += operations;
    return this.#operations >= this.#next && this.#look();
  }

  #look(): boolean {
    const now = process.hrtime.bigint();
    this.#next = this.#operations + this.#every;
    if (this.#wall === null) {
      if (now - this.#begun < this.#warmUp) return false;
      this.#first = this.#operations;
      this.#cpu = process.cpuUsage();
      this.#wall = process.hrtime.bigint();
      return false;
    }
    if (now - this.#wall < this.#duration) return false;
    const cpu = process.cpuUsage(this.#cpu);
    report({
      operations: this.#operations - this.#first,
      wall: Number(now - this.#wall),
      cpu: (cpu.user + cpu.system) * 1000,
    });
    return true;
  }
}
