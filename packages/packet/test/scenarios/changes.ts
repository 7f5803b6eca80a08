import { SO_ERROR, SOL_SOCKET, type SocketError } from '@sock/core';
import { type PacketBlock, PacketSocket, packetVersion, type ReceivedPacket } from '@sock/packet';
import { type Child, delay, rejection, scaled, startCommand, thrown, within } from '@sock/testkit';
import { removeLink, setLinkSync, takeDown } from '@sock/testkit/network';
import { expect } from 'chai';
import { numbered, numberOf, TEST_PROTOCOL, up } from '../support/frames.js';
import { PAIR, type Scenario } from '../support/namespace.js';
import { opened } from '../support/sockets.js';

/** Runs a command a little later, for what blocks this thread meanwhile. */
const soon = (command: string): Child => startCommand('sh', ['-c', `sleep 0.2; ${command}`], { input: '' });

/** Renames an interface: at once where the kernel can, else while it is down. */
async function rename(from: string, to: string): Promise<void> {
  try {
    setLinkSync(from, { name: to });
  } catch {
    await takeDown(from);
    setLinkSync(from, { name: to });
    await up(to);
  }
}

const down = { code: 'ENETDOWN' };

export const scenarios: readonly Scenario[] = [
  {
    title: 'an interface that is removed ends what waits, once',
    setup: PAIR,
    async run() {
      using socket = await opened('vb');
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      const waits = [socket.recv(100), socket.recvFrom(100)].map(rejection);
      const block = rejection(ring.recvBlock());
      await delay(1);
      removeLink('vb');
      const failure = (await within('recv', waits[0] as Promise<unknown>)) as SocketError;
      expect(failure).to.include({ ...down, syscall: 'recv' });
      expect(failure.message).to.match(/^recv ENETDOWN: the interface is down, or was removed/);
      const ringFailure = await within('block', block);
      expect(ringFailure).to.include(down);
      expect(socket.getsockname()).to.include({ interface: '', protocol: TEST_PROTOCOL });
      // the second of those that waited goes on waiting: nothing can come any more
      expect(await rejection(ring.recvBlock({ timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
      expect(await rejection(socket.send(numbered(1)))).to.include({ code: 'ENXIO' });
      expect(socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
      socket.close();
      expect(await waits[1]).to.include({ code: 'ECANCELED' });
    },
  },
  {
    title: 'an interface that is removed ends what blocks',
    setup: PAIR,
    async run() {
      using socket = await opened('vb');
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      const removal = soon('ip link del vb');
      expect(thrown(() => socket.recvSync(100, { timeout: scaled(8000) }))).to.include(down);
      expect(thrown(() => ring.recvBlockSync({ timeout: scaled(8000) }))).to.include(down);
      await removal.succeeded();
      expect(socket.tryRecv(100)).to.equal(null);
    },
  },
  {
    title: 'an interface that goes down says so, and goes on when it is up',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using socket = await opened('vb');
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      const packets: ReceivedPacket[] = [];
      let failures = 0;
      const reader = (async () => {
        while (packets.length < 2) {
          try {
            for await (const packet of ring) {
              packets.push(packet);
              if (packets.length === 2) break;
            }
          } catch (error) {
            expect(error).to.include(down);
            failures++;
          }
        }
      })();
      await a.send(numbered(1));
      expect(numberOf(await within('recv', socket.recv(100)))).to.equal(1);
      const pending = rejection(socket.recv(100));
      while (packets.length < 1) await delay(1);
      await takeDown('vb');
      expect(await within('recv', pending)).to.include(down);
      await a.send(numbered(2));
      await up('vb');
      const next = socket.recv(100);
      await a.send(numbered(3));
      expect(numberOf(await within('recv', next))).to.equal(3);
      await within('reader', reader);
      expect(failures).to.equal(1);
      expect(packets.map(({ data }) => numberOf(data))).to.deep.equal([1, 3]);
      const away = new PacketSocket({ protocol: TEST_PROTOCOL });
      setLinkSync('vb', { up: false });
      // to bind to what is down succeeds, with an error that waits for who receives
      await away.bind({ interface: 'vb' });
      expect(thrown(() => away.recvSync(100))).to.include(down);
      away.close();
    },
  },
  {
    title: 'an interface that is renamed is the same one, with another name',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using socket = await opened('vb');
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      await a.send(numbered(1));
      const first: PacketBlock = await within('block', ring.recvBlock());
      expect(first.address(0).interface).to.equal('vb');
      expect(socket.recvFromSync(100).address?.interface).to.equal('vb');
      const pending = socket.recvFrom(100).catch(() => socket.recvFrom(100));
      await rename('vb', 'renamed');
      expect(tap.getsockname().interface).to.equal('renamed');
      await a.send(numbered(2));
      const second = await within(
        'block',
        ring.recvBlock().catch(() => ring.recvBlock()),
      );
      expect([numberOf(second.data(0)), second.address(0).interface]).to.deep.equal([2, 'renamed']);
      expect(numberOf((await within('recv', pending)).data)).to.equal(2);
      await socket.sendTo(numbered(3), { interface: 'renamed' });
      expect(numberOf(await within('recv', a.recv(100)))).to.equal(3);
      expect(await rejection(socket.sendTo(numbered(3), { interface: 'vb' }))).to.include({ code: 'ENODEV' });
      expect(tap.getOption(packetVersion)).to.equal(2);
    },
  },
];
