import { SOCK_RAW, Socket, SocketError, soRcvBuf } from '@sock/core';
import {
  addLinkSync,
  deleteLinkSync,
  getLinkSync,
  type Link,
  type LinkChange,
  listLinks,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NetlinkSocket,
  netlink,
  packMessage,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTNLGRP_LINK,
  setLinkSync,
  type Watcher,
  watchLinks,
} from '@sock/netlink';
import { describeIf, inLab, rejection, startNode, turns, within } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import fc from 'fast-check';
import { Namespace, veth } from './namespace.js';

describeIf([networks, veth], 'netlink at its limits', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;

  before(() => {
    namespace = new Namespace();
    ({ socket } = namespace);
  });

  after(() => namespace.close());

  beforeEach(() => namespace.veth('end0', 'end1'));

  afterEach(() => {
    // a pair goes together
    deleteLinkSync('end1', { socket });
  });

  /** What a watcher is told about an interface, up to what is waited for. */
  async function told(watcher: Watcher<LinkChange>, index: number, last: (change: LinkChange) => boolean) {
    for (;;) {
      const { value } = await within('a change', watcher.next());
      if (value?.link.index === index && last(value)) return value;
    }
  }

  it('an interface goes down, is renamed and comes up while a watcher waits', async () => {
    const { index } = getLinkSync('end0', { socket });
    using watcher = watchLinks({ namespace: namespace.fd });
    const down = told(watcher, index, ({ link }) => !link.up);
    await turns(3);
    setLinkSync('end0', { up: false }, { socket });
    expect((await down).link).to.include({ name: 'end0', up: false, carrier: false });
    const renamed = told(watcher, index, ({ link }) => link.name !== 'end0');
    await turns(3);
    setLinkSync('end0', { name: 'new0' }, { socket });
    expect(await renamed).to.include({ event: 'update' });
    // its index stays
    expect((await listLinks({ socket })).find((link) => link.index === index)?.name).to.equal('new0');
    setLinkSync('new0', { up: true }, { socket });
    expect((await told(watcher, index, ({ link }) => link.carrier)).link.name).to.equal('new0');
  });

  it('an interface disappears while a watcher waits, and what names it then is ENODEV', async () => {
    namespace.veth('gone0', 'gone1');
    const { index } = getLinkSync('gone0', { socket });
    using watcher = watchLinks({ namespace: namespace.fd });
    const gone = told(watcher, index, ({ event }) => event === 'delete');
    await turns(3);
    deleteLinkSync('gone1', { socket });
    expect((await gone).link.name).to.equal('gone0');
    for (const link of ['gone0', index]) {
      const error = await rejection((async () => setLinkSync(link, { mtu: 1400 }, { socket }))());
      expect(error).to.include({ code: 'ENODEV' });
    }
  });

  it('who watches through an overflow, and lists anew, knows in the end what there is', async () => {
    using own = namespace.open();
    own.setOption(soRcvBuf, 1);
    using watcher = watchLinks({ socket: own });
    const known = new Map<number, Link>();
    const list = async () => {
      known.clear();
      for (const link of await listLinks({ socket })) known.set(link.index, link);
    };
    await list();
    let lost = 0;
    const following = (async () => {
      while (!known.has(4711)) {
        try {
          const { value } = await watcher.next();
          if (value?.event === 'update') known.set(value.link.index, value.link);
          else if (value?.event === 'delete') known.delete(value.link.index);
        } catch (error) {
          if (!(error instanceof SocketError) || error.code !== 'ENOBUFS') throw error;
          lost++;
          await list();
        }
      }
    })();
    // another program, which does not wait for us
    const lines = Array.from({ length: inLab ? 20 : 60 }, (_, i) => [
      `link set end0 mtu ${1000 + i}`,
      `link add many${i} type veth peer name more${i}`,
      i % 2 === 0 ? `link del many${i}` : `link set many${i} name kept${i}`,
    ]);
    const storm = namespace.run('sh', '-c', 'printf "%s\\n" "$1" | ip -batch -', 'sh', lines.flat().join('\n'));
    const end = storm.then(async () => {
      addLinkSync({ kind: 'bridge', name: 'last0', index: 4711 }, { socket });
      // the change that tells of it may be lost; the next is told, or that one was lost
      for (let i = 0; !known.has(4711); i++) {
        setLinkSync('last0', { mtu: 1000 + i }, { socket });
        await turns(10);
      }
    });
    await within('the last', Promise.all([following, end]), 20_000);
    expect(lost).to.be.greaterThan(0);
    const names = (links: Iterable<Link>) =>
      Array.from(links, ({ index, name, mtu }) => `${index} ${name} ${name === 'last0' ? '' : mtu}`).sort();
    expect(names(known.values())).to.deep.equal(names(await listLinks({ socket })));
    for (const { name, kind } of await listLinks({ socket })) {
      if (kind === 'bridge' || name.startsWith('kept')) deleteLinkSync(name, { socket });
    }
  });

  it('what other programs inject into a watcher, be it malformed or a lie, does not count', async () => {
    using watcher = watchLinks({ namespace: namespace.fd });
    using liar = new Socket(netlink, SOCK_RAW, NETLINK_ROUTE, { namespace: namespace.fd });
    const { pid } = watcher.socket;
    const change = told(watcher, getLinkSync('end1', { socket }).index, ({ link }) => link.alias === 'true');
    const lie = Buffer.concat([Buffer.alloc(16), Buffer.from([0, 0, 0, 0]), Buffer.alloc(12, 1)]);
    for (const type of [RTM_NEWLINK, RTM_DELLINK]) liar.sendToSync(packMessage({ type, payload: lie }), { pid });
    liar.sendToSync(packMessage({ type: RTM_DELLINK, payload: lie }), { pid, groups: 1 << (RTNLGRP_LINK - 1) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        liar.trySendTo(bytes, { pid });
      }),
      { numRuns: 50 },
    );
    setLinkSync('end1', { alias: 'true' }, { socket });
    expect((await change).event).to.equal('update');
  });

  it('what other programs inject beside a request, whatever it is, does not change its answer', async () => {
    using asking = namespace.open();
    using liar = new Socket(netlink, SOCK_RAW, NETLINK_ROUTE, { namespace: namespace.fd });
    const { pid } = asking;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 5 }), async (injected) => {
        for (const bytes of injected) liar.sendToSync(bytes, { pid });
        // one with the number that the next request will have
        liar.sendToSync(packMessage({ type: RTM_NEWLINK, sequence: 1, payload: Buffer.alloc(16) }), { pid });
        const names = (await within('the list', listLinks({ socket: asking }))).map(({ name }) => name);
        expect(names.sort()).to.deep.equal(['end0', 'end1', 'lo']);
      }),
      { numRuns: inLab ? 5 : 30 },
    );
  });
});

describe('a peer that dies', () => {
  // a program with a netlink socket that it never reads
  const PROGRAM = `
    import { SOCK_RAW, Socket } from '@sock/core';
    import { NETLINK_USERSOCK, netlink } from '@sock/netlink';
    const socket = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    socket.bindSync({});
    console.log(socket.getsockname().pid);
    setInterval(() => socket.fileno(), 1000);
  `;

  it('ends who waits for room there with ECONNREFUSED; who waits for its answer is told by the timeout', async () => {
    using asking = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    using sending = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    const child = startNode(PROGRAM);
    const pid = Number(await child.line());
    const answer = rejection(asking.request({ type: 50 }, { peer: pid, timeout: 500 }));
    const piece = Buffer.alloc(4096);
    let sent = 0;
    while (sending.trySendTo(piece, { pid }) !== null) expect(++sent).to.be.lessThan(100_000);
    const room = rejection(sending.sendTo(piece, { pid }));
    child.kill();
    await child.outcome;
    expect(await within('the sender', room)).to.include({ code: 'ECONNREFUSED' });
    expect(await within('the request', answer)).to.include({ code: 'ETIMEDOUT' });
    const next = await rejection(asking.request({ type: 50 }, { peer: pid }));
    expect(next).to.include({ code: 'ECONNREFUSED' });
    expect(next.message).to.contain('no socket of this protocol has that pid');
  }).timeout(20_000);
});
