// npm run test:tarballs: what would be published, packed, looked at, installed in a folder outside the workspace
// without install scripts, and used there.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pnpm } from './lib/install.js';
import { publicPackages, readJson } from './lib/packages.js';
import { ask, Failure, heading, main, root, run, say } from './lib/process.js';
import { setup } from './lib/setup.js';
import { tsc } from './lib/typescript.js';

const expected = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'];
const unwanted = /(^|\/)(test|dist-test|build|node_modules)\/|\.tsbuildinfo$|\.asan|\.prebuild/;

/**
 * @param {import('./lib/packages.js').WorkspacePackage} one
 * @param {string} folder
 * @returns {Promise<string>} path of the tarball
 */
async function pack({ path, manifest }, folder) {
  const target = join(folder, manifest.name.replace('@sock/', ''));
  mkdirSync(target);
  const { command, args } = pnpm();
  await run(command, [...args, 'pack', '--pack-destination', target], { cwd: path, quiet: true });
  const [name] = readdirSync(target);
  if (name === undefined) throw new Failure(`${manifest.name}: nothing was packed`);
  return join(target, name);
}

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

await main(async () => {
  await setup();
  heading('Building the binary that is published');
  await run(process.execPath, [join(root, 'tools/workspace/prebuild.js')]);

  const packages = publicPackages();
  const folder = mkdtempSync(join(tmpdir(), 'sock-tarballs-'));
  try {
    heading('publint');
    for (const { folder: home } of packages) {
      await run(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), home, '--strict', '--pack', 'npm']);
    }

    heading('Tarballs');
    /** @type {Record<string, string>} */
    const dependencies = {};
    for (const one of packages) {
      const tarball = await pack(one, folder);
      inspect(one.manifest.name, tarball);
      dependencies[one.manifest.name] = `file:${tarball}`;
    }

    heading(`Installing and using them in ${folder}`);
    const consumer = join(folder, 'consumer');
    cpSync(join(root, 'tools/workspace/consumer'), consumer, { recursive: true });
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, dependencies }, null, 2));
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: consumer, quiet: true });
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
