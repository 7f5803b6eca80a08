import {
  bcm,
  CAN_BCM,
  CAN_RAW_FILTER,
  canRaw,
  canRawLoopback,
  canRawRecvOwnMsgs,
  isotp,
  j1939,
  SOL_CAN_RAW,
} from '@sock/can';
import { Socket } from '@sock/core';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

/** The interface that the tests make. */
export const CAN = 'vcandiff';

const NAMES = [CAN, '', 'no-such', 'lo', 'a-name-that-is-too-long', 5, null];

const raw: Case[] = [
  ...NAMES.map((name) => ({
    title: `CAN_RAW bind((${py(name)},))`,
    python: `s = socket(AF_CAN, SOCK_RAW, CAN_RAW); s.bind((${py(name)},)); s.getsockname()`,
    sock: (own: Own) => {
      const socket = own(new Socket(canRaw));
      socket.bindSync({ interface: name as string });
      return [socket.getsockname().interface];
    },
  })),
  ...(['x', 5, null, []] as const).map((address) => ({
    title: `CAN_RAW bind(${py(address)})`,
    python: `socket(AF_CAN, SOCK_RAW, CAN_RAW).bind(${py(address)})`,
    sock: (own: Own) => own(new Socket(canRaw)).bindSync(address as never),
  })),
  ...[0, 1, 15, 16, 17, 72, 73].map((size) => ({
    title: `CAN_RAW send of ${size} bytes`,
    python: `s = socket(AF_CAN, SOCK_RAW, CAN_RAW); s.bind((${py(CAN)},)); s.send(bytes(${size}))`,
    sock: (own: Own) => {
      const socket = own(new Socket(canRaw));
      socket.bindSync({ interface: CAN });
      return socket.send(Buffer.alloc(size));
    },
  })),
  {
    title: 'CAN_RAW send of an unbound socket',
    python: 'socket(AF_CAN, SOCK_RAW, CAN_RAW).send(bytes(16))',
    sock: (own) => own(new Socket(canRaw)).send(Buffer.alloc(16)),
  },
  {
    title: 'a frame between two sockets, and where it came from',
    python: `a = socket(AF_CAN, SOCK_RAW, CAN_RAW); a.bind((${py(CAN)},))
b = socket(AF_CAN, SOCK_RAW, CAN_RAW); b.bind(('',)); b.settimeout(5)
a.send(struct.pack('=IB3x8s', 0x123, 3, b'abc')); b.recvfrom(16)`,
    sock: async (own) => {
      const a = own(new Socket(canRaw));
      const b = own(new Socket(canRaw));
      a.bindSync({ interface: CAN });
      b.bindSync({ interface: '' });
      b.timeout = 5000;
      await a.send(Buffer.from('2301000003000000616263000000000000', 'hex').subarray(0, 16));
      const { data, address } = await b.recvFrom(16);
      return [data, [address?.interface]];
    },
  },
  {
    title: 'options of CAN_RAW at first',
    python: `s = socket(AF_CAN, SOCK_RAW, CAN_RAW)
[s.getsockopt(SOL_CAN_RAW, CAN_RAW_LOOPBACK), s.getsockopt(SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS), s.getsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, 8)]`,
    sock: (own) => {
      const socket = own(new Socket(canRaw));
      const filters = socket.getsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, 8);
      return [Number(socket.getOption(canRawLoopback)), Number(socket.getOption(canRawRecvOwnMsgs)), filters];
    },
  },
  ...['', '00', '2301000000070000', '2301000000070000230100000007']
    .map((hex) => ({
      title: `CAN_RAW_FILTER of ${hex.length / 2} bytes`,
      python: `s = socket(AF_CAN, SOCK_RAW, CAN_RAW); s.setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, bytes.fromhex('${hex}'))`,
      sock: (own: Own) => own(new Socket(canRaw)).setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, Buffer.from(hex, 'hex')),
    }))
    .map((one) => ({ ...one, python: `${one.python}; None` })),
];

const broadcast: Case[] = [
  ...NAMES.map((name) => ({
    title: `CAN_BCM connect((${py(name)},))`,
    python: `socket(AF_CAN, SOCK_DGRAM, CAN_BCM).connect((${py(name)},))`,
    sock: (own: Own) => own(new Socket(bcm)).connect({ interface: name as string }),
  })),
  {
    title: 'CAN_BCM of the wrong type',
    python: 'socket(AF_CAN, SOCK_STREAM, CAN_BCM)',
    sock: (own) => own(new Socket(bcm, 1, CAN_BCM)),
  },
];

const IDS: unknown[][] = [
  [0x7e8, 0x7e0],
  [0x800, 0x7e0],
  [0x9fffffff, 0x80000000],
  [0x7e0, 0x7e0],
  [-1, 0x7e0],
  [2 ** 32, 0x7e0],
  ['x', 0x7e0],
  [0x7e8, 1.5],
];
const transport: Case[] = [
  ...IDS.map(([rx, tx]) => ({
    title: `CAN_ISOTP bind((${py(rx)}, ${py(tx)}))`,
    python: `s = socket(AF_CAN, SOCK_DGRAM, CAN_ISOTP); s.bind((${py(CAN)}, ${py(rx)}, ${py(tx)})); s.getsockname()`,
    sock: (own: Own) => {
      const socket = own(new Socket(isotp));
      socket.bindSync({ interface: CAN, rxId: rx as number, txId: tx as number });
      const name = socket.getsockname();
      return [name.interface, name.rxId, name.txId];
    },
  })),
  {
    title: 'CAN_ISOTP send of an unbound socket',
    python: "socket(AF_CAN, SOCK_DGRAM, CAN_ISOTP).send(b'x')",
    sock: (own) => own(new Socket(isotp)).send('x'),
  },
];

const STATIONS: unknown[][] = [
  [CAN, 0, 0x40000, 0x80],
  [CAN, 0, 0x40000, 0xff],
  [CAN, 1n, 0x40000, 0xff],
  [CAN, 0xffffffffffffffffn, 0x40000, 0x80],
  [CAN, 0, 0x3ffff, 0x80],
  [CAN, 0, 0xff00, 0x80],
  [CAN, 0, 0x40001, 0x80],
  [CAN, 0, 0x40000, 0x100],
  [CAN, 0, 0x40000, -1],
  [CAN, -1, 0x40000, 0x80],
  [CAN, 0, -1, 0x80],
  [CAN, 'x', 0x40000, 0x80],
  ['', 0, 0x40000, 0x80],
];
const stations: Case[] = STATIONS.map(([name, nodeName, pgn, address]) => ({
  title: `CAN_J1939 bind(${py([name, nodeName, pgn, address])})`,
  python: `s = socket(AF_CAN, SOCK_DGRAM, CAN_J1939); s.bind(${py([name, nodeName, pgn, address])}); s.getsockname()`,
  sock: (own) => {
    const socket = own(new Socket(j1939));
    const bigName = typeof nodeName === 'number' ? BigInt(nodeName) : nodeName;
    socket.bindSync({
      interface: name as string,
      name: bigName as bigint,
      pgn: pgn as number,
      address: address as number,
    });
    const bound = socket.getsockname();
    return [bound.interface, bound.name, bound.pgn, bound.address];
  },
}));

export const canCases: Case[] = [...raw, ...broadcast, ...transport, ...stations];
