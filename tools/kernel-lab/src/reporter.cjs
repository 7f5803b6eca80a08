// A mocha reporter for runs inside a guest: what happens goes to the file of LAB_EVENTS as it happens, one JSON
// object per line, so that the host knows all of it even of a guest that hangs; failures and finished suites are
// printed. CommonJS, because mocha loads reporters by require().
const { appendFileSync } = require('node:fs');

// How long the process may go on after the last test before what keeps it alive is named and it is ended.
const LINGER = 30_000;

class LabReporter {
  #passes = 0;
  #failures = 0;

  constructor(runner) {
    const events = process.env.LAB_EVENTS;
    const write = (event) => appendFileSync(events, `${JSON.stringify(event)}\n`);
    const about = (test) => ({ title: test.titlePath().join(' › '), file: test.file });

    runner.on('test', (test) => write({ type: 'start', ...about(test) }));
    runner.on('hook', (hook) => write({ type: 'start', ...about(hook) }));
    runner.on('pass', (test) => {
      this.#passes++;
      write({ type: 'pass', ...about(test), duration: test.duration });
    });
    runner.on('pending', (test) => write({ type: 'pending', ...about(test) }));
    runner.on('fail', (test, error) => {
      this.#failures++;
      const text = describe(error);
      write({ type: 'fail', ...about(test), duration: test.duration, error: text });
      process.stdout.write(`✗ ${about(test).title}\n${text.replaceAll(/^/gm, '    ')}\n`);
    });
    runner.on('suite end', (suite) => {
      if (!suite.parent?.root) return;
      const failed = this.#failures > 0 ? `, ${this.#failures} failing` : '';
      process.stdout.write(`${suite.title}: ${this.#passes} passing${failed} so far\n`);
    });
    runner.once('end', () => {
      write({ type: 'end', stats: runner.stats });
      setTimeout(() => {
        const alive = process.getActiveResourcesInfo().join(', ');
        write({ type: 'fail', title: 'the process ends after its tests', error: `still active: ${alive}` });
        process.stdout.write(`✗ the process did not end after its tests: ${alive}\n`);
        process.exit(1);
      }, LINGER).unref();
    });
  }
}

function describe(error) {
  const text = error?.stack ?? String(error);
  const differs = error && 'expected' in error && 'actual' in error && error.showDiff !== false;
  return differs ? `${text}\n  expected: ${show(error.expected)}\n  actual:   ${show(error.actual)}` : text;
}

function show(value) {
  return require('node:util').inspect(value, { depth: 4, breakLength: 120 });
}

module.exports = LabReporter;
