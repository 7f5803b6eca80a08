import { SHUT_RD, SHUT_RDWR, SHUT_WR, SocketError, soError, soLinger } from '@sock/core';
import { expect } from 'chai';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { failure, rejection } from './failures.js';
import { FORMS, perform } from './forms.js';

/** End of file, half-close, reset. */
export function shutdownTests<A, I>(bench: Bench<A, I>): void {
  const { halfClose, reset } = bench.supports;
  if (bench.tellsEnd) endTests(bench);
  if (halfClose) halfCloseTests(bench);
  if (reset) resetTests(bench);
}

function endTests<A, I>(bench: Bench<A, I>): void {
  describe('end of file', () => {
    for (const form of FORMS) {
      it(`${form} forms: it is empty, and stays so`, async () => {
        const [a, b] = await bench.pair();
        bench.finish(a);
        await turns(1);
        const bytes = new Uint8Array(8);
        for (let i = 0; i < 2; i++) {
          expect((await perform(form, b, 'recv', 8)).length).to.equal(0);
          expect(await perform(form, b, 'recvInto', bytes)).to.equal(0);
          expect((await perform(form, b, 'recvFrom', 8)).data.length).to.equal(0);
          expect((await perform(form, b, 'recvFromInto', bytes)).bytes).to.equal(0);
          expect((await perform(form, b, 'recvMsg', 8, 64)).data.length).to.equal(0);
          expect((await perform(form, b, 'recvMsgInto', [bytes], 64)).bytes).to.equal(0);
        }
      });
    }

    it('what was sent before comes first', async () => {
      const [a, b] = await bench.pair();
      await a.send('last words');
      bench.finish(a);
      expect((await b.recv(100)).toString()).to.equal('last words');
      expect((await b.recv(100)).length).to.equal(0);
    });

    it('it ends every recv that is pending', async () => {
      const [a, b] = await bench.pair();
      const receiving = [b.recv(8), b.recv(8), b.recv(8)];
      await turns(2);
      bench.finish(a);
      for (const data of await within('the end', Promise.all(receiving))) expect(data.length).to.equal(0);
    });

    it('sending to a peer that is gone fails, without a signal', async () => {
      const [a, b] = await bench.pair();
      b.close();
      const errors: SocketError[] = [];
      for (let i = 0; i < 50 && errors.length === 0; i++) {
        await a.send('x').catch((error: SocketError) => errors.push(error));
        await turns(1);
      }
      expect(errors[0]).to.be.instanceOf(SocketError);
      expect(errors[0]?.code).to.be.oneOf(['EPIPE', 'ECONNRESET']);
    });
  });
}

function halfCloseTests<A, I>(bench: Bench<A, I>): void {
  describe('shutdown', () => {
    it('SHUT_WR is an end for the peer, which can still send', async () => {
      const [a, b] = await bench.pair();
      await a.send('request');
      a.shutdown(SHUT_WR);
      expect((await b.recv(100)).toString()).to.equal('request');
      expect((await b.recv(100)).length).to.equal(0);
      await b.send('answer');
      expect((await a.recv(100)).toString()).to.equal('answer');
    });

    for (const form of FORMS) {
      it(`${form} forms: sending after SHUT_WR is EPIPE`, async () => {
        const [a] = await bench.pair();
        a.shutdown(SHUT_WR);
        expect((await failure(form, a, 'send', 'x')).code).to.equal('EPIPE');
        expect((await failure(form, a, 'sendMsg', ['x'])).code).to.equal('EPIPE');
        if (form !== 'try') expect((await failure(form, a, 'sendAll', 'x')).code).to.equal('EPIPE');
      });
    }

    it('SHUT_RD ends the receiving direction, also a recv that is pending', async () => {
      const [a, b] = await bench.pair();
      const receiving = a.recv(8);
      await turns(2);
      a.shutdown(SHUT_RD);
      expect((await within('the pending recv', receiving)).length).to.equal(0);
      expect((await a.recv(8)).length).to.equal(0);
      await a.send('x');
      expect((await b.recv(8)).toString()).to.equal('x');
    });

    it('SHUT_RDWR ends both', async () => {
      const [a, b] = await bench.pair();
      const receiving = a.recv(8);
      await turns(2);
      a.shutdown(SHUT_RDWR);
      expect((await within('the pending recv', receiving)).length).to.equal(0);
      expect((await within('the peer', b.recv(8))).length).to.equal(0);
      expect((await rejection(a.send('x'))).code).to.equal('EPIPE');
      expect(a.closed, 'it is not closed').to.equal(false);
    });
  });
}

function resetTests<A, I>(bench: Bench<A, I>): void {
  describe('reset', () => {
    it('SO_LINGER 0 and close is ECONNRESET for a recv that is pending', async () => {
      const [a, b] = await bench.pair();
      const receiving = rejection(b.recv(8));
      await turns(2);
      a.setOption(soLinger, 0);
      a.close();
      const error = await within('the pending recv', receiving);
      expect(error).to.be.instanceOf(SocketError);
      expect(error.code).to.equal('ECONNRESET');
      expect(error.syscall).to.equal('recv');
      expect(b.getOption(soError), 'the error is told once').to.equal(null);
      expect((await b.recv(8)).length).to.equal(0);
    });

    for (const form of FORMS) {
      it(`${form} form: it is ECONNRESET for the next recv`, async () => {
        const [a, b] = await bench.pair();
        a.setOption(soLinger, 0);
        a.close();
        await turns(2);
        expect((await failure(form, b, 'recv', 8)).code).to.equal('ECONNRESET');
      });
    }

    it('it ends a send that waits for room', async () => {
      const [a, b] = await bench.pair();
      const sending = rejection(a.sendAll(Buffer.alloc(32 * 1024 * 1024)));
      await turns(5);
      b.setOption(soLinger, 0);
      b.close();
      const error = await within('the pending send', sending);
      expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
      expect(error.transferred)
        .to.be.a('number')
        .within(1, 32 * 1024 * 1024 - 1);
    });
  });
}
