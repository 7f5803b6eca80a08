// sendTo, trySendTo, trySendTo-encoded, sendToSync, sendBatch, sendBatch-reused, segment, each with PORT: datagrams
// of 64 bytes to an address.
import { MessageBatch, SOCK_DGRAM, Socket } from '@sock/core';
import { inet, udpSegment } from '@sock/inet';
import { argument, Meter } from './meter.js';

const burst = 64;
const message = Buffer.alloc(64);
const address = { host: '127.0.0.1', port: Number(argument(1)) };
const socket = new Socket(inet, SOCK_DGRAM);
await socket.bind({ host: '127.0.0.1', port: 0 });
const meter = new Meter();

switch (argument(0)) {
  case 'sendTo':
    do await socket.sendTo(message, address);
    while (!meter.add(1));
    break;
  case 'trySendTo':
    do {
      if (socket.trySendTo(message, address) === null) await socket.waitWritable();
    } while (!meter.add(1));
    break;
  case 'trySendTo-encoded': {
    const encoded = socket.encodeAddress(address);
    do {
      if (socket.trySendTo(message, encoded) === null) await socket.waitWritable();
    } while (!meter.add(1));
    break;
  }
  case 'sendToSync':
    do socket.sendToSync(message, address);
    while (!meter.add(1));
    break;
  case 'sendBatch': {
    const batch = new MessageBatch({ count: burst, size: message.length });
    let sent: number;
    do {
      batch.clear();
      for (let i = 0; i < burst; i++) batch.push(message, address);
      sent = await socket.sendBatch(batch);
    } while (!meter.add(sent));
    break;
  }
  case 'sendBatch-reused': {
    const batch = new MessageBatch({ count: burst, size: message.length });
    for (let i = 0; i < burst; i++) batch.push(message, address);
    let sent: number;
    do sent = await socket.sendBatch(batch);
    while (!meter.add(sent));
    break;
  }
  default: {
    const whole = Buffer.alloc(burst * message.length);
    socket.setOption(udpSegment, message.length);
    do await socket.sendTo(whole, address);
    while (!meter.add(burst));
  }
}
process.exit();
