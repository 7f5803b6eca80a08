import { closeSync, openSync } from 'node:fs';
import { SOCK_SEQPACKET } from '@sock/core';
import {
  type Child,
  cleaner,
  describeIf,
  PYTHON,
  pattern,
  probe,
  python,
  scaled,
  startCommand,
  within,
} from '@sock/testkit';
import {
  formatNodeId,
  getLinkName,
  getNodeId,
  TIPC_ERR_NO_NODE,
  TIPC_ERR_NO_PORT,
  type TipcInput,
  type TipcLinkEvent,
  type TipcNodeEvent,
  TipcSocket,
  type TipcSocketAddress,
  type WatchOptions,
  watchLinks,
  watchNodes,
  watchServices,
} from '@sock/tipc';
import { expect } from 'chai';
import { freshName, freshType, hasTipc, open, run } from './cluster.js';

const cluster = [...hasTipc, probe('root'), probe('command:tipc'), python];

// Two nodes in one kernel: this one, and a namespace at the other end of a cable.
describeIf(cluster, 'two nodes of TIPC', function () {
  this.timeout(40_000);
  const own = cleaner();
  const namespace = freshName();
  const [here, there] = [freshName(), freshName()];
  const [ourHost, theirHost] = ['10.99.7.1', '10.99.7.2'];
  const inside = (...command: readonly string[]): string => run('ip', 'netns', 'exec', namespace, ...command);

  /** A program of Python on the other node; it has the socket `s`, bound to `type` 1. */
  function remote(kind: 'RDM' | 'SEQPACKET', type: number, source: string): Child {
    const program = `
import socket
s = socket.socket(socket.AF_TIPC, socket.SOCK_${kind})
s.settimeout(60)
s.bind((socket.TIPC_ADDR_NAMESEQ, ${type}, 1, 1, socket.TIPC_CLUSTER_SCOPE))
print("bound")
${source}`;
    return own(startCommand('ip', ['netns', 'exec', namespace, PYTHON, '-u', '-c', program], { timeout: 30_000 }));
  }

  /** Waits until the other node's service is known here: the socket that is bound to it. */
  async function published(other: Child, type: number): Promise<TipcSocketAddress> {
    await other.says('bound');
    const signal = AbortSignal.timeout(scaled(5000));
    for await (const { kind, socket } of watchServices({ type, signal })) if (kind === 'published') return socket;
    throw new Error('the watch ended');
  }

  before(() => {
    run('ip', 'netns', 'add', namespace);
    run('ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', namespace);
    run('ip', 'address', 'add', `${ourHost}/30`, 'dev', here);
    run('ip', 'link', 'set', here, 'up');
    inside('ip', 'address', 'add', `${theirHost}/30`, 'dev', there);
    inside('ip', 'link', 'set', there, 'up');
    run('tipc', 'node', 'set', 'identity', 'alpha');
    inside('tipc', 'node', 'set', 'identity', 'beta');
  });
  after(() => {
    run('ip', 'link', 'delete', here);
    run('ip', 'netns', 'delete', namespace);
  });

  /** Enables a bearer at both ends, and waits for the link. */
  async function join(ours: readonly string[], theirs: readonly string[]): Promise<void> {
    run('tipc', 'bearer', 'enable', 'media', ...ours);
    inside('tipc', 'bearer', 'enable', 'media', ...theirs);
    for await (const { kind } of watchLinks()) if (kind === 'up') break;
  }

  /** Connects to a program of Python, and disables the bearer: everything that needs it ends, and says so. */
  async function disable(...bearer: readonly string[]): Promise<void> {
    const type = freshType();
    const other = remote(
      'SEQPACKET',
      type,
      's.listen()\nprint("listening")\nc, peer = s.accept()\nprint("accepted")\nc.recv(100)',
    );
    await other.says('listening');
    await published(other, type);
    const client = own(open({ type: SOCK_SEQPACKET }));
    await client.connect({ kind: 'service', type, instance: 1 });
    await other.says('accepted');
    const [links, nodes, services] = [watchLinks(), watchNodes(), watchServices({ type })];
    expect((await links.next()).value).to.include({ kind: 'up' });
    await nodes.next();
    await nodes.next();
    expect((await services.next()).value).to.include({ kind: 'published' });

    run('tipc', 'bearer', 'disable', 'media', ...bearer);
    expect(await client.recvDelivery()).to.include({ kind: 'end', error: TIPC_ERR_NO_NODE });
    const watches: [string, AsyncGenerator<{ kind: string }>, string][] = [
      ['link', links, 'down'],
      ['node', nodes, 'down'],
      ['service', services, 'withdrawn'],
    ];
    for (const [what, watch, kind] of watches) {
      expect((await within(what, watch.next())).value, what).to.include({ kind });
      await watch.return(undefined);
    }
    const error = await client.send('x').then(
      () => undefined,
      ({ code }: { code: string }) => code,
    );
    expect(error).to.equal('EPIPE');
  }

  describe('over Ethernet', () => {
    before(async function (this: Mocha.Context) {
      this.timeout(scaled(40_000));
      await join(['eth', 'device', here], ['eth', 'device', there]);
    });

    it('the link, the nodes and their names are as the tipc tool has them', async () => {
      const socket = own(open());
      const { node } = socket.getsockname() as TipcSocketAddress;
      let link: TipcLinkEvent | undefined;
      for await (link of watchLinks()) break;
      const { kind, peer, bearer, peerBearer } = link as TipcLinkEvent;
      expect([kind, bearer, peerBearer]).to.deep.equal(['up', 0, 0]);
      const name = `alpha:${here}-beta:${there}`;
      expect(getLinkName(socket, peer, bearer)).to.equal(name);
      expect(run('tipc', 'link', 'list')).to.include(`${name}: up`);
      expect([node, peer].map((id) => formatNodeId(getNodeId(socket, id)))).to.deep.equal(['alpha', 'beta']);
      expect(formatNodeId(socket.nodeId(peer))).to.equal('beta');
      expect(run('tipc', 'node', 'list')).to.match(new RegExp(`beta +${peer.toString(16)} +up`));
      expect(() => socket.linkName(peer, 9)).to.throw(/EADDRNOTAVAIL.*no such link/);
      expect(() => socket.nodeId(0x7ffffff)).to.throw(/EADDRNOTAVAIL/);

      const nodes: TipcNodeEvent[] = [];
      const options: WatchOptions = {};
      for await (const event of watchNodes(options)) if (nodes.push(event) === 2) break;
      expect(nodes.map(({ kind: state }) => state)).to.deep.equal(['up', 'up']);
      expect(nodes.map((event) => event.node)).to.have.members([node, peer]);
    });

    it('each node is told of by its own namespace', async () => {
      const fd = openSync(`/run/netns/${namespace}`, 'r');
      try {
        const [near, far] = [own(open()), own(new TipcSocket({ namespace: fd }))];
        const [nearNode, farNode] = [near, far].map((socket) => (socket.getsockname() as TipcSocketAddress).node);
        const peers: number[] = [];
        for (const options of [{}, { namespace: fd }]) {
          for await (const { peer } of watchLinks(options)) {
            peers.push(peer);
            break;
          }
        }
        expect(peers).to.deep.equal([farNode, nearNode]);
      } finally {
        closeSync(fd);
      }
    });

    it('the tipc tool shows what is bound, with its scope, here and there', async () => {
      const type = freshType();
      const socket = own(open());
      socket.bindSync({ kind: 'range', type, lower: 10, upper: 19 });
      socket.bindSync({ kind: 'service', type, instance: 30, scope: 3 });
      const { ref } = socket.getsockname() as TipcSocketAddress;
      const table = run('tipc', 'nametable', 'show');
      expect(table).to.match(new RegExp(`${type} +10 +19 +cluster +${ref} +alpha`));
      expect(table).to.match(new RegExp(`${type} +30 +30 +node +${ref} +alpha`));
      expect(run('tipc', 'socket', 'list')).to.include(`socket ${ref}`);
      const other = remote('RDM', type, 's.recv(9)');
      expect((await published(other, type)).kind).to.equal('socket');
      const far = inside('tipc', 'nametable', 'show');
      expect(far).to.match(new RegExp(`${type} +10 +19 +cluster +${ref} +alpha`));
      expect(far).not.to.match(new RegExp(`${type} +30 `));
    });

    it('Python understands messages, and is understood', async () => {
      const type = freshType();
      const other = remote(
        'RDM',
        type,
        `
data, sender = s.recvfrom(100)
print(sender)
s.sendto(data.upper(), sender)
s.sendto(b'by name', (socket.TIPC_ADDR_NAME, ${type}, 7, 0))
s.sendto(b'to all', (socket.TIPC_ADDR_NAMESEQ, ${type}, 5, 9))`,
      );
      const name = await published(other, type);
      const socket = own(open());
      socket.bindSync({ kind: 'service', type, instance: 7 });
      const address: TipcInput = { kind: 'service', type, instance: 1 };
      await socket.sendTo('hello', address);
      const answer = await socket.recvDelivery();
      expect(answer).to.deep.include({ kind: 'message', data: Buffer.from('HELLO'), destination: null, address: name });
      const { node, ref } = socket.getsockname() as TipcSocketAddress;
      expect((await other.succeeded()).stdout).to.include(`(3, ${node}, ${ref}, 0, 0)`);
      expect(await socket.recvDelivery()).to.deep.include({
        data: Buffer.from('by name'),
        destination: { type, lower: 7, upper: 7 },
      });
      expect(await socket.recvDelivery()).to.deep.include({
        data: Buffer.from('to all'),
        destination: { type, lower: 5, upper: 9 },
      });
    });

    it('Python accepts a connection, and dies: the connection and its service end', async () => {
      const type = freshType();
      const other = remote(
        'SEQPACKET',
        type,
        's.listen()\nprint("listening")\nc, peer = s.accept()\nc.sendall(c.recv(100).upper())\nc.recv(100)\nprint("reading")\nc.recv(100)',
      );
      await other.says('listening'); // its name is known from bind on, before it listens
      await published(other, type);
      const client = own(open({ type: SOCK_SEQPACKET }));
      const services = watchServices({ type });
      expect((await services.next()).value).to.include({ kind: 'published' });
      await client.connect({ kind: 'service', type, instance: 1 });
      await client.send('to Python');
      expect(await client.recvDelivery()).to.deep.include({ data: Buffer.from('TO PYTHON') });
      await client.send('go on');
      await other.says('reading');
      other.kill();
      expect(await client.recvDelivery()).to.include({ kind: 'end', error: TIPC_ERR_NO_PORT });
      expect((await within('the event', services.next())).value).to.include({ kind: 'withdrawn' });
      await services.return(undefined);
    });

    it('a bearer that is disabled takes the link, the node, its services and connections with it', () =>
      disable('eth', 'device', here));
  });

  describe('over UDP', () => {
    before(async function (this: Mocha.Context) {
      this.timeout(scaled(40_000));
      await join(
        ['udp', 'name', 'lan', 'localip', ourHost, 'remoteip', theirHost],
        ['udp', 'name', 'lan', 'localip', theirHost, 'remoteip', ourHost],
      );
    });

    it('the link is as the tipc tool has it', async () => {
      const socket = own(open());
      for await (const { peer, bearer } of watchLinks()) {
        expect(getLinkName(socket, peer, bearer)).to.equal('alpha:lan-beta:lan');
        break;
      }
      expect(run('tipc', 'bearer', 'list').trim().split('\n')).to.deep.equal(['udp:lan']);
      expect(run('tipc', 'link', 'list')).to.include('alpha:lan-beta:lan: up');
    });

    it('Python sends the largest messages back', async () => {
      const type = freshType();
      const other = remote(
        'RDM',
        type,
        `
for _ in range(3):
    data, sender = s.recvfrom(70_000)
    s.sendto(data[::-1], sender)`,
      );
      const name = await published(other, type);
      const socket = own(open());
      for (const size of [1, 1500, 66_000]) {
        const sent = pattern(size, size);
        await socket.sendTo(sent, { kind: 'service', type, instance: 1 });
        const answer = await socket.recvDelivery();
        expect(answer, `${size} bytes`).to.deep.include({ kind: 'message', data: sent.reverse(), address: name });
      }
      await other.succeeded();
    });

    it('a bearer that is disabled takes everything with it', () => disable('udp', 'name', 'lan'));
  });
});
