import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import net from 'node:net';
import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
} from '@sock/core';
import {
  type InetSocket,
  listInetSockets,
  listInetSocketsSync,
  listUnixSockets,
  listUnixSocketsSync,
  NETLINK_SOCK_DIAG,
  type NetlinkSocket,
  type UnixSocketInfo,
} from '@sock/netlink';
import { type Child, capability, describeIf, itIf, probe, rejection, tempPath, thrown, unique } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { atOnce, Namespace } from './namespace.js';

const inetDiag = capability({ name: 'tcp_diag', remedy: 'modprobe tcp_diag', probe: () => listInetSocketsSync() });
const udpDiag = capability({
  name: 'udp_diag',
  remedy: 'modprobe udp_diag',
  probe: () => listInetSocketsSync({ protocol: 'udp' }),
});
const unixDiag = capability({ name: 'unix_diag', remedy: 'modprobe unix_diag', probe: () => listUnixSocketsSync() });
const ss = probe('command:ss');

/** States as ss(8) has them. */
const STATES: Record<string, string> = {
  established: 'ESTAB',
  'syn-sent': 'SYN-SENT',
  'syn-received': 'SYN-RECV',
  'fin-wait-1': 'FIN-WAIT-1',
  'fin-wait-2': 'FIN-WAIT-2',
  'time-wait': 'TIME-WAIT',
  closed: 'UNCONN',
  'close-wait': 'CLOSE-WAIT',
  'last-ack': 'LAST-ACK',
  listening: 'LISTEN',
  closing: 'CLOSING',
};

describeIf([networks, inetDiag, ss], 'sockets of AF_INET, beside ss(8)', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;
  let program: Child;

  before(async () => {
    namespace = new Namespace();
    socket = namespace.open(NETLINK_SOCK_DIAG);
    program = namespace.start(
      process.execPath,
      '--input-type=module',
      '--eval',
      `
        import net from 'node:net';
        import dgram from 'node:dgram';
        import { once } from 'node:events';
        const server = net.createServer({ pauseOnConnect: true }).listen({ port: 7001, host: '127.0.0.1', backlog: 9 });
        const any = net.createServer().listen(7002, '::');
        await Promise.all([once(server, 'listening'), once(any, 'listening')]);
        const client = net.connect(7001, '127.0.0.1');
        await once(client, 'connect');
        client.write('four');
        const client6 = net.connect(7002, '::1');
        await once(client6, 'connect');
        const mapped = net.connect(7002, '127.0.0.1');
        await once(mapped, 'connect');
        net.connect(7002, '127.0.0.1').end();
        const udp = dgram.createSocket('udp4').bind(7003, '127.0.0.1');
        const udp6 = dgram.createSocket({ type: 'udp6', ipv6Only: true }).bind(7004, '::1');
        await Promise.all([once(udp, 'listening'), once(udp6, 'listening')]);
        udp.connect(7005, '127.0.0.1');
        setTimeout(() => console.log('ready'), 100);
      `,
    );
    await program.says('ready');
  });

  after(async () => {
    await program[Symbol.asyncDispose]();
    socket.close();
    namespace.close();
  });

  const endpoint = ({ host, port }: { host: string; port: number }, { v6Only, family }: InetSocket): string => {
    const any = host === '::' && v6Only !== true ? '*' : host;
    return `${family === AF_INET6 && any !== '*' ? `[${any}]` : any}:${port === 0 ? '*' : port}`;
  };

  const asSs = (one: InetSocket): string =>
    [
      STATES[one.state],
      one.receiveQueue,
      one.sendQueue,
      endpoint(one.local, one),
      endpoint(one.peer, one),
      `ino:${one.inode}`,
    ].join(' ');

  function fromSs(stdout: string): string[] {
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [state, receive, send, local, peer] = line.trim().split(/\s+/);
        return [state, receive, send, local, peer, `ino:${/ino:(\d+)/.exec(line)?.[1] ?? 0}`].join(' ');
      });
  }

  async function compare(protocol: 'tcp' | 'udp', flag: string): Promise<InetSocket[]> {
    const steady = async () =>
      (await listInetSockets({ socket, protocol })).map(({ attributes, tcpInfo, timer, ...one }) => one);
    const [ours, theirs] = await atOnce(steady, () => namespace.run('ss', '-Hane', flag));
    expect(ours.map((one) => asSs(one as InetSocket)).sort()).to.deep.equal(fromSs(theirs).sort());
    return listInetSocketsSync({ socket, protocol });
  }

  it('of TCP', async () => {
    const all = await compare('tcp', '-t');
    const listener = all.find(({ state, local }) => state === 'listening' && local.port === 7001);
    expect(listener).to.deep.include({
      family: AF_INET,
      protocol: 6,
      local: { host: '127.0.0.1', port: 7001 },
      sendQueue: 9,
    });
    const server = all.find(({ state, local }) => state === 'established' && local.port === 7001);
    const client = all.find(({ state, peer }) => state === 'established' && peer.port === 7001);
    expect(server).to.include({ receiveQueue: 4, uid: 0 });
    expect(server?.peer).to.deep.equal(client?.local);
    expect(client?.inode).to.be.greaterThan(0);
    expect(client?.cookie).to.be.a('bigint').that.is.not.equal(server?.cookie);
    expect(client?.congestion).to.be.a('string').that.is.not.empty;
    expect(client?.tcpInfo?.length).to.be.greaterThan(100);
    expect(client?.memory).to.include.all.keys('receiveBuffer', 'sendBuffer', 'drops');
    expect(client?.timer.kind).to.be.a('string');
    expect(client).to.include({ index: 0, tos: 0 }).and.not.have.property('interface');
    expect(all.some(({ family, peer }) => family === AF_INET6 && peer.host === '::1')).to.equal(true);
    expect(all.some(({ local }) => local.host === '::ffff:127.0.0.1')).to.equal(true);
    const dual = all.find(({ state, local }) => state === 'listening' && local.port === 7002);
    expect(dual).to.include({ family: AF_INET6, v6Only: false });
  });

  itIf(udpDiag, 'of UDP', async () => {
    const all = await compare('udp', '-u');
    const bound = all.find(({ local }) => local.port === 7003);
    expect(bound).to.deep.include({
      family: AF_INET,
      protocol: 17,
      state: 'established',
      peer: { host: '127.0.0.1', port: 7005 },
    });
    expect(all.find(({ local }) => local.port === 7004)).to.include({ state: 'closed', v6Only: true });
  });

  it('lists are narrowed by protocol, family and state', async () => {
    const listeners = await listInetSockets({ socket, states: ['listening'] });
    // the kernel may have some of its own
    const ours = ({ local }: InetSocket) => local.port === 7001 || local.port === 7002;
    expect(
      listeners
        .filter(ours)
        .map(({ local }) => local.port)
        .sort(),
    ).to.deep.equal([7001, 7002]);
    expect(listeners.every(({ state }) => state === 'listening')).to.equal(true);
    expect(
      listInetSocketsSync({ socket, states: ['listening'], family: AF_INET })
        .filter(ours)
        .map(({ local }) => local.port),
    ).to.deep.equal([7001]);
    expect(
      (await listInetSockets({ socket, protocol: 6, states: ['established', 'close-wait'] })).length,
    ).to.be.greaterThan(3);
    expect(listInetSocketsSync({ socket, states: [] })).to.deep.equal([]);
  });

  it('what it is given is checked, and what the kernel lacks is named', async () => {
    for (const [options, argument] of [
      [{ protocol: 'tpc' }, 'options.protocol'],
      [{ protocol: {} }, 'options.protocol'],
      [{ protocol: -1 }, 'options.protocol'],
      [{ family: AF_UNIX }, 'options.family'],
      [{ states: 'listening' }, 'options.states'],
      [{ states: ['listening', 'sleeping'] }, 'options.states[1]'],
    ] as const) {
      expect(await rejection(listInetSockets({ socket, ...options } as never))).to.include({ argument });
      expect(thrown(() => listInetSocketsSync({ socket, ...options } as never))).to.include({ argument });
    }
    const error = await rejection(listInetSockets({ socket, protocol: 200 }));
    expect(error).to.include({ code: 'ENOENT', syscall: 'SOCK_DIAG_BY_FAMILY' });
    expect(error.message).to.contain('load the module inet_diag');
  });
});

describeIf(inetDiag, 'sockets of this process', () => {
  it('are found by their inodes', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const fd = (server as unknown as { _handle: { fd: number } })._handle.fd;
    const found = (await listInetSockets({ states: ['listening'] })).find(({ local }) => local.port === port);
    expect(found?.inode).to.equal(fstatSync(fd).ino);
    server.close();
    await once(server, 'close');
  });
});

describeIf(unixDiag, 'sockets of AF_UNIX', () => {
  const unix: AddressFamily<string> = {
    name: 'unix',
    domain: AF_UNIX,
    encode(input, into) {
      into.set(Buffer.from(input), 2);
      return 2 + Buffer.byteLength(input);
    },
    decode: () => '',
    format: (address) => address,
  };

  const bound = (type: number, name: string): Socket<string> => {
    const socket = new Socket(unix, type);
    socket.bindSync(name);
    return socket;
  };

  const inodeOf = (socket: Socket<string>): number => fstatSync(socket.fileno()).ino;

  it('are told with names, peers, states and queues', async () => {
    const path = tempPath('.sock');
    const abstract = `\0sock-diag-${unique()}`;
    using listener = bound(SOCK_STREAM, path);
    listener.listen(7);
    using datagrams = bound(SOCK_DGRAM, abstract);
    const [a, b] = Socket.pair(unix, SOCK_SEQPACKET);
    a.sendSync('seven..');
    using waiting = new Socket(unix, SOCK_STREAM);
    waiting.connectSync(path);
    try {
      for (const all of [await listUnixSockets(), listUnixSocketsSync()]) {
        const of = (socket: Socket<string>): UnixSocketInfo | undefined =>
          all.find(({ inode }) => inode === inodeOf(socket));
        expect(of(listener)).to.include({
          type: SOCK_STREAM,
          state: 'listening',
          name: path,
          receiveQueue: 1,
          sendQueue: 7,
        });
        expect(of(listener)?.pending).to.have.lengthOf(1);
        expect(of(listener)?.file?.inode).to.be.greaterThan(0);
        expect(of(datagrams)).to.include({ type: SOCK_DGRAM, state: 'closed' });
        expect(String(of(datagrams)?.name)).to.equal(abstract);
        expect(of(a)).to.include({
          type: SOCK_SEQPACKET,
          state: 'established',
          name: '',
          peer: inodeOf(b),
          shutdown: 0,
        });
        expect(of(b)).to.include({ peer: inodeOf(a), receiveQueue: 7 });
        expect(of(b)?.memory?.receiveBuffer).to.be.greaterThan(0);
        expect(of(b)?.cookie).to.be.a('bigint');
        // Linux 5.3
        if (of(b)?.uid !== undefined) expect(of(b)?.uid).to.equal(process.getuid?.());
      }
      const listening = await listUnixSockets({ states: ['listening'] });
      expect(listening.every(({ state }) => state === 'listening')).to.equal(true);
      expect(listening.some(({ inode }) => inode === inodeOf(listener))).to.equal(true);
    } finally {
      a.close();
      b.close();
    }
    expect(thrown(() => listUnixSocketsSync({ states: [5 as never] }))).to.include({ argument: 'options.states[0]' });
  });

  itIf([networks, ss], 'are those of ss -x', async () => {
    const namespace = new Namespace();
    const socket = namespace.open(NETLINK_SOCK_DIAG);
    const program = namespace.start(
      process.execPath,
      '--input-type=module',
      '--eval',
      `
        import net from 'node:net';
        import { once } from 'node:events';
        const server = net.createServer().listen('\\0sock-ss');
        await once(server, 'listening');
        const client = net.connect('\\0sock-ss');
        await once(client, 'connect');
        setTimeout(() => console.log('ready'), 50);
      `,
    );
    try {
      await program.says('ready');
      const [ours, theirs] = await atOnce(
        async () =>
          (await listUnixSockets({ socket })).map(({ state, inode, peer = 0, receiveQueue, sendQueue }) =>
            [STATES[state], receiveQueue, sendQueue, inode, peer].join(' '),
          ),
        () => namespace.run('ss', '-Hxan'),
      );
      const expected = theirs
        .trim()
        .split('\n')
        .map((line) => {
          const [, state, receive, send, , inode, , peer] = line.trim().split(/\s+/);
          return [state, receive, send, inode, peer].join(' ');
        });
      expect(ours.sort()).to.deep.equal(expected.sort());
      expect(ours.length).to.be.greaterThan(2);
    } finally {
      await program[Symbol.asyncDispose]();
      socket.close();
      namespace.close();
    }
  });
});
