import { MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_WAITALL, poll, tryPoll } from '@sock/core';
import { expect } from 'chai';
import { startCommand } from '../children.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { failure } from './failures.js';
import { FORMS, perform } from './forms.js';

/** MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT. */
export function flagTests<A, I>(bench: Bench<A, I>): void {
  describe('flags', () => {
    if (bench.supports.peek) peekTests(bench);
    if (bench.isStream) waitAllTests(bench);
    if (bench.supports.oob) urgentTests(bench);

    it('MSG_DONTWAIT fails at once with EAGAIN where it would have to wait', async () => {
      const [a] = await bench.pair();
      const flags = MSG_DONTWAIT;
      const bytes = new Uint8Array(8);
      const calls: [string, ...unknown[]][] = [
        ['recv', 8, { flags }],
        ['recvInto', bytes, { flags }],
        ['recvFrom', 8, { flags }],
        ['recvFromInto', bytes, { flags }],
        ['recvMsg', 8, 0, { flags }],
        ['recvMsgInto', [bytes], 0, { flags }],
      ];
      for (const [operation, ...args] of calls) {
        for (const form of ['promise', 'sync'] as const) {
          const error = await failure(form, a, operation, ...args);
          expect(error.code, `${operation}, ${form}`).to.equal('EAGAIN');
        }
      }
      expect(a.tryRecv(8, { flags })).to.equal(null);
    });
  });
}

function peekTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} forms: MSG_PEEK takes nothing`, async () => {
      const [a, b] = await bench.pair();
      await a.send('look');
      const flags = MSG_PEEK;
      const bytes = Buffer.alloc(4);
      for (let i = 0; i < 2; i++) {
        expect((await perform(form, b, 'recv', 10, { flags })).toString()).to.equal('look');
        expect(await perform(form, b, 'recvInto', bytes, { flags })).to.equal(4);
        expect((await perform(form, b, 'recvFrom', 10, { flags })).data.toString()).to.equal('look');
        expect((await perform(form, b, 'recvMsg', 10, 0, { flags })).data.toString()).to.equal('look');
      }
      expect((await perform(form, b, 'recv', 10)).toString()).to.equal('look');
      expect(b.tryRecv(10)).to.equal(null);
    });
  }

  it('a pending peek does not take what a later recv gets', async () => {
    const [a, b] = await bench.pair();
    const peeking = b.recv(10, { flags: MSG_PEEK });
    const receiving = b.recv(10);
    await turns(2);
    await a.send('once');
    expect((await within('the peek', peeking)).toString()).to.equal('once');
    expect((await within('the recv', receiving)).toString()).to.equal('once');
  });
}

function waitAllTests<A, I>(bench: Bench<A, I>): void {
  const flags = MSG_WAITALL;

  it('promise forms: MSG_WAITALL waits for every byte', async () => {
    const [a, b] = await bench.pair();
    const bytes = Buffer.alloc(6);
    for (const receive of [
      async () => (await b.recv(6, { flags })).toString(),
      async () => `${bytes.toString('latin1', 0, await b.recvInto(bytes, { flags }))}`,
      async () => (await b.recvFrom(6, { flags })).data.toString(),
      async () => (await b.recvMsg(6, 0, { flags })).data.toString(),
      async () => `${bytes.toString('latin1', 0, (await b.recvFromInto(bytes, { flags })).bytes)}`,
      async () => `${bytes.toString('latin1', 0, (await b.recvMsgInto([bytes], 0, { flags })).bytes)}`,
    ]) {
      const receiving = receive();
      for (const piece of ['ab', 'c', 'def', 'rest']) {
        await a.send(piece);
        await turns(2);
      }
      expect(await within('all of it', receiving)).to.equal('abcdef');
      expect((await b.recv(10)).toString()).to.equal('rest');
    }
  });

  it('sync form: MSG_WAITALL waits for every byte', async () => {
    const [a, b] = await bench.pair();
    await using child = startCommand('sh', ['-c', 'printf ab >&3; sleep 0.1; printf cdef >&3'], {
      descriptors: [a.fileno()],
    });
    b.timeout = 10_000;
    expect(b.recvSync(6, { flags }).toString()).to.equal('abcdef');
    await child.succeeded();
  });

  if (bench.tellsEnd) {
    it('MSG_WAITALL gives what came before the end', async () => {
      const [a, b] = await bench.pair();
      const receiving = b.recv(6, { flags });
      await a.send('abc');
      await turns(2);
      bench.finish(a);
      expect((await within('the rest', receiving)).toString()).to.equal('abc');
      expect((await b.recv(6, { flags })).length).to.equal(0);
    });
  }

  if (!bench.supports.peekAcross) return;

  it('try form: MSG_WAITALL gives all or null', async () => {
    const [a, b] = await bench.pair();
    await a.send('abc');
    await turns(2);
    expect(b.tryRecv(6, { flags })).to.equal(null);
    await a.send('def');
    expect((await perform('try', b, 'recv', 6, { flags })).toString()).to.equal('abcdef');
  });

  it('MSG_WAITALL with MSG_PEEK takes nothing', async () => {
    const [a, b] = await bench.pair();
    await a.send('abc');
    const peeking = b.recv(6, { flags: MSG_WAITALL | MSG_PEEK });
    await turns(2);
    await a.send('def');
    expect((await within('the peek', peeking)).toString()).to.equal('abcdef');
    expect((await b.recv(6)).toString()).to.equal('abcdef');
  });
}

function urgentTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} form: MSG_OOB carries one urgent byte, which poll tells of`, async () => {
      const [a, b] = await bench.pair();
      expect(tryPoll([{ socket: b, priority: true }])).to.deep.equal([]);
      const polling = poll([{ socket: b, priority: true }]);
      await turns(2);
      await a.send('before');
      await perform(form, a, 'send', '!', { flags: MSG_OOB });
      const ready = await within('poll', polling);
      expect(ready.map(({ priority }) => priority)).to.deep.equal([true]);
      expect((await perform(form, b, 'recv', 1, { flags: MSG_OOB })).toString()).to.equal('!');
      expect((await perform(form, b, 'recv', 100)).toString()).to.equal('before');
    });
  }
}
