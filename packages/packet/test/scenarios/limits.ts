import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { MessageBatch, SOCK_DGRAM, SOF_TIMESTAMPING_RAW_HARDWARE, type SocketError } from '@sock/core';
import {
  ETH_P_ALL,
  ETH_P_IP,
  type PacketAddress,
  PacketSocket,
  PcapngWriter,
  packetAuxdata,
  packetLoss,
  packetTimestamp,
  packetVnetHdr,
  parseCapture,
  TP_STATUS_TS_RAW_HARDWARE,
  TP_STATUS_TS_SOFTWARE,
  unpackVirtioHeader,
} from '@sock/packet';
import { delay, rejection, scaled, startPython, thrown, within } from '@sock/testkit';
import { removeLink, setLinkSync, takeDown } from '@sock/testkit/network';
import { expect } from 'chai';
import { frame, numbered, numberOf, TEST_PROTOCOL, udpFrame, up } from '../support/frames.js';
import { host } from '../support/host.js';
import { PAIR, type Scenario, shaper } from '../support/namespace.js';
import { collect, opened } from '../support/sockets.js';

/** A queue of the interface that has room for a few packets, and lets hardly any out. */
const NARROW = [PAIR, 'tc qdisc add dev va root tbf rate 80bit burst 2000 limit 4000'];

/** Removes it, and what is in it. */
const widen = (): void => {
  execFileSync('tc', ['qdisc', 'del', 'dev', 'va', 'root']);
};

const full = { code: 'ENOBUFS' };

/** Numbers of what the socket has received by now. */
function numbersOf(socket: PacketSocket): number[] {
  const numbers: number[] = [];
  for (let data = socket.tryRecv(10_000); data !== null; data = socket.tryRecv(10_000)) numbers.push(numberOf(data));
  return numbers;
}

/** Frames that lie about what they hold: versions, lengths and tags of every kind, cut off anywhere. */
function malformed(count: number): Buffer[] {
  const protocols = [ETH_P_IP, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8847, 0x0003, 0x0040, 0xffff];
  return Array.from({ length: count }, (_, i) => {
    const noise = randomBytes(i % 3 === 0 ? 4 : 1 + ((i * 37) % 900));
    // a version and a length of headers, so that some get further
    noise[0] = [noise[0], 0x4f, 0x60, 0x45][i % 4] as number;
    return frame(noise, { protocol: protocols[i % protocols.length] as number });
  });
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'a queue that is full refuses packets, and takes them when it has room again',
    setup: NARROW,
    requires: shaper,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      const taken: number[] = [];
      let failure: SocketError | undefined;
      for (let i = 0; i < 50; i++) {
        try {
          a.sendSync(numbered(i, 500));
          taken.push(i);
        } catch (error) {
          failure ??= error as SocketError;
          expect(error).to.include(full);
        }
      }
      expect(failure?.message).to.match(/^send ENOBUFS: the interface's queue is full and the packet was not sent/);
      expect(taken.length).to.be.within(1, 40);
      expect(await rejection(a.send(numbered(50, 500)))).to.include(full);
      const batch = new MessageBatch({ count: 3, size: 500 });
      for (let i = 60; i < 63; i++) batch.push(numbered(i, 500));
      expect(await rejection(a.sendBatch(batch))).to.include(full);
      // what was taken goes out in order, and nothing else
      const early = numbersOf(b);
      expect(early).to.deep.equal(taken.slice(0, early.length));
      widen();
      expect(await a.sendBatch(batch)).to.equal(3);
      await a.send(numbered(70, 500));
      const late = numbersOf(b);
      expect(late.slice(-4)).to.deep.equal([60, 61, 62, 70]);
      expect(late.slice(0, -4)).to.deep.equal(taken.slice(early.length, early.length + late.length - 4));
    },
  },
  {
    title: 'a transmit ring keeps what a full queue refused, and sends it when there is room',
    setup: NARROW,
    requires: shaper,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      using ring = a.transmitRing({ frames: 32 });
      for (let i = 0; i < 32; i++) expect(ring.push(numbered(i, 500))).to.equal(true);
      expect(thrown(() => ring.tryFlush())).to.include(full);
      expect(ring.pending).to.be.above(0);
      expect(await rejection(ring.flush())).to.include(full);
      const early = numbersOf(b);
      widen();
      // packets that were in the queue when it was removed are gone; those that the ring had are not
      await within('flush', ring.flush());
      expect(ring.pending).to.equal(0);
      const numbers = [...early, ...numbersOf(b)];
      expect(numbers).to.not.include(-1);
      expect(numbers).to.deep.equal([...new Set(numbers)].sort((x, y) => x - y));
      expect(numbers.at(-1)).to.equal(31);
      expect(numbers.length).to.be.above(20);
    },
  },
  {
    title: 'a transmit ring that may lose packets passes over what the interface refuses',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      a.setOption(packetLoss, true);
      expect(a.getOption(packetLoss)).to.equal(true);
      using ring = a.transmitRing({ frames: 8, frameSize: 16384 });
      for (let i = 0; i < 5; i++) ring.push(i === 2 ? numbered(i, 9500) : numbered(i));
      // counted as done with: no error tells them apart
      expect(await ring.flush()).to.equal(5);
      expect(numbersOf(b)).to.deep.equal([0, 1, 3, 4]);
    },
  },
  {
    title: 'a transmit ring goes on under another name, and ends where its interface is removed',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      using ring = a.transmitRing();
      ring.push(numbered(1));
      await takeDown('va');
      setLinkSync('va', { name: 'other' });
      await up('other');
      expect(await ring.flush()).to.equal(1);
      expect(
        numberOf(
          await within(
            'recv',
            b.recv(100).catch(() => b.recv(100)),
          ),
        ),
      ).to.equal(1);
      expect(a.getsockname().interface).to.equal('other');
      ring.push(numbered(2));
      removeLink('other');
      expect(await rejection(ring.flush()))
        .to.have.property('code')
        .that.is.oneOf(['ENXIO', 'ENETDOWN']);
      expect(ring.pending).to.equal(1);
    },
  },
  {
    title: 'a flush whose packets are in the queue of an interface that is removed ends',
    setup: NARROW,
    requires: shaper,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using ring = a.transmitRing({ frames: 16 });
      for (let i = 0; i < 5; i++) ring.push(numbered(i, 500));
      const flush = ring.flush();
      await delay(2);
      expect(ring.pending).to.be.above(0);
      removeLink('va');
      expect(await within('flush', flush)).to.be.within(1, 5);
      expect(ring.pending).to.equal(0);
    },
  },
  {
    title: 'a peer that is killed leaves what it sent, and nobody waits for ever',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 64, blockSize: 16384, blockTimeout: 1 });
      const python = startPython(`
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.bind(('va', ${TEST_PROTOCOL}))
header = bytes.fromhex('02000000000b02000000000a') + struct.pack('!H', ${TEST_PROTOCOL})
number = 0
while True:
    s.send(header + struct.pack('!I', number) + bytes([number & 255]) * 42)
    number += 1
`);
      let next = 0;
      let lost = 0;
      const take = (number: number): void => {
        expect(number).to.be.at.least(next);
        lost += number - next;
        next = number + 1;
      };
      for await (const { data } of ring) {
        take(numberOf(data));
        if (next >= 300) break;
      }
      python.kill();
      await python.outcome.catch(() => {});
      // what is under way still, then nothing: the ring waits until its time is up
      const rest = async (): Promise<void> => {
        for await (const { data } of ring.packets({ timeout: scaled(300) })) take(numberOf(data));
      };
      expect(await rejection(rest())).to.include({ code: 'ETIMEDOUT' });
      const { packets, drops } = tap.statistics();
      expect(packets - drops).to.equal(next - lost);
      expect(drops).to.be.at.least(lost);
      await a.send(numbered(77));
      const [last] = await within('packet', collect(ring, 1));
      expect(numberOf(last?.data ?? Buffer.alloc(60))).to.equal(77);
    },
  },
  {
    title: 'a host that dies takes its end of the link along, and ends what waits here',
    setup: PAIR,
    async run() {
      const other = await host();
      using a = await opened('va');
      using tap = await opened('va');
      using ring = tap.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      const waits = [rejection(a.recv(100)), rejection(ring.packets({ timeout: null }).next())];
      await a.send(numbered(1));
      other[Symbol.dispose]();
      for (const failure of await within('end', Promise.all(waits))) expect(failure).to.include({ code: 'ENETDOWN' });
      expect(a.getsockname().interface).to.equal('');
    },
  },
  {
    title: 'malformed packets arrive as they were sent, in every way of receiving',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      const raw = await opened('vb', ETH_P_ALL);
      raw.setOption(packetAuxdata, true);
      using cooked = await opened('vb', ETH_P_ALL, SOCK_DGRAM);
      using tap = await opened('vb', ETH_P_ALL);
      // room for each of them in a block of its own, however slowly they come
      using ring = tap.ring({ blocks: 128, blockSize: 4096, blockTimeout: 5 });
      const frames = malformed(120);
      const capture: Uint8Array[] = [];
      const writer = new PcapngWriter({ write: (bytes) => capture.push(bytes) });
      writer.addInterface({ name: 'vb' });
      // the kernel takes tags off what has one, and drops what ends within its tag
      const tagged = (bytes: Buffer): boolean => [0x8100, 0x88a8].includes(bytes.readUInt16BE(12));
      let arrived = 0;
      for (const sent of frames) {
        await a.send(sent);
        const message = raw.tryRecvMsg(2000, packetAuxdata.message.space);
        if (message === null) {
          expect(tagged(sent)).to.equal(true);
          continue;
        }
        arrived++;
        const { data, ancillary, address } = message;
        const info = packetAuxdata.message.find(ancillary);
        expect(info?.length).to.equal(data.length);
        if (info?.vlan === undefined) expect(data).to.deep.equal(sent);
        const { data: payload, address: from } = cooked.tryRecvFrom(2000) as { data: Buffer; address: PacketAddress };
        expect(payload).to.deep.equal(data.subarray(14));
        expect(from.address).to.deep.equal(address?.address);
      }
      expect(arrived).to.be.above(90);
      for (const packet of await within('packets', collect(ring, arrived))) {
        expect([packet.length, packet.checksum]).to.deep.equal([packet.data.length, 'unknown']);
        writer.write(packet);
      }
      expect([...parseCapture(Buffer.concat(capture))]).to.have.length(arrived);
      raw.close();
    },
  },
  {
    title: 'a ring has virtio headers before packets, and says whose clock it has',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = new PacketSocket({ protocol: ETH_P_IP });
      b.setOption(packetVnetHdr, true);
      b.setOption(packetTimestamp, SOF_TIMESTAMPING_RAW_HARDWARE);
      using ring = b.ring({ blocks: 4, blockSize: 8192, blockTimeout: 1 });
      await b.bind({ interface: 'vb' });
      await a.send(udpFrame('payload'));
      const block = await within('block', ring.recvBlock());
      const start = block.start(0);
      expect(unpackVirtioHeader(block.memory.subarray(start - 10, start))).to.include({ flags: 0, gsoType: 0 });
      expect(block.data(0)).to.deep.equal(udpFrame('payload'));
      // this link has no clock of its own
      expect(block.status(0) & (TP_STATUS_TS_SOFTWARE | TP_STATUS_TS_RAW_HARDWARE)).to.not.equal(
        TP_STATUS_TS_RAW_HARDWARE,
      );
    },
  },
];
