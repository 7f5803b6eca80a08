// npm run test:tarballs: what would be published, packed, looked at, installed in a folder outside the workspace
// without install scripts, and used there.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { publicPackages, readJson } from './lib/packages.js';
import { ask, Failure, heading, main, root, run, say } from './lib/process.js';
import { installPublished, packPublished } from './lib/published.js';
import { setup } from './lib/setup.js';
import { tsc } from './lib/typescript.js';

const expected = ['package.json', 'README.md', 'LICENSE', 'bundle/index.js', 'bundle/index.js.map', 'dist/index.d.ts'];
const unwanted = /(^|\/)(test|dist-test|build|node_modules)\/|^dist\/.*\.js$|\.tsbuildinfo$|\.asan|\.prebuild/;

/**
 * @param {string} name
 * @param {string} tarball
 */
function inspect(name, tarball) {
  const listing = ask('tar', ['-tzf', tarball]);
  if (listing === undefined) throw new Failure(`tar cannot read ${tarball}`);
  const files = listing.split('\n').map((file) => file.replace(/^package\//, ''));
  const binary = `prebuilds/${process.platform}-${process.arch}/`;
  const wanted = name === '@sock/core' ? [...expected, binary] : expected;
  const missing = wanted.filter((file) =>
    file.endsWith('/') ? !files.some((one) => one.startsWith(file)) : !files.includes(file),
  );
  const surplus = files.filter((file) => unwanted.test(file));
  if (missing.length > 0) throw new Failure(`${name}: its tarball lacks ${missing.join(', ')}`);
  if (surplus.length > 0) throw new Failure(`${name}: its tarball should not hold ${surplus.join(', ')}`);
  const manifest = JSON.parse(ask('tar', ['-xzOf', tarball, 'package/package.json']) ?? '{}');
  const links = Object.entries(manifest.dependencies ?? {}).filter(([, range]) => `${range}`.startsWith('workspace:'));
  if (links.length > 0) throw new Failure(`${name}: its dependencies still name the workspace`);
  const scripts = ['preinstall', 'install', 'postinstall'].filter((script) => script in (manifest.scripts ?? {}));
  if (scripts.length > 0) throw new Failure(`${name}: it has an install script`);
  say(`${basename(tarball)}: ${files.length} files`);
}

/**
 * What is published exports what the modules do that are tested.
 *
 * @param {string} consumer
 */
function compare(consumer) {
  const script = join(consumer, 'exports.mjs');
  /** @param {(one: import('./lib/packages.js').WorkspacePackage, entry: string, file: string) => string} specifier */
  const exported = (specifier) => {
    const specifiers = publicPackages().flatMap((one) =>
      Object.entries(one.manifest.exports ?? {})
        .filter(([, file]) => file.endsWith('.js'))
        .map(([entry, file]) => specifier(one, entry, file)),
    );
    const described = ask(process.execPath, [script, ...specifiers]);
    if (described === undefined) throw new Failure(`one of ${specifiers.join(', ')} cannot be imported`);
    return { specifiers, described: JSON.parse(described) };
  };
  const published = exported(({ manifest }, entry) => join(manifest.name, entry));
  const tested = exported(({ path }, _entry, file) => join(path, file));
  for (const [index, specifier] of published.specifiers.entries()) {
    if (!isDeepStrictEqual(published.described[index], tested.described[index])) {
      throw new Failure(`${specifier} exports other things than ${tested.specifiers[index]}`);
    }
  }
  say(`${published.specifiers.length} modules export what those of the workspace do`);
}

await main(async () => {
  await setup();
  const folder = mkdtempSync(join(tmpdir(), 'sock-tarballs-'));
  try {
    heading('Packing');
    const tarballs = await packPublished(folder);
    for (const [name, tarball] of tarballs) inspect(name, tarball);

    heading('publint');
    for (const tarball of tarballs.values()) {
      await run(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), tarball, '--strict']);
    }

    heading(`Installing and using them in ${folder}`);
    const consumer = join(folder, 'consumer');
    cpSync(join(root, 'tools/workspace/consumer'), consumer, { recursive: true });
    await installPublished(tarballs, consumer);
    compare(consumer);
    // Neither a compiler nor anything else of this machine: only the directory of Node itself.
    await run(process.execPath, ['exchange.mjs'], { cwd: consumer, env: { PATH: dirname(process.execPath) } });

    mkdirSync(join(consumer, 'node_modules/@types'));
    const types = join(root, 'node_modules/@types/node');
    symlinkSync(types, join(consumer, 'node_modules/@types/node'));
    await run(process.execPath, [tsc, '-p', consumer]);
    say(`types checked with TypeScript ${readJson(join(root, 'node_modules/typescript/package.json')).version}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
