import { carrier, Network } from '@sock/testkit/network';

/** A host at the other end of `vb`, with the address 192.0.2.2: another network namespace. */
export async function host(): Promise<Disposable> {
  const network = new Network();
  network.take('vb');
  await network.run('sh', '-c', 'ip link set vb up; ip addr add 192.0.2.2/24 dev vb');
  await carrier();
  return network;
}
