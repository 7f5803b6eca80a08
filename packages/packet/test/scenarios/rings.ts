import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  type Mapping,
  MessageBatch,
  mapDescriptor,
  SOCK_DGRAM,
  type SocketError,
  SocketTimeoutError,
} from '@sock/core';
import {
  ETH_HLEN,
  ETH_P_8021Q,
  ETH_P_ALL,
  ETH_P_IP,
  PACKET_FANOUT_LB,
  PACKET_OTHERHOST,
  type PacketBlock,
  type PacketRing,
  PacketSocket,
  packetFanout,
  packetRxRing,
  packetVersion,
  type RingOptions,
  TP_STATUS_USER,
  TPACKET_V3,
  type TransmitRingOptions,
} from '@sock/packet';
import { delay, rejection, scaled, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { frame, numbered, numberOf, TEST_PROTOCOL, udpFrame } from '../support/frames.js';
import { LOCAL, PAIR, type Scenario } from '../support/namespace.js';
import { collect, opened, range } from '../support/sockets.js';

const SMALL: RingOptions = { blocks: 4, blockSize: 8192, blockTimeout: 1 };
/** Room for as many packets as there are blocks, however slowly they come. */
const LARGE: RingOptions = { ...SMALL, blocks: 64 };

/** Memory of sockets that this process has mapped. */
const mapped = (): number => readFileSync('/proc/self/maps', 'latin1').split('socket:[').length - 1;

/** Numbers of the packets in a block, from whichever side one looks; each must be whole. */
function numbersOf(block: PacketBlock): number[] {
  const number = (i: number): number => numberOf(block.memory, block.start(i), block.end(i));
  const numbers = Array.from({ length: block.length }, (_, i) => number(i));
  expect(numbers.map((_, i) => number(numbers.length - 1 - i))).to.deep.equal([...numbers].reverse());
  const visited: number[] = [];
  block.forEach((start, end, i) => {
    visited.push(i, numberOf(block.memory, start, end));
  });
  expect(visited).to.deep.equal(numbers.flatMap((n, i) => [i, n]));
  return numbers;
}

/** Waits until the ring stands still, and gives the numbers of all that it holds. */
function drain(ring: PacketRing): number[] {
  const numbers: number[] = [];
  for (;;) {
    let block: PacketBlock;
    try {
      block = ring.recvBlockSync({ timeout: 100 });
    } catch (error) {
      if (error instanceof SocketTimeoutError) return numbers;
      throw error;
    }
    numbers.push(...numbersOf(block));
  }
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'a ring gives packets as they were sent, as copies to keep',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = new PacketSocket({ protocol: TEST_PROTOCOL });
      const ring = b.ring({ ...LARGE, rxHash: true });
      expect([ring.blockCount, ring.blockSize, ring.closed]).to.deep.equal([64, 8192, false]);
      await b.bind({ interface: 'vb' });
      const before = BigInt(Date.now()) * 1_000_000n;
      const done = collect(ring, 500);
      for (let i = 0; i < 500; i++) {
        await a.send(numbered(i, 60 + i));
        // no faster than it is read: what is lost is another test's
        if (i % 8 === 0) await delay(2);
      }
      const packets = await within('500 packets', done);
      expect(packets.map(({ data }) => numberOf(data))).to.deep.equal(range(500));
      packets.forEach(({ data, length, address, timestamp, vlan, losing, checksum, packetType }, i) => {
        expect([data.length, length, packetType]).to.deep.equal([60 + i, 60 + i, PACKET_OTHERHOST]);
        expect([address.interface, address.protocol]).to.deep.equal(['vb', TEST_PROTOCOL]);
        expect([vlan, losing, checksum]).to.deep.equal([undefined, false, 'unknown']);
        expect(timestamp >= before).to.equal(true);
      });
      expect(packets[0]?.status).to.be.a('number');
      expect(packets[0]?.rxHash).to.be.a('number');
      expect(b.statistics()).to.deep.equal({ packets: 500, drops: 0, freezes: 0 });
    },
  },
  {
    title: 'a ring gives blocks, in all forms, where they are',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb', ETH_P_ALL);
      const ring = b.ring({ ...SMALL, blockTimeout: 100 });
      expect(ring.tryRecvBlock()).to.equal(null);
      const tagged = frame(
        Buffer.concat([Buffer.of(0x20, 7, TEST_PROTOCOL >> 8, TEST_PROTOCOL & 0xff), Buffer.from('tagged')]),
        {
          protocol: ETH_P_8021Q,
        },
      );
      const batch = new MessageBatch({ count: 2, size: 100 });
      batch.push(tagged);
      batch.push(udpFrame('payload'));
      await a.sendBatch(batch);
      let block = await within('block', ring.recvBlock());
      expect(block.length).to.equal(2);
      expect(block.timedOut).to.equal(true);
      const { sequence } = block;
      expect(block.vlan(0)).to.deep.equal({ id: 7, priority: 1, dropEligible: false, protocol: ETH_P_8021Q });
      expect(block.vlan(1)).to.equal(undefined);
      expect(block.data(0)).to.deep.equal(frame('tagged'));
      expect(block.data(1)).to.deep.equal(udpFrame('payload'));
      expect(block.memory.subarray(block.start(1), block.end(1))).to.deep.equal(block.data(1));
      expect(block.networkStart(1) - block.start(1)).to.equal(ETH_HLEN);
      expect(block.originalLength(1)).to.equal(udpFrame('payload').length);
      expect(block.status(1) & TP_STATUS_USER).to.equal(TP_STATUS_USER);
      expect(block.timestamp(1)).to.equal(BigInt(block.seconds(1)) * 1_000_000_000n + BigInt(block.nanoseconds(1)));
      expect(block.rxHash(1)).to.equal(0);
      expect(block.address(1).protocol).to.equal(ETH_P_IP);
      expect(block.address(0)).to.deep.include({ interface: 'vb', protocol: TEST_PROTOCOL });
      const copy = block.packet(1);
      expect(thrown(() => block.data(2))).to.include({ argument: 'index' });
      expect(thrown(() => block.start(0.5))).to.include({ argument: 'index' });
      expect(thrown(() => block.start(-1))).to.include({ argument: 'index' });
      expect(thrown(() => block.start(undefined as never))).to.include({ argument: 'index' });
      expect(thrown(() => block.start('0' as never))).to.include({ argument: 'index' });
      expect(thrown(() => block.forEach(undefined as never))).to.include({ argument: 'visit' });
      let visits = 0;
      block.forEach(() => {
        visits++;
        ring.tryRecvBlock();
      });
      // the ring's next use ends the block, and what goes through it
      expect([visits, block.length]).to.deep.equal([1, 0]);
      expect(thrown(() => block.start(0))).to.include({ argument: 'index' });

      await a.send(numbered(1));
      block = ring.recvBlockSync({ timeout: scaled(5000) });
      expect(numbersOf(block)).to.deep.equal([1]);
      expect(block.sequence).to.be.above(sequence);
      expect(copy.data).to.deep.equal(udpFrame('payload'));
      expect(ring.tryRecvBlock()).to.equal(null);
      expect(block.length).to.equal(0);
      expect(thrown(() => block.packet(0))).to.include({ argument: 'index' });
      await a.send(numbered(2));
      while (ring.tryRecvBlock() === null) await turns(1);
      expect(numbersOf(block)).to.deep.equal([2]);
      await a.send(numbered(3));
      for await (const one of ring.blocks()) {
        expect(numbersOf(one)).to.deep.equal([3]);
        break;
      }
    },
  },
  {
    title: 'an iteration that is left loses nothing, whatever comes after it',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      const ring = b.ring({ ...SMALL, blockTimeout: 100 });
      const batch = new MessageBatch({ count: 12, size: 100 });
      for (let i = 0; i < 12; i++) batch.push(numbered(i));
      await a.sendBatch(batch);
      const numbers: number[] = [];
      for await (const { data } of ring) if (numbers.push(numberOf(data)) === 3) break;
      for await (const { data } of ring.packets()) if (numbers.push(numberOf(data)) === 5) break;
      for await (const block of ring.blocks()) {
        numbers.push(...numbersOf(block));
        expect(thrown(() => block.packet(block.length))).to.include({ argument: 'index' });
        if (numbers.length === 12) break;
      }
      expect(numbers).to.deep.equal(range(12));
      // a block that was given as a whole is over
      expect(ring.tryRecvBlock()).to.equal(null);
      const packets = ring.packets({ timeout: scaled(5000) });
      await a.send(numbered(12));
      expect(numberOf((await packets.next()).value.data)).to.equal(12);
    },
  },
  {
    title: 'a slow reader is told of what was dropped, and nothing is corrupted',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      const ring = b.ring({ blocks: 2, blockSize: 4096, blockTimeout: 1 });
      let lost = 0;
      let next = 0;
      let losing = false;
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 200; i++) await a.send(numbered(next + i, 60 + (i % 900)));
        const end = next + 200;
        const numbers: number[] = [];
        const deadline = performance.now() + scaled(5000);
        // what the ring held when it was full, in order and whole
        for (;;) {
          const block = ring.tryRecvBlock();
          if (block === null) {
            if (numbers.length > 0 || performance.now() > deadline) break;
            await delay(2);
            continue;
          }
          losing ||= block.losing && block.packet(0).losing;
          numbers.push(...numbersOf(block));
        }
        expect(numbers).to.not.include(-1);
        for (const number of numbers) {
          expect(number).to.be.within(next, end - 1);
          next = number + 1;
        }
        next = end;
        lost += 200 - numbers.length;
      }
      const late = drain(ring);
      expect(late).to.not.include(-1);
      lost -= late.length;
      const { packets, drops, freezes } = b.statistics();
      expect(packets).to.equal(4000);
      expect(drops).to.equal(lost);
      expect(drops).to.be.above(2000);
      expect(freezes).to.be.above(0);
      expect(losing).to.equal(true);
      // and it goes on
      await a.send(numbered(77));
      expect(drain(ring)).to.deep.equal([77]);
    },
  },
  {
    title: 'a ring that is never empty keeps nothing else waiting',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      const ring = b.ring({ blocks: 64, blockSize: 4096, blockTimeout: 1000 });
      for (let i = 0; i < 2000; i++) await a.send(numbered(i));
      let ticks = 0;
      let next = setImmediate(function tick() {
        ticks++;
        next = setImmediate(tick);
      });
      let blocks = 0;
      let packets = 0;
      for await (const block of ring.blocks({ timeout: 100 })) {
        packets += block.length;
        if (++blocks === 40) break;
      }
      clearImmediate(next);
      expect(ticks).to.be.above(0);
      expect(packets).to.be.above(500);
    },
  },
  {
    title: 'a ring is closed, made again, and ends what waits',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      const b = await opened('vb');
      const before = mapped();
      const ring = b.ring(SMALL);
      expect(mapped()).to.equal(before + 1);
      const busy = thrown(() => b.ring()) as unknown as SocketError;
      expect(busy.message).to.match(/^setsockopt EBUSY PACKET_VERSION: the socket has a ring/);
      const waiting = rejection(ring.recvBlock());
      expect(await rejection(ring.recvBlock())).to.include({ code: 'EBUSY' });
      const iteration = rejection(ring.packets().next());
      await delay(1);
      ring.close();
      ring.close();
      expect(await waiting).to.include({ code: 'ECANCELED', syscall: 'recv' });
      expect(await iteration).to.include({ code: 'EBUSY' });
      expect(mapped()).to.equal(before);
      expect(await rejection(ring.recvBlock())).to.include({ code: 'EBADF' });
      expect(thrown(() => ring.tryRecvBlock())).to.include({ code: 'EBADF' });
      expect(await collect(ring, 1)).to.deep.equal([]);
      // as any socket again
      await a.send(numbered(1));
      expect(numberOf(b.recvSync(100))).to.equal(1);
      {
        using again = b.ring(SMALL);
        await a.send(numbered(2));
        expect(numbersOf(await again.recvBlock())).to.deep.equal([2]);
      }
      const last = b.ring(SMALL);
      const ended = collect(last, 1);
      const blocks = last.blocks();
      await delay(1);
      b.close();
      expect(await within('end', ended)).to.deep.equal([]);
      expect(await blocks.next()).to.deep.equal({ done: true, value: undefined });
      expect([last.closed, mapped()]).to.deep.equal([true, before]);
    },
  },
  {
    title: 'waits for a ring end by timeout and signal',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      using ring = b.ring(SMALL);
      expect(await rejection(ring.recvBlock({ timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
      expect(thrown(() => ring.recvBlockSync({ timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
      expect(thrown(() => ring.recvBlockSync({ timeout: 0 }))).to.include({ code: 'EAGAIN' });
      const controller = new AbortController();
      const waiting = rejection(ring.recvBlock({ signal: controller.signal }));
      controller.abort(new Error('enough'));
      expect((await waiting).message).to.equal('enough');
      expect((await rejection(ring.recvBlock({ signal: controller.signal }))).message).to.equal('enough');
      expect(await rejection(ring.recvBlock(5 as never))).to.include({ argument: 'options' });
      b.timeout = 10;
      expect(await rejection(ring.packets().next())).to.include({ code: 'ETIMEDOUT' });
      await a.send(numbered(9));
      expect(numbersOf(await ring.recvBlock({ timeout: null }))).to.deep.equal([9]);
      const packets = ring.packets();
      expect(await packets.return?.()).to.deep.equal({ done: true, value: undefined });
      expect(await packets.next()).to.deep.equal({ done: true, value: undefined });
    },
  },
  {
    title: 'bad sizes of rings are refused before the kernel sees them',
    setup: PAIR,
    run() {
      using socket = new PacketSocket();
      const receive: [unknown, string][] = [
        [5, 'options'],
        [{ blocks: 0 }, 'options.blocks'],
        [{ blocks: 1e6 }, 'options.blocks'],
        [{ blockSize: 5000 }, 'options.blockSize'],
        [{ blockSize: 0 }, 'options.blockSize'],
        [{ blockTimeout: 0 }, 'options.blockTimeout'],
        [{ rxHash: 1 }, 'options.rxHash'],
      ];
      for (const [options, argument] of receive) {
        expect(thrown(() => socket.ring(options as RingOptions))).to.include({ argument });
      }
      const transmit: [unknown, string][] = [
        [5, 'options'],
        [{ version: 0 }, 'options.version'],
        [{ frames: 0 }, 'options.frames'],
        [{ frameSize: 100 }, 'options.frameSize'],
        [{ frameSize: 2049 }, 'options.frameSize'],
        [{ address: 5 }, 'address'],
      ];
      for (const [options, argument] of transmit) {
        expect(thrown(() => socket.transmitRing(options as TransmitRingOptions))).to.include({ argument });
      }
      expect(socket.getOption(packetVersion)).to.equal(0);
    },
  },
  {
    title: 'sockets of a fanout group share packets among their rings',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      const rings: PacketRing[] = [];
      const sockets: PacketSocket[] = [];
      for (let i = 0; i < 3; i++) {
        const socket = await opened('vb');
        rings.push(socket.ring(LARGE));
        socket.setOption(packetFanout, { id: 9, mode: PACKET_FANOUT_LB });
        sockets.push(socket);
      }
      for (let i = 0; i < 90; i++) await a.send(numbered(i));
      const shares = rings.map(drain);
      expect(shares.map(({ length }) => length)).to.deep.equal([30, 30, 30]);
      expect(shares.flat().sort((x, y) => x - y)).to.deep.equal(range(90));
      for (const socket of sockets) socket.close();
    },
  },
  {
    title: 'a cooked ring has no link-layer headers',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb', TEST_PROTOCOL, SOCK_DGRAM);
      using ring = b.ring(SMALL);
      await a.send(frame('payload'));
      const [packet] = await within('packet', collect(ring, 1));
      expect(packet?.data.toString()).to.equal('payload');
      expect(packet?.address.address).to.deep.equal(Buffer.from(LOCAL.replaceAll(':', ''), 'hex'));
    },
  },
  {
    title: 'mapped memory ends with its mapping, and all views of it',
    setup: PAIR,
    async run() {
      using socket = new PacketSocket();
      socket.setOption(packetVersion, TPACKET_V3);
      expect(thrown(() => mapDescriptor(socket, 4096)).message).to.match(/^mmap EINVAL: the socket has no ring/);
      socket.setOption(packetRxRing, { blockSize: 4096, blocks: 2, frameSize: 4096, frames: 2, blockTimeout: 1 });
      const before = mapped();
      const mapping: Mapping = mapDescriptor(socket, 8192);
      expect([mapping.length, mapping.closed, mapped()]).to.deep.equal([8192, false, before + 1]);
      const view = new Uint32Array(mapping.bytes.buffer, 4096, 4);
      mapping.storeRelease32(8000, 0xdeadbeef);
      expect(mapping.loadAcquire32(8000)).to.equal(0xdeadbeef);
      expect(new DataView(mapping.bytes.buffer).getUint32(8000, true)).to.equal(0xdeadbeef);
      for (const offset of [-4, 1, 8190, 8192, 2 ** 32, 0.5, Number.NaN]) {
        expect(
          thrown(() => mapping.loadAcquire32(offset)),
          `${offset}`,
        ).to.include({ argument: 'offset' });
        expect(
          thrown(() => mapping.storeRelease32(offset, 0)),
          `${offset}`,
        ).to.include({ argument: 'offset' });
      }
      expect(thrown(() => mapping.loadAcquire32('0' as never))).to.be.instanceOf(TypeError);
      for (const value of [-1, 2 ** 32, 0.5]) {
        expect(thrown(() => mapping.storeRelease32(0, value))).to.include({ argument: 'value' });
      }
      mapping.close();
      mapping.close();
      expect([mapping.length, mapping.closed, view.length, view[0], mapped()]).to.deep.equal([
        0,
        true,
        0,
        undefined,
        before,
      ]);
      expect(thrown(() => mapping.loadAcquire32(0)).message).to.include('the mapping is closed');
      expect(thrown(() => mapping.storeRelease32(0, 0)).message).to.include('the mapping is closed');
      {
        using again = mapDescriptor(socket, 8192, { offset: 0 });
        expect(again.closed).to.equal(false);
      }
      expect(mapped()).to.equal(before);
      expect(thrown(() => mapDescriptor(socket, 8192, { offset: 4096 }))).to.include({ code: 'EINVAL' });
      expect(thrown(() => mapDescriptor(socket, 8192, { offset: 1 }))).to.include({ code: 'EINVAL' });
      expect(thrown(() => mapDescriptor(socket, 0))).to.include({ argument: 'length' });
      expect(thrown(() => mapDescriptor(socket, 8192, { offset: -1 }))).to.include({ argument: 'options.offset' });
      expect(thrown(() => mapDescriptor({} as never, 8192))).to.include({ argument: 'socket' });
      const closed = new PacketSocket();
      closed.close();
      expect(thrown(() => mapDescriptor(closed, 8192)).message).to.equal('mmap EBADF: the socket is closed');
    },
  },
  {
    title: 'mapped memory that nobody holds is given back',
    setup: PAIR,
    async run() {
      using socket = new PacketSocket();
      socket.setOption(packetVersion, TPACKET_V3);
      socket.setOption(packetRxRing, { blockSize: 4096, blocks: 2, frameSize: 4096, frames: 2, blockTimeout: 1 });
      const before = mapped();
      (() => {
        const held = [mapDescriptor(socket, 8192), mapDescriptor(socket, 8192)];
        expect(mapped()).to.equal(before + held.length);
        // a view is enough to keep the memory
        return new Uint8Array((held[0] as Mapping).bytes.buffer).length;
      })();
      for (let i = 0; i < 50 && mapped() > before; i++) {
        globalThis.gc?.();
        await turns(2);
      }
      expect(mapped()).to.equal(before);
    },
  },
  {
    title: 'mapped memory that was transferred elsewhere stays for who has it',
    setup: PAIR,
    async run() {
      using socket = new PacketSocket();
      socket.setOption(packetVersion, TPACKET_V3);
      socket.setOption(packetRxRing, { blockSize: 4096, blocks: 2, frameSize: 4096, frames: 2, blockTimeout: 1 });
      const before = mapped();
      await (async () => {
        const mapping = mapDescriptor(socket, 8192);
        mapping.storeRelease32(4096, 4711);
        let moved: Uint8Array;
        try {
          moved = structuredClone(mapping.bytes, { transfer: [mapping.bytes.buffer] });
        } catch {
          // a runtime that does not let go of it; others move it, or make a copy
          mapping.close();
          return;
        }
        mapping.close();
        expect(mapping.closed).to.equal(true);
        expect(new DataView(moved.buffer).getUint32(4096, true)).to.equal(4711);
      })();
      for (let i = 0; i < 50 && mapped() > before; i++) {
        globalThis.gc?.();
        await turns(2);
      }
      expect(mapped()).to.equal(before);
    },
  },
  {
    title: 'a worker that is terminated takes its rings with it',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      const before = mapped();
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(new URL('ring-worker.js', import.meta.url));
        const [message] = await within('worker', once(worker, 'message'));
        expect(message).to.equal('waiting');
        expect(mapped()).to.equal(before + 1);
        await a.send(numbered(i));
        expect(await within('packet', once(worker, 'message'))).to.deep.equal([i]);
        await worker.terminate();
        expect(mapped()).to.equal(before);
      }
    },
  },
];
