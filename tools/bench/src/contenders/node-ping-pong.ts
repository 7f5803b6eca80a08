// events, await: 64 bytes to and fro over TCP, both ends in this process, with node:net.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { argument, Meter } from './meter.js';

const message = Buffer.alloc(64);
const meter = new Meter();
const server = createServer({ noDelay: true });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];

if (argument(0) === 'events') {
  peer.on('data', (data) => peer.write(data));
  client.on('data', () => {
    if (meter.add(1)) process.exit();
    client.write(message);
  });
  client.write(message);
} else {
  void (async () => {
    for await (const data of peer) peer.write(data);
  })();
  do {
    client.write(message);
    await once(client, 'data');
  } while (!meter.add(1));
  process.exit();
}
