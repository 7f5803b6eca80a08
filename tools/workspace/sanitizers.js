// npm run test:sanitizers: the tests of this machine's kernel with AddressSanitizer, UndefinedBehaviorSanitizer and
// LeakSanitizer. The sanitized binary is built beside the normal one and never takes its place.
//
//   npm run test:sanitizers -- [package…] [-- options of mocha]

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addCounts, conclude, noCounts, parseArguments, runMocha, testedPackages } from './lib/mocha.js';
import { buildSanitized, sanitizedCore } from './lib/native.js';
import { ask, Failure, main, say } from './lib/process.js';
import { setup } from './lib/setup.js';

/** Sanitized code runs about this many times slower; the test kit stretches its limits by it. */
const slowness = '3';

/**
 * @param {string} reports where the sanitizers write, a file for each process
 */
function sanitizerEnvironment(reports) {
  const compiler = process.env.CXX ?? 'g++';
  const libraries = ['libasan.so', 'libubsan.so'].map((name) => ask(compiler, [`-print-file-name=${name}`]));
  if (libraries.some((path) => path === undefined || !existsSync(path))) {
    throw new Failure(`${compiler} comes without libasan and libubsan`);
  }
  // Found leaks change neither the status nor the output of a process: Node leaks some of its own memory whenever it
  // ends by process.exit(), and programs that tests start leak too. What is ours is told apart below. Errors abort.
  const options = [
    'abort_on_error=1',
    `log_path=${join(reports, 'report')}`,
    // Function, source and line where they are known, and always the file that the code was loaded from.
    'stack_trace_format="    #%n %f %S %m"',
  ];
  return {
    ...process.env,
    SOCK_TIME_SCALE: process.env.SOCK_TIME_SCALE ?? slowness,
    // How node-gyp-build is told of another folder to take the binary from.
    '@SOCK/CORE_PREBUILD': sanitizedCore,
    // Node itself is not sanitized: its process needs the run-time libraries before anything else.
    LD_PRELOAD: libraries.join(':'),
    ASAN_OPTIONS: [...options, 'detect_leaks=1', 'exitcode=0', 'detect_stack_use_after_return=1'].join(':'),
    UBSAN_OPTIONS: [...options, 'halt_on_error=1', 'print_stacktrace=1'].join(':'),
  };
}

/**
 * What the sanitizers have to say about our own code, in all processes.
 *
 * @param {string} reports
 */
function findDefects(reports) {
  return readdirSync(reports)
    .map((name) => readFileSync(join(reports, name), 'utf8'))
    .flatMap((text) => (text.includes('ERROR: LeakSanitizer') ? text.split(/\n\n/).filter(isOurLeak) : [text]));
}

/** Whether the binary asked for memory that nobody freed. @param {string} block one leak with its stack */
function isOurLeak(block) {
  if (!block.includes('/core.node')) return false;
  const frames = block.split('\n').filter((line) => /^ +#\d/.test(line));
  const owner = frames.find(
    (frame) => !/ (__interceptor_|operator new|std::)|libstdc\+\+|libasan|libc\.so/.test(frame),
  );
  // V8's heap may grow while the binary runs, and is never torn down by process.exit(). Nor are values collected then,
  // with which Node's record of an external value goes.
  return owner !== undefined && !owner.includes('v8::internal::') && !owner.includes('napi_create_external');
}

await main(async () => {
  const { names, mochaArgs } = parseArguments(process.argv.slice(2));
  await setup();
  await buildSanitized();

  const reports = mkdtempSync(join(tmpdir(), 'sock-sanitizers-'));
  try {
    const env = sanitizerEnvironment(reports);
    const all = noCounts();
    // Only what loads the native half: the tools' own tests have nothing to sanitize.
    const tested = testedPackages(names).filter(({ folder }) => names.length > 0 || folder.startsWith('packages/'));
    for (const one of tested) {
      addCounts(all, await runMocha(one, { env, args: mochaArgs, title: `${one.folder} with sanitizers` }));
    }
    const processes = readdirSync(reports).length;
    const defects = findDefects(reports);
    for (const defect of defects) say(`\n${defect.trim()}`);
    say(`\nsanitizers: ${defects.length} defects; ${processes} processes reported something of their own or of Node's`);
    all.failed += defects.length;
    conclude(all);
  } finally {
    rmSync(reports, { recursive: true });
  }
});
