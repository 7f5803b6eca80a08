// What packing a package begins with: in bundle/, one file for each of its entry points, and one for what they share.
// Node takes longer to find, read and link a hundred modules than to compile what is in them. Run in a package's folder,
// after the build.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { readJson } from './lib/packages.js';
import { Failure, main } from './lib/process.js';

await main(async () => {
  const folder = process.cwd();
  const { exports } = readJson(join(folder, 'package.json'));
  const dir = join(folder, 'bundle');
  rmSync(dir, { recursive: true, force: true });
  const bundle = await rollup({
    input: Object.values(exports).filter((file) => file.endsWith('.js')),
    external: /^[^./]/,
    // all of it was tested
    treeshake: false,
    plugins: [
      {
        name: 'maps of the TypeScript',
        load: (id) => ({ code: readFileSync(id, 'utf8'), map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) }),
      },
    ],
    onwarn(warning) {
      // the helpers of `using` ask whether there is a global `this`
      if (warning.code !== 'THIS_IS_UNDEFINED') throw new Failure(warning.message);
    },
  });
  await bundle.write({
    dir,
    chunkFileNames: '[name].js',
    // what a map refers to is in the package
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
});
