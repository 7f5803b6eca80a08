import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { SHUT_WR, SOCK_DGRAM, Socket } from '@sock/core';
import {
  createConnection,
  createServer,
  type InetAddress,
  type InetInput,
  inet,
  inet6,
  tcpInfo,
  tcpNoDelay,
} from '@sock/inet';
import { describeIf, freeTcpPort, freeUdpPort, itIf, pattern, probe, sha256, startSocat, within } from '@sock/testkit';
import { expect } from 'chai';

const HOSTS = [
  ['127.0.0.1', []],
  ['::1', probe('AF_INET6')],
] as const;

/** A server of node:net that answers with what it is told, in capitals. */
async function shouting(host: string): Promise<net.Server> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
    socket.on('end', () => socket.end());
  });
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

async function close(server: net.Server | http.Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

for (const [host, needs] of HOSTS) {
  describeIf(needs, `node:net on ${host}`, () => {
    it('answers our clients', async () => {
      const server = await shouting(host);
      using socket = await createConnection({ host, port: portOf(server) });
      await socket.sendAll('hello');
      expect((await socket.recv(10)).toString()).to.equal('HELLO');
      socket.shutdown(SHUT_WR);
      expect((await within('the end', socket.recv(10))).length).to.equal(0);
      socket.close();
      await close(server);
    });

    it('is answered by our servers', async () => {
      using server = await createServer({ host });
      const client = net.connect(server.getsockname().port, host);
      const { socket, address } = await within('accept', server.accept());
      expect(address).to.include({ host, port: client.localPort });
      client.end('what is sent before the end');
      const chunks: Buffer[] = [];
      for await (const chunk of socket.chunks()) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).to.equal('what is sent before the end');
      socket.close();
      await once(client.resume(), 'close');
    });

    it('gets megabytes whole, and gives them back', async () => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      server.listen(0, host);
      await once(server, 'listening');
      using socket = await createConnection({ host, port: portOf(server) });
      const data = pattern(3_000_000);
      const received: Buffer[] = [];
      const receiving = (async () => {
        for await (const chunk of socket.chunks()) received.push(chunk);
      })();
      await socket.sendAll(data);
      socket.shutdown(SHUT_WR);
      await within('the echo', receiving, 20_000);
      expect(sha256(...received)).to.equal(sha256(data));
      socket.close();
      await close(server);
    });

    it('takes our sockets over', async () => {
      const server = await shouting(host);
      const socket = await createConnection({ host, port: portOf(server) });
      const owned = socket.toNetSocket();
      expect(socket.closed).to.equal(true);
      expect(owned).to.be.instanceOf(net.Socket);
      owned.write('mine now');
      const [data] = await once(owned, 'data');
      expect(String(data)).to.equal('MINE NOW');
      owned.destroy();
      await once(owned, 'close');
      await close(server);
    });

    it('lends us its sockets', async () => {
      const server = await shouting(host);
      const owned = net.connect(portOf(server), host);
      await once(owned, 'connect');
      const view = Socket.borrow(owned, host === '::1' ? inet6 : inet);
      view.setOption(tcpNoDelay, true);
      expect(view.getOption(tcpNoDelay)).to.equal(true);
      expect(view.getOption(tcpInfo).rtt).to.be.a('number');
      expect(view.getpeername()).to.include({ host, port: portOf(server) });
      view.close();
      owned.end('still mine');
      const [data] = await once(owned, 'data');
      expect(String(data)).to.equal('STILL MINE');
      await once(owned.resume(), 'close');
      await close(server);
    });
  });

  describeIf(needs, `node:dgram on ${host}`, () => {
    const ipv6 = host === '::1';
    const family = ipv6 ? inet6 : inet;

    it('exchanges datagrams with us', async () => {
      const theirs = dgram.createSocket(ipv6 ? 'udp6' : 'udp4');
      theirs.bind(0, host);
      await once(theirs, 'listening');
      using ours = new Socket<InetAddress, InetInput>(family, SOCK_DGRAM);
      await ours.bind({ host });
      const arrived = once(theirs, 'message');
      await ours.sendTo('to node', { host, port: theirs.address().port });
      const [data, from] = await arrived;
      expect(String(data)).to.equal('to node');
      expect(from).to.include({ address: host, port: ours.getsockname().port });
      theirs.send('from node', from.port, from.address);
      const answer = await within('recvFrom', ours.recvFrom(100));
      expect(answer.data.toString()).to.equal('from node');
      expect(answer.address).to.include({ host, port: theirs.address().port });
      theirs.close();
      await once(theirs, 'close');
    });

    it('lends us its sockets', async () => {
      const theirs = dgram.createSocket(ipv6 ? 'udp6' : 'udp4');
      theirs.bind(0, host);
      await once(theirs, 'listening');
      const view = Socket.borrow<InetAddress, InetInput>(theirs, family);
      expect(view.getsockname()).to.include({ host, port: theirs.address().port });
      view.close();
      theirs.close();
      await once(theirs, 'close');
    });
  });
}

/** Two ends of a TCP connection, as duplexes. */
async function duplexes() {
  using server = await createServer({ host: '127.0.0.1' });
  const client = await createConnection({ host: '127.0.0.1', port: server.getsockname().port });
  const { socket } = await server.accept();
  return { client: client.duplex(), server: socket.duplex() };
}

describe('node:tls over a duplex', () => {
  // a key that both know stands for certificates
  const psk = Buffer.from('a key that both ends know');
  const shared = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const;

  it('carries data both ways', async () => {
    const ends = await duplexes();
    const server = new tls.TLSSocket(ends.server as unknown as net.Socket, {
      ...shared,
      isServer: true,
      ...({ pskCallback: () => psk } as object),
    });
    const client = tls.connect({
      ...shared,
      socket: ends.client as unknown as net.Socket,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
    });
    await within('the handshake', once(client, 'secureConnect'));
    const data = pattern(300_000);
    const received: Buffer[] = [];
    server.on('data', (chunk: Buffer) => received.push(chunk));
    client.end(data);
    await within('the end', once(server, 'end'));
    expect(sha256(...received)).to.equal(sha256(data));
    server.end('and back');
    expect(await within('the answer', text(client))).to.equal('and back');
    ends.client.destroy();
    ends.server.destroy();
  });
});

describe('node:http over a duplex', () => {
  it('serves connections that we accepted', async () => {
    const server = http.createServer(async (request, response) => {
      response.end(`${request.method} ${request.url} ${await text(request)}`);
    });
    await using listener = await createServer({ host: '127.0.0.1' });
    const { port } = listener.getsockname();
    const accepting = listener.accept().then(({ socket }) => server.emit('connection', socket.duplex()));
    const response = await fetch(`http://127.0.0.1:${port}/path`, {
      method: 'POST',
      body: 'body',
      headers: { connection: 'close' },
    });
    expect(await response.text()).to.equal('POST /path body');
    await accepting;
    server.closeAllConnections();
  });

  it('makes requests over connections that we made', async () => {
    const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const duplex = (await createConnection({ host: '127.0.0.1', port: portOf(server) })).duplex();
    const request = http.get({
      path: '/over-a-duplex',
      headers: { connection: 'close' },
      createConnection: () => duplex as unknown as net.Socket,
    });
    const [response] = (await within('the response', once(request, 'response'))) as [http.IncomingMessage];
    expect(await text(response)).to.equal('you asked for /over-a-duplex');
    await close(server);
    duplex.destroy();
    expect(duplex.socket.closed).to.equal(true);
  });
});

describeIf(probe('command:socat'), 'socat', () => {
  for (const [host, needs] of HOSTS) {
    const version = host === '::1' ? '6' : '4';
    const target = host === '::1' ? `[${host}]` : host;

    itIf(needs, `echoes over TCP ${version}`, async () => {
      const port = await freeTcpPort(host);
      await using child = startSocat([`TCP${version}-LISTEN:${port},bind=${target},reuseaddr`, 'EXEC:cat'], {
        input: '',
      });
      // socat says nothing when it listens
      for (;;) {
        try {
          using socket = await createConnection({ host, port });
          await socket.sendAll('to socat');
          expect((await within('the echo', socket.recv(20))).toString()).to.equal('to socat');
          break;
        } catch (error) {
          expect(error).to.include({ code: 'ECONNREFUSED' });
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
      await child.outcome;
    });

    itIf(needs, `connects over TCP ${version}`, async () => {
      using server = await createServer({ host });
      const { port } = server.getsockname();
      await using child = startSocat(['-', `TCP${version}:${target}:${port}`], { input: 'from socat' });
      const { socket } = await within('accept', server.accept());
      expect((await socket.recv(20)).toString()).to.equal('from socat');
      await socket.sendAll('back to socat');
      socket.close();
      expect((await child.outcome).stdout).to.equal('back to socat');
    });

    itIf(needs, `exchanges datagrams over UDP ${version}`, async () => {
      const port = await freeUdpPort(host);
      using socket = new Socket<InetAddress, InetInput>(host === '::1' ? inet6 : inet, SOCK_DGRAM);
      await socket.bind({ host });
      const peer = `UDP${version}-DATAGRAM:${target}:${socket.getsockname().port},bind=${target}:${port}`;
      await using child = startSocat(['-', peer], {});
      child.write('from socat');
      const { data, address } = await within('recvFrom', socket.recvFrom(20));
      expect(data.toString()).to.equal('from socat');
      expect(address).to.include({ host, port });
      await socket.sendTo('back to socat\n', { host, port });
      expect(await within('the answer', child.line())).to.equal('back to socat');
    });
  }
});
