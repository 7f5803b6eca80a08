import { MessageBatch, MSG_WAITALL, SOCK_DGRAM, type Socket } from '@sock/core';
import { capability, failure, inLab, invoke, itIf, within } from '@sock/testkit';
import { expect } from 'chai';
import { drain, fill, pair } from './support/families.js';
import { Cleanup } from './support/operations.js';

/** Gives the memory away, as postMessage with a transfer list does. */
function detach(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] });
}

const FORMS = ['promise', 'sync', 'try'] as const;

/** Views of one memory, of each kind. */
const VIEWS: readonly [string, (memory: ArrayBuffer) => unknown][] = [
  ['an ArrayBuffer', (memory) => memory],
  ['a Uint8Array', (memory) => new Uint8Array(memory)],
  ['a Buffer', (memory) => Buffer.from(memory)],
  ['a DataView', (memory) => new DataView(memory)],
  ['a Float64Array', (memory) => new Float64Array(memory)],
];

describe('buffers', () => {
  const stack = new Cleanup();
  let a: Socket<string>;
  let b: Socket<string>;
  beforeEach(() => {
    [a, b] = pair(SOCK_DGRAM);
    stack.use(a);
    stack.use(b);
  });
  afterEach(() => stack[Symbol.dispose]());

  const RECEIVING: readonly [string, (buffer: unknown) => unknown[]][] = [
    ['recvInto', (buffer) => [buffer]],
    ['recvFromInto', (buffer) => [buffer]],
    ['recvMsgInto', (buffer) => [[new Uint8Array(1), buffer]]],
  ];
  const SENDING: readonly [string, (buffer: unknown) => unknown[]][] = [
    ['send', (buffer) => [buffer]],
    ['sendAll', (buffer) => [buffer]],
    ['sendMsg', (buffer) => [['text', buffer]]],
  ];

  for (const [what, view] of VIEWS) {
    it(`${what} that was transferred already is refused, in every form`, async () => {
      b.sendSync('stays');
      for (const [operation, args] of [...RECEIVING, ...SENDING]) {
        for (const form of FORMS) {
          if (operation === 'sendAll' && form === 'try') continue;
          const memory = new ArrayBuffer(16);
          const given = view(memory);
          detach(memory);
          const error = await failure(form, a, operation, ...args(given));
          expect(error, operation).to.be.instanceOf(RangeError);
          expect(error.code).to.equal('ERR_OUT_OF_RANGE');
          expect(error.argument).to.match(/^(buffer|data|buffers\[1\])$/);
          expect(error.message).to.match(/must be memory that was not transferred elsewhere/);
        }
      }
      expect(String(a.tryRecv(10))).to.equal('stays');
      expect(b.tryRecv(10)).to.equal(null);
    });

    it(`${what} that is transferred while it waits ends the operation, and nothing is lost`, async () => {
      for (const [operation, args] of RECEIVING) {
        const memory = new ArrayBuffer(16);
        const receiving = failure('promise', a, operation, ...args(view(memory)));
        detach(memory);
        await b.send('a message');
        const error = await within(operation, receiving);
        expect(error, operation).to.be.instanceOf(RangeError);
        expect(error.code).to.equal('ERR_OUT_OF_RANGE');
        expect(error.argument).to.equal(operation === 'recvMsgInto' ? 'buffers' : 'buffer');
        expect(String(a.tryRecv(100)), 'what arrived is there still').to.equal('a message');
      }
      for (const [operation, args] of SENDING) {
        fill(a);
        const memory = new ArrayBuffer(16);
        const sending = failure('promise', a, operation, ...args(view(memory)));
        detach(memory);
        drain(b);
        const error = await within(operation, sending);
        expect(error, operation).to.be.instanceOf(RangeError);
        expect(b.tryRecv(100), 'nothing was sent').to.equal(null);
      }
    });

    it(`${what} carries data in both directions`, async () => {
      for (const form of FORMS) {
        for (const [operation, args] of SENDING) {
          if (operation === 'sendAll' && form === 'try') continue;
          const memory = new ArrayBuffer(16);
          new Uint8Array(memory).fill(65);
          await invoke(form, a, operation, ...args(view(memory)));
          expect(String(b.tryRecv(100))).to.equal(`${operation === 'sendMsg' ? 'text' : ''}${'A'.repeat(16)}`);
        }
        for (const [operation, args] of RECEIVING) {
          const memory = new ArrayBuffer(16);
          b.sendSync(`${operation === 'recvMsgInto' ? '-' : ''}seventeen letters`);
          await invoke(form, a, operation, ...args(view(memory)));
          expect(Buffer.from(memory).toString()).to.equal('seventeen letter');
        }
      }
    });
  }

  it('a part of a larger memory is only that part', async () => {
    const memory = Buffer.alloc(12, '.');
    b.sendSync('abcdefgh');
    expect(a.recvIntoSync(memory.subarray(4, 8))).to.equal(4);
    expect(String(memory)).to.equal('....abcd....');
    await a.send(new DataView(memory.buffer, memory.byteOffset + 3, 6));
    expect(String(b.tryRecv(100))).to.equal('.abcd.');
  });

  it('shared memory is taken as any other', async () => {
    const shared = new SharedArrayBuffer(8);
    b.sendSync('shared');
    expect(await a.recvInto(new Uint8Array(shared))).to.equal(6);
    expect(await a.send(shared)).to.equal(8);
    expect(String(b.tryRecv(100))).to.equal('shared\0\0');
  });

  it('memory that shrinks while it waits ends the operation', async () => {
    const Resizable = ArrayBuffer as unknown as new (
      size: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(size: number): void };
    const memory = new Resizable(16, { maxByteLength: 32 });
    const receiving = failure('promise', a, 'recvInto', memory);
    memory.resize(4);
    b.sendSync('a message');
    expect(await within('recvInto', receiving)).to.be.instanceOf(RangeError);
    expect(String(a.tryRecv(100))).to.equal('a message');
    const whole = new Resizable(16, { maxByteLength: 32 });
    const view = new DataView(whole, 8, 8);
    whole.resize(4);
    expect((await failure('sync', a, 'send', view)).code).to.equal('ERR_OUT_OF_RANGE');
  });

  it('a transferred buffer does not make the next operation fail', async () => {
    const [c, d] = pair();
    stack.use(c);
    stack.use(d);
    for (const operation of ['recvInto', 'recvMsgInto']) {
      const memory = new ArrayBuffer(16);
      const options = { flags: MSG_WAITALL };
      const args = operation === 'recvInto' ? [memory, options] : [[memory], 0, options];
      const receiving = failure('promise', c, operation, ...args);
      d.sendSync('part');
      await new Promise((resolve) => setTimeout(resolve, 20));
      detach(memory);
      d.sendSync('more');
      expect(await within(operation, receiving)).to.be.instanceOf(RangeError);
      expect(String(await c.recv(100))).to.equal('more');
    }
  });

  it('empty memory is no mistake', async () => {
    for (const empty of [
      new ArrayBuffer(0),
      new Uint8Array(0),
      Buffer.alloc(0),
      new DataView(new ArrayBuffer(0)),
      '',
    ]) {
      expect(await a.send(empty)).to.equal(0);
      expect((await b.recv(10)).length).to.equal(0);
      if (typeof empty === 'string') continue;
      a.sendSync('cut off');
      expect(b.recvIntoSync(empty)).to.equal(0);
    }
    expect(b.tryRecv(10)).to.equal(null);
  });

  const large = capability({
    name: 'memory of 4 GiB',
    remedy: 'a machine with more memory',
    probe: () => new Uint8Array(2 ** 32).length > 0,
  });
  // the lab's machine has 2 GiB
  if (!inLab) {
    itIf(large, 'memory of more than 4 GiB is no mistake either', async () => {
      const buffer = new Uint8Array(2 ** 32);
      b.sendSync('into a large buffer');
      expect(await a.recvInto(buffer)).to.equal(19);
      expect(Buffer.from(buffer.buffer, 0, 19).toString()).to.equal('into a large buffer');
    });
  }

  it('what is received in one message does not change with the next', async () => {
    const sizes = [10, 4096, 5000, 20_000, 65_536, 100_000];
    const received: Buffer[] = [];
    a.setsockopt(1, 7, 1_000_000);
    b.setsockopt(1, 7, 1_000_000);
    for (let i = 0; i < 60; i++) {
      const size = sizes[i % sizes.length] ?? 0;
      b.sendSync(Buffer.alloc(Math.min(size, 60_000 - i), i));
      received.push(i % 2 === 0 ? await a.recv(size) : a.recvFromSync(size).data);
    }
    for (const [i, data] of received.entries()) {
      expect(
        data.every((byte) => byte === i),
        `message ${i} is unchanged`,
      ).to.equal(true);
    }
  });

  it('a batch whose messages were cut off can be sent on without more than it holds', async () => {
    const batch = new MessageBatch({ count: 2, size: 4 });
    b.sendSync('longer than four');
    // MSG_TRUNC in a request: the real length is told
    expect(await a.recvBatch(batch, { flags: 0x20 })).to.equal(1);
    expect(String(batch.data(0))).to.equal('long');
    expect(await a.sendBatch(batch)).to.equal(1);
    expect(String(b.tryRecv(100))).to.equal('long');
  });
});
