// npm test: set-up, the tests of every package on this machine's kernel, then the kernel lab.
//
//   npm test -- [--no-lab | --require-lab] [package…] [-- options of mocha]
//
// With packages or options of mocha the lab is left out. --require-lab, or CI=true: that it cannot be run is a failure.

import { prepareLab, runLabTests } from './lib/lab.js';
import { addCounts, conclude, noCounts, parseArguments, runMocha, summary, testedPackages } from './lib/mocha.js';
import { isUnreleased, workspacePackages } from './lib/packages.js';
import { heading, main, say } from './lib/process.js';
import { setup } from './lib/setup.js';

await main(async () => {
  const { names, flags, mochaArgs } = parseArguments(process.argv.slice(2), ['--no-lab', '--require-lab']);
  const requireLab = flags.includes('--require-lab') || process.env.CI === 'true';
  const everything = names.length === 0 && mochaArgs.length === 0;
  const lab = flags.includes('--require-lab') || (everything && !flags.includes('--no-lab'));
  await setup();
  const obstacle = lab ? await prepareLab() : 'not asked for';

  const all = noCounts();
  /** @type {[what: string, how: string][]} */
  const lines = [];
  for (const tested of testedPackages(names)) {
    const counts = await runMocha(tested, { args: mochaArgs });
    lines.push([tested.folder, summary(counts)]);
    addCounts(all, counts);
  }
  for (const { folder, short } of names.length === 0 ? workspacePackages().filter(isUnreleased) : []) {
    lines.push([folder, `not run: still being written (npm test -- ${short})`]);
  }
  if (obstacle === undefined) {
    const counts = await runLabTests();
    lines.push(['kernel lab', summary(counts)]);
    addCounts(all, counts);
  } else {
    lines.push(['kernel lab', `not run: ${obstacle}`]);
    if (lab && requireLab) all.failed += 1;
  }

  heading('Tests');
  const width = Math.max(...lines.map(([what]) => what.length));
  for (const [what, how] of lines) say(`  ${what.padEnd(width)}  ${how}`);
  if (all.reasons.size > 0) {
    heading(obstacle === undefined ? 'Run in the kernel lab only' : 'Not run on this machine');
    for (const reason of [...all.reasons].sort()) say(`  ${reason}`);
  }
  conclude(all);
});
