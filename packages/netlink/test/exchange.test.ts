import { SOCK_RAW, Socket, type SocketError, SocketTimeoutError, writeI32, writeU32 } from '@sock/core';
import {
  NETLINK_USERSOCK,
  NetlinkError,
  type NetlinkMessage,
  type NetlinkMessageInput,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  netlink,
  packMessage,
  unpackMessages,
} from '@sock/netlink';
import { delay, rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';

/**
 * A program that answers as the test says, in place of the kernel: through a real socket, also what the kernel
 * would never say.
 */
class Peer implements Disposable {
  readonly #socket = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);

  constructor() {
    this.#socket.bindSync({});
  }

  get pid(): number {
    return this.#socket.getsockname().pid;
  }

  /** The next request, and where it came from. */
  async request(): Promise<{ message: NetlinkMessage; from: number }> {
    const { data, address } = await within('a request', this.#socket.recvFrom(65_536));
    return { message: unpackMessages(data).messages[0] as NetlinkMessage, from: address?.pid ?? 0 };
  }

  tryRequest(): NetlinkMessage | undefined {
    const data = this.#socket.tryRecv(65_536);
    return data === null ? undefined : unpackMessages(data).messages[0];
  }

  send(to: number, ...parts: readonly (NetlinkMessageInput | Uint8Array)[]): void {
    const bytes = parts.map((part) => (part instanceof Uint8Array ? part : packMessage(part)));
    if (this.#socket.trySendTo(Buffer.concat(bytes), { pid: to }) === null) throw new Error('no room');
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** An acknowledgement of a request. */
function ack(sequence: number, errno = 0): NetlinkMessageInput {
  const payload = Buffer.alloc(20);
  writeI32(payload, errno, 0);
  return { type: NLMSG_ERROR, flags: NLM_F_CAPPED, sequence, payload };
}

const done = (sequence: number, errno = 0): NetlinkMessageInput => {
  const payload = Buffer.alloc(4);
  writeI32(payload, errno, 0);
  return { type: NLMSG_DONE, flags: NLM_F_MULTI, sequence, payload };
};

const data = (sequence: number, payload: string, flags = 0): NetlinkMessageInput => ({
  type: 100,
  flags,
  sequence,
  payload,
});

describe('requests and answers', () => {
  let socket: NetlinkSocket;
  let peer: Peer;
  let options: { peer: number };

  beforeEach(() => {
    socket = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    peer = new Peer();
    options = { peer: peer.pid };
  });

  afterEach(() => {
    socket.close();
    peer[Symbol.dispose]();
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
    expect(error).to.include({ code: 'ETIMEDOUT', syscall: 'SLOW', message: 'SLOW ETIMEDOUT: no answer within 20 ms' });
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
    peer = new Peer();
    if (peer.pid === pid) return;
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

describe('lists', () => {
  let socket: NetlinkSocket;
  let peer: Peer;
  let options: { peer: number };

  beforeEach(() => {
    socket = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    peer = new Peer();
    options = { peer: peer.pid };
  });

  afterEach(() => {
    socket.close();
    peer[Symbol.dispose]();
  });

  async function collect(list: AsyncIterable<NetlinkMessage>): Promise<string[]> {
    const found: string[] = [];
    for await (const { payload } of list) found.push(payload.toString());
    return found;
  }

  it('come part by part', async () => {
    const list = socket.dump({ type: 60, payload: 'list' }, options);
    const first = list.next();
    const { message, from } = await peer.request();
    expect(message).to.include({ type: 60, flags: NLM_F_REQUEST | NLM_F_DUMP });
    const { sequence } = message;
    peer.send(from, data(sequence, '1...', NLM_F_MULTI), data(sequence, '2...', NLM_F_MULTI));
    expect((await within('the first', first)).value?.payload.toString()).to.equal('1...');
    expect((await within('the second', list.next())).value?.payload.toString()).to.equal('2...');
    const third = list.next();
    peer.send(from, data(sequence, '3...', NLM_F_MULTI), done(sequence));
    expect((await within('the third', third)).value?.payload.toString()).to.equal('3...');
    expect((await within('the end', list.next())).done).to.equal(true);
  });

  it('that are refused reject, at the beginning or after what came', async () => {
    const refused = rejection(collect(socket.dump({ type: 60 }, options)));
    const a = await peer.request();
    peer.send(a.from, ack(a.message.sequence, -95));
    expect(await within('the first', refused))
      .to.be.instanceOf(NetlinkError)
      .and.include({ code: 'EOPNOTSUPP' });

    const list = socket.dump({ type: 60 }, options);
    const first = list.next();
    const b = await peer.request();
    peer.send(b.from, data(b.message.sequence, 'one.', NLM_F_MULTI), done(b.message.sequence, -5));
    expect((await within('one', first)).done).to.equal(false);
    expect(await rejection(list.next()))
      .to.be.instanceOf(NetlinkError)
      .and.include({ code: 'EIO' });
  });

  it('that changed meanwhile give what came, and then reject with EINTR', async () => {
    const list = socket.dump({ type: 60 }, { ...options, label: 'LIST' });
    const first = list.next();
    const { message, from } = await peer.request();
    const { sequence } = message;
    peer.send(
      from,
      data(sequence, 'one.', NLM_F_MULTI | NLM_F_DUMP_INTR),
      data(sequence, 'two.', NLM_F_MULTI),
      done(sequence),
    );
    expect((await within('one', first)).value?.payload.toString()).to.equal('one.');
    expect((await list.next()).value?.payload.toString()).to.equal('two.');
    const error = await rejection(list.next());
    expect(error).to.include({ code: 'EINTR', syscall: 'LIST' });
    expect(error.message).to.contain('list it again');
  });

  it('wait for each other, in order, while requests go ahead', async () => {
    const first = collect(socket.dump({ type: 60, payload: 'L1..' }, options));
    const second = collect(socket.dump({ type: 60, payload: 'L2..' }, options));
    const third = collect(socket.dump({ type: 60, payload: 'L3..' }, options));
    const request = socket.request({ type: 50, payload: 'R...' }, options);
    const a = await peer.request();
    const r = await peer.request();
    expect([a, r].map(({ message }) => message.payload.toString())).to.deep.equal(['L1..', 'R...']);
    peer.send(r.from, data(a.message.sequence, 'a1..', NLM_F_MULTI), ack(r.message.sequence));
    await within('the request', request);
    await delay(5);
    expect(peer.tryRequest()).to.equal(undefined);
    peer.send(a.from, done(a.message.sequence));
    expect(await within('the first', first)).to.deep.equal(['a1..']);
    for (const [list, name] of [
      [second, 'L2..'],
      [third, 'L3..'],
    ] as const) {
      const { message, from } = await peer.request();
      expect(message.payload.toString()).to.equal(name);
      peer.send(from, data(message.sequence, 'x...', NLM_F_MULTI), done(message.sequence));
      expect(await within(name, list)).to.deep.equal(['x...']);
    }
  });

  it('one within the loop over another reads that to its end first, and loses none of it', async () => {
    const outer = socket.dump({ type: 60, payload: 'out.' }, options);
    const first = outer.next();
    const a = await peer.request();
    peer.send(a.from, data(a.message.sequence, 'o1..', NLM_F_MULTI), data(a.message.sequence, 'o2..', NLM_F_MULTI));
    await within('the first', first);
    const inner = collect(socket.dump({ type: 60, payload: 'in..' }, options));
    peer.send(a.from, data(a.message.sequence, 'o3..', NLM_F_MULTI), done(a.message.sequence));
    const b = await peer.request();
    peer.send(b.from, data(b.message.sequence, 'i1..', NLM_F_MULTI), done(b.message.sequence));
    expect(await within('the inner', inner)).to.deep.equal(['i1..']);
    expect(await collect(outer)).to.deep.equal(['o2..', 'o3..']);
  });

  it('that are left early are read to their end before the next begins', async () => {
    for await (const { payload } of watchOut(socket.dump({ type: 60 }, options))) {
      expect(payload.toString()).to.equal('one.');
      break;
    }
    const next = collect(socket.dump({ type: 60 }, options));
    await delay(5);
    expect(peer.tryRequest()).to.equal(undefined);
    peer.send(left.from, data(left.sequence, 'two.', NLM_F_MULTI), done(left.sequence, -5));
    const { message, from } = await peer.request();
    peer.send(from, data(message.sequence, 'new.', NLM_F_MULTI), done(message.sequence));
    expect(await within('the next', next)).to.deep.equal(['new.']);
  });

  let left: { from: number; sequence: number };

  // answers the first part once it was asked for
  async function* watchOut(list: AsyncIterableIterator<NetlinkMessage>): AsyncGenerator<NetlinkMessage> {
    const first = list.next();
    const { message, from } = await peer.request();
    left = { from, sequence: message.sequence };
    peer.send(from, data(message.sequence, 'one.', NLM_F_MULTI));
    const { value } = await first;
    try {
      yield value;
    } finally {
      await list.return?.();
    }
  }

  it('that time out or are cancelled while they wait for their turn are never asked for', async () => {
    const first = collect(socket.dump({ type: 60 }, options));
    const a = await peer.request();
    expect(await rejection(collect(socket.dump({ type: 60 }, { ...options, timeout: 10 })))).to.include({
      code: 'ETIMEDOUT',
    });
    const controller = new AbortController();
    const cancelled = rejection(collect(socket.dump({ type: 60 }, { ...options, signal: controller.signal })));
    const last = collect(socket.dump({ type: 60, payload: 'last' }, options));
    controller.abort(new Error('no more'));
    expect((await cancelled).message).to.equal('no more');
    peer.send(a.from, done(a.message.sequence));
    expect(await within('the first', first)).to.deep.equal([]);
    const b = await peer.request();
    expect(b.message.payload.toString()).to.equal('last');
    peer.send(b.from, done(b.message.sequence));
    expect(await within('the last', last)).to.deep.equal([]);
  });

  it('blocking ones read what is there', async () => {
    const running = collect(socket.dump({ type: 60 }, options));
    const { message, from } = await peer.request();
    const [one, two] = [message.sequence, message.sequence + 1];
    peer.send(from, data(one, 'a1..', NLM_F_MULTI), done(one));
    peer.send(from, data(two, 'b1..', NLM_F_MULTI), data(two, 'b2..', NLM_F_MULTI), done(two));
    const found = [...socket.dumpSync({ type: 60 }, options)].map(({ payload }) => payload.toString());
    expect(found).to.deep.equal(['b1..', 'b2..']);
    expect(await within('the other', running)).to.deep.equal(['a1..']);
    expect(thrown(() => [...socket.dumpSync({ type: 60 }, { ...options, timeout: 10 })])).to.include({
      code: 'ETIMEDOUT',
    });
  });
});

describe('notifications', () => {
  let socket: NetlinkSocket;
  let peer: Peer;

  beforeEach(() => {
    socket = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    peer = new Peer();
  });

  afterEach(() => {
    socket.close();
    peer[Symbol.dispose]();
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
    const notifications = socket.notifications();
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
