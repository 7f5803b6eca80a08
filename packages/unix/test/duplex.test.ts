import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { pipeline } from 'node:stream/promises';
import { SCM_MAX_FD, SOCK_STREAM, Socket, SocketDuplex, type SocketError } from '@sock/core';
import {
  isOpen,
  itIf,
  pattern,
  probe,
  sha256,
  startPython,
  startSocat,
  tempPath,
  thrown,
  turns,
  unique,
  within,
} from '@sock/testkit';
import {
  type FdsEvent,
  recvFds,
  sendFds,
  socketpair,
  trySendFds,
  UnixDuplex,
  type UnixSocket,
  unix,
  unixDuplex,
} from '@sock/unix';
import { expect } from 'chai';
import { openText, textOf } from './files.js';

async function listen(address: string): Promise<UnixSocket> {
  const listener = new Socket(unix, SOCK_STREAM);
  await listener.bind(address);
  listener.listen();
  return listener;
}

describe('unix duplex', () => {
  let a: UnixSocket;
  let b: UnixSocket;
  let left: UnixDuplex;
  let right: UnixDuplex;
  let file: number;

  beforeEach(() => {
    [a, b] = socketpair();
    left = unixDuplex(a);
    right = unixDuplex(b);
    file = openText('contents');
  });

  afterEach(async () => {
    closeSync(file);
    for (const stream of [left, right]) {
      stream.on('error', () => {});
      stream.destroy();
    }
    await turns(2);
  });

  it('is a stream of the socket, which it owns', async () => {
    expect(left).to.be.instanceOf(UnixDuplex).and.instanceOf(SocketDuplex);
    expect(left.socket).to.equal(a);
    left.write('text');
    const [data] = (await once(right, 'data')) as [Buffer];
    expect(data.toString()).to.equal('text');
    left.destroy();
    await within('end', once(right, 'end'));
    expect(a.closed).to.equal(true);
  });

  it('emits descriptors in order, before the data they came with', async () => {
    const other = openText('other');
    const events: string[] = [];
    const texts: string[] = [];
    right.on('fds', ({ fds, truncated }: FdsEvent) => {
      events.push(`fds ${fds.length}${truncated ? ' truncated' : ''}`);
      for (const fd of fds) {
        texts.push(textOf(fd));
        closeSync(fd);
      }
    });
    right.on('data', (data: Buffer) => events.push(`data ${data}`));
    let called = 0;
    left.write('plain');
    await within('plain', once(right, 'data'));
    left.writeWithFds('one', [file], (error) => {
      expect(error ?? null).to.equal(null);
      called++;
    });
    await within('one', once(right, 'data'));
    left.writeWithFds(Buffer.from('two'), [other, file]);
    left.writeWithFds('three', []);
    left.writeWithFds('four', [other], () => called++);
    left.end();
    await within('end', once(right, 'end'));
    expect(texts).to.deep.equal(['contents', 'other', 'contents', 'other']);
    expect(events.filter((event) => event.startsWith('fds'))).to.deep.equal(['fds 1', 'fds 2', 'fds 1']);
    expect(events.slice(0, 5)).to.deep.equal(['data plain', 'fds 1', 'data one', 'fds 2', 'data two']);
    expect(events.join().replaceAll(',data ', '')).to.include('four');
    expect(events.indexOf('fds 1', 4)).to.be.lessThan(events.findIndex((event) => event.endsWith('four')));
    expect(called).to.equal(2);
    closeSync(other);
  });

  it('keeps descriptors with their bytes when several writes wait', async () => {
    const texts: string[] = [];
    let received = '';
    const places: number[] = [];
    right.on('fds', ({ fds }) => {
      places.push(received.length);
      for (const fd of fds) {
        texts.push(textOf(fd));
        closeSync(fd);
      }
    });
    right.on('data', (data: Buffer) => {
      received += data;
    });
    const other = openText('other');
    left.cork();
    left.write('aaa');
    left.write('bbb');
    left.writeWithFds('ccc', [file]);
    left.write('ddd');
    left.writeWithFds('eee', [other]);
    const same = Buffer.from('fff');
    left.writeWithFds(same, [file]);
    left.write(same);
    left.uncork();
    left.end();
    await within('end', once(right, 'end'));
    closeSync(other);
    expect(received).to.equal('aaabbbcccdddeeeffffff');
    expect(texts).to.deep.equal(['contents', 'other', 'contents']);
    for (const [i, end] of [9, 15, 18].entries()) expect(places[i]).to.be.at.most(end - 3);
  });

  it('closes descriptors at once when nobody listens for them', async () => {
    await sendFds(a, 'x', [file, file]);
    using looked = await recvFds(b, 1, 2);
    const [expected = -1, next = -1] = looked.fds;
    looked[Symbol.dispose]();
    await sendFds(a, 'y', [file, file]);
    await within('data', once(right, 'data'));
    // the numbers are free again, which the kernel would have given to those of the second message
    expect([expected, next].map(isOpen)).to.deep.equal([false, false]);
  });

  it('reads what a sender of plain messages passes, and the other way round', async () => {
    const received = within('fds', once(right, 'fds')) as Promise<[FdsEvent]>;
    right.resume();
    await sendFds(a, 'x', new Array<number>(SCM_MAX_FD).fill(file));
    const [{ fds, truncated }] = await received;
    expect(fds).to.have.length(SCM_MAX_FD);
    expect(truncated).to.equal(false);
    for (const fd of fds) closeSync(fd);
  });

  it('sends a large chunk whole, its descriptors once', async () => {
    const [c, d] = socketpair();
    const stream = unixDuplex(c);
    const data = pattern(3_000_000);
    let passed = 0;
    const done = new Promise<void>((resolve) => {
      stream.writeWithFds(data, [file], () => resolve());
    });
    const hash = createHash('sha256');
    for (let size = 0; size < data.length; ) {
      using part = await recvFds(d, 65_536, 4);
      passed += part.fds.length;
      hash.update(part.data);
      size += part.data.length;
    }
    await within('callback', done);
    expect(passed).to.equal(1);
    expect(hash.digest('hex')).to.equal(sha256(data));
    stream.destroy();
    d.close();
  });

  it('refuses bad arguments before anything is written', async () => {
    expect(thrown(() => left.writeWithFds('', [file]))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'data' });
    expect(thrown(() => left.writeWithFds('x', 3 as never))).to.include({
      code: 'ERR_INVALID_ARG_TYPE',
      argument: 'fds',
    });
    expect(thrown(() => left.writeWithFds('x', [1.5]))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'fds[0]' });
    expect(thrown(() => left.writeWithFds(7 as never, []))).to.include({ argument: 'data' });
    expect(thrown(() => left.writeWithFds('x', new Array<number>(254).fill(0)))).to.include({ argument: 'fds.length' });
    left.end();
    right.resume();
    let data = 0;
    right.on('data', () => data++);
    await within('end', once(right, 'end'));
    expect(data).to.equal(0);
  });

  it("is destroyed with the kernel's error for a descriptor that is not open", async () => {
    const failed = once(left, 'error') as Promise<unknown> as Promise<[SocketError]>;
    let told: Error | null | undefined;
    left.writeWithFds('x', [-1], (error) => {
      told = error;
    });
    const [error] = await within('error', failed);
    expect(error).to.include({ code: 'EBADF', syscall: 'sendmsg' });
    expect(told).to.equal(error);
    expect(left.destroyed).to.equal(true);
    expect(a.closed).to.equal(true);
  });

  it('goes on sending after the peer has ended, unless told', async () => {
    left.end('last words');
    right.resume();
    await within('end', once(right, 'end'));
    right.end('answer');
    const [data] = (await within('answer', once(left, 'data'))) as [Buffer];
    expect(data.toString()).to.equal('answer');

    const [c, d] = socketpair();
    const closing = unixDuplex(c, { allowHalfOpen: false });
    closing.resume();
    d.close();
    await within('close', once(closing, 'close'));
    expect(c.closed).to.equal(true);
  });

  it('lets a slow reader slow the sender down', async () => {
    const [c, d] = socketpair();
    const writer = unixDuplex(c, { writableHighWaterMark: 1000 });
    const reader = unixDuplex(d, { readableHighWaterMark: 1000 });
    const chunk = pattern(10_000);
    let written = 0;
    let waiting = 0;
    let blocked = false;
    while (!blocked && written < 100_000_000) {
      written += chunk.length;
      waiting = 0;
      if (writer.write(chunk)) continue;
      blocked = await Promise.race([once(writer, 'drain').then(() => false), turns(20).then(() => true)]);
      waiting = writer.writableLength;
    }
    expect(blocked).to.equal(true);
    expect(waiting).to.be.at.most(2 * chunk.length);
    expect(reader.readableLength).to.be.at.most(2000);
    let received = 0;
    reader.on('data', (data: Buffer) => {
      received += data.length;
    });
    writer.end();
    await within('end', once(reader, 'end'));
    expect(received).to.equal(written);
    writer.destroy();
    reader.destroy();
  });

  it('gives nothing to a listener of a stream that was destroyed meanwhile, and closes it', async () => {
    let events = 0;
    right.on('fds', () => events++);
    right.resume();
    await turns(2);
    trySendFds(a, 'x', [file]);
    right.destroy();
    await turns(5);
    expect(events).to.equal(0);
  });

  describe('beside node:net and node:http', () => {
    it('a client of node:net on a path talks to it', async () => {
      const path = tempPath('.sock');
      using listener = await listen(path);
      const client = net.connect(path);
      const { socket } = await within('accept', listener.accept());
      const stream = unixDuplex(socket);
      const echo = pipeline(stream, stream);
      const data = pattern(500_000);
      const hash = createHash('sha256');
      client.on('data', (chunk: Buffer) => hash.update(chunk));
      client.end(data);
      await within('end', once(client, 'end'));
      await echo;
      expect(hash.digest('hex')).to.equal(sha256(data));
    });

    it('it talks to a server of node:net on a path', async () => {
      const path = tempPath('.sock');
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.pipe(socket);
      });
      server.listen(path);
      await once(server, 'listening');
      const socket = new Socket(unix, SOCK_STREAM);
      await socket.connect(path);
      const stream = unixDuplex(socket);
      stream.end('to be returned');
      let text = '';
      for await (const chunk of stream) text += chunk;
      expect(text).to.equal('to be returned');
      await new Promise((resolve) => server.close(resolve));
    });

    it('HTTP over an abstract name, client and server', async () => {
      const name = `\0sock-http-${unique()}`;
      using listener = await listen(name);
      const server = http.createServer((request, response) => {
        let size = 0;
        request.on('data', (chunk: Buffer) => {
          size += chunk.length;
        });
        request.on('end', () => response.end(`${request.method} ${request.url} ${size}`));
      });
      const accepted = listener.accept().then(({ socket }) => {
        server.emit('connection', unixDuplex(socket, { allowHalfOpen: true }));
      });
      const socket = new Socket(unix, SOCK_STREAM);
      await socket.connect(name);
      const stream = unixDuplex(socket);
      const request = http.request({ method: 'POST', path: '/there', createConnection: () => stream as never });
      request.end(pattern(200_000));
      const [response] = (await within('response', once(request, 'response'))) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      await accepted;
      expect(response.statusCode).to.equal(200);
      expect(text).to.equal('POST /there 200000');
      stream.destroy();
      server.close();
      await turns(2);
    });
  });

  it('Python passes descriptors through it and back', async () => {
    const name = `sock-duplex-${unique()}`;
    using listener = await listen(`\0${name}`);
    const child = startPython(
      `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect('\\0' + sys.argv[1])
r, w = os.pipe()
socket.send_fds(s, [b'pipe'], [w])
os.close(w)
data, fds, flags, address = socket.recv_fds(s, 100, 1)
print(data.decode(), os.read(fds[0], 100).decode(), os.read(r, 100).decode())
      `,
      [name],
      { input: '' },
    );
    const { socket } = await within('accept', listener.accept());
    const stream = unixDuplex(socket);
    const [[{ fds }], [data]] = (await within('pipe', Promise.all([once(stream, 'fds'), once(stream, 'data')]))) as [
      [FdsEvent],
      [Buffer],
    ];
    expect(data.toString()).to.equal('pipe');
    expect(fds).to.have.length(1);
    const [pipe = -1] = fds;
    writeFileSync(pipe, 'into the pipe');
    closeSync(pipe);
    await new Promise<void>((resolve) => {
      stream.writeWithFds('file', [file], () => resolve());
    });
    const { stdout } = await child.succeeded();
    expect(stdout).to.equal('file contents into the pipe\n');
    stream.destroy();
  }).timeout(20_000);

  itIf(probe('command:socat'), 'socat talks to it, by path and by abstract name', async () => {
    for (const [address, argument] of [
      [tempPath('.sock'), 'UNIX-CONNECT:'],
      [`\0sock-socat-${unique()}`, 'ABSTRACT-CONNECT:'],
    ] as const) {
      using listener = await listen(address);
      const child = startSocat(['-', `${argument}${address.replace('\0', '')}`], { input: 'from socat' });
      const { socket } = await within('accept', listener.accept());
      const stream = unixDuplex(socket);
      let text = '';
      for await (const chunk of stream) text += chunk;
      expect(text).to.equal('from socat');
      // its sending direction is open still, and newer Nodes leave that to us
      stream.destroy();
      expect((await child.succeeded()).stdout).to.equal('');
    }
  });
});
