import { Socket } from '@sock/core';
import { NETLINK_ROUTE, netlink } from '@sock/netlink';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const ADDRESSES: unknown[][] = [
  [0, 0],
  [4_000_000_000, 0],
  [0, 1],
  [0, 2 ** 31],
  [-1, 0],
  [2 ** 32, 0],
  [0, 2 ** 32],
  ['x', 0],
  [0, null],
  [1.5, 0],
];

export const netlinkCases: Case[] = [
  ...ADDRESSES.map(([pid, groups]) => ({
    title: `netlink bind((${py(pid)}, ${py(groups)}))`,
    python: `s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); s.bind((${py(pid)}, ${py(groups)})); p, g = s.getsockname(); [p if ${py(pid)} else p != 0, g]`,
    sock: (own: Own) => {
      const socket = own(new Socket(netlink));
      socket.bindSync({ pid: pid as number, groups: groups as number });
      const name = socket.getsockname();
      return [pid === 0 ? name.pid !== 0 : name.pid, name.groups];
    },
  })),
  ...([5, null, 'x', []] as const).map((address) => ({
    title: `netlink bind(${py(address)})`,
    python: `socket(AF_NETLINK, SOCK_RAW).bind(${py(address)})`,
    sock: (own: Own) => own(new Socket(netlink)).bindSync(address as never),
  })),
  {
    title: 'the sender of an answer is the kernel',
    python: `s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); s.settimeout(5)
s.send(struct.pack('=IHHIIBxHiII', 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0))
s.recvfrom(65536)[1]`,
    sock: async (own) => {
      const socket = own(new Socket(netlink, undefined, NETLINK_ROUTE));
      socket.timeout = 5000;
      const request = Buffer.alloc(32);
      request.writeUInt32LE(32, 0);
      request.writeUInt16LE(18, 4); // RTM_GETLINK
      request.writeUInt16LE(0x301, 6); // NLM_F_REQUEST, NLM_F_DUMP
      request.writeUInt32LE(1, 8);
      await socket.send(request);
      const { address } = await socket.recvFrom(65_536);
      return [address?.pid, address?.groups];
    },
  },
];
