import { MSG_CTRUNC, MSG_TRUNC, MSG_WAITALL } from '@sock/core';
import { expect } from 'chai';
import { pattern } from '../fixtures.js';
import { turns } from '../time.js';
import type { Bench } from './bench.js';
import { FORMS, invoke, perform } from './forms.js';

/** Every operation that moves bytes, in every form, over a connected pair. */
export function transferTests<A, I>(bench: Bench<A, I>): void {
  describe('sending and receiving', () => {
    for (const form of FORMS) formTests(bench, form);
    sourceTests(bench);
    targetTests(bench);

    it('a try form gives null where it would have to wait', async () => {
      const [a] = await bench.pair();
      const bytes = new Uint8Array(8);
      expect(a.tryRecv(8)).to.equal(null);
      expect(a.tryRecvInto(bytes)).to.equal(null);
      expect(a.tryRecvFrom(8)).to.equal(null);
      expect(a.tryRecvFromInto(bytes)).to.equal(null);
      expect(a.tryRecvMsg(8, 64)).to.equal(null);
      expect(a.tryRecvMsgInto([bytes], 64)).to.equal(null);
    });

    it('what was received is not touched by what comes later', async () => {
      const [a, b] = await bench.pair();
      const kept: Buffer[] = [];
      for (let i = 0; i < 50; i++) {
        await a.send(Buffer.alloc(20, i));
        kept.push(await b.recv(20));
      }
      for (const [i, data] of kept.entries()) expect(data.equals(Buffer.alloc(20, i)), `message ${i}`).to.equal(true);
      kept[0]?.fill(0xff);
      expect(kept[1]?.equals(Buffer.alloc(20, 1))).to.equal(true);
    });

    it('pieces of very different sizes arrive as they were', async () => {
      const [a, b] = await bench.pair();
      for (const size of [1, 2, 63, 64, 65, 511, 2047, 4096, bench.largest]) {
        const sent = pattern(size, size);
        expect(await a.send(sent)).to.equal(size);
        const received = bench.isStream ? await b.recv(size, { flags: MSG_WAITALL }) : await b.recv(size + 1);
        expect(received.equals(sent), `${size} bytes`).to.equal(true);
      }
    });
  });
}

function formTests<A, I>(bench: Bench<A, I>, form: (typeof FORMS)[number]): void {
  // a stream names no sender, and a peer without a name has none
  const sender = (): boolean => bench.supports.addresses;

  it(`${form} forms: send, recv, recvInto`, async () => {
    const [a, b] = await bench.pair();
    expect(await perform(form, a, 'send', 'first')).to.equal(5);
    expect(await perform(form, b, 'recv', 100)).to.deep.equal(Buffer.from('first'));
    expect(await perform(form, a, 'send', Buffer.from('second'))).to.equal(6);
    const bytes = new Uint8Array(10).fill(0x2e);
    expect(await perform(form, b, 'recvInto', bytes)).to.equal(6);
    expect(Buffer.from(bytes).toString()).to.equal('second....');
  });

  it(`${form} forms: recvFrom, recvFromInto`, async () => {
    const [a, b] = await bench.pair();
    await a.send('one');
    const { data, address } = await perform(form, b, 'recvFrom', 100);
    expect(data.toString()).to.equal('one');
    await a.send('two');
    const bytes = Buffer.alloc(100);
    const into = await perform(form, b, 'recvFromInto', bytes);
    expect(bytes.toString('latin1', 0, into.bytes)).to.equal('two');
    if (sender()) expect(address).to.deep.equal(a.getsockname());
    else if (bench.isStream) expect(address).to.equal(null);
    expect(into.address).to.deep.equal(address);
  });

  it(`${form} forms: sendMsg gathers, recvMsgInto scatters`, async () => {
    const [a, b] = await bench.pair();
    const pieces = ['scatter', new Uint8Array(0), Buffer.from(' and '), new DataView(Uint8Array.of(103, 111).buffer)];
    expect(await perform(form, a, 'sendMsg', pieces)).to.equal(14);
    const targets = [Buffer.alloc(4), new Uint8Array(0), Buffer.alloc(5), Buffer.alloc(20)];
    const { bytes, flags, ancillary } = await perform(form, b, 'recvMsgInto', targets);
    expect(bytes).to.equal(14);
    expect(Buffer.concat(targets).toString('latin1', 0, 14)).to.equal('scatter and go');
    expect(flags & (MSG_TRUNC | MSG_CTRUNC)).to.equal(0);
    expect([...ancillary]).to.deep.equal([]);
    expect(await perform(form, a, 'sendMsg', pieces.slice(2))).to.equal(7);
    const message = await perform(form, b, 'recvMsg', 100);
    expect(message.data.toString()).to.equal(' and go');
    expect([...message.ancillary]).to.deep.equal([]);
  });

  it(`${form} forms: sendAll`, async () => {
    if (form === 'try') return;
    const [a, b] = await bench.pair();
    await invoke(form, a, 'sendAll', 'everything');
    expect((await b.recv(100)).toString()).to.equal('everything');
  });
}

function sourceTests<A, I>(bench: Bench<A, I>): void {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const shared = new SharedArrayBuffer(8);
  new Uint8Array(shared).set(bytes);
  const sources: [string, string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer, Uint8Array][] = [
    ['a string, as UTF-8', 'naïve ☃', Buffer.from('naïve ☃')],
    ['a Buffer', Buffer.from(bytes), bytes],
    ['a part of a Uint8Array', bytes.subarray(2, 5), Uint8Array.of(3, 4, 5)],
    ['a part of a Uint16Array', new Uint16Array(bytes.buffer, 2, 2), Uint8Array.of(3, 4, 5, 6)],
    ['a Float64Array', new Float64Array(bytes.buffer), bytes],
    ['a DataView', new DataView(bytes.buffer, 1, 3), Uint8Array.of(2, 3, 4)],
    ['an ArrayBuffer', bytes.buffer, bytes],
    ['a SharedArrayBuffer', shared, bytes],
  ];
  for (const [what, source, expected] of sources) {
    it(`sends ${what}`, async () => {
      const [a, b] = await bench.pair();
      for (const form of FORMS) {
        expect(await perform(form, a, 'send', source)).to.equal(expected.length);
        expect((await b.recv(100)).equals(expected), `send, ${form}`).to.equal(true);
        expect(await perform(form, a, 'sendMsg', [source])).to.equal(expected.length);
        expect((await b.recv(100)).equals(expected), `sendMsg, ${form}`).to.equal(true);
      }
      await a.sendAll(source);
      expect((await b.recv(100)).equals(expected), 'sendAll').to.equal(true);
    });
  }
}

function targetTests<A, I>(bench: Bench<A, I>): void {
  const targets: [string, (memory: ArrayBuffer) => ArrayBufferView | ArrayBuffer][] = [
    ['a part of a Uint8Array', (memory) => new Uint8Array(memory, 8, 8)],
    ['a Buffer', (memory) => Buffer.from(memory, 8, 8)],
    ['a DataView', (memory) => new DataView(memory, 8, 8)],
    ['a Float64Array', (memory) => new Float64Array(memory, 8, 1)],
  ];
  for (const [what, target] of targets) {
    it(`receives into ${what}, and not beside it`, async () => {
      const [a, b] = await bench.pair();
      for (const form of FORMS) {
        for (const operation of ['recvInto', 'recvFromInto', 'recvMsgInto'] as const) {
          const memory = new ArrayBuffer(24);
          const view = target(memory);
          await a.send('12345678');
          await turns(1);
          if (operation === 'recvMsgInto') await perform(form, b, operation, [view]);
          else if (operation === 'recvInto') expect(await perform(form, b, operation, view)).to.equal(8);
          else expect((await perform(form, b, operation, view)).bytes).to.equal(8);
          const text = Buffer.from(memory).toString('latin1');
          expect(text, `${operation}, ${form}`).to.equal(`${'\0'.repeat(8)}12345678${'\0'.repeat(8)}`);
        }
      }
    });
  }

  it('receives into a whole ArrayBuffer', async () => {
    const [a, b] = await bench.pair();
    await a.send('12345678');
    const memory = new ArrayBuffer(8);
    expect(await b.recvInto(memory)).to.equal(8);
    expect(Buffer.from(memory).toString()).to.equal('12345678');
  });

  if (bench.isStream) {
    it('a shorter target takes the beginning, and the rest stays', async () => {
      const [a, b] = await bench.pair();
      await a.send('abcdef');
      const bytes = Buffer.alloc(4);
      expect(await b.recvInto(bytes)).to.equal(4);
      expect(bytes.toString()).to.equal('abcd');
      expect((await b.recv(10)).toString()).to.equal('ef');
    });

    if (!bench.supports.recvNothing) return;
    it('recv of 0 bytes takes nothing', async () => {
      const [a, b] = await bench.pair();
      await a.send('x');
      expect((await b.recv(0)).length).to.equal(0);
      expect((await b.recv(1)).toString()).to.equal('x');
    });
  }
}
