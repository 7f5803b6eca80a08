import { inspect } from 'node:util';
import * as core from '@sock/core';
import { MessageBatch, Socket, SocketError, SocketHandle } from '@sock/core';
import { inLab } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { inet, pair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

/** Values of every kind that somebody may pass by mistake. */
function* oddities(): Generator<unknown> {
  yield* [
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 31,
    2 ** 53,
    1n,
    'text',
    '\0',
    '',
  ];
  yield* [Symbol('s'), () => 1, [], [null], [undefined], [{}], ['x'], {}, Object.create(null), new Map(), new Set([1])];
  yield* [
    new Date(),
    /x/,
    new Error('x'),
    new Uint8Array(0),
    new Uint8Array(3),
    new ArrayBuffer(3),
    new DataView(new ArrayBuffer(3)),
  ];
  yield* [
    Promise.resolve(),
    new Proxy({}, {}),
    { flags: 'x' },
    { timeout: -1 },
    { signal: {} },
    { address: 7 },
    { ancillary: 7 },
  ];
  yield* [
    { level: 1 },
    { encode: 1 },
    { fd: 'x' },
    { first: -1 },
    { offset: -1 },
    { count: 'x' },
    { domain: 1, name: 'x' },
  ];
  const gone = new ArrayBuffer(8);
  const view = new Uint8Array(gone);
  structuredClone(gone, { transfer: [gone] });
  yield* [gone, view, [view]];
}

/** What a mistake may give: an error that says which argument, or one that the kernel gave. */
function isGood(error: unknown): boolean {
  if (error instanceof SocketError) return true;
  if (!(error instanceof TypeError || error instanceof RangeError)) return false;
  const { code, argument } = error as TypeError & { code?: string; argument?: string };
  return /^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/.test(code ?? '') && typeof argument === 'string';
}

/** Calls, waits for what was begun, and gives the error that is no answer to a mistake, if there is one. */
async function complaint(call: () => unknown, own?: unknown): Promise<unknown> {
  try {
    const result = call();
    if (result instanceof Socket && result !== own) result.close();
    else if (result instanceof Promise) await result;
    else if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result && 'next' in result) {
      await (result as AsyncIterator<unknown>).next();
    }
    return undefined;
  } catch (error) {
    return isGood(error) ? undefined : error;
  }
}

/** Options of a wait, which must not be for ever. */
function brief(options: unknown): unknown {
  if (options === undefined) return { timeout: 0 };
  return typeof options === 'object' && options !== null && !Array.isArray(options)
    ? { timeout: 0, ...options }
    : options;
}

// these take the socket away, or the descriptor that they are given
const ENDING = ['constructor', 'close', 'detach', 'toNetSocket'];

function methodsOf(prototype: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === 'function' && !ENDING.includes(name))
    .map(([name]) => name);
}

function neverAnEnginesOwnError(): void {
  const stack = new Cleanup();
  let a: Socket<string>;
  let b: Socket<string>;
  beforeEach(() => {
    [a, b] = pair();
    stack.use(a).timeout = 0;
    stack.use(b);
  });
  afterEach(() => stack[Symbol.dispose]());

  const names = [...methodsOf(SocketHandle.prototype), ...methodsOf(Socket.prototype)];
  const PUBLIC = names.filter(
    (name) => !['check', 'fd', 'lastAddress', 'optionKey', 'readOption', 'writeOption'].includes(name),
  );

  for (const name of PUBLIC) {
    it(`whatever ${name} is given`, async () => {
      const method = Reflect.get(a, name) as (...args: unknown[]) => unknown;
      // a descriptor that is a number would be read from
      const values = [...oddities()].filter(
        (value) => !(name.endsWith('endFile') && typeof value === 'number' && value >= 0),
      );
      const argumentLists = [[], ...values.flatMap((first) => [[first], ...values.map((second) => [first, second])])];
      for (const args of [
        ...argumentLists,
        ...values.map((third) => [4, 0, third]),
        ...values.map((third) => ['x', 'y', third]),
      ]) {
        const found = await complaint(() => method.apply(a, args), a);
        if (found !== undefined) {
          throw new Error(`${name}(${args.map((arg) => inspect(arg)).join(', ')}): ${inspect(found)}`);
        }
      }
      expect(a.closed).to.equal(false);
    }).timeout(60_000);
  }

  it('whatever the constructors and static methods are given', async () => {
    const calls: [string, (...args: never[]) => unknown][] = [
      [
        'new Socket',
        (...args) => new (Socket as unknown as new (...all: unknown[]) => Disposable)(...args)[Symbol.dispose](),
      ],
      [
        'Socket.pair',
        (...args) => Reflect.apply(Socket.pair, Socket, args).map((socket: Disposable) => socket[Symbol.dispose]()),
      ],
      ['Socket.borrow', (...args) => Reflect.apply(Socket.borrow, Socket, args)],
      ['new MessageBatch', (...args) => new (MessageBatch as unknown as new (...all: unknown[]) => unknown)(...args)],
      ['poll', (...args) => Reflect.apply(core.poll, undefined, [args[0], brief(args[1])])],
      ['pollSync', (...args) => Reflect.apply(core.pollSync, undefined, [args[0], brief(args[1])])],
      ['tryPoll', (...args) => Reflect.apply(core.tryPoll, undefined, args)],
      ['if_nametoindex', (...args) => Reflect.apply(core.if_nametoindex, undefined, args)],
      ['if_indextoname', (...args) => Reflect.apply(core.if_indextoname, undefined, args)],
      ['packFilter', (...args) => Reflect.apply(core.packFilter, undefined, args.slice(0, 1))],
      ['scmRights.create', (...args) => Reflect.apply(core.scmRights.create, undefined, args)],
      ['scmRights.take', (...args) => Reflect.apply(core.scmRights.take, undefined, args)],
      ['CMSG_SPACE', (...args) => Reflect.apply(core.CMSG_SPACE, undefined, args)],
      ['setDefaultTimeout', (...args) => Reflect.apply(core.setDefaultTimeout, undefined, args)],
    ];
    try {
      for (const [name, call] of calls) {
        for (const first of oddities()) {
          // to iterate over memory that is gone is an error of the iterator's own
          if (name.toLowerCase().includes('poll') && ArrayBuffer.isView(first)) continue;
          for (const second of [...oddities(), unix]) {
            const args = [first, second] as never[];
            const found = await complaint(() => call(...args));
            if (found !== undefined)
              throw new Error(`${name}(${inspect(first)}, ${inspect(second)}): ${inspect(found)}`);
          }
        }
      }
    } finally {
      core.setDefaultTimeout(null);
    }
  }).timeout(60_000);

  it('whatever a descriptor is said to be', async () => {
    const fd = b.fileno();
    for (const how of ['adopt', 'duplicate'] as const) {
      for (const value of oddities()) {
        // descriptors of the test runner are its own
        if (typeof value === 'number' && Number.isInteger(value) && value >= 0) continue;
        for (const args of [[value], [fd, value], [fd, unix, value], [fd, () => value]]) {
          const found = await complaint(() => {
            const socket = Reflect.apply(Socket[how], Socket, args) as Socket<unknown>;
            socket.close();
          });
          if (found !== undefined)
            throw new Error(`${how}(${args.map((arg) => inspect(arg)).join(', ')}): ${inspect(found)}`);
        }
      }
    }
    expect(b.closed).to.equal(false);
  });

  it('whatever an option is said to be worth', async () => {
    for (const [name, option] of Object.entries(core)) {
      if (!/^so[A-Z]/.test(name)) continue;
      const socket = stack.use(new Socket(inet));
      for (const value of oddities()) {
        const found = await complaint(() => socket.setOption(option as never, value as never));
        if (found !== undefined) throw new Error(`${name} = ${inspect(value)}: ${inspect(found)}`);
      }
    }
  });

  it('anything at all', async () => {
    const method = fc.constantFrom(...PUBLIC.filter((name) => !name.endsWith('endFile') && name !== 'ioctl'));
    const anything = fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withDate: true });
    await fc.assert(
      fc.asyncProperty(method, fc.array(anything, { maxLength: 4 }), async (name, args) => {
        const found = await complaint(() => (Reflect.get(a, name) as (...all: unknown[]) => unknown).apply(a, args), a);
        if (found !== undefined) throw found;
      }),
      { numRuns: 3000 },
    );
  }).timeout(60_000);
}

// no kernel has a say in this
if (!inLab) describe("an engine's own errors never reach a user", neverAnEnginesOwnError);
