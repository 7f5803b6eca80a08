import { SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { conformance, type Kind } from '@sock/testkit';
import { VMADDR_CID_LOCAL, VMADDR_PORT_ANY, type VsockAddress, type VsockInput, vsock } from '@sock/vsock';
import { connectedPair } from './loopback.js';

const KINDS: readonly { kind: Kind; type: number }[] = [
  { kind: 'stream', type: SOCK_STREAM },
  { kind: 'seqpacket', type: SOCK_SEQPACKET },
];

/** A port that was bound a moment ago. */
function refused(type: number): VsockAddress {
  using socket = new Socket(vsock, type);
  socket.bindSync({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
  return socket.getsockname();
}

for (const { kind, type } of KINDS) {
  conformance<VsockAddress, VsockInput>({
    name: `vsock ${kind}`,
    family: vsock,
    type,
    kind,
    requires: 'vsock-loopback',
    pair: () => connectedPair(type),
    address: () => ({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY }),
    // what connects without being bound calls itself VMADDR_CID_ANY, its peer knows it better
    reach: ({ port }) => ({ cid: VMADDR_CID_LOCAL, port }),
    refused: () => refused(type),
    refusedCode: 'ECONNRESET',
    // a message that fits in part is torn: those whose size divides the room do not
    supports: { timestamps: false, ioctl: false, peek: kind === 'stream', oddSizes: kind === 'stream' },
    badAddresses: [
      { what: 'nothing', value: undefined, argument: 'address' },
      { what: 'an inet address', value: { host: '127.0.0.1', port: 80 }, argument: 'address', error: 'RangeError' },
      { what: 'no port', value: { cid: 1 }, argument: 'address.port' },
      { what: 'a negative CID', value: { cid: -1, port: 1 }, argument: 'address.cid', error: 'RangeError' },
    ],
  });
}
