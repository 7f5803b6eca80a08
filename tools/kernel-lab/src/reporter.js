// A mocha reporter for runs inside a guest: what happens goes to the file of LAB_EVENTS as it happens, one JSON object
// per line, so that the host knows all of it even of a guest that hangs; failures and finished suites are printed.
import { appendFileSync } from 'node:fs';
import { inspect } from 'node:util';

/** How long the process may go on after the last test before it is ended and what kept it alive is named. */
const LINGER = 30_000;

/** How often the file grows while nothing happens. */
const SIGN_OF_LIFE = 30_000;

/** @param {unknown} value */
const show = (value) => inspect(value, { depth: 4, breakLength: 120 });

/** @param {any} error */
function describeError(error) {
  const text = String(error?.stack ?? error);
  const differs = error && typeof error === 'object' && 'expected' in error && error.showDiff !== false;
  return differs ? `${text}\n  expected: ${show(error.expected)}\n  actual:   ${show(error.actual)}` : text;
}

export default class LabReporter {
  #file = process.env.LAB_EVENTS ?? '/dev/null';
  #passes = 0;
  #failures = 0;

  /** @param {Mocha.Runner} runner */
  constructor(runner) {
    runner.on('test', (test) => this.#write('start', test));
    runner.on('hook', (hook) => this.#write('start', hook));
    runner.on('pass', (test) => {
      this.#passes++;
      this.#write('pass', test);
    });
    runner.on('pending', (test) => this.#write('pending', test));
    runner.on('fail', (test, error) => {
      this.#failures++;
      const text = describeError(error);
      this.#write('fail', test, text);
      process.stdout.write(`✗ ${test.titlePath().join(' › ')}\n${text.replaceAll(/^/gm, '    ')}\n`);
    });
    runner.on('suite end', (suite) => {
      if (!suite.parent?.root) return;
      const failed = this.#failures > 0 ? `, ${this.#failures} failing` : '';
      process.stdout.write(`${suite.title}: ${this.#passes} passing${failed} so far\n`);
    });
    // an empty line, which is no event: a test that takes long has not blocked its thread
    setInterval(() => appendFileSync(this.#file, '\n'), SIGN_OF_LIFE).unref();
    runner.once('end', () => this.#end());
  }

  /**
   * @param {'start' | 'pass' | 'pending' | 'fail'} type
   * @param {Mocha.Runnable} runnable
   * @param {string} [error]
   */
  #write(type, runnable, error) {
    const { file, duration } = runnable;
    this.#append({ type, title: runnable.titlePath().join(' › '), file, duration, error });
  }

  /** @param {object} event */
  #append(event) {
    appendFileSync(this.#file, `${JSON.stringify(event)}\n`);
  }

  #end() {
    this.#append({ type: 'end' });
    setTimeout(() => {
      const error = `still active: ${process.getActiveResourcesInfo().join(', ')}`;
      this.#append({ type: 'fail', title: 'the process ends after its tests', error });
      process.stdout.write(`✗ the process did not end after its tests; ${error}\n`);
      process.exit(1);
    }, LINGER).unref();
  }
}
