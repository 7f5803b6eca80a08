import {
  SO_BROADCAST,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from '@sock/core';
import { IP_TTL, IPPROTO_IP, IPPROTO_TCP, inet, TCP_INFO, TCP_NODELAY } from '@sock/inet';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

type Call = (socket: Socket<unknown>) => unknown;

function option(title: string, python: string, call: Call, type: number = SOCK_STREAM): Case {
  return {
    title,
    python: `s = socket(AF_INET, ${type})\n${python}`,
    sock: (own: Own) => call(own(new Socket(inet, type)) as unknown as Socket<unknown>),
  };
}

const ints = [0, 1, -1, 2, 300, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 63, 1.5, 'x'].flatMap((value) => [
  option(
    `setsockopt(SO_REUSEADDR, ${py(value)})`,
    `s.setsockopt(SOL_SOCKET, SO_REUSEADDR, ${typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : py(value)}); s.getsockopt(SOL_SOCKET, SO_REUSEADDR)`,
    (s) => {
      s.setsockopt(SOL_SOCKET, SO_REUSEADDR, value as number);
      return s.getsockopt(SOL_SOCKET, SO_REUSEADDR);
    },
  ),
  option(
    `setsockopt(IP_TTL, ${py(value)})`,
    `s.setsockopt(IPPROTO_IP, IP_TTL, ${typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : py(value)}); s.getsockopt(IPPROTO_IP, IP_TTL)`,
    (s) => {
      s.setsockopt(IPPROTO_IP, IP_TTL, value as number);
      return s.getsockopt(IPPROTO_IP, IP_TTL);
    },
  ),
]);

const BYTES = ['', '01', '0100', '01000000', '0100000000000000', '00000000', '0100000005000000', 'ffffffff'];
const structures = BYTES.flatMap((hex) => {
  const bytes = Buffer.from(hex, 'hex');
  return (['SO_KEEPALIVE', 'SO_LINGER', 'SO_RCVTIMEO'] as const).map((name) => {
    const number = { SO_KEEPALIVE, SO_LINGER, SO_RCVTIMEO }[name];
    return option(
      `setsockopt(${name}, ${hex.length / 2} bytes ${hex})`,
      `s.setsockopt(SOL_SOCKET, ${number}, ${py(bytes)}); s.getsockopt(SOL_SOCKET, ${number}, 16)`,
      (s) => {
        s.setsockopt(SOL_SOCKET, number, bytes);
        return s.getsockopt(SOL_SOCKET, number, 16);
      },
    );
  });
});

const lengths = [0, 1, 2, 3, 4, 5, 8, 16, 1024, -1].flatMap((length) => [
  option(`getsockopt(SO_TYPE, ${length})`, `s.getsockopt(SOL_SOCKET, SO_TYPE, ${length})`, (s) =>
    s.getsockopt(SOL_SOCKET, SO_TYPE, length),
  ),
  option(`getsockopt(SO_LINGER, ${length})`, `s.getsockopt(SOL_SOCKET, SO_LINGER, ${length})`, (s) =>
    s.getsockopt(SOL_SOCKET, SO_LINGER, length),
  ),
]);

const nothing = [0, 4, 16, -1, 'x'].map((length) =>
  option(
    `setsockopt(SO_KEEPALIVE, None, ${py(length)})`,
    `s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, None, ${py(length)})`,
    (s) => s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, null, length as number),
  ),
);

const LEVELS: [level: unknown, name: unknown][] = [
  [SOL_SOCKET, 9999],
  [9999, 1],
  [-1, 1],
  [SOL_SOCKET, -1],
  [2 ** 31, 1],
  ['x', 1],
  [SOL_SOCKET, null],
];
const unknown = LEVELS.flatMap(([level, name]) => [
  option(`getsockopt(${py(level)}, ${py(name)})`, `s.getsockopt(${py(level)}, ${py(name)})`, (s) =>
    s.getsockopt(level as number, name as number),
  ),
  option(`setsockopt(${py(level)}, ${py(name)}, 1)`, `s.setsockopt(${py(level)}, ${py(name)}, 1)`, (s) =>
    s.setsockopt(level as number, name as number, 1),
  ),
]);

const particular: Case[] = [
  option(
    'TCP_NODELAY of a datagram socket',
    's.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)',
    (s) => s.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1),
    SOCK_DGRAM,
  ),
  option('SO_BROADCAST, read as a number', 's.getsockopt(SOL_SOCKET, SO_BROADCAST)', (s) =>
    s.getsockopt(SOL_SOCKET, SO_BROADCAST),
  ),
  option('SO_ERROR cannot be set', 's.setsockopt(SOL_SOCKET, SO_ERROR, 1)', (s) =>
    s.setsockopt(SOL_SOCKET, SO_ERROR, 1),
  ),
  option('SO_TYPE cannot be set', 's.setsockopt(SOL_SOCKET, SO_TYPE, 1)', (s) => s.setsockopt(SOL_SOCKET, SO_TYPE, 1)),
  option('TCP_INFO, its first byte', 's.getsockopt(IPPROTO_TCP, TCP_INFO, 1)', (s) =>
    s.getsockopt(IPPROTO_TCP, TCP_INFO, 1),
  ),
];

export const options: Case[] = [...ints, ...structures, ...lengths, ...nothing, ...unknown, ...particular];
