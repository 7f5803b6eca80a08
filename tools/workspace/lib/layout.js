// The rules that let somebody who knows one package find their way in all of them, and that keep imports one-way.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { familyPackages, publicPackages, readJson, workspacePackages } from './packages.js';
import { root } from './process.js';

const everyPackage = ['package.json', 'README.md', 'tsconfig.json', 'tsconfig.test.json', 'constants.json'];
const everyFamily = [
  'src/index.ts',
  'src/address.ts',
  // A folder where the family has more options than one file should hold.
  'src/options.ts | src/options/index.ts',
  'src/ancillary.ts',
  'src/constants.gen.ts',
  'test/codec.test.ts',
  'test/integration.test.ts',
];

/** Families whose protocol has no options of its own, or no control messages. */
const without = new Map([
  ['packages/qrtr', ['src/options.ts | src/options/index.ts', 'src/ancillary.ts']],
  ['packages/vsock', ['src/ancillary.ts']],
]);

/**
 * What may be imported of a family by another package: RDS is addressed by the addresses of inet, and the test kit
 * makes links and namespaces by netlink's sources. Netlink's tests use the test kit, as all do: so it is not among the
 * dependencies of the package itself, which would make a circle of them.
 */
const exceptions = new Map([
  ['@sock/rds', ['@sock/inet']],
  ['@sock/testkit', ['@sock/netlink']],
]);

/** Packages that tests of any package may import. */
const testLibraries = ['chai', 'mocha', 'fast-check', 'expect-type', 'typescript'];

/** @returns {Promise<string[]>} one sentence each; empty when all is in order */
export async function findViolations() {
  const imports = (await import('typescript')).default.preProcessFile;
  return [
    ...missingFiles(),
    ...unlikeManifests(),
    ...missingReferences(),
    ...forbiddenImports((text) => imports(text, true, true).importedFiles.map(({ fileName }) => fileName)),
  ];
}

function* missingFiles() {
  for (const { folder, path } of publicPackages()) {
    const family = folder !== 'packages/core';
    for (const file of [...everyPackage, ...(family ? everyFamily : [])]) {
      if (without.get(folder)?.includes(file)) continue;
      if (!file.split(' | ').some((one) => existsSync(join(path, one))))
        yield `${folder}/${file} is missing: every ${family ? 'family' : 'package'} has it`;
    }
  }
}

/** Manifests of public packages say the same, where they do not have to differ. */
function* unlikeManifests() {
  const same = ['license', 'type', 'engines', 'publishConfig', 'sideEffects', 'author', 'nx'];
  const model = readJson(join(root, 'packages/core/package.json'));
  for (const { folder, manifest } of familyPackages()) {
    for (const key of same) {
      const value = /** @type {any} */ (manifest)[key];
      if (JSON.stringify(value) !== JSON.stringify(model[key])) {
        yield `${folder}/package.json: "${key}" differs from that of packages/core`;
      }
    }
    for (const script of ['build:test', 'test', 'prepack']) {
      if (manifest.scripts?.[script] !== model.scripts[script]) {
        yield `${folder}/package.json: the script "${script}" differs from that of packages/core`;
      }
    }
  }
}

/** `tsc -b` at the root builds everything. */
function* missingReferences() {
  /** @type {{ path: string }[]} */
  const references = readJson(join(root, 'tsconfig.json')).references;
  const known = new Set(references.map(({ path }) => path.replace(/\/tsconfig\.json$/, '')));
  for (const { folder, path } of workspacePackages()) {
    for (const [file, reference] of [
      ['tsconfig.json', folder],
      ['tsconfig.test.json', `${folder}/tsconfig.test.json`],
    ]) {
      if (file === undefined || reference === undefined || !existsSync(join(path, file))) continue;
      if (/"noEmit": *true/.test(readFileSync(join(path, file), 'utf8'))) continue;
      if (!known.has(reference)) yield `tsconfig.json: a reference to ${reference} is missing`;
    }
  }
}

/** @param {(text: string) => string[]} importsOf */
function* forbiddenImports(importsOf) {
  for (const one of workspacePackages().filter(({ folder }) => folder.startsWith('packages/'))) {
    for (const part of ['src', 'test']) {
      for (const file of sources(join(one.path, part))) {
        for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
          const objection = judge(specifier, file, part === 'test', one);
          if (objection !== undefined) yield `${relative(root, file)} imports ${specifier}: ${objection}`;
        }
      }
    }
  }
}

/**
 * @param {string} specifier
 * @param {string} file
 * @param {boolean} test
 * @param {import('./packages.js').WorkspacePackage} one
 * @returns {string | undefined} why it must not be imported
 */
function judge(specifier, file, test, { path, manifest }) {
  if (specifier.startsWith('node:')) return undefined;
  if (specifier.startsWith('#')) return test ? undefined : 'sources import one another by relative paths';
  if (specifier.startsWith('.')) {
    const target = resolve(dirname(file), specifier);
    const home = join(path, test ? 'test' : 'src');
    return target.startsWith(`${home}/`) ? undefined : 'a relative path stays in its folder';
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (name === manifest.name) return test ? undefined : 'sources import one another by relative paths';
  if (name.startsWith('@sock/')) {
    const allowed = [
      ...(manifest.name === '@sock/core' ? [] : ['@sock/core']),
      ...(test ? ['@sock/testkit'] : []),
      ...(exceptions.get(manifest.name) ?? []),
    ];
    return allowed.includes(name) ? undefined : 'imports run one way, from a family to core';
  }
  if (name in (manifest.dependencies ?? {}) || (test && testLibraries.includes(name))) return undefined;
  // The test kit is never published: the root's development dependencies are there whenever it is.
  if (manifest.private && testLibraries.includes(name)) return undefined;
  return 'it is not among the dependencies of the package';
}

/** @param {string} folder */
function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}
