// npm start: set-up, then the tour. Arguments after `--` are the tour's.

import { join } from 'node:path';
import { attempt, main, root } from './lib/process.js';
import { setup } from './lib/setup.js';

await main(async () => {
  await setup();
  const tour = join(root, 'examples/dist/tour/index.js');
  const { status } = await attempt(process.execPath, [tour, ...process.argv.slice(2)]);
  process.exitCode = status;
});
