import { constants } from 'node:os';
import {
  EncodedAddress,
  SO_ERROR,
  SOL_SOCKET,
  Socket,
  SocketError,
  SocketTimeoutError,
  UnknownAddress,
  writeI32,
} from '@sock/core';
import { delay, failure, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { POLLERR, POLLOUT } from '#core/descriptor.js';
import { freshName, inet, pair, refusingPort, tcpServer, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { native, Script } from './support/script.js';

const { EINPROGRESS, EINTR, EAGAIN, ECONNREFUSED, ETIMEDOUT, EISCONN, ENOENT } = constants.errno;

/** What SO_ERROR gives. */
const soError =
  (errno: number) =>
  (_fd: number, level: number, name: number, value: Uint8Array): number => {
    expect([level, name]).to.deep.equal([SOL_SOCKET, SO_ERROR]);
    writeI32(value, errno, 0);
    return 4;
  };

describe('connect', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  /** A socket that is always writable, so that the loop wakes what waits to write. */
  function writable(): Socket<string> {
    const [a, b] = pair();
    stack.use(b);
    return stack.use(a);
  }

  for (const form of ['promise', 'sync'] as const) {
    for (const [how, first] of [
      ['EINPROGRESS', -EINPROGRESS],
      ['EINTR', -EINTR],
    ] as const) {
      it(`is never issued again after ${how}: SO_ERROR tells what became of it (${form})`, async () => {
        const socket = writable();
        const script = new Script(socket, {
          connect: [first],
          pollOne: form === 'sync' ? [POLLOUT, 0, POLLOUT, POLLOUT] : [0, 0, POLLOUT],
          getsockopt: [soError(0)],
        });
        if (form === 'sync') socket.connectSync('x');
        else await within('connect', socket.connect('x'));
        expect(script.count('connect')).to.equal(1);
        expect(script.count('getsockopt')).to.equal(1);
      });

      it(`reports the error of an attempt that went on after ${how} (${form})`, async () => {
        const socket = writable();
        const script = new Script(socket, {
          connect: [first],
          pollOne: Array<number>(4).fill(POLLOUT | POLLERR),
          getsockopt: [soError(ECONNREFUSED)],
        });
        const error = await failure(form, socket, 'connect', 'name');
        expect(error).to.be.instanceOf(SocketError);
        expect(error).to.include({ code: 'ECONNREFUSED', syscall: 'connect', address: 'name' });
        expect(error.message).to.equal('connect ECONNREFUSED name');
        expect(script.count('connect')).to.equal(1);
      });
    }

    it(`sleeps and tries again where a unix backlog is full (${form})`, async () => {
      const socket = writable();
      const script = new Script(socket, {
        connect: [...Array<number>(4).fill(-EAGAIN), 0],
        sleep: Array<number>(10).fill(0),
      });
      if (form === 'sync') socket.connectSync('x');
      else await within('connect', socket.connect('x'));
      expect(script.count('connect')).to.equal(5);
      if (form === 'sync') {
        const pauses = script.args('sleep').map(([limit]) => limit as number);
        expect(pauses).to.have.length(4);
        for (const [i, pause] of pauses.entries()) if (i > 0) expect(pause).to.be.greaterThan(pauses[i - 1] ?? 0);
      }
    });

    it(`a unix backlog that stays full is a timeout (${form})`, async () => {
      const server = stack.use(new Socket(unix));
      const name = freshName();
      server.bindSync(name);
      server.listen(0);
      const first = stack.use(new Socket(unix));
      first.connectSync(name);
      const second = stack.use(new Socket(unix));
      const error = await failure(form, second, 'connect', name, { timeout: 50 });
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect(error.address).to.equal(name);
      const third = stack.use(new Socket(unix));
      const waiting = third.connect(name);
      stack.use(server.acceptSync().socket);
      await within('connect', waiting);
    });

    it(`with timeout 0 fails with EINPROGRESS, and with EAGAIN where it has not begun (${form})`, async () => {
      const going = writable();
      new Script(going, { connect: [-EINPROGRESS], pollOne: [0, 0] });
      const error = await failure(form, going, 'connect', 'x', { timeout: 0 });
      expect(error).to.include({ code: 'EINPROGRESS', errno: -EINPROGRESS });
      const full = writable();
      new Script(full, { connect: [-EAGAIN] });
      expect((await failure(form, full, 'connect', 'x', { timeout: 0 })).code).to.equal('EAGAIN');
    });

    it(`reports an error at once (${form})`, async () => {
      const socket = stack.use(new Socket(unix));
      const name = freshName();
      const error = await failure(form, socket, 'connect', name);
      expect(error).to.include({ code: 'ECONNREFUSED', address: name });
      const error2 = await failure(form, socket, 'connect', '/nowhere');
      expect(error2).to.include({ code: 'ENOENT', errno: -ENOENT, message: 'connect ENOENT /nowhere' });
    });

    it(`a refused TCP connection names the address (${form})`, async () => {
      const address = refusingPort();
      const socket = stack.use(new Socket(inet));
      const error = await failure(form, socket, 'connect', address);
      expect(error.message).to.equal(`connect ECONNREFUSED 127.0.0.1:${address.port}`);
      expect(error.address).to.deep.equal(address);
    });

    it(`takes addresses that are encoded already (${form})`, async () => {
      const server = stack.use(tcpServer());
      const [a, b] = [stack.use(new Socket(inet)), stack.use(new Socket(inet))];
      const encoded = a.encodeAddress(server.getsockname());
      expect(encoded).to.be.instanceOf(EncodedAddress);
      const unknown = new UnknownAddress(inet.domain, encoded.sockaddr.subarray(2));
      for (const [socket, address] of [
        [a, encoded],
        [b, unknown],
      ] as const) {
        if (form === 'sync') socket.connectSync(address);
        else await socket.connect(address);
        expect(socket.getpeername()).to.deep.equal(server.getsockname());
      }
    });

    it(`connectEx gives the errno (${form})`, async () => {
      const ex = async (socket: Socket<string>, name: string, timeout?: number): Promise<number> =>
        form === 'sync' ? socket.connectExSync(name, { timeout }) : socket.connectEx(name, { timeout });
      expect(await ex(stack.use(new Socket(unix)), freshName())).to.equal(ECONNREFUSED);
      const slow = writable();
      const nothing = (_fd: number, _events: number, limit: number): number => native.sleep(limit);
      new Script(slow, { connect: [-EINPROGRESS], pollOne: Array<typeof nothing>(100).fill(nothing) });
      expect(await ex(slow, 'x', 10), "Python's answer to a timeout").to.equal(EAGAIN);
      const late = writable();
      new Script(late, { connect: [-EINPROGRESS], pollOne: [POLLOUT, POLLOUT], getsockopt: [soError(ETIMEDOUT)] });
      expect(await ex(late, 'x')).to.equal(ETIMEDOUT);
      const server = stack.use(tcpServer());
      const good = stack.use(new Socket(inet));
      expect(
        form === 'sync' ? good.connectExSync(server.getsockname()) : await good.connectEx(server.getsockname()),
      ).to.equal(0);
    });
  }

  it('tryConnect gives null where it goes on in the kernel, and true where it is done', async () => {
    const server = stack.use(tcpServer());
    const client = stack.use(new Socket(inet));
    const connected = client.tryConnect(server.getsockname());
    expect(connected).to.be.oneOf([null, true]);
    await within('waitWritable', client.waitWritable());
    expect(client.getpeername()).to.deep.equal(server.getsockname());
    const local = stack.use(new Socket(unix));
    const listener = stack.use(new Socket(unix));
    const name = freshName();
    listener.bindSync(name);
    listener.listen();
    expect(local.tryConnect(name)).to.equal(true);
    expect(thrown(() => local.tryConnect(name))).to.include({ code: 'EISCONN', errno: -EISCONN });
    expect(stack.use(new Socket(unix)).tryConnectEx(freshName())).to.equal(ECONNREFUSED);
    expect(stack.use(new Socket(unix)).tryConnectEx(name)).to.equal(0);
    const going = writable();
    new Script(going, { connect: [-EINPROGRESS], pollOne: [0] });
    expect(going.tryConnectEx('x')).to.equal(EINPROGRESS);
  });

  it('peers of a family whose peers have no names are not asked for them when they are accepted', async () => {
    const nameless = { ...inet, namelessPeers: true };
    const server = stack.use(new Socket(nameless));
    server.bindSync({ host: '127.0.0.1', port: 0 });
    server.listen();
    const script = new Script(server, {});
    stack.use(new Socket(inet)).connectSync(server.getsockname());
    const { socket, address } = await within('accept', server.accept());
    expect(stack.use(socket).getpeername()).to.have.property('host', '127.0.0.1');
    expect(address).to.deep.equal(new UnknownAddress(0, new Uint8Array()));
    for (const [, named] of script.args('accept')) expect(named).to.equal(0);
  });

  it('connectEx throws what no system call said', async () => {
    const socket = stack.use(new Socket(inet));
    const bad = { host: '127.0.0.1', port: 70_000 };
    expect(await rejection(socket.connectEx(bad))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address.port' });
    expect(thrown(() => socket.connectExSync(bad))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address.port' });
    expect(thrown(() => socket.tryConnectEx(bad))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address.port' });
  });

  it('keeps its address while others encode theirs', async () => {
    const socket = writable();
    const names: string[] = [];
    const noted =
      (result: number) =>
      (_fd: number, sockaddr: Uint8Array, length: number): number => {
        names.push(Buffer.from(sockaddr.subarray(2, length)).toString());
        return result;
      };
    new Script(socket, { connect: [noted(-EAGAIN), noted(-EAGAIN), noted(0)] });
    const connecting = socket.connect('first');
    socket.encodeAddress('second, which is longer');
    await within('connect', connecting);
    expect(names).to.deep.equal(['first', 'first', 'first']);
  });

  it('lets what was sent behind it wait for it', async () => {
    const server = stack.use(tcpServer());
    const client = stack.use(new Socket(inet));
    const connecting = client.connect(server.getsockname());
    const sending = client.sendAll('right behind');
    const { socket } = await within('accept', server.accept());
    stack.use(socket);
    await within('both', Promise.all([connecting, sending]));
    expect(String(await socket.recv(100))).to.equal('right behind');
  });

  it('can be cancelled, after which the socket can be closed', async () => {
    const socket = writable();
    new Script(socket, { connect: [-EINPROGRESS], pollOne: Array<number>(1000).fill(0) });
    const controller = new AbortController();
    const connecting = socket.connect('x', { signal: controller.signal });
    await delay(5);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await rejection(connecting)).to.equal(reason);
    socket.close();
  });

  it('a family may resolve names: the timeout and the signal are for both', async () => {
    const server = stack.use(tcpServer());
    const { port } = server.getsockname();
    let resolved = 0;
    const named = {
      ...inet,
      async resolve(input: { host: string; port: number }) {
        resolved++;
        await delay(input.host === 'slow' ? 10_000 : 1);
        return { ...input, host: '127.0.0.1' };
      },
      resolveSync: (input: { host: string; port: number }) => ({ ...input, host: '127.0.0.1' }),
    };
    const socket = stack.use(new Socket(named));
    await socket.connect({ host: 'name', port }, { timeout: 2 ** 40 });
    expect(resolved).to.equal(1);
    const slow = stack.use(new Socket(named));
    const late = await within('timeout', rejection(slow.connect({ host: 'slow', port }, { timeout: 20 })));
    expect(late).to.be.instanceOf(SocketTimeoutError).and.include({ syscall: 'connect' });
    const aborted = rejection(slow.connect({ host: 'slow', port }, { signal: AbortSignal.timeout(10) }));
    expect((await within('abort', aborted)).name).to.equal('TimeoutError');
    slow.connectSync({ host: 'name', port });
    const tried = stack.use(new Socket(named));
    expect(thrown(() => tried.tryConnect({ host: 'name', port }))).to.include({ argument: 'address.host' });
    expect(await tried.connectEx({ host: 'name', port })).to.equal(0);
    expect(native.isSocket(tried.fileno())).to.equal(1);
  }).timeout(15_000);
});
