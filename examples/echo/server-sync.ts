// The echo server, blocking its thread as one would in Python.
//   node server-sync.js [port] [host]
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';

const [port = '50007', host = ''] = process.argv.slice(2);

using server = new Socket(inet, SOCK_STREAM);
server.bindSync({ host, port: Number(port) });
server.listen(1);
console.log('listening on', inet.format(server.getsockname()));

const { socket, address } = server.acceptSync();
using connection = socket;
console.log('connected by', inet.format(address));
for (;;) {
  const data = connection.recvSync(1024);
  if (data.length === 0) break;
  connection.sendAllSync(data);
}
