// Connections accepted and closed at once.
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import { Meter, ready } from './meter.js';

const server = new Socket(inet, SOCK_STREAM);
await server.bind({ host: '127.0.0.1', port: 0 });
server.listen(511);
ready(server.getsockname().port);
const meter = new Meter(16);
do {
  const { socket } = await server.accept();
  socket.close();
} while (!meter.add(1));
process.exit();
