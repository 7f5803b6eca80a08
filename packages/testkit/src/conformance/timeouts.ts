import {
  getDefaultTimeout,
  poll,
  pollSync,
  SOCK_NONBLOCK,
  Socket,
  SocketTimeoutError,
  setDefaultTimeout,
} from '@sock/core';
import { expect } from 'chai';
import { delay, scaled, within } from '../time.js';
import type { Bench } from './bench.js';
import { failure, rejection, thrown } from './failures.js';
import { drain, empty, fullPair, receivingCalls, sendingCalls, type WaitingCall } from './waits.js';

const SHORT = 40;

/** Timeouts of every operation that waits, in every form. */
export function timeoutTests<A, I>(bench: Bench<A, I>): void {
  describe('timeouts', () => {
    defaultTests(bench);
    settingTests(bench);

    describe('receiving', () => {
      limitTests(async () => (await bench.pair())[0], receivingCalls(bench), true);
    });
    if (bench.supports.flowControl) {
      describe('sending', () => {
        const full = async () => (await fullPair(bench)).a;
        limitTests(full, sendingCalls(bench), false);
        progressTests(bench);
      });
    }
    if (bench.accepts) {
      describe('accepting', () => {
        limitTests(async () => (await bench.server()).server, [{ operation: 'accept', args: [] }], true);
      });
    }

    it('what arrives after a timeout is not lost', async () => {
      const [a, b] = await bench.pair();
      for (const form of ['promise', 'sync'] as const) {
        for (const { operation, args } of receivingCalls(bench)) {
          await failure(form, b, operation, ...args, { timeout: 1 });
        }
        await a.send('late');
        expect((await b.recv(8)).toString()).to.equal('late');
      }
    });

    it('a timeout of one operation leaves the others waiting', async () => {
      const [a, b] = await bench.pair();
      const first = b.recv(8);
      const second = rejection(b.recv(8, { timeout: SHORT }));
      const third = b.recv(8);
      expect(await within('the timeout', second)).to.be.instanceOf(SocketTimeoutError);
      await a.send('1');
      expect((await within('the first', first)).toString()).to.equal('1');
      await a.send('3');
      expect((await within('the third', third)).toString()).to.equal('3');
    });

    it('poll and pollSync give nothing when the time is over', async () => {
      const [a] = await bench.pair();
      const interests = [{ socket: a }];
      const started = performance.now();
      expect(pollSync(interests, { timeout: SHORT })).to.deep.equal([]);
      expect(performance.now() - started).to.be.at.least(SHORT);
      const again = performance.now();
      expect(await poll(interests, { timeout: SHORT })).to.deep.equal([]);
      expect(performance.now() - again).to.be.at.least(SHORT);
      expect(await poll(interests, { timeout: 0 })).to.deep.equal([]);
    });
  });
}

function limitTests(
  open: () => Promise<Socket<unknown, unknown>>,
  calls: readonly WaitingCall[],
  waits: boolean,
): void {
  for (const form of ['promise', 'sync'] as const) {
    it(`${form} forms: timeout 0 fails at once with EAGAIN`, async () => {
      const socket = await open();
      for (const { operation, args } of calls) {
        const error = await failure(form, socket, operation, ...args, { timeout: 0 });
        expect(error.code, operation).to.equal('EAGAIN');
        expect(error, operation).to.not.be.instanceOf(SocketTimeoutError);
      }
      socket.timeout = 0;
      for (const { operation, args } of calls) {
        expect((await failure(form, socket, operation, ...args)).code, operation).to.equal('EAGAIN');
      }
    });

    it(`${form} forms: a positive timeout is waited for, and is ETIMEDOUT`, async () => {
      const socket = await open();
      for (const { operation, args } of calls) {
        const started = performance.now();
        const error = await failure(form, socket, operation, ...args, { timeout: SHORT });
        const elapsed = performance.now() - started;
        expect(error, operation).to.be.instanceOf(SocketTimeoutError);
        expect(error.code, operation).to.equal('ETIMEDOUT');
        expect(error.message, operation).to.include(`${SHORT} ms`);
        expect(elapsed, operation).to.be.within(SHORT, scaled(5000));
      }
    });

    it(`${form} forms: the timeout of the socket holds where the call has none of its own`, async () => {
      const socket = await open();
      socket.timeout = SHORT;
      for (const { operation, args } of calls) {
        const started = performance.now();
        const error = await failure(form, socket, operation, ...args);
        expect(error, operation).to.be.instanceOf(SocketTimeoutError);
        expect(performance.now() - started, operation).to.be.at.least(SHORT);
      }
      socket.timeout = scaled(60_000);
      for (const { operation, args } of calls) {
        const error = await failure(form, socket, operation, ...args, { timeout: 1.5 });
        expect(error, operation).to.be.instanceOf(SocketTimeoutError);
      }
    });
  }

  if (!waits) return;
  it('null waits', async () => {
    const socket = await open();
    for (const { operation, args } of calls) {
      const states: string[] = [];
      const method = (socket as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[operation];
      socket.timeout = 1;
      void method?.apply(socket, [...args, { timeout: null }]).then(
        () => states.push('done'),
        (error: Error) => states.push(error.message),
      );
      await delay(10);
      expect(states, operation).to.deep.equal([]);
    }
  });
}

function progressTests<A, I>(bench: Bench<A, I>): void {
  it('the timeout of sendAll is for the whole of it, and the error tells how far it came', async () => {
    if (!bench.isStream) return;
    const [a, b] = await bench.pair();
    const size = 64 * 1024 * 1024;
    let reading = true;
    const reader = (async () => {
      // it goes on and on, but never fast enough
      while (reading) {
        await b.recv(16_384, { timeout: 1000 }).catch(() => {});
        await delay(5);
      }
    })();
    const error = await within('the timeout', rejection(a.sendAll(Buffer.alloc(size), { timeout: 120 })), 20_000);
    reading = false;
    expect(error).to.be.instanceOf(SocketTimeoutError);
    expect(error.transferred)
      .to.be.a('number')
      .within(1, size - 1);
    await reader;
  });

  it('sync form: the error of sendAll tells how far it came', async () => {
    if (!bench.isStream) return;
    const [a, b] = await bench.pair();
    const size = 64 * 1024 * 1024;
    const error = thrown(() => a.sendAllSync(Buffer.alloc(size), { timeout: SHORT }));
    expect(error).to.be.instanceOf(SocketTimeoutError);
    const sent = error.transferred ?? 0;
    expect(sent).to.be.within(1, size - 1);
    let received = drain(b).length;
    bench.finish(a);
    for await (const chunk of b.chunks()) received += chunk.length;
    expect(received).to.equal(sent);
  });

  it('what is sent after a timeout follows what was sent before', async () => {
    const { a, b, taken } = await fullPair(bench);
    for (const form of ['promise', 'sync'] as const) {
      expect((await failure(form, a, 'send', 'never', { timeout: 1 })).code).to.equal('ETIMEDOUT');
    }
    await empty(b, taken);
    await a.send('after');
    expect((await b.recv(100)).toString()).to.equal('after');
  });
}

function settingTests<A, I>(bench: Bench<A, I>): void {
  it('timeout and blocking are two views of one thing', async () => {
    const [socket] = await bench.pair();
    expect(socket.timeout).to.equal(null);
    expect(socket.blocking).to.equal(true);
    socket.blocking = false;
    expect(socket.timeout).to.equal(0);
    socket.timeout = 2500;
    expect([socket.timeout, socket.blocking]).to.deep.equal([2500, true]);
    socket.blocking = true;
    expect(socket.timeout).to.equal(null);
    socket.timeout = 0;
    expect(socket.blocking).to.equal(false);
    socket.timeout = 0.25;
    expect(socket.timeout).to.equal(0.25);
  });

  it('timeout 0 does not keep from what can be done at once', async () => {
    const [a, b] = await bench.pair();
    a.timeout = 0;
    b.timeout = 0;
    expect(await a.send('x')).to.equal(1);
    await b.waitReadable({ timeout: scaled(5000) });
    expect((await b.recv(1)).toString()).to.equal('x');
    expect(a.sendSync('y')).to.equal(1);
    await b.waitReadable({ timeout: scaled(5000) });
    expect(b.recvSync(1).toString()).to.equal('y');
  });
}

function defaultTests<A, I>(bench: Bench<A, I>): void {
  describe('default timeout', () => {
    afterEach(() => setDefaultTimeout(null));

    it('holds for new sockets', () => {
      const { family, type, protocol } = bench.traits;
      expect(getDefaultTimeout()).to.equal(null);
      setDefaultTimeout(1234);
      expect(getDefaultTimeout()).to.equal(1234);
      if (bench.hasAddresses) expect(bench.open().timeout).to.equal(1234);
      setDefaultTimeout(null);
      if (!bench.hasAddresses) return;
      expect(bench.open().timeout).to.equal(null);
      const socket = bench.own(new Socket(family, type | SOCK_NONBLOCK, protocol));
      expect(socket.timeout, 'SOCK_NONBLOCK').to.equal(0);
      expect(socket.type).to.equal(type);
    });

    if (!bench.accepts) return;
    for (const [setting, expected] of [
      [null, null],
      [4321, 4321],
    ] as const) {
      for (const own of [null, 5000, 0]) {
        it(`an accepted socket has the default timeout (${setting}), not its server's (${own})`, async () => {
          const { server, address } = await bench.server();
          server.timeout = own;
          const client = bench.open();
          const connecting = client.connect(address);
          await server.waitReadable({ timeout: null });
          setDefaultTimeout(setting);
          const { socket } = await server.accept();
          expect(bench.own(socket).timeout).to.equal(expected);
          await connecting;
        });
      }
    }
  });
}
