// npm run test:sanitizers: the tests of this machine's kernel with AddressSanitizer, UndefinedBehaviorSanitizer and
// LeakSanitizer. The sanitized binary is built beside the normal one and never takes its place.
//
//   npm run test:sanitizers -- [package…] [-- options of mocha]

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addCounts, conclude, noCounts, parseArguments, runMocha, testedPackages } from './lib/mocha.js';
import { buildSanitized, sanitizedCore } from './lib/native.js';
import { ask, Failure, main, root } from './lib/process.js';
import { setup } from './lib/setup.js';

/** Sanitized code runs about this many times slower; the test kit stretches its limits by it. */
const slowness = '3';

function sanitizerEnvironment() {
  const compiler = process.env.CXX ?? 'g++';
  const libraries = ['libasan.so', 'libubsan.so'].map((name) => ask(compiler, [`-print-file-name=${name}`]));
  if (libraries.some((path) => path === undefined || !existsSync(path))) {
    throw new Failure(`${compiler} comes without libasan and libubsan`);
  }
  const suppressions = join(root, 'tools/workspace/sanitizers.supp');
  return {
    ...process.env,
    SOCK_TIME_SCALE: process.env.SOCK_TIME_SCALE ?? slowness,
    // How node-gyp-build is told of another folder to take the binary from.
    '@SOCK/CORE_PREBUILD': sanitizedCore,
    // Node itself is not sanitized: its process needs the run-time libraries before anything else.
    LD_PRELOAD: libraries.join(':'),
    ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1',
    LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  };
}

await main(async () => {
  const { names, mochaArgs } = parseArguments(process.argv.slice(2));
  await setup();
  await buildSanitized();

  const env = sanitizerEnvironment();
  const all = noCounts();
  // Only what loads the native half: the tools' own tests have nothing to sanitize.
  for (const tested of testedPackages(names).filter(
    ({ folder }) => names.length > 0 || folder.startsWith('packages/'),
  )) {
    addCounts(all, await runMocha(tested, { env, args: mochaArgs, title: `${tested.folder} with sanitizers` }));
  }
  conclude(all);
});
