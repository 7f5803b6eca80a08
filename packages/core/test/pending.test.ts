import { constants } from 'node:os';
import { MSG_ERRQUEUE, Socket, SocketError } from '@sock/core';
import { delay, rejection, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { ERROR, READ, WRITE } from '#core/operation.js';
import { fill, freshName, pair, tcpServer, udp, unix } from './support/families.js';
import { Cleanup, eachPair } from './support/operations.js';
import { descriptorOf, Script } from './support/script.js';

describe('several pending operations', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  const stack = eachPair((first, second) => {
    a = first;
    b = second;
  });

  it('complete in the order in which they were made', async () => {
    const order: number[] = [];
    const receiving = Array.from({ length: 50 }, (_, i) =>
      a.recv(1).then((data) => {
        order.push(i);
        return String(data);
      }),
    );
    const text = Array.from({ length: 50 }, (_, i) => String.fromCharCode(48 + i)).join('');
    for (const piece of [text.slice(0, 7), text.slice(7, 8), text.slice(8)]) {
      b.sendSync(piece);
      await turns(2);
    }
    expect((await within('all', Promise.all(receiving))).join('')).to.equal(text);
    expect(order).to.deep.equal([...order].sort((x, y) => x - y));
  });

  it('of different kinds share one line', async () => {
    const target = Buffer.alloc(2);
    const results = [
      a.recv(2).then(String),
      a.recvInto(target),
      a.recvFrom(2).then(({ data }) => String(data)),
      a.recvMsg(2).then(({ data }) => String(data)),
      a.waitReadable().then(() => 'readable'),
      a.recv(2).then(String),
    ];
    b.sendSync('aabbccddee');
    expect(await within('all', Promise.all(results))).to.deep.equal(['aa', 2, 'cc', 'dd', 'readable', 'ee']);
    expect(String(target)).to.equal('bb');
  });

  it('sends are not interleaved', async () => {
    const room = fill(a);
    const pieces = ['A', 'B', 'C'].map((letter) => Buffer.alloc(room, letter));
    const sending = pieces.map((piece) => a.sendAll(piece));
    const received: Buffer[] = [];
    let total = 0;
    while (total < room * 4) {
      const data = await b.recv(65_536);
      total += data.length;
      received.push(data);
    }
    await within('sends', Promise.all(sending));
    const text = Buffer.concat(received).subarray(room).toString('latin1');
    expect(text).to.match(/^A+B+C+$/);
  });

  it('the abort of one neither disturbs the others nor loses data', async () => {
    for (const aborted of [0, 2, 4]) {
      const controllers = Array.from({ length: 5 }, () => new AbortController());
      const receiving = controllers.map(({ signal }) =>
        a.recv(1, { signal }).then(String, (reason: unknown) => `aborted: ${String(reason)}`),
      );
      controllers[aborted]?.abort('why not');
      await turns(2);
      b.sendSync('wxyz');
      const results = await within('all', Promise.all(receiving));
      expect(results.splice(aborted, 1)).to.deep.equal(['aborted: why not']);
      expect(results.join('')).to.equal('wxyz');
    }
  });

  it('the abort of all leaves the data to who comes next', async () => {
    const controller = new AbortController();
    const receiving = Array.from({ length: 30 }, () => rejection(a.recv(1, { signal: controller.signal })));
    controller.abort();
    const names = (await Promise.all(receiving)).map(({ name }) => name);
    expect(new Set(names)).to.deep.equal(new Set(['AbortError']));
    b.sendSync('kept');
    expect(String(await a.recv(10))).to.equal('kept');
  });

  it('an abort in the turn in which the data came does not lose them', async () => {
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const first = a.recv(10, { signal: controller.signal }).then(String, () => 'aborted');
      await turns(1);
      b.sendSync(`number ${i}`);
      if (i % 2 === 0) await Promise.resolve();
      controller.abort();
      const result = await first;
      const rest = a.tryRecv(10);
      expect([result, String(rest)], 'either was received, or is there still').to.deep.equal(
        result === 'aborted' ? ['aborted', `number ${i}`] : [`number ${i}`, 'null'],
      );
    }
  });

  it('a signal that is aborted already prevents the attempt', async () => {
    b.sendSync('kept');
    const reason = new Error('before');
    expect(await rejection(a.recv(10, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    expect(await rejection(a.connect('x', { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    expect(String(a.tryRecv(10))).to.equal('kept');
  });

  it('one that times out lets those behind it go on', async () => {
    const first = rejection(a.recv(1, { timeout: 20 }));
    const second = a.recv(1);
    expect((await first).code).to.equal('ETIMEDOUT');
    b.sendSync('x');
    expect(String(await within('second', second))).to.equal('x');
  });

  it('one that fails lets those behind it go on', async () => {
    const script = new Script(a, { recv: [-constants.errno.EAGAIN, -constants.errno.ENOBUFS] });
    const first = rejection(a.recv(1));
    const second = a.recv(1);
    b.sendSync('x');
    expect((await first).code).to.equal('ENOBUFS');
    expect(String(await within('second', second))).to.equal('x');
    expect(script.count('recv')).to.be.at.least(3);
  });

  it('timeout 0 does not overtake what is pending', async () => {
    const pending = a.recv(1);
    expect((await rejection(a.recv(1, { timeout: 0 }))).code).to.equal('EAGAIN');
    b.sendSync('x');
    expect(String(await pending)).to.equal('x');
  });

  it('each direction has a line of its own', async () => {
    const room = fill(a);
    const receiving = a.recv(3);
    const sending = a.sendAll(Buffer.alloc(100));
    b.sendSync('ok!');
    expect(String(await within('recv', receiving))).to.equal('ok!');
    let left = room + 100;
    while (left > 0) left -= (await b.recv(65_536)).length;
    await within('send', sending);
  });

  it('an operation that is pending makes no system calls while nothing happens', async () => {
    const server = stack.use(tcpServer());
    const c = stack.use(udp());
    const accepts = new Script(server, {});
    const reads = new Script(a, {});
    const datagrams = new Script(c, {});
    const controllers = Array.from({ length: 10 }, () => new AbortController());
    for (const { signal } of controllers) void server.accept({ signal }).catch(() => {});
    const pending = [server.accept(), a.recv(1), c.recvFrom(10)];
    for (const promise of pending) promise.catch(() => {});
    // others take what it was woken for, again and again; those before it are given up
    const other = stack.use(server.dup());
    for (const controller of controllers) {
      const client = stack.use(new Socket(server.family));
      client.connectSync(server.getsockname());
      const taken = other.tryAccept();
      if (taken !== null) stack.use(taken.socket);
      controller.abort();
      await turns(3);
    }
    await delay(50);
    const before = [accepts.log.length, reads.log.length, datagrams.log.length];
    await delay(500);
    expect([accepts.log.length, reads.log.length, datagrams.log.length]).to.deep.equal(before);
    for (const socket of [server, a, c]) socket.close();
  });
});

describe('close', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  type Opened = [string, Socket<unknown>, () => Promise<unknown>];

  function everyPendingOperation(): Opened[] {
    const opened: Opened[] = [];
    const reading = (name: string, start: (socket: Socket<string>) => Promise<unknown>): void => {
      const [a, b] = pair();
      stack.use(b);
      stack.use(a);
      opened.push([name, a as Socket<unknown>, () => start(a)]);
    };
    const writing = (name: string, start: (socket: Socket<string>) => Promise<unknown>): void => {
      reading(name, (socket) => {
        fill(socket);
        return start(socket);
      });
    };
    reading('recv', (s) => s.recv(1));
    reading('recvInto', (s) => s.recvInto(Buffer.alloc(1)));
    reading('recvFrom', (s) => s.recvFrom(1));
    reading('recvFromInto', (s) => s.recvFromInto(Buffer.alloc(1)));
    reading('recvMsg', (s) => s.recvMsg(1));
    reading('recvMsgInto', (s) => s.recvMsgInto([Buffer.alloc(1)]));
    reading('recvMsg', (s) => s.recvMsg(1, 0, { flags: MSG_ERRQUEUE }));
    reading('waitReadable', (s) => s.waitReadable());
    writing('send', (s) => s.send('x'));
    writing('sendAll', (s) => s.sendAll('x'));
    writing('sendMsg', (s) => s.sendMsg(['x']));
    writing('waitWritable', (s) => s.waitWritable());
    const server = stack.use(tcpServer());
    opened.push(['accept', server as Socket<never> as Socket<unknown>, () => server.accept()]);
    const listener = stack.use(new Socket(unix));
    const name = freshName();
    listener.bindSync(name);
    listener.listen(0);
    stack.use(new Socket(unix)).connectSync(name);
    const client = stack.use(new Socket(unix));
    opened.push(['connect', client as Socket<unknown>, () => client.connect(name)]);
    return opened;
  }

  it('rejects every pending operation with ECANCELED, and later ones with EBADF', async () => {
    for (const [name, socket, start] of everyPendingOperation()) {
      const ended = rejection(start());
      await turns(1);
      socket.close();
      const error = await within(name, ended);
      expect(error, name).to.be.instanceOf(SocketError);
      expect(error).to.include({ code: 'ECANCELED', errno: -constants.errno.ECANCELED });
      expect(error.message).to.match(/^\w+ ECANCELED.*: the socket was closed while this was pending$/);
      for (const direction of [READ, WRITE, ERROR] as const)
        expect(descriptorOf(socket).head(direction)).to.equal(null);
      const later = await rejection(socket.recv(1));
      expect(later).to.include({ code: 'EBADF', errno: -constants.errno.EBADF });
      expect(later.message).to.equal('recv EBADF: the socket is closed');
    }
  });

  it('rejects them in order, all of them', async () => {
    const [a, b] = pair();
    stack.use(b);
    const order: number[] = [];
    const ended = Array.from({ length: 20 }, (_, i) => a.recv(1).catch(() => order.push(i)));
    a.close();
    await Promise.all(ended);
    expect(order).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
  });

  it('is done when it returns: the descriptor is free and the peer sees the end', async () => {
    const [a, b] = pair();
    stack.use(b);
    const fd = a.fileno();
    const pending = a.recv(1).catch(() => 'rejected');
    a.close();
    expect([a.closed, a.fileno()]).to.deep.equal([true, -1]);
    expect(b.recvSync(1).length).to.equal(0);
    const next = stack.use(new Socket(unix));
    expect(next.fileno()).to.equal(fd);
    expect(await pending).to.equal('rejected');
  });

  it('detach rejects what is pending, and leaves the descriptor open', async () => {
    const [a, b] = pair();
    stack.use(b);
    const pending = rejection(a.recv(1));
    const fd = a.detach();
    expect((await pending).code).to.equal('ECANCELED');
    const again = stack.use(Socket.adopt(fd, unix));
    b.sendSync('still open');
    expect(String(await again.recv(100))).to.equal('still open');
  });
});
