import { l2cap, l2capOptions, type RfcommAddress, type RfcommInput, rfcomm } from '@sock/bluetooth';
import { SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { conformance, scaled } from '@sock/testkit';
import { Controllers, hasBtvirt, hasRfcomm, l2capPair } from './controllers.js';

type Serial = Socket<RfcommAddress, RfcommInput>;

describe('conformance of Bluetooth', () => {
  const air = new Controllers();
  // What carries all connections of RFCOMM between two devices ends with the last of them, and is reset for those who
  // connect at that moment: one is kept.
  let kept: readonly Serial[] = [];
  const there = hasBtvirt.every((one) => one.missing() === undefined);
  before(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    if (!there) return;
    await air.start();
    if (hasRfcomm.missing() === undefined) kept = await serialPair(9);
  });
  after(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    for (const socket of kept) socket.close();
    if (there) await air.stop();
  });

  async function serialPair(channel: number): Promise<[Serial, Serial]> {
    using server = new Socket(rfcomm);
    const address = { address: air.second.address, channel };
    await server.bind(address);
    server.listen(1);
    const client = new Socket(rfcomm);
    await client.bind({ address: air.first.address });
    const [{ socket }] = await Promise.all([server.accept(), client.connect(address)]);
    return [client, socket];
  }

  // Connections are made by `pair` alone: the kernel gives names their channels when they are connected, so
  // that a client is not what its peer knows it as. Both kinds are brief: processes take minutes where the
  // processor is emulated, and every other family shows them.
  conformance({
    name: 'L2CAP, SOCK_SEQPACKET',
    family: l2cap,
    type: SOCK_SEQPACKET,
    kind: 'seqpacket',
    brief: true,
    requires: hasBtvirt,
    pair: () =>
      l2capPair(air, { setUp: (socket) => socket.setOption(l2capOptions, { imtu: 9000, omtu: 9000 }) }) as never,
    // what a receiver has no room for is lost, and senders are not told
    supports: { halfClose: false, flowControl: false, zeroLength: false },
    sendTimeout: 40_000,
  });

  let channel = 0;
  conformance({
    name: 'RFCOMM, SOCK_STREAM',
    family: rfcomm,
    type: SOCK_STREAM,
    kind: 'stream',
    brief: true,
    requires: [...hasBtvirt, hasRfcomm],
    // it is as slow as a serial port
    largest: 2000,
    bulk: 20_000,
    pair: () => serialPair(10 + (channel++ % 20)),
    // the end is an error for the peer, and a look shows what one frame brought
    supports: { halfClose: false, endOfFile: false, flowControl: false, streams: false, peekAcross: false },
    sendTimeout: 30_000,
  });
});
