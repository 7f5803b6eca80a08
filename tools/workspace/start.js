// npm start: set-up, then the tour. Arguments after `--` are handed to the tour.

import { join } from 'node:path';
import { attempt, main, root } from './lib/process.js';
import { setup } from './lib/setup.js';

await main(async () => {
  await setup();
  const { status } = await attempt('npm', ['run', '--silent', 'tour', '--', ...process.argv.slice(2)], {
    cwd: join(root, 'examples'),
  });
  process.exitCode = status;
});
