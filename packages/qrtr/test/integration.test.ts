import { MessageBatch, Socket } from '@sock/core';
import {
  findServices,
  QRTR_PORT_CTRL,
  QRTR_TYPE_DEL_CLIENT,
  type QrtrAddress,
  type QrtrControl,
  type QrtrData,
  type QrtrLookup,
  type QrtrPacket,
  type QrtrServer,
  type QrtrService,
  type QrtrServiceEvent,
  QrtrSocket,
  qrtr,
  type RecvPacketOptions,
  watchServices,
} from '@sock/qrtr';
import { cleaner, describeIf, python, rejection, scaled, startPython, thrown, within } from '@sock/testkit';
import { expect } from 'chai';

let serial = 5000;

describeIf('AF_QIPCRTR', 'QRTR', function () {
  this.timeout(20_000);
  const own = cleaner();

  function bound(): QrtrSocket {
    const socket = own(new QrtrSocket());
    socket.bindSync({ node: socket.node, port: 0 });
    socket.timeout = scaled(5000);
    return socket;
  }

  it('the kernel agrees with the codec about what a socket is bound to', () => {
    const socket = own(new QrtrSocket());
    const { node } = socket;
    expect(socket.getsockname()).to.deep.equal({ node, port: 0 });
    socket.bindSync({ node, port: 0x4abc });
    expect(socket.getsockname()).to.deep.equal({ node, port: 0x4abc });
    expect(thrown(() => own(new QrtrSocket()).bindSync({ node, port: 0x4abc })).code).to.equal('EADDRINUSE');
    expect(thrown(() => own(new QrtrSocket()).bindSync({ node, port: QRTR_PORT_CTRL })).code).to.equal('EADDRINUSE');
    expect(thrown(() => own(new QrtrSocket()).bindSync({ node: node + 1, port: 0 })).message).to.include('own node');
    expect(thrown(() => new Socket(qrtr, 1)).message).to.include('SOCK_DGRAM only');
  });

  it('messages go from port to port', async () => {
    const [a, b] = [bound(), bound()];
    await a.sendTo('hello', b.getsockname());
    const packet: QrtrPacket = await b.recvPacket();
    expect(packet).to.deep.equal({
      kind: 'data',
      data: Buffer.from('hello'),
      truncated: false,
      address: a.getsockname(),
    });
    await b.connect(a.getsockname());
    await b.send('0123456789');
    const options: RecvPacketOptions = { size: 4 };
    const { data, truncated } = a.recvPacketSync(options) as QrtrData;
    expect([data.toString(), truncated]).to.deep.equal(['0123', true]);
    expect(a.tryRecvPacket()).to.equal(null);
  });

  it('what cannot be sent says why', async () => {
    const socket = bound();
    const { node, port } = socket.getsockname();
    expect((await rejection(socket.sendTo('x', { node, port }))).message).to.include("the socket's own");
    expect((await rejection(socket.sendTo('x', { node, port: 0x7fee }))).code).to.equal('ENODEV');
    expect((await rejection(socket.sendTo('x', { node: node + 70, port: 1 }))).code).to.be.oneOf([
      'ECONNRESET',
      'EHOSTUNREACH',
    ]);
    expect((await rejection(socket.send('x'))).code).to.equal('ENOTCONN');
  });

  it('a batch that cannot be sent whole says how much was, and sends nothing twice', async () => {
    const [a, b] = [bound(), bound()];
    const to = b.getsockname();
    const batch = new MessageBatch<QrtrAddress>({ count: 4, size: 8 });
    batch.push('one', to);
    batch.push('two', to);
    batch.push('nobody', { ...to, port: 0x7fee });
    batch.push('four', to);
    expect(await rejection(a.sendBatch(batch))).to.include({ code: 'ENODEV', syscall: 'sendmmsg', transferred: 2 });
    expect([b.recvSync(8).toString(), b.recvSync(8).toString()]).to.deep.equal(['one', 'two']);
    expect(b.tryRecv(8)).to.equal(null);
  });

  it('a receiver that does not read makes senders fail, and loses nothing of what was sent', async () => {
    const [sender, slow] = [bound(), bound()];
    let sent = 0;
    let code: string | undefined;
    while (code === undefined && sent < 10_000) {
      await sender.sendTo(Buffer.alloc(1000), slow.getsockname()).then(
        () => sent++,
        (error: { code: string }) => {
          code = error.code;
        },
      );
    }
    expect(code).to.equal('ENOSPC');
    for (let read = 0; read < sent; read++) expect((await slow.recv(2000)).length).to.equal(1000);
    expect(slow.tryRecv(1)).to.equal(null);
  });

  describe('the name service', () => {
    it('tells what is offered, what comes and what goes, with the socket too', async () => {
      const service = ++serial;
      const lookup: QrtrLookup = { service };
      const server = bound();
      const address = server.getsockname();
      expect(await findServices(lookup)).to.deep.equal([]);
      const offer: QrtrService = { service, instance: 7 };
      await server.publish(offer);
      const found: QrtrServer[] = await findServices(lookup);
      expect(found).to.deep.equal([{ service, instance: 7, address }]);
      expect(await findServices({ service, instance: 8 })).to.deep.equal([]);
      const events: string[] = [];
      for await (const event of watchServices(lookup)) {
        const { kind, instance }: QrtrServiceEvent = event;
        events.push(`${kind} ${instance}`);
        if (events.length === 1) await server.withdraw(offer);
        if (events.length === 2) await server.publish({ service });
        if (events.length === 3) server.close();
        if (events.length === 4) break;
      }
      expect(events).to.deep.equal(['published 7', 'withdrawn 7', 'published 0', 'withdrawn 0']);
    });

    it('tells servers of clients that are gone', async () => {
      const server = bound();
      await server.publish({ service: ++serial });
      const client = bound();
      await client.sendTo('hello', server.getsockname());
      expect((await server.recvPacket()).kind).to.equal('data');
      const { node, port } = client.getsockname();
      client.close();
      for await (const packet of server.packets()) {
        if (packet.kind !== 'control') continue;
        const { packet: told, address }: QrtrControl = packet;
        if (told.type !== QRTR_TYPE_DEL_CLIENT || told.port !== port) continue;
        expect(told).to.deep.equal({ type: QRTR_TYPE_DEL_CLIENT, node, port });
        expect(address).to.deep.equal({ node, port: QRTR_PORT_CTRL });
        break;
      }
    });

    it('a watch ends with its signal', async () => {
      const abort = new AbortController();
      const pending = watchServices({ service: ++serial, signal: abort.signal }).next();
      abort.abort(new Error('enough'));
      expect((await rejection(within('the end of the watch', pending))).message).to.equal('enough');
      expect(await rejection(watchServices({ service: -1 }).next())).to.include({ argument: 'options.service' });
      expect(await rejection(bound().publish({ service: 0 }))).to.include({ argument: 'service.service' });
    });

    it('blocking programs and those that never wait reach it too', async () => {
      const service = ++serial;
      const server = bound();
      server.sendControlSync({ type: 4, service });
      const other = bound();
      expect(other.trySendControl({ type: 4, service })).to.equal(true);
      expect(await findServices({ service })).to.have.length(2);
    });
  });

  describeIf(python, 'beside Python', () => {
    it('the bytes are those that another program reads and writes', async () => {
      const socket = bound();
      const { node, port } = socket.getsockname();
      // it knows the number of the family, but not its addresses
      const other = own(
        startPython(`
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket(42, socket.SOCK_DGRAM)
to = struct.pack('=HxxII', 42, ${node}, ${port})
assert libc.sendto(s.fileno(), b'from Python', 11, 0, to, 12) == 11, ctypes.get_errno()
print(s.recv(100).decode())`),
      );
      const { data, address } = await socket.recvFrom(100, { timeout: scaled(20_000) });
      expect(data.toString()).to.equal('from Python');
      await socket.sendTo('to Python', address as { node: number; port: number });
      expect((await other.succeeded()).stdout).to.equal('to Python\n');
    });
  });
});
