import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, type Outcome, unique } from '@sock/testkit';

const folder = fileURLToPath(new URL('scratch', import.meta.url));
const mocha = join(dirname(createRequire(import.meta.url).resolve('mocha/package.json')), 'bin/mocha.js');

/** Runs test files, given as text, in a mocha of their own. */
export async function runMocha(
  files: readonly string[],
  options: { args?: readonly string[]; env?: Record<string, string | undefined> } = {},
): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  const paths = files.map((source) => {
    const path = join(folder, `${unique()}.mjs`);
    writeFileSync(path, source);
    return path;
  });
  const hooks = fileURLToPath(new URL('../dist/mocha.js', import.meta.url));
  const { args = [], env = {} } = options;
  const child = new Child(process.execPath, [mocha, '--no-config', '--require', hooks, ...args, ...paths], {
    input: '',
    env: { SOCK_REQUIRE: undefined, SOCK_TIME_SCALE: undefined, ...env },
  });
  return child.outcome;
}
