import type { Socket as NetSocket } from 'node:net';
import { invalidArgumentType, outOfRange } from './arguments.js';
import { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } from './constants.gen.js';
import { Descriptor } from './descriptor.js';
import type { Socket } from './socket.js';

interface Handle {
  readonly fd?: number;
}

/** A `dgram.Socket`. */
export interface DgramSocketLike {
  address(): unknown;
  on(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** A `net.Socket`, `net.Server` or `tls.TLSSocket`. */
export interface NetSocketLike extends DgramSocketLike {
  readonly destroyed?: boolean;
}

function handleOf(owner: object): Handle | undefined {
  // node:dgram keeps its handle behind a symbol, and warns of the old name
  for (const symbol of Object.getOwnPropertySymbols(owner)) {
    if (symbol.description !== 'state symbol') continue;
    return (owner as Record<symbol, { handle?: Handle }>)[symbol]?.handle;
  }
  const { _handle: handle } = owner as { _handle?: (Handle & { _parent?: Handle }) | null };
  // the handle of a TLS socket wraps that of the connection
  return handle?.fd === undefined ? (handle?._parent ?? undefined) : handle;
}

/** A descriptor that belongs to `node:net` or `node:dgram`: asked for each time, because they may close it. */
export function borrowedDescriptor(owner: NetSocketLike | DgramSocketLike): Descriptor {
  const handle = typeof owner === 'object' && owner !== null ? handleOf(owner) : undefined;
  const current = (): number => handle?.fd ?? -1;
  if (current() < 0) {
    throw invalidArgumentType('owner', 'an open socket of node:net or node:dgram, with a descriptor', owner);
  }
  const descriptor = new Descriptor(current(), false);
  let detached = false;
  const closed = (): void => {
    descriptor.detach();
  };
  Object.defineProperty(descriptor, 'fd', {
    get: () => (detached ? -1 : current()),
    set(fd: number) {
      detached = fd < 0;
      if (detached) owner.off('close', closed);
    },
  });
  owner.on('close', closed);
  return descriptor;
}

/** Hands a socket over to `node:net`. */
export function openNetSocket(socket: Socket<unknown>): NetSocket {
  if (socket.type !== SOCK_STREAM) throw outOfRange('socket.type', 'SOCK_STREAM', socket.type);
  // checked before the descriptor is given up: libuv knows no other streams
  if (![AF_INET, AF_INET6, AF_UNIX].includes(socket.domain)) {
    throw outOfRange('socket.domain', 'AF_INET, AF_INET6 or AF_UNIX', socket.domain);
  }
  const net = process.getBuiltinModule('node:net');
  const fd = socket.detach();
  return new net.Socket({ fd, readable: true, writable: true });
}
