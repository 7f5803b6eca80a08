import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import {
  type AdoptInfo,
  AF_INET,
  AF_UNIX,
  close,
  dup,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  SocketHandle,
  setDefaultTimeout,
  UnknownAddress,
} from '@sock/core';
import { descriptorFlags, isOpen, O_CLOEXEC, O_NONBLOCK, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { freshName, inet, pair, tcpPair, tcpServer, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

class Special extends Socket<string> {
  constructor() {
    super(unix, SOCK_STREAM);
    throw new Error('never run for descriptors that exist');
  }

  get special(): boolean {
    return true;
  }
}

describe('ownership of descriptors', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  /** A descriptor that nobody owns. */
  function loose(type: number = SOCK_STREAM): [number, Socket<string>] {
    const [a, b] = pair(type);
    return [a.detach(), stack.use(b)];
  }

  describe('descriptors without a socket', () => {
    it('are duplicated, and closed', () => {
      const [fd, peer] = loose();
      const copy = dup(fd);
      expect(copy).to.not.equal(fd);
      expect(descriptorFlags(copy) & O_CLOEXEC).to.equal(O_CLOEXEC);
      close(fd);
      expect([isOpen(fd), isOpen(copy)]).to.deep.equal([false, true]);
      expect(peer.tryRecv(1)).to.equal(null);
      close(copy);
      expect(peer.recvSync(1)).to.have.length(0);
      for (const call of [() => close(copy), () => dup(copy)]) expect(thrown(call).code).to.equal('EBADF');
      const file = openSync('/dev/null', 'r');
      close(dup(file));
      close(file);
      expect(isOpen(file)).to.equal(false);
    });

    it('that a socket owns are for it to close', () => {
      const socket = stack.use(new Socket(unix));
      const error = thrown(() => close(socket.fileno()));
      expect([error.code, error.syscall]).to.deep.equal(['EEXIST', 'close']);
      expect(error.message).to.contain('belongs to a Socket');
      expect(isOpen(socket.fileno())).to.equal(true);
      const copy = dup(socket.fileno());
      close(copy);
      expect(isOpen(copy)).to.equal(false);
    });

    it('must be descriptors', () => {
      for (const value of [-1, 1.5, '1', null, undefined, 2 ** 31, {}]) {
        for (const call of [close, dup]) expect(thrown(() => call(value as number)).argument).to.equal('fd');
      }
    });
  });

  describe('share', () => {
    it('is for Windows, and says so', () => {
      const socket = stack.use(new Socket(unix));
      for (const [call, syscall] of [
        [() => socket.share(process.pid), 'share'],
        [() => Socket.fromShare(Buffer.alloc(376)), 'fromshare'],
      ] as const) {
        const error = thrown(call);
        expect([error.code, error.syscall]).to.deep.equal(['EOPNOTSUPP', syscall]);
        expect(error.message).to.contain('only Windows has it, not linux').and.contain('SCM_RIGHTS');
      }
      expect(thrown(() => socket.share(-1)).argument).to.equal('processId');
      expect(thrown(() => Socket.fromShare('x' as never)).argument).to.equal('info');
      socket.close();
      expect(thrown(() => socket.share(1)).code).to.equal('EBADF');
    });
  });

  describe('new Socket', () => {
    it('is non-blocking and close-on-exec, whatever was asked for', () => {
      for (const extra of [0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC]) {
        const socket = stack.use(new Socket(unix, SOCK_DGRAM | extra));
        expect(descriptorFlags(socket.fileno()) & (O_NONBLOCK | O_CLOEXEC)).to.equal(O_NONBLOCK | O_CLOEXEC);
        expect(socket.type).to.equal(SOCK_DGRAM);
        expect(socket.timeout).to.equal((extra & SOCK_NONBLOCK) === 0 ? null : 0);
        expect(socket.blocking).to.equal((extra & SOCK_NONBLOCK) === 0);
        expect(socket.inheritable).to.equal(false);
        expect([socket.family, socket.domain, socket.protocol]).to.deep.equal([unix, AF_UNIX, 0]);
      }
    });

    it('takes type and protocol from the family where the caller names none', () => {
      const implied = { ...inet, type: SOCK_DGRAM, protocol: 17 };
      const socket = stack.use(new Socket(implied));
      expect([socket.type, socket.protocol]).to.deep.equal([SOCK_DGRAM, 17]);
      const told = stack.use(new Socket(implied, SOCK_STREAM, 6));
      expect([told.type, told.protocol]).to.deep.equal([SOCK_STREAM, 6]);
      expect(stack.use(new Socket(unix)).type).to.equal(SOCK_STREAM);
      const [a, b] = Socket.pair({ ...unix, type: SOCK_SEQPACKET });
      expect([stack.use(a).type, stack.use(b).type]).to.deep.equal([SOCK_SEQPACKET, SOCK_SEQPACKET]);
    });

    it('reports what the kernel does not have', () => {
      const none = { ...unix, name: 'none', domain: 4000 };
      const error = thrown(() => new Socket(none));
      expect(error).to.include({ code: 'EAFNOSUPPORT', syscall: 'socket' });
      expect(error.message).to.equal('socket EAFNOSUPPORT: this kernel has no address family 4000 (none)');
      const explained = { ...none, explain: ({ code }: { code: string }) => `load it (${code})` };
      expect(thrown(() => new Socket(explained)).message).to.equal('socket EAFNOSUPPORT: load it (EAFNOSUPPORT)');
      expect(thrown(() => new Socket(unix, 77)).message).to.match(/^socket E\w+/);
      expect(thrown(() => Socket.pair(inet)).message).to.match(/^socketpair EOPNOTSUPP/);
    });

    it('socket pairs are non-blocking and close-on-exec too', () => {
      const [a, b] = Socket.pair(unix, SOCK_STREAM | SOCK_NONBLOCK);
      for (const socket of [stack.use(a), stack.use(b)]) {
        expect(descriptorFlags(socket.fileno()) & (O_NONBLOCK | O_CLOEXEC)).to.equal(O_NONBLOCK | O_CLOEXEC);
        expect([socket.type, socket.timeout, socket.family]).to.deep.equal([SOCK_STREAM, 0, unix]);
      }
    });

    it('accepted sockets too, and are of the class and family of the listener', () => {
      const server = stack.use(tcpServer());
      const client = stack.use(new Socket(inet));
      client.connectSync(server.getsockname());
      server.timeout = 5000;
      const { socket, address } = server.acceptSync();
      stack.use(socket);
      expect(descriptorFlags(socket.fileno()) & (O_NONBLOCK | O_CLOEXEC)).to.equal(O_NONBLOCK | O_CLOEXEC);
      expect([socket.family, socket.type, socket.timeout]).to.deep.equal([inet, SOCK_STREAM, null]);
      expect(address).to.deep.equal(client.getsockname());
    });
  });

  describe('adopt', () => {
    it('takes the descriptor over: what it is is read from the kernel', () => {
      const [fd, peer] = loose(SOCK_SEQPACKET);
      const socket = stack.use(Socket.adopt(fd, unix));
      expect([socket.fileno(), socket.type, socket.protocol, socket.domain]).to.deep.equal([
        fd,
        SOCK_SEQPACKET,
        0,
        AF_UNIX,
      ]);
      expect(socket).to.be.instanceOf(Socket).and.instanceOf(SocketHandle);
      peer.sendSync('hi');
      expect(String(socket.recvSync(10))).to.equal('hi');
      socket.close();
      expect(isOpen(fd)).to.equal(false);
      const datagrams = udp();
      const adopted = stack.use(Socket.adopt(datagrams.detach(), inet));
      expect([adopted.type, adopted.protocol]).to.deep.equal([SOCK_DGRAM, 17]);
    });

    it('keeps what the caller says instead', () => {
      const [fd] = loose();
      const socket = stack.use(Socket.adopt(fd, unix, { type: SOCK_RAW, protocol: 7 }));
      expect([socket.type, socket.protocol]).to.deep.equal([SOCK_RAW, 7]);
    });

    it('makes it non-blocking', () => {
      const [a, b] = pair();
      stack.use(b);
      const fd = a.detach({ blocking: true });
      expect(descriptorFlags(fd) & O_NONBLOCK).to.equal(0);
      const socket = stack.use(Socket.adopt(fd, unix));
      expect(descriptorFlags(fd) & O_NONBLOCK).to.equal(O_NONBLOCK);
      expect(socket.tryRecv(1)).to.equal(null);
    });

    it('lets a function choose the family by what the kernel says', () => {
      const [fd] = loose(SOCK_DGRAM);
      let seen: AdoptInfo | undefined;
      const socket = stack.use(
        Socket.adopt(fd, (info) => {
          seen = info;
          return unix;
        }),
      );
      expect(seen).to.deep.equal({ domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0 });
      expect(socket.family).to.equal(unix);
    });

    it('without a family leaves addresses as bytes', () => {
      const [socket, peer] = tcpPair();
      stack.use(peer);
      const raw = stack.use(Socket.adopt(socket.detach()));
      const name = raw.getpeername();
      expect(name).to.be.instanceOf(UnknownAddress);
      expect([name.domain, name.data.length]).to.deep.equal([AF_INET, 14]);
      expect([...name.data.subarray(2, 6)]).to.deep.equal([127, 0, 0, 1]);
      const other = stack.use(Socket.adopt(udp().detach()));
      const target = stack.use(udp());
      other.sendToSync(
        'to bytes',
        new UnknownAddress(AF_INET, target.encodeAddress(target.getsockname()).sockaddr.subarray(2)),
      );
      expect(String(target.recvSync(100))).to.equal('to bytes');
      expect(thrown(() => other.sendToSync('x', 'text' as never))).to.include({
        argument: 'address',
        code: 'ERR_INVALID_ARG_TYPE',
      });
      expect(other.family.name).to.equal('AF_2');
      expect(other.family.format(name)).to.equal('address family 2, 14 bytes');
    });

    it('makes an instance of the class that it was called on, without its constructor', () => {
      const [fd] = loose();
      const socket = stack.use(Special.adopt(fd, unix));
      expect([socket instanceof Special, socket.special]).to.deep.equal([true, true]);
      expect(stack.use(socket.dup()).special).to.equal(true);
      const [c, d] = Special.pair(unix);
      expect([stack.use(c).special, stack.use(d).special]).to.deep.equal([true, true]);
    });

    it('takes the protocol that the family implies where the kernel tells none', () => {
      const [fd] = loose();
      const implied = { ...unix, protocol: 7 };
      expect(stack.use(Socket.duplicate(fd, implied)).protocol).to.equal(7);
      expect(stack.use(Socket.adopt(fd, implied, { protocol: 0 })).protocol).to.equal(0);
    });

    it('refuses a descriptor that another Socket owns, and leaves it alone', () => {
      const [a, b] = pair();
      stack.use(b);
      const error = thrown(() => Socket.adopt(stack.use(a).fileno(), unix));
      expect(error).to.include({ code: 'EEXIST', syscall: 'adopt' });
      expect(error.message).to.match(/^adopt EEXIST: the descriptor \d+ belongs to a Socket already; duplicate\(\) it/);
      a.sendSync('x');
      expect(String(b.recvSync(1))).to.equal('x');
    });

    it('refuses what is no socket, and what is not open', () => {
      const file = openSync('/dev/null', 'r');
      const error = thrown(() => Socket.adopt(file));
      expect(error).to.include({ code: 'ENOTSOCK', message: `fstat ENOTSOCK: the descriptor ${file} is no socket` });
      expect(thrown(() => Socket.duplicate(file)).code).to.equal('ENOTSOCK');
      closeSync(file);
      expect(thrown(() => Socket.adopt(file))).to.include({
        code: 'EBADF',
        message: `fstat EBADF: there is no descriptor ${file}`,
      });
      expect(thrown(() => Socket.duplicate(file)).code).to.equal('EBADF');
    });

    it('refuses a family of another domain, and leaves the descriptor to the caller', () => {
      const [fd] = loose();
      const error = thrown(() => Socket.adopt(fd, inet as never));
      expect(error).to.include({ argument: 'family', code: 'ERR_OUT_OF_RANGE' });
      expect(thrown(() => Socket.adopt(fd, () => inet as never))).to.include({ argument: 'family' });
      expect(isOpen(fd)).to.equal(true);
      stack.use(Socket.adopt(fd, unix));
    });

    it('has the default timeout', () => {
      setDefaultTimeout(77);
      try {
        const [fd] = loose();
        expect(stack.use(Socket.adopt(fd, unix)).timeout).to.equal(77);
      } finally {
        setDefaultTimeout(null);
      }
    });
  });

  describe('duplicate and dup', () => {
    it('duplicate leaves the descriptor to the caller', () => {
      const [a, b] = pair();
      const copy = Socket.duplicate(a.fileno(), unix);
      expect(copy.fileno()).to.not.equal(a.fileno());
      expect(descriptorFlags(copy.fileno()) & (O_NONBLOCK | O_CLOEXEC)).to.equal(O_NONBLOCK | O_CLOEXEC);
      stack.use(b).sendSync('x');
      expect(String(copy.recvSync(1))).to.equal('x');
      copy.close();
      b.sendSync('y');
      expect(String(stack.use(a).recvSync(1))).to.equal('y');
    });

    it('dup gives a socket of the same class, family and timeout', () => {
      const [a, b] = pair(SOCK_DGRAM);
      stack.use(b);
      stack.use(a).timeout = 123;
      const copy = stack.use(a.dup());
      expect([copy.timeout, copy.family, copy.type, copy.constructor]).to.deep.equal([123, unix, SOCK_DGRAM, Socket]);
      a.close();
      b.sendSync('x');
      expect(String(copy.recvSync(1))).to.equal('x');
    });
  });

  describe('close and detach', () => {
    it('closing again does nothing, and does not close the next of the same number', () => {
      const [a, b] = pair();
      stack.use(b);
      const fd = a.fileno();
      a.close();
      const file = openSync('/dev/null', 'r');
      expect(file).to.equal(fd);
      a.close();
      a[Symbol.dispose]();
      expect(isOpen(file)).to.equal(true);
      closeSync(file);
    });

    it('using and await using close', async () => {
      let fd: number;
      {
        using socket = new Socket(unix);
        fd = socket.fileno();
        expect(isOpen(fd)).to.equal(true);
      }
      expect(isOpen(fd)).to.equal(false);
      {
        await using socket = new Socket(unix);
        fd = socket.fileno();
      }
      expect(isOpen(fd)).to.equal(false);
    });

    it('detach gives the descriptor up, and the socket counts as closed', () => {
      const [a, b] = pair();
      stack.use(b);
      const fd = a.detach();
      expect([a.closed, a.fileno(), isOpen(fd)]).to.deep.equal([true, -1, true]);
      a.close();
      expect(isOpen(fd)).to.equal(true);
      expect(thrown(() => a.detach())).to.include({ code: 'EBADF', syscall: 'detach' });
      closeSync(fd);
      expect(b.recvSync(1).length).to.equal(0);
    });

    it('detach({ blocking: true }) is for other programs', () => {
      const [a, b] = pair();
      stack.use(b).sendSync('from here');
      b.shutdown(SHUT_WR);
      const fd = a.detach({ blocking: true });
      const { stdout } = spawnSync('cat', { stdio: [fd, 'pipe', 'inherit'] });
      expect(String(stdout)).to.equal('from here');
      closeSync(fd);
    });

    it('every method of a closed socket says so', () => {
      const socket = new Socket(unix);
      socket.close();
      const calls: Record<string, () => unknown> = {
        getsockname: () => socket.getsockname(),
        getpeername: () => socket.getpeername(),
        listen: () => socket.listen(),
        shutdown: () => socket.shutdown(SHUT_WR),
        getsockopt: () => socket.getsockopt(1, 1),
        setsockopt: () => socket.setsockopt(1, 1, 1),
        ioctl: () => socket.ioctl(1),
        dup: () => socket.dup(),
        detach: () => socket.detach(),
        fcntl: () => socket.inheritable,
        bind: () => socket.tryBind('x'),
        connect: () => socket.tryConnect('x'),
        accept: () => socket.tryAccept(),
        recv: () => socket.tryRecv(1),
        send: () => socket.trySend('x'),
        sendto: () => socket.trySendTo('x', 'y'),
        sendmsg: () => socket.trySendMsg(['x']),
        recvmsg: () => socket.tryRecvMsg(1),
        poll: () => socket.tryWaitReadable(),
      };
      for (const [syscall, call] of Object.entries(calls)) {
        const error = thrown(call);
        expect(error, syscall).to.include({ code: 'EBADF', syscall });
        expect(error.message).to.match(/: the socket is closed$/);
      }
      expect(thrown(() => socket.toNetSocket()).code).to.equal('EBADF');
    });
  });

  it('inheritable descriptors are inherited, others are not', () => {
    const [a, b] = pair();
    stack.use(b);
    const fd = stack.use(a).fileno();
    const inherits = (): boolean => spawnSync('sh', ['-c', `test -e /proc/self/fd/${fd}`]).status === 0;
    // node closes what it does not know of before it starts a program, so ask for the flag itself
    expect([a.inheritable, descriptorFlags(fd) & O_CLOEXEC]).to.deep.equal([false, O_CLOEXEC]);
    expect(inherits()).to.equal(false);
    a.inheritable = true;
    expect([a.inheritable, descriptorFlags(fd) & O_CLOEXEC]).to.deep.equal([true, 0]);
    a.inheritable = false;
    expect([a.inheritable, descriptorFlags(fd) & O_CLOEXEC]).to.deep.equal([false, O_CLOEXEC]);
    expect(thrown(() => Object.assign(a, { inheritable: 1 }))).to.include({ argument: 'inheritable' });
  });

  it('timeout and blocking are two views of one thing', () => {
    const socket = stack.use(new Socket(unix));
    expect([socket.timeout, socket.blocking]).to.deep.equal([null, true]);
    socket.blocking = false;
    expect([socket.timeout, socket.blocking]).to.deep.equal([0, false]);
    socket.timeout = 2.5;
    expect([socket.timeout, socket.blocking]).to.deep.equal([2.5, true]);
    socket.blocking = true;
    expect([socket.timeout, socket.blocking]).to.deep.equal([null, true]);
    socket.timeout = Number.POSITIVE_INFINITY;
    expect(socket.timeout).to.equal(null);
    expect(descriptorFlags(socket.fileno()) & O_NONBLOCK, 'O_NONBLOCK stays').to.equal(O_NONBLOCK);
  });

  it('names: bind in its forms, getsockname, getpeername', async () => {
    const names = [freshName(), freshName(), freshName()] as const;
    const [a, b, c] = names.map(() => stack.use(new Socket(unix, SOCK_DGRAM))) as [
      Socket<string>,
      Socket<string>,
      Socket<string>,
    ];
    await a.bind(names[0]);
    b.bindSync(names[1]);
    c.tryBind(names[2]);
    expect([a, b, c].map((socket) => socket.getsockname())).to.deep.equal(names);
    expect(thrown(() => a.getpeername())).to.include({ code: 'ENOTCONN', syscall: 'getpeername' });
    a.connectSync(names[1]);
    expect(a.getpeername()).to.equal(names[1]);
    const again = thrown(() => stack.use(new Socket(unix, SOCK_DGRAM)).bindSync(names[0]));
    expect(again).to.include({ code: 'EADDRINUSE', syscall: 'bind', address: names[0] });
    expect(again.message).to.equal(`bind EADDRINUSE ${names[0].replace('\0', '@')}`);
    expect(stack.use(new Socket(unix)).getsockname()).to.equal('');
  });

  it('listen takes a negative backlog as 0', () => {
    const server = stack.use(new Socket(inet));
    server.bindSync({ host: '127.0.0.1', port: 0 });
    server.listen(-5);
    const client = stack.use(new Socket(inet));
    client.connectSync(server.getsockname());
    stack.use(server.acceptSync().socket);
    server.listen();
    expect(thrown(() => stack.use(udp()).listen())).to.include({ code: 'EOPNOTSUPP', syscall: 'listen' });
  });
});
