import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { folders } from './paths.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const found = new Map<string, Promise<string | undefined>>();

async function loads(name: string): Promise<boolean> {
  // Another process: this one would remember a package that could not be loaded.
  const script = `require(${JSON.stringify(join(folders.peers, 'node_modules', name))})`;
  return run(process.execPath, ['-e', script]).then(
    () => true,
    () => false,
  );
}

/** The folder that holds Node's own headers, where the installation came with them. */
function headers(): string[] {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : [];
}

/** The folder of a package. Installing all of them anew would remove what was compiled of the others. */
async function installed(name: string): Promise<string> {
  const folder = join(folders.peers, 'node_modules', name);
  if (!existsSync(folder)) {
    // The packages' own scripts are not run: the one that is measured is compiled, with the headers at hand.
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folders.peers, timeout: 60_000 });
  }
  return folder;
}

async function prepare(name: string): Promise<string | undefined> {
  if (await loads(name)) return undefined;
  try {
    const folder = await installed(name);
    const tool = require.resolve('node-gyp/bin/node-gyp.js');
    await run(process.execPath, [tool, 'rebuild', ...headers()], { cwd: folder, timeout: 120_000 });
  } catch (error) {
    return `the package ${name} could not be made: ${firstLine((error as { stderr?: string }).stderr ?? error)}`;
  }
  return (await loads(name)) ? undefined : `the package ${name} was compiled and does not load`;
}

function firstLine(text: unknown): string {
  const lines = String(text).split('\n');
  return (lines.find((line) => /error/i.test(line)) ?? lines[0] ?? '').trim();
}

/**
 * Installs and compiles a peer that is a native package, when it is first asked for: not with the workspace, whose
 * every user would wait for it. @returns why it cannot be used, `undefined` where it can
 */
export function missing(name: string): Promise<string | undefined> {
  let promise = found.get(name);
  if (promise === undefined) {
    promise = prepare(name);
    found.set(name, promise);
  }
  return promise;
}
