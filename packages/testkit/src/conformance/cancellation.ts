import { getEventListeners } from 'node:events';
import { poll } from '@sock/core';
import { expect } from 'chai';
import { pattern } from '../fixtures.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { rejection } from './failures.js';
import { invoke } from './forms.js';
import { drain, empty, fullPair, receivingCalls, sendingCalls } from './waits.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** AbortSignal ends one operation, disturbs no other, and loses nothing. */
export function cancellationTests<A, I>(bench: Bench<A, I>): void {
  describe('cancellation', () => {
    receivingTests(bench);
    if (bench.supports.flowControl) sendingTests(bench);
    if (bench.accepts) acceptTests(bench);

    it('poll', async () => {
      const [a] = await bench.pair();
      const reason = new Error('enough');
      expect(await rejection(poll([{ socket: a }], { signal: AbortSignal.abort(reason) }))).to.equal(reason);
      const controller = new AbortController();
      const polling = rejection(poll([{ socket: a }, { socket: a, writable: false }], { signal: controller.signal }));
      await turns(2);
      controller.abort(reason);
      expect(await within('poll', polling)).to.equal(reason);
      expect(listeners(controller.signal)).to.equal(0);
    });
  });
}

function receivingTests<A, I>(bench: Bench<A, I>): void {
  it('a signal that is aborted already ends every operation before it begins', async () => {
    const [a, b] = await bench.pair();
    await a.send('kept');
    const reason = new Error('from the start');
    const signal = AbortSignal.abort(reason);
    const calls = receivingCalls(bench).concat(sendingCalls(bench));
    for (const { operation, args } of calls) {
      expect(await rejection(invoke('promise', b, operation, ...args, { signal })), operation).to.equal(reason);
    }
    expect((await b.recv(8)).toString()).to.equal('kept');
    expect(a.tryRecv(8), 'nothing was sent').to.equal(null);
  });

  it('each operation that receives rejects with the reason, and leaves no listener', async () => {
    const [a, b] = await bench.pair();
    for (const { operation, args } of receivingCalls(bench)) {
      const controller = new AbortController();
      const reason = { a: 'reason of any kind' };
      const pending = invoke('promise', b, operation, ...args, { signal: controller.signal }) as Promise<unknown>;
      const settled = pending.then(
        () => 'resolved',
        (error: unknown) => error,
      );
      await turns(2);
      controller.abort(reason);
      expect(await within(operation, settled)).to.equal(reason);
      expect(listeners(controller.signal), operation).to.equal(0);
    }
    await a.send('still here');
    expect((await b.recv(100)).toString()).to.equal('still here');
  });

  it('an operation that completes leaves no listener', async () => {
    const [a, b] = await bench.pair();
    const { signal } = new AbortController();
    const receiving = b.recv(8, { signal });
    await turns(2);
    await a.send('x', { signal });
    await within('recv', receiving);
    expect(listeners(signal)).to.equal(0);
    await expectTimeoutToLeaveNone();

    async function expectTimeoutToLeaveNone(): Promise<void> {
      await rejection(b.recv(8, { signal, timeout: 5 }));
      expect(listeners(signal)).to.equal(0);
    }
  });

  it('aborting without a reason gives an AbortError, AbortSignal.timeout a TimeoutError', async () => {
    const [, b] = await bench.pair();
    const controller = new AbortController();
    const receiving = rejection(b.recv(8, { signal: controller.signal }));
    await turns(1);
    controller.abort();
    expect((await within('recv', receiving)).name).to.equal('AbortError');
    expect((await within('recv', rejection(b.recv(8, { signal: AbortSignal.timeout(10) })))).name).to.equal(
      'TimeoutError',
    );
  });

  it('one of several is taken out, the others keep their order', async () => {
    const [a, b] = await bench.pair();
    const controllers = [0, 1, 2, 3, 4].map(() => new AbortController());
    const results = controllers.map(({ signal }) =>
      b.recv(8, { signal }).then(
        (data) => data.toString(),
        () => 'aborted',
      ),
    );
    await turns(2);
    controllers[1]?.abort();
    controllers[4]?.abort();
    await turns(1);
    // one at a time, so that a stream does not join them
    for (const [text, index] of [
      ['one', 0],
      ['two', 2],
      ['three', 3],
    ] as const) {
      await a.send(text);
      await within(text, results[index] as Promise<string>);
    }
    expect(await within('all', Promise.all(results))).to.deep.equal(['one', 'aborted', 'two', 'three', 'aborted']);
  });

  it('data that arrives at the moment of the abort goes to somebody', async () => {
    for (let round = 0; round < 30; round++) {
      const [a, b] = await bench.pair();
      const controller = new AbortController();
      const first = b.recv(8, { signal: controller.signal }).then(
        (data) => data.toString(),
        () => '',
      );
      const second = b.recv(8).then((data) => data.toString());
      if (round & 1) await turns(1);
      const sending = a.send('data');
      if (round & 2) await sending;
      if (round & 4) await turns(1);
      controller.abort();
      const got = await within('the first', first);
      if (got !== '') await a.send('more');
      expect([got, await within('the second', second)]).to.deep.equal(got === '' ? ['', 'data'] : ['data', 'more']);
      await sending;
      a.close();
      b.close();
    }
  });

  it('one signal ends many operations', async () => {
    const [a, b] = await bench.pair();
    const controller = new AbortController();
    const { signal } = controller;
    // more than the number of listeners that Node warns of
    const receiving = Array.from({ length: 30 }, () => rejection(b.recv(8, { signal })));
    await turns(2);
    controller.abort();
    for (const error of await within('all', Promise.all(receiving))) expect(error.name).to.equal('AbortError');
    expect(listeners(signal)).to.equal(0);
    await a.send('x');
    expect((await b.recv(8)).toString()).to.equal('x');
  });

  it('an abort after the end changes nothing', async () => {
    const [a, b] = await bench.pair();
    const controller = new AbortController();
    await a.send('x');
    const receiving = b.recv(8, { signal: controller.signal });
    await receiving;
    controller.abort();
    expect((await receiving).toString()).to.equal('x');
    await a.send('y');
    expect((await b.recv(8)).toString()).to.equal('y');
  });
}

function sendingTests<A, I>(bench: Bench<A, I>): void {
  it('each operation that sends rejects with the reason and sends nothing', async () => {
    const { a, b, taken } = await fullPair(bench);
    for (const { operation, args } of sendingCalls(bench)) {
      const controller = new AbortController();
      const reason = new Error(operation);
      const pending = rejection(invoke('promise', a, operation, ...args, { signal: controller.signal }));
      await turns(2);
      controller.abort(reason);
      expect(await within(operation, pending)).to.equal(reason);
      expect(listeners(controller.signal), operation).to.equal(0);
    }
    await empty(b, taken);
    await turns(2);
    expect(b.tryRecv(8)).to.equal(null);
    await a.send('after');
    expect((await b.recv(8)).toString()).to.equal('after');
  });

  it('sends behind one that is aborted go on', async () => {
    const { a, b, taken } = await fullPair(bench);
    const controller = new AbortController();
    const first = rejection(a.send('first', { signal: controller.signal }));
    const second = a.send('second');
    await turns(2);
    controller.abort();
    await within('the first', first);
    await empty(b, taken);
    await within('the second', second);
    expect((await b.recv(100)).toString()).to.equal('second');
  });

  it('sendAll that is aborted half-way has sent a beginning', async () => {
    if (!bench.isStream) return;
    const [a, b] = await bench.pair();
    const data = pattern(8 * 1024 * 1024, 11);
    const controller = new AbortController();
    const sending = rejection(a.sendAll(data, { signal: controller.signal }));
    const pieces = [await b.recv(100_000)];
    await turns(3);
    controller.abort();
    expect((await within('sendAll', sending)).name).to.equal('AbortError');
    pieces.push(drain(b));
    bench.finish(a);
    for await (const chunk of b.chunks()) pieces.push(chunk);
    const received = Buffer.concat(pieces);
    expect(received.length).to.be.below(data.length);
    expect(received.equals(data.subarray(0, received.length))).to.equal(true);
  });
}

function acceptTests<A, I>(bench: Bench<A, I>): void {
  it('accept: a connection that comes later goes to the next', async () => {
    const { server, address } = await bench.server();
    const controller = new AbortController();
    const first = rejection(server.accept({ signal: controller.signal }));
    const second = server.accept();
    await turns(2);
    controller.abort();
    expect((await within('the first', first)).name).to.equal('AbortError');
    const client = bench.open();
    const connecting = client.connect(address);
    const { socket } = await within('the second', second);
    bench.own(socket);
    await connecting;
  });

  it('connect with a signal that is aborted already connects nothing', async () => {
    const { server, address } = await bench.server();
    const reason = new Error('no');
    expect(await rejection(bench.open().connect(address, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    await turns(3);
    expect(server.tryAccept()).to.equal(null);
  });
}
