import { SOCK_DGRAM, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { SOL_TIPC, TIPC_CONN_TIMEOUT, TIPC_IMPORTANCE, type TipcInput, tipc } from '@sock/tipc';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const TYPES = { SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };

const RANGES: unknown[][] = [
  [1000, 5, 5],
  [1000, 0, 2 ** 32 - 1],
  [1000, 6, 5],
  [63, 1, 1],
  [-1, 0, 0],
  [2 ** 32, 0, 0],
  ['x', 0, 0],
  [1000, 1.5, 2],
];

const binding: Case[] = RANGES.map(([type, lower, upper]) => ({
  title: `tipc bind((${py(type)}, ${py(lower)}, ${py(upper)}))`,
  python: `socket(AF_TIPC, SOCK_RDM).bind((TIPC_ADDR_NAMESEQ, ${py(type)}, ${py(lower)}, ${py(upper)}, TIPC_NODE_SCOPE))`,
  sock: (own) => {
    const range = { kind: 'range', type, lower, upper, scope: 3 } as TipcInput;
    own(new Socket(tipc, SOCK_RDM)).bindSync(range);
  },
}));

const names: Case[] = Object.entries(TYPES).map(([name, type]) => ({
  title: `tipc ${name}: its own address, without its number`,
  python: `a = socket(AF_TIPC, ${name}).getsockname(); [a[0], a[2] > 0, [a[1], a[3], a[4]]]`,
  sock: (own) => {
    const address = own(new Socket(tipc, type)).getsockname();
    // Python gives (TIPC_ADDR_ID, node, ref, 0, scope)
    if (address.kind !== 'socket') return address.kind;
    return [3, address.ref > 0, [address.node, 0, address.scope ?? 0]];
  },
}));

const messages: Case[] = [
  {
    title: 'tipc: a message to a service, and its sender',
    python: `a = socket(AF_TIPC, SOCK_RDM); a.bind((TIPC_ADDR_NAMESEQ, 18888, 5, 5, TIPC_NODE_SCOPE)); a.settimeout(5)
b = socket(AF_TIPC, SOCK_RDM); b.sendto(b'hello', (TIPC_ADDR_NAME, 18888, 5, 0)); data, where = a.recvfrom(100)
[data, where[0], where[2] == b.getsockname()[2]]`,
    sock: async (own) => {
      const a = own(new Socket(tipc, SOCK_RDM));
      a.bindSync({ kind: 'range', type: 18888, lower: 5, upper: 5, scope: 3 });
      a.timeout = 5000;
      const b = own(new Socket(tipc, SOCK_RDM));
      await b.sendTo('hello', { kind: 'service', type: 18888, instance: 5 });
      const { data, address } = await a.recvFrom(100);
      const name = b.getsockname();
      const same = address?.kind === 'socket' && name.kind === 'socket' && address.ref === name.ref;
      return [data, address?.kind === 'socket' ? 3 : 0, same];
    },
  },
  {
    title: 'tipc: a connection to nobody',
    python: 'socket(AF_TIPC, SOCK_STREAM).connect((TIPC_ADDR_NAME, 18889, 1, 0))',
    sock: (own: Own) => own(new Socket(tipc, SOCK_STREAM)).connect({ kind: 'service', type: 18889, instance: 1 }),
  },
  {
    title: 'tipc: options at first',
    python: `s = socket(AF_TIPC, SOCK_STREAM); [s.getsockopt(SOL_TIPC, TIPC_IMPORTANCE), s.getsockopt(SOL_TIPC, TIPC_CONN_TIMEOUT)]`,
    sock: (own) => {
      const socket = own(new Socket(tipc, SOCK_STREAM));
      return [socket.getsockopt(SOL_TIPC, TIPC_IMPORTANCE), socket.getsockopt(SOL_TIPC, TIPC_CONN_TIMEOUT)];
    },
  },
  ...[0, 3, 4, -1].map((importance) => ({
    title: `tipc: importance ${importance}`,
    python: `s = socket(AF_TIPC, SOCK_RDM); s.setsockopt(SOL_TIPC, TIPC_IMPORTANCE, ${importance}); s.getsockopt(SOL_TIPC, TIPC_IMPORTANCE)`,
    sock: (own: Own) => {
      const socket = own(new Socket(tipc, SOCK_RDM));
      socket.setsockopt(SOL_TIPC, TIPC_IMPORTANCE, importance);
      return socket.getsockopt(SOL_TIPC, TIPC_IMPORTANCE);
    },
  })),
];

export const tipcCases: Case[] = [...binding, ...names, ...messages];
