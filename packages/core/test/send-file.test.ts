import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import { type Socket, SocketTimeoutError } from '@sock/core';
import { failure, pattern, rejection, sha256, tempPath, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { drain, fill, pair, tcpPair } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { native, Script } from './support/script.js';

const DATA = pattern(300_000);

describe('sendFile', () => {
  const stack = new Cleanup();
  let a: Socket<string>;
  let b: Socket<string>;
  let file: number;
  let path: string;
  beforeEach(() => {
    [a, b] = pair();
    stack.use(a);
    stack.use(b);
    path = tempPath();
    writeFileSync(path, DATA);
    file = openSync(path, 'r');
    stack.defer(() => closeSync(file));
  });
  afterEach(() => stack[Symbol.dispose]());

  async function received(length: number, from: Socket<never> = b as Socket<never>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (let total = 0; total < length; ) {
      const chunk = await within('recv', from.recv(65_536));
      expect(chunk.length, `${total} of ${length} bytes`).to.be.greaterThan(0);
      chunks.push(chunk);
      total += chunk.length;
    }
    return Buffer.concat(chunks);
  }

  it('a whole file, from its position, which advances', async () => {
    const sending = a.sendFile(file);
    expect(sha256(await received(DATA.length))).to.equal(sha256(DATA));
    expect(await sending).to.equal(DATA.length);
    expect(await a.sendFile(file), 'the position is the end').to.equal(0);
    expect(readSync(file, Buffer.alloc(1))).to.equal(0);
  });

  it('a part of it, without moving its position', async () => {
    const sent = await a.sendFile(file, { offset: 1000, count: 500 });
    expect(sent).to.equal(500);
    expect(await received(500)).to.deep.equal(DATA.subarray(1000, 1500));
    const first = Buffer.alloc(4);
    readSync(file, first);
    expect(first).to.deep.equal(DATA.subarray(0, 4));
    expect(await a.sendFile(file, { count: 6 })).to.equal(6);
    expect(await received(6)).to.deep.equal(DATA.subarray(4, 10));
    expect(await a.sendFile(file, { offset: DATA.length - 3, count: 100 })).to.equal(3);
    expect(await a.sendFile(file, { offset: DATA.length + 100 })).to.equal(0);
    expect(await a.sendFile(file, { count: 0 })).to.equal(0);
    expect(await received(3)).to.deep.equal(DATA.subarray(-3));
  });

  it('a FileHandle, over TCP too', async () => {
    const [c, d] = tcpPair();
    stack.use(c);
    stack.use(d);
    await using handle = await open(path);
    const sending = c.sendFile(handle, { offset: 0 });
    expect(sha256(await received(DATA.length, d as never))).to.equal(sha256(DATA));
    expect(await sending).to.equal(DATA.length);
  });

  it('blocking, and without waiting', async () => {
    expect(a.sendFileSync(file, { count: 5000 })).to.equal(5000);
    expect(await received(5000)).to.deep.equal(DATA.subarray(0, 5000));
    const first = a.trySendFile(file, { offset: 0 }) ?? 0;
    expect(first).to.be.within(1, DATA.length - 1);
    expect(a.trySendFile(file, { offset: first })).to.equal(null);
    expect(await received(first)).to.deep.equal(DATA.subarray(0, first));
    let offset = first;
    while (offset < DATA.length) {
      offset += a.trySendFile(file, { offset }) ?? 0;
      drain(b);
    }
    expect(a.trySendFile(file, { offset: DATA.length })).to.equal(0);
  });

  it('a pipe, which sendfile(2) refuses, is read and sent', async () => {
    for (const form of ['promise', 'sync'] as const) {
      const fifo = tempPath();
      execFileSync('mkfifo', [fifo]);
      const end = openSync(fifo, 'r+');
      writeFileSync(end, 'through a pipe');
      const script = new Script(a, {});
      const sent = form === 'promise' ? await a.sendFile(end, { count: 14 }) : a.sendFileSync(end, { count: 14 });
      closeSync(end);
      expect(sent).to.equal(14);
      expect(script.results('sendfile')).to.deep.equal([-constants.errno.EINVAL]);
      expect(String(await received(14))).to.equal('through a pipe');
    }
    new Script(a, { sendfile: [-constants.errno.EINVAL] });
    expect(thrown(() => a.trySendFile(file)).code, 'reading may wait').to.equal('EINVAL');
  });

  it('the fallback sends parts and ends with the file, too', async () => {
    const refuse = (): Script => new Script(a, { sendfile: [-constants.errno.EOPNOTSUPP] });
    refuse();
    const sending = a.sendFile(file, { offset: 10, count: 200_000 });
    expect(sha256(await received(200_000))).to.equal(sha256(DATA.subarray(10, 200_010)));
    expect(await sending).to.equal(200_000);
    refuse();
    expect(a.sendFileSync(file, { offset: DATA.length - 7 })).to.equal(7);
    expect(await received(7)).to.deep.equal(DATA.subarray(-7));
    refuse();
    expect(await a.sendFile(file, { offset: DATA.length - 7, count: 100 })).to.equal(7);
    refuse();
    const first = a.sendFileSync(file, { count: 10 });
    expect([first, (await received(17)).subarray(7)]).to.deep.equal([10, DATA.subarray(0, 10)]);
  });

  for (const form of ['promise', 'sync'] as const) {
    for (const fallback of [false, true]) {
      const how = `${form}, ${fallback ? 'fallback' : 'sendfile'}`;
      it(`a timeout is for all of it, and tells how much was sent (${how})`, async () => {
        if (fallback) new Script(a, { sendfile: [-constants.errno.EINVAL] });
        const error = await failure(form, a, 'sendFile', file, { timeout: 50 });
        expect(error).to.be.instanceOf(SocketTimeoutError);
        expect(error.transferred).to.equal(drain(b)).and.to.be.greaterThan(0);
      });
    }
  }

  it('can be cancelled, in the fallback too', async () => {
    for (const fallback of [false, true]) {
      const [c, d] = pair();
      stack.use(c);
      stack.use(d);
      if (fallback) new Script(c, { sendfile: [-constants.errno.EINVAL] });
      const controller = new AbortController();
      const sending = rejection(c.sendFile(file, { offset: 0, signal: controller.signal }));
      await turns(5);
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await within('sendFile', sending)).to.equal(reason);
    }
    const aborted = rejection(a.sendFile(file, { signal: AbortSignal.abort(new Error('before')) }));
    expect((await aborted).message).to.equal('before');
    expect(b.tryRecv(1)).to.equal(null);
  });

  it('an error of the connection tells how much was sent', async () => {
    const fifth = (...args: unknown[]): number => {
      args[3] = 100;
      return native.sendfile(...(args as Parameters<typeof native.sendfile>));
    };
    new Script(a, { sendfile: [fifth, fifth, -constants.errno.EPIPE] });
    expect(await rejection(a.sendFile(file))).to.include({ code: 'EPIPE', syscall: 'sendfile', transferred: 200 });
    b.close();
    expect(await rejection(a.sendFile(file))).to.include({ code: 'EPIPE', transferred: 0 });
  });

  it('waits in line with other sends', async () => {
    const room = fill(a);
    const first = a.sendAll('first');
    const second = a.sendFile(file, { offset: 0, count: 10 });
    const third = a.sendAll('third');
    expect((await received(room + 20)).subarray(room)).to.deep.equal(
      Buffer.concat([Buffer.from('first'), DATA.subarray(0, 10), Buffer.from('third')]),
    );
    await Promise.all([first, second, third]);
  });

  it('a large file leaves turns to others', async () => {
    const endless = openSync('/dev/zero', 'r');
    stack.defer(() => closeSync(endless));
    const script = new Script(a, {
      sendfile: Array.from({ length: 100 }, () => (_s: number, _f: number, _o: number, count: number) => count),
    });
    expect(await a.sendFile(endless, { count: 80 * 1024 * 1024 })).to.equal(80 * 1024 * 1024);
    expect(script.count('sendfile')).to.be.greaterThan(50);
    expect(script.count('arm'), 'it came back to the loop').to.be.greaterThan(0);
  });

  it('bad arguments', async () => {
    const cases: readonly [unknown, unknown, string][] = [
      ['path', {}, 'file'],
      [null, {}, 'file'],
      [{}, {}, 'file'],
      [{ fd: 'x' }, {}, 'file'],
      [-1, {}, 'file'],
      [1.5, {}, 'file'],
      [file, null, 'options'],
      [file, 7, 'options'],
      [file, { offset: -1 }, 'offset'],
      [file, { offset: '0' }, 'offset'],
      [file, { count: -1 }, 'count'],
      [file, { count: Number.NaN }, 'count'],
      [file, { timeout: 'x' }, 'timeout'],
      [file, { timeout: -1 }, 'timeout'],
    ];
    for (const [what, options, argument] of cases) {
      for (const form of ['promise', 'sync', 'try'] as const) {
        if (form === 'try' && argument === 'timeout') continue;
        expect(await failure(form, a, 'sendFile', what, options), argument).to.include({ argument });
      }
    }
    expect(await rejection(a.sendFile(file, { signal: 7 as never }))).to.include({ argument: 'signal' });
    expect(b.tryRecv(1)).to.equal(null);
    expect((await rejection(a.sendFile(99_999))).code).to.equal('EBADF');
    const handle = await open(path);
    await handle.close();
    expect(await rejection(a.sendFile(handle))).to.include({ argument: 'file' });
  });
});
