import {
  CAN_ISOTP_DYN_FC_PARMS,
  CAN_ISOTP_HALF_DUPLEX,
  CAN_ISOTP_SF_BROADCAST,
  CAN_ISOTP_WAIT_TX_DONE,
  CANFD_BRS,
  CanRawSocket,
  canIsotpOpts,
  formatFrame,
  type IsotpInput,
  IsotpSocket,
  type IsotpSocketOptions,
  isotp,
  type ReceivedPdu,
  type RecvPduOptions,
} from '@sock/can';
import { Socket } from '@sock/core';
import { cleaner, delay, describeIf, FORMS, invoke, pattern, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { bus, hasIsotp } from './bus.js';

describeIf(hasIsotp, 'IsotpSocket', function () {
  this.timeout(20_000);
  const can = bus(72);
  const own = cleaner();
  const ids = { rxId: 0x7e8, txId: 0x7e0 };

  function open(options: IsotpSocketOptions = {}, address: Partial<IsotpInput> = ids): IsotpSocket {
    const socket = own(new IsotpSocket(options));
    socket.bindSync({ interface: can.name, ...address });
    socket.timeout = 5000;
    return socket;
  }

  /** The other end of a connection. */
  const peer = (options?: IsotpSocketOptions, { rxId = ids.rxId, txId = ids.txId }: Partial<IsotpInput> = {}) =>
    open(options, { rxId: txId, txId: rxId });

  function listener(): CanRawSocket {
    const socket = own(new CanRawSocket({ fd: true }));
    socket.bindSync({ interface: can.name });
    socket.timeout = 5000;
    return socket;
  }

  function frames(bus: CanRawSocket): string[] {
    const texts: string[] = [];
    for (let one = bus.tryRecvFrame(); one !== null; one = bus.tryRecvFrame()) texts.push(formatFrame(one.frame));
    return texts;
  }

  for (const form of FORMS) {
    it(`${form} form: messages of all lengths arrive, with their time`, async () => {
      const a = open();
      const b = peer();
      for (const size of [1, 7, 8, 100, 4095]) {
        const sent = pattern(size, size);
        expect(await invoke(form === 'try' ? 'sync' : form, a, 'send', sent)).to.equal(size);
        if (form !== 'promise') await b.waitReadable();
        const received = (await invoke(form, b, 'recvPdu')) as ReceivedPdu;
        expect(received.data.equals(sent), `${size} bytes`).to.equal(true);
        expect(received).to.include({ truncated: false, interface: can.name, dropped: 0, hardwareTimestamp: null });
        expect(received.timestamp).to.be.a('bigint');
      }
      expect(b.tryRecvPdu()).to.equal(null);
    });
  }

  it('longer messages than there is room for say so', async () => {
    const a = open({ timestamps: false });
    const b = peer({ timestamps: false });
    await a.send('0123456789');
    const options: RecvPduOptions = { size: 4 };
    const received = await b.recvPdu(options);
    expect(received).to.deep.include({ data: Buffer.from('0123'), truncated: true, timestamp: null });
  });

  it('the frames on the bus are those of ISO 15765-2', async () => {
    const bus = listener();
    const a = open({ txPadding: 0xaa });
    const b = peer({ flowControl: { blockSize: 1, stMin: 0 } });
    await a.send('abc');
    await b.recv(10);
    await a.send('0123456789abcdefghij');
    await b.recv(100);
    expect(frames(bus)).to.deep.equal([
      '7E0#03616263AAAAAAAA',
      '7E0#1014303132333435',
      '7E8#300100',
      '7E0#2136373839616263',
      '7E8#300100',
      '7E0#226465666768696A',
    ]);
  });

  it('extended identifiers, and extended addressing both ways', async () => {
    const bus = listener();
    const address = { rxId: 0x18da10f1, txId: 0x18daf110 };
    const a = open({ extAddress: 0x11, rxExtAddress: 0x22 }, address);
    const b = peer({ extAddress: 0x22, rxExtAddress: 0x11 }, address);
    expect(a.getsockname()).to.deep.equal({ interface: can.name, ...address });
    await a.send('ping');
    expect((await b.recvPdu()).data.toString()).to.equal('ping');
    await b.send('pong');
    expect((await a.recvPdu()).data.toString()).to.equal('pong');
    expect(frames(bus)).to.deep.equal(['18DAF110#110470696E67', '18DA10F1#2204706F6E67']);
    const same = { extAddress: 0x33 };
    const c = open(same, { rxId: 0x101, txId: 0x100 });
    await c.send('x');
    expect(frames(bus)).to.deep.equal(['100#330178']);
  });

  it('padding is checked where asked for', async () => {
    const bus = listener();
    const b = peer({ rxPadding: 0x55, checkPadding: 'both' });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('0178aaaaaaaaaaaa', 'hex') });
    expect(await rejection(b.recv(10))).to.include({ code: 'EBADMSG' });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('0179555555555555', 'hex') });
    expect((await b.recv(10)).toString()).to.equal('y');
    const length = peer({ rxPadding: 0x55, checkPadding: 'length' }, { rxId: 1, txId: 2 });
    await bus.sendFrame({ id: 2, data: Buffer.from('0178', 'hex') });
    expect(await rejection(length.recv(10))).to.include({ code: 'EBADMSG' });
    const content = peer({ rxPadding: 0x55, checkPadding: 'content' }, { rxId: 3, txId: 4 });
    await bus.sendFrame({ id: 4, data: Buffer.from('0178ff', 'hex') });
    expect(await rejection(content.recv(10))).to.include({ code: 'EBADMSG' });
  });

  it('CAN FD carries it with the link-layer options', async () => {
    const bus = listener();
    const linkLayer = { mtu: 72, txDl: 64, txFlags: CANFD_BRS };
    const a = open({ linkLayer });
    const b = peer({ linkLayer });
    await a.send(Buffer.alloc(62, 0x41));
    expect((await b.recvPdu()).data).to.have.length(62);
    expect(frames(bus)).to.deep.equal([`7E0##1003E${'41'.repeat(62)}`]);
    await a.send(Buffer.alloc(500, 0x42));
    expect((await b.recvPdu()).data).to.have.length(500);
  });

  it('functional addressing: single frames to many, which answer', async () => {
    const bus = listener();
    const tester = open({ broadcast: 'single' }, { txId: 0x7df });
    await tester.send(Buffer.of(0x3e, 0x80));
    expect(frames(bus)).to.deep.equal(['7DF#023E80']);
    const error = await rejection(tester.send(Buffer.alloc(8)));
    expect(error).to.include({ code: 'EINVAL' });
    expect(error.message).to.include('CAN_ISOTP_SF_BROADCAST');
    expect(tester.getOption(canIsotpOpts).flags & CAN_ISOTP_SF_BROADCAST).to.equal(CAN_ISOTP_SF_BROADCAST);
  });

  it('longer messages to many, without flow control', async () => {
    const sender = open({ broadcast: 'consecutive', txStMin: 0.1 }, { txId: 0x7df });
    const receivers = [1, 2].map(() => open({ listen: true }, { rxId: 0x7df, txId: 0 }));
    await sender.send(pattern(200));
    for (const receiver of receivers) {
      const { data } = await receiver.recvPdu();
      expect(data.equals(pattern(200))).to.equal(true);
    }
  });

  it('who only listens hears what others exchange', async () => {
    const a = open();
    const b = peer();
    const ear = open({ listen: true }, { rxId: ids.txId, txId: ids.rxId });
    await a.send(pattern(100));
    await b.recvPdu();
    expect((await ear.recvPdu()).data.equals(pattern(100))).to.equal(true);
  });

  it('gaps are kept: what the receiver asks for, or what the sender has been told', async () => {
    const took = async (a: IsotpSocket, b: IsotpSocket): Promise<number> => {
      const started = performance.now();
      await a.transmit(Buffer.alloc(6 + 7 * 5));
      await b.recv(100);
      return performance.now() - started;
    };
    expect(await took(open(), peer({ flowControl: { stMin: 10 } }))).to.be.at.least(40);
    const address = { rxId: 0x101, txId: 0x102 };
    expect(await took(open({ txStMin: 12.5, frameTxTime: 0.1 }, address), peer({}, address))).to.be.at.least(50);
  });

  it('frames that come too fast are ignored where asked for', async () => {
    const bus = listener();
    const b = peer({ rxStMin: 1000 });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('1010303132333435', 'hex') });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('2136373839616263', 'hex') });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('22646566', 'hex') });
    expect(await rejection(b.recv(100, { timeout: 3000 }))).to.include({ code: 'ETIMEDOUT' });
  });

  it('half duplex: an own message ends the reception of another', async () => {
    const a = open({ halfDuplex: true });
    const b = peer({ halfDuplex: true });
    await a.send('to b');
    expect((await b.recv(10)).toString()).to.equal('to b');
    await b.send('to a');
    expect((await a.recv(10)).toString()).to.equal('to a');
  });

  it('transmit ends when all is sent, in both forms', async () => {
    const bus = listener();
    const a = open();
    peer();
    await within('transmission', a.transmit(Buffer.alloc(100)));
    expect(frames(bus).filter((text) => text.startsWith('7E0#2'))).to.have.length(14);
    a.transmitSync(Buffer.alloc(50));
    expect(frames(bus).filter((text) => text.startsWith('7E0#2'))).to.have.length(7);
  });

  it('transmit tells what went wrong, and the next message goes out', async () => {
    const a = open();
    const alone = await rejection(a.transmit(Buffer.alloc(100)));
    expect(alone).to.include({ name: 'SocketError', code: 'ECOMM', errno: -70, syscall: 'send' });
    expect(alone.message).to.include('no flow control');
    expect(thrown(() => a.transmitSync(Buffer.alloc(100)))).to.include({ code: 'ECOMM' });
    const bus = listener();
    const refused = rejection(a.transmit(Buffer.alloc(100)));
    await bus.recvFrame();
    await bus.sendFrame({ id: ids.rxId, data: Buffer.of(0x32, 0, 0) });
    expect(await refused).to.include({ code: 'EMSGSIZE' });
    const b = peer();
    await a.transmit(Buffer.alloc(100, 1));
    expect((await b.recvPdu()).data).to.have.length(100);
  });

  it('with waitTxDone send itself tells it', async () => {
    const a = open({ waitTxDone: true });
    expect(thrown(() => a.sendSync(Buffer.alloc(100)))).to.include({ code: 'ECOMM' });
    await a.send('short');
  });

  it('without it the next operation tells it', async () => {
    const a = open();
    await a.send(Buffer.alloc(100));
    expect(await rejection(a.recv(10))).to.include({ code: 'ECOMM' });
  });

  it('a message whose rest does not come, or comes wrong, is an error and then over', async () => {
    const bus = listener();
    const b = peer();
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('1010303132333435', 'hex') });
    const late = await rejection(b.recv(100));
    expect(late).to.include({ name: 'SocketError', code: 'ETIMEDOUT' });
    expect(late.message).to.include('rest of a message');
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('1010303132333435', 'hex') });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('2536373839616263', 'hex') });
    expect(await rejection(b.recv(100))).to.include({ code: 'EILSEQ' });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('0178', 'hex') });
    expect((await b.recv(100)).toString()).to.equal('x');
  });

  it('garbage on the bus is no message', async () => {
    const bus = listener();
    const b = peer();
    const garbage = [
      '',
      '00',
      '0801',
      '1000',
      '10',
      '2100',
      '30',
      '3000',
      '31',
      '40',
      'ff',
      'ffffffffffffffff',
      '0978',
    ];
    for (const digits of garbage) await bus.sendFrame({ id: ids.txId, data: Buffer.from(digits, 'hex') });
    await bus.sendFrame({ kind: 'fd', id: ids.txId, data: Buffer.alloc(64, 0xff) });
    await bus.sendFrame({ id: ids.txId, data: Buffer.from('0178', 'hex') });
    let data: Buffer | undefined;
    while (data === undefined) {
      await b.recv(100).then(
        (received) => {
          data = received;
        },
        (error) => expect(error).to.have.property('code').that.is.oneOf(['EBADMSG', 'EILSEQ', 'ETIMEDOUT']),
      );
    }
    expect(data.toString()).to.equal('x');
  });

  it('messages in a row wait for each other', async () => {
    const a = open();
    const b = peer();
    const sent = Array.from({ length: 5 }, (_, i) => pattern(100 + i, i + 1));
    const sending = Promise.all(sent.map((data) => a.send(data)));
    for (const data of sent) expect((await b.recvPdu()).data.equals(data)).to.equal(true);
    await sending;
    expect(await rejection(a.send(Buffer.alloc(0)))).to.include({ code: 'EINVAL' });
  });

  it('pdus() gives them as they come, until the socket is closed', async () => {
    const a = open();
    const b = peer();
    const seen: string[] = [];
    await a.send('one');
    setImmediate(() => a.sendSync('two'));
    for await (const { data } of b.pdus()) {
      seen.push(data.toString());
      if (seen.length === 2) setImmediate(() => b.close());
    }
    expect(seen).to.deep.equal(['one', 'two']);
  });

  it('flags are those that were asked for', () => {
    const socket = open({ dynamicFlowControl: true, halfDuplex: true, waitTxDone: true });
    expect(socket.getOption(canIsotpOpts).flags).to.equal(
      CAN_ISOTP_DYN_FC_PARMS | CAN_ISOTP_HALF_DUPLEX | CAN_ISOTP_WAIT_TX_DONE,
    );
  });

  it('what it does not take is told', async () => {
    const a = own(new IsotpSocket());
    const unbound = await rejection(a.send('x'));
    expect(unbound).to.include({ code: 'EADDRNOTAVAIL' });
    expect(unbound.message).to.include('not bound');
    expect(await rejection(a.bind({ interface: can.name, rxId: 5, txId: 5 }))).to.include({ code: 'EADDRNOTAVAIL' });
    await a.bind({ interface: can.name, ...ids });
    const late = thrown(() => a.setOption(canIsotpOpts, {}));
    expect(late).to.include({ code: 'EISCONN' });
    expect(late.message).to.include('before the socket is bound');
    expect(await rejection(a.recvPdu({ size: -1 }))).to.include({ argument: 'size' });
    await delay(0);
    expect(await rejection(a.bind({ interface: can.name, ...ids }))).to.include({ code: 'EINVAL' });
  });

  it('plain sockets do too', async () => {
    const a = own(new Socket(isotp));
    await a.bind({ interface: can.name, ...ids });
    const b = peer();
    await a.send('plain');
    expect((await b.recvPdu()).data.toString()).to.equal('plain');
  });
});
