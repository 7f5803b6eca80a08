import { AF_INET, AF_INET6, AF_UNIX, CMSG_LEN, CMSG_SPACE, if_indextoname, if_nametoindex } from '@sock/core';
import { htonl, htons, inet_aton, inet_ntoa, inet_ntop, inet_pton, ntohl, ntohs } from '@sock/inet';
import type { Case } from '../compare.js';
import { py } from '../literal.js';

const IPV4 = [
  ...['0.0.0.0', '127.0.0.1', '255.255.255.255', '1', '127.1', '10.1.2', '1.2.3.4.5', '256.1.1.1', '1.2.3.256'],
  ...['0x7f.1', '0x7f000001', '0X7F.0x0.0x0.0x1', '0177.0.0.01', '08.1.1.1', '09', '4294967295', '4294967296'],
  ...[
    '1.65536.1',
    '1.2.65535',
    '1.2.65536',
    '1.16777215',
    '1.16777216',
    '-1',
    '+1',
    '1.-2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
  ],
  ...[
    '1.2.3.4 foo',
    '1.2.3.4foo',
    '1.2.3.4\n',
    '1.2.3.4\t',
    '1.2.3.4\n5',
    '',
    ' ',
    '.',
    '1.',
    '1..2',
    '.1',
    '1.2.3.',
    '0x',
    '0x.1',
  ],
  ...[
    'a.b.c.d',
    'localhost',
    '::1',
    '1,2,3,4',
    '1.2.3.4/8',
    '00000000001.2.3.4',
    '0x00000000ff.2',
    '1e3',
    '0b1.1',
    '\u0661.2.3.4',
  ],
  ...['1.2.3.4\0', '1.2.3.4\0x', '1 .2.3.4', '99999999999999999999'],
];

const IPV6 = [
  ...[
    '::',
    '::1',
    '1::',
    'fe80::1',
    '2001:db8::1',
    '2001:DB8::A',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
  ],
  ...[
    '::ffff:1.2.3.4',
    '::1.2.3.4',
    '64:ff9b::192.0.2.33',
    '1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3',
    '::256.1.1.1',
  ],
  ...[
    '1:2:3',
    ':::',
    '1::2::3',
    ':1',
    '1:',
    '12345::',
    'g::',
    '::00001',
    '::0001',
    '',
    ' ::1',
    '::1 ',
    'fe80::1%lo',
    'fe80::1%1',
  ],
  ...[
    '::ffff:0.0.0.0',
    '::ffff:01.2.3.4',
    '1:2:3:4:5:6:7:8:9',
    '0:0:0:0:0:0:0:0',
    '::1\0',
    '[::1]',
    '1::2:3:4:5:6:7:8',
  ],
];

const PACKED4 = ['', '00', '7f0000', '7f000001', '7f00000100', 'ffffffff'];
const PACKED6 = [
  ...[
    '',
    '00000000',
    '00'.repeat(15),
    '00'.repeat(16),
    `${'00'.repeat(15)}01`,
    `${'00'.repeat(12)}01020304`,
    '00'.repeat(17),
  ],
  ...[
    `${'00'.repeat(10)}ffff01020304`,
    `fe80${'00'.repeat(13)}01`,
    '0001'.repeat(8),
    '20010db8000000010000000000000001',
  ],
  ...[
    '20010db8000100000001000000000001',
    `ffff${'00'.repeat(14)}`,
    `${'00'.repeat(14)}ffff`,
    `${'00'.repeat(8)}0001${'00'.repeat(6)}`,
  ],
];

const bytes = (hex: string) => Buffer.from(hex, 'hex');

const addressText: Case[] = [
  ...IPV4.map((text) => ({
    title: `inet_aton(${py(text)})`,
    python: `inet_aton(${py(text)})`,
    sock: () => inet_aton(text),
  })),
  ...IPV4.map((text) => ({
    title: `inet_pton(AF_INET, ${py(text)})`,
    python: `inet_pton(AF_INET, ${py(text)})`,
    sock: () => inet_pton(AF_INET, text),
  })),
  ...IPV6.map((text) => ({
    title: `inet_pton(AF_INET6, ${py(text)})`,
    python: `inet_pton(AF_INET6, ${py(text)})`,
    sock: () => inet_pton(AF_INET6, text),
  })),
  ...[...PACKED4, ...PACKED6].flatMap((hex) => [
    { title: `inet_ntoa(${hex})`, python: `inet_ntoa(${py(bytes(hex))})`, sock: () => inet_ntoa(bytes(hex)) },
    {
      title: `inet_ntop(AF_INET, ${hex})`,
      python: `inet_ntop(AF_INET, ${py(bytes(hex))})`,
      sock: () => inet_ntop(AF_INET, bytes(hex)),
    },
    {
      title: `inet_ntop(AF_INET6, ${hex})`,
      python: `inet_ntop(AF_INET6, ${py(bytes(hex))})`,
      sock: () => inet_ntop(AF_INET6, bytes(hex)),
    },
  ]),
  ...[AF_UNIX, -1, 77].flatMap((family) => [
    {
      title: `inet_pton(${family}, '1.2.3.4')`,
      python: `inet_pton(${family}, '1.2.3.4')`,
      sock: () => inet_pton(family, '1.2.3.4'),
    },
    {
      title: `inet_ntop(${family}, 4 bytes)`,
      python: `inet_ntop(${family}, b'abcd')`,
      sock: () => inet_ntop(family, bytes('61626364')),
    },
  ]),
];

const wrongTypes: Case[] = [undefined, 5, ['1.2.3.4']].flatMap((value) => [
  { title: `inet_aton(${py(value)})`, python: `inet_aton(${py(value)})`, sock: () => inet_aton(value as never) },
  {
    title: `inet_pton(AF_INET, ${py(value)})`,
    python: `inet_pton(AF_INET, ${py(value)})`,
    sock: () => inet_pton(AF_INET, value as never),
  },
  { title: `inet_ntoa(${py(value)})`, python: `inet_ntoa(${py(value)})`, sock: () => inet_ntoa(value as never) },
  { title: `htons(${py(value)})`, python: `htons(${py(value)})`, sock: () => htons(value as never) },
  { title: `htonl(${py(value)})`, python: `htonl(${py(value)})`, sock: () => htonl(value as never) },
]);

const CONVERSIONS = { htons, ntohs, htonl, ntohl };
const NUMBERS = [0, 1, 255, 256, 0x1234, 65535, 65536, -1, 0x12345678, 0xffffffff, 0x100000000, -0x80000000];
const byteOrder: Case[] = Object.entries(CONVERSIONS).flatMap(([name, convert]) =>
  NUMBERS.map((number) => ({
    title: `${name}(${number})`,
    python: `${name}(${number})`,
    sock: () => convert(number),
  })),
);

const sizes: Case[] = [0, 1, 4, 7, 8, 100, 0x7fffffe8, 0x7fffffe9, 0x7fffffef, 0x7ffffff0, 0x7fffffff, -1].flatMap(
  (size) => [
    { title: `CMSG_LEN(${size})`, python: `CMSG_LEN(${size})`, sock: () => CMSG_LEN(size) },
    { title: `CMSG_SPACE(${size})`, python: `CMSG_SPACE(${size})`, sock: () => CMSG_SPACE(size) },
  ],
);

const interfaces: Case[] = [
  ...['lo', '', 'no-such', 'a-name-that-is-too-long', 'l\0o'].map((name) => ({
    title: `if_nametoindex(${py(name)})`,
    python: `if_nametoindex(${py(name)})`,
    sock: () => if_nametoindex(name),
  })),
  ...[1, 0, -1, 9999, 2 ** 32].map((index) => ({
    title: `if_indextoname(${index})`,
    python: `if_indextoname(${index})`,
    sock: () => if_indextoname(index),
  })),
];

export const text: Case[] = [...addressText, ...wrongTypes, ...byteOrder, ...sizes, ...interfaces];
