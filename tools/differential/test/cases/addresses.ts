import { AF_INET, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket, UnknownAddress } from '@sock/core';
import { type Inet6Input, type InetInput, inet, inet6 } from '@sock/inet';
import { unix } from '@sock/unix';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';
import { hostOf } from '../shapes.js';

/** A Python tuple as an address of ours: what is left out stays so. */
const inetInput = (parts: readonly unknown[]): InetInput => ({ host: parts[0] as string, port: parts[1] as number });
function inet6Input([host, port, flowinfo, scopeid]: readonly unknown[]): Inet6Input {
  return {
    host: host as string,
    port: port as number,
    ...(flowinfo !== undefined && { flowinfo: flowinfo as number }),
    ...(scopeid !== undefined && { scopeid: scopeid as number }),
  };
}

const INET: unknown[][] = [
  ...[
    '',
    '0.0.0.0',
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '127.0.0.2',
    '1',
    '<broadcast>',
    '8.8.8.8',
    'localhost',
    '255.255.255.255',
  ].map((host) => [host, 0]),
  ...[-1, 65536, 1.5, '80', null, 2 ** 31, 2 ** 40].map((port) => ['127.0.0.1', port]),
  ...[5, null, ['127.0.0.1'], 'a\0b'].map((host) => [host, 0]),
];

const INET6: unknown[][] = [
  ...['', '::', '::1', '::ffff:127.0.0.1', '2001:db8::1', 'fe80::1', 'fe80::1%lo'].map((host) => [host, 0]),
  ['::1', 0, 0],
  ['::1', 0, 5],
  ['::1', 0, 0xfffff],
  ['::1', 0, 0x100000],
  ['::1', 0, -1],
  ['::1', 0, 0, 0],
  ['::1', 0, 0, 1],
  ['::1', 0, 0, 0xffffffff],
  ['::1', 0, 0, -1],
  ['::1', 0, 'x'],
  ['::1', 70000],
  [5, 0],
];

// an IPv6 address that nobody has is told by the kernel, whose answer depends on its interfaces
const bound: Case[] = [
  ...INET.map((parts) => ({
    title: `bind(${py(parts)})`,
    python: `s = socket(AF_INET, SOCK_DGRAM); s.bind(${py(parts)}); s.getsockname()[0]`,
    sock: async (own: Own) => {
      const socket = own(new Socket(inet, SOCK_DGRAM));
      await socket.bind(inetInput(parts));
      return hostOf(socket.getsockname());
    },
  })),
  ...INET6.map((parts) => ({
    title: `bind6(${py(parts)})`,
    python: `s = socket(AF_INET6, SOCK_DGRAM); s.bind(${py(parts)}); a = s.getsockname(); (a[0], a[2], a[3])`,
    sock: async (own: Own) => {
      const socket = own(new Socket(inet6, SOCK_DGRAM));
      await socket.bind(inet6Input(parts));
      const { host, flowinfo, scopeid } = socket.getsockname();
      return [host, flowinfo, scopeid];
    },
  })),
];

const connected: Case[] = [
  ...['', '127.1', '<broadcast>', '127.0.0.1', '0.0.0.0'].map((host) => ({
    title: `connect((${py(host)}, 9)) of a datagram socket`,
    python: `s = socket(AF_INET, SOCK_DGRAM); s.connect((${py(host)}, 9)); s.getpeername()`,
    sock: async (own: Own) => {
      const socket = own(new Socket(inet, SOCK_DGRAM));
      await socket.connect({ host, port: 9 });
      const { host: peer, port } = socket.getpeername();
      return [peer, port];
    },
  })),
  ...[-1, 65536, 1.5, '9', null].map((port) => ({
    title: `sendto(b'x', ('127.0.0.1', ${py(port)}))`,
    python: `socket(AF_INET, SOCK_DGRAM).sendto(b'x', ('127.0.0.1', ${py(port)}))`,
    sock: (own: Own) => own(new Socket(inet, SOCK_DGRAM)).sendTo('x', { host: '127.0.0.1', port: port as number }),
  })),
  ...(['text', 5, null, [], ['127.0.0.1', 1, 2]] as const).map((address) => ({
    title: `sendto(b'x', ${py(address)})`,
    python: `socket(AF_INET, SOCK_DGRAM).sendto(b'x', ${py(address)})`,
    sock: (own: Own) => own(new Socket(inet, SOCK_DGRAM)).sendTo('x', address as never),
  })),
];

const UNIX: (string | Buffer)[] = [
  '',
  Buffer.alloc(0),
  '\0abstract-sock-differential',
  Buffer.from('\0with\0nul'),
  `\0${'a'.repeat(107)}`,
  `\0${'a'.repeat(108)}`,
  '/no/such/folder/socket',
  'x'.repeat(107),
  'x'.repeat(108),
  'x'.repeat(200),
  'a\0b',
  '/etc/hostname',
  '\udcff',
];

const unixBound: Case[] = UNIX.filter((path) => !String(path).startsWith('x')).flatMap((path) => [
  {
    title: `unix bind(${py(path).slice(0, 60)})`,
    python: `s = socket(AF_UNIX, SOCK_DGRAM); s.bind(${py(path)}); a = s.getsockname(); a if len(a) != 6 else 'automatic'`,
    sock: (own) => {
      const socket = own(new Socket(unix, SOCK_DGRAM));
      socket.bindSync(path);
      const address = socket.getsockname();
      return address.length === 6 ? 'automatic' : address;
    },
  },
  {
    title: `unix connect(${py(path).slice(0, 60)})`,
    python: `socket(AF_UNIX, SOCK_STREAM).connect(${py(path)})`,
    sock: (own) => own(new Socket(unix, SOCK_STREAM)).connect(path),
  },
]);

const unixLong: Case[] = UNIX.filter((path) => String(path).startsWith('x')).map((path) => ({
  title: `unix connect(${path.length} characters)`,
  python: `socket(AF_UNIX, SOCK_STREAM).connect(${py(path)})`,
  sock: (own) => own(new Socket(unix, SOCK_STREAM)).connect(path),
}));

const others: Case[] = [
  ...([5, null, ['a'], ['127.0.0.1', 5]] as const).map((address) => ({
    title: `unix bind(${py(address)})`,
    python: `socket(AF_UNIX, SOCK_DGRAM).bind(${py(address)})`,
    sock: (own: Own) => own(new Socket(unix, SOCK_DGRAM)).bindSync(address as never),
  })),
  {
    title: 'names of an unnamed pair',
    python: 'a, b = socketpair(); [a.getsockname(), a.getpeername()]',
    sock: (own) => {
      const [a, b] = Socket.pair(unix, SOCK_SEQPACKET);
      own(b);
      return [own(a).getsockname(), a.getpeername()];
    },
  },
  {
    title: 'getpeername of a socket that is not connected',
    python: 'socket(AF_UNIX, SOCK_STREAM).getpeername()',
    sock: (own) => own(new Socket(unix, SOCK_STREAM)).getpeername(),
  },
  {
    title: 'an address of another family',
    python: "socket(AF_INET, SOCK_DGRAM).connect(b'/tmp/x')",
    sock: (own) => own(new Socket(inet, SOCK_DGRAM)).connect('/tmp/x' as never),
  },
  {
    title: 'an address given as bytes',
    python: "s = socket(AF_INET, SOCK_DGRAM); s.connect(('127.0.0.1', 9)); s.getpeername()[1]",
    sock: (own) => {
      const socket = own(new Socket(inet, SOCK_DGRAM));
      // port 9 of 127.0.0.1, as bytes
      socket.connectSync(new UnknownAddress(AF_INET, Uint8Array.of(0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)));
      return socket.getpeername().port;
    },
  },
];

export const addresses: Case[] = [...bound, ...connected, ...unixBound, ...unixLong, ...others];
