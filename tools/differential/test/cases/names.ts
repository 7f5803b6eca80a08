import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM } from '@sock/core';
import {
  type AddressInfo,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_V4MAPPED,
  getaddrinfo,
  getaddrinfoSync,
  gethostbyaddr,
  gethostbyname,
  gethostbyname_ex,
  gethostname,
  getnameinfo,
  getprotobyname,
  getservbyname,
  getservbyport,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NI_DGRAM,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
} from '@sock/inet';
import type { Case } from '../compare.js';
import { py } from '../literal.js';
import { ipTuple } from '../shapes.js';

type Query = [host: unknown, service: unknown, family?: number, type?: number, protocol?: number, flags?: number];

// no query here reaches a name server: hosts are numeric or this machine's
const QUERIES: Query[] = [
  ...([null, '127.0.0.1', '::1', '0x7f.1', '127.1', '1', 'fe80::1%lo', '', '1.2.3.4 '] as const).map(
    (host): Query => [host, 80, 0, SOCK_STREAM, 0, AI_NUMERICHOST],
  ),
  ...(
    [
      0,
      1,
      65535,
      65536,
      -1,
      '80',
      'http',
      '0',
      '',
      '65535',
      '65536',
      '080',
      '-1',
      ' 80',
      '80 ',
      '8x',
      'no-such-service',
    ] as const
  ).map((service): Query => ['127.0.0.1', service, AF_INET, SOCK_STREAM]),
  ...[0, AF_INET, AF_INET6, AF_UNIX, 77].map(
    (family): Query => ['127.0.0.1', 80, family, SOCK_STREAM, 0, AI_NUMERICHOST],
  ),
  ...[0, AF_INET, AF_INET6].map((family): Query => ['::1', 80, family, SOCK_STREAM, 0, AI_NUMERICHOST]),
  ...[0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, 77].map((type): Query => ['127.0.0.1', 53, AF_INET, type]),
  ...[0, IPPROTO_TCP, IPPROTO_UDP, 1, 255].map((protocol): Query => ['127.0.0.1', 53, AF_INET, 0, protocol]),
  [null, null],
  [null, 80, 0, SOCK_STREAM, 0, AI_PASSIVE],
  ['127.0.0.1', 'http', AF_INET, SOCK_STREAM, 0, AI_NUMERICSERV],
  ['127.0.0.1', 'http', AF_INET, SOCK_DGRAM],
  ['127.0.0.1', 'syslog', AF_INET, SOCK_DGRAM],
  ['127.0.0.1', 80, AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED | AI_NUMERICHOST],
  ['127.0.0.1', 80, AF_INET, SOCK_STREAM, 0, AI_CANONNAME],
  ['127.0.0.1', 80, AF_INET, SOCK_STREAM, 0, 0x40000000],
  ['no.such.host', 80, 0, 0, 0, AI_NUMERICHOST],
  ['a'.repeat(300), 80, 0, 0, 0, AI_NUMERICHOST],
  ['a\0b', 80, 0, 0, 0, AI_NUMERICHOST],
  ['127.0.0.1', '8\0', AF_INET, SOCK_STREAM],
  ['localhost', 80, AF_INET, SOCK_STREAM],
  [5, 80],
  [['127.0.0.1'], 80],
  ['127.0.0.1', ['80']],
  ['127.0.0.1', 1.5],
];

const tuples = (infos: readonly AddressInfo[]) =>
  infos.map(({ family, type, protocol, canonicalName, address }) => [
    family,
    type,
    protocol,
    canonicalName ?? '',
    ipTuple(address),
  ]);

const lookups: Case[] = QUERIES.map(([host, service, family = 0, type = 0, protocol = 0, flags = 0]) => {
  const numbers = { family, type, protocol, flags };
  const written = [host, service, family, type, protocol, flags].map(py).join(', ');
  return {
    title: `getaddrinfo(${written.replace(/a{300}/, 'a…')})`,
    python: `getaddrinfo(${written})`,
    sock: async () => tuples(await getaddrinfo(host as string, service as string, numbers)),
  };
});

const lookupsSync: Case[] = QUERIES.slice(0, 12).map(
  ([host, service, family = 0, type = 0, protocol = 0, flags = 0]) => {
    const written = [host, service, family, type, protocol, flags].map(py).join(', ');
    return {
      title: `getaddrinfoSync(${written})`,
      python: `getaddrinfo(${written})`,
      sock: () => tuples(getaddrinfoSync(host as string, service as string, { family, type, protocol, flags })),
    };
  },
);

type Name = [host: unknown, port: unknown, flags: number];
const NUMERIC = NI_NUMERICHOST | NI_NUMERICSERV;
const NAMES: Name[] = [
  ['127.0.0.1', 80, NUMERIC],
  ['127.0.0.1', 80, NI_NUMERICHOST],
  ['127.0.0.1', 514, NI_NUMERICHOST | NI_DGRAM],
  ['127.0.0.1', 514, NI_NUMERICHOST],
  ['::1', 65535, NUMERIC],
  ['127.0.0.1', 65536, NUMERIC],
  ['127.0.0.1', -1, NUMERIC],
  ['127.0.0.1', 0, NUMERIC],
  ['127.0.0.1', 80, -1],
  ['127.0.0.1', '80', NUMERIC],
  [null, 80, NUMERIC],
  [5, 80, NUMERIC],
];
const reverse: Case[] = NAMES.map(([host, port, flags]) => ({
  title: `getnameinfo((${py(host)}, ${py(port)}), ${flags})`,
  python: `getnameinfo((${py(host)}, ${py(port)}), ${flags})`,
  sock: async () => {
    const found = await getnameinfo({ host: host as string, port: port as number }, flags);
    return [found.host, found.service];
  },
}));

const SERVICES: unknown[][] = [
  ...[
    ['http'],
    ['http', 'tcp'],
    ['http', 'udp'],
    ['domain', 'udp'],
    ['no-such'],
    [''],
    ['HTTP'],
    ['http', 'xyz'],
    ['80'],
  ],
  ...[[80], ['http', 7], [null]],
];
const PORTS: unknown[][] = [[80], [80, 'tcp'], [80, 'udp'], [53, 'udp'], [0], [65535], [65536], [-1], ['80'], [1.5]];
const databases: Case[] = [
  ...SERVICES.map(([name, protocol]) => ({
    title: `getservbyname(${py(name)}, ${py(protocol)})`,
    python: `getservbyname(${py(name)}${protocol === undefined ? '' : `, ${py(protocol)}`})`,
    sock: () => getservbyname(name as string, protocol as string),
  })),
  ...PORTS.map(([port, protocol]) => ({
    title: `getservbyport(${py(port)}, ${py(protocol)})`,
    python: `getservbyport(${py(port)}${protocol === undefined ? '' : `, ${py(protocol)}`})`,
    sock: () => getservbyport(port as number, protocol as string),
  })),
  ...['tcp', 'udp', 'icmp', 'ipv6-icmp', 'sctp', 'TCP', 'no-such', '', '6', 5, null].map((name) => ({
    title: `getprotobyname(${py(name)})`,
    python: `getprotobyname(${py(name)})`,
    sock: () => getprotobyname(name as string),
  })),
];

const hosts: Case[] = [
  ...['127.0.0.1', 'localhost', '', '<broadcast>', '127.1', '0x7f.1', '255.255.255.255', 5, null].map((name) => ({
    title: `gethostbyname(${py(name)})`,
    python: `gethostbyname(${py(name)})`,
    sock: () => gethostbyname(name as string),
  })),
  ...['127.0.0.1', '127.1', 5].map((name) => ({
    title: `gethostbyname_ex(${py(name)})`,
    python: `gethostbyname_ex(${py(name)})`,
    sock: async () => {
      const found = await gethostbyname_ex(name as string);
      return [found.name, found.aliases, found.addresses];
    },
  })),
  ...['127.0.0.1', '::1', 5].map((address) => ({
    title: `gethostbyaddr(${py(address)})`,
    python: `gethostbyaddr(${py(address)})`,
    sock: async () => {
      const found = await gethostbyaddr(address as string);
      return [found.name, found.aliases, found.addresses];
    },
  })),
  { title: 'gethostname()', python: 'gethostname()', sock: gethostname },
];

export const names: Case[] = [...lookups, ...lookupsSync, ...reverse, ...databases, ...hosts];
