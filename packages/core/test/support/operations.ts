import { closeSync, openSync, writeFileSync } from 'node:fs';
import { MessageBatch, SOCK_DGRAM, Socket } from '@sock/core';
import { tempPath, turns } from '@sock/testkit';
import { freshName, pair, tcpServer, unix } from './families.js';
import type { Call } from './script.js';

/** An operation that can go on at once, to be disturbed by a test. */
export interface Prepared {
  socket: Socket<never>;
  args: unknown[];
  /** Whether a result is what the undisturbed operation gives. */
  good(result: unknown): boolean;
}

export interface Case {
  /** Name of the method, as of its promise form. */
  operation: string;
  /** Name of the call in errors. */
  syscall: string;
  /** Name of the native function that makes the call. */
  call: Call;
  forms: readonly ('promise' | 'sync' | 'try')[];
  prepare(stack: Cleanup): Prepared;
}

/** Things to dispose of after a test, the last first. */
export class Cleanup implements Disposable {
  readonly #items: (() => void)[] = [];

  use<T extends Disposable>(item: T): T {
    this.#items.push(() => item[Symbol.dispose]());
    return item;
  }

  defer(cleanup: () => void): void {
    this.#items.push(cleanup);
  }

  [Symbol.dispose](): void {
    for (const item of this.#items.splice(0).reverse()) item();
  }
}

/** Two connected sockets for each test of a suite: what closes them after it, with what else it is given. */
export function eachPair(take: (a: Socket<string>, b: Socket<string>) => void): Cleanup {
  const stack = new Cleanup();
  beforeEach(() => {
    const [a, b] = pair();
    take(stack.use(a), stack.use(b));
  });
  afterEach(async () => {
    stack[Symbol.dispose]();
    await turns(2);
  });
  return stack;
}

const ALL = ['promise', 'sync', 'try'] as const;
const TEXT = 'hello';

type AnySocket = Socket<never>;

function receiving(
  operation: string,
  syscall: string,
  call: Case['call'],
  args: () => unknown[],
  good: (result: unknown) => boolean,
): Case {
  return {
    operation,
    syscall,
    call,
    forms: ALL,
    prepare(stack) {
      const [a, b] = pair(SOCK_DGRAM);
      stack.use(a);
      stack.use(b).sendSync(TEXT);
      return { socket: a as unknown as AnySocket, args: args(), good };
    },
  };
}

function sending(
  operation: string,
  syscall: string,
  call: Case['call'],
  args: (peer: string) => unknown[],
  good: (result: unknown) => boolean,
  forms: Case['forms'] = ALL,
): Case {
  return {
    operation,
    syscall,
    call,
    forms,
    prepare(stack) {
      const a = stack.use(new Socket(unix, SOCK_DGRAM));
      const b = stack.use(new Socket(unix, SOCK_DGRAM));
      const peer = freshName();
      b.bindSync(peer);
      if (operation !== 'sendTo') a.connectSync(peer);
      return { socket: a as unknown as AnySocket, args: args(peer), good };
    },
  };
}

const isText = (result: unknown): boolean => String(result) === TEXT;
const isLength = (result: unknown): boolean => result === TEXT.length;

function fullBatch(): MessageBatch {
  const batch = new MessageBatch({ count: 4, size: 100 });
  batch.push(TEXT);
  return batch;
}

/** Every operation that may wait, but for connect, which is special. */
export const OPERATIONS: readonly Case[] = [
  receiving('recv', 'recv', 'recv', () => [100], isText),
  receiving('recvInto', 'recv', 'recv', () => [Buffer.alloc(100)], isLength),
  receiving(
    'recvFrom',
    'recvfrom',
    'recvfrom',
    () => [100],
    (r) => isText((r as { data: Buffer }).data),
  ),
  receiving(
    'recvFromInto',
    'recvfrom',
    'recvfrom',
    () => [Buffer.alloc(100)],
    (r) => isLength((r as { bytes: number }).bytes),
  ),
  receiving(
    'recvMsg',
    'recvmsg',
    'recvmsg',
    () => [100, 64],
    (r) => isText((r as { data: Buffer }).data),
  ),
  receiving(
    'recvMsgInto',
    'recvmsg',
    'recvmsg',
    () => [[Buffer.alloc(2), new Uint16Array(10)], 64],
    (r) => isLength((r as { bytes: number }).bytes),
  ),
  receiving(
    'recvBatch',
    'recvmmsg',
    'recvmmsg',
    () => [new MessageBatch({ count: 2, size: 100 })],
    (r) => r === 1,
  ),
  sending('send', 'send', 'send', () => [TEXT], isLength),
  sending(
    'sendAll',
    'send',
    'send',
    () => [TEXT],
    (r) => r === undefined,
    ['promise', 'sync'],
  ),
  sending('sendTo', 'sendto', 'sendto', (peer) => [TEXT, peer], isLength),
  sending('sendMsg', 'sendmsg', 'sendmsg', () => [['he', Buffer.from('llo')]], isLength),
  sending(
    'sendBatch',
    'sendmmsg',
    'sendmmsg',
    () => [fullBatch()],
    (r) => r === 1,
  ),
  {
    operation: 'sendFile',
    syscall: 'sendfile',
    call: 'sendfile',
    forms: ALL,
    prepare(stack) {
      const [a, b] = pair();
      stack.use(a);
      stack.use(b);
      const path = tempPath();
      writeFileSync(path, TEXT);
      const file = openSync(path, 'r');
      stack.defer(() => closeSync(file));
      return { socket: a as unknown as AnySocket, args: [file], good: isLength };
    },
  },
  {
    operation: 'accept',
    syscall: 'accept',
    call: 'accept',
    forms: ALL,
    prepare(stack) {
      const server = stack.use(tcpServer());
      const client = stack.use(new Socket(server.family));
      client.connectSync(server.getsockname());
      return {
        socket: server as unknown as AnySocket,
        args: [],
        good(result) {
          const { socket, address } = result as { socket: Socket<unknown>; address: unknown };
          stack.use(socket);
          return JSON.stringify(address) === JSON.stringify(client.getsockname());
        },
      };
    },
  },
];
