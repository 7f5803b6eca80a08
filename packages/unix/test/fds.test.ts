import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import {
  CMSG_LEN,
  MSG_CTRUNC,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  scmRights,
} from '@sock/core';
import {
  descriptorFlags,
  isOpen,
  O_CLOEXEC,
  openDescriptors,
  rejection,
  settled,
  startNode,
  startPython,
  tempPath,
  thrown,
  turns,
  unique,
  within,
} from '@sock/testkit';
import {
  ReceivedFds,
  recvFds,
  recvFdsSync,
  scmCredentials,
  sendFds,
  sendFdsSync,
  socketpair,
  soPassCred,
  tryRecvFds,
  trySendFds,
  type UnixSocket,
  unix,
} from '@sock/unix';
import { expect } from 'chai';
import { openText, textOf } from './files.js';

const TYPES = [
  ['stream', SOCK_STREAM],
  ['datagram', SOCK_DGRAM],
  ['seqpacket', SOCK_SEQPACKET],
] as const;

describe('descriptor passing', () => {
  let a: UnixSocket;
  let b: UnixSocket;
  let file: number;
  let before: Map<number, string>;

  beforeEach(() => {
    before = openDescriptors();
    [a, b] = socketpair();
    file = openText('contents');
  });

  afterEach(async () => {
    a.close();
    b.close();
    closeSync(file);
    expect(await settled(before)).to.deep.equal([]);
  });

  for (const [name, type] of TYPES) {
    it(`passes descriptors over ${name} sockets, in all three forms`, async () => {
      const other = openText('other');
      const [left, right] = socketpair(type);
      try {
        expect(left.type).to.equal(type);
        expect(await sendFds(left, 'one', [file, other])).to.equal(3);
        using first = await recvFds(right, 100, 2);
        expect(first.data.toString()).to.equal('one');
        expect(first.truncated).to.equal(false);
        expect(first.fds).to.have.length(2);
        expect(first.fds.map(textOf)).to.deep.equal(['contents', 'other']);
        expect(first.fds).to.not.include(file);

        expect(sendFdsSync(left, 'two', [other])).to.equal(3);
        using second = recvFdsSync(right, 100, 5);
        expect(second.fds.map(textOf)).to.deep.equal(['other']);

        expect(tryRecvFds(right, 100, 1)).to.equal(null);
        expect(trySendFds(left, Buffer.from('three'), [file])).to.equal(5);
        using third = tryRecvFds(right, 100, 1);
        expect(third?.data.toString()).to.equal('three');
        expect(third?.fds.map(textOf)).to.deep.equal(['contents']);
      } finally {
        closeSync(other);
        left.close();
        right.close();
      }
    });
  }

  it('makes a stream pair unless told', () => {
    expect(a.type).to.equal(SOCK_STREAM);
    expect(a.getsockname()).to.equal('');
    expect(a.getpeername()).to.equal('');
    expect(a).to.be.instanceOf(Socket);
    expect(a.family).to.equal(unix);
  });

  it('hands a descriptor over once', async () => {
    await sendFds(a, 'x', [file, file]);
    using received = await recvFds(b, 10, 2);
    const fd = received.take(1);
    expect(textOf(fd)).to.equal('contents');
    expect(received.fds[1]).to.equal(-1);
    expect(thrown(() => received.take(1))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'index' });
    expect(thrown(() => received.take(2))).to.be.instanceOf(RangeError);
    expect(thrown(() => received.take(-1))).to.be.instanceOf(RangeError);
    expect(thrown(() => received.take(0.5))).to.be.instanceOf(RangeError);
    expect(thrown(() => received.take('0' as unknown as number))).to.be.instanceOf(TypeError);
    const rest = received.takeAll();
    expect(rest).to.have.length(1);
    expect(received.takeAll()).to.deep.equal([]);
    received[Symbol.dispose]();
    expect([fd, ...rest].every(isOpen)).to.equal(true);
    for (const taken of [fd, ...rest]) closeSync(taken);
  });

  it('closes what was not taken', async () => {
    await sendFds(a, 'x', [file, file, file]);
    const received = await recvFds(b, 10, 3);
    const [first = -1, second = -1, third = -1] = received.fds;
    received.take(0);
    received[Symbol.dispose]();
    received[Symbol.dispose]();
    expect([first, second, third].map(isOpen)).to.deep.equal([true, false, false]);
    expect(received.fds).to.deep.equal([-1, -1, -1]);
    expect(thrown(() => received.take(1))).to.include({ code: 'EBADF', syscall: 'take' });
    expect(thrown(() => received.takeAll())).to.include({ code: 'EBADF' });
    closeSync(first);
  });

  it('never hands over what was taken through the ancillary data', async () => {
    await sendFds(a, 'x', [file]);
    using received = await recvFds(b, 10, 1);
    const [fd = -1] = scmRights.take(received.ancillary);
    expect(thrown(() => received.take(0))).to.be.instanceOf(RangeError);
    expect(received.takeAll()).to.deep.equal([]);
    received[Symbol.dispose]();
    expect(isOpen(fd)).to.equal(true);
    closeSync(fd);
  });

  it('reports and closes what there was no room for', async () => {
    await sendFds(a, 'x', [file, file, file, file]);
    using received = await recvFds(b, 10, 1);
    expect(received.truncated).to.equal(true);
    expect(received.fds).to.have.length(1);
    expect(received.data.toString()).to.equal('x');

    await sendFds(a, 'y', new Array<number>(40).fill(file));
    using many = await recvFds(b, 10, 3);
    expect(many.truncated).to.equal(true);
    expect(many.flags & MSG_CTRUNC).to.equal(MSG_CTRUNC);
    expect(many.fds).to.have.length(3);

    await sendFds(a, 'z', [file]);
    using none = await recvFds(b, 10, 0, { ancillarySize: 0 });
    expect(none.truncated).to.equal(true);
    expect(none.fds).to.deep.equal([]);
  });

  it('leaks nothing when nobody looks, whatever the size of the ancillary buffer', async () => {
    const open = openDescriptors().size;
    for (let size = 0; size <= 64; size++) {
      await sendFds(a, 'x', [file, file, file]);
      const { ancillary } = await b.recvMsg(10, size);
      ancillary[Symbol.dispose]();
    }
    await sendFds(a, 'x', [file]);
    await b.recv(10);
    await sendFds(a, 'x', [file]);
    await b.recvFrom(10);
    await sendFds(a, 'x', [file]);
    expect(openDescriptors().size).to.equal(open);
  });

  it('gives each descriptor once when messages are received in pieces', async () => {
    await sendFds(a, 'abcdef', [file]);
    await sendFds(a, 'ghi', [file, file]);
    await a.send('jkl');
    const pieces: string[] = [];
    for (const size of [3, 4, 1, 100, 100]) {
      using received = tryRecvFds(b, size, 4);
      if (received !== null) pieces.push(`${received.data} ${received.fds.length}`);
    }
    // the descriptors come with the first byte of their message, which may follow bytes of another
    expect(pieces).to.deep.equal(['abc 1', 'defg 2', 'h 0', 'ijkl 0']);
  });

  it('takes 253 descriptors at once, and refuses 254 before any call', async () => {
    await sendFds(a, 'x', new Array<number>(SCM_MAX_FD).fill(file));
    using received = await recvFds(b, 10, SCM_MAX_FD);
    expect(received.fds).to.have.length(253);
    expect(received.truncated).to.equal(false);
    const tooMany = new Array<number>(254).fill(file);
    expect(await rejection(sendFds(a, 'x', tooMany))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'fds.length' });
    expect(await rejection(recvFds(b, 10, 254))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'maxFds' });
    expect(tryRecvFds(b, 1, 1)).to.equal(null);
  });

  it('refuses descriptors without data on a stream, and sends them in an empty packet', async () => {
    for (const error of [
      await rejection(sendFds(a, '', [file])),
      thrown(() => sendFdsSync(a, new Uint8Array(), [file])),
      thrown(() => trySendFds(a, '', [file])),
    ]) {
      expect(error).to.be.instanceOf(RangeError);
      expect(error).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'data' });
      expect(error.message).to.include('at least one byte');
    }
    expect(tryRecvFds(b, 10, 1)).to.equal(null);
    expect(await sendFds(a, '', [])).to.equal(0);

    for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
      const [left, right] = socketpair(type);
      await sendFds(left, '', [file]);
      using received = await recvFds(right, 10, 1);
      expect(received.data).to.have.length(0);
      expect(received.fds.map(textOf)).to.deep.equal(['contents']);
      left.close();
      right.close();
    }
  });

  it("reports the kernel's EBADF for what is not open, −1 included", async () => {
    const closed = openSync('/dev/null', 'r');
    closeSync(closed);
    for (const fds of [[closed], [-1], [file, -1]]) {
      expect(await rejection(sendFds(a, 'x', fds))).to.include({ code: 'EBADF', syscall: 'sendmsg' });
      expect(thrown(() => sendFdsSync(a, 'x', fds))).to.include({ code: 'EBADF' });
      const error = thrown(() => trySendFds(a, 'x', fds));
      expect(error).to.include({ code: 'EBADF' });
      expect(error.message).to.include('descriptors to pass');
    }
    expect(tryRecvFds(b, 10, 1)).to.equal(null);
    a.close();
    expect((await rejection(sendFds(a, 'x', [file]))).message).to.include('socket is closed');
  });

  it('refuses arguments of the wrong kind before any call', async () => {
    const wrong = (value: unknown): never => value as never;
    expect(await rejection(sendFds(a, 'x', wrong(3)))).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'fds' });
    expect(await rejection(sendFds(a, 'x', wrong(['3'])))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await rejection(sendFds(a, 'x', [2 ** 31]))).to.include({ code: 'ERR_OUT_OF_RANGE' });
    expect(await rejection(sendFds(a, wrong(5), [file]))).to.include({
      code: 'ERR_INVALID_ARG_TYPE',
      argument: 'data',
    });
    expect(await rejection(sendFds(a, 'x', [file], wrong(null)))).to.include({ argument: 'options' });
    expect(await rejection(recvFds(b, wrong('1'), 1))).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'size' });
    expect(await rejection(recvFds(b, 1, wrong('1')))).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'maxFds' });
    expect(await rejection(recvFds(b, 1, 1, wrong(7)))).to.include({ argument: 'options' });
    expect(await rejection(recvFds(b, 1, 1, { ancillarySize: -1 }))).to.include({ argument: 'options.ancillarySize' });
    expect(tryRecvFds(b, 10, 1)).to.equal(null);
  });

  it('leaves room for credentials, which come first', async () => {
    b.setOption(soPassCred, true);
    await sendFds(a, 'x', [file, file]);
    using received = await recvFds(b, 10, 2);
    expect(received.truncated).to.equal(false);
    expect(received.fds).to.have.length(2);
    expect(scmCredentials.find(received.ancillary)?.pid).to.equal(process.pid);
  });

  it('names the sender of a datagram, and sends to an address', async () => {
    using receiver = new Socket(unix, SOCK_DGRAM);
    const path = tempPath('.sock');
    await receiver.bind(path);
    using sender = new Socket(unix, SOCK_DGRAM);
    const name = `\0sock-fds-${unique()}`;
    await sender.bind(name);
    await sendFds(sender, 'to you', [file], { address: path });
    using received = await recvFds(receiver, 100, 1);
    expect(received.address).to.deep.equal(Buffer.from(name));
    expect(received.fds.map(textOf)).to.deep.equal(['contents']);
    await sendFds(a, 'x', [file]);
    using fromStream = await recvFds(b, 100, 1);
    expect(fromStream.address).to.equal(null);
  });

  it('waits for them, times out and is cancelled as every receive', async () => {
    const waiting = recvFds(b, 10, 1);
    await turns(2);
    await sendFds(a, 'late', [file]);
    using received = await within('recvFds', waiting);
    expect(received.fds).to.have.length(1);
    expect(await rejection(recvFds(b, 10, 1, { timeout: 5 }))).to.include({ code: 'ETIMEDOUT' });
    expect(thrown(() => recvFdsSync(b, 10, 1, { timeout: 5 }))).to.include({ code: 'ETIMEDOUT' });
    const reason = new Error('enough');
    expect(await rejection(recvFds(b, 10, 1, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    a.close();
    using end = await recvFds(b, 10, 1);
    expect(end.data).to.have.length(0);
    expect(end.fds).to.deep.equal([]);
  });

  it('are close-on-exec from the start', async () => {
    await sendFds(a, 'x', [file]);
    using received = await recvFds(b, 10, 1);
    expect(descriptorFlags(received.fds[0] ?? -1) & O_CLOEXEC).to.equal(O_CLOEXEC);
  });

  it('can be made of any message that was received', async () => {
    await a.sendMsg(['x'], { ancillary: [scmRights.create([file, file])] });
    using received = new ReceivedFds(await b.recvMsg(10, CMSG_LEN(8)));
    expect(received.fds.map(textOf)).to.deep.equal(['contents', 'contents']);
    const [item] = received.ancillary;
    expect(item).to.include({ level: SOL_SOCKET, type: SCM_RIGHTS });
  });

  it('passes sockets that go on as what they are', async () => {
    const [c, d] = socketpair(SOCK_SEQPACKET);
    await sendFds(a, 'a socket', [c.fileno()]);
    c.close();
    using received = await recvFds(b, 100, 1);
    using adopted = Socket.adopt(received.take(0), unix);
    expect(adopted.type).to.equal(SOCK_SEQPACKET);
    await adopted.send('through');
    expect((await d.recv(100)).toString()).to.equal('through');
    d.close();
  });

  for (const [take, open] of [
    ['none', 31],
    ['one', 21],
  ] as const) {
    it(`are closed when what received them is collected, with a warning (${take} taken)`, async () => {
      const path = tempPath('.txt');
      writeFileSync(path, '');
      const child = startNode(
        `
      import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
      import { setTimeout as delay } from 'node:timers/promises';
      import { recvFds, sendFds, socketpair } from '@sock/unix';
      const [path, take] = process.argv.slice(1);
      function count() {
        return readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return readlinkSync('/proc/self/fd/' + fd) === path;
          } catch {
            return false;
          }
        }).length;
      }
      const [a, b] = socketpair();
      const file = openSync(path, 'r');
      async function receive() {
        for (let i = 0; i < 10; i++) {
          await sendFds(a, 'x', [file, file, file]);
          const received = await recvFds(b, 10, 3);
          if (take === 'one') closeSync(received.take(1));
        }
      }
      await receive();
      const before = count();
      for (let i = 0; i < 100 && count() > 1; i++) {
        gc();
        await delay(5);
      }
      console.log(before, count());
      `,
        { flags: ['--expose-gc'], input: '', args: [path, take] },
      );
      const { code, stdout, stderr } = await child.outcome;
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal(`${open} 1\n`);
      expect(stderr.match(/ResourceWarning/g)).to.have.length(10);
    }).timeout(20_000);
  }

  it('do not keep a process alive, nor break its exit, when nobody takes them', async () => {
    const child = startNode(
      `
      import { openSync } from 'node:fs';
      import { recvFds, sendFds, socketpair } from '@sock/unix';
      const [a, b] = socketpair();
      await sendFds(a, 'x', [openSync('/dev/null', 'r')]);
      globalThis.kept = await recvFds(b, 10, 1);
      await sendFds(a, 'x', [globalThis.kept.fds[0]]);
      console.log('done');
      `,
      { input: '' },
    );
    const { stdout } = await child.succeeded();
    expect(stdout).to.equal('done\n');
  }).timeout(20_000);

  describe('between two processes', () => {
    it('another node process reads a file and writes to a pipe through them', async () => {
      const path = tempPath('.sock');
      using listener = new Socket(unix, SOCK_STREAM);
      await listener.bind(path);
      listener.listen();
      const child = startNode(
        `
        import { readSync, writeSync, closeSync } from 'node:fs';
        import { Socket, SOCK_STREAM } from '@sock/core';
        import { unix, recvFds, sendFds } from '@sock/unix';
        using socket = new Socket(unix, SOCK_STREAM);
        await socket.connect(process.argv[1]);
        using received = await recvFds(socket, 100, 2);
        const [file, output] = received.takeAll();
        const bytes = Buffer.alloc(100);
        writeSync(output, bytes.subarray(0, readSync(file, bytes, 0, 100, 0)));
        await sendFds(socket, 'back', [file]);
        closeSync(file);
        closeSync(output);
        `,
        { args: [path], input: '', typescript: true },
      );
      const { socket } = await within('accept', listener.accept());
      using peer = socket;
      const target = tempPath('.out');
      const output = openSync(target, 'w');
      await sendFds(peer, 'file and output', [file, output]);
      closeSync(output);
      using back = await within('recvFds', recvFds(peer, 100, 1));
      expect(back.data.toString()).to.equal('back');
      expect(textOf(back.fds[0] ?? -1)).to.equal('contents');
      await child.succeeded();
      expect(readFileSync(target, 'utf8')).to.equal('contents');
    }).timeout(20_000);

    it('Python sends and receives them', async () => {
      const name = `sock-python-${unique()}`;
      using listener = new Socket(unix, SOCK_STREAM);
      await listener.bind(`\0${name}`);
      listener.listen();
      const child = startPython(
        `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect('\\0' + sys.argv[1])
data, fds, flags, address = socket.recv_fds(s, 100, 3)
assert data == b'two', data
assert len(fds) == 2, fds
text = os.read(fds[0], 100)
r, w = os.pipe()
os.write(w, b'from python: ' + text)
os.close(w)
socket.send_fds(s, [b'pi', b'pe'], [r])
        `,
        [name],
        { input: '' },
      );
      const { socket } = await within('accept', listener.accept());
      using peer = socket;
      await sendFds(peer, 'two', [file, file]);
      using received = await within('recvFds', recvFds(peer, 100, 4));
      expect(received.data.toString()).to.equal('pipe');
      expect(received.fds).to.have.length(1);
      const bytes = Buffer.alloc(100);
      const count = readSync(received.fds[0] ?? -1, bytes, 0, 100, null);
      expect(bytes.toString('utf8', 0, count)).to.equal('from python: contents');
      await child.succeeded();
    }).timeout(20_000);

    it('a datagram to Python, with a path that is not UTF-8', async () => {
      const path = Buffer.concat([Buffer.from(tempPath()), Buffer.of(0xff)]);
      const child = startPython(
        `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(bytes.fromhex(sys.argv[1]))
print('bound')
data, fds, flags, address = socket.recv_fds(s, 100, 1)
print(data.decode(), os.read(fds[0], 100).decode(), address)
        `,
        [path.toString('hex')],
        { input: '' },
      );
      expect(await child.line()).to.equal('bound');
      using sender = new Socket(unix, SOCK_DGRAM);
      await sender.bind(`\0sock-sender-${unique()}`);
      await sendFds(sender, 'datagram', [file], { address: path });
      const { stdout } = await child.succeeded();
      expect(stdout).to.match(/datagram contents b'\\x00sock-sender-/);
    }).timeout(20_000);

    it('a listening socket goes to another process, which accepts on it', async () => {
      const [parent, inherited] = socketpair();
      using listener = new Socket(unix, SOCK_STREAM);
      const name = `\0sock-listener-${unique()}`;
      await listener.bind(name);
      listener.listen();
      const child = startNode(
        `
        import { Socket } from '@sock/core';
        import { recvFds, unix } from '@sock/unix';
        using channel = Socket.adopt(3, unix);
        using received = await recvFds(channel, 10, 1);
        using listener = Socket.adopt(received.take(0), unix);
        const { socket } = await listener.accept();
        await socket.sendAll('accepted by ' + process.pid);
        socket.close();
        `,
        { descriptors: [inherited.fileno()], input: '', typescript: true },
      );
      inherited.close();
      await sendFds(parent, 'x', [listener.fileno()]);
      using client = new Socket(unix, SOCK_STREAM);
      await client.connect(name);
      expect((await within('recv', client.recv(100))).toString()).to.equal(`accepted by ${child.process.pid}`);
      await child.succeeded();
      parent.close();
    }).timeout(20_000);
  });

  it('a receiver that goes away takes the descriptors on their way with it', async () => {
    const [c, d] = socketpair();
    const pipe = openSync('/dev/null', 'r');
    await sendFds(c, 'x', [pipe, d.fileno()]);
    d.close();
    c.close();
    closeSync(pipe);
  });
});
