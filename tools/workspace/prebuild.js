// The binary of @sock/core for this platform, as it is published: packages/core/prebuilds/<platform>-<arch>/.
// prebuildify takes the binary out of the folder that it builds in, so it gets a folder of its own.
// Arguments are prebuildify's: --arch arm64 with a cross compiler in CC and CXX, for example.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copySources, core, gypEnvironment } from './lib/native.js';
import { main, root, run } from './lib/process.js';

await main(async () => {
  const folder = join(core, '.prebuild');
  rmSync(folder, { recursive: true, force: true });
  copySources(folder);
  const prebuildify = join(root, 'node_modules/prebuildify/bin.js');
  const options = ['--napi', '--strip', '--tag-libc', '--name', 'core', '--cwd', folder, '--out', core];
  await run(process.execPath, [prebuildify, ...options, ...process.argv.slice(2)], {
    cwd: core,
    env: gypEnvironment(),
    quiet: true,
  });
  rmSync(folder, { recursive: true });
});
