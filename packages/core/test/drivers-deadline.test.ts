import { constants } from 'node:os';
import { Deadline, MessageBatch, SOCK_DGRAM, Socket, SocketTimeoutError } from '@sock/core';
import { delay, failure, pattern, scaled, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { POLLOUT } from '#core/descriptor.js';
import { drain, fill, freshName, pair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { native, Script } from './support/script.js';

const { EAGAIN } = constants.errno;

describe('drivers: one deadline for the whole of an operation', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  function open(): [Socket<string>, Socket<string>] {
    const [a, b] = pair();
    return [stack.use(a), stack.use(b)];
  }

  it('each wait of a blocking operation is given what is left of the timeout', async () => {
    const [a] = open();
    // room for one byte every 30 ms
    const roomLater = (): number => {
      native.sleep(30);
      return POLLOUT;
    };
    const one = (fd: number, bytes: Uint8Array, offset: number): number => native.send(fd, bytes, offset, 1, 0);
    const script = new Script(a, {
      send: Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? one : -EAGAIN)),
      pollOne: Array<() => number>(100).fill(roomLater),
    });
    const error = await failure('sync', a, 'sendAll', pattern(1000), { timeout: 100 });
    expect(error).to.be.instanceOf(SocketTimeoutError);
    expect(error).to.include({ code: 'ETIMEDOUT', errno: -constants.errno.ETIMEDOUT, syscall: 'send' });
    expect(error.message).to.equal('send ETIMEDOUT: not done within 100 ms');
    const waits = script.args('pollOne').map(([, , limit]) => limit as number);
    expect(waits.length).to.be.within(1, 4);
    for (const [i, wait] of waits.entries()) {
      expect(wait).to.be.within(0, 100 - i * 30);
    }
    const sent = script.results('send').filter((count) => count > 0).length;
    expect(error.transferred, 'what was sent before').to.equal(sent);
  });

  for (const form of ['promise', 'sync'] as const) {
    it(`sendAll tells what it had sent when the time ran out (${form})`, async () => {
      const [a, b] = open();
      const room = fill(a);
      drain(b);
      const before = performance.now();
      const error = await failure(form, a, 'sendAll', Buffer.alloc(room * 3), { timeout: 60 });
      expect(performance.now() - before).to.be.within(59, scaled(5000));
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect(error.transferred).to.equal(drain(b));
    });

    it(`sendBatch tells how many messages it had sent when the time ran out (${form})`, async () => {
      const b = stack.use(new Socket(unix, SOCK_DGRAM));
      const name = freshName();
      b.bindSync(name);
      const a = stack.use(new Socket(unix, SOCK_DGRAM));
      a.connectSync(name);
      const batch = new MessageBatch({ count: 1000, size: 8 });
      for (let i = 0; i < 1000; i++) batch.push('datagram');
      const error = await failure(form, a, 'sendBatch', batch, { timeout: 60 });
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect(error.transferred)
        .to.equal(drain(b) / 8)
        .and.to.be.greaterThan(0);
    });

    it(`progress does not prolong the timeout (${form})`, async () => {
      const [a, b] = open();
      fill(a, 1);
      const trickle = setInterval(() => b.tryRecv(2000), 5);
      stack.defer(() => clearInterval(trickle));
      if (form === 'sync') {
        // while the thread is blocked nobody reads: the script makes the room
        const read = (fd: number, events: number, limit: number): number => {
          b.tryRecv(2000);
          return native.pollOne(fd, events, Math.min(limit, 5));
        };
        new Script(a, { pollOne: Array<typeof read>(10_000).fill(read) });
      }
      const before = performance.now();
      const error = await within('sendAll', failure(form, a, 'sendAll', Buffer.alloc(50_000_000), { timeout: 120 }));
      expect(error.code).to.equal('ETIMEDOUT');
      expect(error.transferred).to.be.greaterThan(0);
      expect(performance.now() - before).to.be.greaterThan(119);
    });

    it(`what arrives in time is not lost (${form})`, async () => {
      const [a, b] = open();
      const error = await failure(form, a, 'recv', 10, { timeout: 20 });
      expect(error.code).to.equal('ETIMEDOUT');
      b.sendSync('later');
      expect(String(a.tryRecv(10))).to.equal('later');
    });
  }

  it('a wait that ends early is continued: the timeout is a lower bound too', () => {
    const [a] = open();
    const early = (fd: number, events: number, limit: number): number => native.pollOne(fd, events, limit / 10);
    const script = new Script(a, { pollOne: Array<typeof early>(100).fill(early) });
    const before = performance.now();
    expect(() => a.recvSync(1, { timeout: 80 })).to.throw(SocketTimeoutError);
    expect(performance.now() - before).to.be.greaterThan(79);
    expect(script.count('pollOne')).to.be.greaterThan(1);
  });

  it('a long blocking wait comes up for air, so that its thread can be ended', () => {
    const [a] = open();
    const waits: number[] = [];
    const noted = (_fd: number, _events: number, limit: number): number => {
      waits.push(limit);
      return waits.length < 5 ? 0 : -constants.errno.EIO;
    };
    new Script(a, { pollOne: Array<typeof noted>(5).fill(noted) });
    expect(() => a.recvSync(1)).to.throw('recv EIO');
    expect(Math.max(...waits)).to.be.at.most(1000);
  });

  it('timeouts that are no whole milliseconds, or longer than a timer, are kept', async () => {
    const [a, b] = open();
    expect((await failure('promise', a, 'recv', 1, { timeout: 0.25 })).code).to.equal('ETIMEDOUT');
    expect((await failure('sync', a, 'recv', 1, { timeout: 0.25 })).code).to.equal('ETIMEDOUT');
    expect((await failure('promise', a, 'recv', 1, { timeout: Number.MIN_VALUE })).code).to.equal('ETIMEDOUT');
    const long = [2 ** 31, 2 ** 40, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map((timeout) =>
      a.recv(1, { timeout }),
    );
    b.sendSync('abcd');
    expect((await within('recv', Promise.all(long))).join('')).to.equal('abcd');
    b.sendSync('e');
    expect(String(a.recvSync(1, { timeout: Number.MAX_VALUE }))).to.equal('e');
  });

  it('data that are there win against a timeout that is over', async () => {
    const [a, b] = open();
    for (let i = 0; i < 20; i++) {
      b.sendSync('x');
      // whatever the driver does first, an attempt comes before giving up
      const received = a.recv(10, { timeout: 1 });
      native.sleep(5);
      expect(String(await received)).to.equal('x');
    }
    const pending = a.recv(10, { timeout: 20 });
    await new Promise((resolve) => setImmediate(resolve));
    b.sendSync('late');
    native.sleep(40);
    expect(String(await pending)).to.equal('late');
  });
});

describe('a deadline for an operation of several steps', () => {
  it('gives what is left, and then the error of a timeout', async () => {
    const deadline = new Deadline({ timeout: 30 }, null);
    expect(deadline.left('ask')).to.be.within(0, 30);
    await delay(40);
    const error = thrown(() => deadline.left('ask'));
    expect(error).to.be.instanceOf(SocketTimeoutError);
    expect(error).to.include({ code: 'ETIMEDOUT', errno: -constants.errno.ETIMEDOUT, syscall: 'ask' });
    expect(error.message).to.equal('ask ETIMEDOUT: not done within 30 ms');
  });

  it('may be none, or forbid to wait', () => {
    const { signal } = new AbortController();
    expect(new Deadline({ signal }, 50)).to.include({ timeout: 50, signal });
    for (const timeout of [null, Number.POSITIVE_INFINITY]) {
      expect(new Deadline({ timeout }, 50).left('ask')).to.equal(null);
    }
    const none = new Deadline({ timeout: 0 }, 50);
    expect(none.left('ask')).to.equal(0);
    expect(none.expired('ask')).to.include({ code: 'EAGAIN', syscall: 'ask' });
  });

  it('refuses what is no timeout, and no signal', () => {
    for (const timeout of ['1', -1, Number.NaN]) {
      expect(thrown(() => new Deadline({ timeout: timeout as number }, null))).to.include({ argument: 'timeout' });
    }
    expect(thrown(() => new Deadline({ signal: {} as AbortSignal }, null))).to.include({ argument: 'signal' });
  });
});
