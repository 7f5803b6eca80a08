import { Socket } from '@sock/core';
import { rds } from '@sock/rds';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const START = 's = socket(AF_RDS, SOCK_SEQPACKET, 0); ';

const ADDRESSES: unknown[][] = [
  ['127.0.0.1', 0],
  ['127.0.0.2', 4000],
  ['8.8.8.8', 4000],
  ['127.0.0.1', 65536],
  ['127.0.0.1', -1],
  ['127.0.0.1', 'x'],
  [5, 1],
];

export const rdsCases: Case[] = [
  ...ADDRESSES.map(([host, port]) => ({
    title: `rds bind((${py(host)}, ${py(port)}))`,
    python: `${START}s.bind((${py(host)}, ${py(port)})); a = s.getsockname(); [a[0], a[1] if ${py(port)} else a[1] > 0]`,
    sock: (own: Own) => {
      const socket = own(new Socket(rds));
      socket.bindSync({ host: host as string, port: port as number });
      const name = socket.getsockname();
      return [name.host, port === 0 ? name.port > 0 : name.port];
    },
  })),
  {
    title: 'rds: sending unbound',
    python: `${START}s.sendto(b'x', ('127.0.0.1', 4000))`,
    sock: (own) => own(new Socket(rds)).sendTo('x', { host: '127.0.0.1', port: 4000 }),
  },
  {
    title: 'rds: a message, and its sender',
    python: `a = socket(AF_RDS, SOCK_SEQPACKET, 0); a.bind(('127.0.0.1', 4101)); b = socket(AF_RDS, SOCK_SEQPACKET, 0); b.bind(('127.0.0.2', 4102))
b.settimeout(15); a.sendto(b'hello', ('127.0.0.2', 4102)); b.recvfrom(100)`,
    sock: async (own) => {
      const a = own(new Socket(rds));
      const b = own(new Socket(rds));
      a.bindSync({ host: '127.0.0.1', port: 4101 });
      b.bindSync({ host: '127.0.0.2', port: 4102 });
      b.timeout = 15_000;
      await a.sendTo('hello', { host: '127.0.0.2', port: 4102 });
      const { data, address } = await b.recvFrom(100);
      return [data, [address?.host, address?.port]];
    },
  },
];
