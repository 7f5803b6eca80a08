import { createHash } from 'node:crypto';
import { SocketError, soLinger } from '@sock/core';
import { expect } from 'chai';
import { pattern, sha256 } from '../fixtures.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { rejection } from './failures.js';

/** `readable` and `writable`: Web streams. */
export function webTests<A, I>(bench: Bench<A, I>): void {
  if (!bench.supports.streams) return;
  describe('Web streams', () => {
    it('pipeTo carries everything', async () => {
      const [a, b] = await bench.pair();
      const data = pattern(1_500_000, 41);
      let at = 0;
      const source = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= data.length) {
            controller.close();
            return;
          }
          controller.enqueue(data.subarray(at, at + 60_001));
          at += 60_001;
        },
      });
      const hash = createHash('sha256');
      const reading = (async () => {
        for await (const chunk of b.readable) hash.update(chunk);
      })();
      await within('the pipe', Promise.all([source.pipeTo(a.writable), reading]), 15_000);
      expect(hash.digest('hex')).to.equal(sha256(data));
    });

    it('a write is done when it was handed over, and not before', async () => {
      const [a, b] = await bench.pair();
      const writer = a.writable.getWriter();
      const data = pattern(16 * 1024 * 1024, 42);
      let done = false;
      const writing = writer.write(data).then(() => {
        done = true;
      });
      await turns(5);
      expect(done).to.equal(false);
      const hash = createHash('sha256');
      for (let left = data.length; left > 0; ) {
        const chunk = await within('data', b.recv(left));
        hash.update(chunk);
        left -= chunk.length;
      }
      await within('the write', writing);
      expect(hash.digest('hex')).to.equal(sha256(data));
    });

    it('strings are sent as UTF-8', async () => {
      const [a, b] = await bench.pair();
      const writer = a.writable.getWriter();
      await writer.write('☃');
      expect((await b.recv(8)).toString()).to.equal('☃');
      const error = await rejection(writer.write(7 as never));
      expect(error).to.be.instanceOf(TypeError).with.property('code', 'ERR_INVALID_ARG_TYPE');
    });

    it('reads into memory of the caller', async () => {
      const [a, b] = await bench.pair();
      const reader = b.readable.getReader({ mode: 'byob' });
      const reading = reader.read(new Uint8Array(16));
      await turns(1);
      await a.send('into this');
      const { value, done } = await within('read', reading);
      expect(done).to.equal(false);
      expect(Buffer.from(value as Uint8Array).toString()).to.equal('into this');
      expect((value as Uint8Array).buffer.byteLength).to.equal(16);
    });

    it('reads nothing before somebody asks', async () => {
      const [a, b] = await bench.pair();
      const stream = b.readable;
      await a.send('untouched');
      await turns(5);
      expect((await b.recv(100)).toString()).to.equal('untouched');
      await a.send('asked for');
      const reader = stream.getReader();
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).to.equal('asked for');
    });

    if (bench.supports.halfClose) {
      it('closing one direction leaves the other', async () => {
        const [a, b] = await bench.pair();
        await a.writable.close();
        const reader = b.readable.getReader();
        expect((await within('the end', reader.read())).done).to.equal(true);
        await b.send('still');
        expect((await a.recv(8)).toString()).to.equal('still');
        expect([a.closed, b.closed]).to.deep.equal([false, false]);
      });

      it('cancelling the readable ends that direction, also a read that is pending', async () => {
        const [a, b] = await bench.pair();
        const reader = b.readable.getReader();
        const reading = reader.read().catch(() => {});
        await turns(2);
        await within('cancel', reader.cancel());
        await within('the read', reading);
        await b.send('other direction');
        expect((await a.recv(100)).toString()).to.equal('other direction');
      });
    }

    it('an empty write is nothing', async () => {
      const [a, b] = await bench.pair();
      const writer = a.writable.getWriter();
      await writer.write(new Uint8Array(0));
      await writer.write('x');
      expect((await b.recv(8)).toString()).to.equal('x');
    });

    if (bench.supports.reset) {
      it('a reset is an error of the reader', async () => {
        const [a, b] = await bench.pair();
        const reading = rejection(a.readable.getReader().read());
        await turns(2);
        b.setOption(soLinger, 0);
        b.close();
        expect(await within('the read', reading))
          .to.be.instanceOf(SocketError)
          .with.property('code', 'ECONNRESET');
      });
    }
  });
}
