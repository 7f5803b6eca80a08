import { SOCK_DGRAM, SOCK_STREAM, Socket } from '@sock/core';
import { VMADDR_CID_ANY, VMADDR_CID_LOCAL, VMADDR_PORT_ANY, vsock } from '@sock/vsock';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const ADDRESSES: unknown[][] = [
  [VMADDR_CID_ANY, VMADDR_PORT_ANY],
  [VMADDR_CID_LOCAL, 5000],
  [77, 5000],
  [VMADDR_CID_ANY, 2 ** 32],
  [-1, 5000],
  ['x', 5000],
  [VMADDR_CID_ANY, null],
];

export const vsockCases: Case[] = [
  ...ADDRESSES.map(([cid, port]) => ({
    title: `vsock bind((${py(cid)}, ${py(port)}))`,
    python: `s = socket(AF_VSOCK, SOCK_STREAM); s.bind((${py(cid)}, ${py(port)})); a = s.getsockname(); [a[0], a[1] if ${py(port)} != VMADDR_PORT_ANY else a[1] > 0]`,
    sock: (own: Own) => {
      const socket = own(new Socket(vsock, SOCK_STREAM));
      socket.bindSync({ cid: cid as number, port: port as number });
      const name = socket.getsockname();
      return [name.cid, port === VMADDR_PORT_ANY ? name.port > 0 : name.port];
    },
  })),
  {
    title: 'vsock: a connection, and the names of its ends',
    python: `s = socket(AF_VSOCK, SOCK_STREAM); s.bind((1, 5123)); s.listen(); c = socket(AF_VSOCK, SOCK_STREAM); c.settimeout(10)
c.connect((1, 5123)); a, where = s.accept(); c.sendall(b'hello'); [c.getpeername(), where[0], a.recv(10)]`,
    sock: async (own) => {
      const server = own(new Socket(vsock, SOCK_STREAM));
      server.bindSync({ cid: 1, port: 5123 });
      server.listen();
      const client = own(new Socket(vsock, SOCK_STREAM));
      client.timeout = 10_000;
      await client.connect({ cid: 1, port: 5123 });
      const { socket, address } = await server.accept();
      own(socket);
      await client.sendAll('hello');
      const { cid, port } = client.getpeername();
      return [[cid, port], address?.cid, await socket.recv(10)];
    },
  },
  {
    title: 'vsock: nobody listens',
    python: 's = socket(AF_VSOCK, SOCK_STREAM); s.settimeout(10); s.connect((1, 5999))',
    sock: (own) => {
      const client = own(new Socket(vsock, SOCK_STREAM));
      client.timeout = 10_000;
      return client.connect({ cid: 1, port: 5999 });
    },
  },
  {
    title: 'vsock: datagrams without a transport for them',
    python: "socket(AF_VSOCK, SOCK_DGRAM).sendto(b'x', (1, 5000))",
    sock: (own) => own(new Socket(vsock, SOCK_DGRAM)).sendTo('x', { cid: 1, port: 5000 }),
  },
];
