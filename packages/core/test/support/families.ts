import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  checkInteger,
  checkObject,
  checkString,
  invalidArgumentType,
  readU16BE,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  writeU16BE,
} from '@sock/core';

// The core has no address families of its own, and its tests import none: these few lines are enough
// to speak to a kernel, and are what anybody would write for a family of their own.

/** An address of AF_INET, with a host in dotted form. */
export interface HostPort {
  host: string;
  port: number;
}

/** AF_INET, without names. Source: ip(7). */
export const inet: AddressFamily<HostPort> = {
  name: 'inet',
  domain: AF_INET,
  encode(address, into) {
    const { host, port } = checkObject('address', address);
    writeU16BE(into, checkInteger('address.port', port, 0, 65_535), 2);
    const parts = checkString('address.host', host).split('.').map(Number);
    parts.forEach((part, i) => {
      into[4 + i] = checkInteger('address.host', part, 0, 255);
    });
    return 16;
  },
  decode: (bytes) => ({ host: bytes.subarray(4, 8).join('.'), port: readU16BE(bytes, 2) }),
  format: ({ host, port }) => `${host}:${port}`,
};

/** AF_INET6, of which only `::1` is used here. Source: ipv6(7). */
export const inet6: AddressFamily<HostPort> = {
  name: 'inet6',
  domain: AF_INET6,
  encode({ port }, into) {
    writeU16BE(into, port, 2);
    into[23] = 1;
    return 28;
  },
  decode: (bytes) => ({ host: '::1', port: readU16BE(bytes, 2) }),
  format: ({ host, port }) => `[${host}]:${port}`,
};

/** AF_UNIX: a path, or a name behind a NUL character. Source: unix(7). */
export const unix: AddressFamily<string> = {
  name: 'unix',
  domain: AF_UNIX,
  encode(path, into) {
    if (typeof path !== 'string') throw invalidArgumentType('address', 'a string', path);
    return 2 + Buffer.from(into.buffer, into.byteOffset + 2, 106).write(path, 'latin1');
  },
  decode: (bytes) =>
    Buffer.from(bytes.subarray(2))
      .toString('latin1')
      .replace(/(?<=.)\0$/, ''),
  format: (path) => path.replace('\0', '@'),
};

let serial = 0;

/** An abstract unix address that nothing else uses. */
export function freshName(): string {
  return `\0sock-core-test-${process.pid}-${++serial}`;
}

export const LOOPBACK: HostPort = { host: '127.0.0.1', port: 0 };

/** Two connected unix sockets. */
export function pair(type: number = SOCK_STREAM): [Socket<string>, Socket<string>] {
  return Socket.pair(unix, type);
}

/** A TCP listener on the loopback. */
export function tcpServer(backlog?: number): Socket<HostPort> {
  const server = new Socket(inet, SOCK_STREAM);
  server.bindSync(LOOPBACK);
  server.listen(backlog);
  return server;
}

/** Two connected TCP sockets. */
export function tcpPair(): [Socket<HostPort>, Socket<HostPort>] {
  using server = tcpServer();
  const client = new Socket(inet, SOCK_STREAM);
  client.connectSync(server.getsockname());
  return [client, server.acceptSync().socket];
}

/** A UDP socket on the loopback. */
export function udp(): Socket<HostPort> {
  const socket = new Socket(inet, SOCK_DGRAM);
  socket.bindSync(LOOPBACK);
  return socket;
}

/** A UDP port of the loopback that refuses datagrams: bound once, closed since. */
export function refusingPort(): HostPort {
  using socket = udp();
  return socket.getsockname();
}

/** Sends until there is no more room: the number of bytes. */
export function fill(socket: Socket<unknown>, piece: Uint8Array | number = 1024): number {
  const data = typeof piece === 'number' ? Buffer.alloc(piece, 'f') : piece;
  let total = 0;
  for (;;) {
    const sent = socket.trySend(data);
    if (sent === null) return total;
    total += sent;
  }
}

/** Receives until there is no more: the number of bytes. */
export function drain(socket: Socket<unknown>): number {
  let total = 0;
  for (;;) {
    const data = socket.tryRecv(65_536);
    if (data === null || data.length === 0) return total;
    total += data.length;
  }
}
