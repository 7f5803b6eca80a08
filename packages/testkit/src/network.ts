import { closeSync } from 'node:fs';
import { createNetworkNamespace } from '@sock/core';
import {
  addLinkSync,
  deleteLinkSync,
  getLinkSync,
  type LinkInput,
  type LinkSettings,
  NetlinkSocket,
  setLinkSync,
  watchLinks,
} from '@sock/netlink';
import { type Child, startCommand } from './children.js';
import { type Capability, capability } from './probe.js';
import { within } from './time.js';

// Links and namespaces for tests, made by netlink and not by programs: in the lab each process costs a tenth of a
// second. All is done at once: what is made is there when the call returns.

/** Settings of both ends of a pair, and of a link by itself. */
export type Settings = Omit<LinkSettings, 'name' | 'kind'>;

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

function addPair(kind: string, left: string, right: string, settings: Settings, socket?: NetlinkSocket): void {
  addLinkSync({ kind, name: left, ...settings, peer: { name: right, ...settings } }, { socket });
  for (const name of [left, right]) setLinkSync(name, { up: true }, { socket });
}

/** Removes a link, and the other end of a pair. */
export function removeLink(name: string, socket?: NetlinkSocket): void {
  deleteLinkSync(name, { socket });
}

/** Waits until links can send: the kernel tells a link of its carrier a little later, and drops what comes before. */
export async function carrier(names: readonly string[], socket?: NetlinkSocket): Promise<void> {
  using watcher = watchLinks({ socket });
  const waiting = () => names.filter((name) => !getLinkSync(name, { socket }).carrier);
  while (waiting().length > 0) await within(`a carrier of ${waiting().join(', ')}`, watcher.next());
}
