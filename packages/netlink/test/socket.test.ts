import { AF_INET, SOCK_RAW, Socket, setDefaultTimeout, soRcvBuf } from '@sock/core';
import {
  addLink,
  attribute,
  deleteLink,
  GENL_ID_CTRL,
  getLink,
  IFLA_IFNAME,
  IFLA_MTU,
  listLinks,
  listLinksSync,
  listRoutes,
  NETLINK_GENERIC,
  NETLINK_ROUTE,
  NetlinkError,
  NetlinkSocket,
  netlink,
  netlinkCapAck,
  netlinkExtAck,
  netlinkGetStrictChk,
  netlinkNoEnobufs,
  netlinkPktInfo,
  packMessage,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_LINK,
  setLink,
  setLinkSync,
  unpackInterfaceAddress,
  unpackLink,
  unpackMessages,
} from '@sock/netlink';
import { describeIf, itIf, probe, rejection, runNode, thrown, turns, unique, within } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { Namespace, veth } from './namespace.js';

const LINK = { type: RTM_GETLINK, payload: Buffer.alloc(16) };

describe('NetlinkSocket', () => {
  it('is bound, tells groups, takes extended errors and is strict', () => {
    using socket = new NetlinkSocket();
    expect(socket).to.include({ domain: netlink.domain, type: SOCK_RAW, protocol: NETLINK_ROUTE });
    expect(socket.pid).to.be.greaterThan(0);
    expect(socket.getsockname()).to.deep.equal({ pid: socket.pid, groups: 0 });
    for (const option of [netlinkPktInfo, netlinkCapAck, netlinkExtAck, netlinkGetStrictChk]) {
      expect(socket.getOption(option), option.label).to.equal(true);
    }
    expect(socket.groups).to.deep.equal([]);
  });

  it('takes its port, its groups and its options', () => {
    const pid = 0x40000000 + (unique() % 0x40000000);
    using socket = new NetlinkSocket({ pid, groups: [RTNLGRP_LINK, 33], strict: false, noEnobufs: true });
    expect(socket.pid).to.equal(pid);
    expect(socket.groups).to.deep.equal([RTNLGRP_LINK, 33]);
    expect(socket.getOption(netlinkGetStrictChk)).to.equal(false);
    expect(socket.getOption(netlinkNoEnobufs)).to.equal(true);
    socket.leave(33);
    socket.join(RTNLGRP_IPV4_IFADDR);
    expect(socket.groups).to.deep.equal([RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR]);
    // a failure leaves nothing open
    expect(thrown(() => new NetlinkSocket({ pid }))).to.include({ code: 'EADDRINUSE' });
    expect(thrown(() => new NetlinkSocket({ groups: [4000] }))).to.include({ code: 'EINVAL' });
  });

  it('bad options are told before a socket is opened', () => {
    const cases: [unknown, string][] = [
      [5, 'options'],
      [{ protocol: 'route' }, 'options.protocol'],
      [{ protocol: -1 }, 'options.protocol'],
      [{ pid: 2 ** 32 }, 'options.pid'],
      [{ groups: 1 }, 'options.groups'],
      [{ groups: [1, 0] }, 'options.groups[1]'],
      [{ strict: 1 }, 'options.strict'],
      [{ allNamespaces: 'yes' }, 'options.allNamespaces'],
      [{ noEnobufs: null }, 'options.noEnobufs'],
    ];
    for (const [options, argument] of cases) {
      expect(
        thrown(() => new NetlinkSocket(options as never)),
        argument,
      ).to.include({ argument });
    }
  });

  it('asks for one thing', async () => {
    using socket = new NetlinkSocket();
    const attributes = [attribute.text(IFLA_IFNAME, 'lo')];
    for (const { messages } of [
      await within('the answer', socket.request({ ...LINK, attributes })),
      socket.requestSync({ ...LINK, attributes }),
    ]) {
      expect(messages.map(unpackLink).map((link) => link?.name)).to.deep.equal(['lo']);
    }
  });

  it('lists, in both forms', async () => {
    using socket = new NetlinkSocket();
    const names: string[] = [];
    for await (const message of socket.dump(LINK)) names.push(unpackLink(message)?.name ?? '');
    expect(names).to.include('lo');
    expect([...socket.dumpSync(LINK)].map((message) => unpackLink(message)?.name)).to.include('lo');
  });

  it('keeps many requests apart', async () => {
    using socket = new NetlinkSocket();
    const good = [attribute.text(IFLA_IFNAME, 'lo')];
    const bad = [attribute.text(IFLA_IFNAME, 'no-such-link')];
    const results = await within(
      'all',
      Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          if (i % 10 === 3) {
            let count = 0;
            for await (const message of socket.dump(LINK)) count += unpackLink(message) === undefined ? 0 : 1;
            return count > 0 ? 'list' : 'nothing';
          }
          const request = socket.request({ ...LINK, attributes: i % 2 === 0 ? good : bad });
          return request.then(
            ({ messages }) => unpackLink(messages[0] as never)?.name,
            ({ code }) => code,
          );
        }),
      ),
    );
    const expected = results.map((_, i) => (i % 10 === 3 ? 'list' : i % 2 === 0 ? 'lo' : 'ENODEV'));
    expect(results).to.deep.equal(expected);
  });

  it('lists that are left early do not disturb what follows', async () => {
    using socket = new NetlinkSocket();
    for (let i = 0; i < 5; i++) {
      for await (const message of socket.dump(LINK)) {
        expect(message.type).to.equal(RTM_NEWLINK);
        break;
      }
      for (const message of socket.dumpSync({ type: RTM_GETADDR, payload: Buffer.alloc(8) })) {
        expect(unpackInterfaceAddress(message)).to.not.equal(undefined);
        break;
      }
    }
    expect((await listLinks({ socket })).map(({ name }) => name)).to.include('lo');
  });

  it('a request that the kernel refuses is a NetlinkError with its words', async () => {
    using socket = new NetlinkSocket();
    // strict checking knows no index in a list
    const payload = Buffer.alloc(16);
    payload[4] = 1;
    const list = async () => {
      for await (const _ of socket.dump({ type: RTM_GETLINK, payload }, { label: 'RTM_GETLINK' }));
    };
    const error = await rejection(list());
    expect(error).to.be.instanceOf(NetlinkError);
    expect(error).to.include({ code: 'EINVAL', syscall: 'RTM_GETLINK' });
    expect((error as unknown as NetlinkError).text).to.be.a('string').that.is.not.empty;
    expect(error.message).to.match(/^RTM_GETLINK EINVAL: \S.*/);
  });

  it('an attribute that is wrong is named', async () => {
    using socket = new NetlinkSocket();
    const attributes = [attribute.text(IFLA_IFNAME, 'lo'), attribute.bytes(IFLA_MTU, 'x')];
    const error = (await rejection(
      socket.request({ type: RTM_NEWLINK, payload: Buffer.alloc(16), attributes }),
    )) as unknown;
    expect(error).to.be.instanceOf(NetlinkError);
    const { attribute: number, offset, code } = error as NetlinkError;
    // without CAP_NET_ADMIN that is what is wrong
    if (code === 'EPERM') return;
    expect([code, number, offset]).to.deep.equal(['ERANGE', IFLA_MTU, 16 + 16 + 8]);
  });

  it('of another protocol it asks others', async () => {
    using socket = new NetlinkSocket({ protocol: NETLINK_GENERIC });
    // a message of the controller without a command
    const error = await rejection(socket.request({ type: GENL_ID_CTRL, payload: Buffer.from([200, 1, 0, 0]) }));
    expect(error).to.be.instanceOf(NetlinkError).and.include({ code: 'EOPNOTSUPP' });
  });

  it('is what adopt, duplicate and dup give', async () => {
    using socket = new NetlinkSocket();
    using copy = socket.dup();
    expect(copy).to.be.instanceOf(NetlinkSocket);
    expect(copy.pid).to.equal(socket.pid);
    using duplicate = NetlinkSocket.duplicate(socket.fileno(), netlink) as NetlinkSocket;
    expect(listLinksSync({ socket: duplicate }).length).to.be.greaterThan(0);
    // one that somebody else opened, neither bound nor set up
    const raw = new Socket(netlink, SOCK_RAW, NETLINK_ROUTE);
    using adopted = NetlinkSocket.adopt(raw.detach(), netlink);
    expect(adopted.pid).to.equal(0);
    expect((await listLinks({ socket: adopted })).length).to.be.greaterThan(0);
    expect(adopted.pid).to.be.greaterThan(0);
    expect(adopted.getOption(netlinkExtAck)).to.equal(true);
  });

  it('raw bytes stay possible', async () => {
    using socket = new Socket(netlink);
    await socket.sendTo(packMessage({ ...LINK, flags: 0x301, sequence: 5 }), {});
    const { data, address } = await within('the answer', socket.recvFrom(65_536));
    expect(address).to.deep.equal({ pid: 0, groups: 0 });
    expect(unpackMessages(data).messages[0]).to.include({ type: RTM_NEWLINK, sequence: 5 });
  });

  it('functions that open a socket for themselves do not mind the default timeout', async () => {
    setDefaultTimeout(0);
    try {
      expect((await listLinks()).length).to.be.greaterThan(0);
      expect(listLinksSync().length).to.be.greaterThan(0);
    } finally {
      setDefaultTimeout(null);
    }
  });

  it('functions take a socket of their protocol only, and check their options', async () => {
    using socket = new NetlinkSocket({ protocol: NETLINK_GENERIC });
    using plain = new Socket(netlink);
    for (const wrong of [socket, plain, {}, null]) {
      expect(await rejection(listLinks({ socket: wrong as never }))).to.include({ argument: 'options.socket' });
      expect(thrown(() => listLinksSync({ socket: wrong as never }))).to.include({ argument: 'options.socket' });
    }
    expect(await rejection(listLinks(5 as never))).to.include({ argument: 'options' });
    expect(await rejection(listLinks({ timeout: -1 }))).to.include({ argument: 'timeout' });
    expect(await rejection(listLinks({ signal: 5 as never }))).to.include({ argument: 'signal' });
    const reason = new Error('no');
    expect(await rejection(listLinks({ signal: AbortSignal.abort(reason) }))).to.equal(reason);
  });

  it('does not keep a process alive that waits for nothing, and does not leave an exit waiting', async () => {
    const outcome = await runNode(`
      import { listLinks, NetlinkSocket, RTNLGRP_LINK, watchLinks } from '@sock/netlink';
      const idle = new NetlinkSocket({ groups: [RTNLGRP_LINK] });
      globalThis.kept = idle; // what is collected says so
      idle.notifications();
      const watcher = watchLinks();
      watcher.socket.unref();
      void watcher.next();
      const signal = new AbortController();
      const stopped = idle.notifications({ signal: signal.signal }).next().catch(() => 'stopped');
      signal.abort();
      console.log(await stopped, (await listLinks()).length > 0);
    `);
    expect(outcome).to.include({ code: 0, stdout: 'stopped true\n', stderr: '' });
  });

  itIf(probe('root'), 'without CAP_NET_ADMIN changes are EPERM, and the message says so', async () => {
    const outcome = await runNode(`
      import { addLink, setLinkSync } from '@sock/netlink';
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      await addLink({ kind: 'veth', name: 'never0' }).catch(({ code, message }) => console.log(code, message));
      try { setLinkSync('lo', { mtu: 1500 }); } catch ({ code }) { console.log(code); }
    `);
    expect(outcome.stderr).to.equal('');
    expect(outcome.stdout).to.match(/^EPERM RTM_NEWLINK EPERM never0: .*CAP_NET_ADMIN.*\nEPERM\n$/);
  });
});

describeIf([networks, veth], 'NetlinkSocket under load', function () {
  this.timeout(60_000);
  // room for an answer, and for some notifications
  const SMALL = 16_384;
  let namespace: Namespace;

  before(async () => {
    namespace = new Namespace();
  });

  after(async () => {
    namespace.close();
  });

  /** Makes more changes than a small buffer holds. */
  async function flood(socket: NetlinkSocket): Promise<void> {
    for (let i = 0; i < 60; i++) setLinkSync('flood0', { mtu: 1000 + i }, { socket });
  }

  beforeEach(async () => {
    using socket = namespace.open();
    await addLink({ kind: 'veth', name: 'flood0', peer: { name: 'flood1' } }, { socket });
  });

  afterEach(async () => {
    using socket = namespace.open();
    await deleteLink('flood0', { socket });
  });

  it('an overflow is ENOBUFS once, in its place, and notifications go on', async () => {
    using socket = namespace.open();
    using other = namespace.open();
    socket.setOption(soRcvBuf, SMALL);
    socket.join(RTNLGRP_LINK);
    const notifications = socket.notifications();
    await flood(other);
    expect(await rejection(within('the overflow', notifications.next()))).to.include({ code: 'ENOBUFS' });
    // what was there before it is whole
    setLinkSync('flood0', { mtu: 1400 }, { socket: other });
    const seen: (number | undefined)[] = [];
    while (seen.at(-1) !== 1499) {
      const { value } = await within('a notification', notifications.next());
      seen.push(unpackLink(value?.message as never)?.mtu);
      // room again, and a change that says so
      if (!socket.tryWaitReadable()) setLinkSync('flood0', { mtu: 1499 }, { socket: other });
      expect(seen.length).to.be.lessThan(200);
    }
    expect(seen.length).to.be.lessThan(60);
  });

  it('requests go on through an overflow of notifications, or say that their answer was lost', async () => {
    using socket = namespace.open();
    using other = namespace.open();
    socket.setOption(soRcvBuf, SMALL);
    socket.join(RTNLGRP_LINK);
    const notifications = socket.notifications();
    await flood(other);
    // the buffer is full: there is no room for the answer
    const error = await rejection(within('the request', getLink('flood0', { socket })));
    expect(error).to.include({ code: 'ENOBUFS', syscall: 'RTM_GETLINK' });
    expect(error.message).to.contain('may have had its effect');
    // and from then on there is
    for (let i = 0; i < 5; i++) expect((await within('a request', getLink('flood0', { socket }))).mtu).to.equal(1059);
    expect(await within('the list', listLinks({ socket }))).to.have.lengthOf(3);
    expect(await rejection(notifications.next())).to.include({ code: 'ENOBUFS' });
  });

  it('a request after an overflow that was told is answered, though nobody took what came before it', async () => {
    using socket = namespace.open();
    using other = namespace.open();
    socket.setOption(soRcvBuf, SMALL);
    socket.join(RTNLGRP_LINK);
    const notifications = socket.notifications();
    await flood(other);
    expect(await rejection(notifications.next())).to.include({ code: 'ENOBUFS' });
    for (let i = 0; i < 3; i++) expect((await within('a request', getLink('flood0', { socket }))).mtu).to.equal(1059);
    expect((await within('a list', listLinks({ socket }))).length).to.equal(3);
    expect((await within('a notification', notifications.next())).done).to.equal(false);
  });

  it('a list that changes meanwhile is told, and listed again', async () => {
    using socket = namespace.open();
    using other = namespace.open();
    for (let i = 0; i < 40; i++)
      await addLink({ kind: 'veth', name: `many${i}`, peer: { name: `more${i}` } }, { socket: other });
    try {
      const list = socket.dump(LINK);
      await list.next();
      await addLink({ kind: 'veth', name: 'late0', peer: { name: 'late1' } }, { socket: other });
      let error: unknown;
      let count = 1;
      try {
        for await (const _ of { [Symbol.asyncIterator]: () => list }) count++;
      } catch (reason) {
        error = reason;
      }
      expect(count).to.be.greaterThan(80);
      expect(error).to.include({ code: 'EINTR' });
      // the functions list again by themselves
      let going = true;
      const changes = (async () => {
        for (let i = 0; going; i++) {
          await setLink('late0', { name: i % 2 === 0 ? 'later' : 'late0' }, { socket: other }).catch(() => {});
          await deleteLink(i % 2 === 0 ? 'later' : 'late0', { socket: other });
          await addLink({ kind: 'veth', name: 'late0', peer: { name: 'late1' } }, { socket: other });
          if (i % 2 === 0) await setLink('late0', { alias: 'again' }, { socket: other });
          await turns(3);
          if (i % 2 === 0)
            await setLink('late0', { name: 'later' }, { socket: other }).then(() =>
              setLink('later', { name: 'late0' }, { socket: other }),
            );
        }
      })();
      for (let i = 0; i < 10; i++) {
        const names = (await listLinks({ socket })).map(({ name }) => name);
        expect(new Set(names).size).to.equal(names.length);
        expect(names).to.include.members(['lo', 'many0', 'more39']);
      }
      going = false;
      await changes;
    } finally {
      for (let i = 0; i < 40; i++) await deleteLink(`many${i}`, { socket: other });
      for (const { name } of await listLinks({ socket: other }))
        if (name === 'late0') await deleteLink('late0', { socket: other });
    }
  });

  it('a large list comes whole', async () => {
    using socket = namespace.open();
    await setLink('flood0', { up: true }, { socket });
    const batch = Array.from({ length: 3000 }, (_, i) => `route add 10.${i >> 8}.${i & 255}.0/24 dev flood0`).join(
      '\n',
    );
    await namespace.run('sh', '-c', 'printf "%s\\n" "$1" | ip -batch -', 'sh', batch);
    const routes = await within('the routes', listRoutes({ socket, family: AF_INET, table: 254 }), 20_000);
    expect(routes.length).to.equal(3000);
    expect(new Set(routes.map(({ destination }) => destination)).size).to.equal(3000);
  });
});
