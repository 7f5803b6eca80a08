// recvFrom, recvFromInto, recvBatch: datagrams received, with their senders' addresses, every operation awaited.
import { MessageBatch, SOCK_DGRAM, Socket, soRcvBuf } from '@sock/core';
import { type InetAddress, inet } from '@sock/inet';
import { Credit, receiveBuffer, windowOf } from './credit.js';
import { argument, Meter, ready } from './meter.js';

const socket = new Socket(inet, SOCK_DGRAM);
await socket.bind({ host: '127.0.0.1', port: 0 });
socket.setOption(soRcvBuf, receiveBuffer);
const window = windowOf(socket.getOption(soRcvBuf));
const credit = new Credit(window);
const token = Buffer.from('c');
let ports = 0;
ready(socket.getsockname().port, window);
const meter = new Meter();

// a function of its own: V8 optimizes what is called again and again, and an iteration that waits only within; and a
// sum that a module keeps is a new object with each addition
function look(batch: MessageBatch<InetAddress>, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (batch.data(i).length === 0) throw new Error('an empty datagram');
    const address = batch.address(i);
    if (address !== null) sum += address.port;
  }
  return sum;
}

switch (argument(0)) {
  case 'recvBatch': {
    const batch = new MessageBatch<InetAddress>({ count: 64, size: 2048 });
    let received: number;
    do {
      received = await socket.recvBatch(batch);
      ports += look(batch, received);
      const sender = batch.address(0);
      if (credit.due(received) && sender !== null) socket.trySendTo(token, sender);
    } while (!meter.add(received));
    break;
  }
  case 'recvFromInto': {
    const room = Buffer.alloc(2048);
    do {
      const { address } = await socket.recvFromInto(room);
      if (address === null) throw new Error('a datagram without an address');
      ports += address.port;
      if (credit.due(1)) socket.trySendTo(token, address);
    } while (!meter.add(1));
    break;
  }
  default:
    do {
      const { address } = await socket.recvFrom(2048);
      if (address === null) throw new Error('a datagram without an address');
      ports += address.port;
      if (credit.due(1)) socket.trySendTo(token, address);
    } while (!meter.add(1));
}
process.exit(ports === 0 ? 1 : 0);
