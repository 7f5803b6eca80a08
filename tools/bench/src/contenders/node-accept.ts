// Connections accepted and closed at once with node:net.
import { type AddressInfo, createServer } from 'node:net';
import { Meter, ready } from './meter.js';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  ready((server.address() as AddressInfo).port);
  const meter = new Meter(16);
  server.on('connection', (socket) => {
    socket.destroy();
    if (meter.add(1)) process.exit();
  });
});
