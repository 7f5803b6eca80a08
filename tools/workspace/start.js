// npm start: set-up, then the tour: on this machine, or with `-- --lab` in the kernel lab, where every family must be
// shown.

import { join } from 'node:path';
import { prepareLab } from './lib/lab.js';
import { parseArguments } from './lib/mocha.js';
import { attempt, Failure, heading, main, root } from './lib/process.js';
import { setup } from './lib/setup.js';

const tour = join(root, 'examples/dist/tour/index.js');

await main(async () => {
  const { flags } = parseArguments(process.argv.slice(2), ['--lab']);
  await setup();
  const command = flags.includes('--lab') ? await labCommand() : [tour];
  const { status } = await attempt(process.execPath, command);
  process.exitCode = status;
});

async function labCommand() {
  const obstacle = await prepareLab();
  if (obstacle !== undefined) throw new Failure(`the kernel lab cannot be run: ${obstacle}`);
  heading('The tour, in the kernel lab');
  const lab = join(root, 'tools/kernel-lab/src/lab.js');
  return [lab, process.execPath, tour, '--all'];
}
