// Packets received with pcap, a binding of libpcap, which captures by way of a ring too.
import { Meter, ready } from './meter.js';
import { peer } from './peer.js';

interface Session {
  on(event: 'packet', listener: (packet: { buf: Buffer; header: Buffer }) => void): void;
}

const { createSession } = peer<{ createSession(device: string, options: object): Session }>('pcap');
const session = createSession('vb', { buffer_size: 64 << 20, buffer_timeout: 1000 });
const meter = new Meter();
let bytes = 0;
session.on('packet', ({ buf, header }) => {
  // the captured length, behind the time
  bytes += header.readUInt32LE(8);
  if (buf[12] !== 0x88 || buf[13] !== 0xb5) throw new Error('a packet of another protocol');
  if (meter.add(1)) process.exit(bytes === 0 ? 1 : 0);
});
ready(process.pid);
