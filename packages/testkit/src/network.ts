import { closeSync } from 'node:fs';
import { AF_INET6, createNetworkNamespace, SocketError } from '@sock/core';
import {
  addAddressSync,
  addLinkSync,
  attribute,
  deleteLinkSync,
  IF_OPER_UP,
  IFLA_AF_SPEC,
  IFLA_INET6_ADDR_GEN_MODE,
  IN6_ADDR_GEN_MODE_NONE,
  type LinkInput,
  type LinkSettings,
  listLinksSync,
  NetlinkSocket,
  setLinkSync,
  watchLinks,
} from '@sock/netlink';
import { type Child, startCommand } from './children.js';
import { type Capability, capability } from './probe.js';
import { within } from './time.js';

export { addAddressSync, addLinkSync, listLinksSync, setLinkSync };

// Links and namespaces for tests, made by netlink and not by programs: in the lab each process costs a tenth of a
// second. All is done at once: what is made is there when the call returns.

/** Settings of both ends of a pair. */
export interface Settings extends Omit<LinkSettings, 'name' | 'kind' | 'up'> {
  /** No address of IPv6, of which the kernel would tell others: nothing is sent but what the test sends. */
  quiet?: boolean;
}

/**
 * A network of one's own: a namespace with nothing but `lo`, which is up. Sockets are opened in it by
 * `{ namespace: network.fd }`; it is gone when it is closed and nothing is in it any more.
 */
export class Network implements Disposable {
  /** Descriptor of the namespace. */
  readonly fd: number;
  /** A socket of it, for the functions of @sock/netlink. */
  readonly socket: NetlinkSocket;

  /** @param namespace what to work in: another's descriptor, which stays the caller's */
  constructor(namespace: number = createNetworkNamespace()) {
    this.fd = namespace;
    this.socket = new NetlinkSocket({ namespace });
    setLinkSync('lo', { up: true }, { socket: this.socket });
  }

  /** A virtual CAN bus, up: `mtu` 16 for CAN 2.0, 72 for FD, 2060 for XL. */
  vcan(name: string, mtu = 72): void {
    addVcan(name, mtu, this.socket);
  }

  /** Two CAN interfaces joined by a wire, both up. */
  vxcan(left: string, right: string, settings?: Settings): void {
    addVxcan(left, right, settings, this.socket);
  }

  /** Two Ethernet interfaces joined by a wire, both up. */
  veth(left: string, right: string, settings?: Settings): void {
    addVeth(left, right, settings, this.socket);
  }

  /** An Ethernet interface `wire` here and in another network, joined; both are up and have an address of a /24. */
  wire(address: string, other: Network, otherAddress: string): void {
    const name = 'wire';
    addLinkSync({ kind: 'veth', name, peer: { name, namespace: { fd: other.fd } } }, { socket: this.socket });
    for (const [{ socket }, own] of [[this, address] as const, [other, otherAddress] as const]) {
      addAddressSync({ interface: name, address: own, prefixLength: 24 }, { socket });
      setLinkSync(name, { up: true }, { socket });
    }
  }

  /** Takes a link out of this process's namespace. It is down then. */
  take(name: string): void {
    setLinkSync(name, { namespace: { fd: this.fd } });
  }

  /** Starts a command in the namespace. */
  start(command: string, ...args: readonly string[]): Child {
    return startCommand('nsenter', [`--net=/proc/${process.pid}/fd/${this.fd}`, command, ...args]);
  }

  /** Runs a command in the namespace, which must succeed: its standard output. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    const child = this.start(command, ...args);
    child.process.stdin?.end();
    return (await child.succeeded()).stdout;
  }

  close(): void {
    if (this.socket.closed) return;
    this.socket.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Namespaces of one's own: the machine's links stay as they are. */
export const networks: Capability = capability({
  name: 'network namespaces',
  remedy: 'run as root',
  probe: () => closeSync(createNetworkNamespace()),
});

/**
 * Links of a kind, which the kernel may lack, such as `veth`.
 * @param input what such a link cannot be without; a `link` below it is made
 */
export function linkKind(kind: string, module: string = kind, input: Omit<LinkInput, 'kind'> = {}): Capability {
  return capability({
    name: kind,
    remedy: `modprobe ${module}`,
    probe() {
      using network = new Network();
      const { socket } = network;
      if (typeof input.link === 'string') network.veth(input.link, 'other0');
      addLinkSync({ kind, name: 'probe0', ...input }, { socket });
    },
  });
}

/** A virtual CAN bus, up. @param socket one of the namespace to make it in; this process's unless told */
export function addVcan(name: string, mtu = 72, socket?: NetlinkSocket): void {
  addLinkSync({ kind: 'vcan', name, mtu, up: true }, { socket });
}

/** Two CAN interfaces joined by a wire, both up. */
export function addVxcan(left: string, right: string, settings: Settings = { mtu: 72 }, socket?: NetlinkSocket): void {
  addPair('vxcan', left, right, settings, socket);
}

/** Two Ethernet interfaces joined by a wire, both up. */
export function addVeth(left: string, right: string, settings: Settings = {}, socket?: NetlinkSocket): void {
  addPair('veth', left, right, settings, socket);
}

const QUIET = attribute.nested(IFLA_AF_SPEC, [
  attribute.nested(AF_INET6, [attribute.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)]),
]);

function addPair(kind: string, left: string, right: string, given: Settings, socket?: NetlinkSocket): void {
  const { quiet = false, ...settings } = given;
  addLinkSync({ kind, name: left, ...settings, peer: { name: right, ...settings } }, { socket });
  for (const name of [left, right]) takeUp(name, quiet, socket);
}

function takeUp(name: string, quiet: boolean, socket?: NetlinkSocket): void {
  if (quiet) setLinkSync(name, { extra: [QUIET] }, { socket });
  setLinkSync(name, { up: true }, { socket });
}

/** Makes a link that nothing is sent on but what the test sends, and takes it up. */
export function addQuietLink(link: LinkInput & { name: string }, socket?: NetlinkSocket): void {
  addLinkSync(link, { socket });
  takeUp(link.name, true, socket);
}

/** Removes a link, and the other end of a pair. */
export function removeLink(name: string, socket?: NetlinkSocket): void {
  deleteLinkSync(name, { socket });
}

/** Removes all links but `lo`. Some go with others, or with the namespace of their other end, at any time. */
export function removeLinks(socket?: NetlinkSocket): void {
  for (const { index, name } of listLinksSync({ socket })) {
    if (name === 'lo') continue;
    try {
      deleteLinkSync(index, { socket });
    } catch (error) {
      if (!(error instanceof SocketError) || error.code !== 'ENODEV') throw error;
    }
  }
}

const ETHERNET = 1;

/**
 * Waits until the Ethernet links that are up can send: the kernel tells a link of its carrier a little later, and
 * drops what comes before.
 */
export function carrier(socket?: NetlinkSocket): Promise<void> {
  return untilCarriers((state) => state === IF_OPER_UP, socket);
}

/**
 * Takes one end of a pair of Ethernet links down, and waits until the kernel has told the other end: to send there is
 * an error before, and no error after.
 */
export function takeDown(name: string, socket?: NetlinkSocket): Promise<void> {
  setLinkSync(name, { up: false }, { socket });
  return untilCarriers((state) => state !== IF_OPER_UP, socket);
}

async function untilCarriers(wanted: (state: number | undefined) => boolean, socket?: NetlinkSocket): Promise<void> {
  using watcher = watchLinks({ socket });
  const waiting = () =>
    listLinksSync({ socket }).filter(
      ({ type, up, operationalState }) => type === ETHERNET && up && !wanted(operationalState),
    );
  for (let links = waiting(); links.length > 0; links = waiting()) {
    await within(`the carrier of ${links.map(({ name }) => name).join(', ')}`, watcher.next());
  }
}
