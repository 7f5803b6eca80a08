import {
  addAddress,
  addAddressSync,
  addLink,
  addLinkSync,
  addNeighbour,
  addNeighbourSync,
  deleteAddressSync,
  deleteLink,
  deleteLinkSync,
  deleteNeighbourSync,
  getLink,
  getLinkSync,
  listLinks,
  listNeighbours,
  listNeighboursSync,
  setLink,
  setLinkSync,
} from '@sock/netlink';
import { rejection, thrown } from '@sock/testkit';
import { expect } from 'chai';

/** An input, and the argument that its error must name. */
type Case = readonly [input: unknown, argument: string];

const properties: Case[] = [
  [{ name: 5 }, 'name'],
  [{ name: '' }, 'name'],
  [{ name: 'a-name-that-is-too-long' }, 'name'],
  [{ name: 'a\0b' }, 'name'],
  [{ up: 1 }, 'up'],
  [{ arp: 'no' }, 'arp'],
  [{ multicast: 0 }, 'multicast'],
  [{ promiscuous: null }, 'promiscuous'],
  [{ allMulticast: {} }, 'allMulticast'],
  [{ mtu: -1 }, 'mtu'],
  [{ mtu: '1500' }, 'mtu'],
  [{ address: '02:00' + ':zz' }, 'address'],
  [{ address: 2 }, 'address'],
  [{ broadcast: '' }, 'broadcast'],
  [{ master: {} }, 'master'],
  [{ master: -1 }, 'master'],
  [{ namespace: 5 }, 'namespace'],
  [{ namespace: {} }, 'namespace'],
  [{ namespace: { pid: 1, fd: 1 } }, 'namespace'],
  [{ namespace: { pid: 0 } }, 'namespace.pid'],
  [{ namespace: { fd: -1 } }, 'namespace.fd'],
  [{ transmitQueueLength: 0.5 }, 'transmitQueueLength'],
  [{ group: 2 ** 32 }, 'group'],
  [{ alias: 'x'.repeat(256) }, 'alias'],
  [{ alias: 5 }, 'alias'],
];

const links: Case[] = [
  [undefined, 'link'],
  ['dummy', 'link'],
  [{}, 'link.kind'],
  [{ kind: 5 }, 'link.kind'],
  ...properties.map(([input, argument]): Case => [{ kind: 'veth', ...(input as object) }, `link.${argument}`]),
  ...properties
    .filter(([, argument]) => argument !== 'up' && argument !== 'master')
    .map(([input, argument]): Case => [{ kind: 'veth', peer: input }, `link.peer.${argument}`]),
  [{ kind: 'veth', index: 0 }, 'link.index'],
  [{ kind: 'veth', link: true }, 'link.link'],
  [{ kind: 'veth', transmitQueues: 0 }, 'link.transmitQueues'],
  [{ kind: 'veth', receiveQueues: 5000 }, 'link.receiveQueues'],
  [{ kind: 'veth', peer: 5 }, 'link.peer'],
  [{ kind: 'veth', peer: { up: true } }, 'link.peer.up'],
  [{ kind: 'veth', peer: { extra: [{ type: -1 }] } }, 'link.peer.extra[0].type'],
  [{ kind: 'dummy', peer: {} }, 'link.peer'],
  [{ kind: 'dummy', vlan: { id: 1 } }, 'link.vlan'],
  [{ kind: 'vlan', vlan: 5 }, 'link.vlan'],
  [{ kind: 'vlan', vlan: { id: 4095 } }, 'link.vlan.id'],
  [{ kind: 'vlan', vlan: { id: 1, protocol: -1 } }, 'link.vlan.protocol'],
  [{ kind: 'dummy', macvlanMode: 1 }, 'link.macvlanMode'],
  [{ kind: 'macvlan', macvlanMode: -1 }, 'link.macvlanMode'],
  [{ kind: 'veth', bridge: {} }, 'link.bridge'],
  [{ kind: 'bridge', bridge: 5 }, 'link.bridge'],
  [{ kind: 'bridge', bridge: { forwardDelay: -1 } }, 'link.bridge.forwardDelay'],
  [{ kind: 'bridge', bridge: { helloTime: '1' } }, 'link.bridge.helloTime'],
  [{ kind: 'bridge', bridge: { maxAge: 0.5 } }, 'link.bridge.maxAge'],
  [{ kind: 'bridge', bridge: { ageingTime: {} } }, 'link.bridge.ageingTime'],
  [{ kind: 'bridge', bridge: { stp: 1 } }, 'link.bridge.stp'],
  [{ kind: 'bridge', bridge: { priority: 65_536 } }, 'link.bridge.priority'],
  [{ kind: 'bridge', bridge: { vlanFiltering: 1 } }, 'link.bridge.vlanFiltering'],
  [{ kind: 'bridge', bridge: { vlanDefaultPvid: 4095 } }, 'link.bridge.vlanDefaultPvid'],
  [{ kind: 'bridge', bridge: { multicastSnooping: 'x' } }, 'link.bridge.multicastSnooping'],
  [{ kind: 'veth', extra: [5] }, 'message.attributes[1]'],
];

const changes: Case[] = [
  [undefined, 'settings'],
  [5, 'settings'],
  ...properties.map(([input, argument]): Case => [input, `settings.${argument}`]),
  [{ kind: 5 }, 'settings.kind'],
  [{ bridge: {} }, 'settings.bridge'],
  [{ data: [{ type: 1 }] }, 'settings.kind'],
];

const addresses: Case[] = [
  [undefined, 'address'],
  [[], 'address'],
  [{ interface: 'lo' }, 'address.address'],
  [{ interface: 'lo', address: '1.2.3' }, 'address.address'],
  [{ interface: 'lo', address: '192.0.2.1/24' }, 'address.address'],
  [{ address: '192.0.2.1' }, 'address.interface'],
  [{ interface: 0, address: '192.0.2.1' }, 'address.interface'],
  [{ interface: 'lo', address: '192.0.2.1', prefixLength: 33 }, 'address.prefixLength'],
  [{ interface: 'lo', address: '::1', prefixLength: 129 }, 'address.prefixLength'],
  [{ interface: 'lo', address: '192.0.2.1', peer: '::1' }, 'address.peer'],
  [{ interface: 'lo', address: '192.0.2.1', broadcast: 'all' }, 'address.broadcast'],
  [{ interface: 'lo', address: '192.0.2.1', scope: 256 }, 'address.scope'],
  [{ interface: 'lo', address: '192.0.2.1', flags: -1 }, 'address.flags'],
  [{ interface: 'lo', address: '192.0.2.1', label: 5 }, 'address.label'],
  [{ interface: 'lo', address: '192.0.2.1', priority: 'x' }, 'address.priority'],
  [{ interface: 'lo', address: '192.0.2.1', protocol: 256 }, 'address.protocol'],
  [{ interface: 'lo', address: '192.0.2.1', validLifetime: -1 }, 'address.validLifetime'],
  [{ interface: 'lo', address: '192.0.2.1', preferredLifetime: 'x' }, 'address.preferredLifetime'],
  [
    { interface: 'lo', address: '192.0.2.1', validLifetime: Number.POSITIVE_INFINITY, preferredLifetime: 1 },
    'address.validLifetime',
  ],
];

const neighbours: Case[] = [
  [undefined, 'neighbour'],
  [{ interface: 'lo', destination: 'x' }, 'neighbour.destination'],
  [{ interface: 'lo', destination: 5 }, 'neighbour.destination'],
  [{ destination: '192.0.2.1' }, 'neighbour.interface'],
  [{ interface: 'lo', destination: '192.0.2.1', linkAddress: 'x' }, 'neighbour.linkAddress'],
  [{ interface: 'lo', destination: '192.0.2.1', state: -1 }, 'neighbour.state'],
  [{ interface: 'lo', destination: '192.0.2.1', flags: 256 }, 'neighbour.flags'],
  [{ interface: 'lo', destination: '192.0.2.1', vlan: 4095 }, 'neighbour.vlan'],
  [{ interface: 'lo', destination: '192.0.2.1', protocol: -1 }, 'neighbour.protocol'],
  [{ interface: 'lo', destination: '192.0.2.1', family: 256 }, 'neighbour.family'],
];

function table(
  what: string,
  cases: readonly Case[],
  promise: (input: never) => Promise<unknown>,
  ...sync: readonly ((input: never) => unknown)[]
): void {
  describe(what, () => {
    cases.forEach(([input, argument], i) => {
      it(`${argument} (${i})`, async () => {
        const error = await rejection(promise(input as never));
        expect(error).to.include({ argument });
        expect((error as { code?: string }).code).to.be.oneOf(['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE']);
        expect(error.message.startsWith(`${argument} must be `), error.message).to.equal(true);
        for (const form of sync) expect(thrown(() => form(input as never))).to.include({ argument });
      });
    });
  });
}

describe('bad input is told before anything is sent', () => {
  table(
    'links',
    links,
    (link) => addLink(link),
    (link) => addLinkSync(link),
  );
  table(
    'changes of links',
    changes,
    (given) => setLink('lo', given),
    (given) => setLinkSync('lo', given),
  );
  table(
    'addresses',
    addresses,
    (address) => addAddress(address),
    (address) => addAddressSync(address),
    (address) => deleteAddressSync(address),
  );
  table(
    'neighbours',
    neighbours,
    (one) => addNeighbour(one),
    (one) => addNeighbourSync(one),
    (one) => deleteNeighbourSync(one),
  );

  it('names of links', async () => {
    for (const wrong of [undefined, '', {}, -1, 0.5, 'a-name-that-is-too-long']) {
      for (const call of [getLink, deleteLink] as const) {
        expect(await rejection(call(wrong as never))).to.include({ argument: 'link' });
      }
      for (const call of [getLinkSync, deleteLinkSync] as const) {
        expect(thrown(() => call(wrong as never))).to.include({ argument: 'link' });
      }
      expect(thrown(() => setLinkSync(wrong as never, {}))).to.include({ argument: 'link' });
    }
  });

  it('lists', async () => {
    expect(await rejection(listLinks({ kind: 5 as never }))).to.include({ argument: 'options.kind' });
    expect(await rejection(listLinks({ master: true as never }))).to.include({ argument: 'options.master' });
    expect(await rejection(listNeighbours({ family: 256 }))).to.include({ argument: 'options.family' });
    expect(thrown(() => listNeighboursSync({ proxy: 1 as never }))).to.include({ argument: 'options.proxy' });
    expect(thrown(() => listNeighboursSync({ interface: 0 }))).to.include({ argument: 'options.interface' });
  });
});
