import {
  CAN_ERR_ACK,
  CAN_ERR_BUSOFF,
  CAN_ERR_CRTL,
  CAN_ERR_CRTL_TX_PASSIVE,
  CAN_ERR_MASK,
  CANXL_MTU,
  type CanAddress,
  type CanFrame,
  type CanFrameInput,
  CanRawSocket,
  type CanRawSocketOptions,
  type ClassicFrame,
  canRawFilter,
  canRawJoinFilters,
  type ErrorFrame,
  type FdFrame,
  formatFrame,
  packFrame,
  type ReceivedFrame,
  type Reception,
  type RecvFramesOptions,
  type SendFrameOptions,
  scmCanRawErrQueue,
  type UnknownFrame,
  unpackFrame,
  type XlFrame,
} from '@sock/can';
import {
  MessageBatch,
  MSG_ERRQUEUE,
  SCM_TSTAMP_SND,
  SO_EE_ORIGIN_TIMESTAMPING,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  soTimestamping,
} from '@sock/core';
import { cleaner, describeIf, FORMS, invoke, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { bus, hasRaw, wire } from './bus.js';

const text = ({ frame }: ReceivedFrame): string => formatFrame(frame);

function pending(socket: CanRawSocket): string[] {
  const texts: string[] = [];
  for (let one = socket.tryRecvFrame(); one !== null; one = socket.tryRecvFrame()) texts.push(text(one));
  return texts;
}

describeIf(hasRaw, 'CanRawSocket', function () {
  this.timeout(20_000);
  const can = bus(2060);
  const other = bus(72);
  const cable = wire();
  const own = cleaner();

  function open(options?: CanRawSocketOptions, name = can.name): CanRawSocket {
    const socket = own(new CanRawSocket(options));
    socket.bindSync({ interface: name });
    return socket;
  }

  for (const form of FORMS) {
    it(`${form} form: frames of all kinds arrive as they were sent`, async () => {
      const a = open({ fd: true, xl: true });
      const b = open({ fd: true, xl: true, errors: CAN_ERR_MASK });
      const classic: ClassicFrame = {
        kind: 'classic',
        id: 0x123,
        extended: false,
        remote: false,
        dlc: 2,
        data: Buffer.of(1, 2),
      };
      const fd: FdFrame = {
        kind: 'fd',
        id: 0x1234567,
        extended: true,
        brs: true,
        esi: false,
        data: Buffer.alloc(64, 5),
      };
      const xl: XlFrame = {
        kind: 'xl',
        priority: 0x321,
        vcid: 0,
        sec: true,
        sdt: 3,
        af: 0xfedcba98,
        data: Buffer.alloc(2048, 7),
      };
      const frames: CanFrame[] = [
        classic,
        { kind: 'classic', id: 0x7ff, extended: true, remote: true, dlc: 5, data: Buffer.alloc(0) },
        { kind: 'classic', id: 1, extended: false, remote: false, dlc: 13, data: Buffer.alloc(8, 3) },
        fd,
        { kind: 'fd', id: 1, extended: false, brs: false, esi: true, data: Buffer.alloc(0) },
        xl,
        { ...xl, data: Buffer.of(1), sec: false },
      ];
      for (const frame of frames) {
        expect(await invoke(form, a, 'sendFrame', frame)).to.equal(form === 'try' ? true : undefined);
        const received = (await invoke(form, b, 'recvFrame')) as ReceivedFrame;
        expect(received.frame).to.deep.equal(frame);
        expect(received).to.include({ interface: can.name, local: true, own: false, dropped: 0 });
      }
      const error = {
        kind: 'error',
        classes: CAN_ERR_CRTL | CAN_ERR_BUSOFF,
        data: Buffer.of(0, CAN_ERR_CRTL_TX_PASSIVE),
      } as const;
      await invoke(form, a, 'sendFrame', error);
      const { frame } = (await invoke(form, b, 'recvFrame')) as { frame: ErrorFrame };
      expect(frame).to.deep.include({ kind: 'error', classes: error.classes });
      expect(frame.details.controller).to.deep.equal(['CAN_ERR_CRTL_TX_PASSIVE']);
    });

    it(`${form} form: many frames at once`, async () => {
      const a = open({ fd: true });
      const b = open({ fd: true });
      const frames = Array.from(
        { length: 100 },
        (_, id): CanFrameInput => (id % 3 ? { id, data: `${id}` } : { kind: 'fd', id }),
      );
      expect(await invoke(form, a, 'sendFrames', frames)).to.equal(100);
      const received: ReceivedFrame[] = [];
      while (received.length < 100) received.push(...((await invoke(form, b, 'recvFrames')) as ReceivedFrame[]));
      expect(received.map(text)).to.deep.equal(frames.map(formatFrame));
      for (const one of received) expect(one).to.include({ interface: can.name, local: true, dropped: 0 });
      expect(await invoke(form, a, 'sendFrames', [])).to.equal(0);
    });

    it(`${form} form: recvFrames takes as many as it is told`, async () => {
      const a = open({ xl: true });
      const b = open({ xl: true });
      const options: RecvFramesOptions = { count: 2 };
      await a.sendFrames([{ id: 1 }, { kind: 'xl', priority: 2, data: Buffer.alloc(2048) }, { id: 3 }]);
      expect((await invoke(form, b, 'recvFrames', options)) as object[]).to.have.length(2);
      expect((await invoke(form, b, 'recvFrames', options)) as object[]).to.have.length(1);
    });
  }

  it('the try forms give null where they would have to wait', () => {
    const a = open();
    expect(a.tryRecvFrame()).to.equal(null);
    expect(a.tryRecvFrames()).to.equal(null);
  });

  it('what was received is not touched by what comes later', async () => {
    const a = open();
    const b = open();
    for (let i = 0; i < 3; i++) a.sendFrameSync({ id: i, data: Buffer.alloc(8, i) });
    const first = await b.recvFrames();
    for (let i = 0; i < 3; i++) a.sendFrameSync({ id: i, data: Buffer.alloc(8, 0xff) });
    await b.recvFrames();
    expect(first.map(({ frame }) => frame.data[7])).to.deep.equal([0, 1, 2]);
  });

  it('several receptions at once get different frames, in order', async () => {
    const a = open();
    const b = open();
    const waiting = [b.recvFrames({ count: 1 }), b.recvFrame(), b.recvFrames({ count: 1 })] as const;
    a.sendFramesSync([{ id: 1 }, { id: 2 }, { id: 3 }]);
    const [[x], y, [z]] = await within('three frames', Promise.all(waiting));
    expect([x, y, z].map((one) => text(one as ReceivedFrame))).to.deep.equal(['001#', '002#', '003#']);
  });

  it('bound to all interfaces it tells which one a frame came from, and sends to the one it is told', async () => {
    const all = open({}, '');
    expect(all.getsockname()).to.deep.equal({ interface: '' });
    open().sendFrameSync({ id: 1 });
    open({}, other.name).sendFrameSync({ id: 2 });
    const address: CanAddress[] = [];
    for (const id of [1, 2]) {
      const received = all.recvFrameSync();
      expect(received.frame).to.include({ id });
      address.push({ interface: received.interface });
    }
    expect(address).to.deep.equal([{ interface: can.name }, { interface: other.name }]);
    const [left, right] = [open({}, can.name), open({}, other.name)];
    const options: SendFrameOptions = { interface: other.name };
    await all.sendFrame({ id: 3 }, options);
    all.sendFrameSync({ id: 4 }, options);
    expect(all.trySendFrame({ id: 5 }, options)).to.equal(true);
    await all.sendFrames([{ id: 6 }, { id: 7 }], options);
    all.sendFramesSync([{ id: 8 }], options);
    expect(all.trySendFrames([{ id: 9 }], options)).to.equal(1);
    expect(pending(right)).to.deep.equal(['003#', '004#', '005#', '006#', '007#', '008#', '009#']);
    expect(pending(left)).to.deep.equal([]);
    expect(await rejection(all.sendFrame({ id: 3 }))).to.include({ code: 'ENXIO' });
    expect((await rejection(all.sendFrame({ id: 3 }))).message).to.include('name one with the frame');
  });

  it('goes over a wire between two interfaces', async () => {
    const left = open({ fd: true }, cable.left);
    const right = open({ fd: true }, cable.right);
    await left.sendFrame({ kind: 'fd', id: 1, data: Buffer.alloc(48, 1) });
    const received = await within('a frame', right.recvFrame());
    expect(received).to.include({ interface: cable.right, local: false, own: false });
    expect(received.frame).to.deep.include({ kind: 'fd', data: Buffer.alloc(48, 1) });
  });

  it('filters: by identifier, inverted, joined, none', async () => {
    const a = open();
    const ids = [0x100, 0x123, 0x1ff, 0x200, 0x7ff];
    const seen = (socket: CanRawSocket): string[] => {
      a.sendFramesSync(ids.map((id) => ({ id })));
      a.sendFramesSync([
        { id: 0x123, extended: true },
        { id: 0x123, remote: true, dlc: 1 },
      ]);
      return pending(socket);
    };
    const hundreds = open({ filters: [{ id: 0x100, mask: 0x700, extended: false, remote: false }] });
    expect(seen(hundreds)).to.deep.equal(['100#', '123#', '1FF#']);
    expect(seen(open({ filters: [{ id: 0x123 }] }))).to.deep.equal(['123#', '123#R1']);
    expect(seen(open({ filters: [{ id: 0x123, extended: true }] }))).to.deep.equal(['00000123#']);
    expect(seen(open({ filters: [{ id: 0x123, remote: true }] }))).to.deep.equal(['123#R1']);
    expect(seen(open({ filters: [{ id: 0x100 }, { id: 0x200 }] }))).to.deep.equal(['100#', '200#']);
    const not = { id: 0x100, mask: 0x700, inverted: true };
    expect(seen(open({ filters: [not] }))).to.deep.equal(['200#', '7FF#']);
    const joined = open({ filters: [not, { id: 0x7ff, mask: 0x7ff, inverted: true }], joinFilters: true });
    expect(joined.getOption(canRawJoinFilters)).to.equal(true);
    expect(seen(joined)).to.deep.equal(['200#']);
    expect(seen(open({ filters: [] }))).to.deep.equal([]);
    const many = open({ filters: Array.from({ length: 512 }, (_, id) => ({ id: id + 0x100 })) });
    expect(many.getOption(canRawFilter)).to.have.length(512);
    expect(seen(many)).to.deep.equal(['100#', '123#', '1FF#', '200#', '123#R1']);
    many.setOption(canRawFilter, [{ id: 0x7ff }]);
    expect(seen(many)).to.deep.equal(['7FF#']);
  });

  it('error filters: by class', () => {
    const a = open();
    const b = open({ errors: CAN_ERR_BUSOFF });
    const none = open();
    const everything = open({ filters: [{ id: CAN_ERR_ACK, mask: CAN_ERR_ACK, error: true }] });
    for (const classes of [CAN_ERR_BUSOFF, CAN_ERR_ACK]) a.sendFrameSync({ kind: 'error', classes });
    expect(pending(b)).to.deep.equal(['20000040#0000000000000000']);
    expect(pending(none)).to.deep.equal([]);
    expect(pending(everything)).to.deep.equal(['20000020#0000000000000000']);
  });

  it('loopback and own frames', () => {
    const silent = open({ loopback: false });
    const proud = open({ ownFrames: true });
    const listener = open();
    silent.sendFrameSync({ id: 1 });
    proud.sendFrameSync({ id: 2 });
    const mine = proud.recvFrameSync({ timeout: 1000 });
    expect(mine).to.include({ own: true, local: true });
    expect(text(mine)).to.equal('002#');
    expect(pending(silent)).to.deep.equal(['002#']);
    expect(pending(listener)).to.deep.equal(['002#']);
  });

  it('without fd and xl only frames of CAN 2.0 come, and go', async () => {
    const modern = open({ fd: true, xl: true });
    const old = open();
    modern.sendFramesSync([{ kind: 'fd', id: 1 }, { kind: 'xl', priority: 1, data: 'x' }, { id: 2 }]);
    expect(pending(old)).to.deep.equal(['002#']);
    const error = await rejection(old.sendFrame({ kind: 'fd', id: 1 }));
    expect(error).to.include({ code: 'EINVAL', syscall: 'send' });
    expect(error.message).to.include('CAN_RAW_FD_FRAMES');
    const narrow = open({ fd: true }, other.name);
    expect(thrown(() => narrow.sendFrameSync({ kind: 'xl', priority: 1, data: 'x' }))).to.include({ code: 'EINVAL' });
  });

  it('frames have the time of their reception, or not', async () => {
    const a = open();
    const stamped = open();
    const plain = open({ timestamps: false });
    const before = BigInt(Date.now()) * 1_000_000n;
    a.sendFramesSync([{ id: 1 }, { id: 2 }]);
    const [first, second] = (await stamped.recvFrames()) as Reception[] as [Reception, Reception];
    const now = BigInt(Date.now() + 1) * 1_000_000n;
    expect(first.timestamp !== null && first.timestamp >= before && first.timestamp <= now).to.equal(true);
    expect(second.timestamp !== null && second.timestamp >= (first.timestamp as bigint)).to.equal(true);
    // a virtual adapter has no clock of its own
    expect(first.hardwareTimestamp).to.equal(null);
    expect(plain.recvFrameSync()).to.include({ timestamp: null, hardwareTimestamp: null });
  });

  it('the error queue tells when a frame was sent', async () => {
    const a = open();
    const flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID;
    a.setOption(soTimestamping, flags);
    a.sendFramesSync([{ id: 0x11, data: 'abc' }, { id: 0x12 }]);
    const sent = await within('a time', a.recvFrame({ flags: MSG_ERRQUEUE }));
    expect(text(sent)).to.equal('011#616263');
    expect(sent.timestamp).to.be.a('bigint');
    const { ancillary } = await a.recvMsg(CANXL_MTU, 256, { flags: MSG_ERRQUEUE });
    expect(scmCanRawErrQueue.find(ancillary)).to.deep.include({
      code: null,
      origin: SO_EE_ORIGIN_TIMESTAMPING,
      info: SCM_TSTAMP_SND,
      data: 1,
    });
  });

  it('the error queue without data is no frame, but its time', async () => {
    const a = open();
    a.setOption(
      soTimestamping,
      SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY,
    );
    await a.sendFrame({ id: 0x11, data: 'abc' });
    const sent = await within('a time', a.recvFrame({ flags: MSG_ERRQUEUE }));
    const nothing: UnknownFrame = { kind: 'unknown', data: Buffer.alloc(0) };
    expect(sent.frame).to.deep.equal(nothing);
    expect(sent.timestamp).to.be.a('bigint');
  });

  it('frames() gives them as they come, until the socket is closed', async () => {
    const a = open();
    const b = open();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const one of b.frames()) {
        seen.push(text(one));
        if (seen.length === 3) b.close();
      }
    })();
    a.sendFramesSync([{ id: 1 }, { id: 2 }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await a.sendFrame({ id: 3 });
    await within('the end', reading);
    expect(seen).to.deep.equal(['001#', '002#', '003#']);
    const stopped = open();
    setImmediate(() => stopped.close());
    for await (const one of stopped.frames()) expect.fail(text(one));
  });

  it('leaving frames() loses nothing', async () => {
    const a = open();
    const b = open();
    a.sendFramesSync([{ id: 1 }, { id: 2 }]);
    for await (const one of b.frames()) {
      expect(text(one)).to.equal('001#');
      break;
    }
    expect(pending(b)).to.deep.equal(['002#']);
  });

  it('timeouts and signals end what waits', async () => {
    const a = open();
    expect(await rejection(a.recvFrame({ timeout: 10 }))).to.include({ name: 'SocketTimeoutError' });
    expect(thrown(() => a.recvFramesSync({ timeout: 10 }))).to.include({ code: 'ETIMEDOUT' });
    const reason = new Error('enough');
    expect(await rejection(a.recvFrames({ signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const waiting = rejection(a.recvFrame());
    a.close();
    expect(await waiting).to.include({ code: 'ECANCELED' });
    expect(await rejection(a.sendFrame({ id: 1 }))).to.include({ code: 'EBADF' });
    expect(await rejection(a.recvFrames())).to.include({ code: 'EBADF' });
  });

  it('raw bytes and batches stay possible', async () => {
    const a = open();
    const b = open();
    await a.send(packFrame({ id: 0x42, data: 'raw' }));
    const { data, address } = await b.recvFrom(72);
    expect(unpackFrame(data)).to.deep.include({ id: 0x42, data: Buffer.from('raw') });
    expect(address).to.deep.equal({ interface: can.name });
    const batch = new MessageBatch<CanAddress>({ count: 8, size: 72 });
    for (let id = 0; id < 8; id++) batch.push(packFrame({ id }));
    expect(await a.sendBatch(batch as MessageBatch<never, CanAddress>)).to.equal(8);
    expect(await b.recvBatch(batch as MessageBatch<CanAddress, never>)).to.equal(8);
    expect(unpackFrame(batch.data(7))).to.include({ id: 7 });
    expect(batch.address(7)).to.deep.equal({ interface: can.name });
  });

  it('duplicates and adopted descriptors speak frames too', async () => {
    const a = open();
    const copy = own(open({ xl: true }).dup());
    expect(copy).to.be.instanceOf(CanRawSocket);
    a.sendFramesSync([{ id: 1 }, { id: 2 }]);
    expect(text(await copy.recvFrame())).to.equal('001#');
    expect((await copy.recvFrames()).map(text)).to.deep.equal(['002#']);
  });

  it('bad arguments are told before anything is sent', async () => {
    const a = open();
    const b = open();
    const errors: [Promise<unknown>, string][] = [
      [a.sendFrame({ id: -1 }), 'frame.id'],
      [a.sendFrame(null as unknown as CanFrameInput), 'frame'],
      [a.sendFrame({ id: 1 }, null as unknown as SendFrameOptions), 'options'],
      [a.sendFrame({ id: 1 }, { interface: 1.5 }), 'options.interface'],
      [a.sendFrames([{ id: 1 }], { interface: 1.5 }), 'options.interface'],
      [a.sendFrames({ id: 1 } as unknown as CanFrameInput[]), 'frames'],
      [a.sendFrames([{ id: 1 }, { id: -2 }]), 'frames[1].id'],
      [a.recvFrames({ count: 0 }), 'options.count'],
      [a.recvFrames({ count: 1025 }), 'options.count'],
      [a.recvFrames(null as unknown as RecvFramesOptions), 'options'],
      [a.recvFrame({ timeout: -1 }), 'timeout'],
    ];
    for (const [promise, argument] of errors) expect(await rejection(promise), argument).to.include({ argument });
    expect(pending(b)).to.deep.equal([]);
  });

  it('more frames than one call takes are sent in several', async () => {
    const a = open({}, other.name);
    const b = open({ filters: [{ id: 1 }] }, other.name);
    const frames = Array.from({ length: 1500 }, (_, i): CanFrameInput => ({ id: i === 1499 ? 1 : 0x100 }));
    expect(await a.sendFrames(frames)).to.equal(1500);
    expect(pending(b)).to.deep.equal(['001#']);
  });

  it('what is no CAN interface is told so', async () => {
    const a = own(new CanRawSocket());
    const error = await rejection(a.bind({ interface: 'lo' }));
    expect(error).to.include({ code: 'ENODEV', syscall: 'bind' });
    expect(error.message).to.include('no such CAN interface');
    expect(await rejection(a.bind({ interface: 'nosuchcan0' }))).to.include({ code: 'ENODEV' });
    expect(await rejection(a.sendFrame({ id: 1 }, { interface: 'lo' }))).to.include({ code: 'EPERM' });
  });
});
