import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  soKeepAlive,
  soRcvBuf,
  soReuseAddr,
  soType,
} from '@sock/core';
import { isOpen, rejection, takeWarnings, tempPath, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { inet, inet6, pair, tcpPair, tcpServer } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { CLIENT, SERVER } from './support/tls.js';

describe('borrow', () => {
  const stack = new Cleanup();
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    stack[Symbol.dispose]();
    for (const close of closers.splice(0)) close();
    await turns(5);
  });

  async function connection(
    options: net.ServerOpts = {},
  ): Promise<{ server: net.Server; client: net.Socket; peer: net.Socket }> {
    const server = net.createServer(options).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [net.Socket];
    if (client.connecting) await once(client, 'connect');
    closers.push(
      () => server.close(),
      () => client.destroy(),
      () => peer.destroy(),
    );
    return { server, client, peer };
  }

  it('a net.Socket: options and names', async () => {
    const { client, server, peer } = await connection();
    const view = stack.use(Socket.borrow(client, inet));
    expect([view.domain, view.type, view.family]).to.deep.equal([AF_INET, SOCK_STREAM, inet]);
    expect(view.getpeername()).to.deep.equal({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port });
    expect(view.getOption(soKeepAlive)).to.equal(false);
    client.setKeepAlive(true);
    expect(view.getOption(soKeepAlive)).to.equal(true);
    view.setOption(soRcvBuf, 50_000);
    expect(view.getOption(soRcvBuf)).to.equal(100_000);
    view.close();
    expect(view.closed).to.equal(true);
    peer.write('still open');
    expect(String((await once(client, 'data'))[0])).to.equal('still open');
  });

  it('a net.Server, a unix server, a dgram.Socket of either family', async () => {
    const { server } = await connection();
    expect(stack.use(Socket.borrow(server, inet)).getOption(soReuseAddr)).to.equal(true);
    const local = net.createServer().listen(tempPath('.sock'));
    await once(local, 'listening');
    closers.push(() => local.close());
    expect(stack.use(Socket.borrow(local)).domain).to.equal(AF_UNIX);
    for (const [kind, family, domain] of [
      ['udp4', inet, AF_INET],
      ['udp6', inet6, AF_INET6],
    ] as const) {
      const datagrams = dgram.createSocket(kind).bind(0);
      await once(datagrams, 'listening');
      closers.push(() => datagrams.close());
      const view = stack.use(Socket.borrow(datagrams, family));
      expect([view.domain, view.type]).to.deep.equal([domain, SOCK_DGRAM]);
      expect(view.getsockname().port).to.equal(datagrams.address().port);
      view.close();
      expect(datagrams.address().port).to.be.greaterThan(0);
    }
  });

  it('a tls.TLSSocket, over a connection of its own or over one that exists', async () => {
    const server = tls.createServer(SERVER).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const accepted = once(server, 'secureConnection');
    const own = tls.connect({ port, host: '127.0.0.1', ...CLIENT });
    await once(own, 'secureConnect');
    const [peer] = (await accepted) as [tls.TLSSocket];
    const beneath = net.connect(port, '127.0.0.1');
    const over = tls.connect({ socket: beneath, ...CLIENT });
    await once(over, 'secureConnect');
    closers.push(
      () => own.destroy(),
      () => peer.destroy(),
      () => over.destroy(),
    );
    for (const socket of [own, peer, over]) {
      expect(stack.use(Socket.borrow(socket, inet)).getOption(soType)).to.equal(SOCK_STREAM);
    }
  });

  it('the view is closed when the owner closes the socket', async () => {
    const { client, peer } = await connection();
    const view = stack.use(Socket.borrow(client, inet));
    const pending = rejection(view.waitReadable());
    await turns(2);
    const fd = view.fileno();
    client.destroy();
    expect((await within('waitReadable', pending)).code).to.be.oneOf(['EBADF', 'ECANCELED']);
    expect([view.closed, view.fileno(), isOpen(fd)]).to.deep.equal([true, -1, false]);
    expect(thrown(() => view.getOption(soType))).to.include({ code: 'EBADF' });
    peer.destroy();
  });

  it('refuses what has no descriptor', async () => {
    const cases: unknown[] = [
      new net.Socket(),
      net.createServer(),
      dgram.createSocket('udp4'),
      new Duplex(),
      {},
      null,
      undefined,
      7,
      'socket',
    ];
    const { client } = await connection();
    client.destroy();
    cases.push(client);
    closers.push(() => (cases[2] as dgram.Socket).close());
    for (const owner of cases) {
      expect(thrown(() => Socket.borrow(owner as never))).to.include({
        code: 'ERR_INVALID_ARG_TYPE',
        argument: 'owner',
      });
    }
  });

  it('waiting on the view does not take the place of the owner in the loop', async () => {
    const { client, peer } = await connection({ pauseOnConnect: true });
    const view = stack.use(Socket.borrow(peer, inet));
    const readable = view.waitReadable();
    await turns(2);
    client.write('first');
    await within('waitReadable', readable);
    const data = once(peer, 'data');
    peer.resume();
    expect(String((await within('data of the owner', data))[0])).to.equal('first');
    client.write('second');
    expect(String((await within('more data', once(peer, 'data')))[0])).to.equal('second');
    view.close();
    client.write('third');
    expect(String((await within('data after the view', once(peer, 'data')))[0])).to.equal('third');
  });

  it('works while the owner is being read from, too', async () => {
    const { client, peer } = await connection();
    peer.resume();
    const view = stack.use(Socket.borrow(peer, inet));
    await within('waitWritable', view.waitWritable());
    await view.sendAll('past the owner');
    expect(String((await once(client, 'data'))[0])).to.equal('past the owner');
  });

  it('many views of one owner leave no listeners behind', async () => {
    const { client } = await connection();
    const before = client.listenerCount('close');
    for (let i = 0; i < 30; i++) Socket.borrow(client, inet).close();
    expect(client.listenerCount('close')).to.equal(before);
    await turns(2);
    expect(takeWarnings()).to.deep.equal([]);
  });
});

describe('toNetSocket', () => {
  const stack = new Cleanup();
  afterEach(async () => {
    stack[Symbol.dispose]();
    await turns(5);
  });

  for (const [name, make] of [
    ['unix', pair],
    ['TCP', tcpPair],
  ] as const) {
    it(`hands a ${name} stream over to node:net`, async () => {
      const [a, b] = make() as [Socket<unknown>, Socket<unknown>];
      stack.use(b);
      const pending = rejection(a.recv(1));
      await turns(2);
      const socket = a.toNetSocket();
      expect(socket).to.be.instanceOf(net.Socket);
      expect(a.closed).to.equal(true);
      expect((await pending).code).to.equal('ECANCELED');
      socket.write('to the peer');
      expect(String(await within('recv', b.recv(100)))).to.equal('to the peer');
      b.sendSync('from the peer');
      expect(String((await once(socket, 'data'))[0])).to.equal('from the peer');
      socket.end('bye');
      expect(String(await b.recv(100))).to.equal('bye');
      expect((await b.recv(100)).length).to.equal(0);
      b.close();
      await within('close', once(socket, 'close'));
    });
  }

  it('refuses what node:net has no stream of, which stays as it was', () => {
    for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
      const [a, b] = pair(type);
      stack.use(b);
      expect(thrown(() => stack.use(a).toNetSocket())).to.include({
        argument: 'socket.type',
        code: 'ERR_OUT_OF_RANGE',
      });
      a.sendSync('x');
      expect(String(b.recvSync(1))).to.equal('x');
    }
    const [a, b] = pair();
    stack.use(b);
    // a stream of a family that libuv does not know
    Object.defineProperty(stack.use(a), 'domain', { value: 40 });
    expect(thrown(() => a.toNetSocket())).to.include({ argument: 'socket.domain' });
    expect(a.closed).to.equal(false);
  });

  it('what is handed over belongs to node:net, whatever it is', () => {
    const server = stack.use(tcpServer());
    const fd = server.fileno();
    server.toNetSocket().destroy();
    expect([server.closed, isOpen(fd)]).to.deep.equal([true, false]);
  });
});
