// recv, waitReadable: idle connections, each with that operation pending.
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import { Connections } from './memory.js';
import { argument } from './meter.js';

const form = argument(0);
const connections = new Connections();
const sockets: unknown[] = [];
const server = new Socket(inet, SOCK_STREAM);
await server.bind({ host: '127.0.0.1', port: 0 });
server.listen(511);
connections.listening(server.getsockname().port);
for await (const { socket } of server.connections()) {
  sockets.push(socket);
  if (form === 'waitReadable') void socket.waitReadable();
  else void socket.recv(65536);
  const [oldest] = sockets as [typeof socket];
  void connections.opened(() => void oldest.send('g'));
}
