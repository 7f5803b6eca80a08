import { AF_INET, AF_INET6 } from '@sock/core';
import {
  addAddressSync,
  addLinkSync,
  addRoute,
  addRouteSync,
  addRuleSync,
  attribute,
  deleteLinkSync,
  deleteRoute,
  deleteRouteSync,
  deleteRuleSync,
  getLinkSync,
  getRoute,
  getRouteSync,
  IFA_F_NODAD,
  listRoutes,
  listRoutesSync,
  NetlinkError,
  type NetlinkSocket,
  type Route,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_DEFAULT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTA_FLOW,
  RTN_ANYCAST,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTNH_F_ONLINK,
  RTPROT_BGP,
  RTPROT_BOOT,
  RTPROT_KERNEL,
  RTPROT_RA,
  RTPROT_STATIC,
  setLinkSync,
} from '@sock/netlink';
import { describeIf, rejection, thrown } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { atOnce, type Namespace, sharedNamespace, veth } from './namespace.js';

type Json = Record<string, unknown>;

const TYPES: Record<number, string> = {
  [RTN_UNICAST]: 'unicast',
  [RTN_LOCAL]: 'local',
  [RTN_BROADCAST]: 'broadcast',
  [RTN_ANYCAST]: 'anycast',
  [RTN_MULTICAST]: 'multicast',
  [RTN_BLACKHOLE]: 'blackhole',
  [RTN_UNREACHABLE]: 'unreachable',
  [RTN_PROHIBIT]: 'prohibit',
  [RTN_THROW]: 'throw',
};
const SCOPES: Record<number, string> = {
  [RT_SCOPE_UNIVERSE]: 'global',
  [RT_SCOPE_LINK]: 'link',
  [RT_SCOPE_HOST]: 'host',
  [RT_SCOPE_NOWHERE]: 'nowhere',
};
const PROTOCOLS: Record<number, string> = {
  [RTPROT_KERNEL]: 'kernel',
  [RTPROT_BOOT]: 'boot',
  [RTPROT_STATIC]: 'static',
  [RTPROT_BGP]: 'bgp',
  [RTPROT_RA]: 'ra',
};
const TABLES: Record<number, string> = {
  [RT_TABLE_MAIN]: 'main',
  [RT_TABLE_LOCAL]: 'local',
  [RT_TABLE_DEFAULT]: 'default',
};

const tableOf = (table: number): string => TABLES[table] ?? String(table);

function prefix(address: string | undefined, length: number | undefined, whole: number): string {
  if (length === 0) return 'default';
  return length === whole ? String(address) : `${address}/${length}`;
}

describeIf([networks, veth], 'routes, beside ip(8)', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;

  sharedNamespace((made, opened) => {
    namespace = made;
    socket = opened;
  });

  beforeEach(() => {
    for (const [name, peer, host] of [
      ['r0', 'r1', '192.0.2.1'],
      ['s0', 's1', '198.51.100.1'],
    ] as const) {
      addLinkSync({ kind: 'veth', name, up: true, peer: { name: peer } }, { socket });
      setLinkSync(peer, { up: true }, { socket });
      addAddressSync({ interface: name, address: host, prefixLength: 24 }, { socket });
    }
    addAddressSync({ interface: 'r0', address: '2001:db8::1', prefixLength: 64, flags: IFA_F_NODAD }, { socket });
    addAddressSync({ interface: 's0', address: '2001:db8:1::1', prefixLength: 64, flags: IFA_F_NODAD }, { socket });
  });

  afterEach(() => {
    deleteLinkSync('r0', { socket });
    deleteLinkSync('s0', { socket });
    for (const route of listRoutesSync({ socket })) {
      if (route.protocol !== RTPROT_KERNEL) deleteRouteSync(route, { socket });
    }
  });

  function asIp(route: Route): Json {
    const whole = route.family === AF_INET ? 32 : 128;
    return {
      type: TYPES[route.type],
      dst: prefix(route.destination, route.prefixLength, whole),
      src: route.source === undefined ? undefined : prefix(route.source, route.sourcePrefixLength, whole),
      gateway: route.gateway,
      dev: route.interface,
      table: tableOf(route.table),
      protocol: PROTOCOLS[route.protocol],
      scope: route.family === AF_INET ? SCOPES[route.scope] : 'global',
      prefsrc: route.preferredSource,
      metric: route.priority,
      nexthops: route.nextHops.map((hop) => ({ gateway: hop.gateway, dev: hop.interface, weight: hop.weight })),
      metrics:
        route.metrics.mtu === undefined && route.metrics.advertisedMss === undefined
          ? undefined
          : [{ mtu: route.metrics.mtu, advmss: route.metrics.advertisedMss }],
    };
  }

  function fromIp(json: Json): Json {
    const via = json.via as Json | undefined;
    const hops = (json.nexthops as Json[] | undefined) ?? [];
    const metrics = (json.metrics as Json[] | undefined)?.[0];
    return {
      type: json.type ?? 'unicast',
      dst: json.dst,
      src: json.from,
      gateway: json.gateway ?? via?.host,
      dev: json.dev,
      table: json.table ?? 'main',
      protocol: json.protocol ?? 'boot',
      scope: json.scope ?? 'global',
      prefsrc: json.prefsrc,
      metric: json.metric,
      nexthops: hops.map((hop) => ({ gateway: hop.gateway, dev: hop.dev, weight: hop.weight })),
      metrics: metrics === undefined ? undefined : [{ mtu: metrics.mtu, advmss: metrics.advmss }],
    };
  }

  async function compare(): Promise<Route[]> {
    const show = (flag: string) => namespace.ip('-d', flag, 'route', 'show', 'table', 'all');
    const steady = async () => (await listRoutes({ socket })).map(({ attributes, ...route }) => route as Route);
    const [ours, both] = await atOnce(steady, () => Promise.all([show('-4'), show('-6')]));
    for (const [family, i] of [
      [AF_INET, 0],
      [AF_INET6, 1],
    ] as const) {
      const theirs = (both[i] as Json[]).map(fromIp);
      const found = ours.filter((route) => route.family === family).map(asIp);
      const key = (json: Json) => JSON.stringify([json.dst, json.dev, json.table, json.metric, json.type]);
      const sort = (list: Json[]) => list.sort((a, b) => (key(a) < key(b) ? -1 : 1));
      expect(sort(found)).to.deep.equal(sort(theirs));
    }
    return ours;
  }

  const find = (routes: Route[], text: string): Route | undefined =>
    routes.find(({ destination }) => destination === text);

  it('what ip adds, and what we add, both see alike', async () => {
    const add = (...words: string[]) => namespace.run('ip', 'route', 'add', ...words);
    await add('10.1.0.0/16', 'via', '192.0.2.9', 'metric', '50', 'mtu', '1300', 'advmss', '1200');
    await add('10.2.0.0/16', 'dev', 's0', 'src', '198.51.100.1', 'proto', 'static', 'table', '100');
    await add('blackhole', '10.3.0.0/16');
    await add(
      '10.4.0.0/16',
      'nexthop',
      'via',
      '192.0.2.9',
      'weight',
      '3',
      'nexthop',
      'via',
      '198.51.100.9',
      'dev',
      's0',
    );
    await namespace.run('ip', '-6', 'route', 'add', '2001:db8:9::/48', 'via', '2001:db8::9');

    await addRoute(
      {
        destination: '10.5.0.0',
        prefixLength: 16,
        gateway: '192.0.2.9',
        priority: 7,
        metrics: { mtu: 1400, advertisedMss: 1100 },
      },
      { socket },
    );
    await addRoute(
      { destination: '10.6.0.0', prefixLength: 16, interface: 's0', preferredSource: '198.51.100.1', table: 1000 },
      { socket },
    );
    await addRoute({ gateway: '192.0.2.254' }, { socket });
    addRouteSync(
      { destination: '10.7.0.0', prefixLength: 16, type: RTN_UNREACHABLE, protocol: RTPROT_BGP },
      { socket },
    );
    addRouteSync(
      {
        destination: '10.8.0.0',
        prefixLength: 16,
        nextHops: [
          { gateway: '192.0.2.9', weight: 20 },
          { gateway: '198.51.100.9', interface: 's0' },
        ],
      },
      { socket },
    );
    addRouteSync({ destination: '2001:db8:a::', prefixLength: 48, gateway: '2001:db8::9', priority: 3 }, { socket });
    addRouteSync({ family: AF_INET6, gateway: '2001:db8::fe', interface: 'r0' }, { socket });
    addRouteSync(
      {
        destination: '2001:db8:b::',
        prefixLength: 48,
        nextHops: [{ gateway: '2001:db8::9' }, { gateway: '2001:db8:1::9', weight: 2 }],
      },
      { socket },
    );
    addRouteSync({ destination: '10.9.9.9', type: RTN_LOCAL, interface: 'lo' }, { socket });
    addRouteSync(
      { destination: '10.10.0.0', prefixLength: 16, gateway: '203.0.113.1', interface: 'r0', flags: RTNH_F_ONLINK },
      { socket },
    );

    const routes = await compare();
    expect(find(routes, '10.5.0.0')).to.include({
      gateway: '192.0.2.9',
      interface: 'r0',
      priority: 7,
      table: RT_TABLE_MAIN,
    });
    expect(find(routes, '10.5.0.0')?.metrics).to.deep.equal({ mtu: 1400, advertisedMss: 1100 });
    expect(find(routes, '10.5.0.0')).to.include({
      protocol: RTPROT_STATIC,
      scope: RT_SCOPE_UNIVERSE,
      type: RTN_UNICAST,
    });
    expect(find(routes, '10.6.0.0')).to.include({
      table: 1000,
      scope: RT_SCOPE_LINK,
      preferredSource: '198.51.100.1',
    });
    expect(find(routes, '10.8.0.0')?.nextHops.map(({ weight, index }) => [weight, index])).to.deep.equal([
      [20, getLinkSync('r0', { socket }).index],
      [1, getLinkSync('s0', { socket }).index],
    ]);
    expect(find(routes, '10.9.9.9')).to.include({ table: RT_TABLE_LOCAL, scope: RT_SCOPE_HOST, type: RTN_LOCAL });
    expect(
      routes
        .filter(({ prefixLength, table }) => prefixLength === 0 && table === RT_TABLE_MAIN)
        .map(({ destination }) => destination)
        .sort(),
    ).to.deep.equal(['0.0.0.0', '::']);
  });

  it('a gateway of the other family', async () => {
    try {
      addRouteSync({ destination: '10.11.0.0', prefixLength: 16, gateway: '2001:db8::9', interface: 'r0' }, { socket });
    } catch (error) {
      // Linux 5.2
      expect(error).to.include({ code: 'EINVAL' });
      return;
    }
    const routes = await compare();
    expect(find(routes, '10.11.0.0')).to.include({ gateway: '2001:db8::9', family: AF_INET });
  });

  it('all metrics come back', () => {
    const metrics = {
      mtu: 1300,
      window: 10_000,
      advertisedMss: 1000,
      reordering: 5,
      hopLimit: 30,
      initialCwnd: 11,
      initialRwnd: 12,
      minimumRto: 250,
      quickAck: true,
      congestion: 'cubic',
    };
    addRouteSync({ destination: '10.12.0.0', prefixLength: 16, interface: 'r0', metrics }, { socket });
    const [route] = listRoutesSync({ socket, interface: 'r0', protocol: RTPROT_STATIC });
    expect(route?.metrics).to.deep.equal(metrics);
    expect(route?.scope).to.equal(RT_SCOPE_LINK);
  });

  it('lists are narrowed by family, table, interface, protocol and type', async () => {
    addRouteSync(
      { destination: '10.1.0.0', prefixLength: 16, gateway: '192.0.2.9', table: 777, protocol: RTPROT_BGP },
      { socket },
    );
    addRouteSync({ destination: '10.2.0.0', prefixLength: 16, type: RTN_BLACKHOLE }, { socket });
    addRouteSync(
      {
        destination: '10.3.0.0',
        prefixLength: 16,
        nextHops: [{ gateway: '198.51.100.9' }, { gateway: '192.0.2.9' }],
      },
      { socket },
    );
    const texts = (routes: Route[]) => routes.map(({ destination }) => destination).sort();
    expect(texts(await listRoutes({ socket, table: 777 }))).to.deep.equal(['10.1.0.0']);
    expect(texts(listRoutesSync({ socket, protocol: RTPROT_BGP }))).to.deep.equal(['10.1.0.0']);
    expect(texts(listRoutesSync({ socket, type: RTN_BLACKHOLE }))).to.deep.equal(['10.2.0.0']);
    expect(texts(listRoutesSync({ socket, interface: 's0', family: AF_INET, table: RT_TABLE_MAIN }))).to.deep.equal([
      '10.3.0.0',
      '198.51.100.0',
    ]);
    expect(listRoutesSync({ socket, family: AF_INET6 }).every(({ family }) => family === AF_INET6)).to.equal(true);
    expect(listRoutesSync({ socket, table: 4711 })).to.deep.equal([]);
    for (const [options, argument] of [
      [{ family: 1 }, 'options.family'],
      [{ table: -1 }, 'options.table'],
      [{ protocol: 256 }, 'options.protocol'],
      [{ type: 'x' }, 'options.type'],
      [{ interface: {} }, 'options.interface'],
    ] as const) {
      expect(thrown(() => listRoutesSync({ socket, ...options } as never))).to.include({ argument });
    }
  });

  it('the route to an address is that of ip route get', async () => {
    addRouteSync({ destination: '10.1.0.0', prefixLength: 16, gateway: '192.0.2.9' }, { socket });
    addRouteSync(
      { destination: '10.1.0.0', prefixLength: 16, gateway: '198.51.100.9', table: 50, protocol: RTPROT_BGP },
      { socket },
    );
    const route = await getRoute('10.1.2.3', { socket });
    const [json = {}] = await namespace.ip('route', 'get', '10.1.2.3');
    expect([route.gateway, route.interface, route.preferredSource]).to.deep.equal([
      json.gateway,
      json.dev,
      json.prefsrc,
    ]);
    expect(route).to.include({ destination: '10.1.2.3', prefixLength: 32, table: RT_TABLE_MAIN });
    expect(getRouteSync('10.1.2.3', { socket, match: true })).to.include({
      destination: '10.1.0.0',
      prefixLength: 16,
    });
    expect(await getRoute('198.51.100.7', { socket, source: '198.51.100.1', interface: 's0' })).to.include({
      interface: 's0',
    });
    addRuleSync({ mark: 9, table: 50 }, { socket });
    expect(getRouteSync('10.1.2.3', { socket, mark: 9 })).to.include({ gateway: '198.51.100.9', table: 50 });
    deleteRuleSync({ mark: 9 }, { socket });
    expect((await getRoute('2001:db8::77', { socket })).interface).to.equal('r0');
    const none = await rejection(getRoute('203.0.113.7', { socket }));
    expect(none).to.be.instanceOf(NetlinkError).and.include({ code: 'ENETUNREACH' });
    expect(none.message).to.equal('RTM_GETROUTE ENETUNREACH 203.0.113.7: there is no route');
    expect(await rejection(getRoute('nowhere', { socket }))).to.include({ argument: 'destination' });
    expect(thrown(() => getRouteSync('10.0.0.1', { socket, source: '::1' }))).to.include({
      argument: 'options.source',
    });
    // of this process's own namespace
    expect((await getRoute('127.0.0.1')).type).to.equal(RTN_LOCAL);
  });

  it('routes are replaced and removed, and errors are clear', async () => {
    const route = { destination: '10.1.0.0', prefixLength: 16, gateway: '192.0.2.9' };
    await addRoute(route, { socket });
    expect(await rejection(addRoute(route, { socket })))
      .to.be.instanceOf(NetlinkError)
      .and.include({ code: 'EEXIST' });
    await addRoute({ ...route, gateway: '192.0.2.10' }, { socket, replace: true });
    expect(listRoutesSync({ socket, protocol: RTPROT_STATIC }).map(({ gateway }) => gateway)).to.deep.equal([
      '192.0.2.10',
    ]);
    expect(await rejection(deleteRoute(route, { socket }))).to.include({ code: 'ESRCH' });
    await deleteRoute({ destination: '10.1.0.0', prefixLength: 16 }, { socket });
    const gone = thrown(() => deleteRouteSync({ destination: '10.1.0.0', prefixLength: 16 }, { socket }));
    expect(gone).to.include({ code: 'ESRCH', message: 'RTM_DELROUTE ESRCH 10.1.0.0/16: there is no such route' });
    const unreachable = thrown(() =>
      addRouteSync({ ...route, gateway: '203.0.113.9' }, { socket }),
    ) as unknown as NetlinkError;
    expect(unreachable).to.include({ code: 'ENETUNREACH' });
    expect(unreachable.text).to.be.a('string');
    // what was listed can be added again
    addRouteSync({ ...route, metrics: { mtu: 1400 }, priority: 5 }, { socket });
    const [listed] = listRoutesSync({ socket, protocol: RTPROT_STATIC });
    deleteRouteSync(listed as Route, { socket });
    addRouteSync(listed as Route, { socket });
    const [again] = listRoutesSync({ socket, protocol: RTPROT_STATIC });
    expect({ ...again, attributes: [] }).to.deep.equal({ ...listed, attributes: [] });
    setLinkSync('s0', { up: false }, { socket });
    expect(
      thrown(() => addRouteSync({ destination: '10.1.0.0', prefixLength: 16, interface: 's0' }, { socket })),
    ).to.include({ code: 'ENETDOWN' });
  });

  describe('bad input', () => {
    const routes: [unknown, string][] = [
      [undefined, 'route'],
      [{ destination: '10.0.0.0/8' }, 'route.destination'],
      [{ destination: 5 }, 'route.destination'],
      [{ destination: '10.0.0.0', prefixLength: 33 }, 'route.prefixLength'],
      [{ prefixLength: 8 }, 'route.prefixLength'],
      [{ destination: '::', prefixLength: 129 }, 'route.prefixLength'],
      [{ family: AF_INET6, destination: '10.0.0.0' }, 'route.destination'],
      [{ family: 1 }, 'route.family'],
      [{ source: 'x' }, 'route.source'],
      [{ source: '10.0.0.0', sourcePrefixLength: 64 }, 'route.sourcePrefixLength'],
      [{ gateway: 'router' }, 'route.gateway'],
      [{ interface: true }, 'route.interface'],
      [{ interface: 0 }, 'route.interface'],
      [{ interface: 'a-name-that-is-too-long' }, 'route.interface'],
      [{ nextHops: {} }, 'route.nextHops'],
      [{ nextHops: [5] }, 'route.nextHops[0]'],
      [{ nextHops: [{ weight: 0 }] }, 'route.nextHops[0].weight'],
      [{ nextHops: [{ flags: 256 }] }, 'route.nextHops[0].flags'],
      [{ nextHopId: -1 }, 'route.nextHopId'],
      [{ destination: '10.0.0.0', preferredSource: '::1' }, 'route.preferredSource'],
      [{ priority: 0.5 }, 'route.priority'],
      [{ table: '1' }, 'route.table'],
      [{ protocol: 256 }, 'route.protocol'],
      [{ scope: 256 }, 'route.scope'],
      [{ type: -1 }, 'route.type'],
      [{ tos: 256 }, 'route.tos'],
      [{ flags: 2 ** 32 }, 'route.flags'],
      [{ metrics: 5 }, 'route.metrics'],
      [{ metrics: { mtu: -1 } }, 'route.metrics.mtu'],
      [{ metrics: { minimumRto: '1' } }, 'route.metrics.minimumRto'],
      [{ metrics: { quickAck: 1 } }, 'route.metrics.quickAck'],
      [{ metrics: { congestion: 'a\0' } }, 'route.metrics.congestion'],
      [{ extra: [attribute.u32(RTA_FLOW, 1), {}] }, 'message.attributes[2].type'],
    ];
    for (const [route, argument] of routes) {
      it(`a route with a wrong ${argument}`, async () => {
        expect(await rejection(addRoute(route as never, { socket }))).to.include({ argument });
        expect(thrown(() => deleteRouteSync(route as never, { socket }))).to.include({ argument });
      });
    }
  });
});
