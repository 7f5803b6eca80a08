import { execFileSync } from 'node:child_process';
import { BcmSocket, CanRawSocket, formatFrame, IsotpSocket, J1939Socket } from '@sock/can';
import {
  type Child,
  capability,
  cleaner,
  delay,
  describeIf,
  inLab,
  pattern,
  rejection,
  startNode,
  within,
} from '@sock/testkit';
import { addLinkSync, setLinkSync } from '@sock/testkit/network';
import { expect } from 'chai';
import { addInterface, bus, freshName, hasBcm, hasIsotp, hasJ1939, hasRaw, removeInterface } from './bus.js';

/** A program of this library, which says that it is ready and then stays until it is killed. */
function peer(program: string): Child {
  return startNode(`
    import { BcmSocket, CanRawSocket, IsotpSocket, J1939Socket } from '@sock/can';
    ${program}
    console.log('ready');
    setInterval(() => {}, 1000);
  `);
}

async function kill(child: Child): Promise<void> {
  child.kill();
  expect(await child.outcome).to.include({ signal: 'SIGKILL' });
}

describeIf([...hasRaw, ...hasBcm, ...hasIsotp, ...hasJ1939], 'peers that die', function () {
  this.timeout(60_000);
  const can = bus();
  const own = cleaner();

  it('jobs of the broadcast manager die with their program, and who watches is told', async () => {
    const watcher = own(new BcmSocket());
    await watcher.connect({ interface: can.name });
    const sender = own(
      peer(`
        const jobs = new BcmSocket();
        await jobs.connect({ interface: '${can.name}' });
        jobs.txSetup({ frames: { id: 0x123, data: 'alive' }, interval: 10 });
      `),
    );
    expect(await sender.line()).to.equal('ready');
    watcher.rxSetup({ id: 0x123, mask: Buffer.alloc(8, 0xff), timeout: 300, start: false });
    expect(await within('a frame', watcher.recvEvent())).to.include({ kind: 'RX_CHANGED' });
    await kill(sender);
    // the frames may have been late before, under load
    let event = await within('a timeout', watcher.recvEvent());
    while (event.kind !== 'RX_TIMEOUT') event = await within('a timeout', watcher.recvEvent());
    const bus = own(new CanRawSocket());
    await bus.bind({ interface: can.name });
    expect(await rejection(bus.recvFrame({ timeout: 100 }))).to.include({ code: 'ETIMEDOUT' });
  });

  // 127 ms from frame to frame of a block: there is time to die between two of them
  const slowly = { flowControl: { stMin: 127, blockSize: 8 } };

  it('a receiver of ISO-TP that dies in the middle of a message is told to the sender', async () => {
    const receiver = own(
      peer(`
        const socket = new IsotpSocket(${JSON.stringify(slowly)});
        await socket.bind({ interface: '${can.name}', rxId: 0x7e0, txId: 0x7e8 });
      `),
    );
    expect(await receiver.line()).to.equal('ready');
    const sender = own(new IsotpSocket());
    await sender.bind({ interface: can.name, rxId: 0x7e8, txId: 0x7e0 });
    const bus = own(new CanRawSocket({ filters: [{ id: 0x7e8 }] }));
    await bus.bind({ interface: can.name });
    const failed = rejection(sender.transmit(pattern(1000)));
    await within('flow control', bus.recvFrame());
    await kill(receiver);
    expect(await within('an error', failed, 10_000)).to.include({ code: 'ECOMM' });
    // nobody is there, which is told, and who comes later is served
    expect(await rejection(sender.transmit(pattern(100)))).to.include({ code: 'ECOMM' });
    const next = own(new IsotpSocket());
    await next.bind({ interface: can.name, rxId: 0x7e0, txId: 0x7e8 });
    await sender.transmit(pattern(100));
    expect((await within('a message', next.recv(4095))).equals(pattern(100))).to.equal(true);
  });

  it('a sender of ISO-TP that dies in the middle of a message is told to the receiver', async () => {
    const receiver = own(new IsotpSocket(slowly));
    await receiver.bind({ interface: can.name, rxId: 0x7e0, txId: 0x7e8 });
    const bus = own(new CanRawSocket({ filters: [{ id: 0x7e0 }] }));
    await bus.bind({ interface: can.name });
    const failed = rejection(receiver.recv(4095));
    const sender = own(
      peer(`
        const socket = new IsotpSocket();
        await socket.bind({ interface: '${can.name}', rxId: 0x7e8, txId: 0x7e0 });
        await socket.send(Buffer.alloc(2000));
      `),
    );
    expect(await sender.line()).to.equal('ready');
    await within('a frame', bus.recvFrame());
    await kill(sender);
    expect(await within('an error', failed, 10_000)).to.include({ code: 'ETIMEDOUT' });
  });

  it('a station of J1939 that is gone is told by an event', async () => {
    const station = own(
      peer(`
        const socket = new J1939Socket();
        await socket.bind({ interface: '${can.name}', address: 0x21 });
      `),
    );
    expect(await station.line()).to.equal('ready');
    const sender = own(new J1939Socket({ events: true }));
    await sender.bind({ interface: can.name, address: 0x20 });
    const to = { interface: can.name, address: 0x21, pgn: 0x1f00 };
    const fate = async (id: number): Promise<string> => {
      for (;;) {
        const event = await within('an event', sender.recvEvent());
        if (event.id === id && event.kind !== 'TX_SCHED') return event.kind;
      }
    };
    await sender.sendTo(pattern(100), to);
    expect(await fate(0)).to.equal('TX_ACK');
    await kill(station);
    await sender.sendTo(pattern(100), to);
    expect(await fate(1)).to.equal('TX_ABORT');
  });
});

describeIf(hasRaw, 'a cable that is pulled', function () {
  this.timeout(20_000);
  const own = cleaner();

  it('ends what waits at both ends', async () => {
    const [left, right] = [freshName(), freshName()];
    addLinkSync({ kind: 'vxcan', name: left, peer: { name: right } });
    for (const name of [left, right]) setLinkSync(name, { up: true });
    const ends = [left, right].map((name) => {
      const socket = own(new CanRawSocket());
      socket.bindSync({ interface: name });
      return socket;
    });
    const waiting = ends.map((socket) => rejection(socket.recvFrames()));
    await delay(10);
    removeInterface(left);
    for (const error of await within('errors', Promise.all(waiting))) {
      expect(error.code).to.be.oneOf(['ENODEV', 'ENETDOWN']);
    }
  });
});

/** Removing a module takes away all interfaces of its kind: not on somebody's machine. */
const ownModule = [
  ...hasRaw,
  capability({
    name: 'the kernel lab',
    remedy: 'npm run test:lab can',
    probe: () => inLab && execFileSync('lsmod', { encoding: 'utf8' }).includes('vcan'),
  }),
];

describeIf(ownModule, 'a controller that is unplugged, its driver removed', function () {
  this.timeout(60_000);
  const own = cleaner();
  afterEach(() => execFileSync('modprobe', ['vcan']));

  it('ends what waits, and what is sent; the next one can be used', async () => {
    const name = addInterface();
    const at = { interface: name };
    const [raw, batch] = [own(new CanRawSocket({ filters: [] })), own(new CanRawSocket({ filters: [] }))];
    const all = own(new CanRawSocket());
    await raw.bind(at);
    await batch.bind(at);
    await all.bind({ interface: '' });
    const jobs = own(new BcmSocket());
    await jobs.connect(at);
    jobs.txSetup({ frames: { id: 1 }, interval: 500 });
    const connection = own(new IsotpSocket());
    await connection.bind({ ...at, rxId: 2, txId: 3 });
    const waiting = [
      rejection(raw.recvFrame()),
      rejection(batch.recvFrames()),
      rejection(jobs.recvEvent()),
      rejection(connection.recvPdu()),
    ];
    await delay(10);
    execFileSync('rmmod', ['vcan']);
    for (const error of await within('errors', Promise.all(waiting), 10_000)) {
      expect(error.code).to.be.oneOf(['ENODEV', 'ENETDOWN', 'EADDRNOTAVAIL']);
    }
    expect(await rejection(raw.sendFrame({ id: 1 }, at))).to.include({ code: 'ENODEV' });
    expect(await rejection(connection.send('x'))).to.have.property('code');
    while (all.tryRecvFrame() !== null);

    execFileSync('modprobe', ['vcan']);
    const next = addInterface();
    await raw.bind({ interface: next });
    await raw.sendFrame({ id: 9 });
    const { frame, interface: from } = await within('a frame', all.recvFrame());
    expect([formatFrame(frame), from]).to.deep.equal(['009#', next]);
    removeInterface(next);
  });
});
