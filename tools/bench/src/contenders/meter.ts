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

/** What a process says now and then of its memory while it does many operations. */
export interface Sample {
  operations: number;
  /** Bytes of resident memory. */
  resident: number;
  /** Bytes of the JavaScript heap that are used, and of memory that belongs to its objects. */
  used: number;
}

export function report(result: Report | { sample: Sample }): void {
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

/** Operations to do in a soak, where memory is looked at rather than time. */
const soak = Number(process.env.BENCH_SOAK ?? 0);
const SAMPLES = 40;

function sample(operations: number): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  report({ sample: { operations, resident: rss, used: heapUsed + external } });
}

/** Counts operations for the warm-up and then for the measured time, or as many as a soak asks for. */
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
    this.#every = soak === 0 ? every : soak / SAMPLES;
    this.#next = this.#every;
  }

  /** @returns true once the measured time is over and the result is printed */
  add(operations: number): boolean {
    this.#operations += operations;
    return this.#operations >= this.#next && this.#look();
  }

  #look(): boolean {
    if (soak !== 0) {
      sample(this.#operations);
      this.#next += this.#every;
      return this.#operations >= soak;
    }
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
