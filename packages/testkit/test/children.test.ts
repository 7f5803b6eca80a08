import { closeSync, openSync } from 'node:fs';
import { itIf, python, runNode, runPython, startCommand, startNode } from '@sock/testkit';
import { expect } from 'chai';

describe('child processes', function () {
  this.timeout(30_000);

  it('run ES modules with the imports of the working directory', async () => {
    const source = `import { AF_UNIX } from '@sock/core'; console.log(AF_UNIX, process.argv.slice(1).join());`;
    expect((await runNode(source, { args: ['a', 'b'] })).stdout).to.equal('1 a,b\n');
  });

  it('run TypeScript', async () => {
    const source = `const n: number = 1; { using x = { [Symbol.dispose]() { console.log('gone'); } }; } console.log(n);`;
    expect((await runNode(source, { typescript: true })).stdout).to.equal('gone\n1\n');
  });

  it('tell how they ended', async () => {
    const { code, signal, stderr } = await runNode(`console.error('oops'); process.exitCode = 3;`);
    expect([code, signal, stderr]).to.deep.equal([3, null, 'oops\n']);
    const child = startNode(`process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 10_000);`);
    expect((await child.outcome).signal).to.equal('SIGTERM');
  });

  it('end at their time limit, and what they started too', async () => {
    const started = performance.now();
    const child = startCommand('sh', ['-c', 'sleep 30 & sleep 30'], { timeout: 200 });
    let message = '';
    await child.outcome.catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.include('did not end within');
    expect(performance.now() - started).to.be.below(20_000);
  });

  it('talk line by line, and get descriptors', async () => {
    const fd = openSync('/dev/null', 'r');
    await using child = startCommand('sh', ['-c', 'read a; echo "got $a"; readlink /proc/self/fd/3; read b'], {
      descriptors: [fd],
    });
    closeSync(fd);
    child.write('one\n');
    expect(await child.line()).to.equal('got one');
    await child.says('/dev/null');
  });

  it('a command that does not exist rejects', async () => {
    let code: string | undefined;
    await startCommand('no-such-command', []).outcome.catch((error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    expect(code).to.equal('ENOENT');
  });

  itIf(python, 'run Python', async () => {
    expect(await runPython('import sys; print(sys.argv[1])', ['x'])).to.equal('x\n');
  });
});
