import { AF_BRIDGE, AF_INET } from '@sock/core';
import {
  addAddressSync,
  addLinkSync,
  addNeighbour,
  addNeighbourSync,
  deleteNeighbour,
  deleteNeighbourSync,
  getLinkSync,
  listNeighbours,
  listNeighboursSync,
  type Neighbour,
  type NetlinkSocket,
  NTF_MASTER,
  NTF_PROXY,
  NTF_SELF,
  NUD_PERMANENT,
  NUD_REACHABLE,
  NUD_STALE,
  RTPROT_STATIC,
  setLinkSync,
} from '@sock/netlink';
import { describeIf, rejection } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { atOnce, type Namespace, sharedNamespace, veth } from './namespace.js';

type Json = Record<string, unknown>;

describeIf([networks, veth], 'neighbours, beside ip(8) and bridge(8)', function () {
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

  const states: Record<number, string> = {
    [NUD_PERMANENT]: 'PERMANENT',
    [NUD_REACHABLE]: 'REACHABLE',
    [NUD_STALE]: 'STALE',
  };

  async function compare(): Promise<Neighbour[]> {
    const ours = await listNeighbours({ socket });
    const theirs = (await namespace.ip('neighbour')).map(({ dst, dev, lladdr, state }) => ({
      dst,
      dev,
      lladdr,
      state,
    }));
    const key = ({ dst }: Json) => String(dst);
    const sort = (list: Json[]) => list.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    const found = ours.map((one) => ({
      dst: one.destination,
      dev: one.interface,
      lladdr: one.linkAddress,
      state: [states[one.state] ?? one.state],
    }));
    // what needs no resolution is not shown
    expect(sort(found.filter(({ state }) => typeof state[0] === 'string'))).to.deep.equal(sort(theirs));
    return ours;
  }

  beforeEach(() => {
    addLinkSync({ kind: 'veth', name: 'n0', up: true, peer: { name: 'n1' } }, { socket });
    setLinkSync('n1', { up: true }, { socket });
    addAddressSync({ interface: 'n0', address: '192.0.2.1', prefixLength: 24 }, { socket });
  });

  it('what ip adds, and what we add, both see alike', async () => {
    await namespace.run('ip', 'neighbour', 'add', '192.0.2.10', 'lladdr', '02:00:00:00:00:10', 'dev', 'n0');
    await addNeighbour(
      { interface: 'n0', destination: '192.0.2.11', linkAddress: '02:0:0:0:0:11', protocol: RTPROT_STATIC },
      { socket },
    );
    addNeighbourSync(
      { interface: 'n0', destination: '2001:db8::11', linkAddress: '02:00:00:00:00:12', state: NUD_STALE },
      { socket },
    );
    const ours = await compare();
    expect(ours.find(({ destination }) => destination === '192.0.2.11')).to.include({
      family: AF_INET,
      linkAddress: '02:00:00:00:00:11',
      interface: 'n0',
      state: NUD_PERMANENT,
      protocol: RTPROT_STATIC,
    });
    const all = listNeighboursSync({ socket });
    expect(all.find(({ destination }) => destination === '2001:db8::11')?.times?.updated).to.be.at.least(0);
  });

  it('lists are narrowed by family and by interface, and proxies are listed apart', async () => {
    addNeighbourSync({ interface: 'n0', destination: '192.0.2.11', linkAddress: '02:00:00:00:00:11' }, { socket });
    addNeighbourSync({ interface: 'n1', destination: '2001:db8::11', linkAddress: '02:00:00:00:00:12' }, { socket });
    await addNeighbour({ interface: 'n0', destination: '192.0.2.99', flags: NTF_PROXY }, { socket });
    const texts = (list: Neighbour[]) =>
      list.filter(({ state }) => state === NUD_PERMANENT || state === 0).map(({ destination }) => destination);
    expect(texts(await listNeighbours({ socket, family: AF_INET }))).to.deep.equal(['192.0.2.11']);
    expect(texts(listNeighboursSync({ socket, interface: 'n1' }))).to.deep.equal(['2001:db8::11']);
    expect(texts(listNeighboursSync({ socket, proxy: true }))).to.deep.equal(['192.0.2.99']);
    await deleteNeighbour({ interface: 'n0', destination: '192.0.2.99', flags: NTF_PROXY }, { socket });
    expect(listNeighboursSync({ socket, proxy: true })).to.deep.equal([]);
  });

  it('neighbours are replaced and removed, and errors are clear', async () => {
    const one = { interface: 'n0', destination: '192.0.2.11', linkAddress: '02:00:00:00:00:11' };
    addNeighbourSync(one, { socket });
    expect(await rejection(addNeighbour(one, { socket }))).to.include({ code: 'EEXIST' });
    await addNeighbour({ ...one, linkAddress: '02:00:00:00:00:99' }, { socket, replace: true });
    const found = listNeighboursSync({ socket, family: AF_INET }).find(
      ({ destination }) => destination === '192.0.2.11',
    );
    expect(found?.linkAddress).to.equal('02:00:00:00:00:99');
    deleteNeighbourSync({ interface: 'n0', destination: '192.0.2.11' }, { socket });
    const gone = await rejection(deleteNeighbour({ interface: 'n0', destination: '192.0.2.44' }, { socket }));
    expect(gone).to.include({ code: 'ENOENT' });
    expect(gone.message).to.contain('there is no such neighbour');
  });

  it('what a bridge forwards', async () => {
    addLinkSync({ kind: 'bridge', name: 'br0', up: true }, { socket });
    setLinkSync('n0', { master: 'br0' }, { socket });
    const mac = '02:00:00:00:77:01';
    await addNeighbour({ interface: 'n0', linkAddress: mac, flags: NTF_MASTER, vlan: undefined }, { socket });
    await addNeighbour({ interface: 'n0', linkAddress: '33:33:00:00:77:01', flags: NTF_SELF }, { socket }).catch(
      (error) => {
        // not every driver has a table
        expect(error).to.include({ code: 'EOPNOTSUPP' });
      },
    );
    const fdb = async () => JSON.parse(await namespace.run('bridge', '-j', 'fdb', 'show', 'dev', 'n0')) as Json[];
    const listed = async () =>
      (await listNeighbours({ socket, family: AF_BRIDGE, interface: 'n0' })).map(
        ({ attributes, times, ...one }) => one,
      );
    const [entries, theirs] = await atOnce(listed, fdb);
    const entry = entries.find(({ linkAddress }) => linkAddress === mac);
    expect(entry).to.include({ family: AF_BRIDGE, interface: 'n0', master: getLinkSync('br0', { socket }).index });
    expect(entries.map(({ linkAddress }) => linkAddress).sort()).to.deep.equal(theirs.map((one) => one.mac).sort());
    deleteNeighbourSync({ interface: 'n0', linkAddress: mac, flags: NTF_MASTER }, { socket });
    const rest = listNeighboursSync({ socket, family: AF_BRIDGE, interface: 'n0' });
    expect(rest.map(({ linkAddress }) => linkAddress)).to.not.include(mac);
  });
});
