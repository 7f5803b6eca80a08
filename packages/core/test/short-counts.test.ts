import { MSG_PEEK, MSG_WAITALL, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET, type Socket, scmRights } from '@sock/core';
import { pattern, within } from '@sock/testkit';
import { expect } from 'chai';
import { pair, tcpPair } from './support/families.js';
import { Cleanup, eachPair } from './support/operations.js';
import { native, Script } from './support/script.js';

const few = 7;
type Transfer = (fd: number, bytes: Uint8Array, offset: number, length: number, flags: number) => number;

const KINDS = [
  ['unix', pair],
  ['TCP', tcpPair],
] as const;

describe('short counts', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  function open(make: () => [Socket<never>, Socket<never>] | [Socket<string>, Socket<string>]): [Socket, Socket] {
    const [a, b] = make() as [Socket, Socket];
    return [stack.use(a), stack.use(b)];
  }

  for (const [kind, make] of KINDS) {
    for (const form of ['promise', 'sync'] as const) {
      it(`sendAll goes on after each short send (${kind}, ${form})`, async () => {
        const [a, b] = open(make as never);
        const short: Transfer = (fd, bytes, offset, length, flags) =>
          native.send(fd, bytes, offset, Math.min(length, few), flags);
        const script = new Script(a, { send: Array<Transfer>(1000).fill(short) });
        const data = pattern(500);
        if (form === 'sync') a.sendAllSync(data);
        else await a.sendAll(data);
        expect(script.count('send')).to.equal(Math.ceil(500 / few));
        expect(await b.recv(500, { flags: MSG_WAITALL })).to.deep.equal(data);
      });

      it(`MSG_WAITALL goes on after each short receive (${kind}, ${form})`, async () => {
        const [a, b] = open(make as never);
        const short: Transfer = (fd, bytes, offset, length, flags) =>
          native.recv(fd, bytes, offset, Math.min(length, few), flags);
        const script = new Script(a, { recv: Array<Transfer>(1000).fill(short) });
        const data = pattern(500);
        b.sendAllSync(data);
        const target = new Uint8Array(500);
        const count =
          form === 'sync'
            ? a.recvIntoSync(target, { flags: MSG_WAITALL })
            : await a.recvInto(target, { flags: MSG_WAITALL });
        expect(count).to.equal(500);
        expect(Buffer.from(target)).to.deep.equal(data);
        expect(script.count('recv')).to.be.at.least(Math.ceil(500 / few));
      });
    }

    it(`send gives the kernel's count (${kind})`, async () => {
      const [a] = open(make as never);
      new Script(a, { send: [3, 0, 5] });
      expect(await a.send('hello')).to.equal(3);
      expect(a.sendSync('hello')).to.equal(0);
      expect(a.trySend('hello')).to.equal(5);
    });

    it(`MSG_WAITALL waits for all of it, in the forms that wait (${kind})`, async () => {
      const [a, b] = open(make as never);
      b.sendSync('one ');
      const all = a.recv(13, { flags: MSG_WAITALL });
      const from = a.recvFrom(5, { flags: MSG_WAITALL });
      const into = a.recvFromInto(Buffer.alloc(5), { flags: MSG_WAITALL });
      const message = a.recvMsg(5, 0, { flags: MSG_WAITALL });
      const parts = [Buffer.alloc(2), Buffer.alloc(3)];
      const scattered = a.recvMsgInto(parts, 0, { flags: MSG_WAITALL });
      for (const piece of ['two', ' thre', 'e', 'f', 'rom', '!i', 'nto!', 'mes', 's!s', 'c', 'att']) {
        await new Promise((resolve) => setImmediate(resolve));
        b.sendSync(piece);
      }
      expect(String(await within('recv', all))).to.equal('one two three');
      expect(String((await within('recvFrom', from)).data)).to.equal('from!');
      expect((await within('recvFromInto', into)).bytes).to.equal(5);
      expect(String((await within('recvMsg', message)).data)).to.equal('mess!');
      expect((await within('recvMsgInto', scattered)).bytes).to.equal(5);
      expect(Buffer.concat(parts).toString()).to.equal('scatt');
    });
  }
});

describe('MSG_WAITALL', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  const stack = eachPair((first, second) => {
    a = first;
    b = second;
  });

  const flags = MSG_WAITALL;

  it('gives what came before the end of the stream', async () => {
    const pending = a.recv(100, { flags });
    b.sendSync('the end');
    b.shutdown(SHUT_WR);
    expect(String(await pending)).to.equal('the end');
    expect((await a.recv(100, { flags })).length).to.equal(0);
    expect(a.recvSync(100, { flags }).length).to.equal(0);
  });

  it('gives what came before the time ran out, as the kernel does', async () => {
    b.sendSync('abc');
    expect(String(await a.recv(10, { flags, timeout: 20 }))).to.equal('abc');
    b.sendSync('def');
    expect(String(a.recvSync(10, { flags, timeout: 20 }))).to.equal('def');
    b.sendSync('ghi');
    const { data } = await a.recvMsg(10, 0, { flags, timeout: 20 });
    expect(String(data)).to.equal('ghi');
    expect(() => a.recvSync(10, { flags, timeout: 20 })).to.throw('recv ETIMEDOUT');
  });

  it('gives what came before it was cancelled: nothing that was received is lost', async () => {
    const controller = new AbortController();
    const pending = a.recv(10, { flags, signal: controller.signal });
    b.sendSync('abc');
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    expect(String(await pending)).to.equal('abc');
  });

  it('reports an error that came after data with the next receive', async () => {
    const [c, d] = tcpPair();
    stack.use(c);
    stack.use(d);
    const pending = c.recv(100, { flags });
    d.sendSync('before');
    await new Promise((resolve) => setTimeout(resolve, 20));
    // closing with unread data resets the connection
    c.sendSync('unread');
    await new Promise((resolve) => setTimeout(resolve, 20));
    d.close();
    expect(String(await within('recv', pending))).to.equal('before');
    const error = await c.recv(100).then(
      (data) => `received ${data.length}`,
      (reason: { code: string }) => reason.code,
    );
    expect(error).to.equal('ECONNRESET');
  });

  it('takes nothing where it may not wait', () => {
    b.sendSync('abc');
    expect(a.tryRecv(5, { flags })).to.equal(null);
    expect(a.tryRecvInto(Buffer.alloc(5), { flags })).to.equal(null);
    expect(a.tryRecvFrom(5, { flags })).to.equal(null);
    expect(a.tryRecvFromInto(Buffer.alloc(5), { flags })).to.equal(null);
    expect(a.tryRecvMsg(5, 0, { flags })).to.equal(null);
    expect(a.tryRecvMsgInto([Buffer.alloc(5)], 0, { flags })).to.equal(null);
    b.sendSync('de');
    expect(String(a.tryRecv(5, { flags }))).to.equal('abcde');
    b.sendSync('fg');
    b.close();
    expect(String(a.tryRecv(5, { flags }))).to.equal('fg');
    expect(a.tryRecv(5, { flags })?.length).to.equal(0);
    expect(a.tryRecvMsg(5, 0, { flags })?.data.length).to.equal(0);
  });

  it('with MSG_PEEK waits for all of it and leaves it there', async () => {
    b.sendSync('abc');
    const pending = a.recv(6, { flags: MSG_WAITALL | MSG_PEEK });
    await new Promise((resolve) => setTimeout(resolve, 20));
    b.sendSync('def');
    expect(String(await within('peek', pending))).to.equal('abcdef');
    expect(String(a.recvSync(6, { flags: MSG_WAITALL | MSG_PEEK }))).to.equal('abcdef');
    expect(String((await within('peek', a.recvMsg(6, 0, { flags: MSG_WAITALL | MSG_PEEK }))).data)).to.equal('abcdef');
    expect(String(a.tryRecv(10))).to.equal('abcdef');
  });

  it('with MSG_PEEK of a message waits for all of it too', async () => {
    b.sendSync('abc');
    const pending = a.recvMsg(6, 0, { flags: MSG_WAITALL | MSG_PEEK });
    await new Promise((resolve) => setTimeout(resolve, 20));
    b.sendSync('def');
    expect(String((await within('peek', pending)).data)).to.equal('abcdef');
    expect(String(a.tryRecv(10))).to.equal('abcdef');
  });

  it('stops at control messages, which belong to the data they came with', async () => {
    const pending = a.recvMsg(100, 64, { flags });
    b.sendSync('plain ');
    b.sendMsgSync(['with'], { ancillary: [scmRights.create([0])] });
    b.sendSync(' behind');
    const { data, ancillary } = await within('recvMsg', pending);
    expect(String(data)).to.equal('plain with');
    expect(scmRights.find(ancillary)).to.have.length(1);
    ancillary[Symbol.dispose]();
    expect(String(a.tryRecv(100))).to.equal(' behind');
  });

  it('does not wait behind control messages, in a form that may not wait', () => {
    b.sendMsgSync(['with'], { ancillary: [scmRights.create([0])] });
    const { data, ancillary } = a.tryRecvMsg(100, 64, { flags }) ?? expect.fail();
    expect(String(data)).to.equal('with');
    ancillary[Symbol.dispose]();
  });

  for (const [name, type] of [
    ['datagrams', SOCK_DGRAM],
    ['seqpackets', SOCK_SEQPACKET],
  ] as const) {
    it(`is without effect on ${name}, whose messages are whole`, async () => {
      const [c, d] = pair(type);
      stack.use(c);
      stack.use(d).sendSync('short');
      expect(String(await within('recv', c.recv(100, { flags })))).to.equal('short');
    });
  }
});
