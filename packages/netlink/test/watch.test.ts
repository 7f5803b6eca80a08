import { AF_INET, AF_INET6, soRcvBuf } from '@sock/core';
import {
  addAddressSync,
  addLinkSync,
  addNeighbourSync,
  addRouteSync,
  addRuleSync,
  deleteAddressSync,
  deleteLinkSync,
  deleteNeighbourSync,
  deleteRouteSync,
  deleteRuleSync,
  getLinkSync,
  getNamespaceIdSync,
  IFA_F_NODAD,
  listLinksSync,
  listRulesSync,
  NETLINK_GENERIC,
  NetlinkSocket,
  netlinkListenAllNsid,
  RTNLGRP_LINK,
  setLinkSync,
  setNamespaceIdSync,
  type Watcher,
  watchAddresses,
  watchLinks,
  watchNeighbours,
  watchRoutes,
  watchRules,
} from '@sock/netlink';
import {
  describeIf,
  itIf,
  probe,
  rejection,
  runNode,
  startNode,
  takeWarnings,
  thrown,
  turns,
  within,
} from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { Namespace, sharedNamespace, veth } from './namespace.js';

describeIf([networks, veth], 'watching, beside ip monitor', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;

  sharedNamespace((made, opened) => {
    namespace = made;
    socket = opened;
  });

  afterEach(() => {
    for (const { name, kind } of listLinksSync({ socket, kind: 'veth' })) {
      if (kind === 'veth' && listLinksSync({ socket }).some((link) => link.name === name))
        deleteLinkSync(name, { socket });
    }
  });

  /** Changes up to the first that is the last. */
  async function until<T>(watcher: Watcher<T>, last: (change: T) => boolean): Promise<T[]> {
    const seen: T[] = [];
    do {
      const { value, done } = await within('a change', watcher.next());
      if (done === true) throw new Error('the end');
      seen.push(value);
    } while (!last(seen.at(-1) as T));
    return seen;
  }

  // the mtu of lo marks what comes between
  const BEGIN = 60_001;
  const END = 60_002;

  /** What `ip monitor` prints about what an action does, as lines, between two marks. */
  async function monitored(objects: string, action: () => void): Promise<string[]> {
    const monitor = namespace.start('ip', '-o', 'monitor', ...objects.split(' '));
    try {
      for (let i = 0; i < 200; i++) {
        setLinkSync('lo', { mtu: 61_000 + i }, { socket });
        if (await Promise.race([monitor.says(' mtu 61').then(() => true), turns(20)])) break;
      }
      setLinkSync('lo', { mtu: BEGIN }, { socket });
      action();
      setLinkSync('lo', { mtu: END }, { socket });
      const lines: string[] = [];
      let inside = false;
      for (;;) {
        const line = await within('a line', monitor.line());
        if (line.includes(` mtu ${END} `)) return lines;
        if (inside && !/^\d+: lo:/.test(line)) lines.push(line);
        inside ||= line.includes(` mtu ${BEGIN} `);
      }
    } finally {
      await monitor[Symbol.asyncDispose]();
    }
  }

  it('links: made, changed, renamed, gone, as ip monitor has them', async () => {
    using watcher = watchLinks({ socket });
    const lines = await monitored('link', () => {
      addLinkSync({ kind: 'veth', name: 'w0', peer: { name: 'w1' } }, { socket });
      setLinkSync('w0', { up: true }, { socket });
      setLinkSync('w1', { mtu: 1400, alias: 'changed' }, { socket });
      setLinkSync('w1', { name: 'w2' }, { socket });
      setLinkSync('w2', { up: true }, { socket });
      deleteLinkSync('w0', { socket });
    });
    const changes = await until(watcher, ({ link }) => link.mtu === END);
    const ours = changes
      .slice(changes.findIndex(({ link }) => link.mtu === BEGIN))
      .filter(({ link }) => link.name !== 'lo')
      .map(({ event, link }) => `${event} ${link.index} ${link.name} ${link.mtu} ${link.up}`);
    const theirs = lines
      // a bridge tells of its ports in a family of its own
      .filter((line) => /^(Deleted )?\d+: /.test(line) && !line.includes('AF_BRIDGE'))
      .map((line) => {
        const [, gone, index, name, flags = '', mtu] =
          /^(Deleted )?(\d+): ([^:@]+)(?:@\S+)?: <([^>]*)> mtu (\d+)/.exec(line) ?? [];
        return `${gone === undefined ? 'update' : 'delete'} ${index} ${name} ${mtu} ${flags.split(',').includes('UP')}`;
      });
    expect(ours).to.deep.equal(theirs);
    expect(ours.filter((line) => line.startsWith('delete'))).to.have.lengthOf(2);
    const renamed = changes.filter(({ link }) => link.name === 'w2');
    expect(renamed[0]?.link).to.include({ mtu: 1400, alias: 'changed' });
    // one that is new has all flags changed
    expect(changes.find(({ link }) => link.name === 'w0')?.link.changedFlags).to.equal(0xffffffff);
  });

  it('addresses, routes, neighbours and rules, as ip monitor has them', async () => {
    addLinkSync({ kind: 'veth', name: 'w0', up: true, peer: { name: 'w1' } }, { socket });
    setLinkSync('w1', { up: true }, { socket });
    using addresses = watchAddresses({ socket, family: AF_INET });
    using routes = watchRoutes({ socket, family: AF_INET });
    using neighbours = watchNeighbours({ socket, family: AF_INET });
    using rules = watchRules({ socket, family: AF_INET });
    const lines = await monitored('link address route neigh rule', () => {
      addAddressSync({ interface: 'w0', address: '192.0.2.1', prefixLength: 24 }, { socket });
      addRouteSync({ destination: '10.0.0.0', prefixLength: 8, gateway: '192.0.2.2' }, { socket });
      addNeighbourSync({ interface: 'w0', destination: '192.0.2.2', linkAddress: '02:00:00:00:00:02' }, { socket });
      addRuleSync({ priority: 77, source: '192.0.2.0', sourcePrefixLength: 24, table: 7 }, { socket });
      deleteRuleSync({ priority: 77 }, { socket });
      deleteNeighbourSync({ interface: 'w0', destination: '192.0.2.2' }, { socket });
      deleteRouteSync({ destination: '10.0.0.0', prefixLength: 8 }, { socket });
      deleteAddressSync({ interface: 'w0', address: '192.0.2.1', prefixLength: 24 }, { socket });
    });

    const own = lines.map((line) => line.replace(/^\[\w+\]/, ''));
    const theirs = (pattern: RegExp) =>
      own.filter((line) => pattern.test(line)).map((line) => (/^Deleted/i.test(line) ? 'delete' : 'update'));
    const count = (pattern: RegExp) => theirs(pattern).length;

    const about = await take(addresses, count(/ inet 192\.0\.2\.1/));
    expect(about.map(({ event }) => event)).to.deep.equal(theirs(/ inet 192\.0\.2\.1/));
    expect(about.at(-1)).to.deep.include({ event: 'delete', namespaceId: undefined });
    expect(about.at(-1)?.address).to.include({ address: '192.0.2.1', prefixLength: 24, interface: 'w0' });

    const pattern = /^(Deleted )?(local |broadcast )?(10\.0\.0\.0\/8|192\.0\.2\.\d+(\/24)?) .*(via|proto)/;
    const ways = (await take(routes, count(pattern))).map(({ event, route }) => `${event} ${route.destination}`);
    expect(ways).to.include.members(['update 10.0.0.0', 'delete 10.0.0.0', 'update 192.0.2.0', 'delete 192.0.2.0']);
    expect(ways.map((way) => way.split(' ')[0])).to.deep.equal(theirs(pattern));

    const found = await until(
      neighbours,
      ({ event, neighbour }) => event === 'delete' && neighbour.destination === '192.0.2.2',
    );
    const those = found.filter(({ neighbour }) => neighbour.destination === '192.0.2.2').map(({ event }) => event);
    // one that is removed is told as failed first
    expect(those).to.deep.equal(theirs(/^(Deleted )?192\.0\.2\.2 dev w0/));

    const both = await take(rules, count(/^(Deleted )?77:/));
    expect(both.map(({ event, rule }) => `${event} ${rule.priority}`)).to.deep.equal(['update 77', 'delete 77']);
    expect(listRulesSync({ socket }).some(({ priority }) => priority === 77)).to.equal(false);
  });

  async function take<T>(watcher: Watcher<T>, count: number): Promise<T[]> {
    expect(count).to.be.greaterThan(0);
    let seen = 0;
    return until(watcher, () => ++seen === count);
  }

  it('an interface that disappears takes its addresses and routes with it, and all are told', async () => {
    addLinkSync({ kind: 'veth', name: 'w0', up: true, peer: { name: 'w1' } }, { socket });
    setLinkSync('w1', { up: true }, { socket });
    addAddressSync({ interface: 'w0', address: '192.0.2.1', prefixLength: 24 }, { socket });
    addAddressSync({ interface: 'w0', address: '2001:db8::1', prefixLength: 64, flags: IFA_F_NODAD }, { socket });
    const { index } = getLinkSync('w0', { socket });
    using links = watchLinks({ socket });
    using addresses = watchAddresses({ socket });
    using routes = watchRoutes({ socket });
    deleteLinkSync('w1', { socket });
    const gone = await until(links, ({ event, link }) => event === 'delete' && link.index === index);
    expect(gone.at(-1)?.link.name).to.equal('w0');
    const owned = new Set(['192.0.2.1', '2001:db8::1']);
    const lost = await until(addresses, ({ event, address }) => {
      if (event === 'delete') owned.delete(address.address);
      return owned.size === 0;
    });
    // the name may be gone by the time that it is asked for
    expect(lost.at(-1)?.address.index).to.equal(index);
    // the kernel does not tell of IPv4 routes that an interface takes with it
    const ended = await until(routes, ({ event, route }) => event === 'delete' && route.destination === '2001:db8::');
    expect(ended.at(-1)?.route).to.include({ family: AF_INET6, index });
  });

  it('nothing is missed between the call and the loop', async () => {
    const watcher = watchLinks({ socket });
    addLinkSync({ kind: 'veth', name: 'w0', peer: { name: 'w1' } }, { socket });
    const names: string[] = [];
    for await (const { link } of watcher) {
      names.push(link.name);
      if (names.includes('w0') && names.includes('w1')) break;
    }
    // the loop that was left closed it
    expect(await watcher.next()).to.deep.equal({ done: true, value: undefined });
    expect(socket.closed).to.equal(false);
  });

  it('watchers share a socket, which is in a group for as long as one of them is', async () => {
    const own = namespace.open();
    const first = watchLinks({ socket: own });
    const second = watchLinks({ socket: own });
    const third = watchAddresses({ socket: own, family: AF_INET6 });
    expect(own.groups).to.deep.equal([RTNLGRP_LINK, 9]);
    first.close();
    first.close();
    expect(own.groups).to.deep.equal([RTNLGRP_LINK, 9]);
    addLinkSync({ kind: 'veth', name: 'w0', peer: { name: 'w1' } }, { socket });
    expect((await within('a change', second.next())).value?.event).to.equal('update');
    second[Symbol.dispose]();
    expect(own.groups).to.deep.equal([9]);
    third.close();
    expect(own.groups).to.deep.equal([]);
    // a group that was joined before stays
    own.join(RTNLGRP_LINK);
    watchLinks({ socket: own }).close();
    expect(own.groups).to.deep.equal([RTNLGRP_LINK]);
    own.close();
    second.close();
  });

  it('a signal and a timeout end the wait', async () => {
    const controller = new AbortController();
    const watcher = watchRules({ socket, signal: controller.signal });
    const waiting = rejection(watcher.next());
    const reason = new Error('done');
    controller.abort(reason);
    expect(await within('the wait', waiting)).to.equal(reason);
    expect((await watcher.next()).done).to.equal(true);
    using patient = watchRules({ socket, timeout: 10 });
    expect(await rejection(patient.next())).to.include({ code: 'ETIMEDOUT' });
    // which does not end it
    addRuleSync({ priority: 88 }, { socket });
    expect((await within('a change', patient.next())).value?.rule.priority).to.equal(88);
    deleteRuleSync({ priority: 88 }, { socket });
  });

  it('changes asked for together come in order', async () => {
    using watcher = watchRules({ socket });
    const three = Promise.all([watcher.next(), watcher.next(), watcher.next()]);
    for (const priority of [91, 92, 93]) addRuleSync({ priority }, { socket });
    const found = await within('the changes', three);
    expect(found.map(({ value }) => value?.rule.priority)).to.deep.equal([91, 92, 93]);
    for (const priority of [91, 92, 93]) deleteRuleSync({ priority }, { socket });
  });

  it('closing the socket ends the loop', async () => {
    const own = namespace.open();
    const watcher = watchLinks({ socket: own });
    const waiting = watcher.next();
    await turns(2);
    own.close();
    expect((await within('the end', waiting)).done).to.equal(true);
  });

  it('an overflow rejects once, and the watcher goes on', async () => {
    const own = namespace.open();
    own.setOption(soRcvBuf, 1);
    const watcher = watchLinks({ socket: own });
    addLinkSync({ kind: 'veth', name: 'w0', peer: { name: 'w1' } }, { socket });
    for (let i = 0; i < 50; i++) setLinkSync('w0', { mtu: 1000 + i }, { socket });
    const error = await rejection(within('the overflow', watcher.next()));
    expect(error).to.include({ code: 'ENOBUFS' });
    expect(error.message).to.contain('messages were lost');
    // list anew, and go on
    expect(getLinkSync('w0', { socket }).mtu).to.equal(1049);
    let sent = 0;
    for await (const { link } of watcher) {
      if (link.mtu === 1499) break;
      if (!own.tryWaitReadable()) setLinkSync('w0', { mtu: sent++ === 0 ? 1499 : 1498 + (sent % 2) }, { socket });
      expect(sent).to.be.lessThan(20);
    }
    own.close();
  });

  itIf(probe('root'), 'other namespaces are watched too, and told apart', async () => {
    const other = new Namespace();
    const elsewhere = other.open();
    const own = namespace.open();
    try {
      setNamespaceIdSync({ fd: other.fd }, null, { socket });
      const id = getNamespaceIdSync({ fd: other.fd }, { socket });
      own.setOption(netlinkListenAllNsid, true);
      using watcher = watchLinks({ socket: own });
      using addresses = watchAddresses({ socket: own });
      addLinkSync({ kind: 'veth', name: 'far0', peer: { name: 'far1' } }, { socket: elsewhere });
      addAddressSync({ interface: 'far0', address: '192.0.2.99' }, { socket: elsewhere });
      addLinkSync({ kind: 'veth', name: 'w0', peer: { name: 'w1' } }, { socket });
      const seen = await until(watcher, ({ link }) => link.name === 'w0');
      expect(seen.find(({ link }) => link.name === 'far0')?.namespaceId)
        .to.equal(id)
        .and.be.a('number');
      expect(seen.at(-1)?.namespaceId).to.equal(undefined);
      const [about] = await take(addresses, 1);
      // its name is not to be asked for from here
      expect(about?.address).to.include({ address: '192.0.2.99' }).and.not.have.property('interface');
    } finally {
      own.close();
      elsewhere.close();
      other.close();
    }
  });

  it('what it is given is checked', () => {
    using generic = new NetlinkSocket({ protocol: NETLINK_GENERIC });
    for (const watch of [watchLinks, watchAddresses, watchRoutes, watchNeighbours, watchRules] as const) {
      expect(
        thrown(() => watch(5 as never)),
        watch.name,
      ).to.include({ argument: 'options' });
      expect(
        thrown(() => watch({ socket: generic })),
        watch.name,
      ).to.include({ argument: 'options.socket' });
      expect(
        thrown(() => watch({ timeout: -1 })),
        watch.name,
      ).to.include({ argument: 'timeout' });
      expect(
        thrown(() => watch({ signal: 5 as never })),
        watch.name,
      ).to.include({ argument: 'signal' });
      if (watch !== watchLinks) {
        expect(
          thrown(() => watch({ family: 'inet' as never })),
          watch.name,
        ).to.include({ argument: 'options.family' });
      }
    }
    expect(takeWarnings()).to.deep.equal([]);
  });
});

describe('watching without a socket of one’s own', () => {
  it('opens one, and closes it with the loop', async () => {
    const watcher = watchLinks();
    expect(watcher.socket.groups).to.deep.equal([RTNLGRP_LINK]);
    expect(watcher[Symbol.asyncIterator]()).to.equal(watcher);
    await watcher.return();
    expect(watcher.socket.closed).to.equal(true);
    using another = watchRoutes({ family: AF_INET });
    expect(another.socket.groups).to.deep.equal([7]);
  });

  itIf(probe('root'), 'of all namespaces, where it may', () => {
    using watcher = watchLinks({ allNamespaces: true });
    expect(watcher.socket.groups).to.deep.equal([RTNLGRP_LINK]);
  });

  it('keeps the process alive while somebody waits, and no longer', async () => {
    const idle = await runNode(`
      import { watchLinks } from '@sock/netlink';
      const watcher = watchLinks();
      watcher.socket.unref();
      watcher.next();
      console.log('over');
    `);
    expect(idle).to.include({ code: 0, stdout: 'over\n', stderr: '' });
    const waiting = startNode(`
      import { watchLinks } from '@sock/netlink';
      console.log('waiting');
      for await (const _ of watchLinks());
    `);
    await waiting.says('waiting');
    const ended = await Promise.race([
      waiting.outcome.then(() => 'ended'),
      new Promise((resolve) => setTimeout(resolve, 300, 'alive')),
    ]);
    expect(ended).to.equal('alive');
    await waiting[Symbol.asyncDispose]();
  }).timeout(20_000);
});
