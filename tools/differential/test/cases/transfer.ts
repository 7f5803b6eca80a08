import {
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_TIMESTAMP,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  scmRights,
} from '@sock/core';
import { type UnixAddress, type UnixInput, unix } from '@sock/unix';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

type UnixSocket = Socket<UnixAddress, UnixInput>;
type Both = (a: UnixSocket, b: UnixSocket) => unknown;

const NAMES: Readonly<Record<number, string>> = {
  [SOCK_STREAM]: 'stream',
  [SOCK_DGRAM]: 'datagram',
  [SOCK_SEQPACKET]: 'seqpacket',
};

/** A case on two connected sockets, in Python named `a` and `b`. */
function onPair(title: string, python: string, call: Both, type: number = SOCK_STREAM): Case {
  return {
    title: `${NAMES[type]}: ${title}`,
    python: `a, b = socketpair(AF_UNIX, ${type})\n${python}`,
    sock: (own: Own) => {
      const [a, b] = Socket.pair(unix, type);
      own(a);
      own(b);
      // none of the calls compared here needs to wait
      a.timeout = 5000;
      b.timeout = 5000;
      return call(a, b);
    },
  };
}

const TYPES = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET];
const KINDS = (build: (type: number) => Case[]): Case[] => TYPES.flatMap(build);

const receiving = KINDS((type) => [
  ...[0, 1, 3, 5, 100, -1, 1.5, 'x'].map((size) =>
    onPair(
      `recv(${py(size)}) of 5 bytes`,
      `a.send(b'hello'); b.recv(${py(size)})`,
      async (a, b) => {
        await a.send('hello');
        return b.recv(size as number);
      },
      type,
    ),
  ),
  ...[MSG_PEEK, MSG_TRUNC, MSG_PEEK | MSG_TRUNC, MSG_OOB, MSG_DONTWAIT, MSG_WAITALL, 2 ** 31].map((flags) =>
    onPair(
      `recv(3, ${flags}) of 5 bytes`,
      `a.send(b'hello'); [b.recv(3, ${flags}), b.recv(10, MSG_DONTWAIT)]`,
      async (a, b) => {
        await a.send('hello');
        return [await b.recv(3, { flags }), await b.recv(10, { flags: MSG_DONTWAIT })];
      },
      type,
    ),
  ),
  ...[1, 2, 5, 8].map((bytes) =>
    onPair(
      `recv_into ${bytes} of 8 bytes`,
      `a.send(b'hello'); m = bytearray(8); n = b.recv_into(m, ${bytes}); [n, m]`,
      async (a, b) => {
        await a.send('hello');
        const memory = Buffer.alloc(8);
        return [await b.recvInto(memory.subarray(0, bytes)), memory];
      },
      type,
    ),
  ),
  ...([5, null, 'text'] as const).map((memory) =>
    onPair(`recv_into(${py(memory)})`, `b.recv_into(${py(memory)})`, (_a, b) => b.recvInto(memory as never), type),
  ),
  onPair(
    'recvfrom of a pair',
    "a.send(b'hello'); b.recvfrom(10)",
    async (a, b) => {
      await a.send('hello');
      const { data, address } = await b.recvFrom(10);
      return [data, address];
    },
    type,
  ),
  onPair(
    'recvfrom_into of a pair',
    "a.send(b'hello'); m = bytearray(3); [*b.recvfrom_into(m), m]",
    async (a, b) => {
      await a.send('hello');
      const memory = Buffer.alloc(3);
      const { bytes, address } = await b.recvFromInto(memory);
      return [bytes, address, memory];
    },
    type,
  ),
  onPair(
    'recv where there is nothing, without waiting',
    'a.setblocking(False); a.recv(1)',
    (a) => {
      a.blocking = false;
      return a.recv(1);
    },
    type,
  ),
  onPair(
    'recv where there is nothing, MSG_DONTWAIT',
    'a.recv(1, MSG_DONTWAIT)',
    (a) => a.recv(1, { flags: MSG_DONTWAIT }),
    type,
  ),
  ...[0.000001, 0.001, 0.02].map((seconds) =>
    onPair(
      `recv with a timeout of ${seconds} s`,
      `a.settimeout(${seconds}); a.recv(1)`,
      (a) => {
        a.timeout = seconds * 1000;
        return a.recv(1);
      },
      type,
    ),
  ),
  onPair(
    'recv with a timeout of 1 ms, blocking',
    'a.settimeout(0.001); a.recv(1)',
    (a) => {
      a.timeout = 1;
      return a.recvSync(1);
    },
    type,
  ),
]);

const sending = KINDS((type) => [
  ...['hello', '', '\u00e9'].map((text) =>
    onPair(
      `send(${py(text)}) as UTF-8`,
      `[a.send(${py(text)}.encode()), b.recv(100, MSG_DONTWAIT)]`,
      async (a, b) => [await a.send(text), await b.recv(100, { flags: MSG_DONTWAIT })],
      type,
    ),
  ),
  ...([5, null, ['x']] as const).map((data) =>
    onPair(`send(${py(data)})`, `a.send(${py(data)})`, (a) => a.send(data as never), type),
  ),
  ...[MSG_OOB, MSG_DONTWAIT, 2 ** 31].map((flags) =>
    onPair(
      `send with the flags ${flags}`,
      `[a.send(b'x', ${flags}), b.recv(10, MSG_DONTWAIT)]`,
      async (a, b) => [await a.send('x', { flags }), await b.recv(10, { flags: MSG_DONTWAIT })],
      type,
    ),
  ),
  onPair(
    'sendall, received in pieces',
    "a.sendall(b'abcdef'); [b.recv(2), b.recv(10, MSG_DONTWAIT)]",
    async (a, b) => {
      await a.sendAll('abcdef');
      return [await b.recv(2), await b.recv(10, { flags: MSG_DONTWAIT })];
    },
    type,
  ),
  onPair(
    'sendmsg of several buffers',
    "[a.sendmsg([b'ab', b'', b'cd']), b.recv(10)]",
    async (a, b) => [await a.sendMsg(['ab', '', 'cd']), await b.recv(10)],
    type,
  ),
  onPair('sendmsg of no buffers', 'a.sendmsg([])', (a) => a.sendMsg([]), type),
  onPair("sendmsg('text')", 'a.sendmsg(5)', (a) => a.sendMsg(5 as never), type),
  onPair(
    'send until there is no more room',
    `a.setblocking(False)
n = 0
try:
    while n < 10**7: n += a.send(b'x' * 4096)
except BlockingIOError: pass
a.send(b'x' * 4096)`,
    async (a) => {
      a.blocking = false;
      for (let n = 0; n < 10 ** 7; ) {
        const sent = a.trySend(Buffer.alloc(4096));
        if (sent === null) break;
        n += sent;
      }
      return a.send(Buffer.alloc(4096));
    },
    type,
  ),
  onPair(
    'more than the buffer of a message holds',
    "a.setblocking(False); len(b'x') if a.send(b'x' * 10**7) < 10**7 else 0",
    async (a) => {
      a.blocking = false;
      return (await a.send(Buffer.alloc(10 ** 7))) < 10 ** 7 ? 1 : 0;
    },
    type,
  ),
]);

const ending = KINDS((type) => [
  onPair(
    'recv after the peer has closed',
    'a.close(); b.settimeout(0.05); b.recv(1)',
    (a, b) => {
      a.close();
      b.timeout = 50;
      return b.recv(1);
    },
    type,
  ),
  onPair(
    'send after the peer has closed',
    "b.close(); a.send(b'x')",
    (a, b) => {
      b.close();
      return a.send('x');
    },
    type,
  ),
  onPair(
    'the rest is received after the peer has closed',
    "a.send(b'x'); a.close(); [b.recv(1)]",
    async (a, b) => {
      await a.send('x');
      a.close();
      return [await b.recv(1)];
    },
    type,
  ),
  ...[SHUT_RD, SHUT_WR, SHUT_RDWR, 3, -1, 'x'].flatMap((how) => [
    onPair(`shutdown(${py(how)})`, `a.shutdown(${py(how)})`, (a) => a.shutdown(how as number), type),
    onPair(
      `send after shutdown(${py(how)})`,
      `a.shutdown(${py(how)}); a.send(b'x')`,
      (a) => {
        a.shutdown(how as number);
        return a.send('x');
      },
      type,
    ),
    onPair(
      `recv after shutdown(${py(how)})`,
      `a.setblocking(False); a.shutdown(${py(how)}); a.recv(1)`,
      (a) => {
        a.blocking = false;
        a.shutdown(how as number);
        return a.recv(1);
      },
      type,
    ),
    onPair(
      `the peer's recv after shutdown(${py(how)})`,
      `b.setblocking(False); a.shutdown(${py(how)}); b.recv(1)`,
      (a, b) => {
        b.blocking = false;
        a.shutdown(how as number);
        return b.recv(1);
      },
      type,
    ),
  ]),
]);

// fields of msg_flags that tell something here
const TELLING = MSG_CTRUNC | MSG_TRUNC;

const messages = KINDS((type) => [
  ...[0, 3, 10].map((size) =>
    onPair(
      `recvmsg(${size}) of 5 bytes`,
      `a.send(b'hello'); data, anc, flags, address = b.recvmsg(${size}); [data, len(anc), flags & ${TELLING}, address]`,
      async (a, b) => {
        await a.send('hello');
        const { data, ancillary, flags, address } = await b.recvMsg(size, 0);
        using items = ancillary;
        return [data, [...items].length, flags & TELLING, address];
      },
      type,
    ),
  ),
  ...[0, 1, 15, 16, 17, 19, 20, 21, 23, 24, 25, 28, 32, 40, 64].map((size) =>
    onPair(
      `two descriptors in ${size} bytes of ancillary data`,
      `import array
a.sendmsg([b'x'], [(SOL_SOCKET, SCM_RIGHTS, array.array('i', [0, 1]))])
data, anc, flags, address = b.recvmsg(10, ${size})
fds = sum(len(d) // 4 for _, _, d in anc)
for _, _, d in anc:
    for fd in array.array('i', d[:len(d) // 4 * 4]): os.close(fd)
[data, [(level, kind, len(d)) for level, kind, d in anc], fds, flags & ${TELLING}]`,
      async (a, b) => {
        await a.sendMsg(['x'], { ancillary: [scmRights.create([0, 1])] });
        const { data, ancillary, flags } = await b.recvMsg(10, size);
        using items = ancillary;
        const shapes = [...items].map((item) => [item.level, item.type, item.data.length]);
        const fds = shapes.reduce((sum, [, , length]) => sum + Math.floor((length as number) / 4), 0);
        return [data, shapes, fds, flags & TELLING];
      },
      type,
    ),
  ),
  ...[-1, 1.5, 'x'].map((size) =>
    onPair(
      `recvmsg(10, ${py(size)})`,
      `a.send(b'x'); b.recvmsg(10, ${py(size)})[0]`,
      async (a, b) => {
        await a.send('x');
        return (await b.recvMsg(10, size as number)).data;
      },
      type,
    ),
  ),
  onPair(
    'recvmsg_into of several buffers',
    "a.send(b'hello'); m = [bytearray(2), bytearray(0), bytearray(5)]; [b.recvmsg_into(m)[0], *m]",
    async (a, b) => {
      await a.send('hello');
      const memory = [Buffer.alloc(2), Buffer.alloc(0), Buffer.alloc(5)];
      return [(await b.recvMsgInto(memory)).bytes, ...memory];
    },
    type,
  ),
  onPair(
    'a descriptor that is not open',
    "import array; a.sendmsg([b'x'], [(SOL_SOCKET, SCM_RIGHTS, array.array('i', [-1]))])",
    (a) => a.sendMsg(['x'], { ancillary: [scmRights.create([-1])] }),
    type,
  ),
  onPair(
    'ancillary data of an unknown type',
    "a.sendmsg([b'x'], [(SOL_SOCKET, 9999, b'abcd')])",
    (a) => a.sendMsg(['x'], { ancillary: [{ level: SOL_SOCKET, type: 9999, data: Buffer.from('abcd') }] }),
    type,
  ),
  onPair(
    'ancillary data of an unknown level',
    "a.sendmsg([b'x'], [(9999, 1, b'abcd')])",
    (a) => a.sendMsg(['x'], { ancillary: [{ level: 9999, type: 1, data: Buffer.from('abcd') }] }),
    type,
  ),
  onPair(
    'SCM_RIGHTS with data that is no whole number of descriptors',
    "a.sendmsg([b'x'], [(SOL_SOCKET, SCM_RIGHTS, b'abc')])",
    (a) => a.sendMsg(['x'], { ancillary: [{ level: SOL_SOCKET, type: 1, data: Buffer.from('abc') }] }),
    type,
  ),
  onPair(
    'SCM_TIMESTAMP, its level, type and size',
    `b.setsockopt(SOL_SOCKET, ${SO_TIMESTAMP}, 1); a.send(b'x'); [(l, t, len(d)) for l, t, d in b.recvmsg(1, 100)[1]]`,
    async (a, b) => {
      b.setsockopt(SOL_SOCKET, SO_TIMESTAMP, 1);
      await a.send('x');
      const { ancillary } = await b.recvMsg(1, 100);
      return [...ancillary].map(({ level, type: kind, data }) => [level, kind, data.length]);
    },
    type,
  ),
]);

export const transfer: Case[] = [...receiving, ...sending, ...ending, ...messages];
