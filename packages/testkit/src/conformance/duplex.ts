import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Socket, SocketError, soLinger } from '@sock/core';
import { expect } from 'chai';
import { pattern, sha256 } from '../fixtures.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';

const LARGE = 2 * 1024 * 1024;

/** A readable over `data`, in pieces of odd sizes. */
function source(data: Buffer): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7 + 13) % 100_003) {
        yield data.subarray(at, at + size);
      }
    })(),
    { objectMode: false },
  );
}

/** `duplex()`: node streams. */
export function duplexTests<A, I>(bench: Bench<A, I>): void {
  if (!bench.supports.streams) return;
  const streams = async () => {
    const [a, b] = await bench.pair();
    return { a, b, left: a.duplex(), right: b.duplex() };
  };

  describe('duplex', () => {
    if (bench.supports.halfClose) echoTests(streams);
    transferTests(streams);
    endTests(bench, streams);
    destroyTests(bench, streams);
  });
}

type Streams<A, I> = () => Promise<{
  a: Socket<A, I>;
  b: Socket<A, I>;
  left: ReturnType<Socket['duplex']>;
  right: ReturnType<Socket['duplex']>;
}>;

function echoTests<A, I>(streams: Streams<A, I>): void {
  it('pipeline carries everything, there and back', async () => {
    const { left, right } = await streams();
    const data = pattern(LARGE, 31);
    const hash = createHash('sha256');
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        hash.update(chunk);
        callback();
      },
    });
    await within(
      'the pipelines',
      Promise.all([pipeline(source(data), left), pipeline(right, right), pipeline(left, sink)]),
      15_000,
    );
    expect(hash.digest('hex')).to.equal(sha256(data));
    expect(left.destroyed).to.equal(true);
  });
}

function transferTests<A, I>(streams: Streams<A, I>): void {
  it('writes that are corked arrive in order', async () => {
    const { left, right } = await streams();
    left.cork();
    for (let i = 0; i < 100; i++) left.write(`${i},`);
    left.uncork();
    left.end();
    let text = '';
    for await (const chunk of right.setEncoding('utf8')) text += chunk;
    expect(text).to.equal(Array.from({ length: 100 }, (_, i) => `${i},`).join(''));
  });

  it('a character that is torn apart is whole again', async () => {
    const { left, right } = await streams();
    const bytes = Buffer.from('☃');
    let text = '';
    right.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    for (const byte of bytes) {
      left.write(Buffer.of(byte));
      await turns(3);
    }
    left.end();
    await within('the end', once(right, 'end'));
    expect(text).to.equal('☃');
  });

  it('a writer is held back while nobody reads', async () => {
    const { left, right } = await streams();
    const piece = pattern(65_536, 5);
    let written = 0;
    for (let i = 0; i < 1000; i++) {
      written++;
      if (!left.write(piece)) {
        // it may drain into the kernel's buffers, but not for ever
        const drained = once(left, 'drain').then(() => true);
        if (!(await Promise.race([drained, turns(50).then(() => false)]))) break;
      }
    }
    expect(written).to.be.below(1000);
    expect(left.writableNeedDrain).to.equal(true);
    left.end();
    const hash = createHash('sha256');
    for await (const chunk of right) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).to.equal(sha256(...Array.from({ length: written }, () => piece)));
  });

  it('a reader that does not read holds the peer back', async () => {
    const { a, right } = await streams();
    const chunk = Buffer.alloc(65_536);
    right.read(0);
    let sent = 0;
    for (let quiet = 0; quiet < 5; ) {
      const count = a.trySend(chunk);
      if (count === null) {
        quiet++;
        await turns(10);
      } else {
        quiet = 0;
        sent += count;
      }
      expect(sent, 'bytes that nobody wanted').to.be.below(64 * 1024 * 1024);
    }
    expect(right.readableLength).to.be.within(1, 2 * 65_536);
    right.destroy();
  });
}

function endTests<A, I>(bench: Bench<A, I>, streams: Streams<A, I>): void {
  if (!bench.supports.halfClose) return;

  it('end() is an end for the peer, whose answer still comes', async () => {
    const { left, b } = await streams();
    left.end('question');
    let asked = '';
    for await (const chunk of b.chunks()) asked += chunk.toString();
    expect(asked).to.equal('question');
    await b.sendAll('answer');
    b.close();
    let answer = '';
    for await (const chunk of left) answer += String(chunk);
    expect(answer).to.equal('answer');
    if (!left.closed) await within('close', once(left, 'close'));
    expect(left.socket.closed, 'both directions are done').to.equal(true);
  });

  it('the end of the peer leaves the other direction open', async () => {
    const { left, right } = await streams();
    left.end();
    await within('the end', once(right.resume(), 'end'));
    expect(right.destroyed).to.equal(false);
    right.end('still');
    let text = '';
    for await (const chunk of left) text += String(chunk);
    expect(text).to.equal('still');
  });

  it('allowHalfOpen: false answers an end with an end', async () => {
    const [a, b] = await bench.pair();
    const right = b.duplex({ allowHalfOpen: false }).resume();
    const left = a.duplex().resume();
    left.end();
    await within('both to close', Promise.all([once(left, 'close'), once(right, 'close')]));
    expect([a.closed, b.closed]).to.deep.equal([true, true]);
  });
}

function destroyTests<A, I>(bench: Bench<A, I>, streams: Streams<A, I>): void {
  it('destroy() closes the socket', async () => {
    const { a, b, left } = await streams();
    left.resume();
    await turns(2);
    left.destroy();
    await within('close', once(left, 'close'));
    expect(a.closed).to.equal(true);
    if (bench.supports.endOfFile) expect((await within('the end', b.recv(8))).length).to.equal(0);
  });

  it('destroy(error) tells the error, and closes the socket', async () => {
    const { a, left } = await streams();
    const error = new Error('no more of this');
    const told = once(left, 'error');
    left.destroy(error);
    expect((await within('error', told))[0]).to.equal(error);
    expect(a.closed).to.equal(true);
  });

  it('destroy() with a write that waits ends it', async () => {
    const { left } = await streams();
    left.on('error', () => {});
    const ended = new Promise<unknown>((resolve) => left.write(Buffer.alloc(32 * 1024 * 1024), resolve));
    await turns(3);
    left.destroy();
    await within('the write', ended);
    expect(left.socket.closed).to.equal(true);
  });

  it('closing the socket beneath destroys the stream', async () => {
    const { a, left } = await streams();
    const told = once(left, 'error');
    left.resume();
    await turns(2);
    a.close();
    expect((await within('error', told))[0])
      .to.be.instanceOf(SocketError)
      .with.property('code', 'ECANCELED');
    expect(left.destroyed).to.equal(true);
  });

  if (!bench.supports.reset) return;
  it('a reset is an error of the stream', async () => {
    const { a, b, left } = await streams();
    const told = once(left, 'error');
    left.resume();
    await turns(2);
    b.setOption(soLinger, 0);
    b.close();
    expect((await within('error', told))[0])
      .to.be.instanceOf(SocketError)
      .with.property('code', 'ECONNRESET');
    expect(a.closed).to.equal(true);
  });
}
