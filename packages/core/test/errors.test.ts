import { constants } from 'node:os';
import { inspect } from 'node:util';
import {
  type AddressFamily,
  AddressInfoError,
  clauseOf,
  errnoName,
  errnoOf,
  getDefaultTimeout,
  HostError,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  SocketError,
  SocketTimeoutError,
  setDefaultTimeout,
  socketError,
  UnknownAddress,
} from '@sock/core';
import { rejection, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { freshName, type HostPort, inet, pair, refusingPort, tcpServer, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { Script } from './support/script.js';

describe('errors', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  it('are made of a code by those who find them', () => {
    const error = socketError('recv', 'EBADMSG', 'it cannot be read');
    expect(error).to.be.instanceOf(SocketError);
    expect([error.message, error.code, error.errno, error.syscall]).to.deep.equal([
      'recv EBADMSG: it cannot be read',
      'EBADMSG',
      -constants.errno.EBADMSG,
      'recv',
    ]);
    expect(socketError('send', 'ENOKEY').message).to.equal('send ENOKEY');
    for (const errno of [1, 11, 95, 110, 126, 524]) expect(errnoOf(errnoName(errno))).to.equal(errno);
    expect([errnoOf('EWOULDBLOCK'), errnoOf('ENOTHING')]).to.deep.equal([constants.errno.EAGAIN, 0]);
  });

  it('are Errors with the fields that Node uses', () => {
    const cause = new Error('beneath');
    const error = new SocketError('text', {
      code: 'ENOENT',
      errno: -2,
      syscall: 'connect',
      address: 'where',
      transferred: 3,
      cause,
    });
    expect(error).to.be.instanceOf(Error);
    expect({ ...error }).to.deep.equal({
      code: 'ENOENT',
      errno: -2,
      syscall: 'connect',
      address: 'where',
      transferred: 3,
    });
    expect([error.name, error.message, error.cause, String(error)]).to.deep.equal([
      'SocketError',
      'text',
      cause,
      'SocketError: text',
    ]);
    const bare = new SocketError('text', { code: 'E', errno: -1, syscall: 's' });
    expect(Object.keys(bare)).to.deep.equal(['code', 'errno', 'syscall']);
    expect('cause' in bare).to.equal(false);
    for (const [Class, name] of [
      [SocketTimeoutError, 'SocketTimeoutError'],
      [AddressInfoError, 'AddressInfoError'],
      [HostError, 'HostError'],
    ] as const) {
      const each = new Class('text', { code: 'E', errno: -1, syscall: 's' });
      expect(each).to.be.instanceOf(SocketError).and.include({ name });
      expect(String(each)).to.equal(`${name}: text`);
    }
    expect(inspect(bare)).to.include('code');
  });

  it('say what was attempted, on what', async () => {
    const address = refusingPort();
    const messages = [
      thrown(() => stack.use(new Socket(inet)).connectSync(address)).message,
      thrown(() => stack.use(new Socket(unix)).connectSync('/no/such/path')).message,
      thrown(() => stack.use(tcpServer()).tryRecv(1)).message,
      (await rejection(stack.use(udp()).recv(1, { timeout: 0 }))).message,
      (await rejection(stack.use(udp()).recv(1, { timeout: 1 }))).message,
      (await rejection(stack.use(new Socket(unix)).sendTo('x', '/no/such/path'))).message,
    ];
    expect(messages).to.deep.equal([
      `connect ECONNREFUSED 127.0.0.1:${address.port}`,
      'connect ENOENT /no/such/path',
      'recv ENOTCONN',
      'recv EAGAIN: it would have to wait, which timeout 0 and MSG_DONTWAIT forbid',
      'recv ETIMEDOUT: not done within 1 ms',
      'sendto EOPNOTSUPP /no/such/path',
    ]);
  });

  it('a family may explain them', async () => {
    const asked: unknown[] = [];
    const wise: AddressFamily<HostPort> = {
      ...inet,
      explain(failure) {
        asked.push(failure);
        return failure.code === 'ECONNREFUSED' ? 'nobody listens there' : undefined;
      },
    };
    const socket = stack.use(new Socket(wise));
    const address = refusingPort();
    expect(thrown(() => socket.connectSync(address)).message).to.equal(
      `connect ECONNREFUSED 127.0.0.1:${address.port}: nobody listens there`,
    );
    expect(asked).to.deep.equal([{ syscall: 'connect', code: 'ECONNREFUSED', type: 1, protocol: 0 }]);
    const raw = { ...wise, explain: () => 'raw sockets need CAP_NET_RAW' };
    if (process.getuid?.() !== 0) {
      expect(thrown(() => new Socket(raw, SOCK_RAW, 1)).message).to.equal('socket EPERM: raw sockets need CAP_NET_RAW');
    }
    socket.close();
    expect(thrown(() => stack.use(socket).tryRecv(1)).message, 'no family need explain this').to.equal(
      'recv EBADF: the socket is closed',
    );
  });

  it('a clause is found by call and code, of what sends or receives for all such calls', () => {
    const clauses = { 'bind EINVAL': 'bind', 'send EINVAL': 'send', 'sendmmsg EINVAL': 'sendmmsg', 'recv EIO': 'recv' };
    const found = (syscall: string, code: string) => clauseOf({ syscall, code, type: 1, protocol: 0 }, clauses);
    expect(['bind', 'send', 'sendto', 'sendmmsg', 'recvmsg'].map((syscall) => found(syscall, 'EINVAL'))).to.deep.equal([
      'bind',
      'send',
      'send',
      'sendmmsg',
      undefined,
    ]);
    expect([found('recvfrom', 'EIO'), found('bind', 'EIO')]).to.deep.equal(['recv', undefined]);
  });

  it('a permission that is missing names the capability', () => {
    const socket = stack.use(new Socket(inet));
    const option = {
      level: 1,
      name: 1,
      label: 'SO_SECRET',
      capability: 'CAP_NET_ADMIN',
      encode: () => 1,
    };
    // the kernel of the tests may allow everything: what it would say is enough
    const calls = { setsockopt: () => -constants.errno.EPERM };
    const check = Reflect.get(socket, 'check') as (syscall: string, result: number, about: object) => number;
    const error = thrown(() => check.call(socket, 'setsockopt', calls.setsockopt(), option));
    expect(error.message).to.equal(
      'setsockopt EPERM SO_SECRET: this needs CAP_NET_ADMIN (setcap cap_net_admin+ep $(which node), or run as root)',
    );
  });

  it('addresses of no known family are told by their number', () => {
    const socket = stack.use(new Socket(inet, SOCK_DGRAM));
    new Script(socket, { sendto: [-constants.errno.EAFNOSUPPORT] });
    const error = thrown(() => socket.sendToSync('x', new UnknownAddress(99, Uint8Array.of(1))));
    expect(error.message).to.equal('sendto EAFNOSUPPORT (address family 99)');
    expect(error.address).to.deep.equal(new UnknownAddress(99, Uint8Array.of(1)));
  });

  it('a codec that throws while it decodes gives an UnknownAddress, and loses nothing', async () => {
    const broken: AddressFamily<string> = {
      ...unix,
      decode() {
        throw new Error('cannot');
      },
    };
    const a = stack.use(new Socket(broken, SOCK_DGRAM));
    const b = stack.use(new Socket(unix, SOCK_DGRAM));
    const [first, second] = [freshName(), freshName()];
    a.bindSync(first);
    b.bindSync(second);
    b.sendToSync('data', first);
    const { data, address } = await a.recvFrom(10);
    expect(String(data)).to.equal('data');
    expect(address).to.be.instanceOf(UnknownAddress);
    expect(a.getsockname()).to.be.instanceOf(UnknownAddress);
    const server = stack.use(new Socket(broken));
    const name = freshName();
    server.bindSync(name);
    server.listen();
    stack.use(new Socket(unix)).connectSync(name);
    const accepted = await server.accept();
    stack.use(accepted.socket);
    expect(accepted.socket.closed).to.equal(false);
  });

  it('addresses that are decoded cannot be changed, because messages share them', () => {
    const [a, b] = [stack.use(udp()), stack.use(udp())];
    for (const text of ['one', 'two']) b.sendToSync(text, a.getsockname());
    const one = a.recvFromSync(10).address;
    const two = a.recvFromSync(10).address;
    expect(one).to.equal(two);
    expect(Object.isFrozen(one)).to.equal(true);
    const other = stack.use(udp());
    other.sendToSync('three', a.getsockname());
    expect(a.recvFromSync(10).address).to.deep.equal(other.getsockname());
    b.sendToSync('four', a.getsockname());
    expect(a.recvFromSync(10).address).to.deep.equal(one);
  });

  it('an encoded address is used as often as you like', async () => {
    const [a, b] = [stack.use(udp()), stack.use(udp())];
    const encoded = a.encodeAddress(b.getsockname());
    for (let i = 0; i < 3; i++) {
      a.sendToSync('sync', encoded);
      a.trySendTo('try', encoded);
      await a.sendTo('async', encoded);
      await a.sendMsg(['message'], { address: encoded });
    }
    const texts: string[] = [];
    for (let data = b.tryRecv(10); data !== null; data = b.tryRecv(10)) texts.push(String(data));
    expect(texts).to.deep.equal(Array(3).fill(['sync', 'try', 'async', 'message']).flat());
    const error = thrown(() => stack.use(new Socket(inet)).bindSync(a.encodeAddress({ host: '192.0.2.1', port: 0 })));
    expect(error.message).to.equal('bind EADDRNOTAVAIL 192.0.2.1:0');
  });
});

describe('timeouts', () => {
  const stack = new Cleanup();
  afterEach(() => {
    stack[Symbol.dispose]();
    setDefaultTimeout(null);
  });

  it('the default is for sockets made from then on', () => {
    const before = stack.use(new Socket(unix));
    expect([getDefaultTimeout(), before.timeout]).to.deep.equal([null, null]);
    setDefaultTimeout(1500);
    expect([getDefaultTimeout(), before.timeout]).to.deep.equal([1500, null]);
    const [a, b] = pair();
    expect([stack.use(a).timeout, stack.use(b).timeout, stack.use(new Socket(unix)).timeout]).to.deep.equal([
      1500, 1500, 1500,
    ]);
    const server = stack.use(tcpServer());
    server.timeout = 20;
    const client = stack.use(new Socket(inet));
    client.connectSync(server.getsockname());
    expect(stack.use(server.acceptSync().socket).timeout, "as Python's documentation has it").to.equal(1500);
    setDefaultTimeout(0);
    expect(stack.use(new Socket(unix)).blocking).to.equal(false);
    expect(stack.use(before.dup()).timeout, 'a duplicate has that of its socket').to.equal(null);
  });

  it("the socket's own is for all its operations, an option for one", async () => {
    const [a, b] = pair();
    stack.use(b);
    stack.use(a).timeout = 15;
    expect((await rejection(a.recv(1))).message).to.equal('recv ETIMEDOUT: not done within 15 ms');
    expect(thrown(() => a.recvSync(1)).message).to.equal('recv ETIMEDOUT: not done within 15 ms');
    expect((await rejection(a.recv(1, { timeout: 10 }))).message).to.equal('recv ETIMEDOUT: not done within 10 ms');
    expect((await rejection(a.recv(1, { timeout: undefined }))).code).to.equal('ETIMEDOUT');
    const forever = a.recv(1, { timeout: null });
    await new Promise((resolve) => setTimeout(resolve, 40));
    b.sendSync('x');
    expect(String(await forever)).to.equal('x');
    a.timeout = 0;
    expect((await rejection(a.recv(1))).code).to.equal('EAGAIN');
    b.sendSync('y');
    expect(String(await a.recv(1))).to.equal('y');
  });

  it('what is no timeout is refused, everywhere', async () => {
    const [a, b] = pair();
    stack.use(b);
    stack.use(a);
    for (const [value, code] of [
      [-1, 'ERR_OUT_OF_RANGE'],
      [Number.NaN, 'ERR_OUT_OF_RANGE'],
      [Number.NEGATIVE_INFINITY, 'ERR_OUT_OF_RANGE'],
      ['5', 'ERR_INVALID_ARG_TYPE'],
      [5n, 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
      [true, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      const timeout = value as never;
      const expected = { code, argument: 'timeout' };
      expect(thrown(() => setDefaultTimeout(timeout))).to.include(expected);
      expect(thrown(() => Object.assign(a, { timeout }))).to.include(expected);
      expect(await rejection(a.recv(1, { timeout }))).to.include(expected);
      expect(thrown(() => a.recvSync(1, { timeout }))).to.include(expected);
      expect(await rejection(a.connect('x', { timeout }))).to.include(expected);
      expect(await rejection(a.waitReadable({ timeout }))).to.include(expected);
    }
    expect(thrown(() => setDefaultTimeout(undefined as never))).to.include({ argument: 'timeout' });
    expect([getDefaultTimeout(), a.timeout]).to.deep.equal([null, null]);
    expect(thrown(() => Object.assign(a, { blocking: 0 }))).to.include({ argument: 'blocking' });
  });
});
