import { fstatSync } from 'node:fs';
import { type AddressFamily, AF_INET, SOCK_STREAM, Socket } from '@sock/core';
import {
  addAddressSync,
  addLink,
  deleteLinkSync,
  listAddresses,
  listGenericFamiliesSync,
  listInetSockets,
  listLinks,
  listLinksSync,
  NETLINK_GENERIC,
  NetlinkSocket,
  watchAddresses,
  watchLinks,
  watchUevents,
} from '@sock/netlink';
import { describeIf, rejection, thrown, within } from '@sock/testkit';
import { Network, networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { veth } from './namespace.js';

const ipv4: AddressFamily<null> = {
  name: 'ipv4',
  domain: AF_INET,
  encode: () => 16,
  decode: () => null,
  format: String,
};

describeIf([networks, veth], 'other network namespaces', () => {
  let network: Network;
  let namespace: number;

  before(() => {
    network = new Network();
    namespace = network.fd;
  });

  after(() => network.close());

  afterEach(() => {
    for (const { name, kind } of listLinksSync({ namespace }))
      if (kind === 'bridge') deleteLinkSync(name, { namespace });
  });

  it('are listed and changed from here', async () => {
    const outside = await listLinks();
    await addLink({ kind: 'bridge', name: 'inside0', up: true }, { namespace });
    addAddressSync({ interface: 'inside0', address: '192.0.2.7', prefixLength: 24 }, { namespace });
    expect((await listLinks({ namespace })).map(({ name }) => name)).to.deep.equal(['lo', 'inside0']);
    const found = (await listAddresses({ namespace, interface: 'inside0' })).map((one) => [one.interface, one.address]);
    expect(found).to.deep.include(['inside0', '192.0.2.7']);
    using listener = new Socket(ipv4, SOCK_STREAM, 0, { namespace });
    listener.listen();
    const { ino } = fstatSync(listener.fileno());
    expect((await listInetSockets({ namespace })).map(({ inode }) => inode)).to.include(ino);
    expect((await listInetSockets()).map(({ inode }) => inode)).to.not.include(ino);
    expect(listGenericFamiliesSync({ namespace }).map(({ name }) => name)).to.include('nlctrl');
    expect((await listLinks()).map(({ name }) => name)).to.deep.equal(outside.map(({ name }) => name));
  });

  it('are watched from here', async () => {
    using links = watchLinks({ namespace });
    using addresses = watchAddresses({ namespace });
    using events = watchUevents({ namespace });
    await addLink({ kind: 'bridge', name: 'inside0' }, { namespace });
    addAddressSync({ interface: 'inside0', address: '192.0.2.7' }, { namespace });
    expect((await within('a link', links.next())).value?.link.name).to.equal('inside0');
    expect((await within('an address', addresses.next())).value?.address).to.include({ interface: 'inside0' });
    for await (const { properties } of events) if (properties.INTERFACE === 'inside0') break;
  });

  it('are named beside no socket, as that has its own', async () => {
    using socket = new NetlinkSocket({ namespace });
    using generic = new NetlinkSocket({ protocol: NETLINK_GENERIC, namespace });
    expect((await listLinks({ socket })).map(({ name }) => name)).to.deep.equal(['lo']);
    expect(generic.protocol).to.equal(NETLINK_GENERIC);
    const both = { socket, namespace };
    expect(await rejection(listLinks(both))).to.include({ argument: 'options.namespace' });
    expect(thrown(() => listLinksSync(both))).to.include({ argument: 'options.namespace' });
    expect(thrown(() => watchLinks(both))).to.include({ argument: 'options.namespace' });
    expect(thrown(() => watchLinks({ socket, allNamespaces: true }))).to.include({ argument: 'options.allNamespaces' });
  });

  it('that are none are told', async () => {
    expect(await rejection(listLinks({ namespace: 'blue' as never }))).to.include({ argument: 'options.namespace' });
    expect(thrown(() => watchUevents({ namespace: -1 }))).to.include({ argument: 'options.namespace' });
    expect(await rejection(listLinks({ namespace: 1_000_000 }))).to.include({ code: 'EBADF', syscall: 'setns' });
  });
});
