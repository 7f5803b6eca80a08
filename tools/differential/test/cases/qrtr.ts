import { Socket } from '@sock/core';
import { qrtr } from '@sock/qrtr';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const ADDRESSES: unknown[][] = [
  [1, 0x5000],
  [2, 0x5000],
  [-1, 1],
  [1, 2 ** 32],
  ['x', 1],
  [1, null],
];

export const qrtrCases: Case[] = [
  {
    title: 'qrtr: the address of a socket',
    python: 'n, p = socket(AF_QIPCRTR, SOCK_DGRAM).getsockname(); [n, p > 0]',
    sock: (own) => {
      const { node, port } = own(new Socket(qrtr)).getsockname();
      return [node, port > 0];
    },
  },
  ...ADDRESSES.map(([node, port]) => ({
    title: `qrtr bind((${py(node)}, ${py(port)}))`,
    python: `s = socket(AF_QIPCRTR, SOCK_DGRAM); s.bind((${py(node)}, ${py(port)})); s.getsockname()`,
    sock: (own: Own) => {
      const socket = own(new Socket(qrtr));
      socket.bindSync({ node: node as number, port: port as number });
      const name = socket.getsockname();
      return [name.node, name.port];
    },
  })),
  {
    title: 'qrtr: a message to oneself',
    python:
      "s = socket(AF_QIPCRTR, SOCK_DGRAM); s.settimeout(5); s.sendto(b'hello', s.getsockname()); s.recvfrom(100)[0]",
    sock: async (own) => {
      const socket = own(new Socket(qrtr));
      socket.timeout = 5000;
      await socket.sendTo('hello', socket.getsockname());
      return (await socket.recvFrom(100)).data;
    },
  },
];
