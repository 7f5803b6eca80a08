import { IFF_ALLMULTI, IFF_MULTICAST, IFF_NOARP, IFF_PROMISC } from '@sock/core';
import {
  addLink,
  addLinkSync,
  attribute,
  deleteLink,
  deleteLinkSync,
  getLink,
  getLinkSync,
  getNamespaceId,
  getNamespaceIdSync,
  IF_OPER_UP,
  IFLA_BR_HELLO_TIME,
  IFLA_IFNAME,
  IFLA_NUM_TX_QUEUES,
  type Link,
  listLinks,
  listLinksSync,
  listNamespaceIds,
  listNamespaceIdsSync,
  MACVLAN_MODE_BRIDGE,
  NetlinkError,
  type NetlinkSocket,
  setLink,
  setLinkSync,
  setNamespaceId,
  setNamespaceIdSync,
} from '@sock/netlink';
import { describeIf, itIf, rejection, thrown } from '@sock/testkit';
import { linkKind, networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { atOnce, Namespace, sharedNamespace, veth } from './namespace.js';

type Json = Record<string, unknown>;

describeIf([networks, veth], 'links, beside ip(8)', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;

  sharedNamespace(
    (made, opened) => {
      namespace = made;
      socket = opened;
    },
    { links: true },
  );

  /** A link as `ip -j -d -s link` has it. */
  function asIp(link: Link, all: readonly Link[]): Json {
    const nameOf = (index: number | undefined) => all.find((one) => one.index === index)?.name;
    return {
      ifindex: link.index,
      ifname: link.name,
      mtu: link.mtu,
      qdisc: link.queueingDiscipline,
      txqlen: link.transmitQueueLength,
      address: link.address,
      broadcast: link.broadcast,
      promiscuity: link.promiscuity,
      min_mtu: link.minimumMtu,
      max_mtu: link.maximumMtu,
      num_tx_queues: link.transmitQueues,
      num_rx_queues: link.receiveQueues,
      kind: link.kind,
      slave_kind: link.slaveKind,
      master: nameOf(link.master),
      link: link.linkNamespaceId === undefined ? nameOf(link.link) : undefined,
      link_index: link.linkNamespaceId === undefined ? undefined : link.link,
      link_netnsid: link.linkNamespaceId,
      ifalias: link.alias,
      altnames: link.alternativeNames,
      up: link.up,
      lower_up: link.carrier,
      operstate: ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'][
        link.operationalState ?? 0
      ],
    };
  }

  function fromIp(json: Json): Json {
    const info = (json.linkinfo ?? {}) as Json;
    const flags = json.flags as string[];
    const names = ['ifindex', 'ifname', 'mtu', 'qdisc', 'address', 'broadcast', 'promiscuity', 'min_mtu', 'max_mtu'];
    return {
      ...Object.fromEntries(names.map((name) => [name, json[name]])),
      ...Object.fromEntries(['num_tx_queues', 'num_rx_queues', 'master', 'ifalias'].map((name) => [name, json[name]])),
      txqlen: json.txqlen,
      kind: info.info_kind,
      slave_kind: info.info_slave_kind,
      link: json.link === null ? undefined : json.link,
      link_index: json.link_index,
      link_netnsid: json.link_netnsid,
      altnames: json.altnames ?? [],
      up: flags.includes('UP'),
      lower_up: flags.includes('LOWER_UP'),
      operstate: json.operstate,
    };
  }

  async function compare(): Promise<Link[]> {
    const steady = async () => (await listLinks({ socket })).map(({ attributes, statistics, ...link }) => link as Link);
    const [ours, theirs] = await atOnce(steady, () => namespace.ip('-d', 'link'));
    const key = ({ ifindex }: Json) => ifindex as number;
    const sort = (list: Json[]) => list.sort((a, b) => key(a) - key(b));
    const expected = sort(theirs.map(fromIp));
    // a length of 0 is not shown
    const found = sort(ours.map((link) => asIp(link, ours))).map((one) => ({
      ...one,
      txqlen: one.txqlen || undefined,
    }));
    expect(found).to.deep.equal(expected);
    return ours;
  }

  it('what ip makes, and what we make, both see alike', async () => {
    await namespace.run('ip', 'link', 'add', 'br0', 'mtu', '1400', 'type', 'bridge');
    await namespace.run('ip', 'link', 'add', 'left0', 'txqueuelen', '77', 'type', 'veth', 'peer', 'name', 'right0');
    await namespace.run('ip', 'link', 'set', 'left0', 'up', 'master', 'br0', 'alias', 'größer', 'group', '9');
    await namespace.run(
      'ip',
      'link',
      'property',
      'add',
      'dev',
      'left0',
      'altname',
      'a-name-that-is-longer',
      'altname',
      'other',
    );
    await addLink(
      { kind: 'veth', name: 'left1', address: '02:00:00:00:00:01', mtu: 1300, peer: { name: 'right1', mtu: 1200 } },
      { socket },
    );
    addLinkSync({ kind: 'bridge', name: 'br1', up: true, bridge: { stp: true, forwardDelay: 4000 } }, { socket });
    setLinkSync('right1', { up: true, master: 'br1' }, { socket });
    await setLink('left1', { up: true }, { socket });
    const links = await compare();
    expect(links.map(({ name }) => name).sort()).to.deep.equal([
      'br0',
      'br1',
      'left0',
      'left1',
      'lo',
      'right0',
      'right1',
    ]);
    const left0 = links.find(({ name }) => name === 'left0');
    expect(left0).to.include({ alias: 'größer', group: 9, up: true, transmitQueueLength: 77, slaveKind: 'bridge' });
    expect(left0?.alternativeNames).to.deep.equal(['a-name-that-is-longer', 'other']);
    expect(left0?.slaveData?.length).to.be.greaterThan(5);
    const left1 = links.find(({ name }) => name === 'left1');
    expect(left1).to.include({ kind: 'veth', address: '02:00:00:00:00:01', mtu: 1300, up: true, carrier: true });
    expect(left1?.operationalState).to.equal(IF_OPER_UP);
    expect(links.find(({ name }) => name === 'right1')?.mtu).to.equal(1200);
  });

  it('counters are those that ip shows', async () => {
    // one that nobody receives, and the answer that says so
    await namespace.run('bash', '-c', 'echo hello > /dev/udp/127.0.0.1/9');
    const { statistics } = await getLink('lo', { socket });
    const [json = {}] = await namespace.ip('-s', 'link', 'show', 'lo');
    const { rx, tx } = json.stats64 as Record<'rx' | 'tx', Record<string, number>>;
    expect(Number(statistics?.rxBytes)).to.equal(rx.bytes).and.be.greaterThan(0);
    expect(Number(statistics?.txPackets)).to.equal(tx.packets).and.be.greaterThan(0);
    expect([statistics?.rxPackets, statistics?.txBytes, statistics?.rxErrors].map(Number)).to.deep.equal([
      rx.packets,
      tx.bytes,
      rx.errors,
    ]);
  });

  it('one is found by name and by index', async () => {
    const lo = await getLink('lo', { socket });
    expect(lo).to.include({ name: 'lo', index: 1, type: 772, up: true });
    expect(getLinkSync(1, { socket }).name).to.equal('lo');
    expect(await rejection(getLink('nowhere0', { socket }))).to.include({ code: 'ENODEV' });
    const error = thrown(() => getLinkSync(4711, { socket }));
    expect(error).to.be.instanceOf(NetlinkError).and.include({ code: 'ENODEV' });
    expect(error.message).to.contain('there is no such link');
    // of this process's own namespace
    expect((await getLink('lo')).index).to.equal(1);
    expect(getLinkSync('lo').name).to.equal('lo');
  });

  it('a list is narrowed by kind and by master', async () => {
    addLinkSync({ kind: 'bridge', name: 'br0' }, { socket });
    addLinkSync({ kind: 'veth', name: 'port0', master: 'br0', peer: { name: 'free0' } }, { socket });
    const names = (links: Link[]) => links.map(({ name }) => name).sort();
    expect(names(await listLinks({ socket, kind: 'veth' }))).to.deep.equal(['free0', 'port0']);
    expect(names(listLinksSync({ socket, kind: 'bridge' }))).to.deep.equal(['br0']);
    expect(names(await listLinks({ socket, master: 'br0' }))).to.deep.equal(['port0']);
    expect(names(listLinksSync({ socket, master: getLinkSync('br0', { socket }).index }))).to.deep.equal(['port0']);
    expect(await rejection(listLinks({ socket, master: 'nowhere0' }))).to.include({ code: 'ENODEV' });
  });

  it('every property can be set, and is seen by ip', async () => {
    addLinkSync({ kind: 'bridge', name: 'br0' }, { socket });
    addLinkSync(
      { kind: 'veth', name: 'one0', index: 321, peer: { name: 'two0', address: '02:00:00:00:00:22' } },
      { socket },
    );
    expect(getLinkSync('one0', { socket }).index).to.equal(321);
    expect(getLinkSync('two0', { socket }).address).to.equal('02:00:00:00:00:22');
    await setLink(
      321,
      {
        name: 'renamed0',
        mtu: 1280,
        address: '02:00:00:00:00:23',
        transmitQueueLength: 55,
        group: 4,
        alias: 'mine',
        master: 'br0',
        arp: false,
        multicast: false,
        promiscuous: true,
        allMulticast: true,
      },
      { socket },
    );
    await setLink('renamed0', { up: true }, { socket });
    const link = getLinkSync('renamed0', { socket });
    expect(link).to.include({ index: 321, mtu: 1280, address: '02:00:00:00:00:23', transmitQueueLength: 55 });
    expect(link).to.include({ group: 4, alias: 'mine', up: true, master: getLinkSync('br0', { socket }).index });
    expect(link.flags & IFF_NOARP).to.not.equal(0);
    expect(link.flags & IFF_MULTICAST).to.equal(0);
    const [json = {}] = await namespace.ip('link', 'show', 'renamed0');
    expect(json.flags).to.include.members(['NOARP', 'PROMISC', 'ALLMULTI', 'UP']);
    expect(json).to.include({ mtu: 1280, master: 'br0', group: '4', txqlen: 55 });
    setLinkSync(
      'renamed0',
      { master: null, arp: true, promiscuous: false, allMulticast: false, up: false, alias: '' },
      { socket },
    );
    const after = getLinkSync('renamed0', { socket });
    expect(after.flags & (IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI)).to.equal(0);
    expect(after).to.include({ up: false });
    expect(after).to.not.have.any.keys('master', 'alias');
  });

  it('what is particular to a bridge is set, changed and read, in milliseconds', async () => {
    const bridge = {
      forwardDelay: 5000,
      helloTime: 1500,
      maxAge: 9000,
      ageingTime: 60_000,
      stp: true,
      priority: 4096,
    };
    addLinkSync({ kind: 'bridge', name: 'br0', bridge }, { socket });
    expect(getLinkSync('br0', { socket }).bridge).to.include(bridge);
    const [json] = await namespace.ip('-d', 'link', 'show', 'br0');
    const data = ((json as Json).linkinfo as Json).info_data;
    expect(data).to.include({ forward_delay: 500, hello_time: 150, max_age: 900, ageing_time: 6000, stp_state: 1 });
    expect(data).to.include({ priority: 4096 });
    await setLink(
      'br0',
      { kind: 'bridge', bridge: { priority: 8192 }, data: [attribute.u32(IFLA_BR_HELLO_TIME, 200)] },
      { socket },
    );
    expect(getLinkSync('br0', { socket }).bridge).to.include({ ...bridge, priority: 8192, helloTime: 2000 });
    // what a kernel may have been made without
    for (const [name, value, other] of [
      ['vlanFiltering', true, 'vlan_filtering'],
      ['vlanDefaultPvid', 7, 'vlan_default_pvid'],
      ['multicastSnooping', false, 'mcast_snooping'],
    ] as const) {
      try {
        setLinkSync('br0', { kind: 'bridge', bridge: { [name]: value } }, { socket });
      } catch (error) {
        expect(error, name).to.include({ code: 'EOPNOTSUPP' });
        continue;
      }
      const read = getLinkSync('br0', { socket }).bridge;
      // such a kernel may also not mind
      if (read?.[name] === undefined) continue;
      expect(read, name).to.include({ [name]: value });
      const [shown] = await namespace.ip('-d', 'link', 'show', 'br0');
      expect(((shown as Json).linkinfo as Json).info_data).to.include({ [other]: Number(value) });
    }
  });

  it('a pair has its other end elsewhere, by process and by descriptor', async () => {
    const other = new Namespace();
    const elsewhere = other.open();
    await using occupant = await other.occupant();
    const pid = occupant.process.pid as number;
    const { fd } = other;
    try {
      addLinkSync({ kind: 'veth', name: 'here0', peer: { name: 'there0', namespace: { pid } } }, { socket });
      addLinkSync({ kind: 'veth', name: 'here1', peer: { name: 'there1', namespace: { fd } } }, { socket });
      addLinkSync({ kind: 'veth', name: 'moving0', namespace: { fd }, peer: { name: 'here2' } }, { socket });
      addLinkSync({ kind: 'bridge', name: 'moving1' }, { socket });
      await setLink('moving1', { namespace: { pid }, name: 'moved1' }, { socket }).catch((error) => {
        // newer kernels keep bridges where they are
        expect(error).to.include({ code: 'EINVAL' });
      });
      await setLink('here1', { namespace: { fd } }, { socket });
      const there = listLinksSync({ socket: elsewhere }).map(({ name }) => name);
      expect(there).to.include.members(['there0', 'there1', 'moving0', 'here1']);
      const here = await compare();
      expect(here.map(({ name }) => name)).to.include.members(['here0', 'here2']);
      const id = await getNamespaceId({ pid }, { socket });
      expect(id).to.be.at.least(0);
      expect(here.find(({ name }) => name === 'here0')?.linkNamespaceId).to.equal(id);
      // what is in another namespace can be asked for from here
      expect(listNamespaceIdsSync({ socket })).to.deep.equal([id]);
    } finally {
      elsewhere.close();
      other.close();
    }
  });

  it('identifiers of namespaces are given and told', async () => {
    const other = new Namespace();
    await using occupant = await other.occupant();
    const pid = occupant.process.pid as number;
    const { fd } = other;
    try {
      const known = await listNamespaceIds({ socket });
      expect(await getNamespaceId({ fd }, { socket })).to.equal(null);
      await setNamespaceId({ fd }, 4242, { socket });
      expect(getNamespaceIdSync({ pid }, { socket })).to.equal(4242);
      expect((await listNamespaceIds({ socket })).sort()).to.deep.equal([...known, 4242].sort());
      expect((await namespace.ip('netns', 'list-id')).map(({ nsid }) => nsid)).to.include(4242);
      const error = thrown(() => setNamespaceIdSync({ fd }, null, { socket }));
      expect(error).to.include({ code: 'EEXIST' });
      const third = new Namespace();
      setNamespaceIdSync({ fd: third.fd }, null, { socket });
      expect(getNamespaceIdSync({ fd: third.fd }, { socket })).to.be.at.least(0);
      third.close();
      expect(await rejection(getNamespaceId({ fd: 4000 }, { socket }))).to.be.instanceOf(NetlinkError);
      expect(thrown(() => getNamespaceIdSync({} as never, { socket }))).to.include({ argument: 'namespace' });
      expect(thrown(() => setNamespaceIdSync({ pid: 1 }, -2, { socket }))).to.include({ argument: 'id' });
    } finally {
      other.close();
    }
  });

  it('what the kernel refuses is told in its words', async () => {
    addLinkSync({ kind: 'veth', name: 'twice0', peer: { name: 'peer0' } }, { socket });
    const exists = await rejection(addLink({ kind: 'veth', name: 'twice0' }, { socket }));
    expect(exists).to.be.instanceOf(NetlinkError).and.include({ code: 'EEXIST', syscall: 'RTM_NEWLINK' });
    expect(exists.message).to.match(/^RTM_NEWLINK EEXIST twice0: /);
    const unknown = thrown(() => addLinkSync({ kind: 'nonesuch', name: 'x0' }, { socket }));
    expect(unknown).to.include({ code: 'EOPNOTSUPP' });
    expect(unknown.message).to.contain('this kernel cannot make links of the kind nonesuch; load the module nonesuch');
    const mtu = (await rejection(setLink('lo', { mtu: 0x7fffffff + 1 }, { socket }))) as unknown as NetlinkError;
    expect(mtu.code).to.equal('EINVAL');
    expect(mtu.text).to.be.a('string');
    const loopback = thrown(() => deleteLinkSync('lo', { socket }));
    expect(loopback).to.include({ code: 'EOPNOTSUPP' });
    expect(loopback.message).to.contain('only virtual links can be removed');
    expect(await rejection(setLink('nowhere0', { up: true }, { socket }))).to.include({ code: 'ENODEV' });
    expect(await rejection(deleteLink('nowhere0', { socket }))).to.include({ code: 'ENODEV' });
  });

  it('raw attributes go along', () => {
    addLinkSync(
      {
        kind: 'veth',
        name: 'raw0',
        extra: [attribute.u32(IFLA_NUM_TX_QUEUES, 3)],
        peer: { extra: [attribute.text(IFLA_IFNAME, 'raw1')] },
      },
      { socket },
    );
    expect(getLinkSync('raw0', { socket })).to.include({ transmitQueues: 3 });
    expect(getLinkSync('raw1', { socket }).link).to.equal(getLinkSync('raw0', { socket }).index);
    addLinkSync(
      { kind: 'veth', name: 'raw2', transmitQueues: 2, receiveQueues: 4, peer: { name: 'raw3' } },
      { socket },
    );
    expect(getLinkSync('raw2', { socket })).to.include({ transmitQueues: 2, receiveQueues: 4 });
  });

  for (const kind of ['dummy', 'vcan', 'ifb']) {
    itIf(linkKind(kind), `the kind ${kind}`, async () => {
      await addLink({ kind, name: 'kind0', up: true }, { socket });
      expect(getLinkSync('kind0', { socket })).to.include({ kind, up: true });
      if (kind === 'vcan') {
        setLinkSync('kind0', { up: false }, { socket });
        setLinkSync('kind0', { mtu: 72, up: true }, { socket });
      }
      await compare();
      await deleteLink('kind0', { socket });
    });
  }

  itIf(linkKind('vxcan'), 'the kind vxcan', async () => {
    await addLink({ kind: 'vxcan', name: 'can0', peer: { name: 'can1' } }, { socket });
    expect(getLinkSync('can1', { socket })).to.include({
      kind: 'vxcan',
      link: getLinkSync('can0', { socket }).index,
      type: 280,
    });
  });

  itIf(linkKind('vlan', '8021q', { link: 'below0', vlan: { id: 5, protocol: 0x8100 } }), 'the kind vlan', async () => {
    addLinkSync({ kind: 'veth', name: 'below0', peer: { name: 'below1' } }, { socket });
    addLinkSync({ kind: 'vlan', name: 'tag0', link: 'below0', vlan: { id: 42 } }, { socket });
    addLinkSync({ kind: 'vlan', name: 'tag1', link: 'below0', vlan: { id: 43, protocol: 0x88a8 } }, { socket });
    expect(getLinkSync('tag0', { socket }).vlan).to.deep.equal({ id: 42, protocol: 0x8100 });
    expect(getLinkSync('tag1', { socket }).vlan).to.deep.equal({ id: 43, protocol: 0x88a8 });
    await compare();
  });

  it('the kind macvlan, where the kernel has it', async () => {
    addLinkSync({ kind: 'veth', name: 'below0', peer: { name: 'below1' } }, { socket });
    try {
      addLinkSync({ kind: 'macvlan', name: 'mac0', link: 'below0', macvlanMode: MACVLAN_MODE_BRIDGE }, { socket });
    } catch (error) {
      expect(error).to.include({ code: 'EOPNOTSUPP' });
      return;
    }
    const [json] = await namespace.ip('-d', 'link', 'show', 'mac0');
    expect(((json as Json).linkinfo as Json).info_data).to.include({ mode: 'bridge' });
    await compare();
  });
});
