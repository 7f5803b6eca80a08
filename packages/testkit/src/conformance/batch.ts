import { MessageBatch, MSG_TRUNC } from '@sock/core';
import { expect } from 'chai';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { thrown } from './failures.js';
import { FORMS, perform } from './forms.js';

/** recvBatch and sendBatch. */
export function batchTests<A, I>(bench: Bench<A, I>): void {
  if (!bench.supports.batch) return;
  describe('batches', () => {
    for (const form of FORMS) {
      it(`${form} forms: messages arrive in the order sent, each with its length`, async () => {
        const [a, b] = await bench.pair();
        const out = new MessageBatch<A, I>({ count: 8, size: 100 });
        const texts = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
        for (const [index, text] of texts.entries()) expect(out.push(text)).to.equal(index);
        expect(out.length).to.equal(5);
        expect(await perform(form, a, 'sendBatch', out)).to.equal(5);
        await turns(1);
        const batch = new MessageBatch<A, I>({ count: 8, size: 100 });
        const received: string[] = [];
        while (received.length < 5) {
          const count = await perform(form, b, 'recvBatch', batch);
          expect(count).to.equal(batch.length);
          for (let i = 0; i < count; i++) {
            received.push(batch.data(i).toString());
            expect(batch.flags(i) & MSG_TRUNC).to.equal(0);
          }
        }
        expect(received).to.deep.equal(texts);
      });
    }

    it('a batch takes what is there and does not wait for more', async () => {
      const [a, b] = await bench.pair();
      await a.send('one');
      await a.send('two');
      await turns(1);
      const batch = new MessageBatch<A, I>({ count: 64, size: 16 });
      expect(await within('recvBatch', b.recvBatch(batch))).to.be.within(1, 2);
    });

    it('a batch takes no more than it has room for, and the rest stays', async () => {
      const [a, b] = await bench.pair();
      for (let i = 0; i < 5; i++) await a.send(String(i));
      await turns(1);
      const batch = new MessageBatch<A, I>({ count: 2, size: 16 });
      const received: string[] = [];
      while (received.length < 5) {
        const count = await b.recvBatch(batch);
        expect(count).to.be.within(1, 2);
        for (let i = 0; i < count; i++) received.push(batch.data(i).toString());
      }
      expect(received).to.deep.equal(['0', '1', '2', '3', '4']);
      expect(b.tryRecvBatch(batch)).to.equal(null);
    });

    it('recvBatch waits for the first message', async () => {
      const [a, b] = await bench.pair();
      const batch = new MessageBatch<A, I>({ count: 4, size: 16 });
      const receiving = b.recvBatch(batch);
      await turns(2);
      await a.send('now');
      expect(await within('recvBatch', receiving)).to.equal(1);
      expect(batch.data(0).toString()).to.equal('now');
    });

    it('a message that is cut off says so', async () => {
      const [a, b] = await bench.pair();
      for (const text of ['short', 'much too long', 'ok']) await a.send(text);
      await turns(1);
      const batch = new MessageBatch<A, I>({ count: 1, size: 6 });
      const rest: [string, boolean][] = [
        ['oo lon', false],
        ['g', false],
      ];
      const expected: [string, boolean][] = [
        ['short', false],
        ['much t', bench.supports.truncation],
        ...(bench.supports.remainder ? rest : []),
        ['ok', false],
      ];
      const seen: [string, boolean][] = [];
      for (const _ of expected) {
        await b.recvBatch(batch);
        seen.push([batch.data(0).toString(), (batch.flags(0) & MSG_TRUNC) !== 0]);
      }
      expect(seen).to.deep.equal(expected);
    });

    it('a batch is used again, cleared and refilled', async () => {
      const [a, b] = await bench.pair();
      const batch = new MessageBatch<A, I>({ count: 3, size: 16 });
      for (let round = 0; round < 3; round++) {
        batch.clear();
        expect(batch.length).to.equal(0);
        for (let i = 0; i < 3; i++) batch.push(`${round}.${i}`);
        expect(thrown(() => batch.push('one too many')).code).to.equal('ERR_OUT_OF_RANGE');
        expect(await a.sendBatch(batch)).to.equal(3);
        for (let i = 0; i < 3; i++) expect((await b.recv(16)).toString()).to.equal(`${round}.${i}`);
      }
    });

    it('an empty batch sends nothing', async () => {
      const [a, b] = await bench.pair();
      const batch = new MessageBatch<A, I>({ count: 3, size: 16 });
      for (const form of FORMS) expect(await perform(form, a, 'sendBatch', batch)).to.equal(0);
      expect(b.tryRecv(16)).to.equal(null);
    });

    it('what lies outside the batch is refused', async () => {
      const batch = new MessageBatch<A, I>({ count: 3, size: 16 });
      batch.push('x');
      for (const index of [1, -1, 0.5, Number.NaN]) {
        expect(thrown(() => batch.data(index)).code, String(index)).to.equal('ERR_OUT_OF_RANGE');
        expect(thrown(() => batch.flags(index)).code, String(index)).to.equal('ERR_OUT_OF_RANGE');
      }
    });

    it('what was pushed is a copy', async () => {
      const [a, b] = await bench.pair();
      const batch = new MessageBatch<A, I>({ count: 1, size: 16 });
      const data = Buffer.from('before');
      batch.push(data);
      data.fill('!');
      await a.sendBatch(batch);
      expect((await b.recv(16)).toString()).to.equal('before');
    });

    if (bench.supports.flowControl) {
      it('sendBatch waits for room and sends the rest', async () => {
        const [a, b] = await bench.pair();
        const count = 300;
        const batch = new MessageBatch<A, I>({ count, size: 1024 });
        for (let i = 0; i < count; i++) batch.push(Buffer.alloc(1024, i));
        const sending = a.sendBatch(batch);
        const bytes = new Uint8Array(2000);
        for (let i = 0; i < count; i++) {
          expect(await within('a message', b.recvInto(bytes))).to.equal(1024);
          expect(bytes[0], `message ${i}`).to.equal(i & 255);
          expect(bytes[1023]).to.equal(i & 255);
        }
        expect(await within('sendBatch', sending)).to.equal(count);
      });
    }

    if (bench.isDatagram && bench.supports.addresses) addressTests(bench);
  });
}

function addressTests<A, I>(bench: Bench<A, I>): void {
  it('each message goes where it should, and says where it came from', async () => {
    const { socket: one, address: toOne } = await bench.bound();
    const { socket: two, address: toTwo } = await bench.bound();
    const { socket: client } = await bench.bound();
    const batch = new MessageBatch<A, I>({ count: 6, size: 16 });
    batch.push('1a', toOne);
    batch.push('2a', toTwo);
    batch.push('2b', toTwo);
    batch.push('1b', client.encodeAddress(toOne));
    for (const form of FORMS) {
      expect(await perform(form, client, 'sendBatch', batch)).to.equal(4);
      await turns(1);
      for (const [socket, texts] of [
        [one, ['1a', '1b']],
        [two, ['2a', '2b']],
      ] as const) {
        const into = new MessageBatch<A, I>({ count: 6, size: 16 });
        const received: string[] = [];
        while (received.length < 2) {
          await perform(form, socket, 'recvBatch', into);
          for (let i = 0; i < into.length; i++) {
            received.push(into.data(i).toString());
            expect(into.address(i)).to.deep.equal(client.getsockname());
          }
        }
        expect(received).to.deep.equal(texts);
      }
    }
  });

  it('addresses of several senders in one batch', async () => {
    const { socket: server, address } = await bench.bound();
    const clients = [(await bench.bound()).socket, (await bench.bound()).socket];
    const turn = [0, 1, 1, 0];
    for (const i of turn) await clients[i]?.sendTo(String(i), address);
    await turns(1);
    const batch = new MessageBatch<A, I>({ count: 4, size: 16 });
    const senders: unknown[] = [];
    while (senders.length < 4) {
      const count = await server.recvBatch(batch);
      for (let i = 0; i < count; i++) senders.push(batch.address(i));
    }
    expect(senders).to.deep.equal(turn.map((i) => clients[i]?.getsockname()));
  });
}
