// Idle connections of node:net, each with its read pending, as it is from the start.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Connections } from './memory.js';

const connections = new Connections();
const sockets: Socket[] = [];
const server = createServer((socket) => {
  sockets.push(socket);
  socket.on('data', () => undefined);
  void connections.opened(() => sockets[0]?.write('g'));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  connections.listening((server.address() as AddressInfo).port);
});
