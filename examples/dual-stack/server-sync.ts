// The echo server over either IP version, blocking its thread.
//   node server-sync.js [port] [host]
import { SOCK_STREAM } from '@sock/core';
import { AI_PASSIVE, getaddrinfoSync } from '@sock/inet';
import { firstSync } from './first.js';

const [port = '50007', host = null] = process.argv.slice(2);

const found = getaddrinfoSync(host, port, { type: SOCK_STREAM, flags: AI_PASSIVE });
using server = firstSync(found, (socket, { address }) => {
  socket.bindSync(address);
  socket.listen(1);
});
console.log('listening on', server.family.format(server.getsockname()));

const { socket, address } = server.acceptSync();
using connection = socket;
console.log('connected by', server.family.format(address));
for (;;) {
  const data = connection.recvSync(1024);
  if (data.length === 0) break;
  connection.sendAllSync(data);
}
