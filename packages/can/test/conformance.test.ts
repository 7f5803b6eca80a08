import { isotp } from '@sock/can';
import { Socket } from '@sock/core';
import { conformance } from '@sock/testkit';
import { addInterface, hasIsotp, removeInterface } from './bus.js';

let name = '';
let serial = 0;

const adopted = () => Socket.adopt(new Socket(isotp).detach(), isotp);

// Frames, jobs and parameter groups are no plain datagrams; messages of ISO-TP are.
describe('conformance of CAN', () => {
  before(() => {
    if (hasIsotp.every((one) => one.missing() === undefined)) name = addInterface(72);
  });
  after(() => {
    if (name !== '') removeInterface(name);
  });

  conformance({
    name: 'CAN_ISOTP',
    family: isotp,
    type: 2,
    kind: 'datagram',
    largest: 4095,
    requires: hasIsotp,
    async pair() {
      const id = (2 * serial++) % 0x700;
      // the kernel keeps no protocol of CAN sockets: adopted ones cannot know that of these
      const [a, b] = [adopted(), adopted()];
      await a.bind({ interface: name, rxId: id, txId: id + 1 });
      await b.bind({ interface: name, rxId: id + 1, txId: id });
      return [a, b];
    },
    // its sends wait for those before them, not for the receiver's program
    supports: { zeroLength: false, ioctl: false },
  });
});
