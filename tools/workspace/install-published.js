// node tools/workspace/install-published.js FOLDER: installs in that folder what would be published of the workspace.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, main } from './lib/process.js';
import { installPublished, packPublished } from './lib/published.js';
import { setup } from './lib/setup.js';

await main(async () => {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Failure('which folder?');
  await setup();
  const tarballs = mkdtempSync(join(tmpdir(), 'sock-tarballs-'));
  try {
    await installPublished(await packPublished(tarballs), resolve(folder));
  } finally {
    rmSync(tarballs, { recursive: true, force: true });
  }
});
