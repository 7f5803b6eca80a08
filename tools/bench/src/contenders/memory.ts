import { setTimeout as sleep } from 'node:timers/promises';
import { ready, report } from './meter.js';

/** Connections that are counted. */
export const count = Number(process.env.BENCH_CONNECTIONS ?? 4000);
/**
 * Connections that are there before the first look, so that what is made once is not counted: above all the heap's
 * room for young objects, which grows to its full size.
 */
export const first = count / 2;

async function settled(): Promise<NodeJS.MemoryUsage> {
  await sleep(150);
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage();
}

/** Measures what `count` connections take, each with a read pending. `go` lets the client open them. */
export class Connections {
  #open = 0;
  #before: NodeJS.MemoryUsage | undefined;

  listening(port: number): void {
    ready(port, first, count);
  }

  async opened(go: () => void): Promise<void> {
    this.#open++;
    if (this.#open === first) {
      this.#before = await settled();
      go();
    } else if (this.#open === first + count && this.#before !== undefined) {
      const after = await settled();
      report({
        operations: count,
        memory: after.rss - this.#before.rss,
        heap: after.heapUsed - this.#before.heapUsed,
      });
      process.exit();
    }
  }
}
