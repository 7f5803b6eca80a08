import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, checkPython, generate, hostProblem, recordPlatform } from './commands.js';
import { CompilerError } from './compiler.js';
import { DefinitionError } from './definitions.js';

const USAGE = `usage: node tools/constants/src/cli.js <command>

  generate [package…]  write packages/<package>/src/constants.gen.ts
  check [package…]     fail where generate would change a file, or a value is not Python's
  check --python       list Python's constants that no package has
  record <platform> <source> -- <compiler…>
                       read another platform's values with a compiler for it, into platforms/<platform>.json

No package named: all that have a constants.json. The compiler is $CC, or cc.`;

const tool = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const workspace = {
  root: path.dirname(path.dirname(tool)),
  recordings: path.join(tool, 'platforms'),
  python: path.join(tool, 'python-socket.json'),
  compiler: (process.env.CC ?? 'cc').split(' ').filter(Boolean),
};

/** @param {string[]} argv */
function run([command, ...rest]) {
  if (command === 'generate') return generate(workspace, rest);
  if (command === 'check') return rest.includes('--python') ? checkPython(workspace) : check(workspace, rest);
  const [platform, source, separator, ...compiler] = rest;
  if (command === 'record' && platform && source && separator === '--' && compiler.length > 0) {
    return recordPlatform(workspace, platform, source, compiler);
  }
  return { lines: [], problems: [USAGE] };
}

function main() {
  const problem = process.env.CC ? undefined : hostProblem(workspace.recordings, process.platform, process.arch);
  if (problem !== undefined) return { lines: [], problems: [problem] };
  try {
    return run(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CompilerError || error instanceof DefinitionError)) throw error;
    return { lines: [], problems: [error.message] };
  }
}

const { lines, problems } = main();
for (const line of lines) console.log(line);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
