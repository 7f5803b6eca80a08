import { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { delay, rejection, tempPath, thrown, unique, within } from '@sock/testkit';
import { type UnixSocket, unix } from '@sock/unix';
import { expect } from 'chai';

/** Milliseconds of processor time that this process used during an action. */
async function processorTime(action: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('a full receiver', () => {
  let receiver: UnixSocket;
  let sender: UnixSocket;
  const sockets: UnixSocket[] = [];

  beforeEach(async () => {
    receiver = new Socket(unix, SOCK_DGRAM);
    sender = new Socket(unix, SOCK_DGRAM);
    sockets.push(receiver, sender);
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  /** Sends until the receiver's queue is full: the number of datagrams. */
  function fill(send: () => number | null): number {
    let count = 0;
    while (count < 100_000 && send() !== null) count++;
    return count;
  }

  it('makes a sender wait that is not connected, without spinning', async () => {
    // poll(2) calls such a sender writable all the time
    const path = tempPath('.sock');
    await receiver.bind(path);
    const count = fill(() => sender.trySendTo('x', path));
    expect(count).to.be.greaterThan(0).and.lessThan(100_000);
    const waiting = sender.sendTo('last', path);
    waiting.catch(() => {});
    expect(await processorTime(() => delay(400))).to.be.lessThan(200);
    using blocking = new Socket(unix, SOCK_DGRAM);
    const late = async (): Promise<void> => {
      expect(thrown(() => blocking.sendToSync('x', path, { timeout: 400 }))).to.include({ code: 'ETIMEDOUT' });
    };
    expect(await processorTime(late)).to.be.lessThan(200);
    for (let i = 0; i < count; i++) expect((await receiver.recv(10)).toString()).to.equal('x');
    expect(await within('sendTo', waiting)).to.equal(4);
    expect((await receiver.recv(10)).toString()).to.equal('last');
  });

  it('makes a connected sender wait, and give up at its timeout', async () => {
    const name = `\0sock-full-${unique()}`;
    await receiver.bind(name);
    await sender.connect(name);
    const count = fill(() => sender.trySend('x'));
    expect(await rejection(sender.send('y', { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    expect(thrown(() => sender.sendSync('y', { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    expect(thrown(() => sender.sendSync('y', { timeout: 0 }))).to.include({ code: 'EAGAIN' });
    const waiting = sender.send('z');
    for (let i = 0; i < count; i++) await receiver.recv(10);
    await within('send', waiting);
    expect((await receiver.recv(10)).toString()).to.equal('z');
  });

  it('that goes away lets the sender know', async () => {
    const path = tempPath('.sock');
    await receiver.bind(path);
    await sender.connect(path);
    fill(() => sender.trySend('x'));
    const waiting = rejection(sender.send('y'));
    await delay(5);
    receiver.close();
    expect(await within('send', waiting)).to.include({ code: 'ECONNREFUSED' });
  });
});

describe('a full backlog', () => {
  for (const [kind, type] of [
    ['stream', SOCK_STREAM],
    ['seqpacket', SOCK_SEQPACKET],
  ] as const) {
    it(`makes a ${kind} connection wait for its turn`, async () => {
      using listener = new Socket(unix, type);
      await listener.bind('');
      listener.listen(0);
      const name = listener.getsockname();
      using first = new Socket(unix, type);
      await first.connect(name);

      using second = new Socket(unix, type);
      expect(second.tryConnect(name)).to.equal(null);
      expect(thrown(() => second.connectSync(name, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
      expect(await rejection(second.connect(name, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });

      using third = new Socket(unix, type);
      const connecting = third.connect(name);
      await delay(20);
      using accepted = (await listener.accept()).socket;
      await within('connect', connecting);
      using other = (await within('accept', listener.accept())).socket;
      await third.sendAll('through');
      expect((await other.recv(10)).toString()).to.equal('through');
      await first.sendAll('too');
      expect((await accepted.recv(10)).toString()).to.equal('too');
    });
  }
});
