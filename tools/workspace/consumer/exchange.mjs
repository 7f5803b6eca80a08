// What a program outside this repository does with the installed packages: a real exchange with each.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import { unix } from '@sock/unix';

const server = new Socket(inet, SOCK_STREAM);
await server.bind({ host: '127.0.0.1', port: 0 });
server.listen();
const client = new Socket(inet, SOCK_STREAM);
const [accepted] = await Promise.all([server.accept(), client.connect(server.getsockname())]);
await client.sendAll('over TCP');
assert.equal((await accepted.socket.recv(100)).toString(), 'over TCP');
for (const socket of [server, client, accepted.socket]) socket.close();

const [one, other] = Socket.pair(unix);
one.sendAllSync('over a socket pair');
assert.equal(other.recvSync(100).toString(), 'over a socket pair');
one.close();
other.close();

// CommonJS gets the very same module.
assert.equal(createRequire(import.meta.url)('@sock/core').Socket, Socket);

if (process.platform === 'linux') {
  const mapped = new Set(readFileSync('/proc/self/maps', 'utf8').match(/\/.*core.*\.node$/gm));
  assert.deepEqual(mapped.size, 1);
  for (const file of mapped) assert.match(file, /\/node_modules\/@sock\/core\/prebuilds\//);
}
console.log(`exchanged on Node ${process.version}`);
