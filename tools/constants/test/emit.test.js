import { expect } from 'chai';
import ts from 'typescript';
import { parseDefinitions } from '../src/definitions.js';
import { emit } from '../src/emit.js';
import { tableFromHeaders } from '../src/tables.js';

/**
 * @param {Record<string, unknown>} constants
 * @param {{ platform: string, values: Record<string, number | null> }[]} recordings
 */
function generated(constants, recordings = []) {
  const text = JSON.stringify({ groups: [{ title: 'Some', reference: 'socket(2)', headers: [], constants }] });
  const definitions = { name: 'some', input: '', output: '', groups: parseDefinitions(text, 'file') };
  const { table } = tableFromHeaders(definitions, ['cc'], 'linux');
  return emit(
    definitions,
    table,
    recordings.map(({ platform, values }) => ({ platform, source: '', packages: { some: values } })),
  );
}

/** @param {string} source */
function load(source) {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}

const platform = `${process.platform}-${process.arch}`;

describe('constants.gen.ts', () => {
  it('has a plain constant on one line for what all platforms share', () => {
    const text = generated({
      A: { value: 1, text: 'First.', since: 'Linux 6.5' },
      B: { value: -1 },
      C: { value: 'x' },
    });
    expect(text.split('\n').slice(2)).to.deep.equal([
      '',
      '// Some: socket(2)',
      '/** First. Since Linux 6.5. */ export const A = 1;',
      'export const B = -1;',
      "export const C = 'x';",
      '',
    ]);
  });

  it('cannot be ended early by a description', () => {
    const text = generated({ A: { value: 1, text: 'a */ b' } });
    expect(text).to.contain('/** a *\\/ b */ export const A = 1;');
  });

  it("takes another platform's value at run time, undefined where it lacks the name", async () => {
    const source = generated({ A: { value: 1 }, B: { value: 2 }, C: { value: 3 } }, [
      { platform, values: { A: 10, B: null } },
    ]);
    expect(source).to.contain('export const C = 3;');
    expect({ ...(await load(source)) }).to.deep.equal({ A: 10, B: undefined, C: 3 });
  });

  it('takes the usual value on a platform that was not recorded', async () => {
    const source = generated({ A: { value: 1 } }, [{ platform: 'linux-none', values: { A: 10 } }]);
    expect({ ...(await load(source)) }).to.deep.equal({ A: 1 });
  });

  it('gives a name younger than the recording the usual value on Linux, none elsewhere', () => {
    const constants = { A: { value: 1, platforms: ['linux', 'darwin'] } };
    expect(generated(constants, [{ platform: 'linux-ppc64', values: {} }])).to.contain('export const A = 1;');
    expect(generated(constants, [{ platform: 'darwin', values: {} }])).to.contain("'darwin': { A: undefined }");
  });

  it('has what only another system has', () => {
    const source = generated({ A: { value: { darwin: 7 }, platforms: ['darwin'] } }, [
      { platform: 'darwin', values: {} },
    ]);
    expect(source).to.contain("'darwin': { A: 7 }");
    expect(source).to.contain("export const A: number = here('A', undefined);");
  });

  it('has what only a system that was not recorded has, and says nothing of its other names', async () => {
    const constants = {
      A: { value: { win32: 7 }, platforms: ['win32'] },
      B: { value: { win32: 'x', freebsd: 'y' }, platforms: ['freebsd', 'win32'] },
      C: { value: 1 },
    };
    const source = generated(constants);
    expect(source).to.contain("  'freebsd': { B: 'y' },\n  'win32': { A: 7, B: 'x' },\n};");
    expect(source).to.contain("export const A: number = here('A', undefined);");
    expect(source).to.contain("export const B: string = here('B', undefined);");
    expect(source).to.contain('export const C = 1;');
    expect({ ...(await load(source)) }).to.deep.equal({ A: undefined, B: undefined, C: 1 });
  });
});
