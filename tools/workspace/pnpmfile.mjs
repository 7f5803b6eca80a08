// The manifests as they are published. There, a package is one file for each of its entry points (bundle.js), which Node
// loads faster than the many modules that the workspace works with; and what only the workspace reads is left out.

/**
 * @param {string} file
 * @returns {string}
 */
const bundled = (file) => file.replace('./dist/', './bundle/');

/** @param {string} file */
const declarations = (file) => file.replace(/\.js$/, '.d.ts');

export const hooks = {
  /** @param {Record<string, any>} manifest */
  beforePacking({ imports, scripts, devDependencies, nx, ...manifest }) {
    const entries = Object.entries(manifest.exports).map(([name, file]) => [
      name,
      file.endsWith('.js') ? { types: declarations(file), default: bundled(file) } : file,
    ]);
    return { ...manifest, main: bundled(manifest.main), exports: Object.fromEntries(entries) };
  },
};
