import {
  NetlinkError,
  type NetlinkMessage,
  type NetlinkSocket,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
} from '@sock/netlink';
import { delay, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { ack, data, done, eachPeer, type Peer } from './peer.js';

describe('lists', () => {
  let socket: NetlinkSocket;
  let peer: Peer;
  let options: { peer: number };

  eachPeer((opened, answering) => {
    socket = opened;
    peer = answering;
    options = { peer: peer.pid };
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
