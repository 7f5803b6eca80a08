import { SOCK_DGRAM, Socket } from '@sock/core';
import { type QrtrAddress, qrtr } from '@sock/qrtr';
import { conformance } from '@sock/testkit';

function bound(): Socket<QrtrAddress> {
  const socket = new Socket(qrtr);
  socket.bindSync({ node: socket.getsockname().node, port: 0 });
  return socket;
}

conformance<QrtrAddress>({
  name: 'QRTR',
  family: qrtr,
  type: SOCK_DGRAM,
  kind: 'datagram',
  requires: 'AF_QIPCRTR',
  async pair() {
    const [a, b] = [bound(), bound()];
    await a.connect(b.getsockname());
    await b.connect(a.getsockname());
    return [a, b] as [Socket<QrtrAddress>, Socket<QrtrAddress>];
  },
  address: () => ({ node: 1, port: 0 }),
  supports: { realLength: false, timestamps: false, connectedPeer: false, zeroLength: false },
  badAddresses: [
    { what: 'nothing', value: undefined, argument: 'address' },
    { what: 'an inet address', value: { host: '127.0.0.1', port: 1 }, argument: 'address' },
    { what: 'a port that is too large', value: { node: 1, port: 2 ** 32 }, argument: 'address.port' },
  ],
});
