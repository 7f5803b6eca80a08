import { closeSync, openSync } from 'node:fs';
import { Socket, SocketError, UnknownAddress } from '@sock/core';
import { expect } from 'chai';
import { descriptorFlags, O_CLOEXEC, O_NONBLOCK } from '../descriptors.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { thrown } from './failures.js';

/** Who owns a descriptor: dup, detach, adopt, duplicate, disposal; and its flags. */
export function ownershipTests<A, I>(bench: Bench<A, I>): void {
  describe('ownership', () => {
    dupTests(bench);
    adoptTests(bench);
    flagTests(bench);
    disposalTests(bench);
  });
}

async function talks<A, I>(from: Socket<A, I>, to: Socket<A, I>, text: string): Promise<void> {
  await from.send(text);
  expect((await within('recv', to.recv(64))).toString()).to.equal(text);
}

function dupTests<A, I>(bench: Bench<A, I>): void {
  it('dup shares the connection, and each is closed on its own', async () => {
    const [a, b] = await bench.pair();
    a.timeout = 7000;
    const copy = bench.own(a.dup());
    expect(copy).to.be.instanceOf(Socket);
    expect(copy.fileno()).to.not.equal(a.fileno());
    expect([copy.type, copy.protocol, copy.domain]).to.deep.equal([a.type, a.protocol, a.domain]);
    expect([copy.family, copy.timeout]).to.deep.equal([a.family, 7000]);
    await talks(a, b, 'from the first');
    await talks(copy, b, 'from the copy');
    a.close();
    await talks(copy, b, 'from the copy again');
    await talks(b, copy, 'to the copy');
  });

  it('the connection ends with the last of them', async () => {
    if (!bench.supports.endOfFile) return;
    const [a, b] = await bench.pair();
    const copy = bench.own(a.dup());
    const receiving = b.recv(8);
    a.close();
    await turns(5);
    await copy.send('open');
    expect((await within('recv', receiving)).toString()).to.equal('open');
    copy.close();
    expect((await within('the end', b.recv(8))).length).to.equal(0);
  });

  it('duplicate leaves the descriptor to its owner', async () => {
    const [a, b] = await bench.pair();
    const copy = bench.own(Socket.duplicate(a.fileno(), bench.traits.family));
    expect(copy.fileno()).to.not.equal(a.fileno());
    expect(copy.type).to.equal(a.type);
    await talks(copy, b, 'from the copy');
    copy.close();
    await talks(a, b, 'from the first');
  });

  it('operations pending on a copy are its own', async () => {
    const [a, b] = await bench.pair();
    const copy = bench.own(a.dup());
    const pending = a.recv(8).catch((error: SocketError) => error.code);
    const other = copy.recv(8);
    await turns(2);
    a.close();
    expect(await within('the first', pending)).to.equal('ECANCELED');
    await b.send('x');
    expect((await within('the copy', other)).toString()).to.equal('x');
  });
}

function adoptTests<A, I>(bench: Bench<A, I>): void {
  const { family, type } = bench.traits;

  it('detach gives the descriptor up, adopt takes it', async () => {
    const [a, b] = await bench.pair();
    const { protocol, domain } = a;
    const fd = a.fileno();
    expect(a.detach()).to.equal(fd);
    expect(a.closed).to.equal(true);
    expect(a.fileno()).to.equal(-1);
    a.close();
    const adopted = bench.own(Socket.adopt(fd, family));
    expect(adopted.fileno()).to.equal(fd);
    expect([adopted.type, adopted.domain]).to.deep.equal([type, domain]);
    if (protocol !== 0) expect(adopted.protocol).to.equal(protocol);
    await talks(adopted, b, 'adopted');
    await talks(b, adopted, 'back');
    adopted.close();
    expect(() => descriptorFlags(fd)).to.throw();
  });

  it('adopt takes type and protocol from the caller, and a family from a function', async () => {
    const [a] = await bench.pair();
    const fd = a.detach();
    const adopted = bench.own(
      Socket.adopt(
        fd,
        (info) => {
          expect(info).to.include({ domain: family.domain, type });
          return family;
        },
        { protocol: 77 },
      ),
    );
    expect(adopted.family).to.equal(family);
    expect([adopted.type, adopted.protocol]).to.deep.equal([type, 77]);
  });

  it('without a family addresses are bytes', async () => {
    const [a, b] = await bench.pair();
    const fd = a.detach();
    const adopted = bench.own(Socket.adopt(fd));
    expect(adopted.domain).to.equal(family.domain);
    const name = adopted.getsockname() as unknown;
    expect(name).to.be.instanceOf(UnknownAddress);
    expect((name as UnknownAddress).domain).to.be.oneOf([...(family.addressDomains ?? [family.domain])]);
    await adopted.send('x');
    expect((await b.recv(8)).toString()).to.equal('x');
  });

  it('a descriptor has one owner', async () => {
    const [a, b] = await bench.pair();
    expect(thrown(() => Socket.adopt(a.fileno(), family))).to.be.instanceOf(SocketError);
    await talks(a, b, 'unharmed');
  });

  it('a family of another domain is refused, and the descriptor stays the caller’s', async () => {
    const [a, b] = await bench.pair();
    const fd = a.detach();
    const other = { ...family, domain: family.domain + 1 };
    for (const take of [() => Socket.adopt(fd, other), () => Socket.duplicate(fd, other)]) {
      const error = thrown(take);
      expect(error).to.be.instanceOf(RangeError);
      expect([error.code, error.argument]).to.deep.equal(['ERR_OUT_OF_RANGE', 'family']);
    }
    await talks(bench.own(Socket.adopt(fd, family)), b, 'unharmed');
  });

  it('what is no socket, or not open, is refused', () => {
    const file = openSync('/dev/null', 'r');
    try {
      for (const take of [() => Socket.adopt(file), () => Socket.duplicate(file), () => Socket.adopt(file, family)]) {
        expect(thrown(take)).to.be.instanceOf(SocketError).with.property('code', 'ENOTSOCK');
      }
      // still open, and not ours
      expect(descriptorFlags(file)).to.be.a('number');
    } finally {
      closeSync(file);
    }
    for (const take of [() => Socket.adopt(file), () => Socket.duplicate(file)]) {
      expect(thrown(take)).to.be.instanceOf(SocketError).with.property('code', 'EBADF');
    }
  });

  if (!bench.supports.netSocket) return;
  it('toNetSocket hands the connection to node:net, borrow lends it back', async () => {
    const [a, b] = await bench.pair();
    const net = a.toNetSocket();
    try {
      expect(a.closed).to.equal(true);
      net.write('from net');
      expect((await within('recv', b.recv(64))).toString()).to.equal('from net');
      const view = Socket.borrow(net, family);
      expect(view.type).to.equal(type);
      await view.send('through the view');
      expect((await within('recv', b.recv(64))).toString()).to.equal('through the view');
      view.close();
      const received = new Promise((resolve) => net.once('data', (data) => resolve(data.toString())));
      await b.send('still open');
      expect(await within('data', received)).to.equal('still open');
    } finally {
      net.destroy();
      await turns(3);
    }
  });
}

function flagTests<A, I>(bench: Bench<A, I>): void {
  it('every descriptor is close-on-exec and non-blocking, wherever it comes from', async () => {
    const [a, b] = await bench.pair();
    const sockets: [string, Socket<A, I>][] = [
      ['pair', a],
      ['other of the pair', b],
      ['dup', bench.own(a.dup())],
      ['duplicate', bench.own(Socket.duplicate<A, I>(a.fileno(), bench.traits.family))],
    ];
    if (bench.hasAddresses) sockets.push(['open', bench.open()]);
    if (bench.accepts) {
      const { server, address } = await bench.server();
      const client = bench.open();
      const connecting = client.connect(address);
      sockets.push(['accept', bench.own((await server.accept()).socket)]);
      await connecting;
    }
    for (const [what, socket] of sockets) {
      const flags = descriptorFlags(socket.fileno());
      expect(flags & O_CLOEXEC, what).to.equal(O_CLOEXEC);
      expect(flags & O_NONBLOCK, what).to.equal(O_NONBLOCK);
      expect(socket.inheritable, what).to.equal(false);
    }
  });

  it('inheritable clears and sets close-on-exec', async () => {
    const [a] = await bench.pair();
    a.inheritable = true;
    expect(a.inheritable).to.equal(true);
    expect(descriptorFlags(a.fileno()) & O_CLOEXEC).to.equal(0);
    a.inheritable = false;
    expect(a.inheritable).to.equal(false);
    expect(descriptorFlags(a.fileno()) & O_CLOEXEC).to.equal(O_CLOEXEC);
  });

  it('detach({ blocking: true }) makes it blocking for others', async () => {
    const [a, b] = await bench.pair();
    const first = a.detach({ blocking: true });
    const second = b.detach();
    expect(descriptorFlags(first) & O_NONBLOCK).to.equal(0);
    expect(descriptorFlags(second) & O_NONBLOCK).to.equal(O_NONBLOCK);
    const adopted = bench.own(Socket.adopt(first, bench.traits.family));
    expect(descriptorFlags(first) & O_NONBLOCK, 'adopted').to.equal(O_NONBLOCK);
    expect(adopted.tryRecv(8)).to.equal(null);
    closeSync(second);
  });
}

function disposalTests<A, I>(bench: Bench<A, I>): void {
  it('using closes at the end of the block', async () => {
    const [first, second] = await bench.pair();
    {
      using socket = first;
      expect(socket.closed).to.equal(false);
    }
    expect(first.closed).to.equal(true);
    {
      await using socket = second;
      expect(socket.closed).to.equal(false);
    }
    expect(second.closed).to.equal(true);
  });

  it('the descriptor is closed when close returns', async () => {
    const [a] = await bench.pair();
    const fd = a.fileno();
    const pending = a.recv(1).catch(() => {});
    a.close();
    expect(() => descriptorFlags(fd)).to.throw();
    await pending;
  });
}
