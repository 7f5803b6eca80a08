import { EncodedAddress, SO_ACCEPTCONN, SOL_SOCKET, Socket, SocketError, soError } from '@sock/core';
import { expect } from 'chai';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { failure, rejection, thrown } from './failures.js';
import { FORMS, invoke, perform } from './forms.js';

/** bind, listen, connect, accept: connections made in every form. */
export function connectTests<A, I>(bench: Bench<A, I>): void {
  describe('connecting', () => {
    if (bench.accepts) {
      acceptTests(bench);
      refusedTests(bench);
    }
    if (bench.hasAddresses) boundTests(bench);

    it('a pair is connected both ways', async () => {
      const [a, b] = await bench.pair();
      await a.send('to b');
      expect((await b.recv(16)).toString()).to.equal('to b');
      await b.send('to a');
      expect((await a.recv(16)).toString()).to.equal('to a');
    });

    it('a pair says what it is', async () => {
      const { family, type } = bench.traits;
      for (const socket of await bench.pair()) {
        expect(socket).to.be.instanceOf(Socket);
        expect(socket.family).to.equal(family);
        expect(socket.domain).to.equal(family.domain);
        expect(socket.type).to.equal(type);
        expect(socket.closed).to.equal(false);
        expect(socket.fileno()).to.be.at.least(0);
      }
    });
  });
}

function acceptTests<A, I>(bench: Bench<A, I>): void {
  const { family } = bench.traits;

  for (const form of FORMS) {
    it(`${form} forms: bind, connect, accept`, async () => {
      // without a backlog the connecting side waits for accept: only promises can do both in one thread
      if (form !== 'promise' && !bench.supports.backlog) return;
      const server = bench.open();
      const wanted = await bench.freshAddress();
      if (form === 'sync') server.bindSync(wanted);
      else await server.bind(wanted);
      server.listen();
      const client = bench.open();
      const address = bench.reach(server);
      const connecting = form === 'promise' ? client.connect(address) : undefined;
      if (form === 'sync') client.connectSync(address);
      else if (form === 'try') await tryConnect(client, address);
      const { socket, address: peer } = await perform(form, server, 'accept');
      bench.own(socket);
      await connecting;
      expect(peer, 'address of the client').to.deep.equal(bench.reach(client));
      expect(socket.getpeername()).to.deep.equal(bench.reach(client));
      expect(client.getpeername()).to.deep.equal(socket.getsockname());
      await client.send('hello');
      expect((await socket.recv(16)).toString()).to.equal('hello');
    });
  }

  it('an accepted socket is of the class, family, type and protocol of its server', async () => {
    class Special extends Socket<A, I> {
      special = true;
    }
    const { type, protocol } = bench.traits;
    const server = bench.own(new Special(family, type, protocol));
    await server.bind(await bench.freshAddress());
    server.listen();
    const client = bench.open();
    const connected = client.connect(bench.reach(server));
    const { socket } = await server.accept();
    bench.own(socket);
    await connected;
    expect(socket).to.be.instanceOf(Special);
    expect(socket.family).to.equal(family);
    expect([socket.domain, socket.type, socket.protocol]).to.deep.equal([server.domain, server.type, server.protocol]);
  });

  it('tryAccept gives null while nobody connects', async () => {
    const { server } = await bench.server();
    expect(server.tryAccept()).to.equal(null);
  });

  it('accept waits for a connection', async () => {
    const { server, address } = await bench.server();
    const accepting = server.accept();
    await turns(3);
    const client = bench.open();
    await client.connect(address);
    bench.own((await within('accept', accepting)).socket);
  });

  it('several accepts complete in order', async () => {
    const { server, address } = await bench.server();
    const order: number[] = [];
    const accepting = [0, 1, 2].map(async (number) => {
      const { socket, address: peer } = await server.accept();
      bench.own(socket);
      order.push(number);
      return peer;
    });
    const clients = [];
    for (let i = 0; i < 3; i++) {
      const client = bench.open();
      await client.connect(address);
      clients.push(bench.reach(client));
    }
    expect(await within('three accepts', Promise.all(accepting))).to.deep.equal(clients);
    expect(order).to.deep.equal([0, 1, 2]);
  });

  it('connectEx gives 0', async () => {
    const { server, address } = await bench.server();
    const client = bench.open();
    const connecting = client.connectEx(address);
    bench.own((await server.accept()).socket);
    expect(await connecting).to.equal(0);
    if (bench.supports.backlog) expect(bench.open().connectExSync(address)).to.equal(0);
  });

  it('takes an encoded address', async () => {
    const { server, address } = await bench.server();
    const client = bench.open();
    const encoded = client.encodeAddress(address);
    expect(encoded).to.be.instanceOf(EncodedAddress);
    const connecting = client.connect(encoded);
    const { socket } = await server.accept();
    bench.own(socket);
    await connecting;
    expect(client.getpeername()).to.deep.equal(socket.getsockname());
  });

  it('a second connect is EISCONN', async () => {
    const { server, address } = await bench.server();
    const client = bench.open();
    const connecting = client.connect(address);
    bench.own((await server.accept()).socket);
    await connecting;
    for (const form of ['promise', 'sync'] as const) {
      const error = await failure(form, client, 'connect', address);
      expect(error.code).to.equal('EISCONN');
    }
  });

  it('a listening socket says so', async () => {
    const { server } = await bench.server();
    expect(server.getsockopt(SOL_SOCKET, SO_ACCEPTCONN)).to.equal(1);
    expect(bench.open().getsockopt(SOL_SOCKET, SO_ACCEPTCONN)).to.equal(0);
  });

  it('a negative backlog is taken as 0', async () => {
    if (!bench.supports.zeroBacklog) return;
    const { socket, address } = await bench.bound();
    socket.listen(-1);
    const client = bench.open();
    const connecting = client.connect(address);
    bench.own((await socket.accept()).socket);
    await connecting;
  });

  it('recv and send on a socket that is not connected fail', async () => {
    if (!bench.supports.unconnected) return;
    const socket = bench.open();
    for (const form of FORMS) {
      for (const [operation, argument] of [
        ['recv', 1],
        ['send', 'x'],
      ] as const) {
        const error = await failure(form, socket, operation, argument);
        expect(error, `${form} ${operation}`).to.be.instanceOf(SocketError);
        expect(error.code).to.be.oneOf(['ENOTCONN', 'EPIPE', 'EINVAL', 'EDESTADDRREQ']);
      }
    }
  });
}

// the non-waiting form: null means that the kernel is at it, and the socket becomes writable when it is done
async function tryConnect<A, I>(client: Socket<A, I>, address: I): Promise<void> {
  if (client.tryConnect(address) !== null) return;
  await within('connecting', client.waitWritable());
  expect(client.getOption(soError)).to.equal(null);
}

function refusedTests<A, I>(bench: Bench<A, I>): void {
  const { refused, refusedCode = 'ECONNREFUSED', family } = bench.traits;
  if (refused === undefined) return;

  for (const form of ['promise', 'sync'] as const) {
    it(`${form} form: a refused connection says what was attempted on what`, async () => {
      const address = await refused();
      const error = await failure(form, bench.open(), 'connect', address);
      expect(error).to.be.instanceOf(SocketError);
      expect(error.code).to.equal(refusedCode);
      expect(error.errno).to.be.below(0);
      expect(error.syscall).to.equal('connect');
      expect(error.address).to.not.equal(undefined);
      expect(error.message).to.match(new RegExp(`^connect ${refusedCode}`));
      expect(error.message).to.include(family.format(error.address as A));
    });
  }

  it('try form: a refused connection fails at once or later', async () => {
    const client = bench.open();
    const address = await refused();
    let code: string | undefined;
    try {
      if (client.tryConnect(address) === null) {
        await within(
          'the refusal',
          client.waitWritable().catch(() => {}),
        );
        code = client.getOption(soError) ?? undefined;
      }
    } catch (error) {
      code = (error as SocketError).code;
    }
    expect(code).to.equal(refusedCode);
  });

  it('connectEx gives the positive errno of a refused connection', async () => {
    const error = await rejection(bench.open().connect(await refused()));
    expect(await bench.open().connectEx(await refused())).to.equal(-(error.errno ?? 0));
    expect(bench.open().connectExSync(await refused())).to.equal(-(error.errno ?? 0));
  });
}

function boundTests<A, I>(bench: Bench<A, I>): void {
  it('getsockname gives what was bound, and binding it again fails', async () => {
    const { socket } = await bench.bound();
    const name = socket.getsockname();
    expect(bench.traits.family.format(name)).to.be.a('string').that.is.not.empty;
    const other = bench.open();
    for (const form of ['promise', 'sync'] as const) {
      const error = await failure(form, other, 'bind', name);
      expect(error).to.be.instanceOf(SocketError);
      expect(error.code).to.be.oneOf(['EADDRINUSE', 'EINVAL', bench.traits.rebindCode]);
      expect(error.syscall).to.equal('bind');
    }
  });

  it('getpeername of a socket that is not connected is ENOTCONN', () => {
    const error = thrown(() => bench.open().getpeername());
    expect(error.code).to.equal('ENOTCONN');
    expect(error.syscall).to.equal('getpeername');
  });

  if (!bench.isDatagram) return;

  for (const form of FORMS) {
    it(`${form} form: a datagram socket connects to its peer`, async () => {
      const { socket: peer, address } = await bench.bound();
      const { socket } = await bench.bound();
      await invoke(form, socket, 'connect', address);
      if (bench.supports.connectedPeer) expect(socket.getpeername()).to.deep.equal(peer.getsockname());
      if (bench.supports.connectedSend) await socket.send('x');
      else await socket.sendTo('x', address);
      expect((await peer.recv(1)).toString()).to.equal('x');
    });
  }

  const { refused } = bench.traits;
  if (!bench.supports.refusedLater || refused === undefined) return;
  it('a refused datagram is reported by the next operation', async () => {
    const socket = bench.open();
    await socket.connect(await refused());
    await socket.send('x');
    const error = await rejection(within('the refusal', socket.recv(1)));
    expect(error.code).to.equal('ECONNREFUSED');
  });
}
