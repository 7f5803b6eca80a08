import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

function path(relative: string): string {
  return fileURLToPath(new URL(relative, root));
}

/** Folders of this package, and the documentation's. */
export const folders = {
  c: path('c/'),
  python: path('python/'),
  peers: path('peers/'),
  contenders: path('dist/contenders/'),
  build: path('build/'),
  results: path('results/'),
  documentation: path('../../docs/'),
  lab: path('../kernel-lab/'),
  workspace: path('../workspace/'),
};
