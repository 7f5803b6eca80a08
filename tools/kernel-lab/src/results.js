// What a guest's run of mocha amounts to: from the events of reporter.js to counts.

const SKIPPED = 'skipped: in the lab every test has to have what it needs';

/**
 * @typedef {object} TestEvent
 * @property {'start' | 'pass' | 'fail' | 'pending' | 'end'} type
 * @property {string} [title]
 * @property {string} [file]
 * @property {number} [duration] milliseconds
 * @property {string} [error]
 */

/**
 * @typedef {object} TestResult
 * @property {string} title
 * @property {string | undefined} [file]
 * @property {'passed' | 'failed' | 'pending'} state
 * @property {number | undefined} [duration] milliseconds
 * @property {string | undefined} [error]
 */

/**
 * @typedef {object} PackageResult
 * @property {string} package
 * @property {number} passes
 * @property {number} failures with what was skipped: in the lab nothing may be
 * @property {number} pending skipped for want of a newer kernel than the guest's, as the title says
 * @property {number} seconds
 * @property {string | null} kernel
 * @property {TestResult[]} tests
 */

/**
 * Whether a skipped test says that it needs a newer kernel ("Linux 6.5 or newer"), and the guest's is older.
 *
 * @param {string} title
 * @param {string | null} kernel its release, as uname -r prints it
 */
export function needsNewerKernel(title, kernel) {
  const needed = /Linux (\d+)\.(\d+) or newer/.exec(title);
  const running = /(\d+)\.(\d+)/.exec(kernel ?? '');
  if (needed === null || running === null) return false;
  const [major, minor] = [Number(running[1]), Number(running[2])];
  return major < Number(needed[1]) || (major === Number(needed[1]) && minor < Number(needed[2]));
}

/** @param {string} text NDJSON; the last line may be cut @returns {TestEvent[]} */
function parseEvents(text) {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** @param {{ status: number, reason: string, limit: number }} run */
function describeEnd({ status, reason, limit }) {
  if (reason === 'limit') return `ran out of its ${limit / 1000} s`;
  if (reason === 'stall') return 'was ended because nothing happened any more';
  return `ended with status ${status}`;
}

/**
 * @param {string} name the package
 * @param {string} text the events
 * @param {{ status: number, reason: string, seconds: number, kernel: string | null, limit: number }} run
 * @returns {PackageResult}
 */
export function collect(name, text, run) {
  const events = parseEvents(text);
  /** @type {TestResult[]} */
  const tests = [];
  for (const { type, title = '', file, duration, error } of events) {
    if (type === 'pass') tests.push({ title, file, duration, state: 'passed' });
    else if (type === 'fail') tests.push({ title, file, duration, error, state: 'failed' });
    else if (type === 'pending' && needsNewerKernel(title, run.kernel)) tests.push({ title, file, state: 'pending' });
    else if (type === 'pending') tests.push({ title, file, error: SKIPPED, state: 'failed' });
  }
  const ended = events.some(({ type }) => type === 'end');
  const failed = tests.some(({ state }) => state === 'failed');
  if (!ended || (run.status !== 0 && !failed)) {
    const last = events.at(-1);
    const during = last?.type === 'start' ? `, during: ${last.title}` : '';
    tests.push({ title: 'the run comes to its end', state: 'failed', error: `the guest ${describeEnd(run)}${during}` });
  }
  /** @param {string} state */
  const count = (state) => tests.filter((test) => test.state === state).length;
  return {
    package: name,
    passes: count('passed'),
    failures: count('failed'),
    pending: count('pending'),
    seconds: run.seconds,
    kernel: run.kernel,
    tests,
  };
}

/**
 * In the words of mocha's own summary, which other programs of this repository read.
 *
 * @param {PackageResult} result
 */
export function describeResult({ package: name, passes, failures, pending, seconds, tests }) {
  const lines = [`${name} in the kernel lab`, `  ${passes} passing (${Math.round(seconds)}s)`];
  if (pending > 0) lines.push(`  ${pending} pending`);
  if (failures > 0) lines.push(`  ${failures} failing`);
  for (const { title, state, error } of tests) {
    if (state === 'failed') lines.push(`    ✗ ${title}: ${error?.split('\n', 1)[0] ?? ''}`);
    if (state === 'pending') lines.push(`    - ${title}`);
  }
  return lines.join('\n');
}
