import { cleaner, describeIf, rejection, scaled, within } from '@sock/testkit';
import {
  type TipcInput,
  type TipcTopologyEvent,
  TipcTopologySocket,
  type WatchServicesOptions,
  watchServices,
} from '@sock/tipc';
import { expect } from 'chai';
import { freshType, hasTipc, open } from './cluster.js';

const service = (type: number, instance: number): TipcInput => ({ kind: 'service', type, instance });

describeIf(hasTipc, 'the topology server', function () {
  this.timeout(20_000);
  const own = cleaner();

  async function connected(): Promise<TipcTopologySocket> {
    const topology = own(new TipcTopologySocket());
    topology.timeout = scaled(5000);
    await topology.connect();
    return topology;
  }

  it('tells what is bound, what comes and what goes', async () => {
    const type = freshType();
    const there = own(open());
    there.bindSync(service(type, 1));
    const seen: TipcTopologyEvent[] = [];
    const options: WatchServicesOptions = { type, each: 'socket', handle: 7n };
    const later = own(open());
    for await (const event of watchServices(options)) {
      seen.push(event);
      if (seen.length === 1) later.bindSync({ kind: 'range', type, lower: 5, upper: 9 });
      if (seen.length === 2) later.close();
      if (seen.length === 3) break;
    }
    expect(seen.map(({ kind, lower, upper }) => [kind, lower, upper])).to.deep.equal([
      ['published', 1, 1],
      ['published', 5, 9],
      ['withdrawn', 5, 9],
    ]);
    expect(seen[0]?.socket).to.deep.equal(there.getsockname());
    expect(seen[0]?.subscription).to.deep.equal({
      type,
      lower: 0,
      upper: 0xffffffff,
      each: 'socket',
      duration: null,
      handle: 7n,
    });
  });

  it('tells of services once, of sockets each time', async () => {
    const type = freshType();
    const topology = await connected();
    topology.subscribe({ type, lower: 3 });
    topology.subscribe({ type, lower: 3, each: 'socket', handle: 1n });
    // subscriptions are read one after the other: what is bound after them is told to both
    topology.subscribe({ type, lower: 4, duration: 1 });
    expect((await topology.recvEvent()).kind).to.equal('timeout');
    const [a, b] = [own(open()), own(open())];
    a.bindSync(service(type, 3));
    b.bindSync(service(type, 3));
    const kinds = [topology.recvEventSync(), await topology.recvEvent(), await topology.recvEvent()].map(
      ({ kind, subscription }) => `${kind} ${subscription.each}`,
    );
    expect(kinds).to.have.members(['published service', 'published socket', 'published socket']);
    expect(topology.tryRecvEvent()).to.equal(null);
  });

  it('ends a subscription after its duration, or when it is told to', async () => {
    const type = freshType();
    const kinds: string[] = [];
    for await (const { kind } of watchServices({ type, duration: 20 })) kinds.push(kind);
    expect(kinds).to.deep.equal(['timeout']);

    const topology = await connected();
    topology.subscribe({ type });
    topology.unsubscribe({ type });
    topology.subscribe({ type: freshType(), duration: 1 });
    expect((await topology.recvEvent()).kind).to.equal('timeout');
    own(open()).bindSync(service(type, 1));
    expect(topology.tryRecvEvent()).to.equal(null);
  });

  it('a watch ends with its signal, and with the iteration', async () => {
    const abort = new AbortController();
    const watch = watchServices({ type: freshType(), signal: abort.signal });
    const pending = watch.next();
    abort.abort(new Error('enough'));
    expect((await rejection(within('the end of the watch', pending))).message).to.equal('enough');
    expect(await rejection(watchServices({ type: -1 }).next())).to.include({ argument: 'subscription.type' });
  });

  it('what it does not understand ends the connection, with a clear error', async () => {
    const topology = await connected();
    await topology.send('no subscription');
    const error = await rejection(topology.recvEvent());
    expect(error.code).to.equal('ECONNRESET');
    expect(error.message).to.include('no subscription');
  });

  it('events end when the socket is closed', async () => {
    const topology = await connected();
    topology.subscribe({ type: freshType(), duration: 1 });
    for await (const { kind } of topology.events()) {
      expect(kind).to.equal('timeout');
      topology.close();
    }
  });

  it('a blocking program connects too', () => {
    const topology = own(new TipcTopologySocket());
    topology.connectSync();
    topology.subscribe({ type: freshType(), duration: 1 });
    expect(topology.recvEventSync({ timeout: scaled(5000) }).kind).to.equal('timeout');
  });
});
