import {
  CanRawSocket,
  formatFrame,
  J1939_NO_ADDR,
  J1939_PGN_REQUEST,
  type J1939Event,
  J1939Socket,
  type J1939SocketOptions,
  type J1939Station,
  j1939,
  packJ1939Id,
  type ReceivedGroup,
  type RecvGroupOptions,
  scmJ1939DestAddr,
  scmJ1939ErrQueue,
  scmJ1939Prio,
  soJ1939SendPrio,
} from '@sock/can';
import { MSG_ERRQUEUE, SCM_TSTAMP_SCHED, SO_EE_ORIGIN_TIMESTAMPING, Socket, soBroadcast } from '@sock/core';
import { cleaner, describeIf, FORMS, invoke, pattern, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { bus, hasJ1939 } from './bus.js';

/** A group of PDU1 format, for one destination. */
const DIRECTED = 0x1f00;
/** A group of PDU2 format, for all. */
const OPEN = 0x1fe00;

describeIf(hasJ1939, 'J1939Socket', function () {
  this.timeout(20_000);
  const can = bus();
  const own = cleaner();

  function open(address: number, options?: J1939SocketOptions): J1939Socket {
    const socket = own(new J1939Socket(options));
    socket.bindSync({ interface: can.name, address });
    socket.timeout = 5000;
    return socket;
  }

  const to = (address: number, pgn = DIRECTED) => ({ interface: can.name, address, pgn });
  const all = (pgn: number) => ({ interface: can.name, pgn });

  for (const form of FORMS) {
    it(`${form} form: messages of all lengths arrive, with sender, destination, priority and time`, async () => {
      const a = open(0x20, { priority: 3 });
      const b = open(0x21);
      for (const size of [1, 8, 9, 100, 1785]) {
        const sent = pattern(size, size);
        expect(await invoke(form, a, 'sendTo', sent, to(0x21))).to.equal(size);
        if (form === 'try') await b.waitReadable();
        const received = (await invoke(form, b, 'recvGroup')) as ReceivedGroup;
        expect(received.data.equals(sent), `${size} bytes`).to.equal(true);
        const source: J1939Station = { address: 0x20, name: 0n };
        expect(received).to.deep.include({ pgn: DIRECTED, source, destination: { address: 0x21, name: 0n } });
        expect(received).to.include({ interface: can.name, truncated: false, dropped: 0, hardwareTimestamp: null });
        if (size <= 8) expect(received.priority).to.equal(3);
        if (size <= 8) expect(received.timestamp).to.be.a('bigint');
      }
      expect(b.tryRecvGroup()).to.equal(null);
    });
  }

  it('the frames on the bus are those of the standard', async () => {
    const bus = own(new CanRawSocket());
    await bus.bind({ interface: can.name });
    const a = open(0x20, { broadcast: true });
    await a.sendTo('hi', to(0x21));
    await a.sendTo('all', all(OPEN));
    expect(formatFrame((await bus.recvFrame()).frame)).to.equal('181F2120#6869');
    expect(formatFrame((await bus.recvFrame()).frame)).to.equal('19FE0020#616C6C');
    a.setOption(soJ1939SendPrio, 2);
    await a.sendTo('hi', to(0x21));
    expect((await bus.recvFrame()).frame).to.include({
      id: packJ1939Id({ priority: 2, pgn: DIRECTED, destination: 0x21, source: 0x20 }),
    });
  });

  it('broadcasts need leave to be sent, and an ear to be heard', async () => {
    const a = open(0x20);
    const deaf = open(0x21);
    const ear = open(0x22, { broadcast: true });
    const error = await rejection(a.sendTo('x', all(OPEN)));
    expect(error).to.include({ code: 'EACCES' });
    expect(error.message).to.include('SO_BROADCAST');
    a.setOption(soBroadcast, true);
    await a.sendTo('everybody', all(OPEN));
    const received = await ear.recvGroup();
    expect(received).to.deep.include({ pgn: OPEN, destination: { address: J1939_NO_ADDR, name: 0n } });
    expect(received.data.toString()).to.equal('everybody');
    expect(deaf.tryRecvGroup()).to.equal(null);
  });

  it('promiscuous sockets hear what is for others', async () => {
    const a = open(0x20);
    const b = open(0x21);
    const ear = open(0x22, { promiscuous: true, timestamps: false });
    await a.sendTo('secret', to(0x21));
    await b.recvGroup();
    const overheard = await ear.recvGroup();
    expect(overheard.destination.address).to.equal(0x21);
    expect(overheard.timestamp).to.equal(null);
  });

  it('filters choose by sender and group', async () => {
    const b = open(0x21, { filters: [{ address: 0x20, pgn: DIRECTED }, { pgn: 0x1e00 }] });
    const senders = [open(0x20), open(0x22)];
    for (const a of senders) {
      await a.sendTo('f', to(0x21));
      await a.sendTo('e', to(0x21, 0x1e00));
    }
    // the kernel sends a station's messages one after the other: not all of them are here when they were taken over
    const seen: string[] = [];
    while (seen.length < 3) {
      const { source, data } = await b.recvGroup();
      seen.push(`${source.address} ${data}`);
    }
    expect(seen).to.deep.equal(['32 f', '32 e', '34 e']);
    expect(b.tryRecvGroup()).to.equal(null);
  });

  it('a group to bind to is all that comes, and one to connect to is what goes', async () => {
    const b = own(new J1939Socket());
    await b.bind({ interface: can.name, address: 0x21, pgn: DIRECTED });
    const a = open(0x20);
    await a.sendTo('no', to(0x21, 0x1e00));
    await a.connect(to(0x21));
    expect(a.getpeername()).to.deep.equal({ interface: can.name, address: 0x21, pgn: DIRECTED, name: 0n });
    await a.send('yes');
    expect((await b.recvGroup()).data.toString()).to.equal('yes');
    expect(b.tryRecvGroup()).to.equal(null);
  });

  it('longer messages than there is room for say so', async () => {
    const a = open(0x20);
    const b = open(0x21);
    await a.sendTo('0123456789', to(0x21));
    const options: RecvGroupOptions = { size: 4 };
    expect(await b.recvGroup(options)).to.deep.include({ data: Buffer.from('0123'), truncated: true });
  });

  it('very long messages arrive, over the extended transport protocol', async () => {
    const a = open(0x20);
    const b = open(0x21);
    const sent = pattern(5000);
    await a.sendTo(sent, to(0x21));
    expect((await b.recvGroup()).data.equals(sent)).to.equal(true);
  });

  it('groups() gives them as they come, until the socket is closed', async () => {
    const a = open(0x20);
    const b = open(0x21);
    const seen: string[] = [];
    await a.sendTo('one', to(0x21));
    setImmediate(() => a.sendToSync('two', to(0x21)));
    for await (const { data } of b.groups()) {
      seen.push(data.toString());
      if (seen.length === 2) setImmediate(() => b.close());
    }
    expect(seen).to.deep.equal(['one', 'two']);
  });

  describe('events', () => {
    it('tell of the progress of what is sent', async () => {
      const a = open(0x20, { events: true });
      const b = open(0x21);
      await a.sendTo('short', to(0x21));
      await a.sendTo(pattern(500), to(0x21));
      expect((await b.recvGroup()).data).to.have.length(5);
      expect((await b.recvGroup()).data).to.have.length(500);
      const events: J1939Event[] = [];
      while (!events.some(({ kind, id }) => kind === 'TX_ACK' && id === 1)) events.push(await a.recvEvent());
      const acknowledged = events.filter(({ kind }) => kind === 'TX_ACK');
      expect(acknowledged.map(({ id, bytes, code }) => ({ id, bytes, code }))).to.deep.equal([
        { id: 0, bytes: 5, code: null },
        { id: 1, bytes: 500, code: null },
      ]);
      for (const { timestamp } of events) expect(timestamp).to.be.a('bigint');
      expect(events.some(({ kind, id }) => kind === 'TX_SCHED' && id === 0)).to.equal(true);
    });

    it('tell of what is coming', async () => {
      const a = open(0x20);
      const b = open(0x21, { events: true });
      await a.sendTo(pattern(500), to(0x21));
      expect(await b.recvEvent()).to.deep.include({
        kind: 'RX_RTS',
        total: 500,
        pgn: DIRECTED,
        source: { address: 0x20, name: 0n },
        destination: { address: 0x21, name: 0n },
      });
      expect((await b.recvGroup()).data).to.have.length(500);
    });

    it('tell of the next part of what is very long', async () => {
      const a = open(0x20);
      const b = open(0x21, { events: true });
      await a.sendTo(pattern(3000), to(0x21));
      expect(await b.recvEvent()).to.include({ kind: 'RX_RTS', total: 3000 });
      expect(await b.recvEvent()).to.include({ kind: 'RX_DPO' });
      expect((await b.recvGroup()).data).to.have.length(3000);
    });

    it('tell that nobody answered, in three forms', async () => {
      const a = open(0x20, { events: true });
      expect(a.tryRecvEvent()).to.equal(null);
      await a.sendTo(pattern(100), to(0x99));
      expect(await a.recvEvent()).to.include({ kind: 'TX_ABORT', id: 0, code: 'EHOSTUNREACH', bytes: 0 });
      await a.sendTo(pattern(100), to(0x99));
      expect(a.recvEventSync()).to.include({ kind: 'TX_ABORT', id: 1 });
      await a.sendTo(pattern(100), to(0x99));
      for (;;) {
        const event = a.tryRecvEvent();
        if (event !== null) {
          expect(event).to.include({ kind: 'TX_ABORT', id: 2 });
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });

    it('tell that the sender gave up', async () => {
      const b = open(0x21, { events: true });
      const bus = own(new CanRawSocket());
      await bus.bind({ interface: can.name });
      const control = { id: packJ1939Id({ priority: 7, pgn: 0xec00, destination: 0x21, source: 0x20 }) };
      const group = [DIRECTED & 0xff, (DIRECTED >> 8) & 0xff, DIRECTED >> 16];
      await bus.sendFrame({ ...control, data: Uint8Array.of(16, 100, 0, 15, 255, ...group) });
      expect(await b.recvEvent()).to.include({ kind: 'RX_RTS', total: 100 });
      await bus.sendFrame({ ...control, data: Uint8Array.of(255, 1, 255, 255, 255, ...group) });
      const event = await b.recvEvent();
      expect(event).to.include({ kind: 'RX_ABORT' });
      expect(event.code).to.be.a('string');
    });

    it('are an iterator until the socket is closed, and raw entries of the error queue', async () => {
      const a = open(0x20, { events: true });
      await a.sendTo('x', to(0x21));
      for await (const { kind } of a.events()) {
        expect(kind).to.be.oneOf(['TX_SCHED', 'TX_ACK']);
        if (kind === 'TX_ACK') setImmediate(() => a.close());
      }
      const raw = open(0x20, { events: true });
      await raw.sendTo('x', to(0x21));
      const { ancillary } = await raw.recvMsg(100, 512, { flags: MSG_ERRQUEUE });
      const entry = scmJ1939ErrQueue.find(ancillary);
      expect(entry).to.include({ origin: SO_EE_ORIGIN_TIMESTAMPING, info: SCM_TSTAMP_SCHED, code: null });
    });

    it('are given up by timeouts and signals', async () => {
      const a = open(0x20, { events: true });
      expect(await rejection(a.recvEvent({ timeout: 10 }))).to.include({ name: 'SocketTimeoutError' });
      expect(thrown(() => a.recvEventSync({ timeout: 10 }))).to.include({ code: 'ETIMEDOUT' });
      const reason = new Error('enough');
      expect(await rejection(a.recvEvent({ signal: AbortSignal.abort(reason) }))).to.equal(reason);
      expect(await rejection(a.recvEvent(1 as unknown as object))).to.include({ argument: 'options' });
    });
  });

  it('what it does not take is told', async () => {
    const a = own(new J1939Socket());
    const unbound = await rejection(a.sendTo('x', to(1)));
    expect(unbound).to.include({ code: 'EBADFD' });
    expect(unbound.message).to.include('bound first');
    expect(await rejection(a.connect(to(1)))).to.include({ code: 'EINVAL' });
    await a.bind({ interface: can.name, address: 0x20 });
    expect(await rejection(a.sendTo('x', { interface: '', address: 1 }))).to.include({ argument: 'address.interface' });
    expect(await rejection(own(new J1939Socket()).bind({ interface: 'lo', address: 1 }))).to.include({
      code: 'ENODEV',
    });
  });

  it('plain sockets have it all in control messages', async () => {
    const a = open(0x20);
    const b = own(new Socket(j1939));
    await b.bind({ interface: can.name, address: 0x21 });
    await a.sendTo('plain', to(0x21));
    const { data, address, ancillary } = await within('a message', b.recvMsg(100, 256));
    expect(data.toString()).to.equal('plain');
    expect(address).to.deep.equal({ interface: can.name, address: 0x20, pgn: DIRECTED, name: 0n });
    expect(scmJ1939DestAddr.find(ancillary)).to.equal(0x21);
    expect(scmJ1939Prio.find(ancillary)).to.equal(6);
    const request = Buffer.alloc(3);
    request.writeUIntLE(DIRECTED, 0, 3);
    await a.sendTo(request, to(0x21, J1939_PGN_REQUEST));
    expect((await b.recvFrom(8)).address).to.include({ pgn: J1939_PGN_REQUEST });
  });
});
