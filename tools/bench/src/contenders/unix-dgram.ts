// Datagrams received with the package unix-dgram on the path BENCH_PATH.
import { Meter, ready } from './meter.js';
import { peer } from './peer.js';

interface UnixDatagram {
  createSocket(type: 'unix_dgram', listener: (message: Buffer) => void): { bind(path: string): void };
}

const { createSocket } = peer<UnixDatagram>('unix-dgram');
const path = process.env.BENCH_PATH ?? '';
let bytes = 0;
const meter = new Meter();
const socket = createSocket('unix_dgram', (message) => {
  bytes += message.length;
  if (meter.add(1)) process.exit(bytes === 0 ? 1 : 0);
});
socket.bind(path);
ready(path);
