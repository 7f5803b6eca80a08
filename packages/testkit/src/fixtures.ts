import { createHash } from 'node:crypto';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketInfo } from '@sock/core';

/** A TCP port of the loopback that nobody listened on a moment ago: bound to 0, read, closed. */
export async function freeTcpPort(host = '127.0.0.1'): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A UDP port of the loopback that nobody was bound to a moment ago. */
export async function freeUdpPort(host = '127.0.0.1'): Promise<number> {
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port: 0 }, resolve);
  });
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

let folder: string | undefined;
let serial = 0;

/** A path that nothing exists at, in a folder of this process that is removed when the process exits. */
export function tempPath(suffix = ''): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'sock-'));
    folder = made;
    process.once('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
  }
  return join(folder, `${++serial}${suffix}`);
}

/**
 * Bytes that look random and are the same for the same seed: a shifted, repeated or lost piece of
 * them cannot pass unseen. Source: Marsaglia, Xorshift RNGs (2003).
 */
export function pattern(size: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

/** The SHA-256 of some bytes, in hexadecimal. */
export function sha256(...pieces: readonly (string | ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece as string | NodeJS.ArrayBufferView);
  return hash.digest('hex');
}

/** A number that no earlier call in this process gave, and that differs between processes. */
export function unique(): number {
  return process.pid * 1000 + ++serial;
}

/**
 * What a codec may ask about its socket, without one.
 * @param interfaces indexes of the network interfaces that there are, by their names
 */
export function socketInfo(
  domain: number,
  { type = 0, protocol = 0, interfaces = {} }: SocketInfoOptions = {},
): SocketInfo {
  return {
    domain,
    type,
    protocol,
    interfaceIndex(name) {
      const index = interfaces[name];
      if (index === undefined) throw Object.assign(new Error(`no interface ${name}`), { code: 'ENODEV' });
      return index;
    },
    interfaceName: (index) => Object.keys(interfaces).find((name) => interfaces[name] === index),
  };
}

interface SocketInfoOptions {
  type?: number;
  protocol?: number;
  interfaces?: Readonly<Record<string, number>>;
}

/** Closes what it was given, the last first, at the end of each test. */
export function cleaner(): <T extends Disposable | AsyncDisposable>(resource: T) => T {
  const resources: (Disposable | AsyncDisposable)[] = [];
  afterEach(async () => {
    for (const resource of resources.splice(0).reverse()) {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }
  });
  return (resource) => {
    resources.push(resource);
    return resource;
  };
}
