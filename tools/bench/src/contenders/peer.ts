import { createRequire } from 'node:module';

/** Loads a package of peers/, which has a lock file of its own. */
export function peer<Package>(name: string): Package {
  return createRequire(new URL('../../peers/package.json', import.meta.url))(name) as Package;
}
