// npm run check:exports: every name that a public package exports is used by some test or example. Names of
// *.gen.ts are left out: the generator's own check covers them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { publicPackages } from './lib/packages.js';
import { Failure, main, root, say } from './lib/process.js';

/**
 * The names that a module exports, those of generated files left out.
 *
 * @param {ts.Program} program
 * @param {string} declarations path of the module's .d.ts
 */
function exportedNames(program, declarations) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(declarations);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Failure(`${declarations} is no module`);
  return checker
    .getExportsOfModule(module)
    .filter((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      // types are held by the compiler and by the declaration tests
      if ((target.flags & ts.SymbolFlags.Value) === 0) return false;
      return !target.declarations?.every((one) => one.getSourceFile().fileName.endsWith('.gen.d.ts'));
    })
    .map(({ name }) => name)
    .sort();
}

/** @typedef {{ imports: Set<string>, names: Set<string> }} Use what a file imports, and all identifiers in it */

/**
 * @param {string} file
 * @param {string} text
 * @returns {Use}
 */
function scan(file, text) {
  /** @type {Set<string>} */
  const names = new Set();
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isIdentifier(node)) names.add(node.text);
    // tables of tests name options by their constants, or by the exported name
    if (ts.isStringLiteral(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  return { imports: new Set(imports), names };
}

/** Tests, examples, and the examples in READMEs and documents, which tests run. */
function uses() {
  const scripts = files('packages')
    .filter((file) => /\/test\/.*\.ts$/.test(file))
    .concat(files('examples').filter((file) => file.endsWith('.ts')));
  const documents = [...files('packages'), ...files('docs'), join(root, 'README.md')].filter(
    (file) => file.endsWith('.md') && existsSync(file),
  );
  return [
    ...scripts.map((file) => scan(file, readFileSync(file, 'utf8'))),
    ...documents.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^```ts\b.*\n([\s\S]*?)^```/gm)].map(([, code = '']) => scan(file, code)),
    ),
  ];
}

/** @param {string} folder */
function files(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  /** @type {(folder: string) => string[]} */
  const walk = (here) =>
    readdirSync(here, { withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory())
        return /^(\.|node_modules$|build$|dist)/.test(entry.name) ? [] : walk(join(here, entry.name));
      return [join(here, entry.name)];
    });
  return walk(path);
}

await main(() => {
  const all = uses();
  let missing = 0;
  for (const { path, manifest } of publicPackages()) {
    const entries = Object.entries(manifest.exports ?? {}).filter(([, target]) => target.endsWith('.js'));
    const modules = entries.map(([subpath, target]) => ({
      specifier: join(manifest.name, subpath),
      // Tests of a package may reach into it by its own "imports".
      inside: `#${manifest.name.replace('@sock/', '')}/`,
      declarations: join(path, target.replace(/\.js$/, '.d.ts')),
    }));
    const program = ts.createProgram(
      modules.map(({ declarations }) => declarations),
      { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: ['node'] },
    );
    for (const { specifier, inside, declarations } of modules) {
      const names = exportedNames(program, declarations);
      const used = all.filter(({ imports }) => [...imports].some((one) => one === specifier || one.startsWith(inside)));
      const unused = names.filter((name) => !used.some((use) => use.names.has(name)));
      say(`${specifier}: ${names.length} names, ${unused.length} of them in no test or example`);
      for (const name of unused) say(`  ${name}`);
      missing += unused.length;
    }
  }
  if (missing > 0) throw new Failure(`${missing} exported names are in no test and no example`);
});
