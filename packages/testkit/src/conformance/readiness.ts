import { type PollInterest, poll, pollSync, tryPoll } from '@sock/core';
import { expect } from 'chai';
import { startCommand } from '../children.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { rejection } from './failures.js';
import { FORMS } from './forms.js';
import { empty, fullPair } from './waits.js';

/** waitReadable, waitWritable, and poll over several sockets. */
export function readinessTests<A, I>(bench: Bench<A, I>): void {
  describe('readiness', () => {
    waitTests(bench);
    pollTests(bench);
  });
}

function waitTests<A, I>(bench: Bench<A, I>): void {
  it('waitReadable waits for data and takes none', async () => {
    const [a, b] = await bench.pair();
    expect(b.tryWaitReadable()).to.equal(false);
    const waiting = [b.waitReadable(), b.waitReadable()];
    await turns(2);
    await a.send('x');
    await within('waitReadable', Promise.all(waiting));
    b.waitReadableSync();
    expect(b.tryWaitReadable()).to.equal(true);
    expect((await b.recv(8)).toString()).to.equal('x');
    expect(b.tryWaitReadable()).to.equal(false);
  });

  if (bench.supports.write) {
    it('waitReadableSync waits for another process', async () => {
      const [a, b] = await bench.pair();
      await using child = startCommand('sh', ['-c', 'sleep 0.1; printf x >&3'], { descriptors: [a.fileno()] });
      b.waitReadableSync({ timeout: 10_000 });
      expect(b.tryRecv(8)?.toString()).to.equal('x');
      await child.succeeded();
    });
  }

  it('waitWritable is done at once while there is room', async () => {
    const [a] = await bench.pair();
    await within('waitWritable', a.waitWritable());
    a.waitWritableSync();
    expect(a.tryWaitWritable()).to.equal(true);
  });

  if (bench.supports.flowControl) {
    it('waitWritable waits for room', async () => {
      const { a, b, taken } = await fullPair(bench);
      // a datagram socket is writable for some families while its peer's queue is full
      if (bench.isDatagram) return;
      expect(a.tryWaitWritable()).to.equal(false);
      const waiting = a.waitWritable();
      await turns(2);
      await empty(b, taken);
      await within('waitWritable', waiting);
      expect(a.tryWaitWritable()).to.equal(true);
    });
  }

  if (bench.supports.endOfFile) {
    it('an end is readable', async () => {
      const [a, b] = await bench.pair();
      const waiting = b.waitReadable();
      await turns(2);
      a.close();
      await within('waitReadable', waiting);
      expect(b.tryWaitReadable()).to.equal(true);
    });
  }

  if (bench.accepts) {
    it('a connection to accept is readable', async () => {
      const { server, address } = await bench.server();
      const waiting = server.waitReadable();
      const client = bench.open();
      const connecting = client.connect(address);
      await within('waitReadable', waiting);
      bench.own((await server.accept()).socket);
      await connecting;
    });
  }
}

function pollTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} form: poll names the sockets that are ready, and for what`, async () => {
      const pairs = [await bench.pair(), await bench.pair(), await bench.pair()];
      const sockets: PollInterest['socket'][] = pairs.map(([, b]) => b);
      await pairs[1]?.[0].send('x');
      await pairs[1]?.[1].waitReadable();
      const run = async (interests: PollInterest[]) => {
        if (form === 'promise') return await poll(interests);
        return form === 'sync' ? pollSync(interests) : tryPoll(interests);
      };
      const readable = await run(sockets.map((socket) => ({ socket })));
      expect(readable.map(({ socket }) => sockets.indexOf(socket))).to.deep.equal([1]);
      expect(readable[0]).to.include({ readable: true, writable: false, error: false });
      const writable = await run(sockets.map((socket) => ({ socket, writable: true })));
      expect(writable.map(({ readable: r, writable: w }) => [r, w])).to.deep.equal(Array(3).fill([false, true]));
      const both = await run(sockets.map((socket) => ({ socket, readable: true, writable: true })));
      expect(both.map(({ readable: r }) => r)).to.deep.equal([false, true, false]);
    });
  }

  it('poll waits for the first of several', async () => {
    const pairs = [await bench.pair(), await bench.pair(), await bench.pair()];
    const polling = poll(pairs.map(([, b]) => ({ socket: b })));
    await turns(2);
    await pairs[2]?.[0].send('x');
    const ready = await within('poll', polling);
    expect(ready.map(({ socket }) => socket)).to.deep.equal([pairs[2]?.[1]]);
    expect((await pairs[2]?.[1].recv(8))?.toString()).to.equal('x');
    // the others are as they were
    const receiving = pairs[0]?.[1].recv(8);
    await pairs[0]?.[0].send('y');
    expect((await within('recv', receiving as Promise<Buffer>)).toString()).to.equal('y');
  });

  it('poll over no sockets gives nothing when its time is over', async () => {
    expect(await poll([], { timeout: 5 })).to.deep.equal([]);
    expect(pollSync([], { timeout: 5 })).to.deep.equal([]);
    expect(tryPoll([])).to.deep.equal([]);
  });

  it('closing one of the sockets ends poll with ECANCELED', async () => {
    const [a, b] = await bench.pair();
    const polling = rejection(poll([{ socket: a }, { socket: b }]));
    await turns(2);
    b.close();
    expect((await within('poll', polling)).code).to.equal('ECANCELED');
  });

  it('the same socket may be named more than once', async () => {
    const [a, b] = await bench.pair();
    await a.send('x');
    await b.waitReadable();
    const ready = await poll([{ socket: b }, { socket: b, writable: true }]);
    expect(ready.map(({ readable, writable }) => [readable, writable])).to.deep.equal([
      [true, false],
      [false, true],
    ]);
  });
}
