import { SOCK_DGRAM, Socket } from '@sock/core';
import { getLinkSync, listLinksSync } from '@sock/netlink';
import { describeIf, itIf, thrown } from '@sock/testkit';
import { addVeth, carrier, linkKind, Network, networks, removeLink } from '@sock/testkit/network';
import { expect } from 'chai';

describeIf(networks, 'networks of their own', () => {
  it('have lo, which is up, and nothing else', () => {
    using network = new Network();
    const links = listLinksSync({ socket: network.socket });
    expect(links.map(({ name, up }) => [name, up])).to.deep.equal([['lo', true]]);
    network.close();
    network.close();
    expect(network.socket.closed).to.equal(true);
  });

  itIf(linkKind('veth'), 'take pairs of Ethernet interfaces, and programs', async () => {
    using network = new Network();
    using other = new Network();
    network.veth('left', 'right', { mtu: 1400 });
    await carrier(network.socket);
    expect(getLinkSync('right', { socket: network.socket })).to.include({ up: true, carrier: true, mtu: 1400 });
    expect(await network.run('ip', '-o', 'link', 'show', 'left')).to.match(/^\d+: left@right: .* mtu 1400 .* state UP/);
    addVeth('left', 'right', undefined, other.socket);
    removeLink('right', network.socket);
    expect(listLinksSync({ socket: network.socket })).to.have.lengthOf(1);
    expect(listLinksSync({ socket: other.socket })).to.have.lengthOf(3);
    using socket = new Socket(
      { name: 'x', domain: 1, encode: () => 2, decode: () => '', format: String },
      SOCK_DGRAM,
      0,
      {
        namespace: other.fd,
      },
    );
    expect(socket.interfaceIndex('left')).to.be.greaterThan(1);
    expect(thrown(() => network.socket.interfaceIndex('left'))).to.include({ code: 'ENODEV' });
  });

  itIf([linkKind('vcan'), linkKind('vxcan')], 'take CAN buses', () => {
    using network = new Network();
    network.vcan('bus0');
    network.vcan('bus1', 16);
    network.vxcan('near0', 'far0');
    const links = listLinksSync({ socket: network.socket }).filter(({ name }) => name !== 'lo');
    expect(Object.fromEntries(links.map(({ name, mtu, up, kind }) => [name, [kind, mtu, up]]))).to.deep.equal({
      bus0: ['vcan', 72, true],
      bus1: ['vcan', 16, true],
      near0: ['vxcan', 72, true],
      far0: ['vxcan', 72, true],
    });
  });
});
