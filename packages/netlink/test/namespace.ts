import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type AddressFamily, AF_UNIX, SOCK_RAW, SOCK_SEQPACKET, Socket, scmRights } from '@sock/core';
import { NETLINK_ROUTE, NetlinkSocket, netlink } from '@sock/netlink';
import { type Capability, type Child, capability, startCommand } from '@sock/testkit';

const root = process.getuid?.() === 0;
const unshare = root ? ['-n'] : ['-rn'];

/** Network namespaces of one's own: the machine's interfaces and routes stay as they are. Source: unshare(1). */
export const namespaces: Capability = capability({
  name: 'network namespaces',
  remedy: 'apt-get install util-linux iproute2; run as root, or sysctl -w kernel.unprivileged_userns_clone=1',
  probe: () => execFileSync('unshare', [...unshare, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }),
});

/** A kind of link that the kernel may lack. */
export function linkKind(kind: string, module = kind): Capability {
  // some kinds want a link below, and not the loopback
  const vlan = 'ip link add t1 type veth peer name t2 && ip link add link t1 name t0 type vlan id 5';
  const script = kind === 'vlan' ? vlan : `ip link add t0 type ${kind}`;
  return capability({
    name: kind,
    remedy: `modprobe ${module}`,
    probe: () => execFileSync('unshare', [...unshare, 'sh', '-c', script], { stdio: 'ignore' }),
  });
}

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

const channelFamily: AddressFamily<string> = {
  name: 'channel',
  domain: AF_UNIX,
  encode: () => 2,
  decode: () => '',
  format: () => '',
};

/** Opens sockets in its namespace and passes them on, until nobody can ask any more. */
const AGENT = `
  import { SOCK_RAW, Socket, scmRights } from '@sock/core';
  import { netlink } from '@sock/netlink';
  const channel = Socket.adopt(3);
  console.log('ready');
  for (;;) {
    const { data } = await channel.recvMsg(64);
    if (data.length === 0) break;
    const socket = new Socket(netlink, SOCK_RAW, Number(data.toString()));
    await channel.sendMsg(['here'], { ancillary: [scmRights.create([socket.fileno()])] });
    socket.close();
  }
  channel.close();
`;

/**
 * A network namespace. Netlink sockets belong to the namespace that they were opened in, wherever they are
 * used: a process in the namespace opens them, and passes them on.
 */
export class Namespace implements AsyncDisposable {
  readonly #agent: Child;
  readonly #channel: Socket<string>;

  private constructor(agent: Child, channel: Socket<string>) {
    this.#agent = agent;
    this.#channel = channel;
  }

  /** Makes one, in which `lo` is up. */
  static async create(): Promise<Namespace> {
    const [ours, theirs] = Socket.pair(channelFamily, SOCK_SEQPACKET);
    const shell = 'ip link set lo up && exec "$0" --input-type=module --eval "$1"';
    const agent = startCommand('unshare', [...unshare, 'sh', '-c', shell, process.execPath, AGENT], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      descriptors: [theirs.fileno()],
      timeout: 300_000,
    });
    theirs.close();
    await agent.says('ready');
    return new Namespace(agent, ours);
  }

  /** Number of a process in it. */
  get pid(): number {
    return this.#agent.process.pid as number;
  }

  /** A socket of this namespace. */
  async open(protocol: number = NETLINK_ROUTE): Promise<NetlinkSocket> {
    await this.#channel.send(String(protocol));
    const { ancillary } = await this.#channel.recvMsg(16, scmRights.space);
    const [fd] = scmRights.take(ancillary);
    return NetlinkSocket.adopt(fd as number, netlink, { type: SOCK_RAW, protocol });
  }

  /** Starts a command in this namespace. */
  start(command: string, ...args: readonly string[]): Child {
    const enter = ['-t', String(this.pid), ...(root ? ['-n'] : ['-U', '-n', '--preserve-credentials'])];
    return startCommand('nsenter', [...enter, command, ...args]);
  }

  /** Runs a command in this namespace, which must succeed: its standard output. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    const child = this.start(command, ...args);
    child.process.stdin?.end();
    return (await child.succeeded()).stdout;
  }

  /** What an `ip` command gives in this namespace, as JSON. */
  async ip(...args: readonly string[]): Promise<Record<string, unknown>[]> {
    const stdout = await this.run('ip', '-j', ...args);
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Record<string, unknown>[]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.close();
    await this.#agent.outcome;
  }
}
