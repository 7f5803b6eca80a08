import { execFile } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folders } from './paths.js';

const run = promisify(execFile);
/** accept4, recvmmsg and processor sets are GNU extensions to the C library. */
const flags = ['-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE'];
const compiled = new Map<string, Promise<string>>();

async function changed(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

async function compile(name: string): Promise<string> {
  const source = join(folders.c, `${name}.c`);
  const target = join(folders.build, name);
  await mkdir(folders.build, { recursive: true });
  const headers = (await readdir(folders.c)).filter((file) => file.endsWith('.h'));
  const inputs = [source, ...headers.map((file) => join(folders.c, file))];
  const newest = Math.max(...(await Promise.all(inputs.map(changed))));
  if ((await changed(target)) < newest) {
    await run(process.env.CC ?? 'cc', [...flags, '-o', target, source]);
  }
  return target;
}

/** The executable made of c/`name`.c, compiled if it is older than its source. */
export function executable(name: string): Promise<string> {
  let promise = compiled.get(name);
  if (promise === undefined) {
    promise = compile(name);
    compiled.set(name, promise);
  }
  return promise;
}
