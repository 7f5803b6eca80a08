import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { SHUT_WR, Socket, SocketDuplex, soKeepAlive, soLinger } from '@sock/core';
import { delay, isOpen, pattern, sha256, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { inet, pair, tcpPair, tcpServer } from './support/families.js';
import { Cleanup, eachPair } from './support/operations.js';
import { CLIENT, SERVER } from './support/tls.js';

describe('duplex', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  eachPair((first, second) => {
    a = first;
    b = second;
  });

  it('is a stream of both directions', async () => {
    const stream = a.duplex();
    expect(stream).to.be.instanceOf(SocketDuplex).and.instanceOf(Duplex);
    expect(stream.socket).to.equal(a);
    stream.write('written');
    expect(String(await b.recv(100))).to.equal('written');
    b.sendSync('read');
    expect(String((await once(stream, 'data'))[0])).to.equal('read');
    stream.destroy();
    await once(stream, 'close');
    expect(a.closed).to.equal(true);
  });

  it('end shuts down the sending direction, once all is sent', async () => {
    const stream = a.duplex();
    const data = pattern(1_000_000);
    stream.end(data);
    const hash = createHash('sha256');
    for await (const chunk of b.chunks()) hash.update(chunk);
    expect(hash.digest('hex')).to.equal(sha256(data));
    expect(a.closed, 'the other direction is open still').to.equal(false);
    b.sendSync('answer');
    b.shutdown(SHUT_WR);
    expect(String((await once(stream, 'data'))[0])).to.equal('answer');
    await within('close', once(stream, 'close'));
    expect(a.closed).to.equal(true);
  });

  it('the end of the peer is the end of reading, and writing goes on', async () => {
    const stream = a.duplex();
    b.sendSync('last words');
    b.shutdown(SHUT_WR);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(stream, 'end');
    expect(String(Buffer.concat(chunks))).to.equal('last words');
    expect([stream.writable, a.closed]).to.deep.equal([true, false]);
    stream.end('answer');
    expect(String(await b.recv(100))).to.equal('answer');
    expect((await b.recv(100)).length).to.equal(0);
  });

  it('without allowHalfOpen the end of the peer ends both directions', async () => {
    const stream = a.duplex({ allowHalfOpen: false });
    stream.resume();
    b.shutdown(SHUT_WR);
    await within('close', once(stream, 'close'));
    expect((await b.recv(1)).length).to.equal(0);
  });

  it('reads no further ahead than its high water mark: a slow reader slows the peer down', async () => {
    const stream = a.duplex({ readableHighWaterMark: 4096 });
    const sending = b.sendAll(Buffer.alloc(5_000_000));
    await once(stream, 'readable');
    await turns(20);
    expect(stream.readableLength).to.be.at.most(2 * 4096);
    expect(await Promise.race([sending.then(() => 'sent'), turns(20).then(() => 'waits')])).to.equal('waits');
    let total = 0;
    for await (const chunk of stream) {
      total += (chunk as Buffer).length;
      if (total === 5_000_000) break;
    }
    await within('sendAll', sending);
  });

  it('tells when there is no more room to write, and when there is again', async () => {
    const stream = a.duplex({ writableHighWaterMark: 1000 });
    expect(stream.write(Buffer.alloc(999))).to.equal(true);
    expect(stream.write(Buffer.alloc(5_000_000))).to.equal(false);
    let drained = false;
    stream.once('drain', () => {
      drained = true;
    });
    await turns(10);
    expect(drained).to.equal(false);
    let total = 0;
    while (total < 5_000_999) total += (await b.recv(65_536)).length;
    if (!drained) await within('drain', once(stream, 'drain'));
    stream.destroy();
  });

  it('strings, encodings and corked pieces arrive as they were written', async () => {
    const stream = a.duplex();
    stream.cork();
    stream.write('äöü');
    stream.write('7a7a', 'hex');
    stream.write(new Uint8Array([65]));
    stream.uncork();
    stream.end();
    const chunks: Buffer[] = [];
    for await (const chunk of b.chunks()) chunks.push(chunk);
    expect(String(Buffer.concat(chunks))).to.equal('äöüzzA');
  });

  it('destroy closes the socket with a read and a write pending, without an error', async () => {
    const stream = a.duplex();
    const fd = a.fileno();
    stream.on('data', () => {});
    stream.write(Buffer.alloc(5_000_000));
    await turns(3);
    let failed: unknown;
    stream.on('error', (error) => {
      failed = error;
    });
    stream.destroy();
    expect([a.closed, isOpen(fd)]).to.deep.equal([true, false]);
    await once(stream, 'close');
    await turns(5);
    expect(failed).to.equal(undefined);
  });

  it('destroy with an error emits it', async () => {
    const stream = a.duplex();
    const reason = new Error('on purpose');
    const failed = once(stream, 'error');
    stream.destroy(reason);
    expect((await failed)[0]).to.equal(reason);
    expect(a.closed).to.equal(true);
  });

  it('an error of the connection destroys it, whoever meets it', async () => {
    for (const meets of ['read', 'write'] as const) {
      const [c, d] = tcpPair();
      const stream = c.duplex();
      const failed = once(stream, 'error');
      if (meets === 'read') stream.resume();
      else await turns(1);
      d.setOption(soLinger, 0);
      d.close();
      if (meets === 'write') {
        await turns(2);
        stream.write('too late');
      }
      const [error] = await within('error', failed);
      expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
      await turns(2);
      expect(c.closed).to.equal(true);
    }
  });

  it('closing the socket beneath ends the stream with an error', async () => {
    const stream = a.duplex();
    stream.resume();
    await turns(2);
    const failed = once(stream, 'error');
    a.close();
    expect((await within('error', failed))[0].code).to.equal('ECANCELED');
    expect(stream.destroyed).to.equal(true);
  });

  it('the timeout of the socket is not for streams, which wait', async () => {
    a.timeout = 10;
    const stream = a.duplex();
    const data = once(stream, 'data');
    await new Promise((resolve) => setTimeout(resolve, 40));
    b.sendSync('patience');
    expect(String((await within('data', data))[0])).to.equal('patience');
    stream.destroy();
  });

  it('pipeline: through transformations, to the end, with nothing lost', async () => {
    const data = pattern(3_000_000);
    const [c, d] = pair();
    const echo = d.duplex();
    const server = pipeline(echo, new PassThrough(), echo);
    const client = c.duplex();
    const sending = pipeline(Readable.from([data.subarray(0, 1), data.subarray(1)]), client, { end: true });
    const hash = createHash('sha256');
    for await (const chunk of client) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).to.equal(sha256(data));
    await within('pipeline', Promise.all([server, sending]));
  });

  it('subclasses can receive and send in their own way', async () => {
    class Shouting extends SocketDuplex {
      protected override async receive(size: number): Promise<Buffer> {
        return Buffer.from(String(await super.receive(size)).toUpperCase());
      }

      protected override transmit(chunk: Uint8Array): Promise<void> {
        return super.transmit(Buffer.from(`${Buffer.from(chunk)}!`));
      }
    }
    const stream = new Shouting(a as Socket<unknown>);
    stream.write('hello');
    expect(String(await b.recv(100))).to.equal('hello!');
    b.sendSync('world');
    expect(String((await once(stream, 'data'))[0])).to.equal('WORLD');
    stream.destroy();
  });

  it('tells when it was idle, as a net.Socket does', async () => {
    const stream = a.duplex();
    const events: string[] = [];
    expect(stream.timeout).to.equal(0);
    expect(stream.setTimeout(60, () => events.push('listener'))).to.equal(stream);
    stream.on('timeout', () => events.push('timeout'));
    expect(stream.timeout).to.equal(60);
    stream.resume();
    for (let i = 0; i < 8; i++) {
      await delay(20);
      if (i % 2 === 0) b.sendSync('x');
      else stream.write('y');
    }
    const before = events.length;
    b.sendSync('z');
    await within('timeout', once(stream, 'timeout'));
    expect(events.slice(before)).to.include('timeout');
    expect(events.filter((event) => event === 'listener')).to.have.length(1);
    expect([stream.destroyed, a.closed]).to.deep.equal([false, false]);
    stream.setTimeout(30);
    stream.setTimeout(0);
    const all = events.length;
    await delay(60);
    expect(events).to.have.length(all);
    stream.setTimeout(20).destroy();
    await delay(40);
    expect(events).to.have.length(all);
    for (const value of [-1, Number.NaN, 2 ** 31, null, '5']) {
      expect(thrown(() => stream.setTimeout(value as never))).to.include({ argument: 'timeout' });
    }
  });

  it('has what agents of node:http call', () => {
    const stream = a.duplex();
    expect([stream.ref(), stream.unref(), stream.setNoDelay(), stream.setKeepAlive(true)]).to.deep.equal(
      Array(4).fill(stream),
    );
    expect(a.getOption(soKeepAlive)).to.equal(true);
    stream.setKeepAlive();
    expect(a.getOption(soKeepAlive)).to.equal(false);
    expect(thrown(() => stream.setKeepAlive(1 as never))).to.include({ argument: 'enable' });
    stream.destroy();
    expect(stream.setKeepAlive(true).ref()).to.equal(stream);
  });

  it('bad options', () => {
    for (const options of [null, 7, 'x', []]) {
      expect(thrown(() => a.duplex(options as never))).to.include({ argument: 'options' });
    }
    expect(thrown(() => a.duplex({ readableHighWaterMark: -1 })).code).to.match(/^ERR_/);
    a.close();
    expect(a.duplex().destroyed).to.equal(false);
  });
});

describe('what takes a stream takes a duplex', () => {
  const stack = new Cleanup();
  afterEach(async () => {
    stack[Symbol.dispose]();
    await turns(5);
  });

  it('tls.connect and a TLS server', async () => {
    const server = tls.createServer(SERVER, (socket) => socket.pipe(socket));
    const listener = stack.use(tcpServer());
    const accepting = listener.accept();
    const connection = new Socket(listener.family);
    connection.connectSync(listener.getsockname());
    server.emit('connection', (await accepting).socket.duplex());
    const secure = tls.connect({ socket: connection.duplex(), ...CLIENT });
    await within('secureConnect', once(secure, 'secureConnect'));
    const data = pattern(500_000);
    secure.end(data);
    const hash = createHash('sha256');
    for await (const chunk of secure) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).to.equal(sha256(data));
  });

  it('an http.Server and an http.Agent, with keep-alive', async () => {
    const server = http.createServer((request, response) => {
      let length = 0;
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      request.on('end', () => response.end(`${request.method} ${request.url} ${length}`));
    });
    const [a, b] = pair();
    server.emit('connection', b.duplex());
    const stream = a.duplex();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = () => stream as unknown as net.Socket;
    const ask = (path: string, body: Buffer): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = http.request({ agent, path, method: 'POST', host: 'local' }, (response) => {
          response.setEncoding('utf8').on('data', resolve);
        });
        request.on('error', reject);
        request.end(body);
      });
    expect(await within('first', ask('/one', Buffer.alloc(100_000)))).to.equal('POST /one 100000');
    expect(await within('second', ask('/two', Buffer.alloc(3)))).to.equal('POST /two 3');
    agent.destroy();
    stream.destroy();
    await turns(5);
    expect([a.closed, b.closed]).to.deep.equal([true, true]);
  });

  it('a connection of node:net on the other side', async () => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const socket = new Socket(inet);
    await socket.connect({ host: '127.0.0.1', port });
    const stream = socket.duplex();
    const data = pattern(2_000_000);
    stream.end(data);
    const hash = createHash('sha256');
    for await (const chunk of stream) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).to.equal(sha256(data));
    server.close();
  });
});
