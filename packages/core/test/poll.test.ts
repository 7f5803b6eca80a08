import { MSG_OOB, type PollInterest, type PollResult, poll, pollSync, type Socket, tryPoll } from '@sock/core';
import { delay, rejection, scaled, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { drain, fill, pair, refusingPort, tcpPair, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

/** A result as text: which of the sockets, and what for. */
function told(sockets: readonly unknown[], results: readonly PollResult[]): string[] {
  return results.map(({ socket, ...what }) => {
    const flags = Object.entries(what).filter(([, value]) => value);
    return [sockets.indexOf(socket), ...flags.map(([key]) => key)].join(' ');
  });
}

describe('poll', () => {
  const stack = new Cleanup();
  let pairs: [Socket<string>, Socket<string>][];
  let a: Socket<string>[];
  beforeEach(() => {
    pairs = [pair(), pair(), pair()];
    a = pairs.map(([first, second]) => {
      stack.use(second);
      return stack.use(first);
    });
  });
  afterEach(() => stack[Symbol.dispose]());

  const peer = (i: number): Socket<string> => pairs[i]?.[1] ?? expect.fail();
  const readable = (): PollInterest[] => a.map((socket) => ({ socket }));

  /** The three forms, each of which must tell the same of what is ready now. */
  const FORMS: readonly [string, (interests: Iterable<PollInterest>) => Promise<PollResult[]>][] = [
    ['poll', (interests) => poll(interests, { timeout: 1000 })],
    ['pollSync', async (interests) => pollSync(interests, { timeout: 1000 })],
    ['tryPoll', async (interests) => tryPoll(interests)],
  ];

  for (const [name, form] of FORMS) {
    it(`${name} tells which sockets are ready, and for what`, async () => {
      peer(1).sendSync('x');
      expect(told(a, await form(readable()))).to.deep.equal(['1 readable']);
      const both = a.map((socket) => ({ socket, readable: true, writable: true }));
      expect(told(a, await form(both))).to.deep.equal(['0 writable', '1 readable writable', '2 writable']);
      fill(a[2] ?? expect.fail());
      expect(told(a, await form(a.map((socket) => ({ socket, writable: true }))))).to.deep.equal([
        '0 writable',
        '1 writable',
      ]);
      peer(0).close();
      expect(told(a, await form(new Set(readable())))).to.deep.equal(['0 readable hangup', '1 readable']);
      expect(told(a, await form(a.map((socket) => ({ socket, readable: false }))))).to.deep.equal(['0 hangup']);
    });

    it(`${name} tells of errors and of urgent data`, async () => {
      const socket = stack.use(udp());
      socket.connectSync(refusingPort());
      socket.sendSync('x');
      await delay(10);
      expect(told([socket], await form([{ socket: socket as Socket<never>, readable: false }]))).to.deep.equal([
        '0 error',
      ]);
      const [c, d] = tcpPair();
      stack.use(d).sendSync('!', { flags: MSG_OOB });
      await stack
        .use(c)
        .waitReadable({ timeout: 20 })
        .catch(() => {});
      expect(told([c], await form([{ socket: c, priority: true }]))).to.deep.equal(['0 priority']);
    });
  }

  it('gives none where there are none, or when the time ran out', async () => {
    expect(tryPoll(readable())).to.deep.equal([]);
    expect(tryPoll([])).to.deep.equal([]);
    expect(pollSync([], { timeout: 0 })).to.deep.equal([]);
    const before = performance.now();
    expect(pollSync(readable(), { timeout: 30 })).to.deep.equal([]);
    expect(performance.now() - before).to.be.within(29, scaled(5000));
    expect(await poll(readable(), { timeout: 30 })).to.deep.equal([]);
    expect(performance.now() - before).to.be.within(59, scaled(5000));
    expect(await poll(readable(), { timeout: 0 })).to.deep.equal([]);
  });

  it('waits for the first of them', async () => {
    const polling = poll(readable());
    await turns(3);
    peer(2).sendSync('x');
    expect(told(a, await within('poll', polling))).to.deep.equal(['2 readable']);
    fill(a[0] ?? expect.fail());
    const writing = poll([{ socket: a[0] ?? expect.fail(), writable: true }]);
    await turns(3);
    drain(peer(0));
    expect(told(a, await within('poll', writing))).to.deep.equal(['0 writable']);
  });

  it('waits for urgent data, past data that are not', async () => {
    const [c, d] = tcpPair();
    stack.use(c);
    stack.use(d).sendSync('not urgent');
    const polling = poll([{ socket: c, priority: true }]);
    const { user, system } = process.cpuUsage();
    expect(await Promise.race([polling, delay(300)])).to.equal(undefined);
    const used = process.cpuUsage();
    expect(used.user + used.system - user - system, 'microseconds').to.be.below(200_000);
    d.sendSync('!', { flags: MSG_OOB });
    expect(told([c], await within('poll', polling))).to.deep.equal(['0 priority']);
  });

  it('waits for an error or a hang-up alone, past data, without spinning', async () => {
    peer(0).sendSync('data');
    const polling = poll([{ socket: a[0] ?? expect.fail(), readable: false }]);
    const { user, system } = process.cpuUsage();
    expect(await Promise.race([polling, delay(300)])).to.equal(undefined);
    const used = process.cpuUsage();
    expect(used.user + used.system - user - system, 'microseconds').to.be.below(200_000);
    peer(0).close();
    expect(told(a, await within('poll', polling))).to.deep.equal(['0 hangup']);
  });

  it('can be cancelled', async () => {
    const controller = new AbortController();
    const polling = rejection(poll(readable(), { signal: controller.signal }));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await polling).to.equal(reason);
    expect(await rejection(poll(readable(), { signal: controller.signal }))).to.equal(reason);
    peer(0).sendSync('kept');
    expect(String(await a[0]?.recv(10))).to.equal('kept');
  });

  it('ends where a socket is closed meanwhile', async () => {
    const polling = rejection(poll(readable()));
    await turns(1);
    a[1]?.close();
    expect((await within('poll', polling)).code).to.equal('ECANCELED');
    for (const [, form] of FORMS) {
      expect(await rejection(form(readable()))).to.include({ code: 'EBADF', syscall: 'poll' });
    }
  });

  it('leaves pending operations alone, and waits behind them', async () => {
    const first = a[0]?.recv(1) ?? expect.fail();
    const polling = poll(readable());
    await turns(2);
    peer(0).sendSync('xy');
    expect(String(await first)).to.equal('x');
    expect(told(a, await within('poll', polling))).to.deep.equal(['0 readable']);
    expect(String(a[0]?.tryRecv(10))).to.equal('y');
  });

  it('takes many sockets, again and again', async () => {
    const many = Array.from({ length: 40 }, () => {
      const [c, d] = pair();
      return [stack.use(c), stack.use(d)] as const;
    });
    const sockets = many.map(([c]) => c);
    for (let i = 0; i < 40; i += 7) {
      const polling = poll(sockets.map((socket) => ({ socket })));
      await turns(1);
      many[i]?.[1].sendSync('x');
      expect(told(sockets, await within('poll', polling))).to.deep.equal([`${i} readable`]);
      expect(told(sockets, pollSync(sockets.map((socket) => ({ socket }))))).to.deep.equal([`${i} readable`]);
      sockets[i]?.recvSync(1);
    }
  });

  it('takes one socket more than once', () => {
    const [socket] = a as [Socket<string>];
    peer(0).sendSync('x');
    const results = tryPoll([{ socket }, { socket, writable: true }]);
    expect(told(a, results)).to.deep.equal(['0 readable', '0 writable']);
  });

  it('bad arguments', async () => {
    const socket = a[0] as Socket<string>;
    const cases: readonly [unknown, unknown, string][] = [
      [7, {}, 'interests'],
      [null, {}, 'interests'],
      [undefined, {}, 'interests'],
      [{}, {}, 'interests'],
      [[7], {}, 'interests[0]'],
      [[{ socket }, null], {}, 'interests[1]'],
      [[{}], {}, 'interests[0].socket'],
      [[{ socket: 7 }], {}, 'interests[0].socket'],
      [[{ socket, readable: 1 }], {}, 'interests[0].readable'],
      [[{ socket, writable: 'yes' }], {}, 'interests[0].writable'],
      [[{ socket, priority: null }], {}, 'interests[0].priority'],
      [[{ socket }], null, 'options'],
      [[{ socket }], 7, 'options'],
      [[{ socket }], { timeout: -1 }, 'timeout'],
      [[{ socket }], { timeout: Number.NaN }, 'timeout'],
      [[{ socket }], { timeout: '1' }, 'timeout'],
    ];
    for (const [interests, options, argument] of cases) {
      expect(await rejection(poll(interests as never, options as never)), argument).to.include({ argument });
      expect(thrown(() => pollSync(interests as never, options as never))).to.include({ argument });
      if (argument.startsWith('interests')) expect(thrown(() => tryPoll(interests as never))).to.include({ argument });
    }
    expect(await rejection(poll([{ socket }], { signal: 7 as never }))).to.include({ argument: 'signal' });
    expect(unix.name).to.equal('unix');
  });
});
