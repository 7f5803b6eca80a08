// Takes one frame from a CAN bus, shows it, and sends it back; then sends another one.
//   node echo.js [interface]
import { CanRawSocket, formatFrame } from '@sock/can';

const [name = 'vcan0'] = process.argv.slice(2);

using bus = new CanRawSocket();
await bus.bind({ interface: name });
console.log('listening on', name);

const { frame } = await bus.recvFrame();
console.log('received', formatFrame(frame));
await bus.sendFrame(frame);
await bus.sendFrame({ id: 0x01, data: Uint8Array.of(1, 2, 3) });
