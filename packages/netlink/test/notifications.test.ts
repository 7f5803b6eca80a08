import { type SocketError, writeU32 } from '@sock/core';
import { NETLINK_USERSOCK, type NetlinkMessage, NetlinkSocket, NLMSG_ERROR, type Notifications } from '@sock/netlink';
import { rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { data, eachPeer, type Peer } from './peer.js';

describe('notifications', () => {
  let socket: NetlinkSocket;
  let peer: Peer;

  eachPeer((opened, answering) => {
    socket = opened;
    peer = answering;
  });

  const text = ({ value }: IteratorResult<{ message: NetlinkMessage }, undefined>) => value?.message.payload.toString();

  it('are what nobody asked for, with the sender, in order, for each who listens', async () => {
    const first = socket.notifications();
    const second = socket.notifications();
    peer.send(socket.pid, data(0, 'n1..'), data(77, 'n2..'));
    peer.send(socket.pid, data(0, 'n3..'));
    const found = await within('the first', first.next());
    expect(found.value).to.include({ sender: peer.pid, group: 0, namespaceId: undefined });
    expect(text(found)).to.equal('n1..');
    // asked for together they still come in order
    expect((await within('the rest', Promise.all([first.next(), first.next()]))).map(text)).to.deep.equal([
      'n2..',
      'n3..',
    ]);
    for (const expected of ['n1..', 'n2..', 'n3..']) expect(text(await second.next())).to.equal(expected);
  });

  it('wait in the socket while nobody takes them', async () => {
    const notifications: Notifications = socket.notifications();
    for (let i = 0; i < 5; i++) peer.send(socket.pid, data(0, `n${i}..`));
    await turns(3);
    expect(socket.tryRecvMessages()?.messages.map(({ payload }) => payload.toString())).to.deep.equal(['n0..']);
    expect(text(await within('the next', notifications.next()))).to.equal('n1..');
  });

  it('end when they are closed, also for who waits', async () => {
    const notifications = socket.notifications();
    const next = notifications.next();
    await turns(2);
    notifications.close();
    expect(await within('the end', next)).to.deep.equal({ done: true, value: undefined });
    expect(await notifications.next()).to.deep.equal({ done: true, value: undefined });
    expect(socket.closed).to.equal(false);
    {
      using other = socket.notifications();
      await using another = socket.notifications();
      expect(other[Symbol.asyncIterator]()).to.equal(other);
      expect(another).to.not.equal(other);
    }
    // a loop that is left closes them
    const left = socket.notifications();
    peer.send(socket.pid, data(0, 'n1..'), data(0, 'n2..'));
    for await (const { message } of left) {
      expect(message.payload.toString()).to.equal('n1..');
      break;
    }
    expect((await left.next()).done).to.equal(true);
  });

  it('a signal ends the wait with its reason', async () => {
    const controller = new AbortController();
    const next = rejection(socket.notifications({ signal: controller.signal }).next());
    await turns(2);
    const reason = new Error('over');
    controller.abort(reason);
    expect(await within('the wait', next)).to.equal(reason);
  });

  it('kept while somebody else reads are bounded: what is too much is ENOBUFS, in its place', async () => {
    const notifications = socket.notifications();
    const piece = Buffer.alloc(30_000, 'x');
    const own = { peer: peer.pid };
    let sent = 0;
    for (let round = 0; round < 80; round++) {
      const reply = socket.request({ type: 50 }, own);
      const { message, from } = await peer.request();
      peer.send(from, { type: 100, payload: piece });
      peer.send(from, { type: 100, payload: piece });
      sent += 2;
      const acknowledgement = Buffer.alloc(20);
      writeU32(acknowledgement, 16, 4);
      peer.send(from, { type: NLMSG_ERROR, sequence: message.sequence, payload: acknowledgement });
      await within('the reply', reply);
    }
    let got = 0;
    let lost: SocketError | undefined;
    while (lost === undefined) {
      await notifications.next().then(
        () => {
          got++;
        },
        (error) => {
          lost = error as SocketError;
        },
      );
    }
    expect(lost).to.include({ code: 'ENOBUFS' });
    expect(got).to.be.within(100, sent - 1);
    peer.send(socket.pid, data(0, 'more'));
    expect(text(await within('what comes after', notifications.next()))).to.equal('more');
  });

  it('sending and receiving messages as they are, in three forms', async () => {
    using other = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    const to = { pid: other.pid };
    const both = [data(1, 'm1..'), data(2, 'm2..')];
    const check = (received: { messages: NetlinkMessage[]; rest: Buffer; sender: number; group: number } | null) => {
      expect(received?.messages.map(({ sequence, payload }) => [sequence, payload.toString()])).to.deep.equal([
        [1, 'm1..'],
        [2, 'm2..'],
      ]);
      expect(received).to.include({ sender: socket.pid, group: 0 });
      expect(received?.rest.length).to.equal(0);
    };
    expect(other.tryRecvMessages()).to.equal(null);
    const waiting = other.recvMessages();
    await socket.sendMessages(both, to);
    check(await within('the messages', waiting));
    socket.sendMessagesSync(both, to);
    check(other.recvMessagesSync({ timeout: 1000 }));
    expect(socket.trySendMessages(both, to)).to.equal(true);
    check(other.tryRecvMessages());
    expect(thrown(() => other.recvMessagesSync({ timeout: 5 }))).to.include({ code: 'ETIMEDOUT' });
    expect(await rejection(other.recvMessages({ timeout: 5 }))).to.include({ code: 'ETIMEDOUT' });
    const large = Buffer.alloc(120_000, 'L');
    socket.sendMessagesSync([{ type: 99, payload: large }], to);
    expect(other.tryRecvMessages()?.messages[0]?.payload.equals(large)).to.equal(true);
    for (const [messages, given, argument] of [
      ['x', {}, 'messages'],
      [[5], {}, 'message'],
      [[], { pid: -1 }, 'address.pid'],
      [[], 5, 'options'],
    ] as const) {
      expect(await rejection(socket.sendMessages(messages as never, given as never))).to.include({ argument });
      expect(thrown(() => socket.sendMessagesSync(messages as never, given as never))).to.include({ argument });
      expect(thrown(() => socket.trySendMessages(messages as never, given as never))).to.include({ argument });
    }
    let room = 0;
    while (socket.trySendMessages([{ type: 99, payload: large }], to) !== null) expect(++room).to.be.lessThan(1000);
  });
});
