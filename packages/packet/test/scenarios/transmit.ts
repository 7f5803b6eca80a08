import { SOCK_DGRAM, type SocketError } from '@sock/core';
import { ETH_HLEN, PacketSocket, type PacketTransmitRing, packetVersion, TPACKET_V2, TPACKET_V3 } from '@sock/packet';
import { delay, rejection, thrown, within } from '@sock/testkit';
import { takeDown } from '@sock/testkit/network';
import { expect } from 'chai';
import { numbered, numberOf, TEST_PROTOCOL, up } from '../support/frames.js';
import { PAIR, REMOTE, type Scenario, shaper } from '../support/namespace.js';
import { opened, range } from '../support/sockets.js';

export const scenarios: readonly Scenario[] = [
  ...[TPACKET_V2, TPACKET_V3].map(
    (version): Scenario => ({
      title: `a transmit ring (TPACKET_V${version + 1}) sends packets as they were pushed`,
      setup: PAIR,
      async run() {
        using a = new PacketSocket();
        await a.bind({ interface: 'va' });
        using b = await opened('vb');
        const ring: PacketTransmitRing = a.transmitRing({ version, frames: 15, frameSize: 1024 });
        expect(ring.frameCount).to.equal(16);
        expect(ring.maxLength).to.equal(version === TPACKET_V2 ? 992 : 976);
        expect(a.getOption(packetVersion)).to.equal(version);
        let sent = 0;
        for (let i = 0; i < 100; i++) {
          while (!ring.push(numbered(i, 60 + i))) sent += await ring.flush();
        }
        expect(ring.pending).to.be.above(0);
        sent += ring.flushSync();
        expect([sent, ring.pending, ring.tryFlush()]).to.deep.equal([100, 0, 0]);
        for (let i = 0; i < 100; i++) {
          const data = b.recvSync(2000);
          expect([numberOf(data), data.length]).to.deep.equal([i, 60 + i]);
        }
        for (let i = 0; i < 16; i++) expect(ring.push(numbered(i))).to.equal(true);
        expect(ring.push(numbered(16))).to.equal(false);
        expect(b.tryRecv(100)).to.equal(null);
        expect(thrown(() => ring.push(new Uint8Array(1000)))).to.include({ argument: 'data' });
        expect(thrown(() => ring.push(5 as never))).to.include({ argument: 'data' });
        expect(ring.tryFlush()).to.equal(16);
        expect(range(16).map(() => numberOf(b.recvSync(100)))).to.deep.equal(range(16));
        ring.push(numbered(99));
        ring.close();
        ring.close();
        expect([ring.closed, ring.pending]).to.deep.equal([true, 0]);
        expect(thrown(() => ring.push(numbered(1)))).to.include({ code: 'EBADF' });
        expect(await rejection(ring.flush())).to.include({ code: 'EBADF' });
        expect(thrown(() => ring.tryFlush())).to.include({ code: 'EBADF' });
        expect(b.tryRecv(100)).to.equal(null);
        // as any socket again
        await a.send(numbered(5));
        expect(numberOf(b.recvSync(100))).to.equal(5);
      },
    }),
  ),
  {
    title: 'a transmit ring leaves out what the interface refuses, and sends the others',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      using ring = a.transmitRing({ frames: 8, frameSize: 16384 });
      expect(ring.frameCount).to.equal(8);
      // begin in the middle, so that what moves up wraps around
      for (let i = 0; i < 5; i++) ring.push(numbered(i));
      await ring.flush();
      for (let i = 5; i < 12; i++) ring.push(i === 7 ? numbered(i, 9500) : numbered(i, 60 + i));
      const failure = (await rejection(ring.flush())) as unknown as SocketError;
      expect(failure.message).to.match(/^send EMSGSIZE: .*this packet was left out$/);
      expect(ring.pending).to.equal(4);
      ring.push(numbered(12));
      // with the two before the one that was left out
      expect(await ring.flush()).to.equal(7);
      const numbers: number[] = [];
      for (let data = b.tryRecv(10_000); data !== null; data = b.tryRecv(10_000)) numbers.push(numberOf(data));
      expect(numbers).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]);
    },
  },
  {
    title: 'a transmit ring keeps its packets while the interface is down',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      using ring = a.transmitRing();
      ring.push(numbered(1));
      await takeDown('va');
      expect(await rejection(ring.flush())).to.include({ code: 'ENETDOWN' });
      expect(thrown(() => ring.flushSync())).to.include({ code: 'ENETDOWN' });
      expect(ring.pending).to.equal(1);
      await up('va');
      b.getOption(packetVersion);
      expect(await within('flush', ring.flush())).to.equal(1);
      // the other end lost its carrier, which is no reason not to receive
      expect(numberOf(await within('recv', b.recv(100)))).to.equal(1);
    },
  },
  {
    title: 'a transmit ring of a cooked socket names where its packets go',
    setup: PAIR,
    async run() {
      using a = new PacketSocket({ type: SOCK_DGRAM });
      using b = await opened('vb');
      using ring = a.transmitRing({ address: { interface: 'va', protocol: TEST_PROTOCOL, address: REMOTE } });
      ring.push('cooked');
      ring.push('twice');
      expect(await ring.flush()).to.equal(2);
      expect(b.recvSync(100).toString('latin1', ETH_HLEN)).to.equal('cooked');
      const second = b.recvSync(100);
      expect(second.toString('latin1', ETH_HLEN)).to.equal('twice');
      expect(second.subarray(0, 6).toString('hex')).to.equal(REMOTE.replaceAll(':', ''));
    },
  },
  {
    title: 'a transmit ring waits for packets that are under way',
    setup: [PAIR, 'tc qdisc add dev va root tbf rate 160kbit burst 1600 limit 1000000'],
    requires: shaper,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      using ring = a.transmitRing({ frames: 16 });
      // 1 000 bytes take 50 ms
      for (let i = 0; i < 8; i++) ring.push(numbered(i, 1000));
      expect(await rejection(ring.flush({ timeout: 30 }))).to.include({ code: 'ETIMEDOUT' });
      expect(thrown(() => ring.flushSync({ timeout: 10 }))).to.include({ code: 'ETIMEDOUT' });
      const controller = new AbortController();
      const aborted = rejection(ring.flush({ signal: controller.signal }));
      controller.abort(new Error('enough'));
      expect((await aborted).message).to.equal('enough');
      const { pending } = ring;
      expect(pending).to.be.above(0);
      expect(await within('flush', ring.flush())).to.be.at.most(pending);
      expect(range(8).map(() => numberOf(b.recvSync(2000)))).to.deep.equal(range(8));
      for (let i = 0; i < 8; i++) ring.push(numbered(i, 1000));
      ring.tryFlush();
      ring.push(numbered(8, 1000));
      expect(ring.flushSync()).to.be.above(0);
      expect(range(9).map(() => numberOf(b.recvSync(2000)))).to.deep.equal(range(9));
      for (let i = 0; i < 8; i++) ring.push(numbered(i, 1000));
      const closed = rejection(ring.flush());
      await delay(1);
      ring.close();
      expect(await closed).to.include({ code: 'ECANCELED', syscall: 'send' });
    },
  },
];
