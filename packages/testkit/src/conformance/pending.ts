import { closeSync } from 'node:fs';
import { MSG_WAITALL, type Socket, SocketError } from '@sock/core';
import { expect } from 'chai';
import { pattern, sha256 } from '../fixtures.js';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { rejection } from './failures.js';
import { invoke } from './forms.js';
import { empty, fullPair, receivingCalls, sendingCalls, type WaitingCall } from './waits.js';

/** Several operations that are pending at once, and closing under them. */
export function pendingTests<A, I>(bench: Bench<A, I>): void {
  describe('pending operations', () => {
    orderTests(bench);
    closeTests(bench);
  });
}

function orderTests<A, I>(bench: Bench<A, I>): void {
  it('operations of all kinds that receive complete in order', async () => {
    const [a, b] = await bench.pair();
    const into = Buffer.alloc(8);
    const order: string[] = [];
    const note = (text: string): void => {
      order.push(text);
    };
    const all = Promise.all([
      b.recv(8).then((data) => note(`recv ${data}`)),
      b.recvFrom(8).then(({ data }) => note(`recvFrom ${data}`)),
      b.recvInto(into).then((count) => note(`recvInto ${into.toString('latin1', 0, count)}`)),
      b.recvMsg(8).then(({ data }) => note(`recvMsg ${data}`)),
      b.recv(8).then((data) => note(`recv ${data}`)),
    ]);
    await turns(2);
    for (const text of ['1', '2', '3', '4', '5']) {
      await a.send(text);
      // apart, so that a stream does not join them
      for (let i = 0; i < 100 && order.length < Number(text); i++) await turns(1);
    }
    await within('all', all);
    expect(order).to.deep.equal(['recv 1', 'recvFrom 2', 'recvInto 3', 'recvMsg 4', 'recv 5']);
  });

  it('many that need not wait complete in order with those that do', async () => {
    const [a, b] = await bench.pair();
    // more than complete in one turn, few enough for the receive buffer of a datagram socket
    const half = 150;
    const count = 2 * half;
    const send = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        if (a.trySend(Buffer.of(i & 255)) === null) await a.send(Buffer.of(i & 255));
      }
    };
    for (let round = 0; round < 4; round++) {
      // from within a turn's last phase, so that the next one begins with what is ready
      await turns(1);
      const first = send(0, half);
      const order: number[] = [];
      const receiving = Array.from({ length: count }, async (_, i) => {
        const data = await b.recv(1);
        order.push(i);
        return data[0];
      });
      await first;
      await send(half, count);
      const received = await within('all', Promise.all(receiving));
      expect(received.findIndex((byte, i) => byte !== (i & 255))).to.equal(-1);
      const early = order.findIndex((number, i) => number !== i);
      expect(early === -1 ? 'in order' : `${order[early]} completed before ${early}`).to.equal('in order');
    }
  });

  it('receiving and sending do not wait for each other', async () => {
    const [a, b] = await bench.pair();
    const receiving = a.recv(8);
    await turns(2);
    await within('send', a.send('out'));
    expect((await b.recv(8)).toString()).to.equal('out');
    await b.send('in');
    expect((await within('recv', receiving)).toString()).to.equal('in');
  });

  if (bench.supports.flowControl) {
    it('sends that wait complete in order', async () => {
      const { a, b, taken } = await fullPair(bench);
      const order: number[] = [];
      const sending = Array.from({ length: 20 }, (_, i) => a.send(Buffer.of(i)).then(() => order.push(i)));
      await turns(2);
      expect(order).to.deep.equal([]);
      await empty(b, taken);
      const received: number[] = [];
      while (received.length < 20) received.push(...(await within('a byte', b.recv(100))));
      await within('all', Promise.all(sending));
      const expected = Array.from({ length: 20 }, (_, i) => i);
      expect(received).to.deep.equal(expected);
      expect(order).to.deep.equal(expected);
    });
  }

  if (!bench.isStream) return;
  it('a sendAll is not interrupted by a send that came later', async () => {
    const [a, b] = await bench.pair();
    const large = pattern(bench.bulk, 21);
    const sending = Promise.all([a.sendAll(large), a.send('behind'), a.sendMsg(['further ', 'behind'])]);
    const size = large.length + 20;
    const pieces: Buffer[] = [];
    let left = size;
    while (left > 0) {
      const data = await within(`${left} bytes`, b.recv(left));
      left -= data.length;
      pieces.push(data);
    }
    await within('the sends', sending);
    expect(sha256(...pieces)).to.equal(sha256(large, 'behindfurther behind'));
  });

  it('a recv waits behind one that wants more', async () => {
    const [a, b] = await bench.pair();
    const first = b.recv(4, { flags: MSG_WAITALL });
    const second = b.recv(4);
    await turns(1);
    await a.send('ab');
    await turns(2);
    await a.send('cdef');
    expect((await within('the first', first)).toString()).to.equal('abcd');
    expect((await within('the second', second)).toString()).to.equal('ef');
  });
}

function closeTests<A, I>(bench: Bench<A, I>): void {
  const closings: [string, (socket: Socket<A, I>) => void][] = [
    ['close', (socket) => socket.close()],
    ['dispose', (socket) => socket[Symbol.dispose]()],
    ['detach', (socket) => closeSync(socket.detach())],
  ];
  for (const [what, close] of closings) {
    it(`${what} rejects each operation that receives with ECANCELED`, async () => {
      for (const call of receivingCalls(bench)) await canceled((await bench.pair())[0], call, close);
    });
  }

  if (bench.supports.flowControl) {
    it('close rejects each operation that sends with ECANCELED', async () => {
      const { a } = await fullPair(bench);
      // a kernel may keep whoever closes a full connection waiting: only the last descriptor is its end
      for (const call of sendingCalls(bench)) await canceled(bench.own(a.dup()), call, (socket) => socket.close());
    });
  }

  if (bench.accepts) {
    it('close rejects accept with ECANCELED', async () => {
      const { server } = await bench.server();
      await canceled(server, { operation: 'accept', args: [] }, (socket) => socket.close());
    });
  }

  it('close rejects all of both directions, in order', async () => {
    const [a] = await bench.pair();
    const order: number[] = [];
    const pending = [a.recv(1), a.recv(1), a.waitReadable(), a.recvMsg(1)].map((promise, i) =>
      rejection(promise).then((error) => {
        order.push(i);
        return error.code;
      }),
    );
    await turns(1);
    a.close();
    expect(a.closed).to.equal(true);
    expect(await within('all', Promise.all(pending))).to.deep.equal(Array(4).fill('ECANCELED'));
    expect(order).to.deep.equal([0, 1, 2, 3]);
  });

  it('closing from within a completion leaves the rest rejected', async () => {
    const [a, b] = await bench.pair();
    const first = b.recv(8).then((data) => {
      b.close();
      return data.toString();
    });
    const second = rejection(b.recv(8));
    await turns(1);
    await a.send('1');
    expect(await within('the first', first)).to.equal('1');
    expect((await within('the second', second)).code).to.equal('ECANCELED');
  });

  it('a descriptor that is used again has nothing to do with the one before', async () => {
    for (let round = 0; round < 20; round++) {
      const [a, b] = await bench.pair();
      const old = rejection(b.recv(8));
      await turns(round % 3);
      const fd = b.fileno();
      b.close();
      const [c, d] = await bench.pair();
      expect([c.fileno(), d.fileno()]).to.include(fd);
      const receiving = [c.recv(8), d.recv(8)];
      expect((await within('the old', old)).code).to.equal('ECANCELED');
      await c.send('to d');
      await d.send('to c');
      expect((await within('c', receiving[0] as Promise<Buffer>)).toString()).to.equal('to c');
      expect((await within('d', receiving[1] as Promise<Buffer>)).toString()).to.equal('to d');
      for (const socket of [a, c, d]) socket.close();
    }
  });
}

async function canceled<A, I>(
  socket: Socket<A, I>,
  { operation, args }: WaitingCall,
  close: (socket: Socket<A, I>) => void,
): Promise<void> {
  const pending = rejection(invoke('promise', socket, operation, ...args));
  await turns(2);
  close(socket);
  const error = await within(operation, pending);
  expect(error, operation).to.be.instanceOf(SocketError);
  expect(error.code, operation).to.equal('ECANCELED');
  expect(error.errno, operation).to.be.below(0);
  expect(error.syscall, operation).to.be.a('string').that.is.not.empty;
}
