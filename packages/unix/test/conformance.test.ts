import { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { conformance, inLab, type Kind, type Supports, tempPath, unique } from '@sock/testkit';
import { socketpair, type UnixAddress, type UnixInput, type UnixSocket, unix } from '@sock/unix';

const KINDS: readonly { kind: Kind; type: number; supports: Partial<Supports> }[] = [
  { kind: 'stream', type: SOCK_STREAM, supports: { netSocket: true } },
  // a full receiver makes senders wait, as nothing is ever dropped
  { kind: 'datagram', type: SOCK_DGRAM, supports: { flowControl: true } },
  { kind: 'seqpacket', type: SOCK_SEQPACKET, supports: {} },
];

const badAddresses = [
  { what: 'nothing', value: undefined, argument: 'address' },
  { what: 'a number', value: 5, argument: 'address' },
  { what: 'an inet address', value: { host: '127.0.0.1', port: 80 }, argument: 'address' },
  { what: 'a path with NUL', value: 'a\0b', argument: 'address' },
  { what: 'a path that is too long', value: 'x'.repeat(108), argument: 'address' },
  { what: 'an abstract name that is too long', value: Buffer.alloc(109), argument: 'address' },
];

/** Two datagram sockets with names that are connected to each other. */
async function connected(address: () => string): Promise<[UnixSocket, UnixSocket]> {
  const a = new Socket(unix, SOCK_DGRAM);
  const b = new Socket(unix, SOCK_DGRAM);
  await a.bind(address());
  await b.bind(address());
  await a.connect(b.getsockname());
  await b.connect(a.getsockname());
  return [a, b];
}

for (const { kind, type, supports } of KINDS) {
  for (const [place, address] of [
    ['paths', () => tempPath('.sock')],
    ['abstract names', () => `\0sock-conformance-${unique()}`],
  ] as const) {
    if (inLab && place !== 'paths') continue;
    conformance<UnixAddress, UnixInput>({
      name: `unix ${kind}, ${place}`,
      family: unix,
      type,
      kind,
      pair: () => (type === SOCK_DGRAM ? connected(address) : socketpair(type)),
      address,
      refused: () => `\0sock-nobody-${unique()}`,
      supports,
      badAddresses,
    });
  }

  if (inLab) continue;
  conformance<UnixAddress, UnixInput>({
    name: `socketpair, ${kind}`,
    family: unix,
    type,
    kind,
    pair: () => socketpair(type),
    supports,
    badAddresses,
  });
}
