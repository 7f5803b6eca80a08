import type { Report } from '../contenders/meter.js';

export type { Report };

/** What a figure says of one operation: nanoseconds of time, nanoseconds of processor time, bytes of memory. */
export type Measure = 'wall' | 'cpu' | 'memory' | 'heap';

/** ours: @sock. peer: what a user would pick instead. c: the same system calls without anything around them. */
export type Party = 'ours' | 'peer' | 'c';

export interface Program {
  /** The compiled file in contenders/, the file in python/, the program in c/. */
  readonly kind: 'node' | 'python' | 'c';
  readonly name: string;
  readonly arguments: readonly string[];
  /** Arguments for node itself. */
  readonly flags?: readonly string[];
  /** Whether it imports the packages as they are published, instead of those of the workspace. */
  readonly published?: boolean;
  /** A program of c/ that starts this one, to measure it from outside or to give it a place. */
  readonly within?: string;
}

export interface Contender {
  readonly name: string;
  readonly party: Party;
  readonly program: Program;
  /** Packages that must load, for a contender that may be absent. */
  readonly needs?: 'unix-dgram' | 'cap' | 'pcap' | 'socketcan';
}

/** The process at the other end: started before the measured one, or after it, with what the earlier one tells. */
export interface Counterpart {
  readonly order: 'first' | 'second';
  readonly program: Program;
}

/**
 * A ratio to reach. `atLeast`: so many times as fast as the other, by `measure`. `atMost`: so much of what the other
 * needs.
 */
export interface Target {
  readonly work: string;
  readonly ours: string;
  readonly against: string;
  readonly measure: Measure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What a benchmark needs that few machines have: it is measured in the kernel lab (`--lab`). */
export interface Lab {
  /** What `--lab` names: the family. */
  readonly group: string;
  /** Shell commands that make the guest ready. It has this benchmark's group to itself. */
  readonly setup: readonly string[];
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** What is counted, in the singular. */
  readonly operation: string;
  /** How it is measured, in a sentence or two, for the documentation. */
  readonly note: string;
  /** The measures to show; the first one is drawn in the chart. */
  readonly measures: readonly [Measure, ...Measure[]];
  readonly contenders: readonly Contender[];
  readonly counterpart?: Counterpart;
  readonly targets: readonly Target[];
  readonly lab?: Lab;
  /** Times the usual number of rounds. */
  readonly repeat?: number;
  /** Times the usual warm-up and duration, where the measured process has nothing to do for most of them. */
  readonly stretch?: number;
}

/** Per operation, one value a round. */
export type Samples = Partial<Record<Measure, number[]>>;

export interface ContenderResult {
  readonly name: string;
  readonly party: Party;
  readonly samples: Samples;
  /** Why there are no figures. */
  notRun?: string;
}

export interface TargetResult extends Target {
  /** `null` where one of the two was not run. */
  readonly ratio: number | null;
  readonly reached: boolean | null;
}

export interface BenchmarkResult {
  readonly benchmark: Benchmark;
  readonly contenders: ContenderResult[];
  readonly targets: TargetResult[];
}

export interface Settings {
  readonly rounds: number;
  /** Milliseconds before the measured time. */
  readonly warmUp: number;
  /** Milliseconds measured. */
  readonly duration: number;
  /** Idle connections to open. */
  readonly connections: number;
  /** Milliseconds that a process may need beyond what it measures. */
  readonly patience: number;
}
