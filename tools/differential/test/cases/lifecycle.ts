import { closeSync, openSync } from 'node:fs';
import {
  type AddressFamily,
  AF_INET,
  getDefaultTimeout,
  SHUT_RDWR,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  setDefaultTimeout,
} from '@sock/core';
import { IPPROTO_TCP, IPPROTO_UDP, inet } from '@sock/inet';
import { unix } from '@sock/unix';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

type Tcp = ReturnType<typeof open>;
const open = (own: Own, type: number = SOCK_STREAM) => own(new Socket(inet, type));

const bare = (domain: number): AddressFamily<null> => ({
  name: `AF_${domain}`,
  domain,
  encode: () => 2,
  decode: () => null,
  format: () => '',
});

const KINDS: [domain: unknown, type: unknown, protocol: unknown][] = [
  ...[
    SOCK_STREAM,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_NONBLOCK | SOCK_STREAM,
    SOCK_CLOEXEC | SOCK_STREAM,
    77,
    -1,
    'x',
  ].map((type): [unknown, unknown, unknown] => [AF_INET, type, 0]),
  ...[IPPROTO_TCP, IPPROTO_UDP, 999, -1, 1.5, 'x', 2 ** 31].map((protocol): [unknown, unknown, unknown] => [
    AF_INET,
    SOCK_STREAM,
    protocol,
  ]),
  [1, SOCK_STREAM, 5],
  [1, SOCK_RAW, 0],
  [0, SOCK_STREAM, 0],
  [45, SOCK_STREAM, 0],
  [9999, SOCK_STREAM, 0],
  [2 ** 31, SOCK_STREAM, 0],
];

const opening: Case[] = KINDS.map(([domain, type, protocol]) => ({
  title: `socket(${py(domain)}, ${py(type)}, ${py(protocol)})`,
  python: `s = socket(${py(domain)}, ${py(type)}, ${py(protocol)}); [int(s.type), s.proto, s.gettimeout()]`,
  sock: (own) => {
    const socket = own(new Socket(bare(domain as number), type as number, protocol as number));
    return [socket.type, socket.protocol, socket.timeout];
  },
}));

/** The same timeout in both units. */
const timeouts: Case[] = [
  null,
  0,
  0.5,
  1,
  1e-9,
  -1,
  -0.001,
  Number.NaN,
  1e10,
  1e20,
  Number.POSITIVE_INFINITY,
  'x',
  true,
].map((seconds) => ({
  title: `settimeout(${py(seconds)})`,
  python: `s = socket(); s.settimeout(${py(seconds)}); [s.gettimeout() is None, s.getblocking()]`,
  sock: (own) => {
    const socket = open(own);
    socket.timeout = (typeof seconds === 'number' ? seconds * 1000 : seconds) as number;
    return [socket.timeout === null, socket.blocking];
  },
}));

const defaults: Case[] = [null, 0, 2.5, -1, 'x'].map((seconds) => ({
  title: `setdefaulttimeout(${py(seconds)})`,
  python: `setdefaulttimeout(${py(seconds)}); s = socket(); [getdefaulttimeout(), s.gettimeout()]`,
  sock: (own) => {
    try {
      setDefaultTimeout((typeof seconds === 'number' ? seconds * 1000 : seconds) as number);
      const inSeconds = (timeout: number | null) => (timeout === null ? null : timeout / 1000);
      return [inSeconds(getDefaultTimeout()), inSeconds(open(own).timeout)];
    } finally {
      setDefaultTimeout(null);
    }
  },
}));

// every method that needs the descriptor, on a socket that has none any more
const METHODS: [name: string, python: string, call: (socket: Tcp) => unknown][] = [
  ['accept', 's.accept()', (s) => s.accept()],
  ['bind', "s.bind(('127.0.0.1', 0))", (s) => s.bind({ host: '127.0.0.1', port: 0 })],
  ['connect', "s.connect(('127.0.0.1', 9))", (s) => s.connect({ host: '127.0.0.1', port: 9 })],
  ['connect_ex', "s.connect_ex(('127.0.0.1', 9))", (s) => s.connectEx({ host: '127.0.0.1', port: 9 })],
  ['listen', 's.listen()', (s) => s.listen()],
  ['recv', 's.recv(1)', (s) => s.recv(1)],
  ['recvfrom', 's.recvfrom(1)', (s) => s.recvFrom(1)],
  ['recv_into', 's.recv_into(bytearray(1))', (s) => s.recvInto(Buffer.alloc(1))],
  ['recvmsg', 's.recvmsg(1)', (s) => s.recvMsg(1, 0)],
  ['send', "s.send(b'x')", (s) => s.send('x')],
  ['sendall', "s.sendall(b'x')", (s) => s.sendAll('x')],
  ['sendto', "s.sendto(b'x', ('127.0.0.1', 9))", (s) => s.sendTo('x', { host: '127.0.0.1', port: 9 })],
  ['sendmsg', "s.sendmsg([b'x'])", (s) => s.sendMsg(['x'])],
  ['shutdown', 's.shutdown(SHUT_RDWR)', (s) => s.shutdown(SHUT_RDWR)],
  ['getsockname', 's.getsockname()', (s) => s.getsockname()],
  ['getpeername', 's.getpeername()', (s) => s.getpeername()],
  ['getsockopt', 's.getsockopt(SOL_SOCKET, SO_REUSEADDR)', (s) => s.getsockopt(SOL_SOCKET, SO_REUSEADDR)],
  ['setsockopt', 's.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)', (s) => s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)],
  ['dup', 's.dup()', (s) => s.dup()],
  ['get_inheritable', 's.get_inheritable()', (s) => s.inheritable],
  ['fileno', 's.fileno()', (s) => s.fileno()],
  ['detach', 's.detach()', (s) => s.detach()],
  ['close', 's.close()', (s) => s.close()],
  ['gettimeout', 's.gettimeout()', (s) => s.timeout],
];

const without = (state: string, python: string, end: (socket: Tcp) => void): Case[] =>
  METHODS.map(([name, code, call]) => ({
    title: `${name} after ${state}`,
    python: `s = socket()\n${python}\n${code}`,
    sock: (own) => {
      const socket = open(own);
      end(socket);
      return call(socket);
    },
  }));

const ended: Case[] = [
  ...without('close', 's.close()', (socket) => socket.close()),
  ...without('detach', 'os.close(s.detach())', (socket) => closeSync(socket.detach())),
];

// and on one that was only opened: what the kernel says of a socket in the wrong state
const FRESH = new Set(['accept', 'recv', 'recvfrom', 'recv_into', 'recvmsg', 'send', 'sendall', 'sendmsg']);
const fresh: Case[] = METHODS.filter(
  ([name]) => FRESH.has(name) || ['shutdown', 'getpeername', 'listen'].includes(name),
).map(([name, code, call]) => ({
  title: `${name} of a socket that was only opened`,
  python: `s = socket()\ns.settimeout(2)\n${code}`,
  sock: (own) => {
    const socket = open(own);
    socket.timeout = 2000;
    return call(socket);
  },
}));

/** `s` listens on the loopback; its timeout is given in seconds. */
const LISTENING = (timeout: unknown) =>
  `s = socket(); s.bind(('127.0.0.1', 0)); s.listen(1); s.settimeout(${py(timeout)})\n`;
function listening(own: Own, timeout: number | null): Tcp {
  const socket = open(own);
  socket.bindSync({ host: '127.0.0.1' });
  socket.listen(1);
  socket.timeout = timeout;
  return socket;
}

const accepting: Case[] = [
  {
    title: 'accept where nobody connects, timeout 0',
    python: `${LISTENING(0)}s.accept()`,
    sock: (own) => listening(own, 0).accept(),
  },
  {
    title: 'accept where nobody connects, with a timeout',
    python: `${LISTENING(0.02)}s.accept()`,
    sock: (own) => listening(own, 20).accept(),
  },
  ...([null, 0, 1.5] as const).map((seconds) => ({
    title: `timeout of a socket accepted by one with ${seconds}`,
    python: `${LISTENING(seconds)}c = socket(); c.connect(s.getsockname()); time.sleep(0.05); a, _ = s.accept(); a.gettimeout()`,
    sock: async (own: Own) => {
      const server = listening(own, seconds === null ? null : seconds * 1000);
      const client = open(own);
      await client.connect(server.getsockname());
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { socket } = await server.accept();
      return own(socket).timeout;
    },
  })),
  ...([0, 2.5] as const).map((seconds) => ({
    title: `the same, with a default timeout of ${seconds}`,
    python: `${LISTENING(null)}setdefaulttimeout(${seconds}); c = socket(); c.settimeout(None); c.connect(s.getsockname()); time.sleep(0.05); a, _ = s.accept(); a.gettimeout()`,
    sock: async (own: Own) => {
      const server = listening(own, null);
      const client = open(own);
      await client.connect(server.getsockname());
      setDefaultTimeout(seconds * 1000);
      try {
        const { socket } = await server.accept();
        const { timeout } = own(socket);
        return timeout === null ? null : timeout / 1000;
      } finally {
        setDefaultTimeout(null);
      }
    },
  })),
  ...[-5, 0, 1, 2 ** 31 - 1, 2 ** 31, 1.5, 'x'].map((backlog) => ({
    title: `listen(${py(backlog)})`,
    python: `s = socket(); s.bind(('127.0.0.1', 0)); s.listen(${py(backlog)})`,
    sock: (own: Own) => {
      const socket = open(own);
      socket.bindSync({ host: '127.0.0.1' });
      return socket.listen(backlog as number);
    },
  })),
  {
    title: 'an address that is taken',
    python: `${LISTENING(null)}t = socket(); t.bind(s.getsockname())`,
    sock: (own) => open(own).bind(listening(own, null).getsockname()),
  },
  {
    title: 'bound twice',
    python: "s = socket(); s.bind(('127.0.0.1', 0)); s.bind(('127.0.0.1', 0))",
    sock: async (own) => {
      const socket = open(own);
      await socket.bind({ host: '127.0.0.1' });
      return socket.bind({ host: '127.0.0.1' });
    },
  },
  {
    title: 'listen on a datagram socket',
    python: 'socket(AF_INET, SOCK_DGRAM).listen()',
    sock: (own) => open(own, SOCK_DGRAM).listen(),
  },
];

// a port of the loopback that was bound a moment ago, so that nobody listens
const REFUSING = "t = socket(); t.bind(('127.0.0.1', 0)); where = t.getsockname(); t.close()\n";
function refusing(own: Own): { host: string; port: number } {
  const socket = open(own);
  socket.bindSync({ host: '127.0.0.1' });
  const address = socket.getsockname();
  socket.close();
  return address;
}

const connecting: Case[] = [
  {
    title: 'connect where nobody listens',
    python: `${REFUSING}socket().connect(where)`,
    sock: (own) => open(own).connect(refusing(own)),
  },
  {
    title: 'connect_ex where nobody listens',
    python: `${REFUSING}socket().connect_ex(where)`,
    sock: (own) => open(own).connectEx(refusing(own)),
  },
  {
    title: 'connect_ex that succeeds',
    python: `${LISTENING(null)}socket().connect_ex(s.getsockname())`,
    sock: (own) => open(own).connectEx(listening(own, null).getsockname()),
  },
  {
    title: 'connect to a path that is not there',
    python: "socket(AF_UNIX).connect_ex('/no/such/path')",
    sock: (own) => own(new Socket(unix)).connectEx('/no/such/path'),
  },
  {
    title: 'connect with timeout 0',
    python: `${LISTENING(null)}c = socket(); c.setblocking(False); c.connect(s.getsockname())`,
    sock: (own) => {
      const socket = open(own);
      socket.blocking = false;
      return socket.connect(listening(own, null).getsockname());
    },
  },
  {
    title: 'connected twice',
    python: `${LISTENING(null)}c = socket(); c.connect(s.getsockname()); c.connect(s.getsockname())`,
    sock: async (own) => {
      const server = listening(own, null);
      const socket = open(own);
      await socket.connect(server.getsockname());
      return socket.connect(server.getsockname());
    },
  },
  {
    title: 'connect of a listening socket',
    python: `${LISTENING(null)}s.connect(s.getsockname())`,
    sock: (own) => {
      const server = listening(own, null);
      return server.connect(server.getsockname());
    },
  },
  {
    title: 'a datagram socket without a peer sends',
    python: "socket(AF_INET, SOCK_DGRAM).send(b'x')",
    sock: (own) => open(own, SOCK_DGRAM).send('x'),
  },
  {
    title: 'what a refused datagram comes to',
    python: `t = socket(AF_INET, SOCK_DGRAM); t.bind(('127.0.0.1', 0)); where = t.getsockname(); t.close()
s = socket(AF_INET, SOCK_DGRAM); s.connect(where); s.settimeout(2); s.send(b'x'); s.recv(1)`,
    sock: async (own) => {
      const gone = open(own, SOCK_DGRAM);
      await gone.bind({ host: '127.0.0.1' });
      const where = gone.getsockname();
      gone.close();
      const socket = open(own, SOCK_DGRAM);
      await socket.connect(where);
      socket.timeout = 2000;
      await socket.send('x');
      return socket.recv(1);
    },
  },
  {
    title: 'a broadcast that is not allowed',
    python: "socket(AF_INET, SOCK_DGRAM).connect(('127.255.255.255', 9))",
    sock: (own) => open(own, SOCK_DGRAM).connect({ host: '127.255.255.255', port: 9 }),
  },
];

/** Descriptors, by number. `adopt` is Python's `socket(fileno=)`. */
const descriptors: Case[] = [
  ...[-1, 999_999, 1.5, 'x'].map((fd) => ({
    title: `socket(fileno=${py(fd)})`,
    python: `socket(fileno=${py(fd)})`,
    sock: (own: Own) => own(Socket.adopt(fd as number)),
  })),
  {
    title: 'socket(fileno=) of a file',
    python: "f = os.open('/etc/hostname', os.O_RDONLY); socket(fileno=f)",
    sock: (own) => {
      const fd = openSync('/etc/hostname', 'r');
      try {
        return own(Socket.adopt(fd));
      } finally {
        closeSync(fd);
      }
    },
  },
  {
    title: 'socket(fileno=), what it reads from the kernel',
    python: 's = socket(AF_INET, SOCK_DGRAM); t = socket(fileno=s.detach()); [int(t.family), int(t.type), t.proto]',
    sock: (own) => {
      const socket = own(Socket.adopt(open(own, SOCK_DGRAM).detach()));
      return [socket.domain, socket.type, socket.protocol];
    },
  },
  {
    title: 'fromfd is another descriptor',
    python: 's = socket(); t = fromfd(s.fileno(), AF_INET, SOCK_STREAM); t.fileno() != s.fileno()',
    sock: (own) => {
      const socket = open(own);
      return own(Socket.duplicate(socket.fileno(), inet)).fileno() !== socket.fileno();
    },
  },
  {
    title: 'dup has the type and the timeout',
    python:
      's = socket(AF_INET, SOCK_DGRAM); s.settimeout(1.5); t = s.dup(); [int(t.type), t.gettimeout(), t.get_inheritable()]',
    sock: (own) => {
      const socket = open(own, SOCK_DGRAM);
      socket.timeout = 1500;
      const copy = own(socket.dup());
      return [copy.type, (copy.timeout as number) / 1000, copy.inheritable];
    },
  },
  {
    title: 'inheritance is off, and can be turned on',
    python: 's = socket(); before = s.get_inheritable(); s.set_inheritable(True); [before, s.get_inheritable()]',
    sock: (own) => {
      const socket = open(own);
      const before = socket.inheritable;
      socket.inheritable = true;
      return [before, socket.inheritable];
    },
  },
  ...([SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, 77] as const).map((type) => ({
    title: `socketpair(AF_UNIX, ${type})`,
    python: `a, b = socketpair(AF_UNIX, ${type}); [int(a.type), int(b.type), a.get_inheritable()]`,
    sock: (own: Own) => {
      const [a, b] = Socket.pair(unix, type);
      own(b);
      return [own(a).type, b.type, a.inheritable];
    },
  })),
  {
    title: 'socketpair(AF_INET)',
    python: 'socketpair(AF_INET)',
    sock: () => Socket.pair(inet),
  },
];

export const lifecycle: Case[] = [
  ...opening,
  ...timeouts,
  ...defaults,
  ...ended,
  ...fresh,
  ...accepting,
  ...connecting,
  ...descriptors,
];
