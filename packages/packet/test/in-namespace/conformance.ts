import { SOCK_DGRAM, Socket } from '@sock/core';
import { type PacketAddress, type PacketInput, packet } from '@sock/packet';
import { conformance } from '@sock/testkit';
import { addVeth, carrier, setLinkSync } from '@sock/testkit/network';

const badAddresses = [
  { what: 'nothing', value: undefined, argument: 'address' },
  { what: 'a number', value: 5, argument: 'address' },
  { what: 'a text', value: 'va', argument: 'address' },
  { what: 'an inet address', value: { host: '127.0.0.1', port: 80 }, argument: 'address' },
  { what: 'a protocol that is too large', value: { protocol: 0x10000 }, argument: 'address.protocol' },
  { what: 'a hardware address that is none', value: { address: 'x' }, argument: 'address.address' },
];

// Each pair speaks a protocol of its own: all are on the one link.
let protocol = 0x9a00;

async function end(name: string): Promise<Socket<PacketAddress, PacketInput>> {
  // bound before it has a protocol: nothing from elsewhere is in its queue
  const socket = new Socket(packet, SOCK_DGRAM, 0);
  await socket.bind({ interface: name, protocol });
  return socket;
}

// what all tests of this repository begin with connects to itself
setLinkSync('lo', { up: true });

before(async () => {
  addVeth('va', 'vb', { quiet: true, arp: false, mtu: 65_535 });
  await carrier();
});

conformance<PacketAddress, PacketInput>({
  name: 'packet datagrams',
  family: packet,
  type: SOCK_DGRAM,
  kind: 'datagram',
  async pair() {
    protocol++;
    return [await end('va'), await end('vb')];
  },
  // a packet of no bytes is dropped on its way
  supports: { zeroLength: false },
  badAddresses,
});
