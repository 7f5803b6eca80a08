import { AddressInfoError, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, soReuseAddr, soReusePort } from '@sock/core';
import {
  createConnection,
  createConnectionSync,
  createServer,
  createServerSync,
  hasDualstackIPv6,
  hasIPv6,
  inet,
  inet6,
  ipv6V6Only,
  type ServerOptions,
  TCP_LISTEN,
  tcpInfo,
  tcpNoDelay,
} from '@sock/inet';
import {
  describeIf,
  itIf,
  openDescriptors,
  probe,
  python,
  rejection,
  runPython,
  settled,
  thrown,
  within,
} from '@sock/testkit';
import { Network, networks } from '@sock/testkit/network';
import { expect } from 'chai';

/** Both forms, as promises. */
const forms = { promise: createServer, Sync: async (options?: ServerOptions) => createServerSync(options) };

for (const form of ['promise', 'Sync'] as const) {
  const serve = forms[form];

  describe(`createServer, ${form} form`, () => {
    itIf(networks, 'listens in another network namespace, where connections can be made to it', async () => {
      using network = new Network();
      const namespace = network.fd;
      using server = await serve({ host: '127.0.0.1', namespace });
      const { port } = server.getsockname();
      using client =
        form === 'Sync'
          ? createConnectionSync({ host: '127.0.0.1', port, namespace })
          : await createConnection({ host: '127.0.0.1', port, namespace });
      using accepted = (await server.accept()).socket;
      expect(accepted.getpeername()).to.deep.equal(client.getsockname());
      using here = await createServer({ host: '127.0.0.1', port });
      expect(here.getsockname().port).to.equal(port);
      expect(thrown(() => createServerSync({ namespace: -1 }))).to.include({ argument: 'options.namespace' });
      expect(await rejection(createConnection({ port, namespace: 0.5 }))).to.include({
        argument: 'options.namespace',
      });
    });

    it('listens on a free port of every IPv4 address, unless told', async () => {
      using server = await serve();
      expect(server.getsockname().host).to.equal('0.0.0.0');
      expect(server.getsockname().port).to.be.greaterThan(0);
      expect(server.getOption(tcpInfo).state).to.equal(TCP_LISTEN);
      expect(server.getOption(soReuseAddr)).to.equal(true);
      expect(server.getOption(soReusePort)).to.equal(false);
      expect(server.family).to.equal(inet);
    });

    it('listens on an address, or a name', async () => {
      for (const host of ['127.0.0.1', 'localhost']) {
        using server = await serve({ host, family: inet });
        expect(server.getsockname().host).to.equal('127.0.0.1');
      }
      using server = await serve({ host: 'localhost' });
      expect(server.getsockname().host).to.be.oneOf(['127.0.0.1', '::1']);
    });

    itIf(probe('AF_INET6'), 'listens on IPv6 alone', async () => {
      using server = await serve({ host: '::1' });
      expect(server.getsockname()).to.include({ host: '::1', scopeid: 0 });
      expect(server.getOption(ipv6V6Only)).to.equal(true);
      using any = await serve({ family: inet6 });
      expect(any.getsockname().host).to.equal('::');
      expect(any.getOption(ipv6V6Only)).to.equal(true);
    });

    itIf(probe('AF_INET6'), 'listens on both', async () => {
      using server = await serve({ dualStack: true });
      const { port } = server.getsockname();
      for (const [host, seen] of [
        ['127.0.0.1', '::ffff:127.0.0.1'],
        ['::1', '::1'],
      ] as const) {
        using client = await createConnection({ host, port });
        const { socket, address } = await within('accept', server.accept());
        expect(address).to.include({ host: seen, port: client.getsockname().port });
        socket.close();
      }
    });

    it('does not share its port, unless told', async () => {
      using server = await serve({ host: '127.0.0.1', reusePort: true });
      const { port } = server.getsockname();
      using other = await serve({ host: '127.0.0.1', port, reusePort: true });
      expect(other.getsockname().port).to.equal(port);
      const before = openDescriptors();
      expect(await rejection(serve({ host: '127.0.0.1', port }))).to.include({ code: 'EADDRINUSE', syscall: 'bind' });
      expect(await settled(before)).to.deep.equal([]);
    });

    it('leaves addresses as they are where told', async () => {
      using server = await serve({ host: '127.0.0.1', reuseAddress: false });
      expect(server.getsockopt(SOL_SOCKET, SO_REUSEADDR)).to.equal(0);
    });

    it('takes a backlog', async () => {
      using server = await serve({ host: '127.0.0.1', backlog: 7 });
      expect(server.getOption(tcpInfo).sacked).to.equal(7);
      using none = await serve({ host: '127.0.0.1', backlog: -1 });
      expect(none.getOption(tcpInfo).sacked).to.equal(0);
    });

    it('lets options be set before it is bound', async () => {
      let port: number | undefined;
      using server = await serve({
        host: '127.0.0.1',
        prepare(socket) {
          ({ port } = socket.getsockname());
          socket.setOption(tcpNoDelay, true);
        },
      });
      expect(port).to.equal(0);
      expect(server.getOption(tcpNoDelay)).to.equal(true);
    });

    it('fails where a name is unknown, or the address is not here', async () => {
      expect(await rejection(serve({ host: 'no such name' }))).to.be.instanceOf(AddressInfoError);
      expect(await rejection(serve({ host: '203.0.113.7' }))).to.include({ code: 'EADDRNOTAVAIL' });
    });

    const bad: [what: string, options: unknown, argument: string][] = [
      ['a port alone', 80, 'options'],
      ['null', null, 'options'],
      ['a host that is null', { host: null }, 'options.host'],
      ['a port that is negative', { port: -1 }, 'options.port'],
      ['another family', { family: {} }, 'options.family'],
      ['a backlog that is text', { backlog: '5' }, 'options.backlog'],
      ['reusePort that is a number', { reusePort: 1 }, 'options.reusePort'],
      ['reuseAddress that is null', { reuseAddress: 'yes' }, 'options.reuseAddress'],
      ['dualStack that is text', { dualStack: 'yes' }, 'options.dualStack'],
      ['dualStack with inet', { dualStack: true, family: inet }, 'options.family'],
      ['dualStack with an IPv4 address', { dualStack: true, host: '127.0.0.1' }, 'options.host'],
      ['a type that is text', { type: 'stream' }, 'options.type'],
      ['a negative protocol', { protocol: -1 }, 'options.protocol'],
      ['prepare that is no function', { prepare: 1 }, 'options.prepare'],
    ];
    for (const [what, options, argument] of bad) {
      it(`says that ${argument} is wrong: ${what}`, async () => {
        expect(await rejection(serve(options as never))).to.include({ argument });
      });
    }
  });
}

describe('a server', () => {
  it('gives connections one after the other, until it is closed', async () => {
    const server = await createServer({ host: '127.0.0.1' });
    const { port } = server.getsockname();
    const heard: string[] = [];
    const serving = (async () => {
      for await (const { socket, address } of server.connections()) {
        expect(inet.format(address)).to.match(/^127\.0\.0\.1:\d+$/);
        for await (const chunk of socket.chunks()) {
          heard.push(chunk.toString());
          await socket.sendAll(chunk);
        }
        socket.close();
      }
    })();
    for (const text of ['one', 'two', 'three']) {
      using client = await createConnection({ host: '127.0.0.1', port });
      await client.sendAll(text);
      expect((await client.recv(10)).toString()).to.equal(text);
    }
    server.close();
    await within('the end of the iteration', serving);
    expect(heard).to.deep.equal(['one', 'two', 'three']);
  });

  it('is closed by the end of its block', async () => {
    let fd = -1;
    {
      await using server = await createServer({ host: '127.0.0.1' });
      fd = server.fileno();
      expect(openDescriptors().has(fd)).to.equal(true);
    }
    expect(openDescriptors().get(fd) ?? '').to.not.include('socket:');
  });

  it('is a Socket', async () => {
    await using server = await createServer({ host: '127.0.0.1' });
    expect(server).to.be.instanceOf(Socket);
    expect(server.type).to.equal(SOCK_STREAM);
  });
});

describeIf(python, 'what Python says', () => {
  it('of IPv6 and of dual stacks', async () => {
    const [has, dual] = (await runPython('import socket; print(socket.has_ipv6, socket.has_dualstack_ipv6())'))
      .trim()
      .split(' ');
    expect(hasDualstackIPv6()).to.equal(dual === 'True');
    // Python says what it was compiled for
    if (has === 'False') expect(hasIPv6()).to.equal(false);
    if (hasDualstackIPv6()) expect(hasIPv6()).to.equal(true);
  });
});
