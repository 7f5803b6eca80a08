import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folders } from './paths.js';

const run = promisify(execFile);
let made: Promise<string> | undefined;

async function make(): Promise<string> {
  const folder = join(folders.build, 'published');
  await rm(folder, { recursive: true, force: true });
  await run(process.execPath, [join(folders.workspace, 'install-published.js'), folder], { timeout: 300_000 });
  const contenders = join(folder, 'contenders');
  await cp(folders.contenders, contenders, { recursive: true });
  return contenders;
}

/**
 * The contenders in a folder where they find the packages as they are published, which is not how the workspace has
 * them: packed and installed when it is first asked for.
 */
export function published(): Promise<string> {
  made ??= make();
  return made;
}
