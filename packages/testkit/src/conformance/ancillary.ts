import {
  type Ancillary,
  type AncillaryMessage,
  MessageBatch,
  MSG_CTRUNC,
  type SocketOption,
  scmTimestamp,
  scmTimestampNs,
  soTimestamp,
  soTimestampNs,
} from '@sock/core';
import { expect } from 'chai';
import { scaled } from '../time.js';
import type { Bench } from './bench.js';
import { FORMS, perform } from './forms.js';

const STAMPS: [SocketOption<boolean>, AncillaryMessage<bigint>][] = [
  [soTimestamp, scmTimestamp],
  [soTimestampNs, scmTimestampNs],
];

function expectNow(nanoseconds: bigint | undefined): void {
  expect(nanoseconds).to.be.a('bigint');
  expect(Number((nanoseconds as bigint) / 1_000_000n)).to.be.closeTo(Date.now(), scaled(10_000));
}

/** Control messages that every family has. */
export function ancillaryTests<A, I>(bench: Bench<A, I>): void {
  describe('ancillary data', () => {
    for (const form of FORMS) {
      it(`${form} forms: none comes where none was asked for, whatever the room`, async () => {
        const [a, b] = await bench.pair();
        for (const size of [0, 1, 16, 100, 4096]) {
          expect(await perform(form, a, 'sendMsg', ['x'], { ancillary: [] })).to.equal(1);
          const { ancillary, flags, data } = await perform(form, b, 'recvMsg', 8, size);
          expect(data.toString()).to.equal('x');
          expect([...ancillary]).to.deep.equal([]);
          expect(ancillary.length).to.equal(0);
          expect(flags & MSG_CTRUNC).to.equal(0);
          ancillary[Symbol.dispose]();
        }
      });
    }

    if (!bench.supports.timestamps) return;
    for (const [option, message] of STAMPS) {
      for (const form of FORMS) {
        it(`${form} forms: ${message.label}`, async () => {
          const [a, b] = await bench.pair();
          b.setOption(option, true);
          await a.send('one');
          const { data, ancillary } = await perform(form, b, 'recvMsg', 8, message.space);
          expect(data.toString()).to.equal('one');
          expectNow(message.find(ancillary));
          expect(message.findAll(ancillary)).to.have.length(1);
          await a.send('two');
          const into = await perform(form, b, 'recvMsgInto', [Buffer.alloc(8)], message.space);
          expectNow(message.find(into.ancillary));
        });
      }
    }

    it('what has no room is reported as cut off', async () => {
      const [a, b] = await bench.pair();
      b.setOption(soTimestampNs, true);
      for (const size of [0, 1, 15, 16, 20]) {
        await a.send('x');
        const { ancillary, flags, data } = await b.recvMsg(8, size);
        expect(data.toString(), `room for ${size}`).to.equal('x');
        expect(flags & MSG_CTRUNC, `room for ${size}`).to.equal(MSG_CTRUNC);
        expect(scmTimestampNs.find(ancillary), `room for ${size}`).to.equal(undefined);
      }
    });

    it('control messages outlive the message and the next one', async () => {
      const [a, b] = await bench.pair();
      b.setOption(soTimestampNs, true);
      const kept: Ancillary[] = [];
      for (let i = 0; i < 5; i++) {
        await a.send('x');
        kept.push((await b.recvMsg(8, scmTimestampNs.space)).ancillary);
      }
      const times = kept.map((ancillary) => scmTimestampNs.find(ancillary));
      for (const time of times) expectNow(time);
      expect(new Set(times).size, 'each has its own').to.equal(5);
    });

    if (!bench.supports.batch) return;
    it('each message of a batch has its own', async () => {
      const [a, b] = await bench.pair();
      b.setOption(soTimestampNs, true);
      for (let i = 0; i < 3; i++) await a.send(String(i));
      const batch = new MessageBatch<A, I>({ count: 4, size: 8, ancillarySize: scmTimestampNs.space });
      let seen = 0;
      while (seen < 3) {
        const count = await b.recvBatch(batch);
        for (let i = 0; i < count; i++) {
          expectNow(scmTimestampNs.find(batch.ancillary(i)));
          expect(batch.flags(i) & MSG_CTRUNC).to.equal(0);
        }
        seen += count;
      }
    });
  });
}
