import { constants } from 'node:os';
import { SHUT_WR, SOCK_DGRAM, Socket, soLinger } from '@sock/core';
import { rejection, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { freshName, pair, tcpPair, tcpServer, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { Script } from './support/script.js';

describe('iterators', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  function open(type?: number): [Socket<string>, Socket<string>] {
    const [a, b] = pair(type);
    return [stack.use(a), stack.use(b)];
  }

  it('connections come until the listener is closed', async () => {
    const server = stack.use(tcpServer());
    const seen: unknown[] = [];
    const serving = (async () => {
      for await (const { socket, address } of server.connections()) {
        stack.use(socket);
        seen.push(address);
        if (seen.length === 3) server.close();
      }
    })();
    const clients = [1, 2, 3].map(() => stack.use(new Socket(server.family)));
    for (const client of clients) client.connectSync(server.getsockname());
    await within('serving', serving);
    expect(seen).to.deep.equal(clients.map((client) => client.getsockname()));
  });

  it('connections that were given up before they were accepted are passed over', async () => {
    const server = stack.use(tcpServer());
    new Script(server, { accept: [-constants.errno.ECONNABORTED, -constants.errno.ECONNABORTED] });
    const client = stack.use(new Socket(server.family));
    client.connectSync(server.getsockname());
    for await (const { socket, address } of server.connections()) {
      stack.use(socket);
      expect(address).to.deep.equal(client.getsockname());
      break;
    }
    expect(server.closed, 'leaving an iteration closes nothing').to.equal(false);
  });

  it('other errors end an iteration', async () => {
    const server = stack.use(tcpServer());
    new Script(server, { accept: [-constants.errno.ENOMEM] });
    expect(await rejection(server.connections().next() as Promise<unknown>)).to.include({ code: 'ENOMEM' });
    const [a] = open();
    expect(await rejection(a.connections().next())).to.include({ syscall: 'accept' });
    expect(await rejection(a.chunks(-1).next())).to.include({ argument: 'size' });
    expect(await rejection(a.messages(1, { flags: 'x' as never }).next())).to.include({ argument: 'flags' });
  });

  it('closing ends what waits for the next item', async () => {
    const server = stack.use(tcpServer());
    const [a] = open();
    const [c] = open(SOCK_DGRAM);
    const iterators = [server.connections(), a.chunks(), c.messages()] as const;
    const waiting = iterators.map((iterator) => iterator.next());
    await turns(2);
    for (const socket of [server, a, c]) socket.close();
    for (const next of waiting)
      expect(await within<unknown>('next', next)).to.deep.equal({ value: undefined, done: true });
    for (const iterator of iterators) expect((await iterator.next()).done).to.equal(true);
    expect((await a.chunks().next()).done).to.equal(true);
  });

  it('messages with their senders, of any length, empty ones too', async () => {
    const receiver = stack.use(udp());
    const sender = stack.use(udp());
    const texts = ['one', '', 'three', 'x'.repeat(10_000)];
    for (const text of texts) sender.sendToSync(text, receiver.getsockname());
    const seen: string[] = [];
    for await (const { data, address } of receiver.messages()) {
      expect(address).to.deep.equal(sender.getsockname());
      seen.push(String(data));
      if (seen.length === texts.length) break;
    }
    expect(seen).to.deep.equal(texts);
    sender.sendToSync('cut off', receiver.getsockname());
    expect(String((await receiver.messages(3).next()).value?.data)).to.equal('cut');
  });

  it('chunks come until the end of the stream', async () => {
    const [a, b] = open();
    b.sendSync('hello ');
    const seen: string[] = [];
    for await (const chunk of a.chunks(4)) {
      seen.push(String(chunk));
      if (seen.length === 2) {
        b.sendSync('world');
        b.shutdown(SHUT_WR);
      }
    }
    expect(seen.join('')).to.equal('hello world');
    expect(Math.max(...seen.map(({ length }) => length))).to.equal(4);
    expect(a.closed).to.equal(false);
  });

  it('an error of the connection is thrown', async () => {
    const [a, b] = tcpPair();
    stack.use(a);
    b.setOption(soLinger, 0);
    b.close();
    expect((await rejection(a.chunks().next())).code).to.equal('ECONNRESET');
  });

  it('a timeout and a signal are for each item', async () => {
    const [a, b] = open();
    b.sendSync('x');
    const iterator = a.chunks(10, { timeout: 20 });
    expect(String((await iterator.next()).value)).to.equal('x');
    expect((await rejection(iterator.next())).code).to.equal('ETIMEDOUT');
    const signal = AbortSignal.abort(new Error('enough'));
    expect((await rejection(a.messages(10, { signal }).next())).message).to.equal('enough');
  });

  it('works over messages of a name', async () => {
    const a = stack.use(new Socket(unix, SOCK_DGRAM));
    const [name, other] = [freshName(), freshName()];
    a.bindSync(name);
    const b = stack.use(new Socket(unix, SOCK_DGRAM));
    b.sendToSync('unnamed', name);
    const iterator = a.messages();
    const first = (await iterator.next()).value;
    b.bindSync(other);
    b.sendToSync('named', name);
    expect([String(first?.data), first?.address]).to.deep.equal(['unnamed', null]);
    const second = (await iterator.next()).value;
    expect([String(second?.data), second?.address]).to.deep.equal(['named', other]);
  });
});
