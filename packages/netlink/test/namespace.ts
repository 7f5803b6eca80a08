import { isDeepStrictEqual } from 'node:util';
import { deleteLinkSync, listLinksSync, NETLINK_ROUTE, NetlinkSocket } from '@sock/netlink';
import type { Capability, Child } from '@sock/testkit';
import { linkKind, Network } from '@sock/testkit/network';

export const veth: Capability = linkKind('veth');

/**
 * What we list, and what another program lists, at one moment: the kernel goes on changing things for a while
 * after each request (operational states, IPv6 addresses and their routes).
 */
export async function atOnce<A, B>(ours: () => Promise<A>, theirs: () => Promise<B>): Promise<[A, B]> {
  for (let i = 0; i < 100; i++) {
    const before = await ours();
    const other = await theirs();
    if (isDeepStrictEqual(before, await ours())) return [before, other];
  }
  throw new Error('it never stays the same');
}

/** A network namespace, with what its tests ask of it. */
export class Namespace extends Network {
  /** A further socket of this namespace. */
  open(protocol: number = NETLINK_ROUTE): NetlinkSocket {
    return new NetlinkSocket({ protocol, namespace: this.fd });
  }

  /** A process in it. */
  async occupant(): Promise<Child> {
    const child = this.start('sh', '-c', 'echo inside; exec cat');
    await child.says('inside');
    return child;
  }

  /** What an `ip` command gives in this namespace, as JSON. */
  async ip(...args: readonly string[]): Promise<Record<string, unknown>[]> {
    const stdout = await this.run('ip', '-j', ...args);
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Record<string, unknown>[]);
  }
}

/**
 * A namespace for the tests of a suite, and a socket of it.
 * @param links whether the links that a test made are removed after it
 */
export function sharedNamespace(
  take: (namespace: Namespace, socket: NetlinkSocket) => void,
  { links = false }: { links?: boolean } = {},
): void {
  let namespace: Namespace;
  let socket: NetlinkSocket;
  before(() => {
    namespace = new Namespace();
    socket = namespace.open();
    take(namespace, socket);
  });
  after(() => {
    socket.close();
    namespace.close();
  });
  if (!links) return;
  afterEach(() => {
    for (const { name, kind } of listLinksSync({ socket })) {
      if (kind === undefined) continue;
      try {
        deleteLinkSync(name, { socket });
      } catch {
        // the other end of a pair may be gone already
      }
    }
  });
}
