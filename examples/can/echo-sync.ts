// The same, blocking its thread.
//   node echo-sync.js [interface]
import { CanRawSocket, formatFrame } from '@sock/can';

const [name = 'vcan0'] = process.argv.slice(2);

using bus = new CanRawSocket();
bus.bindSync({ interface: name });
console.log('listening on', name);

const { frame } = bus.recvFrameSync();
console.log('received', formatFrame(frame));
bus.sendFrameSync(frame);
bus.sendFrameSync({ id: 0x01, data: Uint8Array.of(1, 2, 3) });
