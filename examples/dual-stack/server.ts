// An echo server over whichever IP version this machine has: it listens on the first of the addresses that the system
// gives for that, and works. `createServer` of @sock/inet does the like in one call.
//   node server.js [port] [host]
import { SOCK_STREAM } from '@sock/core';
import { AI_PASSIVE, getaddrinfo } from '@sock/inet';
import { first } from './first.js';

const [port = '50007', host = null] = process.argv.slice(2);

const found = await getaddrinfo(host, port, { type: SOCK_STREAM, flags: AI_PASSIVE });
using server = await first(found, async (socket, { address }) => {
  await socket.bind(address);
  socket.listen(1);
});
console.log('listening on', server.family.format(server.getsockname()));

const { socket, address } = await server.accept();
using connection = socket;
console.log('connected by', server.family.format(address));
for await (const data of connection.chunks(1024)) await connection.sendAll(data);
