import { hci, l2cap, rfcomm, sco } from '@sock/bluetooth';
import { type AddressFamily, Socket } from '@sock/core';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const DEVICES = [
  ...['00:00:00:00:00:00', '00:AA:01:00:00:42', 'ff:ff:ff:ff:ff:ff', '00:aa:01:00:00', '00:AA:01:00:00:42:00', ''],
  ...[
    'x',
    '0:0:0:0:0:0',
    '00-AA-01-00-00-42',
    '00:AA:01:00:00:GG',
    '100:AA:01:00:00:42',
    ' 00:AA:01:00:00:42',
    5,
    null,
  ],
];

/** Binding an address, and what the kernel then says that it is. */
function bind<Address, Input>(
  title: string,
  python: string,
  family: AddressFamily<Address, Input>,
  input: unknown,
  shape: (address: Address) => unknown,
): Case {
  return {
    title,
    python,
    sock: (own: Own) => {
      const socket = own(new Socket(family));
      socket.bindSync(input as Input);
      return shape(socket.getsockname());
    },
  };
}

const L2CAP = 's = socket(AF_BLUETOOTH, SOCK_SEQPACKET, BTPROTO_L2CAP); ';
const RFCOMM = 's = socket(AF_BLUETOOTH, SOCK_STREAM, BTPROTO_RFCOMM); ';
const HCI = 's = socket(AF_BLUETOOTH, SOCK_RAW, BTPROTO_HCI); ';
const SCO = 's = socket(AF_BLUETOOTH, SOCK_SEQPACKET, BTPROTO_SCO); ';

export const bluetoothCases: Case[] = [
  ...DEVICES.map((address) =>
    bind(
      `l2cap bind((${py(address)}, 0x1001))`,
      `${L2CAP}s.bind((${py(address)}, 0x1001)); s.getsockname()`,
      l2cap,
      { address, psm: 0x1001 },
      (name) => [name.address, name.psm],
    ),
  ),
  ...[0, 1, 0x1000, 0x1001, 0xffff, 0x10000, -1, 'x'].map((psm) =>
    bind(
      `l2cap bind(any, ${py(psm)})`,
      `${L2CAP}s.bind((BDADDR_ANY, ${py(psm)})); s.getsockname()`,
      l2cap,
      { psm },
      (name) => [name.address, name.psm],
    ),
  ),
  ...[0, 1, 30, 31, 255, 256, -1, 'x'].map((channel) =>
    bind(
      `rfcomm bind(any, ${py(channel)})`,
      `${RFCOMM}s.bind((BDADDR_ANY, ${py(channel)})); s.getsockname()`,
      rfcomm,
      { channel },
      (name) => [name.address, name.channel],
    ),
  ),
  ...[0, 77, 65_535, 65_536, -1, 'x'].map((device) =>
    bind(
      `hci bind(${py(device)})`,
      `${HCI}s.bind((${py(device)},)); s.getsockname()`,
      hci,
      { device },
      (name) => name.device,
    ),
  ),
  ...DEVICES.filter((address) => typeof address === 'string').map((address) =>
    bind(
      `sco bind(${py(address)})`,
      `${SCO}s.bind(${py(address)}.encode()); s.getsockname()`,
      sco,
      { address },
      (name) => name.address,
    ),
  ),
  {
    title: 'l2cap: a connection where there is no adapter',
    python: `${L2CAP}s.settimeout(5); s.connect(('00:AA:01:00:00:42', 0x1001))`,
    sock: (own) => {
      const socket = own(new Socket(l2cap));
      socket.timeout = 5000;
      return socket.connect({ address: '00:AA:01:00:00:42', psm: 0x1001 });
    },
  },
];
