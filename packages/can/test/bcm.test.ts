import {
  type BcmChanged,
  type BcmEvent,
  type BcmEventBase,
  type BcmExpired,
  type BcmFrameInput,
  type BcmJobKey,
  type BcmMessage,
  type BcmRxJob,
  BcmSocket,
  type BcmStatus,
  type BcmTxJob,
  bcm,
  CAN_BCM_RX_SETUP,
  CAN_BCM_SETTIMER,
  CAN_BCM_STARTTIMER,
  CAN_BCM_TX_READ,
  CAN_BCM_TX_SEND,
  CAN_BCM_TX_SETUP,
  type CanFrame,
  CanRawSocket,
  formatFrame,
  packBcmMessage,
} from '@sock/can';
import { Socket } from '@sock/core';
import { cleaner, describeIf, rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { bus, hasBcm } from './bus.js';

describeIf(hasBcm, 'BcmSocket', function () {
  this.timeout(20_000);
  const can = bus(72);
  const other = bus(72);
  const own = cleaner();

  async function manager(name = can.name): Promise<BcmSocket> {
    const socket = own(new BcmSocket());
    await socket.connect({ interface: name });
    socket.timeout = 5000;
    return socket;
  }

  function listener(name = can.name): CanRawSocket {
    const socket = own(new CanRawSocket({ fd: true }));
    socket.bindSync({ interface: name });
    socket.timeout = 5000;
    return socket;
  }

  async function next(socket: CanRawSocket, count: number): Promise<string[]> {
    const frames: string[] = [];
    while (frames.length < count) frames.push(formatFrame((await socket.recvFrame()).frame));
    return frames;
  }

  describe('jobs that send', () => {
    it('send a frame again and again, not faster than told', async () => {
      const bus = listener();
      const jobs = await manager();
      const job: BcmTxJob = { frames: { id: 0x123, data: 'ab' }, interval: 20 };
      jobs.txSetup(job);
      const frames = [await bus.recvFrame(), await bus.recvFrame(), await bus.recvFrame()];
      expect(frames.map(({ frame }) => formatFrame(frame))).to.deep.equal(Array(3).fill('123#6162'));
      const [first, , third] = frames.map(({ timestamp }) => timestamp as bigint) as [bigint, bigint, bigint];
      expect(Number(third - first)).to.be.at.least(30_000_000);
      jobs.txDelete({ id: 0x123 });
      while (bus.tryRecvFrame() !== null);
      expect(await rejection(bus.recvFrame({ timeout: 60 }))).to.include({ code: 'ETIMEDOUT' });
    });

    it('send so many frames, tell of it, and go on with another interval or not at all', async () => {
      const bus = listener();
      const jobs = await manager();
      jobs.txSetup({ frames: { id: 1 }, interval: 5, count: 3, countEvent: true });
      const event: BcmEvent = await jobs.recvEvent();
      expect(event).to.deep.include({ kind: 'TX_EXPIRED', id: 1, extended: false, remote: false, fd: false });
      expect(await next(bus, 3)).to.deep.equal(['001#', '001#', '001#']);
      expect(await rejection(bus.recvFrame({ timeout: 40 }))).to.include({ code: 'ETIMEDOUT' });
      jobs.txSetup({ frames: { id: 2 }, interval: 1, count: 2, nextInterval: 30, countEvent: true });
      await jobs.recvEvent();
      expect(await next(bus, 4)).to.deep.equal(Array(4).fill('002#'));
      const status: BcmMessage = jobs.txRead({ id: 2 });
      expect(status).to.include({ interval1: 1, interval2: 30, count: 0 });
    });

    it('send several frames in turn, change them, and start over', async () => {
      const bus = listener();
      const jobs = await manager();
      const frames: BcmFrameInput[] = [
        { id: 0x10, data: 'a' },
        { id: 0x11, data: 'b' },
        { id: 0x12, data: 'c' },
      ];
      jobs.txSetup({ id: 0x10, frames, interval: 10 });
      expect(await next(bus, 4)).to.deep.equal(['010#61', '011#62', '012#63', '010#61']);
      // without an interval the timer goes on
      jobs.txSetup({ id: 0x10, frames: frames.map(({ id }) => ({ id, data: 'x' })), restart: true, announce: true });
      // some went before, the more the later this process has its turn
      let text = '';
      while (text !== '010#78') [text = ''] = await next(bus, 1);
      expect(await next(bus, 2)).to.deep.equal(['011#78', '012#78']);
      jobs.txSetup({ id: 0x10, frames, interval: 0 });
      while (bus.tryRecvFrame() !== null);
      expect(await rejection(bus.recvFrame({ timeout: 40 }))).to.include({ code: 'ETIMEDOUT' });
      jobs.txSetup({ id: 0x10, frames, announce: true, copyId: true });
      expect((await next(bus, 1))[0]).to.match(/^010#/);
    });

    it('wait for their start', async () => {
      const bus = listener();
      const jobs = await manager();
      jobs.txSetup({ frames: { id: 5 }, interval: 5, start: false });
      expect(await rejection(bus.recvFrame({ timeout: 40 }))).to.include({ code: 'ETIMEDOUT' });
      jobs.txSetup({ frames: { id: 5 }, interval: 5 });
      expect(await next(bus, 2)).to.deep.equal(['005#', '005#']);
    });

    it('send CAN FD, extended and remote frames', async () => {
      const bus = listener();
      const jobs = await manager();
      jobs.txSetup({ frames: { kind: 'fd', id: 0x55, brs: true, data: Buffer.alloc(32, 1) }, interval: 5, count: 1 });
      jobs.txSetup({ frames: { id: 0x12345678, data: 'e' }, interval: 5, count: 1 });
      jobs.txSetup({ frames: { id: 0x66, remote: true, dlc: 3 }, remote: true, interval: 5, count: 1 });
      const texts = await next(bus, 3);
      expect(texts).to.have.members([`055##1${'01'.repeat(32)}`, '12345678#65', '066#R3']);
      const key: BcmJobKey = { id: 0x55, fd: true };
      expect(jobs.txRead(key).frames).to.deep.equal([
        { kind: 'fd', id: 0x55, extended: false, brs: true, esi: false, data: Buffer.alloc(32, 1) },
      ]);
      expect(jobs.txRead({ id: 0x12345678 })).to.include({ extended: true });
      expect(jobs.txRead({ id: 0x66, remote: true })).to.include({ remote: true });
      jobs.txDelete(key);
      expect(thrown(() => jobs.txRead(key))).to.include({ code: 'EINVAL' });
      expect(thrown(() => jobs.txDelete({ id: 0x66 }))).to.include({ code: 'EINVAL' });
    });

    it('one frame now', async () => {
      const bus = listener();
      const jobs = await manager();
      jobs.txSend({ id: 0x77, data: 'now' });
      jobs.txSend({ kind: 'fd', id: 0x78 });
      expect(await next(bus, 2)).to.deep.equal(['077#6E6F77', '078##0']);
    });

    it('name their interface where the socket has all of them', async () => {
      const bus = listener(other.name);
      const jobs = await manager('');
      jobs.txSetup({ frames: { id: 1 }, interval: 5, interface: other.name });
      expect(await next(bus, 1)).to.deep.equal(['001#']);
      expect(jobs.txRead({ id: 1, interface: other.name })).to.include({ interval2: 5 });
      jobs.txDelete({ id: 1, interface: other.name });
      jobs.txSend({ id: 2 }, { interface: other.name });
      const error = thrown(() => jobs.txSetup({ frames: { id: 1 }, interval: 5 }));
      expect(error).to.include({ code: 'ENODEV' });
      expect(error.message).to.include('needs one interface');
    });

    it('end with their socket', async () => {
      const bus = listener();
      const jobs = await manager();
      jobs.txSetup({ frames: { id: 1 }, interval: 5 });
      await next(bus, 1);
      jobs.close();
      while (bus.tryRecvFrame() !== null);
      expect(await rejection(bus.recvFrame({ timeout: 40 }))).to.include({ code: 'ETIMEDOUT' });
    });
  });

  describe('jobs that receive', () => {
    async function changes(job: BcmRxJob, frames: readonly BcmFrameInput[]): Promise<string[]> {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup(job);
      for (const frame of frames) bus.sendFrameSync(frame);
      await turns(2);
      const seen: string[] = [];
      for (let event = jobs.tryRecvEvent(); event !== null; event = jobs.tryRecvEvent()) {
        expect(event).to.include({ kind: 'RX_CHANGED', interface: can.name });
        const base: BcmEventBase = event;
        expect(base.timestamp).to.be.a('bigint');
        seen.push(formatFrame((event as BcmChanged).frame));
      }
      return seen;
    }

    const a: BcmFrameInput[] = ['00', '01', '01', '11', '10', '10'].map((data) => ({
      id: 1,
      data: Buffer.from(data, 'hex'),
    }));

    it('tell of every frame', async () => {
      expect(await changes({ id: 1 }, [...a, { id: 2 }, { id: 1, extended: true }])).to.deep.equal([
        '001#00',
        '001#01',
        '001#01',
        '001#11',
        '001#10',
        '001#10',
      ]);
    });

    it('tell of changed bits', async () => {
      expect(await changes({ id: 1, mask: Buffer.of(0x0f) }, a)).to.deep.equal(['001#00', '001#01', '001#10']);
      expect(await changes({ id: 1, mask: Buffer.of(0xf0) }, a)).to.deep.equal(['001#00', '001#11']);
      expect(await changes({ id: 1, mask: Buffer.of(0) }, a)).to.deep.equal(['001#00']);
    });

    it('tell of changed lengths', async () => {
      const frames: BcmFrameInput[] = [
        { id: 1, data: Buffer.of(0) },
        { id: 1, data: Buffer.of(0, 0) },
      ];
      expect(await changes({ id: 1, mask: Buffer.of(0xff) }, frames)).to.deep.equal(['001#00']);
      expect(await changes({ id: 1, mask: Buffer.of(0xff), checkLength: true }, frames)).to.deep.equal([
        '001#00',
        '001#0000',
      ]);
    });

    it('tell contents apart by a multiplexer', async () => {
      const multiplex = { mask: Buffer.of(0xff), contents: [Buffer.of(1, 0xff), Buffer.of(2, 0x0f)] };
      const data = ['0101', '0201', '0101', '0211', '0212', '0302', '0102'];
      const frames = data.map((digits) => ({ id: 1, data: Buffer.from(digits, 'hex') }));
      expect(await changes({ id: 1, multiplex }, frames)).to.deep.equal([
        '001#0101',
        '001#0201',
        '001#0212',
        '001#0102',
      ]);
    });

    it('of CAN FD, and of extended identifiers', async () => {
      const mask = Buffer.alloc(64);
      mask[63] = 0xff;
      const fd = (last: number): BcmFrameInput => ({ kind: 'fd', id: 1, data: Buffer.alloc(64, last) });
      const seen = await changes({ id: 1, fd: true, mask }, [fd(1), fd(1), fd(2), { id: 1 }]);
      expect(seen).to.deep.equal([`001##0${'01'.repeat(64)}`, `001##0${'02'.repeat(64)}`]);
      expect(await changes({ id: 0x12345678 }, [{ id: 0x12345678 }, { id: 0x678 }])).to.deep.equal(['12345678#']);
      expect(await changes({ id: 1, remote: true }, [{ id: 1 }, { id: 1, remote: true, dlc: 2 }])).to.deep.equal([
        '001#R2',
      ]);
    });

    it('tell of timeouts, and of what comes after them', async () => {
      const jobs = await manager();
      const bus = listener();
      const job: BcmRxJob = { id: 1, mask: Buffer.of(0xff), timeout: 20, announceResume: true };
      jobs.rxSetup(job);
      const timeout = (await jobs.recvEvent()) as BcmExpired;
      expect(timeout).to.deep.include({ kind: 'RX_TIMEOUT', id: 1, interface: can.name });
      bus.sendFrameSync({ id: 1, data: Buffer.of(7) });
      expect(await jobs.recvEvent()).to.include({ kind: 'RX_CHANGED' });
      expect(await jobs.recvEvent()).to.include({ kind: 'RX_TIMEOUT' });
      bus.sendFrameSync({ id: 1, data: Buffer.of(7) });
      expect(await jobs.recvEvent(), 'unchanged, but after a timeout').to.include({ kind: 'RX_CHANGED' });
      const status = jobs.rxRead({ id: 1 });
      expect(status).to.include({ interval1: 20, interval2: 0, id: 1 });
      expect((status.frames[0] as CanFrame).data).to.deep.equal(Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0));
      jobs.rxDelete({ id: 1 });
      expect(thrown(() => jobs.rxRead({ id: 1 }))).to.include({ code: 'EINVAL', syscall: 'sendmsg' });
    });

    it('count the timeout from the first frame, or not at all, where told', async () => {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup({ id: 1, timeout: 10, start: false });
      jobs.rxSetup({ id: 2, timeout: 10, start: false, autoTimer: false });
      expect(await rejection(jobs.recvEvent({ timeout: 50 }))).to.include({ code: 'ETIMEDOUT' });
      bus.sendFramesSync([{ id: 1 }, { id: 2 }]);
      const events = [await jobs.recvEvent(), await jobs.recvEvent(), await jobs.recvEvent()];
      expect(events.map(({ kind, id }) => `${kind} ${id}`)).to.deep.equal([
        'RX_CHANGED 1',
        'RX_CHANGED 2',
        'RX_TIMEOUT 1',
      ]);
      expect(await rejection(jobs.recvEvent({ timeout: 50 }))).to.include({ code: 'ETIMEDOUT' });
    });

    it('throttle', async () => {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup({ id: 1, mask: Buffer.of(0xff), throttle: 100 });
      for (let i = 0; i < 20; i++) bus.sendFrameSync({ id: 1, data: Buffer.of(i) });
      const first = (await jobs.recvEvent()) as BcmChanged;
      expect(first.frame.data[0]).to.equal(0);
      const second = (await jobs.recvEvent()) as BcmChanged;
      expect(second.frame.data[0], 'what came last').to.equal(19);
      expect(jobs.tryRecvEvent()).to.equal(null);
    });

    it('answer remote frames', async () => {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup({ id: 0x42, reply: { id: 0x42, data: 'here' } });
      bus.sendFrameSync({ id: 0x42, remote: true, dlc: 4 });
      expect(await next(bus, 1)).to.deep.equal(['042#68657265']);
      jobs.rxDelete({ id: 0x42, remote: true });
    });

    it('of all interfaces say which one it was', async () => {
      const jobs = await manager('');
      jobs.rxSetup({ id: 1 });
      listener(other.name).sendFrameSync({ id: 1 });
      expect(await jobs.recvEvent()).to.include({ interface: other.name });
      jobs.rxSetup({ id: 2, interface: can.name });
      listener(other.name).sendFrameSync({ id: 2 });
      listener(can.name).sendFrameSync({ id: 2 });
      expect(await jobs.recvEvent()).to.include({ interface: can.name, id: 2 });
      expect(jobs.tryRecvEvent()).to.equal(null);
    });
  });

  describe('events', () => {
    it('come in three forms, and as an iterator until the socket is closed', async () => {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup({ id: 1 });
      expect(jobs.tryRecvEvent()).to.equal(null);
      expect(thrown(() => jobs.recvEventSync({ timeout: 5 }))).to.include({ code: 'ETIMEDOUT' });
      bus.sendFramesSync([
        { id: 1, data: 'a' },
        { id: 1, data: 'b' },
        { id: 1, data: 'c' },
      ]);
      expect(jobs.recvEventSync()).to.include({ kind: 'RX_CHANGED' });
      expect(jobs.tryRecvEvent()).to.include({ kind: 'RX_CHANGED' });
      const seen: string[] = [];
      for await (const event of jobs.events()) {
        seen.push((event as BcmChanged).frame.data.toString());
        setImmediate(() => jobs.close());
      }
      expect(seen).to.deep.equal(['c']);
    });

    it('are not lost, nor out of order, where a job is read in between', async () => {
      const jobs = await manager();
      const bus = listener();
      jobs.rxSetup({ id: 1 });
      const waiting = jobs.recvEvent();
      // read before the loop could see that the event is there
      bus.sendFramesSync([
        { id: 1, data: 'a' },
        { id: 1, data: 'b' },
        { id: 1, data: 'c' },
      ]);
      expect(jobs.rxRead({ id: 1 })).to.include({ id: 1 });
      const second = jobs.recvEvent();
      const events = await within('events', Promise.all([waiting, second]));
      const seen = [...events, jobs.recvEventSync()].map((event) => (event as BcmChanged).frame.data.toString());
      expect(seen).to.deep.equal(['a', 'b', 'c']);
      expect(jobs.tryRecvEvent()).to.equal(null);
    });

    it('answers to one’s own orders are events', async () => {
      const jobs = await manager();
      jobs.txSetup({ frames: { id: 9, data: 'z' }, interval: 1000 });
      jobs.command({ opcode: CAN_BCM_TX_READ, id: 9 });
      const event = (await jobs.recvEvent()) as BcmStatus;
      expect(event).to.include({ kind: 'TX_STATUS', id: 9 });
      expect(event.message).to.include({ interval2: 1000, flags: CAN_BCM_SETTIMER | CAN_BCM_STARTTIMER | 0x8 });
    });

    it('are given up by timeouts, signals and close', async () => {
      const jobs = await manager();
      expect(await rejection(jobs.recvEvent({ timeout: 10 }))).to.include({ name: 'SocketTimeoutError' });
      expect(await rejection(jobs.recvEvent({ timeout: 0 }))).to.include({ code: 'EAGAIN' });
      const controller = new AbortController();
      const aborted = rejection(jobs.recvEvent({ signal: controller.signal }));
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await aborted).to.equal(reason);
      expect(await rejection(jobs.recvEvent({ signal: controller.signal }))).to.equal(reason);
      expect(await rejection(jobs.recvEvent({ signal: 1 as unknown as AbortSignal }))).to.include({
        argument: 'signal',
      });
      const closed = rejection(jobs.recvEvent());
      jobs.close();
      expect(await closed).to.include({ code: 'ECANCELED' });
      expect(await rejection(jobs.recvEvent())).to.include({ code: 'EBADF' });
    });
  });

  describe('what it does not take', () => {
    it('is told before anything is sent', async () => {
      const jobs = await manager();
      const frames = { id: 1 };
      const table: [() => void, string][] = [
        [() => jobs.txSetup(null as unknown as BcmTxJob), 'job'],
        [() => jobs.txSetup({ frames: [] }), 'job.frames'],
        [() => jobs.txSetup({ frames: new Array(257).fill(frames) }), 'job.frames'],
        [() => jobs.txSetup({} as BcmTxJob), 'job.frames'],
        [() => jobs.txSetup({ frames, count: 3 }), 'job.count'],
        [() => jobs.txSetup({ frames, interval: 1, nextInterval: 3 }), 'job.nextInterval'],
        [() => jobs.txSetup({ frames, nextInterval: 3 }), 'job.nextInterval'],
        [() => jobs.txSetup({ frames, interval: -1 }), 'job.interval'],
        [() => jobs.txSetup({ frames, interval: 1, count: 1, nextInterval: Number.NaN }), 'job.nextInterval'],
        [() => jobs.txSetup({ frames, interval: 1, count: 1.5 }), 'job.count'],
        [() => jobs.txSetup({ frames, announce: 1 as unknown as boolean }), 'job.announce'],
        [() => jobs.txSetup({ frames, start: 1 as unknown as boolean }), 'job.start'],
        [() => jobs.txSetup({ frames: [frames, { kind: 'fd', id: 1 }] }), 'job.frames[1].kind'],
        [() => jobs.txSetup({ frames: [{ id: 1, data: 5 as unknown as string }] }), 'job.frames[0].data'],
        [() => jobs.txSend({ id: -1 }), 'frame.id'],
        [() => jobs.txSend({ id: 1, data: Buffer.alloc(9) }), 'frame.data'],
        [() => jobs.txSend(frames, { interface: -1 }), 'options.interface'],
        [() => jobs.command({ opcode: CAN_BCM_TX_SEND, id: 1, frames: [frames] }, -1), 'name'],
        [() => jobs.txSend(null as unknown as BcmFrameInput), 'frame'],
        [() => jobs.txSend(frames, null as unknown as object), 'options'],
        [() => jobs.txDelete({ id: -1 }), 'job.id'],
        [() => jobs.txRead(5 as unknown as BcmJobKey), 'job'],
        [() => jobs.rxSetup({ id: 1, mask: Buffer.alloc(9) }), 'job.mask'],
        [() => jobs.rxSetup({ id: 1, mask: 5 as unknown as string }), 'job.mask'],
        [() => jobs.rxSetup({ id: 1, mask: 'x', reply: frames }), 'job'],
        [() => jobs.rxSetup({ id: 1, multiplex: { mask: 'x', contents: [] } }), 'job.multiplex.contents'],
        [
          () => jobs.rxSetup({ id: 1, multiplex: { mask: 'x', contents: 'x' as unknown as string[] } }),
          'job.multiplex.contents',
        ],
        [() => jobs.rxSetup({ id: 1, autoTimer: 1 as unknown as boolean }), 'job.autoTimer'],
        [() => jobs.rxDelete({ id: 1, fd: 1 as unknown as boolean }), 'job.fd'],
        [() => jobs.rxRead({ id: 1, interface: -1 }), 'job.interface'],
        [() => jobs.rxSetup({ id: 1, timeout: -1 }), 'job.timeout'],
        [() => jobs.rxSetup({ id: 1, throttle: 'x' as unknown as number }), 'job.throttle'],
      ];
      for (const [call, argument] of table) expect(thrown(call), argument).to.include({ argument });
      expect(await rejection(jobs.recvEvent(null as unknown as object))).to.include({ argument: 'options' });
    });

    it('malformed messages are refused by the kernel, and change nothing', async () => {
      const jobs = await manager();
      jobs.rxSetup({ id: 1 });
      const good = packBcmMessage({ opcode: CAN_BCM_TX_SETUP, id: 5, frames: [{ id: 5 }] });
      const many = packBcmMessage({ opcode: CAN_BCM_TX_SETUP, id: 5, frames: new Array(257).fill({ id: 5 }) });
      const lengthy = Buffer.from(good);
      lengthy[60] = 200;
      const wrong = [
        Buffer.alloc(0),
        Buffer.alloc(7),
        good.subarray(0, 55),
        good.subarray(0, good.length - 1),
        Buffer.concat([good, good]),
        lengthy,
        many,
        packBcmMessage({ opcode: 99, id: 5 }),
        packBcmMessage({ opcode: CAN_BCM_TX_SETUP, id: 5 }),
        packBcmMessage({ opcode: CAN_BCM_RX_SETUP, id: 5, flags: 0x400, frames: [{ id: 5 }] }),
      ];
      for (const [i, bytes] of wrong.entries()) {
        const error = await rejection(jobs.send(bytes));
        expect(error, `message ${i}`).to.include({ code: 'EINVAL' });
      }
      listener().sendFrameSync({ id: 1 });
      expect(await jobs.recvEvent()).to.include({ kind: 'RX_CHANGED' });
    });

    it('without a connection', async () => {
      const jobs = own(new BcmSocket());
      const error = thrown(() => jobs.txSend({ id: 1 }));
      expect(error).to.include({ code: 'ENOTCONN' });
      expect(error.message).to.include('connect the socket first');
      await jobs.connect({ interface: can.name });
      expect(await rejection(jobs.connect({ interface: can.name }))).to.include({ code: 'EISCONN' });
      expect(await rejection(own(new BcmSocket()).connect({ interface: 'lo' }))).to.include({ code: 'ENODEV' });
    });

    it('plain sockets speak its bytes', async () => {
      const bus = listener();
      const socket = own(new Socket(bcm));
      await socket.connect({ interface: can.name });
      await socket.send(packBcmMessage({ opcode: 4, id: 3, frames: [{ id: 3, data: 'raw' }] }));
      expect(await next(bus, 1)).to.deep.equal(['003#726177']);
    });
  });
});
