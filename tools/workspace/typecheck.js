// npm run typecheck: what `tsc -b` builds is checked by building it; here the JavaScript of the tools is checked too.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { heading, main, root, run, say } from './lib/process.js';
import { setup } from './lib/setup.js';
import { tsc } from './lib/typescript.js';

await main(async () => {
  await setup();
  heading('Types of what is not built');
  for (const name of readdirSync(join(root, 'tools'))) {
    const project = join(root, 'tools', name, 'tsconfig.json');
    if (!existsSync(project) || !/"noEmit": *true/.test(readFileSync(project, 'utf8'))) continue;
    await run(process.execPath, [tsc, '-p', project]);
    say(`tools/${name}`);
  }
});
