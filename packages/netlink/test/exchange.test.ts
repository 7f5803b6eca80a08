import { type SocketError, SocketTimeoutError } from '@sock/core';
import {
  NetlinkError,
  type NetlinkMessage,
  type NetlinkSocket,
  NLM_F_ACK,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from '@sock/netlink';
import { rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { ack, data, done, eachPeer, Peer } from './peer.js';

describe('requests and answers', () => {
  let socket: NetlinkSocket;
  let peer: Peer;
  let options: { peer: number };

  eachPeer((opened, answering) => {
    socket = opened;
    peer = answering;
    options = { peer: peer.pid };
  });

  const payloads = ({ messages }: { messages: NetlinkMessage[] }) => messages.map(({ payload }) => payload.toString());

  it('a request asks for an acknowledgement, and gives what comes before it', async () => {
    const reply = socket.request({ type: 50, flags: 0x400, payload: 'ask' }, options);
    const { message, from } = await peer.request();
    expect(message).to.include({ type: 50, flags: NLM_F_REQUEST | NLM_F_ACK | 0x400, pid: 0 });
    expect(message.payload.toString()).to.equal('ask');
    expect(from).to.equal(socket.pid);
    peer.send(from, data(message.sequence, 'one.'));
    peer.send(
      from,
      { type: NLMSG_NOOP, sequence: message.sequence },
      data(message.sequence, 'two.'),
      ack(message.sequence),
    );
    const { messages, warning, cookie } = await within('the reply', reply);
    expect(payloads({ messages })).to.deep.equal(['one.', 'two.']);
    expect([warning, cookie]).to.deep.equal([undefined, undefined]);
  });

  it('several at once are sent in order, and each gets its own answers, in whatever order they come', async () => {
    const replies = ['a', 'b', 'c'].map((payload) => socket.request({ type: 50, payload }, options));
    const requests = [await peer.request(), await peer.request(), await peer.request()];
    expect(requests.map(({ message }) => message.payload[0])).to.deep.equal([...Buffer.from('abc')]);
    const [a = 0, b = 0, c = 0] = requests.map(({ message }) => message.sequence);
    expect(new Set([a, b, c]).size).to.equal(3);
    const { from } = requests[0] ?? { from: 0 };
    peer.send(from, data(c, 'C...'), data(a, 'A...'), ack(c));
    peer.send(from, data(b, 'B...'), ack(a), ack(b));
    const found = await within('the replies', Promise.all(replies));
    expect(found.map(payloads)).to.deep.equal([['A...'], ['B...'], ['C...']]);
  });

  it('an error rejects its own request only', async () => {
    const first = socket.request({ type: 50 }, { ...options, label: 'FIRST', about: 'this' });
    const second = socket.request({ type: 50 }, options);
    const a = await peer.request();
    const b = await peer.request();
    peer.send(a.from, ack(a.message.sequence, -22), ack(b.message.sequence));
    const error = await rejection(first);
    expect(error).to.be.instanceOf(NetlinkError);
    expect(error).to.include({ code: 'EINVAL', syscall: 'FIRST', message: 'FIRST EINVAL this', type: 50 });
    await within('the second', second);
  });

  it('the error tells who asked', async () => {
    const asking = async function theOneWhoAsks() {
      await socket.request({ type: 50 }, options);
    };
    const failing = rejection(asking());
    const { message, from } = await peer.request();
    peer.send(from, ack(message.sequence, -1));
    expect((await failing).stack).to.contain('theOneWhoAsks');
  });

  it('an answer in several messages ends with NLMSG_DONE too', async () => {
    const reply = socket.request({ type: 50 }, options);
    const { message, from } = await peer.request();
    peer.send(from, data(message.sequence, 'part', NLM_F_MULTI), done(message.sequence), ack(message.sequence));
    expect(payloads(await within('the reply', reply))).to.deep.equal(['part']);
  });

  it('what others answer does not count', async () => {
    using stranger = new Peer();
    const reply = socket.request({ type: 50 }, options);
    const { message, from } = await peer.request();
    stranger.send(from, data(message.sequence, 'fake'), ack(message.sequence, -1));
    stranger.send(from, Buffer.alloc(40, 1));
    peer.send(from, data(message.sequence, 'true'), ack(message.sequence));
    expect(payloads(await within('the reply', reply))).to.deep.equal(['true']);
  });

  for (const [what, bytes] of [
    ['too short for a header', Buffer.alloc(7)],
    ['a length of nothing', Buffer.alloc(16)],
    ['a length beyond the end', Buffer.from([0xff, 0xff, 0xff, 0x7f, ...Buffer.alloc(20)])],
    ['noise', Buffer.alloc(100, 0xa5)],
  ] as const) {
    it(`what cannot be read rejects with EBADMSG: ${what}`, async () => {
      const reply = socket.request({ type: 50 }, options);
      const { from } = await peer.request();
      peer.send(from, bytes);
      expect(await rejection(within('the reply', reply))).to.include({ code: 'EBADMSG' });
      // and the next request is as good as any
      const next = socket.request({ type: 50 }, options);
      const { message } = await peer.request();
      peer.send(from, ack(message.sequence));
      await within('the next', next);
    });
  }

  it('an acknowledgement that is too short is EBADMSG', async () => {
    const reply = socket.request({ type: 50 }, options);
    const { message, from } = await peer.request();
    peer.send(from, { type: NLMSG_ERROR, sequence: message.sequence, payload: 'ab' });
    expect(await rejection(within('the reply', reply))).to.include({ code: 'EBADMSG' });
  });

  it('NLMSG_OVERRUN is ENOBUFS', async () => {
    const reply = socket.request({ type: 50 }, options);
    const { message, from } = await peer.request();
    peer.send(from, { type: NLMSG_OVERRUN, sequence: message.sequence });
    expect(await rejection(within('the reply', reply))).to.include({ code: 'ENOBUFS' });
  });

  it('a timeout ends the wait, and a late answer disturbs nobody', async () => {
    const error = await rejection(socket.request({ type: 50 }, { ...options, timeout: 20, label: 'SLOW' }));
    expect(error).to.be.instanceOf(SocketTimeoutError);
    expect(error).to.include({ code: 'ETIMEDOUT', syscall: 'SLOW', message: 'SLOW ETIMEDOUT: not done within 20 ms' });
    const { message: late, from } = await peer.request();
    const notifications = socket.notifications();
    const reply = socket.request({ type: 50 }, options);
    const { message } = await peer.request();
    peer.send(
      from,
      data(late.sequence, 'late'),
      ack(late.sequence, -5),
      data(message.sequence, 'good'),
      ack(message.sequence),
    );
    expect(payloads(await within('the reply', reply))).to.deep.equal(['good']);
    peer.send(from, data(0, 'news'));
    const { value } = await within('the notification', notifications.next());
    expect(value?.message.payload.toString()).to.equal('news');
  });

  it("the socket's own timeout holds where the request has none, and 0 does not wait", async () => {
    socket.timeout = 20;
    expect(await rejection(socket.request({ type: 50 }, options))).to.include({ code: 'ETIMEDOUT' });
    expect(thrown(() => socket.requestSync({ type: 50 }, options))).to.include({ code: 'ETIMEDOUT' });
    expect(await rejection(socket.request({ type: 50 }, { ...options, timeout: 0 }))).to.include({ code: 'EAGAIN' });
    expect(thrown(() => socket.requestSync({ type: 50 }, { ...options, timeout: 0 }))).to.include({ code: 'EAGAIN' });
    expect(await rejection(socket.notifications().next())).to.include({ code: 'ETIMEDOUT' });
  });

  it('a signal ends one request with its reason, and leaves the others', async () => {
    const controller = new AbortController();
    const first = rejection(socket.request({ type: 50 }, { ...options, signal: controller.signal }));
    const second = socket.request({ type: 50 }, options);
    const a = await peer.request();
    const b = await peer.request();
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await within('the first', first)).to.equal(reason);
    peer.send(b.from, ack(a.message.sequence), ack(b.message.sequence));
    await within('the second', second);
    expect(await rejection(socket.request({ type: 50 }, { ...options, signal: controller.signal }))).to.equal(reason);
    await turns(2);
    expect(peer.tryRequest()).to.equal(undefined);
  });

  it('who waits keeps the process alive, and nobody else: an ended wait leaves the socket alone', async () => {
    const controller = new AbortController();
    const waiting = rejection(socket.request({ type: 50 }, { ...options, signal: controller.signal }));
    const { from } = await peer.request();
    controller.abort();
    await waiting;
    await turns(3);
    // nobody reads any more: what comes is there for who asks
    peer.send(from, data(0, 'news'));
    expect(socket.tryRecvMessages()?.messages[0]?.payload.toString()).to.equal('news');
  });

  it('closing the socket rejects what waits, and ends the notifications', async () => {
    const request = rejection(socket.request({ type: 50 }, options));
    const list = rejection(socket.dump({ type: 50 }, options).next());
    const notifications = socket.notifications();
    const next = notifications.next();
    await peer.request();
    socket.close();
    expect(await within('the request', request)).to.include({ code: 'ECANCELED' });
    expect(((await within('the list', list)) as SocketError).code).to.be.oneOf(['ECANCELED', 'EBADF']);
    expect(await within('the notifications', next)).to.deep.equal({ done: true, value: undefined });
    expect(await rejection(socket.request({ type: 50 }, options))).to.include({ code: 'EBADF' });
  });

  it('a blocking request is answered meanwhile, also for those that wait asynchronously', async () => {
    const waiting = socket.request({ type: 50, payload: 'first' }, options);
    const { message, from } = await peer.request();
    // the answers to both are there before the second is asked
    peer.send(from, ack(message.sequence), ack(message.sequence + 1));
    expect(socket.requestSync({ type: 50, payload: 'second' }, options).messages).to.deep.equal([]);
    await within('the first', waiting);
  });

  it('nobody at the port is ECONNREFUSED', async () => {
    const pid = peer.pid;
    peer[Symbol.dispose]();
    using other = new Peer();
    if (other.pid === pid) return;
    expect(await rejection(socket.request({ type: 50 }, { peer: pid }))).to.include({ code: 'ECONNREFUSED' });
    expect(thrown(() => socket.requestSync({ type: 50 }, { peer: pid }))).to.include({ code: 'ECONNREFUSED' });
    expect(await rejection(socket.dump({ type: 50 }, { peer: pid }).next())).to.include({ code: 'ECONNREFUSED' });
  });

  it('bad input is told before anything is sent', async () => {
    const cases: [unknown, unknown, string][] = [
      [undefined, {}, 'message'],
      [{}, {}, 'message.type'],
      [{ type: 1, flags: 0x10000 }, {}, 'message.flags'],
      [{ type: 1 }, { peer: -1 }, 'options.peer'],
      [{ type: 1 }, 5, 'options'],
      [{ type: 1 }, { timeout: -1 }, 'timeout'],
      [{ type: 1 }, { timeout: '1' }, 'timeout'],
      [{ type: 1 }, { signal: {} }, 'signal'],
    ];
    for (const [request, given, argument] of cases) {
      const merged = typeof given === 'object' ? { ...options, ...given } : given;
      expect(await rejection(socket.request(request as never, merged as never)), argument).to.include({ argument });
      expect(
        thrown(() => socket.requestSync(request as never, merged as never)),
        argument,
      ).to.include({ argument });
      expect(await rejection(socket.dump(request as never, merged as never).next()), argument).to.include({ argument });
      expect(
        thrown(() => socket.dumpSync(request as never, merged as never).next()),
        argument,
      ).to.include({ argument });
    }
    for (const [given, argument] of [
      [5, 'options'],
      [{ timeout: Number.NaN }, 'timeout'],
      [{ signal: 'x' }, 'signal'],
    ] as const) {
      expect(thrown(() => socket.notifications(given as never))).to.include({ argument });
    }
    expect(peer.tryRequest()).to.equal(undefined);
  });
});
