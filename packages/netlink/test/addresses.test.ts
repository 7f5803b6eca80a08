import { AF_INET, AF_INET6 } from '@sock/core';
import {
  addAddress,
  addAddressSync,
  addLinkSync,
  deleteAddress,
  deleteAddressSync,
  getLinkSync,
  IFA_F_NODAD,
  IFA_F_PERMANENT,
  type InterfaceAddress,
  listAddresses,
  listAddressesSync,
  NetlinkError,
  type NetlinkSocket,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
} from '@sock/netlink';
import { describeIf, rejection, thrown } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { atOnce, type Namespace, sharedNamespace, veth } from './namespace.js';

type Json = Record<string, unknown>;

describeIf([networks, veth], 'addresses, beside ip(8)', function () {
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

  const scopes: Record<number, string> = {
    [RT_SCOPE_UNIVERSE]: 'global',
    [RT_SCOPE_LINK]: 'link',
    [RT_SCOPE_HOST]: 'host',
  };

  function asIp(address: InterfaceAddress): Json {
    return {
      family: address.family === AF_INET ? 'inet' : 'inet6',
      // of a point-to-point link ip calls the peer "address"
      local: address.address,
      peer: address.peer,
      prefixlen: address.prefixLength,
      broadcast: address.broadcast,
      scope: scopes[address.scope],
      label: address.label,
      dev: address.interface,
      valid: address.validLifetime === null ? 0xffffffff : address.validLifetime / 1000,
      preferred: address.preferredLifetime === null ? 0xffffffff : address.preferredLifetime / 1000,
      metric: address.priority,
    };
  }

  function fromIp(links: Json[]): Json[] {
    return links.flatMap(({ ifname, addr_info: addresses }) =>
      (addresses as Json[]).map((json) => ({
        family: json.family,
        local: json.local,
        peer: json.address,
        prefixlen: json.prefixlen,
        broadcast: json.broadcast,
        scope: json.scope,
        label: json.label,
        dev: ifname,
        valid: json.valid_life_time,
        preferred: json.preferred_life_time,
        metric: json.metric,
      })),
    );
  }

  const key = (one: Json) => `${one.dev} ${one.family} ${one.local}`;
  const sort = (list: Json[]) => list.sort((a, b) => (key(a) < key(b) ? -1 : 1));

  async function compare(): Promise<InterfaceAddress[]> {
    const [ours, links] = await atOnce(
      () => listAddresses({ socket }),
      () => namespace.ip('address'),
    );
    const theirs = fromIp(links);
    expect(sort(ours.map(asIp))).to.deep.equal(sort(theirs));
    return ours;
  }

  beforeEach(() => {
    addLinkSync({ kind: 'veth', name: 'a0', peer: { name: 'a1' } }, { socket });
  });

  it('what ip sets, and what we set, both see alike', async () => {
    await namespace.run('ip', 'address', 'add', '192.0.2.1/24', 'brd', '+', 'dev', 'a0', 'label', 'a0:x');
    await namespace.run('ip', 'address', 'add', '192.0.2.77', 'peer', '192.0.2.78', 'dev', 'a1');
    await namespace.run('ip', 'address', 'add', '2001:db8::9/64', 'dev', 'a1', 'nodad', 'metric', '77');
    await addAddress(
      { interface: 'a0', address: '198.51.100.1', prefixLength: 24, broadcast: '198.51.100.255' },
      { socket },
    );
    await addAddress(
      { interface: 'a0', address: '2001:db8:1::1', prefixLength: 64, flags: IFA_F_NODAD, priority: 9 },
      { socket },
    );
    addAddressSync({ interface: 'a1', address: '203.0.113.5', peer: '203.0.113.6', label: 'a1:ptp' }, { socket });
    addAddressSync({ interface: 'a1', address: '127.9.9.9', prefixLength: 8 }, { socket });
    addAddressSync({ interface: 'a1', address: '10.1.1.1', prefixLength: 16, scope: RT_SCOPE_LINK }, { socket });
    const ours = await compare();
    const of = (text: string) => ours.find(({ address }) => address === text);
    expect(of('198.51.100.1')).to.include({ family: AF_INET, prefixLength: 24, flags: IFA_F_PERMANENT, label: 'a0' });
    expect(of('2001:db8:1::1')).to.include({ family: AF_INET6, interface: 'a0', priority: 9 });
    expect(of('203.0.113.5')).to.include({ peer: '203.0.113.6', prefixLength: 32, label: 'a1:ptp' });
    expect(of('127.9.9.9')).to.include({ scope: RT_SCOPE_HOST });
    expect(of('10.1.1.1')).to.include({ scope: RT_SCOPE_LINK });
  });

  it('a list is narrowed by family and by interface', async () => {
    addAddressSync({ interface: 'a0', address: '192.0.2.1' }, { socket });
    addAddressSync({ interface: 'a0', address: '2001:db8::1', flags: IFA_F_NODAD }, { socket });
    const texts = (list: InterfaceAddress[]) => list.map(({ address }) => address);
    expect(texts(await listAddresses({ socket, family: AF_INET }))).to.have.members(['127.0.0.1', '192.0.2.1']);
    expect(texts(listAddressesSync({ socket, family: AF_INET6, interface: 'a0' }))).to.deep.equal(['2001:db8::1']);
    const { index } = getLinkSync('a0', { socket });
    expect(texts(listAddressesSync({ socket, interface: index }))).to.have.members(['192.0.2.1', '2001:db8::1']);
    expect(thrown(() => listAddressesSync({ socket, family: 99 }))).to.include({ argument: 'options.family' });
  });

  it('lifetimes are in milliseconds, rounded up to seconds', () => {
    addAddressSync(
      { interface: 'a0', address: '192.0.2.1', validLifetime: 100_500, preferredLifetime: 50_000 },
      { socket },
    );
    const [found] = listAddressesSync({ socket, interface: 'a0', family: AF_INET });
    expect(found?.validLifetime).to.be.within(99_000, 101_000);
    expect(found?.preferredLifetime).to.be.within(48_000, 50_000);
    addAddressSync({ interface: 'a0', address: '192.0.2.1', validLifetime: 200_000 }, { socket, replace: true });
    const [replaced] = listAddressesSync({ socket, interface: 'a0', family: AF_INET });
    expect(replaced?.validLifetime).to.be.within(198_000, 200_000);
  });

  it('addresses are removed, by both, and errors are clear', async () => {
    await addAddress({ interface: 'a0', address: '192.0.2.1', prefixLength: 24 }, { socket });
    const exists = await rejection(addAddress({ interface: 'a0', address: '192.0.2.1', prefixLength: 24 }, { socket }));
    expect(exists).to.be.instanceOf(NetlinkError).and.include({ code: 'EEXIST' });
    await addAddress({ interface: 'a0', address: '192.0.2.1', prefixLength: 24 }, { socket, replace: true });
    await deleteAddress({ interface: 'a0', address: '192.0.2.1', prefixLength: 24 }, { socket });
    expect(listAddressesSync({ socket, interface: 'a0', family: AF_INET })).to.deep.equal([]);
    const gone = thrown(() =>
      deleteAddressSync({ interface: 'a0', address: '192.0.2.1', prefixLength: 24 }, { socket }),
    );
    expect(gone).to.include({ code: 'EADDRNOTAVAIL' });
    expect(gone.message).to.contain('the interface does not have this address');
    addAddressSync({ interface: 'a0', address: '2001:db8::1', prefixLength: 64 }, { socket });
    deleteAddressSync({ interface: 'a0', address: '2001:db8::1', prefixLength: 64 }, { socket });
    expect(listAddressesSync({ socket, interface: 'a0' })).to.deep.equal([]);
    expect(await rejection(addAddress({ interface: 'nowhere0', address: '192.0.2.1' }, { socket }))).to.include({
      code: 'ENODEV',
    });
  });
});
