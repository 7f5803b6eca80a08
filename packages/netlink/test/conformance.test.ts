import { SOCK_DGRAM, SOCK_RAW, Socket } from '@sock/core';
import { NETLINK_USERSOCK, type NetlinkAddress, type NetlinkInput, netlink } from '@sock/netlink';
import { conformance, inLab, type Supports, unique } from '@sock/testkit';

// messages between programs, which may be any bytes
const supports: Partial<Supports> = {
  addresses: false,
  zeroLength: false,
  timestamps: false,
  refusedLater: false,
  ioctl: false,
};

const badAddresses = [
  { what: 'nothing', value: undefined, argument: 'address' },
  { what: 'a number', value: 5, argument: 'address' },
  { what: 'an array', value: [1, 0], argument: 'address' },
  { what: 'an inet address', value: { host: '127.0.0.1', port: 80 }, argument: 'address' },
  { what: 'a pid that is no number', value: { pid: '1' }, argument: 'address.pid' },
  { what: 'a negative pid', value: { pid: -1 }, argument: 'address.pid' },
  { what: 'a pid of 33 bits', value: { pid: 2 ** 32 }, argument: 'address.pid' },
  { what: 'groups of 33 bits', value: { groups: 2 ** 32 }, argument: 'address.groups' },
];

const fresh = (): NetlinkInput => ({ pid: 0x40000000 + (unique() % 0x40000000) });

// Without addresses to bind: a netlink socket that is not connected has the kernel as its peer all the same, and
// readiness does not tell that the receiver has no room. codec.test.ts and socket.test.ts have both.
for (const [name, type] of [
  ['raw', SOCK_RAW],
  ['datagram', SOCK_DGRAM],
] as const) {
  // they are the same to the kernel
  if (inLab && type === SOCK_DGRAM) continue;
  conformance<NetlinkAddress, NetlinkInput>({
    name: `netlink between programs, ${name}`,
    family: netlink,
    type,
    protocol: NETLINK_USERSOCK,
    kind: 'datagram',
    async pair() {
      const a = new Socket(netlink, type, NETLINK_USERSOCK);
      const b = new Socket(netlink, type, NETLINK_USERSOCK);
      await a.bind(fresh());
      await b.bind(fresh());
      await a.connect(b.getsockname());
      await b.connect(a.getsockname());
      return [a, b];
    },
    supports,
    badAddresses,
  });
}
