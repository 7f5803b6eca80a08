import { l2cap, rfcomm } from '@sock/bluetooth';
import { SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { conformance } from '@sock/testkit';
import { Controllers, hasBtvirt, hasRfcomm, l2capPair } from './controllers.js';

describe('conformance of Bluetooth', () => {
  const air = new Controllers();
  const there = hasBtvirt.every((one) => one.missing() === undefined);
  before(async function (this: Mocha.Context) {
    this.timeout(30_000);
    if (there) await air.start();
  });
  after(async function (this: Mocha.Context) {
    this.timeout(30_000);
    if (there) await air.stop();
  });

  conformance({
    name: 'L2CAP, SOCK_SEQPACKET',
    family: l2cap,
    type: SOCK_SEQPACKET,
    kind: 'seqpacket',
    requires: hasBtvirt,
    largest: 600,
    pair: async () => (await l2capPair(air)) as never,
    supports: { halfClose: false, flowControl: false, zeroLength: false },
    badAddresses: [
      { what: 'a psm that is too large', value: { psm: 0x10000 }, argument: 'address.psm', error: 'RangeError' },
      { what: 'no device address', value: { address: 'nowhere' }, argument: 'address.address', error: 'RangeError' },
      { what: 'an address of another protocol', value: { channel: 5 }, argument: 'address', error: 'RangeError' },
    ],
  });

  let channel = 0;
  const fresh = () => ({ address: air.second.address, channel: 10 + (channel++ % 20) });
  conformance({
    name: 'RFCOMM, SOCK_STREAM',
    family: rfcomm,
    type: SOCK_STREAM,
    kind: 'stream',
    requires: [...hasBtvirt, hasRfcomm],
    largest: 2000,
    async pair() {
      using server = new Socket(rfcomm);
      const address = fresh();
      await server.bind(address);
      server.listen(1);
      const client = new Socket(rfcomm);
      await client.bind({ address: air.first.address });
      const [{ socket }] = await Promise.all([server.accept(), client.connect(address)]);
      return [client, socket];
    },
    supports: { halfClose: false, endOfFile: false },
    badAddresses: [
      { what: 'a channel that is too large', value: { channel: 31 }, argument: 'address.channel', error: 'RangeError' },
      { what: 'an address of another protocol', value: { psm: 5 }, argument: 'address', error: 'RangeError' },
    ],
  });
});
