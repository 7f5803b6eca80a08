// Packets received with cap, a binding of libpcap, which captures by way of a ring too.

import { Meter, ready } from './meter.js';
import { peer } from './peer.js';

interface Capture {
  open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
}

const { Cap } = peer<{ Cap: new () => Capture }>('cap');
const capture = new Cap();
const buffer = Buffer.alloc(65_535);
capture.open('vb', '', 512 << 20, buffer);
const meter = new Meter();
let bytes = 0;
capture.on('packet', (length) => {
  bytes += length;
  if (buffer[12] !== 0x88 || buffer[13] !== 0xb5) throw new Error('a packet of another protocol');
  if (meter.add(1)) process.exit(bytes === 0 ? 1 : 0);
});
ready(process.pid);
