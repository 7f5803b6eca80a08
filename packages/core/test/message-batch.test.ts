import {
  EncodedAddress,
  MessageBatch,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  Socket,
  scmRights,
  UnknownAddress,
} from '@sock/core';
import { rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { freshName, type HostPort, inet, pair, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { native, Script } from './support/script.js';

describe('MessageBatch', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  function open(): [Socket<HostPort>, Socket<HostPort>] {
    return [stack.use(udp()), stack.use(udp())];
  }

  it('receives what is there, up to its count', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 4, size: 10 });
    expect([batch.count, batch.size, batch.ancillarySize, batch.length]).to.deep.equal([4, 10, 0, 0]);
    expect(a.tryRecvBatch(batch)).to.equal(null);
    for (let i = 0; i < 6; i++) b.sendToSync(`no ${i}`, a.getsockname());
    expect(await a.recvBatch(batch)).to.equal(4);
    expect([0, 1, 2, 3].map((i) => String(batch.data(i)))).to.deep.equal(['no 0', 'no 1', 'no 2', 'no 3']);
    expect(batch.address(0)).to.deep.equal(b.getsockname());
    expect(batch.address(3), 'decoded once').to.equal(batch.address(0));
    expect(a.recvBatchSync(batch)).to.equal(2);
    expect([batch.length, String(batch.data(1)), batch.flags(1), batch.truncated(1)]).to.deep.equal([
      2,
      'no 5',
      0,
      false,
    ]);
    expect(thrown(() => batch.data(2))).to.include({ argument: 'index', code: 'ERR_OUT_OF_RANGE' });
    expect(batch.ancillary(0).length).to.equal(0);
    expect(a.tryRecvBatch(batch)).to.equal(null);
    expect(batch.length).to.equal(0);
    expect(thrown(() => batch.data(0))).to.include({ argument: 'index' });
  });

  it('tells senders apart, in whatever order one asks', () => {
    const [a, b] = open();
    const [, c] = open();
    for (const sender of [b, b, c, b]) sender.sendToSync('x', a.getsockname());
    const batch = new MessageBatch<HostPort>({ count: 8, size: 1 });
    expect(a.recvBatchSync(batch)).to.equal(4);
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2]]) {
      for (const i of order) {
        expect(batch.address(i)).to.deep.equal((i === 2 ? c : b).getsockname());
      }
    }
    c.sendToSync('y', a.getsockname());
    expect(a.recvBatchSync(batch)).to.equal(1);
    expect(batch.address(0)).to.deep.equal(c.getsockname());
  });

  it('waits for the first message only', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 4, size: 10 });
    const receiving = a.recvBatch(batch);
    await turns(2);
    b.sendToSync('first', a.getsockname());
    expect(await within('recvBatch', receiving)).to.equal(1);
    expect((await rejection(a.recvBatch(batch, { timeout: 10 }))).code).to.equal('ETIMEDOUT');
    expect(thrown(() => a.recvBatchSync(batch, { timeout: 10 })).code).to.equal('ETIMEDOUT');
  });

  it('cuts off what is longer, and says so', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 2, size: 4 });
    b.sendToSync('longer', a.getsockname());
    b.sendToSync('', a.getsockname());
    await a.recvBatch(batch);
    expect([String(batch.data(0)), batch.truncated(0), batch.flags(0)]).to.deep.equal(['long', true, MSG_TRUNC]);
    expect([batch.data(1).length, batch.truncated(1)]).to.deep.equal([0, false]);
  });

  it('sends in order, each to its own address or to the one it is connected to', async () => {
    const [a, b] = open();
    const other = stack.use(udp());
    const batch = new MessageBatch<HostPort>({ count: 5, size: 20 });
    const to = b.getsockname();
    expect(batch.push('object', to)).to.equal(0);
    expect(batch.push(Buffer.from('the same object'), to)).to.equal(1);
    batch.push('encoded', a.encodeAddress(to));
    batch.push(new Uint16Array([0x4141]), new UnknownAddress(inet.domain, a.encodeAddress(to).sockaddr.subarray(2)));
    batch.push('elsewhere', other.getsockname());
    expect(batch.length).to.equal(5);
    expect(await a.sendBatch(batch)).to.equal(5);
    const texts: string[] = [];
    for (let i = 0; i < 4; i++) texts.push(String(b.recvSync(100)));
    expect(texts).to.deep.equal(['object', 'the same object', 'encoded', 'AA']);
    expect(String(other.recvSync(100))).to.equal('elsewhere');
    // once more, the same
    expect(a.sendBatchSync(batch, { first: 4 })).to.equal(1);
    expect(String(other.recvSync(100))).to.equal('elsewhere');
    batch.clear();
    expect([batch.length, a.trySendBatch(batch)]).to.deep.equal([0, 0]);
    a.connectSync(to);
    batch.push('connected');
    batch.push('null', null);
    expect(a.trySendBatch(batch)).to.equal(2);
    expect([String(b.recvSync(100)), String(b.recvSync(100))]).to.deep.equal(['connected', 'null']);
  });

  it('goes on where there was no room, and tells how far it came', async () => {
    const b = stack.use(new Socket(unix, SOCK_DGRAM));
    const name = freshName();
    b.bindSync(name);
    const a = stack.use(new Socket(unix, SOCK_DGRAM));
    a.connectSync(name);
    const batch = new MessageBatch<string>({ count: 500, size: 4 });
    for (let i = 0; i < 500; i++) batch.push(String(i).padStart(4, '0'));
    const first = a.trySendBatch(batch) ?? 0;
    expect(first).to.be.within(1, 499);
    expect(a.trySendBatch(batch, { first })).to.equal(null);
    const rest = a.sendBatch(batch, { first });
    const received: string[] = [];
    while (received.length < 500) received.push(String(await within('recv', b.recv(10))));
    expect(await within('sendBatch', rest)).to.equal(500 - first);
    expect(received).to.deep.equal(Array.from({ length: 500 }, (_, i) => String(i).padStart(4, '0')));
  });

  it('an error tells which message, and how many went before', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 3, size: 20 });
    const elsewhere = { host: '255.255.255.255', port: 9 };
    batch.push('good', b.getsockname());
    batch.push('no broadcast', elsewhere);
    batch.push('never tried', b.getsockname());
    for (const send of [
      () => a.sendBatch(batch),
      async () => a.sendBatchSync(batch),
      async () => a.trySendBatch(batch),
    ]) {
      const error = await rejection(send());
      expect(error).to.include({ code: 'EACCES', syscall: 'sendmmsg', transferred: 1 });
      expect(error.address).to.deep.equal(elsewhere);
      expect(error.message).to.equal('sendmmsg EACCES 255.255.255.255:9');
      expect(String(b.recvSync(100))).to.equal('good');
      expect(b.tryRecv(100)).to.equal(null);
    }
  });

  it('a batch that was received can be sent on as it is', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 3, size: 20 });
    b.sendToSync('echo', a.getsockname());
    await a.recvBatch(batch);
    expect(await a.sendBatch(batch)).to.equal(1);
    expect(String(b.recvSync(10))).to.equal('echo');
  });

  it('works over connected messages too', async () => {
    const [a, b] = pair(SOCK_SEQPACKET);
    stack.use(a);
    stack.use(b);
    const batch = new MessageBatch({ count: 3, size: 20 });
    batch.push('one');
    batch.push('two');
    await a.sendBatch(batch);
    expect(await b.recvBatch(batch, { flags: MSG_PEEK })).to.be.within(1, 3);
    batch.clear();
    expect(await b.recvBatch(batch)).to.equal(2);
    expect(String(batch.data(1))).to.equal('two');
    expect(batch.address(0)).to.equal(null);
    a.close();
    expect(await b.recvBatch(batch)).to.be.within(0, 3);
  });

  it('partial counts of the kernel are continued', async () => {
    const [a, b] = open();
    a.connectSync(b.getsockname());
    const batch = new MessageBatch({ count: 9, size: 2 });
    for (let i = 0; i < 9; i++) batch.push(String(i));
    const two = (...args: unknown[]): number => {
      args[8] = Math.min(2, args[8] as number);
      return native.sendmmsg(...(args as Parameters<typeof native.sendmmsg>));
    };
    const script = new Script(a, { sendmmsg: Array<typeof two>(10).fill(two) });
    expect(await a.sendBatch(batch)).to.equal(9);
    expect(script.count('sendmmsg')).to.equal(5);
    const texts: string[] = [];
    for (let i = 0; i < 9; i++) texts.push(String(b.recvSync(10)));
    expect(texts.join('')).to.equal('012345678');
  });

  it('refuses what it has no room for', () => {
    const batch = new MessageBatch<HostPort>({ count: 1, size: 4, ancillarySize: 16 });
    expect(thrown(() => batch.push('longer'))).to.include({ argument: 'data', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => batch.push(7 as never))).to.include({ argument: 'data', code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => batch.push('x', null, [scmRights.create([0])]))).to.include({ argument: 'ancillary' });
    expect(batch.length).to.equal(0);
    batch.push('good');
    const error = thrown(() => batch.push('full'));
    expect(error).to.include({ argument: 'data' });
    expect(error.message).to.include('one of at most 1 messages (the batch is full)');
  });

  it('refuses sizes that are none', () => {
    const cases: readonly [unknown, string][] = [
      [undefined, 'options'],
      [null, 'options'],
      [{ size: 1 }, 'options.count'],
      [{ count: 0, size: 1 }, 'options.count'],
      [{ count: 1025, size: 1 }, 'options.count'],
      [{ count: 1 }, 'options.size'],
      [{ count: 1, size: -1 }, 'options.size'],
      [{ count: 1, size: 2 ** 31 }, 'options.size'],
      [{ count: 1024, size: 2 ** 21 }, 'options.size'],
      [{ count: 1, size: 1, ancillarySize: 1.5 }, 'options.ancillarySize'],
      [{ count: '1', size: 1 }, 'options.count'],
    ];
    for (const [options, argument] of cases) {
      expect(thrown(() => new MessageBatch(options as never))).to.include({ argument });
    }
  });

  it('bad addresses are told before anything is sent', async () => {
    const [a, b] = open();
    const batch = new MessageBatch<HostPort>({ count: 3, size: 20 });
    batch.push('good', b.getsockname());
    batch.push('bad', { host: 'x', port: 70_000 });
    expect(await rejection(a.sendBatch(batch))).to.include({ argument: 'address.port' });
    expect(thrown(() => a.sendBatchSync(batch))).to.include({ argument: 'address.port' });
    expect(thrown(() => a.trySendBatch(batch))).to.include({ argument: 'address.port' });
    expect(b.tryRecv(100)).to.equal(null);
    batch.clear();
    batch.push('bad', new EncodedAddress(new Uint8Array(129)));
    expect(thrown(() => a.sendBatchSync(batch))).to.include({ argument: 'address.sockaddr' });
    expect(thrown(() => a.sendBatchSync(batch, { first: 2 }))).to.include({ argument: 'options.first' });
    expect(thrown(() => a.sendBatchSync({} as never))).to.include({ argument: 'batch' });
    expect(thrown(() => a.recvBatchSync([] as never))).to.include({ argument: 'batch' });
    expect(await rejection(a.recvBatch(undefined as never))).to.include({ argument: 'batch' });
  });
});
