import { SOCK_SEQPACKET, type Socket } from '@sock/core';
import { type RdsAddress, type RdsInput, rds } from '@sock/rds';
import { conformance } from '@sock/testkit';
import { bound, calm } from './hosts.js';

conformance<RdsAddress, RdsInput>({
  name: 'RDS',
  family: rds,
  type: SOCK_SEQPACKET,
  // of the type of connections, it has none: each message goes where it is sent
  kind: 'datagram',
  requires: 'AF_RDS',
  async pair() {
    const [a, b] = [bound('127.0.0.1'), bound('127.0.0.2')];
    await calm(a, b);
    for (const socket of [a, b]) socket.timeout = null;
    await a.connect(b.getsockname());
    await b.connect(a.getsockname());
    return [a, b] as [Socket<RdsAddress, RdsInput>, Socket<RdsAddress, RdsInput>];
  },
  address: () => ({ host: '127.0.0.1' }),
  // write(2) marks what it sends of SOCK_SEQPACKET with MSG_EOR, which this protocol refuses
  supports: { write: false, timestamps: false, ioctl: false, connectedPeer: false },
  badAddresses: [
    { what: 'nothing', value: undefined, argument: 'address' },
    { what: 'an address of unix', value: '/tmp/socket', argument: 'address' },
    { what: 'a port that is too large', value: { host: '127.0.0.1', port: 65_536 }, argument: 'address.port' },
  ],
  unresolved: { host: 'localhost', port: 1 },
});
