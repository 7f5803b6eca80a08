import { expect } from 'chai';
import { runMocha } from './run-mocha.js';

const CLEAN = `describe('clean', () => { it('does nothing', () => {}); });`;
const LEAKY = `import { openSync } from 'node:fs';
describe('leaky', () => { it('opens', () => { openSync('/dev/null'); }); });
describe('innocent', () => { it('does nothing', () => {}); });`;

describe('hooks of mocha', function () {
  this.timeout(30_000);

  it('let files pass that leave nothing behind', async () => {
    const { code, stdout } = await runMocha([CLEAN, CLEAN]);
    expect(code, stdout).to.equal(0);
  });

  it('fail a file that leaves a descriptor open, and no other', async () => {
    const { code, stdout } = await runMocha([CLEAN, LEAKY, CLEAN]);
    expect(code).to.equal(1);
    expect(stdout).to.match(/opened and left open: \d+ → \/dev\/null/);
    expect(stdout).to.include('4 passing').and.to.include('1 failing');
  });

  it('also where only a part of the file runs', async () => {
    const { code, stdout } = await runMocha([LEAKY, CLEAN], { args: ['--grep', 'opens'] });
    expect(code).to.equal(1);
    expect(stdout).to.include('/dev/null');
  });

  it('fail a file that closes what it did not open', async () => {
    const { code, stdout } = await runMocha([
      `import { closeSync, openSync } from 'node:fs';
      const fd = openSync('/dev/null');
      describe('thief', () => { it('closes', () => { closeSync(fd); }); });`,
    ]);
    expect(code).to.equal(1);
    expect(stdout).to.include('closed, though opened earlier');
  });

  it('wait for what the loop is closing', async () => {
    const { code, stdout } = await runMocha([
      `import net from 'node:net';
      describe('slow', () => {
        it('closes later', (done) => {
          const server = net.createServer().listen(0, () => { done(); setTimeout(() => server.close(), 50); });
        });
      });`,
    ]);
    expect(code, stdout).to.equal(0);
  });

  it('fail a file that caused a warning or left a socket to the collector', async () => {
    const { code, stdout } = await runMocha([
      `describe('noisy', () => { it('warns', () => { process.emitWarning('look at this', 'ResourceWarning'); }); });`,
      CLEAN,
    ]);
    expect(code).to.equal(1);
    expect(stdout).to.include('ResourceWarning: look at this');
  });

  it('fail where a rejection was not handled', async () => {
    const { code, stdout, stderr } = await runMocha([
      `describe('careless', () => {
        it('rejects', async () => {
          Promise.reject(new Error('nobody cares'));
          await new Promise((resolve) => setTimeout(resolve, 10));
        });
      });`,
    ]);
    expect(code).to.not.equal(0);
    expect(stdout + stderr).to.include('nobody cares');
  });

  it('stretch the limits of tests and hooks', async () => {
    const slow = `describe('slow', function () {
      this.timeout(100);
      before((done) => { setTimeout(done, 150); });
      it('takes its time', (done) => { setTimeout(done, 150); });
    });`;
    expect((await runMocha([slow])).code).to.equal(1);
    const { code, stdout } = await runMocha([slow], { env: { SOCK_TIME_SCALE: '10' } });
    expect(code, stdout).to.equal(0);
  });
});
