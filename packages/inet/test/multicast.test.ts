import { if_nametoindex, MSG_DONTWAIT, SOCK_DGRAM, Socket, soReuseAddr } from '@sock/core';
import {
  blockSource,
  getSourceFilter,
  type Inet6Input,
  IP_MULTICAST_LOOP,
  IPPROTO_IP,
  inet,
  inet6,
  ipAddMembership,
  ipAddSourceMembership,
  ipBlockSource,
  ipDropMembership,
  ipDropSourceMembership,
  ipMulticastAll,
  ipMulticastIf,
  ipMulticastLoop,
  ipMulticastTtl,
  ipRecvTtl,
  ipUnblockSource,
  ipv6JoinAnycast,
  ipv6JoinGroup,
  ipv6LeaveAnycast,
  ipv6LeaveGroup,
  ipv6V6Only,
  joinGroup,
  leaveGroup,
  setSourceFilter,
  unblockSource,
} from '@sock/inet';
import { delay, describeIf, itIf, probe, scaled, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { inNamespace, links } from './namespace.js';

const GROUP = '239.255.77.1';
const SOURCE = '127.0.0.1';
const OTHER = '127.0.0.2';

type Udp = Socket<{ host: string; port: number }, Inet6Input>;

/** A receiver, and senders with addresses of their own, on the loopback. */
class Loopback implements Disposable {
  readonly receiver: Udp;
  readonly senders = new Map<string, Udp>();

  constructor(host = '') {
    this.receiver = new Socket(inet, SOCK_DGRAM);
    // what other sockets on this machine joined must not be received
    this.receiver.setOption(ipMulticastAll, false);
    this.receiver.tryBind({ host });
    for (const source of [SOURCE, OTHER]) {
      const sender = new Socket(inet, SOCK_DGRAM);
      sender.tryBind({ host: source });
      sender.setOption(ipMulticastIf, 'lo');
      this.senders.set(source, sender);
    }
  }

  async send(source = SOURCE, group = GROUP): Promise<void> {
    await this.senders.get(source)?.sendTo(`from ${source}`, { host: group, port: this.receiver.getsockname().port });
  }

  /** Whose datagrams arrive, when all have sent. A busy kernel delivers a little later. */
  async heard(group = GROUP): Promise<string[]> {
    for (const source of this.senders.keys()) await this.send(source, group);
    await delay(scaled(20));
    const from: string[] = [];
    for (;;) {
      const received = this.receiver.tryRecvFrom(100, { flags: MSG_DONTWAIT });
      if (received === null) return from;
      from.push(received.address?.host ?? '');
    }
  }

  [Symbol.dispose](): void {
    this.receiver.close();
    for (const sender of this.senders.values()) sender.close();
  }
}

describe('IPv4 multicast', () => {
  for (const [what, value] of [
    ['name', 'lo'],
    ['index', if_nametoindex('lo')],
    ['address', '127.0.0.1'],
  ] as const) {
    it(`is received between joining and leaving, the interface given by ${what}`, async () => {
      using net = new Loopback();
      expect(await net.heard()).to.deep.equal([]);
      net.receiver.setOption(ipAddMembership, { group: GROUP, interface: value });
      expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
      net.receiver.setOption(ipDropMembership, { group: GROUP, interface: value });
      expect(await net.heard()).to.deep.equal([]);
    });

    it(`is sent through the interface given by ${what}`, async () => {
      using net = new Loopback();
      joinGroup(net.receiver, { group: GROUP, interface: 'lo' });
      const sender = net.senders.get(SOURCE) as Udp;
      sender.setOption(ipMulticastIf, '');
      sender.setOption(ipMulticastIf, value);
      expect(sender.getOption(ipMulticastIf)).to.equal(what === 'address' ? value : '');
      expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
    });
  }

  it('of one sender: IP_ADD_SOURCE_MEMBERSHIP', async () => {
    using net = new Loopback();
    const membership = { group: GROUP, interface: '127.0.0.1', source: OTHER };
    net.receiver.setOption(ipAddSourceMembership, membership);
    expect(await net.heard()).to.deep.equal([OTHER]);
    net.receiver.setOption(ipDropSourceMembership, membership);
    expect(await net.heard()).to.deep.equal([]);
  });

  it('without one sender: IP_BLOCK_SOURCE', async () => {
    using net = new Loopback();
    net.receiver.setOption(ipAddMembership, { group: GROUP, interface: '127.0.0.1' });
    net.receiver.setOption(ipBlockSource, { group: GROUP, interface: '127.0.0.1', source: SOURCE });
    expect(await net.heard()).to.deep.equal([OTHER]);
    net.receiver.setOption(ipUnblockSource, { group: GROUP, interface: '127.0.0.1', source: SOURCE });
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
  });

  it('by joinGroup and leaveGroup, of all or of one sender', async () => {
    using net = new Loopback();
    joinGroup(net.receiver, { group: GROUP, interface: 'lo' });
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
    blockSource(net.receiver, { group: GROUP, interface: 'lo', source: OTHER });
    expect(await net.heard()).to.deep.equal([SOURCE]);
    unblockSource(net.receiver, { group: GROUP, interface: 'lo', source: OTHER });
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
    leaveGroup(net.receiver, { group: GROUP, interface: 'lo' });
    expect(await net.heard()).to.deep.equal([]);

    joinGroup(net.receiver, { group: GROUP, interface: 1, source: SOURCE });
    expect(await net.heard()).to.deep.equal([SOURCE]);
    joinGroup(net.receiver, { group: GROUP, interface: 1, source: OTHER });
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
    leaveGroup(net.receiver, { group: GROUP, interface: 1, source: SOURCE });
    expect(await net.heard()).to.deep.equal([OTHER]);
    leaveGroup(net.receiver, { group: GROUP, interface: 1 });
    expect(await net.heard()).to.deep.equal([]);
  });

  it('by setSourceFilter', async () => {
    using net = new Loopback();
    const filter = { group: GROUP, interface: 'lo' } as const;
    joinGroup(net.receiver, filter);
    setSourceFilter(net.receiver, { ...filter, mode: 'include', sources: [OTHER] });
    expect(await net.heard()).to.deep.equal([OTHER]);
    setSourceFilter(net.receiver, { ...filter, mode: 'exclude', sources: [OTHER, '127.0.0.3'] });
    expect(await net.heard()).to.deep.equal([SOURCE]);
    setSourceFilter(net.receiver, { ...filter, mode: 'exclude', sources: [] });
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
  });

  it('of the group that a socket is bound to', async () => {
    using net = new Loopback(GROUP);
    joinGroup(net.receiver, { group: GROUP, interface: 'lo' });
    joinGroup(net.receiver, { group: '239.255.77.2', interface: 'lo' });
    expect(await net.heard('239.255.77.2')).to.deep.equal([]);
    expect(await net.heard()).to.deep.equal([SOURCE, OTHER]);
  });

  it('with a time to live of its own', async () => {
    using net = new Loopback();
    joinGroup(net.receiver, { group: GROUP, interface: 'lo' });
    net.receiver.setOption(ipRecvTtl, true);
    net.senders.get(SOURCE)?.setOption(ipMulticastTtl, 7);
    await net.send();
    const { ancillary } = await within('recvMsg', net.receiver.recvMsg(100, 100));
    expect(ipRecvTtl.message.find(ancillary)).to.equal(7);
  });

  it('is not for this machine without the loop', async () => {
    using net = new Loopback();
    joinGroup(net.receiver, { group: GROUP, interface: 'lo' });
    net.senders.get(SOURCE)?.setOption(ipMulticastLoop, false);
    expect(net.senders.get(SOURCE)?.getsockopt(IPPROTO_IP, IP_MULTICAST_LOOP)).to.equal(0);
    // what leaves by lo comes back in by it; that it is no copy shows on other interfaces only
    expect(await net.heard()).to.include(OTHER);
  });

  it('reaches several receivers on one port', async () => {
    using first = new Socket(inet, SOCK_DGRAM);
    first.setOption(soReuseAddr, true);
    first.tryBind({ host: GROUP });
    using second = new Socket(inet, SOCK_DGRAM);
    second.setOption(soReuseAddr, true);
    second.tryBind(first.getsockname());
    using sender = new Socket(inet, SOCK_DGRAM);
    sender.setOption(ipMulticastIf, 'lo');
    for (const socket of [first, second]) joinGroup(socket, { group: GROUP, interface: 'lo' });
    await sender.sendTo('all', first.getsockname());
    for (const socket of [first, second]) {
      expect((await within('recv', socket.recv(10))).toString()).to.equal('all');
    }
  });

  itIf(probe('AF_INET6'), 'reaches an IPv6 socket that takes IPv4 too', async () => {
    using receiver = new Socket(inet6, SOCK_DGRAM);
    receiver.setOption(ipv6V6Only, false);
    receiver.tryBind({ host: '' });
    joinGroup(receiver, { group: GROUP, interface: 'lo' });
    using sender = new Socket(inet, SOCK_DGRAM);
    sender.setOption(ipMulticastIf, 'lo');
    await sender.sendTo('mapped', { host: GROUP, port: receiver.getsockname().port });
    const { address } = await within('recvFrom', receiver.recvFrom(10));
    expect(address?.host).to.match(/^::ffff:/);
    leaveGroup(receiver, { group: GROUP, interface: 'lo' });
  });

  it('says what cannot be joined or left', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const membership = { group: GROUP, interface: 'lo' };
    expect(thrown(() => leaveGroup(socket, membership))).to.include({ code: 'EADDRNOTAVAIL' });
    joinGroup(socket, membership);
    expect(thrown(() => joinGroup(socket, membership))).to.include({ code: 'EADDRINUSE' });
    expect(thrown(() => joinGroup(socket, { group: '127.0.0.1', interface: 'lo' }))).to.include({ code: 'EINVAL' });
    expect(thrown(() => joinGroup(socket, { group: GROUP, interface: 'nosuch0' }))).to.include({ code: 'ENODEV' });
    const bad: [call: () => void, argument: string][] = [
      [() => joinGroup(socket, null as never), 'membership'],
      [() => joinGroup(socket, { group: 'nonsense' }), 'membership.group'],
      [() => joinGroup(socket, { group: 5 as never }), 'membership.group'],
      [() => joinGroup(socket, { group: GROUP, interface: -1 }), 'membership.interface'],
      [() => joinGroup(socket, { group: GROUP, interface: true as never }), 'membership.interface'],
      [() => joinGroup(socket, { group: GROUP, source: '::1' }), 'membership.source'],
      [() => blockSource(socket, { group: GROUP } as never), 'membership.source'],
      [() => setSourceFilter(socket, { group: GROUP, mode: 'all' as never, sources: [] }), 'filter.mode'],
      [() => setSourceFilter(socket, { group: GROUP, mode: 'include', sources: '' as never }), 'filter.sources'],
      [() => setSourceFilter(socket, { group: GROUP, mode: 'include', sources: ['x'] }), 'filter.sources[0]'],
      [() => setSourceFilter(socket, { group: '', mode: 'include', sources: [] }), 'filter.group'],
      [() => socket.setOption(ipAddMembership, { group: '::1' }), 'value.group'],
      [() => socket.setOption(ipAddSourceMembership, { group: GROUP, source: '' }), 'value.source'],
      [
        () => socket.setOption(ipAddSourceMembership, { group: GROUP, source: SOURCE, interface: 'lo' }),
        'value.interface',
      ],
      [() => socket.setOption(ipv6JoinGroup, { group: GROUP }), 'value.group'],
    ];
    for (const [call, argument] of bad) expect(thrown(call)).to.include({ argument });
  });
});

describeIf(probe('AF_INET6'), 'IPv6 multicast', () => {
  it('can be joined and left on lo', () => {
    using socket = new Socket(inet6, SOCK_DGRAM);
    const membership = { group: 'ff02::4d01', interface: 'lo' };
    socket.setOption(ipv6JoinGroup, membership);
    expect(thrown(() => joinGroup(socket, membership))).to.include({ code: 'EADDRINUSE' });
    socket.setOption(ipv6LeaveGroup, membership);
    joinGroup(socket, membership);
    leaveGroup(socket, membership);
    expect(thrown(() => leaveGroup(socket, membership))).to.include({ code: 'EADDRNOTAVAIL' });
  });
});

describe('source filters', () => {
  it('are read as they were set, however many senders they have', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const membership = { group: '239.255.0.43', interface: 'lo' };
    joinGroup(socket, membership);
    expect(getSourceFilter(socket, membership)).to.deep.equal({ ...membership, mode: 'exclude', sources: [] });
    for (const mode of ['exclude', 'include'] as const) {
      const sources = ['192.0.2.1', '192.0.2.2', '198.51.100.7'];
      setSourceFilter(socket, { ...membership, mode, sources });
      const { sources: read, ...rest } = getSourceFilter(socket, membership);
      expect(rest).to.deep.equal({ ...membership, mode });
      expect([...read].sort()).to.deep.equal(sources);
    }
    const other = thrown(() => getSourceFilter(socket, { group: '239.255.0.44', interface: 'lo' }));
    expect(other).to.include({ code: 'EADDRNOTAVAIL', syscall: 'getsockopt' });
    expect(thrown(() => getSourceFilter(socket, { group: 'x' }))).to.include({ argument: 'filter.group' });
  });
});

describeIf([links, probe('AF_INET6')], 'IPv6 multicast on a link of its own', () => {
  it('is received from all senders, from one, or from all but one', async () => {
    const program = `
      import { SOCK_DGRAM, Socket } from '@sock/core';
      import { blockSource, getSourceFilter, inet6, ipv6JoinAnycast, ipv6JoinGroup, ipv6LeaveAnycast,
        ipv6LeaveGroup, ipv6MulticastHops, ipv6MulticastIf, ipv6RecvHopLimit,
        joinGroup, leaveGroup, setSourceFilter, unblockSource } from '@sock/inet';
      const group = 'ff05::4d01';
      const receiver = new Socket(inet6, SOCK_DGRAM);
      receiver.tryBind({ host: '' });
      receiver.setOption(ipv6RecvHopLimit, true);
      const { port } = receiver.getsockname();
      const senders = ['2001:db8::1', '2001:db8::2'].map((host) => {
        const sender = new Socket(inet6, SOCK_DGRAM);
        sender.tryBind({ host });
        sender.setOption(ipv6MulticastIf, 'link0');
        sender.setOption(ipv6MulticastHops, 9);
        return sender;
      });
      async function heard(what) {
        for (const sender of senders) await sender.sendTo('x', { host: group, port });
        const from = [];
        for (;;) {
          const message = receiver.tryRecvMsg(10, 100);
          if (message === null) break;
          from.push(message.address.host.slice(-1) + '/' + ipv6RecvHopLimit.message.find(message.ancillary));
        }
        console.log(what + ':', ...from);
      }
      await heard('nothing');
      receiver.setOption(ipv6JoinGroup, { group, interface: 'link0' });
      await heard('option');
      receiver.setOption(ipv6LeaveGroup, { group, interface: 'link0' });
      await heard('left');
      joinGroup(receiver, { group, interface: 'link0', source: '2001:db8::2' });
      await heard('one');
      leaveGroup(receiver, { group, interface: 'link0', source: '2001:db8::2' });
      joinGroup(receiver, { group, interface: 'link0' });
      blockSource(receiver, { group, interface: 'link0', source: '2001:db8::2' });
      await heard('blocked');
      unblockSource(receiver, { group, interface: 'link0', source: '2001:db8::2' });
      await heard('unblocked');
      setSourceFilter(receiver, { group, interface: 'link0', mode: 'include', sources: ['2001:db8::2'] });
      await heard('filter');
      console.log('its filter:', JSON.stringify(getSourceFilter(receiver, { group, interface: 'link0' })));
      receiver.setOption(ipv6JoinAnycast, { group: '2001:db8::4d01', interface: 'link0' });
      await senders[0].sendTo('x', { host: '2001:db8::4d01', port });
      console.log('anycast:', (await receiver.recv(10)).toString());
      receiver.setOption(ipv6LeaveAnycast, { group: '2001:db8::4d01', interface: 'link0' });
      for (const socket of [receiver, ...senders]) socket.close();
    `;
    const setup = `ip link add link0 type veth peer name link1
      ip link set link0 addrgenmode none up
      ip link set link1 addrgenmode none up
      ip address add 2001:db8::1/64 dev link0 nodad
      ip address add 2001:db8::2/64 dev link0 nodad`;
    const output = await inNamespace(setup, program);
    expect(output.trim().split('\n')).to.deep.equal([
      'nothing:',
      'option: 1/9 2/9',
      'left:',
      'one: 2/9',
      'blocked: 1/9',
      'unblocked: 1/9 2/9',
      'filter: 2/9',
      'its filter: {"group":"ff05::4d01","interface":"link0","mode":"include","sources":["2001:db8::2"]}',
      'anycast: x',
    ]);
  }).timeout(30_000);
});

describeIf(probe('AF_INET6'), 'IPv6 anycast', () => {
  it('is refused for an address that is the host’s already', () => {
    using socket = new Socket(inet6, SOCK_DGRAM);
    const own = { group: '::1', interface: 'lo' };
    expect(thrown(() => socket.setOption(ipv6JoinAnycast, own))).to.include({ syscall: 'setsockopt', code: 'EINVAL' });
    expect(thrown(() => socket.setOption(ipv6LeaveAnycast, own))).to.include({ syscall: 'setsockopt' });
  });
});
