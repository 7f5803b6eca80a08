import { addAddressSync, carrier, Network, setLinkSync } from '@sock/testkit/network';

/** A host at the other end of `vb`, with the address 192.0.2.2: another network namespace. */
export async function host(): Promise<Disposable> {
  const network = new Network();
  network.take('vb');
  const { socket } = network;
  setLinkSync('vb', { up: true }, { socket });
  addAddressSync({ interface: 'vb', address: '192.0.2.2', prefixLength: 24 }, { socket });
  await carrier();
  return network;
}
