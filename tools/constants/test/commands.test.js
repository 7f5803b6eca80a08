import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { check, checkPython, generate, hostProblem, recordPlatform } from '../src/commands.js';
import { DefinitionError } from '../src/definitions.js';

/** @typedef {import('../src/commands.js').Workspace} Workspace */

describe('generate and check', () => {
  /** @type {Workspace} */
  let workspace;

  beforeEach(() => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'constants-'));
    workspace = {
      root,
      recordings: path.join(root, 'platforms'),
      python: path.join(root, 'python.json'),
      compiler: ['cc'],
    };
    mkdirSync(workspace.recordings);
    writeFileSync(
      workspace.python,
      JSON.stringify({ constants: { AF_INET: 2, AF_INET6: 10, EBADF: 9 }, elsewhere: {} }),
    );
    define('one', { AF_INET: 'IPv4.' });
  });

  afterEach(() => rmSync(workspace.root, { recursive: true }));

  /**
   * @param {string} name
   * @param {Record<string, unknown>} constants
   */
  function define(name, constants) {
    mkdirSync(path.join(workspace.root, 'packages', name, 'src'), { recursive: true });
    const groups = [{ title: 'Some', headers: ['sys/socket.h'], constants }];
    writeFileSync(path.join(workspace.root, 'packages', name, 'constants.json'), JSON.stringify({ groups }));
  }

  /** @param {string} name */
  function output(name) {
    return path.join(workspace.root, 'packages', name, 'src', 'constants.gen.ts');
  }

  it('agree', () => {
    expect(generate(workspace, [])).to.deep.equal({
      lines: ['packages/one/src/constants.gen.ts: 1 constants'],
      problems: [],
    });
    expect(check(workspace, [])).to.deep.equal({ lines: ['1 constants of 1 packages are right'], problems: [] });
    expect(generate(workspace, ['one']).lines).to.deep.equal([
      'packages/one/src/constants.gen.ts: 1 constants, unchanged',
    ]);
  });

  it('show what differs', () => {
    generate(workspace, []);
    writeFileSync(output('one'), readFileSync(output('one'), 'utf8').replace('= 2;', '= 3;'));
    const { problems } = check(workspace, []);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/not up to date:\n- .*AF_INET = 3;\n\+ .*AF_INET = 2;$/);
  });

  it('report a file that is not there', () => {
    expect(check(workspace, []).problems.join()).to.match(/one\/src\/constants\.gen\.ts is not up to date/);
  });

  it('report a value that the headers contradict, and write nothing', () => {
    define('one', { AF_INET: { value: 3 } });
    expect(generate(workspace, []).problems).to.deep.equal([
      'one: AF_INET: is 2 in the headers, 3 in constants.json (<sys/socket.h>)',
    ]);
    expect(() => readFileSync(output('one'))).to.throw(/ENOENT/);
  });

  it('report a name without a value', () => {
    define('one', { AF_NONE_SUCH: '' });
    expect(generate(workspace, []).problems).to.deep.equal([
      'one: AF_NONE_SUCH: is not in the headers, and has no "value" (<sys/socket.h>)',
    ]);
  });

  it("report a value that is not Python's", () => {
    writeFileSync(workspace.python, JSON.stringify({ constants: { AF_INET: 3 }, elsewhere: { other: ['A'] } }));
    generate(workspace, []);
    expect(check(workspace, []).problems).to.deep.equal(['one: AF_INET is 2, in Python 3']);
  });

  it('report a name that two packages have with different values', () => {
    define('two', { AF_INET: { expression: 'AF_INET + 1' } });
    generate(workspace, []);
    expect(check(workspace, []).problems).to.include('AF_INET is 2 in one, 3 in two');
  });

  it("list Python's constants that are not here", () => {
    expect(checkPython(workspace)).to.deep.equal({
      lines: ["1 of Python's 3 constants are here", '  AF_INET6 10', '  EBADF 9 (os.constants.errno of Node has it)'],
      problems: [],
    });
  });

  it('refuse a package that is not there', () => {
    expect(() => check(workspace, ['none'])).to.throw(DefinitionError, /none\/constants\.json: no such file/);
  });

  it('record where another Linux differs', () => {
    define('one', { AF_INET: '', OTHER: { expression: 'sizeof(char[OTHER_MACHINE + 1])' } });
    const other = { ...workspace, compiler: ['cc', '-DOTHER_MACHINE=0'] };
    recordPlatform(other, 'linux-none', 'a compiler', ['cc', '-DOTHER_MACHINE=4']);
    expect(JSON.parse(readFileSync(path.join(workspace.recordings, 'linux-none.json'), 'utf8'))).to.deep.equal({
      platform: 'linux-none',
      source: 'a compiler',
      packages: { one: { OTHER: 5 } },
    });
    expect(generate(other, []).problems).to.deep.equal([]);
    expect(readFileSync(output('one'), 'utf8')).to.contain("export const OTHER: number = here('OTHER', 1);");
    expect(hostProblem(workspace.recordings, 'linux', 'none')).to.match(/the headers of linux-none differ/);
    expect(hostProblem(workspace.recordings, 'linux', 'x64')).to.equal(undefined);
  });
});
