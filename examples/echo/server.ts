// An echo server: takes one connection, and sends back what comes until its end.
//   node server.js [port] [host]
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';

const [port = '50007', host = ''] = process.argv.slice(2);

using server = new Socket(inet, SOCK_STREAM);
await server.bind({ host, port: Number(port) });
server.listen(1);
console.log('listening on', inet.format(server.getsockname()));

const { socket, address } = await server.accept();
using connection = socket;
console.log('connected by', inet.format(address));
for await (const data of connection.chunks(1024)) await connection.sendAll(data);
