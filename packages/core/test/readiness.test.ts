import { execFileSync } from 'node:child_process';
import { SHUT_RDWR, SHUT_WR, SO_RCVLOWAT, SOL_SOCKET, Socket } from '@sock/core';
import { delay, rejection, startNode, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { READABLE, WRITABLE } from '#core/loop.js';
import { drain, fill, pair, tcpPair, tcpServer } from './support/families.js';
import { eachPair } from './support/operations.js';
import { Script } from './support/script.js';

describe('readiness', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  const stack = eachPair((first, second) => {
    a = first;
    b = second;
  });

  it('waitReadable and waitWritable, in their three forms', async () => {
    expect(a.tryWaitReadable()).to.equal(false);
    expect(a.tryWaitWritable()).to.equal(true);
    expect(await a.waitWritable()).to.equal(undefined);
    expect(a.waitWritableSync()).to.equal(undefined);
    const readable = a.waitReadable();
    b.sendSync('x');
    await within('waitReadable', readable);
    a.waitReadableSync();
    expect(a.tryWaitReadable()).to.equal(true);
    fill(a);
    expect(a.tryWaitWritable()).to.equal(false);
    expect((await rejection(a.waitWritable({ timeout: 10 }))).code).to.equal('ETIMEDOUT');
    expect(() => a.waitWritableSync({ timeout: 10 })).to.throw('poll ETIMEDOUT');
    const writable = a.waitWritable();
    drain(b);
    await within('waitWritable', writable);
    drain(a);
    expect((await rejection(a.waitReadable({ timeout: 10 }))).code).to.equal('ETIMEDOUT');
    expect(() => a.waitReadableSync({ timeout: 10 })).to.throw('poll ETIMEDOUT');
  });

  it('the end, an error and a connection are readable too', async () => {
    const ended = a.waitReadable();
    b.shutdown(SHUT_WR);
    await within('the end', ended);
    const server = stack.use(tcpServer());
    const waiting = server.waitReadable();
    const client = stack.use(new Socket(server.family));
    client.connectSync(server.getsockname());
    await within('a connection', waiting);
    const { socket } = server.acceptSync();
    socket.shutdown(SHUT_RDWR);
    await within('hung up', stack.use(socket).waitReadable());
  });

  it('respects SO_RCVLOWAT', async () => {
    const [c, d] = tcpPair();
    stack.use(c);
    stack.use(d);
    c.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 4);
    const readable = c.waitReadable();
    d.sendSync('abc');
    expect(await Promise.race([readable.then(() => 'readable'), delay(30)])).to.equal(undefined);
    d.sendSync('d');
    await within('waitReadable', readable);
  });

  it('stops asking for what nobody waits for', async () => {
    const script = new Script(a, {});
    const received = a.recv(1);
    b.sendSync('xy');
    await received;
    await turns(5);
    const armed = script.args('arm').map(([, events]) => events);
    expect(armed[0]).to.equal(READABLE);
    expect(armed.at(-1), 'disarmed, with data there still').to.equal(0);
    const before = script.log.length;
    await turns(20);
    expect(script.log.length).to.equal(before);
    expect(String(await a.recv(1))).to.equal('y');
  });

  it('a request and its answer cost no change of the watch', async () => {
    const script = new Script(a, {});
    for (let i = 0; i < 20; i++) {
      const answer = a.recv(10);
      b.sendSync('answer');
      await answer;
      a.sendSync('request');
      b.recvSync(10);
    }
    expect(script.count('arm')).to.equal(1);
  });

  it('both directions are watched at once', async () => {
    fill(a);
    const script = new Script(a, {});
    const receiving = a.recv(1);
    const sending = a.send('x');
    expect(script.args('arm').at(-1)?.[1]).to.equal(READABLE | WRITABLE);
    b.sendSync('x');
    drain(b);
    await within('both', Promise.all([receiving, sending]));
  });

  it('what cannot be polled is tried again from time to time', async () => {
    const c = stack.use(Socket.adopt(a.detach(), { ...a.family, unpollable: true }));
    const script = new Script(c, {});
    const waiting = c.recv(8);
    setTimeout(() => b.sendSync('promise'), 20);
    expect((await within('recv', waiting)).toString()).to.equal('promise');
    fill(c);
    const sending = c.send('x');
    setTimeout(() => drain(b), 20);
    expect(await within('send', sending)).to.equal(1);
    expect(() => c.recvSync(8, { timeout: 60 })).to.throw('ETIMEDOUT');
    expect((await rejection(c.recv(8, { timeout: 60 }))).code).to.equal('ETIMEDOUT');
    expect([script.count('arm'), script.count('pollOne'), script.count('edgeOpen')]).to.deep.equal([0, 0, 0]);
    // pauses grow: 1, 1, 1, 2, 4 … milliseconds
    expect(script.count('recv')).to.be.lessThan(40);
    script.log.length = 0;
    const idle = rejection(c.recv(8));
    await turns(3);
    c.close();
    expect((await within('close', idle)).code).to.equal('ECANCELED');
  });

  it('a socket that always has data does not keep timers and other sockets waiting', async () => {
    const [c, d] = pair();
    stack.use(c);
    stack.use(d);
    b.setsockopt(SOL_SOCKET, 7, 200_000);
    let timers = 0;
    const timer = setInterval(() => timers++, 1);
    stack.defer(() => clearInterval(timer));
    let heard = false;
    const other = c.recv(10).then(() => {
      heard = true;
    });
    setTimeout(() => d.sendSync('hello'), 5);
    let rounds = 0;
    const limit = performance.now() + 5000;
    while ((timers < 3 || !heard) && performance.now() < limit) {
      fill(b, 1000);
      // never empty: each receive completes without waiting
      await a.recv(10);
      rounds++;
    }
    expect(heard, `after ${rounds} receives`).to.equal(true);
    expect(timers).to.be.at.least(3);
    await other;
  });

  it('nor does one that can always send, or always connect', async () => {
    let timers = 0;
    const timer = setInterval(() => timers++, 1);
    stack.defer(() => clearInterval(timer));
    const limit = performance.now() + 5000;
    while (timers < 3 && performance.now() < limit) {
      await a.send('x');
      b.tryRecv(10);
    }
    expect(timers).to.be.at.least(3);
    timers = 0;
    while (timers < 3 && performance.now() < limit) await a.waitWritable();
    expect(timers).to.be.at.least(3);
    timers = 0;
    while (timers < 3 && performance.now() < limit) await rejection(a.connect('nowhere'));
    expect(timers).to.be.at.least(3);
  });

  it('an event of a descriptor that was closed does not reach the next of the same number', async () => {
    for (let i = 0; i < 50; i++) {
      const [c, d] = pair();
      const ended = rejection(c.recv(1));
      await turns(1);
      d.sendSync('for the old one');
      const fd = c.fileno();
      c.close();
      const [e, f] = pair();
      expect([e.fileno(), f.fileno()]).to.include(fd);
      const [reused, peer] = e.fileno() === fd ? [e, f] : [f, e];
      const waiting = reused.recv(20);
      expect(await Promise.race([waiting.then(String), turns(3).then(() => 'nothing')])).to.equal('nothing');
      peer.sendSync('for the new one');
      expect(String(await within('recv', waiting))).to.equal('for the new one');
      expect((await ended).code).to.equal('ECANCELED');
      for (const socket of [d, e, f]) socket.close();
    }
  });

  it('sockets that are closed in the same turn as others become ready', async () => {
    const pairs = Array.from({ length: 300 }, () => pair());
    let closed = 0;
    const results = pairs.map(([c], i) =>
      c.recv(1).then(
        () => {
          // those that are ready in the same turn are closed by those before them
          pairs[(i + 150) % 300]?.[0].close();
          return 'received';
        },
        () => {
          closed++;
          return 'closed';
        },
      ),
    );
    await turns(1);
    for (const [, d] of pairs) d.sendSync('x');
    const outcome = await within('all', Promise.all(results));
    expect(outcome).to.have.length(300);
    expect(outcome.filter((word) => word === 'closed')).to.have.length(closed);
    for (const sockets of pairs) for (const socket of sockets) socket.close();
  });

  it('ref and unref give the socket, and may be called any time', async () => {
    expect(a.unref()).to.equal(a);
    const received = a.recv(1);
    expect(a.ref()).to.equal(a);
    a.unref().unref().ref().ref();
    b.sendSync('x');
    expect(String(await received)).to.equal('x');
    a.close();
    expect(a.ref().unref()).to.equal(a);
  });
});

describe('what keeps a process alive', () => {
  const program = (body: string): string => `
    import { Socket, SOCK_STREAM } from '@sock/core';
    const unix = { name: 'unix', domain: 1, encode: () => 2, decode: () => '', format: () => '' };
    const [a, b] = Socket.pair(unix);
    // not collected before the process ends
    globalThis.kept = [a, b];
    ${body}
  `;

  async function ends(body: string): Promise<string> {
    const { stdout } = await startNode(program(body), { input: '', timeout: 10_000 }).succeeded();
    return stdout;
  }

  it('not an open socket', async () => {
    expect(await ends('console.log("done")')).to.equal('done\n');
  });

  it('not a socket that was used and is idle', async () => {
    expect(await ends('const r = a.recv(1); b.sendSync("x"); await r; console.log("done")')).to.equal('done\n');
  });

  it('a pending operation', async () => {
    const body = `
      a.recv(1).then((data) => console.log('received', String(data)));
      setTimeout(() => b.sendSync('x'), 100).ref();
      process.on('exit', () => console.log('exit'));
    `;
    expect(await ends(body)).to.equal('received x\nexit\n');
    await using child = startNode(program('a.recv(1); console.log("waits")'), { input: '' });
    await child.line();
    expect(await Promise.race([child.outcome.then(() => 'ended'), delay(300).then(() => 'alive')])).to.equal('alive');
  });

  it('a pending operation with a timeout ends when that is over', async () => {
    const body = 'await a.recv(1, { timeout: 50 }).catch((error) => console.log(error.code))';
    expect(await ends(body)).to.equal('ETIMEDOUT\n');
  });

  it('not a pending operation of a socket that was unreferenced, before or after', async () => {
    expect(await ends('a.unref(); a.recv(1); b.recv(1).catch(() => {}); b.unref(); console.log("done")')).to.equal(
      'done\n',
    );
  });

  it('not what was aborted, timed out, or closed', async () => {
    const body = `
      const controller = new AbortController();
      const { signal } = controller;
      const all = [a.recv(1, { signal }), a.recv(1, { timeout: 1 }), b.recv(1)];
      const codes = all.map((promise) => promise.catch((error) => error.name));
      controller.abort();
      await codes[1];
      b.close();
      console.log((await Promise.all(codes)).join(' '));
    `;
    expect(await ends(body)).to.equal('AbortError SocketTimeoutError SocketError\n');
  });

  it('an iteration over what a socket receives', async () => {
    const body = `
      setTimeout(() => { b.sendSync('last'); b.close(); }, 50);
      for await (const chunk of a.chunks()) console.log(String(chunk));
    `;
    expect(await ends(body)).to.equal('last\n');
  });

  it('process.exit ends it with operations pending and sockets open', async () => {
    const body = `
      a.recv(1).catch(() => {});
      for (let i = 0; i < 20; i++) Socket.pair(unix)[0].recv(1).catch(() => {});
      setImmediate(() => process.exit(7));
    `;
    const { code, stderr } = await startNode(program(body), { input: '' }).outcome;
    expect([code, stderr]).to.deep.equal([7, '']);
  });

  it('a socket that is closed with operations pending rejects nothing that is handled', async () => {
    const body = `
      process.on('unhandledRejection', (reason) => { console.log('unhandled', reason); process.exit(1); });
      const all = [a.recv(1), a.recvInto(Buffer.alloc(1)), a.waitReadable(), b.recv(1, { timeout: 1000 })];
      const settled = Promise.allSettled(all);
      const iterator = a.chunks()[Symbol.asyncIterator]();
      const next = iterator.next();
      a.close();
      b.close();
      console.log((await settled).map(({ reason }) => reason.code).join(' '), (await next).done);
    `;
    expect(await ends(body)).to.equal('ECANCELED ECANCELED ECANCELED ECANCELED true\n');
  });

  it('an error condition that nobody takes away costs no processor time', async () => {
    // a connected UDP socket with IP_RECVERR, whose datagrams were refused: POLLERR stays
    const body = `
      import { MSG_ERRQUEUE, SOCK_DGRAM } from '@sock/core';
      const encode = (address, into) => (into.set(address, 2), 2 + address.length);
      const inet = { name: 'inet', domain: 2, encode, decode: (bytes) => bytes.slice(2), format: String };
      const free = new Socket(inet, SOCK_DGRAM);
      free.bindSync([0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
      const address = free.getsockname();
      free.close();
      const s = new Socket(inet, SOCK_DGRAM);
      s.setsockopt(0, 11, 1);
      s.bindSync([0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
      for (let i = 0; i < 3; i++) {
        s.sendToSync('x', address);
        await new Promise((r) => setTimeout(r, 20));
        if (s.getsockopt(1, 4) !== 111) throw new Error('nothing was refused');
      }
      const pending = [s.recv(10), s.recv(10)];
      const before = process.cpuUsage().user + process.cpuUsage().system;
      const loops = performance.eventLoopUtilization();
      await new Promise((r) => setTimeout(r, 1000));
      const used = process.cpuUsage().user + process.cpuUsage().system - before;
      const blocking = process.cpuUsage().user + process.cpuUsage().system;
      try {
        s.recvSync(10, { timeout: 1000 });
      } catch (error) {
        if (error.code !== 'ETIMEDOUT') throw error;
      }
      const blocked = process.cpuUsage().user + process.cpuUsage().system - blocking;
      // the error queue is there still, and a datagram is received all the same
      const errors = [];
      const next = () => s.tryRecvMsg(100, 512, { flags: MSG_ERRQUEUE });
      for (let message = next(); message !== null; message = next()) errors.push(message.ancillary.length);
      const other = new Socket(inet, SOCK_DGRAM);
      other.sendToSync('one', s.getsockname());
      other.sendToSync('two', s.getsockname());
      console.log(JSON.stringify({ used, blocked, errors, got: (await Promise.all(pending)).map(String) }));
    `;
    const { used, blocked, errors, got } = JSON.parse(await ends(body));
    expect(used, 'microseconds of one idle second').to.be.below(300_000);
    expect(blocked, 'microseconds of one blocked second').to.be.below(300_000);
    expect(errors).to.deep.equal([1, 1, 1]);
    expect(got).to.deep.equal(['one', 'two']);
  }).timeout(20_000);
});

describe('the limits of a process', () => {
  const prelude = `
    import { Socket, SOCK_STREAM } from '@sock/core';
    const encode = (path, into) => 2 + Buffer.from(into.buffer, into.byteOffset + 2, 106).write(path, 'latin1');
    const unix = { name: 'unix', domain: 1, encode, decode: () => '', format: (path) => path.replace('\\0', '@') };
  `;

  /** Runs a program with a standard input that is closed, and at most so many descriptors. */
  function run(body: string, limit?: number, input = ''): string {
    const shell = `${limit === undefined ? '' : `ulimit -n ${limit}; `}exec "$@" ${input}`;
    const args = ['-c', shell, 'sh', process.execPath, '--input-type=module', '--eval', `${prelude}${body}`];
    return execFileSync('sh', args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'inherit'] });
  }

  it('descriptor 0 is a socket like any other', () => {
    const body = `
      import { closeSync } from 'node:fs';
      closeSync(0);
      const a = new Socket(unix);
      console.log(a.fileno(), a.closed);
      a.bindSync('\\0sock-fd-0-' + process.pid);
      a.listen();
      const c = new Socket(unix);
      const accepting = a.accept();
      c.connectSync('\\0sock-fd-0-' + process.pid);
      const { socket } = await accepting;
      a.close();
      console.log(a.fileno(), a.closed);
      const d = c.dup();
      console.log(d.fileno());
      const receiving = d.recv(10);
      socket.sendSync('zero');
      console.log(String(await receiving));
      const fd = d.detach();
      const e = Socket.adopt(fd, unix);
      console.log(e.fileno(), e.timeout, e.inheritable);
      const f = Socket.duplicate(0, unix);
      await e.send('one');
      console.log(String(socket.recvSync(10)));
      const net = e.toNetSocket();
      net.write('two');
      console.log(String(await socket.recv(10)));
      net.destroy();
      f.close(); c.close(); socket.close();
    `;
    expect(run(body).split('\n')).to.deep.equal(['0 false', '-1 true', '0', 'zero', '0 null false', 'one', 'two', '']);
  });

  it('EMFILE is an error like any other, and is over when descriptors are free again', () => {
    const body = `
      const sockets = [];
      const code = (f) => { try { f(); return 'ok'; } catch (error) { return error.code + ' ' + error.syscall; } };
      const keep = new Socket(unix);
      const [a, b] = Socket.pair(unix);
      const wait = a.recv(1); b.sendSync('x'); await wait;
      console.log(code(() => { for (;;) sockets.push(new Socket(unix)); }));
      console.log(code(() => Socket.pair(unix)));
      console.log(code(() => keep.dup()));
      console.log(code(() => Socket.duplicate(keep.fileno(), unix)));
      const wait2 = a.recv(1); b.sendSync('y'); console.log(String(await wait2));
      const errors = a.recvMsg(1, 0, { flags: 0x2000, timeout: 30 }).catch((error) => error.code);
      console.log(await errors);
      console.log(code(() => a.recvMsgSync(1, 0, { flags: 0x2000, timeout: 30 })));
      sockets.splice(0).forEach((s) => s.close());
      console.log(code(() => sockets.push(new Socket(unix))));
      // an operation that failed without descriptors left no trace: the next keeps the process alive
      a.recv(1).then((data) => console.log(String(data)));
      setTimeout(() => b.sendSync('z'), 50).unref();
      setTimeout(() => {}, 60);
    `;
    expect(run(body, 64).split('\n')).to.deep.equal([
      'EMFILE socket',
      'EMFILE socketpair',
      'EMFILE dup',
      'EMFILE dup',
      'y',
      'EMFILE',
      'ETIMEDOUT recvmsg',
      'ok',
      'z',
      '',
    ]);
  });

  it('accept reports EMFILE, and goes on when descriptors are free again', () => {
    const body = `
      const name = '\\0sock-emfile-' + process.pid;
      const server = new Socket(unix);
      server.bindSync(name);
      server.listen();
      const client = new Socket(unix);
      const sockets = [];
      try { for (;;) sockets.push(new Socket(unix)); } catch {}
      const accepting = server.accept().catch((error) => error.code);
      client.connectSync(name);
      console.log(await accepting);
      try { server.acceptSync(); } catch (error) { console.log(error.message); }
      try { server.tryAccept(); } catch (error) { console.log(error.code); }
      const iterating = (async () => {
        for await (const { socket } of server.connections()) return socket;
      })();
      console.log(await iterating.catch((error) => error.code));
      sockets.splice(0).forEach((s) => s.close());
      const { socket } = await server.accept();
      client.sendSync('after');
      console.log(String(socket.recvSync(10)));
    `;
    expect(run(body, 64).split('\n')).to.deep.equal(['EMFILE', 'accept EMFILE', 'EMFILE', 'EMFILE', 'after', '']);
  });

  it('descriptors that cannot be received for want of numbers are reported as cut off', () => {
    const body = `
      import { MSG_CTRUNC, scmRights } from '@sock/core';
      const [a, b] = Socket.pair(unix);
      a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1, 2])] });
      const sockets = [];
      try { for (;;) sockets.push(new Socket(unix)); } catch {}
      const { ancillary, flags, data } = b.recvMsgSync(10, 64);
      console.log(String(data), (flags & MSG_CTRUNC) !== 0, ancillary.descriptors.length);
    `;
    expect(run(body, 64).trim()).to.equal('x true 0');
  });
});
