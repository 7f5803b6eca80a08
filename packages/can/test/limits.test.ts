import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import {
  type BcmChanged,
  BcmSocket,
  CanRawSocket,
  formatFrame,
  IsotpSocket,
  J1939Socket,
  type ReceivedFrame,
} from '@sock/can';
import { type SocketError, soError, soRcvBuf, soSndBuf } from '@sock/core';
import {
  capability,
  cleaner,
  delay,
  describeIf,
  FORMS,
  invoke,
  pattern,
  probe,
  rejection,
  scaled,
  startNode,
  thrown,
  within,
} from '@sock/testkit';
import { setLinkSync } from '@sock/testkit/network';
import { expect } from 'chai';
import { addInterface, bus, freshName, hasBcm, hasIsotp, hasJ1939, hasRaw, removeInterface } from './bus.js';

const run = promisify(execFile);

/** A virtual interface has no queue, unless one is put before it: tc-tbf(8). */
function slowDown(name: string): void {
  execFileSync('tc', ['qdisc', 'add', 'dev', name, 'root', 'tbf', 'rate', '8bit', 'burst', '1600', 'limit', '1600']);
}

function speedUp(name: string): void {
  execFileSync('tc', ['qdisc', 'delete', 'dev', name, 'root']);
}

const tokenBucket = [
  probe('command:tc'),
  capability({
    name: 'sch_tbf',
    remedy: 'modprobe sch_tbf',
    probe() {
      if (hasRaw.some((one) => one.missing() !== undefined)) throw new Error('there is no CAN');
      try {
        execFileSync('modprobe', ['sch_tbf'], { stdio: 'ignore' });
      } catch {
        // it may be built in: the interface tells
      }
      const name = addInterface();
      try {
        slowDown(name);
      } finally {
        removeInterface(name);
      }
    },
  }),
];

const counter = (frame: ReceivedFrame['frame']): number => frame.data.readUInt32LE();

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const data = Buffer.alloc(8, 0xa5);
    data.writeUInt32LE(from + i);
    return { id: (from + i) % 0x800, data };
  });

describeIf(hasRaw, 'receivers that are too slow', function () {
  this.timeout(20_000);
  const can = bus();
  const own = cleaner();

  function open(): CanRawSocket {
    const socket = own(new CanRawSocket());
    socket.bindSync({ interface: can.name });
    return socket;
  }

  for (const way of ['one by one', 'many at once'] as const) {
    it(`frames that were lost are counted, the others are whole: ${way}`, () => {
      const sender = open();
      const receiver = open();
      receiver.setOption(soRcvBuf, 4096);
      const count = 3000;
      const got: ReceivedFrame[] = [];
      const drain = () => {
        if (way === 'one by one') {
          for (let one = receiver.tryRecvFrame(); one !== null; one = receiver.tryRecvFrame()) got.push(one);
        } else {
          for (let some = receiver.tryRecvFrames(); some !== null; some = receiver.tryRecvFrames()) got.push(...some);
        }
      };
      for (let sent = 0; sent < count; sent += 100) {
        sender.sendFramesSync(numbered(sent, 100));
        drain();
      }
      // the count comes with what was received after the loss
      sender.sendFramesSync(numbered(count, 1));
      drain();
      let last = -1;
      for (const { frame, dropped } of got) {
        const value = counter(frame);
        expect(frame).to.include({ id: value % 0x800, dlc: 8 });
        expect(frame.data.subarray(4)).to.deep.equal(Buffer.alloc(4, 0xa5));
        expect(value).to.be.above(last);
        last = value;
        // what is before this frame was received, or lost before this frame was queued
        expect(dropped).to.be.at.most(value);
      }
      expect(last).to.equal(count);
      expect(got.at(-1)?.dropped)
        .to.equal(count + 1 - got.length)
        .and.be.above(1000);
    });
  }

  describeIf(hasBcm, 'of the broadcast manager', () => {
    it('events that were lost are counted', async () => {
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: can.name });
      jobs.setOption(soRcvBuf, 4096);
      jobs.rxSetup({ id: 1 });
      const sender = open();
      for (let i = 0; i < 200; i++) sender.sendFrameSync({ id: 1, data: Buffer.of(i) });
      const events: BcmChanged[] = [];
      for (let event = jobs.tryRecvEvent(); event !== null; event = jobs.tryRecvEvent())
        events.push(event as BcmChanged);
      expect(events.length).to.be.within(1, 199);
      expect(events.map(({ frame }) => frame.data[0])).to.deep.equal(events.map((_, i) => i));
      sender.sendFrameSync({ id: 1, data: Buffer.of(200) });
      const last = (await jobs.recvEvent()) as BcmChanged;
      expect(last.frame.data[0]).to.equal(200);
      expect(last.dropped).to.equal(200 - events.length);
      // orders and their answers still go through
      expect(jobs.rxRead({ id: 1 })).to.include({ id: 1 });
    });
  });

  describeIf(hasIsotp, 'of ISO-TP', () => {
    it('messages that were lost are missing as a whole', async () => {
      const sender = own(new IsotpSocket());
      await sender.bind({ interface: can.name, rxId: 1, txId: 2 });
      const receiver = own(new IsotpSocket());
      await receiver.bind({ interface: can.name, rxId: 2, txId: 1 });
      receiver.setOption(soRcvBuf, 4096);
      const sent = Array.from({ length: 20 }, (_, i) => pattern(1000 + i, i + 1));
      for (const data of sent) await sender.transmit(data, { timeout: scaled(5000) });
      let received = 0;
      for (let pdu = receiver.tryRecvPdu(); pdu !== null; pdu = receiver.tryRecvPdu()) {
        const { data } = pdu;
        expect(data.equals(sent[data.length - 1000] as Buffer)).to.equal(true);
        received++;
      }
      expect(received).to.be.within(1, 19);
      await sender.transmit('and on');
      expect((await receiver.recvPdu()).data.toString()).to.equal('and on');
    });
  });
});

describeIf(hasRaw, 'many frames', function () {
  this.timeout(60_000);
  const can = bus();

  for (const form of ['recvFrame', 'recvFrames'] as const) {
    it(`${form} keeps no memory of those that are gone`, async () => {
      const program = `
        import { CanRawSocket } from '@sock/can';
        const sender = new CanRawSocket();
        await sender.bind({ interface: '${can.name}' });
        const receiver = new CanRawSocket();
        await receiver.bind({ interface: '${can.name}' });
        const frames = Array.from({ length: 50 }, (_, id) => ({ id, data: 'abcdefgh' }));
        async function exchange() {
          for (let i = 0; i < 20; i++) {
            sender.sendFramesSync(frames);
            for (let got = 0; got < frames.length; ) {
              got += '${form}' === 'recvFrame' ? ((await receiver.recvFrame()), 1) : (await receiver.recvFrames()).length;
            }
          }
          globalThis.gc();
          const { heapUsed, external } = process.memoryUsage();
          return heapUsed + external;
        }
        // what V8 compiles comes and goes by hundreds of kilobytes; what is kept is there every time
        async function least() {
          const samples = [];
          while (samples.length < 5) samples.push(await exchange());
          return Math.min(...samples);
        }
        await exchange();
        const before = await least();
        console.log((await least()) - before);
      `;
      const child = startNode(program, { flags: ['--expose-gc'], timeout: 50_000 });
      // 5,000 frames: less than 32 bytes of each
      expect(Number(await child.line())).to.be.below(160_000);
      child.process.stdin?.end();
      await child.succeeded();
    });
  }
});

describeIf([...hasRaw, ...tokenBucket], 'an interface that is too slow', function () {
  this.timeout(20_000);
  const can = bus();
  const own = cleaner();
  let slow = false;
  beforeEach(() => {
    slowDown(can.name);
    slow = true;
  });
  const fast = () => {
    if (slow) speedUp(can.name);
    slow = false;
  };
  afterEach(fast);

  function open(): CanRawSocket {
    const socket = own(new CanRawSocket({ loopback: false }));
    socket.bindSync({ interface: can.name });
    return socket;
  }

  for (const form of FORMS) {
    it(`${form} form: a full queue is ENOBUFS, and sending goes on when there is room again`, async () => {
      const sender = open();
      sender.setOption(soSndBuf, 1_000_000);
      let error: SocketError | undefined;
      for (let i = 0; error === undefined && i < 10_000; i++) {
        try {
          await invoke(form, sender, 'sendFrame', { id: i % 0x800 });
        } catch (reason) {
          error = reason as SocketError;
        }
      }
      expect(error).to.include({ code: 'ENOBUFS', syscall: 'send' });
      expect(error?.message).to.include('txqueuelen');
      fast();
      await invoke(form, sender, 'sendFrame', { id: 1 });
    });
  }

  it('of many frames it is told how many were sent', async () => {
    const sender = open();
    sender.setOption(soSndBuf, 1_000_000);
    const frames = numbered(0, 3000);
    const error = (await rejection(sender.sendFrames(frames))) as SocketError;
    expect(error).to.include({ code: 'ENOBUFS', syscall: 'sendmmsg' });
    const first = error.transferred as number;
    expect(first).to.be.within(1, 2999);
    const second = thrown(() => sender.sendFramesSync(frames.slice(first))) as SocketError;
    expect(second).to.include({ code: 'ENOBUFS' });
    expect(thrown(() => sender.trySendFrames(frames.slice(first)))).to.include({ code: 'ENOBUFS' });
    fast();
    const rest = frames.slice(first + (second.transferred ?? 0));
    expect(await sender.sendFrames(rest)).to.equal(rest.length);
  });

  it('a small send buffer makes senders wait instead', async () => {
    const sender = open();
    // a few frames: fewer than the queue has room for, behind the hundred that go at once
    sender.setOption(soSndBuf, 0);
    let count = 0;
    while (sender.trySendFrame({ id: 1 }) !== null) count++;
    expect(count).to.be.within(1, 190);
    expect(await rejection(sender.sendFrame({ id: 1 }, { timeout: 10 }))).to.include({ name: 'SocketTimeoutError' });
    const waiting = sender.sendFrame({ id: 2 });
    await delay(20);
    fast();
    await within('a frame', waiting, 10_000);
  });
});

describeIf(hasRaw, 'an interface that goes down', function () {
  this.timeout(20_000);
  const can = bus();
  const other = bus();
  const own = cleaner();
  afterEach(() => setLinkSync(can.name, { up: true }));

  function open(name = can.name): CanRawSocket {
    const socket = own(new CanRawSocket());
    socket.bindSync({ interface: name });
    return socket;
  }

  it('ends what waits with ENETDOWN, once; the socket stays bound', async () => {
    const socket = open();
    const batch = open();
    const iterated = open();
    const iteration = rejection(
      (async () => {
        for await (const _ of iterated.frames()) expect.fail('a frame');
      })(),
    );
    const waiting = [rejection(socket.recvFrame()), rejection(batch.recvFrames()), iteration];
    await delay(10);
    setLinkSync(can.name, { up: false });
    for (const error of await within('errors', Promise.all(waiting))) {
      expect(error).to.include({ code: 'ENETDOWN' });
      expect(error.message).to.include('stays bound');
    }
    expect(socket.getsockname()).to.deep.equal({ interface: can.name });
    const refused = await rejection(socket.sendFrame({ id: 1 }));
    expect(refused).to.include({ code: 'ENETDOWN', syscall: 'send' });
    expect(refused.message).to.include('ip link set');
    expect(await rejection(socket.sendFrames([{ id: 1 }]))).to.include({ code: 'ENETDOWN' });
    setLinkSync(can.name, { up: true });
    await open().sendFrame({ id: 5 });
    for (const one of [socket, batch, iterated]) {
      expect(formatFrame((await within('a frame', one.recvFrame())).frame)).to.equal('005#');
    }
    await socket.sendFrame({ id: 6 });
  });

  it('does not disturb a socket of all interfaces', async () => {
    const all = open('');
    const waiting = all.recvFrame();
    setLinkSync(can.name, { up: false });
    await open(other.name).sendFrame({ id: 7 });
    expect(await within('a frame', waiting)).to.include({ interface: other.name });
  });

  describeIf(hasBcm, 'and the broadcast manager', () => {
    it('tells it; jobs go on when it is up again', async () => {
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: can.name });
      jobs.txSetup({ frames: { id: 3 }, interval: 5 });
      const waiting = rejection(jobs.recvEvent());
      await delay(10);
      setLinkSync(can.name, { up: false });
      expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
      setLinkSync(can.name, { up: true });
      const bus = open();
      expect(formatFrame((await within('a frame', bus.recvFrame())).frame)).to.equal('003#');
    });
  });

  describeIf(hasIsotp, 'and ISO-TP', () => {
    it('tells it', async () => {
      const socket = own(new IsotpSocket());
      await socket.bind({ interface: can.name, rxId: 1, txId: 2 });
      const waiting = rejection(socket.recv(100));
      await delay(10);
      setLinkSync(can.name, { up: false });
      expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
      expect(await rejection(socket.send('x'))).to.include({ code: 'ENETDOWN' });
    });
  });

  describeIf(hasJ1939, 'and J1939', () => {
    it('tells it, and receives when it is up again', async () => {
      const socket = own(new J1939Socket());
      await socket.bind({ interface: can.name, address: 0x20 });
      const waiting = rejection(socket.recvGroup());
      await delay(10);
      setLinkSync(can.name, { up: false });
      expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
      setLinkSync(can.name, { up: true });
      const sender = own(new J1939Socket());
      await sender.bind({ interface: can.name, address: 0x21 });
      await sender.sendTo('back', { interface: can.name, address: 0x20, pgn: 0x1f00 });
      expect((await within('a message', socket.recvGroup())).data.toString()).to.equal('back');
    });
  });
});

describeIf(hasRaw, 'an interface that is removed', function () {
  this.timeout(20_000);
  const own = cleaner();

  it('ends what waits; the socket can be bound to another', async () => {
    const name = addInterface();
    const socket = own(new CanRawSocket());
    await socket.bind({ interface: name });
    const waiting = rejection(socket.recvFrame());
    await delay(10);
    removeInterface(name);
    expect(await within('an error', waiting))
      .to.have.property('code')
      .that.is.oneOf(['ENODEV', 'ENETDOWN']);
    expect(socket.getsockname()).to.deep.equal({ interface: '' });
    expect(await rejection(socket.sendFrame({ id: 1 }))).to.include({ code: 'ENXIO' });
    expect(await rejection(socket.sendFrame({ id: 1 }, { interface: name }))).to.include({ code: 'ENODEV' });
    const next = addInterface();
    await socket.bind({ interface: next });
    await socket.sendFrame({ id: 1 });
    removeInterface(next);
  });

  it('leaves frames of its own, which no longer tell where they came from', async () => {
    const name = addInterface();
    const all = own(new CanRawSocket());
    await all.bind({ interface: '' });
    const sender = own(new CanRawSocket());
    await sender.bind({ interface: name });
    await sender.sendFrame({ id: 0x42 });
    removeInterface(name);
    const received = await all.recvFrame();
    expect(formatFrame(received.frame)).to.equal('042#');
    expect(received.interface).to.equal('');
  });

  describeIf(hasBcm, 'and the broadcast manager', () => {
    it('tells it, and drops the jobs', async () => {
      const name = addInterface();
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: name });
      jobs.txSetup({ frames: { id: 3 }, interval: 1000 });
      const waiting = rejection(jobs.recvEvent());
      await delay(10);
      removeInterface(name);
      expect(await within('an error', waiting))
        .to.have.property('code')
        .that.is.oneOf(['ENODEV', 'ENETDOWN']);
      expect(thrown(() => jobs.txSend({ id: 1 }))).to.have.property('code');
    });
  });

  describeIf(hasIsotp, 'and ISO-TP', () => {
    it('tells it', async () => {
      const name = addInterface();
      const socket = own(new IsotpSocket());
      await socket.bind({ interface: name, rxId: 1, txId: 2 });
      const codes = ['ENODEV', 'ENETDOWN', 'EADDRNOTAVAIL'];
      const waiting = rejection(socket.recv(100));
      await delay(10);
      removeInterface(name);
      expect(await within('an error', waiting))
        .to.have.property('code')
        .that.is.oneOf(codes);
      const error = await rejection(socket.send('x'));
      expect(error).to.have.property('code').that.is.oneOf(codes);
    });
  });

  describeIf(hasJ1939, 'and J1939', () => {
    it('tells it; some kernels keep the interface until the socket is closed', async () => {
      const name = addInterface();
      const socket = own(new J1939Socket());
      await socket.bind({ interface: name, address: 0x20 });
      const waiting = rejection(socket.recvGroup());
      await delay(10);
      const removal = run('ip', ['link', 'delete', name]);
      expect(await within('an error', waiting))
        .to.have.property('code')
        .that.is.oneOf(['ENODEV', 'ENETDOWN']);
      socket.close();
      await within('the removal', removal, 15_000);
    });
  });
});

describeIf([...hasRaw, ...hasBcm, ...hasIsotp, ...hasJ1939], 'an interface that is renamed', function () {
  this.timeout(20_000);
  const own = cleaner();

  // a name changes only while the interface is down
  function rename(before: string): string {
    const after = freshName();
    setLinkSync(before, { up: false });
    setLinkSync(before, { name: after });
    setLinkSync(after, { up: true });
    return after;
  }

  it('stays the one that sockets are bound to', async () => {
    const before = addInterface();
    const socket = own(new CanRawSocket());
    await socket.bind({ interface: before });
    const waiting = rejection(socket.recvFrame());
    await delay(10);
    const after = rename(before);
    expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
    expect(socket.getsockname()).to.deep.equal({ interface: after });
    const sender = own(new CanRawSocket());
    expect(await rejection(sender.bind({ interface: before }))).to.include({ code: 'ENODEV' });
    await sender.bind({ interface: after });
    await sender.sendFrame({ id: 9 });
    expect(await within('a frame', socket.recvFrame())).to.include({ interface: after });
    await socket.sendFrame({ id: 10 }, { interface: after });
    removeInterface(after);
  });

  it('does not disturb a socket of all interfaces', async () => {
    const before = addInterface();
    const all = own(new CanRawSocket());
    await all.bind({ interface: '' });
    const waiting = all.recvFrame();
    await delay(10);
    const after = rename(before);
    const sender = own(new CanRawSocket());
    await sender.bind({ interface: after });
    await sender.sendFrame({ id: 9 });
    expect(await within('a frame', waiting)).to.include({ interface: after });
    removeInterface(after);
  });

  it('jobs of the broadcast manager go on', async () => {
    const before = addInterface();
    const jobs = own(new BcmSocket());
    await jobs.connect({ interface: before });
    jobs.txSetup({ frames: { id: 3 }, interval: 5 });
    jobs.rxSetup({ id: 4 });
    const waiting = rejection(jobs.recvEvent());
    await delay(10);
    const after = rename(before);
    expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
    const bus = own(new CanRawSocket());
    await bus.bind({ interface: after });
    expect(formatFrame((await within('a frame', bus.recvFrame())).frame)).to.equal('003#');
    await bus.sendFrame({ id: 4 });
    expect(await within('an event', jobs.recvEvent())).to.include({ kind: 'RX_CHANGED', interface: after });
    removeInterface(after);
  });

  it('connections of ISO-TP stay', async () => {
    const before = addInterface();
    const [a, b] = [own(new IsotpSocket()), own(new IsotpSocket())];
    await a.bind({ interface: before, rxId: 1, txId: 2 });
    await b.bind({ interface: before, rxId: 2, txId: 1 });
    const waiting = rejection(b.recvPdu());
    await delay(10);
    const after = rename(before);
    expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
    expect(b.getsockname()).to.deep.equal({ interface: after, rxId: 2, txId: 1 });
    // the other one has not asked yet
    expect(a.getOption(soError)).to.equal('ENETDOWN');
    await a.send(pattern(100));
    expect(await within('a message', b.recvPdu())).to.include({ interface: after });
    removeInterface(after);
  });

  it('stations of J1939 stay', async () => {
    const before = addInterface();
    const [a, b] = [own(new J1939Socket()), own(new J1939Socket())];
    await a.bind({ interface: before, address: 0x20 });
    await b.bind({ interface: before, address: 0x21 });
    const waiting = rejection(b.recvGroup());
    await delay(10);
    const after = rename(before);
    expect(await within('an error', waiting)).to.include({ code: 'ENETDOWN' });
    // the other one has not asked yet
    expect(a.getOption(soError)).to.equal('ENETDOWN');
    await within('sending', a.sendTo('back', { interface: after, address: 0x21, pgn: 0x1f00 }));
    expect(await within('a message', b.recvGroup())).to.include({ interface: after });
    for (const socket of [a, b]) socket.close();
    removeInterface(after);
  });
});
