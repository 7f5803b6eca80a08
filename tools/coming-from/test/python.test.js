import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { load, missing, root } from '../src/packages.js';
import { coverage, KINDS, readMapping, readNames } from '../src/python.js';

const mapping = readMapping();
const names = readNames();

/** @type {(fresh: (copy: any) => void) => string[]} what is wrong with the mapping after a change */
function after(change) {
  const copy = structuredClone(mapping);
  change(copy);
  return coverage(copy, names);
}

describe("the names of Python's socket module", () => {
  it('are each in the mapping, once', () => {
    expect(coverage(mapping, names)).to.deep.equal([]);
    expect(names.constants.size).to.be.greaterThan(480);
  });

  it('a name that is nowhere is found, and one that is none, and one that is there twice', () => {
    expect(after((copy) => copy.constants['@sock/core'].shift())).to.deep.equal(['constant: AF_ALG is mapped nowhere']);
    expect(after((copy) => copy.constants['@sock/inet'].push('AF_NONE'))).to.deep.equal([
      "constant: AF_NONE is mapped, but no name of Python's",
    ]);
    expect(after((copy) => copy.constants['@sock/inet'].push('AF_ALG'))).to.deep.equal([
      'constant: AF_ALG is mapped twice',
    ]);
    expect(after((copy) => Reflect.deleteProperty(copy.methods, 'recv'))).to.deep.equal([
      'methods: recv is mapped nowhere',
    ]);
    expect(after((copy) => Object.assign(copy.functions, { nothing: {} }))).to.deep.equal([
      "functions: nothing is mapped, but no name of Python's",
    ]);
  });

  for (const [owner, list] of Object.entries(mapping.constants)) {
    it(`constants of ${owner} have Python's values`, async () => {
      const { exports, unfinished } = await load(owner);
      const problems = [];
      for (const name of list) {
        const expected = names.constants.get(name);
        if (!(name in exports)) {
          if (!unfinished) problems.push(`${name} is not exported`);
        } else if (names.elsewhere.has(name)) {
          // where Linux has it too, the page says so
          const told = name in mapping.constantsDiffer;
          if ((exports[name] !== undefined) !== told) problems.push(`${name} is ${exports[name]} on Linux`);
        } else if (
          expected === undefined
            ? exports[name] === undefined && name !== 'SO_REUSEPORT_LB'
            : exports[name] !== expected
        ) {
          problems.push(`${name} is ${exports[name]}, in Python ${expected}`);
        }
      }
      expect(problems).to.deep.equal([]);
    });
  }

  it('constants of other systems have a value there', () => {
    const found = new Map();
    const modules = ['core', 'inet', 'unix', 'system'].map(
      (name) => pathToFileURL(path.join(root, `packages/${name}/dist/constants.gen.js`)).href,
    );
    for (const platform of ['darwin', 'freebsd', 'openbsd', 'win32']) {
      const program = `
        Object.defineProperty(process, 'platform', { value: '${platform}' });
        const modules = await Promise.all(${JSON.stringify(modules)}.map((module) => import(module)));
        console.log(JSON.stringify(Object.assign({}, ...modules)));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
      for (const [name, value] of Object.entries(JSON.parse(stdout))) {
        if (names.elsewhere.has(name)) found.set(name, value);
      }
    }
    const absent = Object.keys(mapping.absent);
    const lacking = [...names.elsewhere].filter((name) => !found.has(name) && !absent.includes(name));
    expect(lacking).to.deep.equal([]);
    expect(found.get('SO_EXCLUSIVEADDRUSE')).to.equal(-5);
    expect(found.get('SYSPROTO_CONTROL')).to.equal(2);
  });

  for (const kind of KINDS) {
    it(`${kind} are where the mapping says`, async () => {
      expect(await missing(Object.values(mapping[kind]).flatMap(({ here }) => here))).to.deep.equal([]);
    });
  }

  it('so is what came with later versions', async () => {
    expect(await missing(mapping.newer.flatMap(({ here }) => here))).to.deep.equal([]);
  });
});
