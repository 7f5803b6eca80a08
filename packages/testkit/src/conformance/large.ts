import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Socket } from '@sock/core';
import { expect } from 'chai';
import { startCommand } from '../children.js';
import { pattern, sha256, tempPath } from '../fixtures.js';
import { scaled, within } from '../time.js';
import type { Bench } from './bench.js';
import { FORMS, perform } from './forms.js';

const LARGE = 4 * 1024 * 1024;

/** Receives until `total` bytes have come: their hash. */
async function drain<A, I>(socket: Socket<A, I>, total: number, size = 65_536): Promise<string> {
  const hash = createHash('sha256');
  const bytes = new Uint8Array(size);
  let left = total;
  while (left > 0) {
    const count = await within(`${left} more bytes`, socket.recvInto(bytes), 10_000);
    if (count === 0) throw new Error(`end of file with ${left} bytes to come`);
    hash.update(bytes.subarray(0, count));
    left -= count;
  }
  return hash.digest('hex');
}

/** Transfers that no buffer of the kernel holds, checked by hash; partial sends; files. */
export function largeTests<A, I>(bench: Bench<A, I>): void {
  if (!bench.supports.flowControl) return;
  describe('large transfers', function () {
    this.timeout(60_000);
    if (bench.isStream) streamTests(bench);
    else messageTests(bench);
    if (bench.supports.sendFile) fileTests(bench);

    for (const form of ['promise', 'try'] as const) {
      it(`${form} form: a full pipe takes a part or nothing, and what it took arrives`, async () => {
        const [a, b] = await bench.pair();
        const piece = bench.isStream ? pattern(300_000, 3) : pattern(Math.min(bench.largest, 4096), 3);
        const hash = createHash('sha256');
        let total = 0;
        for (let i = 0; ; i++) {
          const count = a.trySend(piece);
          if (count === null) break;
          expect(count).to.be.within(1, piece.length);
          hash.update(piece.subarray(0, count));
          total += count;
          if (i > 10_000) throw new Error('the pipe is never full');
        }
        let rest = 0;
        if (form === 'promise') {
          const sending = a.send(piece);
          const [received] = await Promise.all([drain(b, total), sending]);
          expect(received).to.equal(hash.digest('hex'));
          rest = await sending;
          expect(await drain(b, rest)).to.equal(sha256(piece.subarray(0, rest)));
        } else {
          expect(await drain(b, total)).to.equal(hash.digest('hex'));
          rest = await perform('try', a, 'send', piece);
          expect(await drain(b, rest)).to.equal(sha256(piece.subarray(0, rest)));
        }
      });
    }
  });
}

function streamTests<A, I>(bench: Bench<A, I>): void {
  it('sendAll in both directions at once', async () => {
    const [a, b] = await bench.pair();
    const fromA = pattern(LARGE, 1);
    const fromB = pattern(LARGE, 2);
    const [, , atB, atA] = await Promise.all([
      a.sendAll(fromA),
      b.sendAll(fromB),
      drain(b, LARGE),
      drain(a, LARGE, 5000),
    ]);
    expect(atB).to.equal(sha256(fromA));
    expect(atA).to.equal(sha256(fromB));
  });

  it('many sendAll of odd sizes keep their order', async () => {
    const [a, b] = await bench.pair();
    const pieces = Array.from({ length: 40 }, (_, i) => pattern(1 + i * 7919, i + 1));
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const [received] = await Promise.all([drain(b, total), ...pieces.map((piece) => a.sendAll(piece))]);
    expect(received).to.equal(sha256(...pieces));
  });

  it('sendAllSync to another process', async () => {
    const [a, b] = await bench.pair();
    const data = pattern(LARGE, 4);
    const fd = b.detach({ blocking: true });
    await using child = startCommand('sh', ['-c', 'sha256sum <&3'], { descriptors: [fd] });
    closeSync(fd);
    a.timeout = scaled(20_000);
    a.sendAllSync(data);
    bench.finish(a);
    expect((await child.succeeded()).stdout.slice(0, 64)).to.equal(sha256(data));
  });

  it('recvIntoSync from another process', async () => {
    const [a, b] = await bench.pair();
    const data = pattern(LARGE, 5);
    const path = tempPath();
    writeFileSync(path, data);
    const fd = b.detach({ blocking: true });
    await using child = startCommand('sh', ['-c', 'cat "$0" >&3', path], { descriptors: [fd] });
    closeSync(fd);
    a.timeout = scaled(20_000);
    const received = Buffer.alloc(LARGE);
    let filled = 0;
    while (filled < LARGE) {
      const count = a.recvIntoSync(received.subarray(filled));
      if (count === 0) break;
      filled += count;
    }
    expect(filled).to.equal(LARGE);
    expect(sha256(received)).to.equal(sha256(data));
    await child.succeeded();
  });
}

function messageTests<A, I>(bench: Bench<A, I>): void {
  it('many messages in both directions at once, none lost and in order', async () => {
    const [a, b] = await bench.pair();
    const size = Math.min(bench.largest, 1500);
    const length = (i: number): number => (bench.supports.oddSizes ? 1 + (i % size) : Math.min(size, 1024));
    const count = 1500;
    const send = async (socket: Socket<A, I>, seed: number) => {
      for (let i = 0; i < count; i++) await socket.send(pattern(length(i), seed + i));
    };
    const receive = async (socket: Socket<A, I>, seed: number) => {
      for (let i = 0; i < count; i++) {
        const data = await within(`message ${i}`, socket.recv(65_536));
        if (!data.equals(pattern(length(i), seed + i))) throw new Error(`message ${i} is not what was sent`);
      }
    };
    await Promise.all([send(a, 1), send(b, 50_000), receive(b, 1), receive(a, 50_000)]);
  });
}

function fileTests<A, I>(bench: Bench<A, I>): void {
  const content = pattern(1_500_000, 6);
  let path: string;
  before(() => {
    path = tempPath();
    writeFileSync(path, content);
  });

  it('promise form: sendFile sends a whole file', async () => {
    const [a, b] = await bench.pair();
    const file = await open(path);
    try {
      const [count, received] = await Promise.all([a.sendFile(file, {}), drain(b, content.length)]);
      expect(count).to.equal(content.length);
      expect(received).to.equal(sha256(content));
    } finally {
      await file.close();
    }
  });

  for (const form of FORMS) {
    it(`${form} form: sendFile sends a part of a file`, async () => {
      const [a, b] = await bench.pair();
      const fd = openSync(path, 'r');
      try {
        const count = await perform(form, a, 'sendFile', fd, { offset: 1000, count: 5000 });
        expect(count).to.equal(5000);
        expect(await drain(b, 5000)).to.equal(sha256(content.subarray(1000, 6000)));
        const past = await perform(form, a, 'sendFile', fd, { offset: content.length - 10, count: 5000 });
        expect(past, 'to the end of the file').to.equal(10);
        expect(await drain(b, 10)).to.equal(sha256(content.subarray(-10)));
        expect(await perform(form, a, 'sendFile', fd, { offset: content.length }), 'nothing left').to.equal(0);
      } finally {
        closeSync(fd);
      }
    });
  }

  it('without an offset the position of the file advances', async () => {
    const [a, b] = await bench.pair();
    const fd = openSync(path, 'r');
    try {
      expect(await a.sendFile(fd, { count: 100 })).to.equal(100);
      expect(await a.sendFile(fd, { count: 100 })).to.equal(100);
      expect(await drain(b, 200)).to.equal(sha256(content.subarray(0, 200)));
    } finally {
      closeSync(fd);
    }
  });
}
