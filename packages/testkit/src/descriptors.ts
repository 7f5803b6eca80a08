import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { scaled, turns } from './time.js';

/** The open descriptors of this process and what each points to. Source: proc(5), /proc/pid/fd. */
export function openDescriptors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      found.set(Number(name), readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // the descriptor that the folder itself was read through
    }
  }
  return found;
}

/** What was opened and what was closed between two looks, one line each. */
export function differences(before: Map<number, string>, after: Map<number, string>): string[] {
  const lines: string[] = [];
  for (const [fd, target] of after) {
    const old = before.get(fd);
    if (old === undefined) lines.push(`opened and left open: ${fd} → ${target}`);
    else if (old !== target) lines.push(`replaced: ${fd} → ${target}, which was ${old}`);
  }
  for (const [fd, target] of before) {
    if (!after.has(fd)) lines.push(`closed, though opened earlier: ${fd} → ${target}`);
  }
  return lines;
}

/**
 * Waits until the open descriptors are those of `before`, at most a second (stretched): what the
 * event loop is closing needs a few turns.
 * @returns what still differs, nothing where all is well
 */
export async function settled(before: Map<number, string>): Promise<string[]> {
  const limit = performance.now() + scaled(1000);
  for (;;) {
    const lines = differences(before, openDescriptors());
    if (lines.length === 0 || performance.now() > limit) return lines;
    await turns(5);
  }
}

/** The open flags (O_NONBLOCK, O_CLOEXEC, …) of a descriptor. Source: proc(5), /proc/pid/fdinfo. */
export function descriptorFlags(fd: number): number {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  if (flags === undefined) throw new Error(`descriptor ${fd} is not open`);
  return Number.parseInt(flags, 8);
}

/** Whether a descriptor of this process is open. Source: proc(5). */
export const isOpen = (fd: number): boolean => existsSync(`/proc/self/fdinfo/${fd}`);

/** O_CLOEXEC as /proc shows it, which node's constants lack. Source: open(2), fcntl.h of the kernel. */
export const O_CLOEXEC = 0o2000000;

/** O_NONBLOCK. Source: open(2). */
export const O_NONBLOCK = 0o4000;
