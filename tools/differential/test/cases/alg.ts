import { ALG_OP_DECRYPT, ALG_OP_ENCRYPT, ALG_SET_AEAD_AUTHSIZE, ALG_SET_KEY, AlgSocket, SOL_ALG } from '@sock/alg';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const NAMES: unknown[][] = [
  ['hash', 'sha256'],
  ['hash', 'no-such'],
  ['hash', ''],
  ['', 'sha256'],
  ['no-such', 'sha256'],
  ['x'.repeat(13), 'sha256'],
  ['x'.repeat(14), 'sha256'],
  ['hash', 'x'.repeat(63)],
  ['hash', 'x'.repeat(64)],
  ['hash', 'x'.repeat(200)],
  ['skcipher', 'cbc(aes)'],
  ['hash', 'cbc(aes)'],
  ['hash', 'sha256', 0, 0],
  ['hash', 'sha256', -1, 0],
  ['hash', 'sha256', 2 ** 32, 0],
  ['hash', 'sha256', 'x', 0],
  ['hash', 5],
  [null, 'sha256'],
];

function open(own: Own, type: unknown, name: unknown, features?: unknown, mask?: unknown): AlgSocket {
  const socket = own(new AlgSocket());
  socket.bindSync({
    type: type as string,
    name: name as string,
    ...(features !== undefined && { features: features as number }),
    ...(mask !== undefined && { mask: mask as number }),
  });
  return socket;
}

const START = 's = socket(AF_ALG, SOCK_SEQPACKET); ';
const bind = (type: string, name: string) => `${START}s.bind((${py(type)}, ${py(name)}))\n`;

const binding: Case[] = NAMES.map((parts) => ({
  title: `alg bind(${py(parts).replace(/x{63,}/, (run) => `${run.length} x`)})`,
  python: `${START}s.bind(${py(parts)})`,
  sock: (own) => {
    open(own, parts[0], parts[1], parts[2], parts[3]);
  },
}));

const hashing: Case[] = [
  ...['', 'abc', 'x'.repeat(5000)].map((text) => ({
    title: `alg digest of ${text.length} bytes`,
    python: `${bind('hash', 'sha256')}o, _ = s.accept(); o.sendall(${py(text)}.encode()); o.recv(512)`,
    sock: async (own: Own) => {
      const { socket } = await open(own, 'hash', 'sha256').accept();
      await own(socket).sendAll(text);
      return socket.recv(512);
    },
  })),
  {
    title: 'alg digest in pieces',
    python: `${bind('hash', 'sha1')}o, _ = s.accept(); o.send(b'a', MSG_MORE); o.send(b'bc'); o.recv(100)`,
    sock: async (own) => {
      const { socket } = await open(own, 'hash', 'sha1').accept();
      await own(socket).send('a', { flags: 0x8000 });
      await socket.send('bc');
      return socket.recv(100);
    },
  },
  {
    title: 'alg digest, cut short',
    python: `${bind('hash', 'sha1')}o, _ = s.accept(); o.send(b'abc'); o.recv(5)`,
    sock: async (own) => {
      const { socket } = await open(own, 'hash', 'sha1').accept();
      await own(socket).send('abc');
      return socket.recv(5);
    },
  },
  {
    title: 'alg hmac without a key',
    python: `${bind('hash', 'hmac(sha256)')}o, _ = s.accept(); o.send(b'abc')`,
    sock: async (own) => {
      const { socket } = await open(own, 'hash', 'hmac(sha256)').accept();
      return own(socket).send('abc');
    },
  },
  {
    title: 'alg hmac',
    python: `${bind('hash', 'hmac(sha256)')}s.setsockopt(SOL_ALG, ALG_SET_KEY, b'key'); o, _ = s.accept(); o.send(b'abc'); o.recv(100)`,
    sock: async (own) => {
      const algorithm = open(own, 'hash', 'hmac(sha256)');
      algorithm.setsockopt(SOL_ALG, ALG_SET_KEY, Buffer.from('key'));
      const { socket } = await algorithm.accept();
      await own(socket).send('abc');
      return socket.recv(100);
    },
  },
];

const KEY = Buffer.alloc(16, 7);
const IV = Buffer.alloc(16, 9);

const ciphers: Case[] = [
  ...[0, 15, 16, 24, 32, 33].map((size) => ({
    title: `alg key of ${size} bytes for aes`,
    python: `${bind('skcipher', 'cbc(aes)')}s.setsockopt(SOL_ALG, ALG_SET_KEY, bytes(${size}))`,
    sock: (own: Own) => open(own, 'skcipher', 'cbc(aes)').setsockopt(SOL_ALG, ALG_SET_KEY, Buffer.alloc(size)),
  })),
  ...([ALG_OP_ENCRYPT, ALG_OP_DECRYPT, 7, -1] as const).flatMap((operation) =>
    [16, 32, 15].map((size) => ({
      title: `alg operation ${operation} on ${size} bytes`,
      python: `${bind('skcipher', 'cbc(aes)')}s.setsockopt(SOL_ALG, ALG_SET_KEY, ${py(KEY)}); o, _ = s.accept()
o.settimeout(5); [o.sendmsg_afalg([b'd' * ${size}], op=${operation}, iv=${py(IV)}), o.recv(${size})]`,
      sock: async (own: Own) => {
        const algorithm = open(own, 'skcipher', 'cbc(aes)');
        algorithm.setsockopt(SOL_ALG, ALG_SET_KEY, KEY);
        const { socket } = await algorithm.accept();
        own(socket).timeout = 5000;
        const sent = await socket.sendmsgAfalg(['d'.repeat(size)], { operation, iv: IV });
        return [sent, await socket.recv(size)];
      },
    })),
  ),
  ...[0, 4, 12, 16, 17].map((size) => ({
    title: `alg tag of ${size} bytes for gcm`,
    python: `${bind('aead', 'gcm(aes)')}s.setsockopt(SOL_ALG, ALG_SET_AEAD_AUTHSIZE, None, ${size})`,
    sock: (own: Own) => open(own, 'aead', 'gcm(aes)').setsockopt(SOL_ALG, ALG_SET_AEAD_AUTHSIZE, null, size),
  })),
  {
    title: 'alg gcm with associated data',
    python: `${bind('aead', 'gcm(aes)')}s.setsockopt(SOL_ALG, ALG_SET_KEY, ${py(KEY)}); s.setsockopt(SOL_ALG, ALG_SET_AEAD_AUTHSIZE, None, 16)
o, _ = s.accept(); o.sendmsg_afalg([b'head', b'd' * 16], op=ALG_OP_ENCRYPT, iv=bytes(12), assoclen=4); o.recv(36)`,
    sock: async (own) => {
      const algorithm = open(own, 'aead', 'gcm(aes)');
      algorithm.setsockopt(SOL_ALG, ALG_SET_KEY, KEY);
      algorithm.setsockopt(SOL_ALG, ALG_SET_AEAD_AUTHSIZE, null, 16);
      const { socket } = await algorithm.accept();
      await own(socket).sendmsgAfalg(['head', 'd'.repeat(16)], {
        operation: ALG_OP_ENCRYPT,
        iv: Buffer.alloc(12),
        assoclen: 4,
      });
      return socket.recv(36);
    },
  },
];

export const algCases: Case[] = [...binding, ...hashing, ...ciphers];
