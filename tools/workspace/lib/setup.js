// What every command of the workspace begins with. Each step does nothing where nothing has changed.

import { checkNode, ensureInstalled } from './install.js';
import { buildNative } from './native.js';
import { buildTypeScript } from './typescript.js';

/** From a bare checkout to packages and tests that can be run. */
export async function setup() {
  checkNode();
  await ensureInstalled();
  await buildNative();
  await buildTypeScript();
}
