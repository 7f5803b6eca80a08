import { BcmSocket, CanRawSocket, IsotpSocket, J1939Socket, packFrame, packJ1939Id } from '@sock/can';
import { type AddressFamily, AF_PACKET, SOCK_RAW, Socket, soRcvBufForce, writeI32, writeU16BE } from '@sock/core';
import { cleaner, describeIf, pattern, within } from '@sock/testkit';
import { expect } from 'chai';
import { hasBcm, hasIsotp, hasJ1939, hasRaw, wire } from './bus.js';

/** Enough of packet(7) to put any bytes onto an interface. */
const packet: AddressFamily<never, string> = {
  name: 'packet',
  domain: AF_PACKET,
  encode(name, into, socket) {
    writeU16BE(into, 0x000c, 2);
    writeI32(into, socket.interfaceIndex(name), 4);
    return 20;
  },
  decode() {
    throw new TypeError('only sent to');
  },
  format: (name) => name,
};

describeIf([...hasRaw, 'AF_PACKET'], 'malformed frames from elsewhere', function () {
  this.timeout(20_000);
  // what a program puts onto it comes out at the other end as if it were from the bus
  const cable = wire();
  const own = cleaner();

  function injector(): (bytes: Uint8Array) => Promise<void> {
    const socket = own(new Socket(packet, SOCK_RAW));
    return async (bytes) => {
      // what the kernel refuses is as well
      await socket.sendTo(bytes, cable.left).catch(() => {});
    };
  }

  for (const way of ['one by one', 'many at once'] as const) {
    it(`do no harm to CAN_RAW: ${way}`, async () => {
      const receiver = own(new CanRawSocket({ fd: true, xl: true, errors: 0x1fffffff }));
      await receiver.bind({ interface: cable.right });
      const inject = injector();
      for (let length = 0; length <= 80; length++) await inject(Buffer.alloc(length, 0xff));
      const wrongLength = packFrame({ id: 1 });
      wrongLength[4] = 64;
      await inject(wrongLength);
      const wrongFdLength = packFrame({ kind: 'fd', id: 1 });
      wrongFdLength[4] = 255;
      await inject(wrongFdLength);
      const wrongXlLength = packFrame({ kind: 'xl', priority: 1, data: 'abc' });
      wrongXlLength[6] = 200;
      await inject(wrongXlLength);
      await inject(packFrame({ id: 0x77, data: 'whole' }));
      let last = '';
      while (last !== 'whole') {
        const some =
          way === 'one by one'
            ? [await within('a frame', receiver.recvFrame())]
            : await within('frames', receiver.recvFrames());
        for (const { frame } of some) last = frame.data.toString('latin1');
      }
      expect(receiver.tryRecvFrame()).to.equal(null);
    });
  }

  describeIf([...hasBcm, ...hasIsotp, ...hasJ1939], 'and what is built on it', () => {
    const group = 0x1f00;
    const [station, stranger] = [0x21, 0x20];

    // Control messages and data of the transport protocols, and frames of ISO-TP, with any content. No address claims:
    // see claim.test.ts for those, after which Linux 6.1 may keep the interface for ever.
    const identifiers = [
      0x7e0,
      packJ1939Id({ pgn: 0xec00, destination: station, source: stranger }),
      packJ1939Id({ pgn: 0xeb00, destination: station, source: stranger }),
      packJ1939Id({ pgn: 0xc800, destination: station, source: stranger }),
      packJ1939Id({ pgn: 0xc700, destination: station, source: stranger }),
    ];
    // the first byte says what a frame is, for all of these protocols
    const kinds = [
      0, 1, 7, 8, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x17, 0x20, 0x21, 0x2f, 0x30, 0x31, 0x32, 0x40, 0xff,
    ];

    it('do no harm to jobs, to ISO-TP and to J1939', async () => {
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: cable.right });
      jobs.rxSetup({ id: 0x7e0, mask: Buffer.alloc(8, 0xff) });
      jobs.setOption(soRcvBufForce, 8_000_000);
      const connection = own(new IsotpSocket());
      await connection.bind({ interface: cable.right, rxId: 0x7e0, txId: 0x7e8 });
      const member = own(new J1939Socket({ broadcast: true, promiscuous: true, events: true }));
      await member.bind({ interface: cable.right, address: station });
      const inject = injector();
      for (const id of identifiers) {
        for (const [i, kind] of kinds.entries()) {
          const data = pattern(1 + (i % 8), i + 1);
          data[0] = kind;
          await inject(packFrame({ id, data }));
          // said to be longer than it is, and cut off
          const longer = packFrame({ id, data });
          longer[4] = 15;
          await inject(longer);
          await inject(longer.subarray(0, 8 + (i % 8)));
        }
      }
      await inject(packFrame({ id: 0x7e0, data: 'last one' }));

      let changed = '';
      while (changed !== 'last one') {
        const event = await within('an event', jobs.recvEvent());
        if (event.kind === 'RX_CHANGED') changed = event.frame.data.toString('latin1');
      }

      const tester = own(new IsotpSocket());
      await tester.bind({ interface: cable.left, rxId: 0x7e8, txId: 0x7e0 });
      const sent = pattern(300);
      // what was begun by the garbage ends with an error, or is a message
      const received = (async () => {
        for (;;) {
          const data = await connection.recv(5000).catch((error: { code: string }) => {
            expect(error.code).to.be.oneOf(['EBADMSG', 'EILSEQ', 'ETIMEDOUT', 'ECOMM']);
          });
          if (data?.equals(sent)) return data;
        }
      })();
      await tester.transmit(sent);
      await within('a message', received, 10_000);

      const other = own(new J1939Socket());
      await other.bind({ interface: cable.left, address: 0x30 });
      await other.sendTo(sent, { interface: cable.left, address: station, pgn: group });
      let data: Buffer;
      do ({ data } = await within('a group', member.recvGroup(), 10_000));
      while (!data.equals(sent));
      while (member.tryRecvEvent() !== null);
    });
  });
});
