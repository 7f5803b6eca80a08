// Two guests whose eth0 are the ends of one cable.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runGuest } from './guest.js';
import { LabUnavailableError, qemuVersion } from './kernels.js';
import { MarkLines } from './output.js';

/** How long the other guest may go on after one has failed. */
const GRACE = 5000;

/** Ends when guest 1 listens, so that guest 2 finds it.
 * @param {string} path
 * @param {AbortSignal} signal
 */
async function listening(path, signal) {
  while (!existsSync(path) && !signal.aborted) await sleep(20);
}

/**
 * Runs two commands, each in a guest of its own, with a link between them: 10.77.0.1 and 10.77.0.2, fd77::1 and
 * fd77::2. Each finds its number in LAB_GUEST, the other's in LAB_PEER, a folder seen by both in /run/lab/pair, and
 * a program `lab-meet NAME` which waits until the other has called it too. The link lasts until both commands have
 * ended; when one has failed, the other is ended soon after.
 *
 * @param {[string, string]} commands
 * @param {Omit<import('./guest.js').GuestOptions, 'command'>} options
 * @returns {Promise<import('./guest.js').GuestResult[]>} in the order of the commands
 * @throws {LabUnavailableError} when qemu is older than 7.2 or the lab is not set up
 */
export async function runPair(commands, options) {
  const [major, minor] = qemuVersion();
  if (major < 7 || (major === 7 && minor < 2))
    throw new LabUnavailableError('a pair of guests wants qemu 7.2 or newer');
  const folder = mkdtempSync(join(tmpdir(), 'sock-kernel-lab-pair-'));
  const socket = join(folder, 'link');
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  /** @type {NodeJS.Timeout | undefined} */
  let grace;

  /** @param {1 | 2} guest */
  async function run(guest) {
    if (guest === 2) await listening(socket, signal);
    const stdout = new MarkLines(`[${guest}] `);
    const stderr = new MarkLines(`[${guest}] `);
    stdout.pipe(options.stdout ?? process.stdout, { end: false });
    stderr.pipe(options.stderr ?? process.stderr, { end: false });
    const link = { guest, socket, folder: shared };
    try {
      const command = commands[guest === 1 ? 0 : 1];
      const result = await runGuest({ ...options, command, link, signal, stdout, stderr });
      if (result.status !== 0) grace ??= setTimeout(() => abort.abort(), GRACE);
      return result;
    } catch (error) {
      abort.abort();
      throw error;
    } finally {
      stdout.end();
      stderr.end();
    }
  }

  try {
    const ends = await Promise.allSettled([run(1), run(2)]);
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  } finally {
    clearTimeout(grace);
    rmSync(folder, { recursive: true, force: true });
  }
}
