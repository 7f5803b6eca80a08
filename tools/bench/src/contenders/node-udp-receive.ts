// Datagrams received with node:dgram, with their senders' addresses.
import { createSocket } from 'node:dgram';
import { Credit, receiveBuffer, windowOf } from './credit.js';
import { Meter, ready } from './meter.js';

const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBuffer });
socket.bind(0, '127.0.0.1', () => {
  const window = windowOf(socket.getRecvBufferSize());
  const credit = new Credit(window);
  const token = Buffer.from('c');
  let ports = 0;
  ready(socket.address().port, window);
  const meter = new Meter();
  socket.on('message', (_message, sender) => {
    ports += sender.port;
    if (credit.due(1)) socket.send(token, sender.port, sender.address);
    if (meter.add(1)) process.exit(ports === 0 ? 1 : 0);
  });
});
