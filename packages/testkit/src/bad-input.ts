import { closeSync, openSync } from 'node:fs';
import {
  type AdoptOptions,
  EncodedAddress,
  MessageBatch,
  poll,
  pollSync,
  Socket,
  setDefaultTimeout,
  soBindToDevice,
  soKeepAlive,
  soLinger,
  soRcvBuf,
  soRcvTimeo,
  tryPoll,
  UnknownAddress,
} from '@sock/core';
import { expect } from 'chai';
import { immediateTable, transferTable } from './bad-table.js';
import {
  BAD_ADDRESSES,
  BAD_BOOLEANS,
  BAD_INTS,
  BAD_OBJECTS,
  BAD_REQUIRED_INTS,
  BAD_SIZES,
  BAD_TIMEOUTS,
  type BadArgument,
  type BadValue,
} from './bad-values.js';
import type { Bench } from './conformance/bench.js';
import { failure, type LibraryError, thrown } from './conformance/failures.js';
import { methodName } from './conformance/forms.js';
import { empty, fullPair } from './conformance/waits.js';
import { scaled, turns, within } from './time.js';

/** What an error about an argument must be. */
export function expectArgumentError(
  error: LibraryError,
  argument: string,
  kind: BadValue['error'],
  about: string,
): void {
  const wanted = kind ?? (error instanceof RangeError ? 'RangeError' : 'TypeError');
  const text = `${about}: ${error.name}: ${error.message}`;
  expect(error, text).to.be.instanceOf(wanted === 'TypeError' ? TypeError : RangeError);
  expect(error.code, text).to.equal(wanted === 'TypeError' ? 'ERR_INVALID_ARG_TYPE' : 'ERR_OUT_OF_RANGE');
  expect(error.argument, text).to.be.a('string');
  // an option may be named with or without its object, a list with or without its index
  const named = error.argument?.replace(/^options\./, '') ?? '';
  const expected = argument.replace(/^options\./, '');
  expect(named === expected || named.startsWith(`${expected}.`) || named.startsWith(`${expected}[`), text).to.equal(
    true,
  );
  expect(error.message, text).to.include(error.argument).and.to.include('must be');
}

/** What is wrong with several calls, told together. */
class Complaints {
  readonly #texts: string[] = [];

  async collect(about: string, check: () => unknown): Promise<void> {
    try {
      await check();
    } catch (error) {
      const { message } = error as Error;
      this.#texts.push(message.startsWith(about) ? message : `${about}: ${message}`);
    }
  }

  report(): void {
    if (this.#texts.length > 0) throw new Error(`${this.#texts.length} complaints\n  ${this.#texts.join('\n  ')}`);
  }
}

/** Walks bad values over all arguments of all operations: each is refused, and nothing is sent or lost. */
export function badInputTests<A, I>(bench: Bench<A, I>): void {
  describe('bad input', () => {
    const addresses = addressValues(bench);
    operationTests(bench, transferTable(bench, addresses));
    immediateTests(bench);
    constructionTests(bench);
    detachedTests(bench);
    if (bench.supports.flowControl) pendingSendTests(bench);
    if (bench.traits.unresolved !== undefined) nameTests(bench, bench.traits.unresolved);
  });
}

function addressValues<A, I>(bench: Bench<A, I>): BadValue[] {
  const own = (bench.traits.badAddresses ?? []).map(({ what, value, error, argument }) => ({
    what,
    value,
    error,
    argument,
  }));
  const long: BadValue[] = [
    {
      what: 'an encoded address that is too long',
      value: new EncodedAddress(new Uint8Array(200)),
      error: 'RangeError',
    },
    {
      what: 'an unknown address that is too long',
      value: new UnknownAddress(1, new Uint8Array(200)),
      error: 'RangeError',
    },
  ];
  return [...BAD_ADDRESSES, ...own, ...long];
}

function operationTests<A, I>(bench: Bench<A, I>, table: readonly BadArgument[]): void {
  const operations = new Map<string, BadArgument[]>();
  for (const row of table) operations.set(row.operation, [...(operations.get(row.operation) ?? []), row]);
  for (const [operation, rows] of operations) {
    it(`${operation} refuses what its arguments do not accept`, async () => {
      const [a, b] = await bench.pair();
      await b.send('kept');
      await a.waitReadable();
      // a bad value that is taken must not hang the blocking form
      a.timeout = scaled(500);
      const complaints = new Complaints();
      for (const { forms, args, argument, values } of rows) {
        for (const form of forms) {
          for (const { what, value, error: wanted, argument: member = argument } of values) {
            const about = `${methodName(form, operation)}, ${member}: ${what}`;
            await complaints.collect(about, async () => {
              expectArgumentError(await failure(form, a, operation, ...args(value)), member, wanted, about);
            });
          }
        }
      }
      complaints.report();
      await turns(1);
      expect(b.tryRecv(100), 'nothing was sent').to.equal(null);
      expect(a.tryRecv(100)?.toString(), 'nothing was lost').to.equal('kept');
    });
  }
}

function immediateTests<A, I>(bench: Bench<A, I>): void {
  const unchanged = async (a: Socket<A, I>, b: Socket<A, I>): Promise<void> => {
    await a.send('still');
    expect((await b.recv(8)).toString()).to.equal('still');
  };

  for (const { operation, argument, values, args } of immediateTable()) {
    it(`${operation} refuses what ${argument} does not accept`, async () => {
      const [a, b] = await bench.pair();
      const method = (a as unknown as Record<string, (...given: unknown[]) => unknown>)[operation];
      const complaints = new Complaints();
      for (const { what, value, error } of values) {
        await complaints.collect(`${operation}: ${what}`, () => {
          expectArgumentError(
            thrown(() => method?.apply(a, args(value))),
            argument,
            error,
            `${operation}: ${what}`,
          );
        });
      }
      complaints.report();
      await unchanged(a, b);
    });
  }

  it('typed options refuse values that they do not accept', async () => {
    const [a, b] = await bench.pair();
    const table: [{ label: string }, unknown[]][] = [
      [soKeepAlive, [undefined, null, 1, 'on', {}]],
      [soRcvBuf, [undefined, null, '1', -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, 1n]],
      [soLinger, [undefined, '1', -1, 1.5, Number.NaN, {}, true]],
      [soRcvTimeo, [undefined, '1', -1, Number.NaN, {}, true, 1n]],
      [soBindToDevice, [undefined, null, 5, 'lo\0', 'x'.repeat(16)]],
    ];
    for (const [option, values] of table) {
      for (const value of values) {
        const error = thrown(() => a.setOption(option as typeof soKeepAlive, value as boolean));
        expectArgumentError(error, 'value', undefined, `${option.label}: ${String(value)}`);
      }
    }
    await unchanged(a, b);
  });

  it('the accessors refuse what they do not accept', async () => {
    const [a, b] = await bench.pair();
    const set = (name: string, value: unknown) => thrown(() => Reflect.set(a, name, value));
    for (const { what, value, error } of [
      ...BAD_TIMEOUTS,
      { what: 'undefined', value: undefined, error: 'TypeError' } as const,
    ]) {
      expectArgumentError(set('timeout', value), 'timeout', error, `timeout: ${what}`);
    }
    for (const name of ['blocking', 'inheritable']) {
      for (const { what, value, error } of BAD_BOOLEANS) {
        expectArgumentError(set(name, value), name, error, `${name}: ${what}`);
      }
    }
    expect([a.timeout, a.blocking, a.inheritable]).to.deep.equal([null, true, false]);
    await unchanged(a, b);
  });

  it('iterators refuse sizes that they do not accept', async () => {
    const [a] = await bench.pair();
    for (const { what, value, error } of BAD_SIZES) {
      for (const name of ['messages', 'chunks'] as const) {
        const iterate = async () => a[name](value as number).next();
        expectArgumentError(await failure('promise', { iterate }, 'iterate'), 'size', error, `${name}: ${what}`);
      }
    }
  });
}

function constructionTests<A, I>(bench: Bench<A, I>): void {
  const { family, type } = bench.traits;
  const walk = (values: readonly BadValue[], argument: string, call: (value: never) => unknown): void => {
    for (const { what, value, error } of values) {
      let result: LibraryError;
      try {
        result = thrown(() => call(value as never));
      } catch (cause) {
        throw new Error(`${argument}, ${what}: ${(cause as Error).message}`);
      }
      expectArgumentError(result, argument, error, `${argument}: ${what}`);
    }
  };
  const negative: BadValue[] = [{ what: '-1', value: -1, error: 'RangeError' }];

  it('the constructor and pair', () => {
    for (const make of [
      (f: never, t?: never, p?: never) => new Socket(f, t, p),
      (f: never, t?: never, p?: never) => Socket.pair(f, t, p),
    ]) {
      walk(BAD_OBJECTS, 'family', (value) => make(value));
      walk([...BAD_INTS.filter(({ value }) => value !== null), ...negative], 'type', (value) =>
        make(family as never, value),
      );
      walk([...BAD_INTS.filter(({ value }) => value !== null), ...negative], 'protocol', (value) =>
        make(family as never, type as never, value),
      );
    }
  });

  it('adopt and duplicate', async () => {
    const [a] = await bench.pair();
    const fd = a.detach();
    type Take = (fd: number, family?: typeof bench.traits.family, options?: AdoptOptions) => unknown;
    const takes: Take[] = [(...given) => Socket.adopt(...given), (...given) => Socket.duplicate(...given)];
    for (const take of takes) {
      walk([...BAD_REQUIRED_INTS, ...negative], 'fd', (value) => take(value));
      walk(
        BAD_INTS.filter(({ value }) => value !== null),
        'options.type',
        (value) => take(fd, family, { type: value }),
      );
      walk(
        BAD_INTS.filter(({ value }) => value !== null),
        'options.protocol',
        (value) => take(fd, family, { protocol: value }),
      );
      walk(
        BAD_OBJECTS.filter(({ value }) => value !== undefined),
        'family',
        (value) => take(fd, value),
      );
    }
    closeSync(fd);
    walk(BAD_OBJECTS, 'owner', (value) => Socket.borrow(value));
  });

  it('MessageBatch', () => {
    walk(BAD_OBJECTS.slice(0, 4), 'options', (value) => new MessageBatch(value));
    const counts: BadValue[] = [...BAD_SIZES, { what: '0', value: 0, error: 'RangeError' }];
    walk(counts, 'options.count', (value) => new MessageBatch({ count: value, size: 1 }));
    walk(BAD_SIZES, 'options.size', (value) => new MessageBatch({ count: 1, size: value }));
    walk(BAD_SIZES, 'options.ancillarySize', (value) => new MessageBatch({ count: 1, size: 1, ancillarySize: value }));
    const batch = new MessageBatch({ count: 1, size: 4 });
    walk([{ what: 'too long', value: 'longer', error: 'RangeError' }], 'data', (value) => batch.push(value));
    walk([{ what: 'a number', value: 5, error: 'TypeError' }], 'data', (value) => batch.push(value));
    expect(batch.length).to.equal(0);
  });

  it('poll and setDefaultTimeout', async () => {
    const [a] = await bench.pair();
    const lists: [unknown, string][] = [
      [5, 'interests'],
      [null, 'interests'],
      [[null], 'interests'],
      [[5], 'interests'],
      [[{}], 'interests'],
      [[{ socket: {} }], 'interests'],
      [[{ socket: a, readable: 1 }], 'interests'],
      [[{ socket: a, writable: 'yes' }], 'interests'],
    ];
    for (const [value, argument] of lists) {
      const targets = { poll, pollSync, tryPoll };
      for (const form of ['promise', 'sync', 'try'] as const) {
        expectArgumentError(
          await failure(form, targets, 'poll', value),
          argument,
          'TypeError',
          `poll: ${String(value)}`,
        );
      }
    }
    for (const { what, value, error } of BAD_TIMEOUTS) {
      expectArgumentError(
        thrown(() => setDefaultTimeout(value as number)),
        'timeout',
        error,
        what,
      );
      const options = { timeout: value as number };
      expectArgumentError(await failure('promise', { poll }, 'poll', [], options), 'timeout', error, what);
      expectArgumentError(
        thrown(() => pollSync([], options)),
        'timeout',
        error,
        what,
      );
    }
  });

  it('descriptors that are no sockets', () => {
    const fd = openSync('/dev/null', 'r');
    try {
      expect(thrown(() => Socket.adopt(fd)).code).to.equal('ENOTSOCK');
      expect(thrown(() => Socket.adopt(0x7ffffff0)).code).to.equal('EBADF');
    } finally {
      closeSync(fd);
    }
  });
}

type Resizable = ArrayBuffer & { resize(length: number): void };

// ES2024, which every supported Node has, but not the library that this is compiled against
function resizable(length: number): Resizable {
  return Reflect.construct(ArrayBuffer, [length, { maxByteLength: length }]) as Resizable;
}

/** A buffer whose memory is gone, in the forms that views take. */
function detachedViews(): [string, ArrayBufferView | ArrayBuffer][] {
  const gone = <T extends ArrayBufferView | ArrayBuffer>(make: (memory: ArrayBuffer) => T): T => {
    const memory = new ArrayBuffer(16);
    const view = make(memory);
    structuredClone(memory, { transfer: [memory] });
    return view;
  };
  return [
    ['an ArrayBuffer', gone((memory) => memory)],
    ['a Uint8Array', gone((memory) => new Uint8Array(memory, 4, 8))],
    ['a Buffer', gone((memory) => Buffer.from(memory))],
    ['a Float64Array', gone((memory) => new Float64Array(memory))],
    ['a DataView', gone((memory) => new DataView(memory))],
  ];
}

function detachedTests<A, I>(bench: Bench<A, I>): void {
  it('buffers whose memory was transferred are refused', async () => {
    const [a, b] = await bench.pair();
    await b.send('kept');
    await a.waitReadable();
    a.timeout = scaled(500);
    const complaints = new Complaints();
    for (const [what, view] of detachedViews()) {
      const calls: [string, string, ...unknown[]][] = [
        ['recvInto', 'buffer', view],
        ['recvFromInto', 'buffer', view],
        ['recvMsgInto', 'buffers', [view]],
        ['send', 'data', view],
        ['sendMsg', 'buffers', ['never', view]],
      ];
      for (const [operation, argument, ...args] of calls) {
        for (const form of ['promise', 'sync', 'try'] as const) {
          const about = `${methodName(form, operation)}, ${what} without memory`;
          await complaints.collect(about, async () => {
            expectArgumentError(await failure(form, a, operation, ...args), argument, undefined, about);
          });
        }
      }
      await complaints.collect(`sendAll, ${what}`, async () => {
        expectArgumentError(await failure('promise', a, 'sendAll', view), 'data', undefined, `sendAll, ${what}`);
      });
    }
    complaints.report();
    await turns(1);
    expect(b.tryRecv(100), 'nothing was sent').to.equal(null);
    expect(a.tryRecv(100)?.toString(), 'nothing was lost').to.equal('kept');
  });

  it('memory that is transferred while an operation is pending ends it, and loses nothing', async () => {
    for (const operation of ['recvInto', 'recvFromInto', 'recvMsgInto'] as const) {
      const [a, b] = await bench.pair();
      const memory = new ArrayBuffer(16);
      const view = new Uint8Array(memory);
      const pending = failure('promise', a, operation, operation === 'recvMsgInto' ? [view] : view);
      await turns(2);
      structuredClone(memory, { transfer: [memory] });
      await b.send('kept');
      const error = await pending;
      expect(error, operation).to.be.instanceOf(RangeError);
      expect(error.code, operation).to.equal('ERR_OUT_OF_RANGE');
      expect(error.argument, operation).to.match(/^buffer/);
      expect((await a.recv(16)).toString(), operation).to.equal('kept');
    }
  });

  it('memory that shrinks while an operation is pending ends it, and loses nothing', async () => {
    const [a, b] = await bench.pair();
    const memory = resizable(16);
    const pending = failure('promise', a, 'recvInto', new Uint8Array(memory, 8, 8));
    await turns(2);
    memory.resize(4);
    await b.send('kept');
    expect((await pending).code).to.equal('ERR_OUT_OF_RANGE');
    expect((await a.recv(16)).toString()).to.equal('kept');
  });
}

function pendingSendTests<A, I>(bench: Bench<A, I>): void {
  it('memory that is transferred while a send is pending ends it, and nothing of it is sent', async () => {
    for (const operation of ['send', 'sendAll', 'sendMsg'] as const) {
      const { a, b, taken } = await fullPair(bench);
      const memory = new ArrayBuffer(1000);
      const view = new Uint8Array(memory);
      const pending = failure('promise', a, operation, operation === 'sendMsg' ? [view] : view);
      const behind = a.send('behind');
      await turns(2);
      structuredClone(memory, { transfer: [memory] });
      await empty(b, taken);
      const error = await within(operation, pending);
      expect(error.code, operation).to.equal('ERR_OUT_OF_RANGE');
      expect(error, operation).to.be.instanceOf(RangeError);
      await within('the send behind it', behind);
      expect((await b.recv(100)).toString(), operation).to.equal('behind');
    }
  });
}

function nameTests<A, I>(bench: Bench<A, I>, name: I): void {
  it('try forms, batches and encodeAddress refuse names', async () => {
    const [a, b] = await bench.pair();
    const batch = new MessageBatch({ count: 1, size: 8 });
    batch.push('never', name);
    const calls: [string, () => unknown][] = [
      ['tryBind', () => a.tryBind(name)],
      ['tryConnect', () => a.tryConnect(name)],
      ['trySendTo', () => a.trySendTo('never', name)],
      ['trySendMsg', () => a.trySendMsg(['never'], { address: name })],
      ['encodeAddress', () => a.encodeAddress(name)],
      ['trySendBatch', () => a.trySendBatch(batch)],
      ['sendBatchSync', () => a.sendBatchSync(batch)],
    ];
    for (const [what, call] of calls) {
      expectArgumentError(thrown(call), 'address', undefined, what);
    }
    await turns(1);
    expect(b.tryRecv(8), 'nothing was sent').to.equal(null);
  });
}
