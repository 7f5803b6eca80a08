import { MessageBatch, SHUT_WR, SO_TYPE, SOL_SOCKET, SocketError, soType, tryPoll } from '@sock/core';
import { expect } from 'chai';
import type { Bench } from './bench.js';
import { failure, thrown } from './failures.js';
import { FORMS, type Form } from './forms.js';

const ALL: readonly Form[] = FORMS;
const WAITING: readonly Form[] = ['promise', 'sync'];

/** Every operation on a socket that is closed. */
export function closedTests<A, I>(bench: Bench<A, I>): void {
  describe('a closed socket', () => {
    it('says so', async () => {
      const [a] = await bench.pair();
      const { family, type, protocol, domain } = a;
      a.close();
      expect(a.closed).to.equal(true);
      expect(a.fileno()).to.equal(-1);
      expect([a.family, a.type, a.protocol, a.domain]).to.deep.equal([family, type, protocol, domain]);
      a.timeout = 5;
      expect(a.timeout).to.equal(5);
    });

    it('can be closed again, and disposed of', async () => {
      const [a] = await bench.pair();
      for (let i = 0; i < 3; i++) {
        a.close();
        a[Symbol.dispose]();
        await a[Symbol.asyncDispose]();
      }
      a.ref().unref();
    });

    it('every operation that may wait is EBADF', async () => {
      const [a] = await bench.pair();
      a.close();
      const batch = new MessageBatch({ count: 1, size: 8 });
      batch.push('x');
      const bytes = new Uint8Array(8);
      const calls: [readonly Form[], string, ...unknown[]][] = [
        [ALL, 'recv', 8],
        [ALL, 'recvInto', bytes],
        [ALL, 'recvFrom', 8],
        [ALL, 'recvFromInto', bytes],
        [ALL, 'recvMsg', 8, 64],
        [ALL, 'recvMsgInto', [bytes], 64],
        [ALL, 'send', 'x'],
        [WAITING, 'sendAll', 'x'],
        [ALL, 'sendMsg', ['x']],
        [ALL, 'sendFile', 0, { count: 0 }],
        [ALL, 'sendBatch', batch],
        [ALL, 'recvBatch', new MessageBatch({ count: 1, size: 8 })],
        [ALL, 'accept'],
        [ALL, 'waitReadable'],
        [ALL, 'waitWritable'],
      ];
      if (bench.hasAddresses) {
        const address = await bench.freshAddress();
        calls.push([ALL, 'bind', address], [ALL, 'connect', address], [ALL, 'sendTo', 'x', address]);
      }
      for (const [forms, operation, ...args] of calls) {
        for (const form of forms) {
          const error = await failure(form, a, operation, ...args);
          expect(error, `${form} ${operation}`).to.be.instanceOf(SocketError);
          expect(error.code, `${form} ${operation}`).to.equal('EBADF');
          expect(error.message, `${form} ${operation}`).to.include('closed');
        }
      }
    });

    it('every immediate operation is EBADF', async () => {
      const [a] = await bench.pair();
      a.close();
      const calls: [string, () => unknown][] = [
        ['listen', () => a.listen()],
        ['shutdown', () => a.shutdown(SHUT_WR)],
        ['getsockname', () => a.getsockname()],
        ['getpeername', () => a.getpeername()],
        ['getsockopt', () => a.getsockopt(SOL_SOCKET, SO_TYPE)],
        ['setsockopt', () => a.setsockopt(SOL_SOCKET, SO_TYPE, 1)],
        ['getOption', () => a.getOption(soType)],
        ['ioctl', () => a.ioctl(0x541b)],
        ['dup', () => a.dup()],
        ['detach', () => a.detach()],
        ['inheritable', () => a.inheritable],
        ['poll', () => tryPoll([{ socket: a }])],
      ];
      for (const [what, call] of calls) {
        const error = thrown(call);
        expect(error, what).to.be.instanceOf(SocketError);
        expect(error.code, what).to.equal('EBADF');
      }
    });

    it('iterators over it end at once', async () => {
      const [a] = await bench.pair();
      a.close();
      for await (const _ of a.messages()) throw new Error('a message');
      for await (const _ of a.chunks()) throw new Error('a chunk');
      for await (const _ of a.connections()) throw new Error('a connection');
    });
  });
}
