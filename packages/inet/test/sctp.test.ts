import {
  MSG_EOR,
  MSG_NOTIFICATION,
  SHUT_WR,
  SOCK_SEQPACKET,
  SocketError,
  soLinger,
  soRcvBuf,
  soSndBuf,
} from '@sock/core';
import {
  createConnection,
  createServer,
  IPPROTO_SCTP,
  inet,
  inet6,
  SCTP_ABORT,
  SCTP_ADAPTATION_INDICATION,
  SCTP_ASSOC_CHANGE,
  SCTP_CANT_STR_ASSOC,
  SCTP_COMM_LOST,
  SCTP_COMM_UP,
  SCTP_EOF,
  SCTP_REMOTE_ERROR,
  SCTP_SENDALL,
  SCTP_SENDER_DRY_EVENT,
  SCTP_SHUTDOWN_COMP,
  SCTP_SHUTDOWN_EVENT,
  type SctpArrival,
  type SctpMessage,
  SctpSocket,
  sctpAdaptationLayer,
  sctpAutoClose,
  sctpDefaultSndInfo,
  sctpEvents,
  sctpGetAssocIdList,
  sctpGetAssocNumber,
  sctpRecvNxtInfo,
  sctpRecvRcvInfo,
  sctpStatus,
} from '@sock/inet';
import {
  delay,
  describeIf,
  FORMS,
  invoke,
  itIf,
  pattern,
  probe,
  rejection,
  startNode,
  thrown,
  turns,
  within,
} from '@sock/testkit';
import { Network, networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { sctp } from './capabilities.js';
import { next, Sockets, textOf } from './sctp-sockets.js';

describeIf(sctp, 'SctpSocket', function () {
  this.timeout(60_000);
  const sockets = new Sockets();
  afterEach(() => sockets[Symbol.dispose]());

  describe('one-to-one', () => {
    for (const form of FORMS) {
      it(`${form} forms: messages keep their bounds, and say their stream and what they are`, async () => {
        const [a, b] = await sockets.pair();
        const sent = await invoke(form, a, 'sendMessage', 'one', { stream: 2, ppid: 46 });
        expect(sent).to.equal(3);
        await invoke(form, a, 'sendMessage', Buffer.from('two'), { stream: 2, unordered: true });
        if (form === 'try') await b.waitReadable();
        const first = (await invoke(form, b, 'recvMessage')) as SctpMessage;
        const { assocId } = b.getOption(sctpStatus);
        expect(first).to.deep.include({ kind: 'message', data: Buffer.from('one'), complete: true, stream: 2 });
        expect(first).to.deep.include({ ppid: 46, unordered: false, ssn: 0, assocId, next: null });
        expect(first.address).to.deep.equal(a.getsockname());
        const second = (await invoke(form, b, 'recvMessage', { size: 100 })) as SctpMessage;
        expect(second).to.deep.include({ data: Buffer.from('two'), unordered: true, ppid: 0 });
        expect(b.tryRecvMessage()).to.equal(null);
      });
    }

    it('streams count their messages, each its own', async () => {
      const [a, b] = await sockets.pair();
      for (const stream of [0, 1, 1, 0, 5, 1]) a.sendMessageSync('x', { stream });
      const seen: [number, number][] = [];
      for (let i = 0; i < 6; i++) {
        const { stream, ssn } = await next(b, 'message');
        seen.push([stream, ssn]);
      }
      expect(seen).to.deep.equal([
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
        [5, 0],
        [1, 2],
      ]);
    });

    it('what there is no room for comes next', async () => {
      const [a, b] = await sockets.pair();
      await a.sendMessage('0123456789', { stream: 3, ppid: 7 });
      await a.sendMessage('next');
      const parts: [string, boolean, number][] = [];
      for (let i = 0; i < 4; i++) {
        const { data, complete, stream } = (await b.recvMessage({ size: 4 })) as SctpMessage;
        parts.push([data.toString(), complete, stream]);
      }
      expect(parts).to.deep.equal([
        ['0123', false, 3],
        ['4567', false, 3],
        ['89', true, 3],
        ['next', true, 0],
      ]);
    });

    it('long messages arrive whole', async () => {
      const [a, b] = await sockets.pair();
      for (const size of [1, 1452, 1453, 65_536, 100_000]) {
        const sent = pattern(size, size);
        const sending = a.sendMessage(sent);
        const pieces: Buffer[] = [];
        for (;;) {
          const { data, complete } = await next(b, 'message');
          pieces.push(data);
          if (complete) break;
        }
        await sending;
        expect(Buffer.concat(pieces).equals(sent), `${size} bytes`).to.equal(true);
      }
    });

    it('the end comes after what was sent before, and ends arrivals()', async () => {
      const [a, b] = await sockets.pair();
      await a.sendMessage('last words');
      a.shutdown(SHUT_WR);
      const kinds: string[] = [];
      for await (const arrival of b.arrivals()) kinds.push(arrival.kind === 'message' ? textOf(arrival) : arrival.kind);
      expect(kinds).to.deep.equal(['last words']);
      expect(await b.recvMessage()).to.deep.equal({ kind: 'end' });
      const after = await rejection(b.sendMessage('there is no half-close in SCTP'));
      expect(after.code).to.be.oneOf(['EPIPE', 'ECONNRESET', 'ENOTCONN']);
    });

    it('closing ends arrivals(), other errors go through it', async () => {
      const [a, b] = await sockets.pair();
      const seen: SctpArrival[] = [];
      setImmediate(() => b.close());
      for await (const arrival of b.arrivals()) seen.push(arrival);
      expect(seen).to.deep.equal([]);
      const failing = a.arrivals({ size: -1 });
      expect(await rejection(failing.next())).to.include({ argument: 'size' });
    });

    it('SO_LINGER 0 and close is an ABORT: ECONNRESET', async () => {
      const [a, b] = await sockets.pair();
      const receiving = rejection(b.recvMessage());
      await turns(2);
      a.setOption(soLinger, 0);
      a.close();
      expect(await within('the reset', receiving)).to.include({ code: 'ECONNRESET', syscall: 'recvmsg' });
    });

    it('a peer whose process dies is an end', async () => {
      const server = sockets.server();
      await using child = startNode(
        `import { SctpSocket } from '@sock/inet';
         const socket = new SctpSocket();
         await socket.connect(${JSON.stringify(server.getsockname())});
         await socket.sendMessage('here I am');
         await new Promise((resolve) => setTimeout(resolve, 600_000));`,
        { timeout: 30_000 },
      );
      const peer = sockets.own((await server.accept({ timeout: 60_000 })).socket);
      expect(textOf(await next(peer, 'message'))).to.equal('here I am');
      child.kill('SIGKILL');
      expect(await peer.recvMessage()).to.deep.equal({ kind: 'end' });
    });

    it('a refused connection, and one to nobody', async () => {
      const port = 9;
      for (const connect of ['connect', 'connectx'] as const) {
        const socket = sockets.one();
        const address = { host: '127.0.0.1', port };
        const error = await rejection(connect === 'connect' ? socket.connect(address) : socket.connectx([address]));
        expect(error).to.be.instanceOf(SocketError);
        expect(error).to.include({ code: 'ECONNREFUSED', syscall: connect });
      }
      const sync = sockets.one();
      expect(thrown(() => sync.connectxSync([{ host: '127.0.0.1', port }]))).to.include({ code: 'ECONNREFUSED' });
    });

    it('a slow receiver makes the sender wait, and gets everything', async () => {
      const [a, b] = await sockets.pair();
      a.setOption(soSndBuf, 20_000);
      b.setOption(soRcvBuf, 20_000);
      const count = 100;
      let sent = 0;
      const sending = (async () => {
        for (let i = 0; i < count; i++) {
          await a.sendMessage(pattern(1000, i + 1), { stream: i % 3 });
          sent++;
        }
      })();
      await delay(200);
      expect(sent).to.be.below(count);
      for (let i = 0; i < count; i++) {
        const { data, stream } = await next(b, 'message');
        if (stream !== i % 3 || !data.equals(pattern(1000, i + 1)))
          throw new Error(`message ${i} is not what was sent`);
      }
      await sending;
    });

    it('createServer and createConnection make them', async () => {
      await using server = await createServer({ host: '127.0.0.1', protocol: IPPROTO_SCTP });
      using client = await createConnection({
        port: server.getsockname().port,
        host: '127.0.0.1',
        protocol: IPPROTO_SCTP,
      });
      const { socket } = await server.accept();
      await client.sendAll('through TCP’s functions');
      expect((await socket.recv(100)).toString()).to.equal('through TCP’s functions');
      expect(client.getOption(sctpStatus).outStreams).to.be.greaterThan(0);
      socket.close();
    });

    itIf(networks, 'sockets of another network namespace', async () => {
      using network = new Network();
      const server = sockets.server({ namespace: network.fd });
      const client = sockets.one({ namespace: network.fd });
      await within('connect', client.connect(server.getsockname()));
      expect(await rejection(sockets.one().connect(server.getsockname()))).to.include({ code: 'ECONNREFUSED' });
    });

    it('an adopted socket gives streams too', async () => {
      const [a, b] = await sockets.pair();
      const adopted = sockets.own(SctpSocket.adopt(b.detach(), inet) as SctpSocket);
      await a.sendMessage('to whoever', { stream: 4 });
      expect(await adopted.recvMessage()).to.include({ stream: 4 });
    });

    itIf(probe('AF_INET6'), 'over IPv6', async () => {
      const [a, b] = await sockets.pair({ family: inet6 }, ['::1']);
      await a.sendMessage('six', { stream: 1 });
      const { address, stream } = await next(b, 'message');
      expect(stream).to.equal(1);
      expect(address).to.deep.equal(a.getsockname());
      expect(a.getpaddrs().map(({ host }) => host)).to.deep.equal(['::1']);
    });
  });

  describe('one-to-many', () => {
    it('one socket has many associations, which sending begins', async () => {
      const server = sockets.many();
      const clients = [sockets.many(), sockets.many(), sockets.many()];
      for (const [i, client] of clients.entries()) {
        await client.sendMessage(`from ${i}`, { address: server.getsockname(), stream: i });
      }
      const ids = new Map<string, number>();
      for (const _ of clients) {
        const message = await next(server, 'message');
        ids.set(textOf(message), message.assocId);
        expect(message.address).to.deep.equal(clients[message.stream]?.getsockname());
      }
      expect([...ids.keys()].sort()).to.deep.equal(['from 0', 'from 1', 'from 2']);
      expect(server.getOption(sctpGetAssocNumber)).to.equal(3);
      expect(server.getOption(sctpGetAssocIdList).sort()).to.deep.equal([...ids.values()].sort());
      for (const [text, assocId] of ids) await server.sendMessage(`back ${text}`, { assocId, context: 5 });
      for (const [i, client] of clients.entries())
        expect(textOf(await next(client, 'message'))).to.equal(`back from ${i}`);
      await server.sendMessage('to all', { infoFlags: SCTP_SENDALL });
      for (const client of clients) expect(textOf(await next(client, 'message'))).to.equal('to all');
    });

    it('notifications tell when an association begins and ends', async () => {
      const events = [SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT, SCTP_SENDER_DRY_EVENT, SCTP_ADAPTATION_INDICATION];
      const a = sockets.many({ events });
      const b = sockets.many({ events, initMsg: { outStreams: 3 } });
      b.setOption(sctpAdaptationLayer, 77);
      await b.sendMessage('x', { address: a.getsockname() });
      const up = await next(a, 'assocChange');
      expect(up).to.include({ state: SCTP_COMM_UP, inStreams: 3, error: 0 });
      expect(await next(a, 'adaptation')).to.include({ indication: 77, assocId: up.assocId });
      await next(a, 'message');
      await next(b, 'senderDry');
      await a.sendMessage('', { assocId: up.assocId, infoFlags: SCTP_EOF });
      const shutdown = await next(b, 'shutdown');
      expect(await next(b, 'assocChange')).to.include({ state: SCTP_SHUTDOWN_COMP, assocId: shutdown.assocId });
      expect(await next(a, 'assocChange')).to.include({ state: SCTP_SHUTDOWN_COMP, assocId: up.assocId });
      expect(a.getOption(sctpGetAssocNumber)).to.equal(0);
    });

    it('an aborted association is lost, with the reason', async () => {
      const a = sockets.many({ events: [SCTP_ASSOC_CHANGE, SCTP_REMOTE_ERROR] });
      const b = sockets.many();
      await b.sendMessage('x', { address: a.getsockname() });
      const { assocId } = await next(b, 'assocChange');
      await b.sendMessage('that was it', { assocId, infoFlags: SCTP_ABORT });
      const lost = await next(a, 'assocChange', ({ state }) => state === SCTP_COMM_LOST);
      expect(lost.info.toString('latin1')).to.include('that was it');
      const gone = await rejection(b.sendMessage('x', { assocId }));
      expect(gone).to.include({ code: 'EPIPE' });
    });

    it('an association that nobody takes is told of', async () => {
      const a = sockets.many();
      await a.connect({ host: '127.0.0.1', port: 9 });
      expect(await next(a, 'assocChange')).to.include({ state: SCTP_CANT_STR_ASSOC });
    });

    it('peeloff gives an association a socket of its own', async () => {
      const server = sockets.many();
      const client = sockets.many();
      await client.sendMessage('hello', { address: server.getsockname() });
      const { assocId } = await next(server, 'message');
      const peeled = sockets.own(server.peeloff(assocId));
      expect(peeled).to.be.instanceOf(SctpSocket);
      expect([peeled.type, peeled.protocol, peeled.inheritable]).to.deep.equal([SOCK_SEQPACKET, IPPROTO_SCTP, false]);
      expect(peeled.getpeername()).to.deep.equal(client.getsockname());
      expect(server.getOption(sctpGetAssocNumber)).to.equal(0);
      await peeled.sendMessage('mine now', { stream: 1 });
      expect(textOf(await next(client, 'message'))).to.equal('mine now');
      await client.sendMessage('to you', { address: server.getsockname() });
      expect(textOf(await next(peeled, 'message'))).to.equal('to you');
      expect(thrown(() => server.peeloff(assocId))).to.include({ code: 'EINVAL', syscall: 'getsockopt' });
      expect(thrown(() => server.peeloff(-1))).to.include({ argument: 'assocId' });
    });

    it('peeled sockets are of the class that they come from', async () => {
      class Special extends SctpSocket {}
      const server = sockets.own(new Special({ type: SOCK_SEQPACKET, events: [SCTP_ASSOC_CHANGE] }));
      server.bindSync({ host: '127.0.0.1' });
      server.listen();
      const client = sockets.many();
      await client.sendMessage('x', { address: server.getsockname() });
      const { assocId } = await next(server, 'message');
      expect(sockets.own(server.peeloff(assocId))).to.be.instanceOf(Special);
    });

    it('silence closes an association with SCTP_AUTOCLOSE', async () => {
      const a = sockets.many();
      a.setOption(sctpAutoClose, 1);
      const b = sockets.many();
      await b.sendMessage('x', { address: a.getsockname() });
      await next(a, 'message');
      expect(await next(b, 'assocChange', ({ state }) => state !== SCTP_COMM_UP)).to.include({
        state: SCTP_SHUTDOWN_COMP,
      });
    });

    it('the next message can be seen coming', async () => {
      const [a, b] = await sockets.pair();
      b.setOption(sctpRecvNxtInfo, true);
      await a.sendMessage('one');
      await a.sendMessage('second', { stream: 2, ppid: 3 });
      await delay(50);
      const { next: coming } = await next(b, 'message');
      expect(coming).to.deep.include({ stream: 2, ppid: 3, length: 6, flags: 0 });
    });

    it('recvMsg gives the same, undecoded', async () => {
      const a = sockets.many();
      a.setOption(sctpRecvRcvInfo, true);
      a.setOption(sctpRecvNxtInfo, true);
      a.setOption(sctpEvents, { dataIo: true });
      const b = sockets.many({ events: [] });
      await b.sendMsg(['one'], {
        address: a.getsockname(),
        ancillary: [sctpDefaultSndInfo.message.create({ stream: 1, ppid: 9 })],
      });
      await b.sendMessage('second', { address: a.getsockname(), stream: 2 });
      const room = sctpRecvRcvInfo.message.space + sctpRecvNxtInfo.message.space + sctpEvents.message.space;
      const { data, flags, ancillary } = await a.recvMsg(100, room);
      expect(data.toString()).to.equal('one');
      expect(flags & (MSG_EOR | MSG_NOTIFICATION)).to.equal(MSG_EOR);
      expect(sctpRecvRcvInfo.message.find(ancillary)).to.include({ stream: 1, ppid: 9 });
      expect(sctpEvents.message.find(ancillary)).to.include({ stream: 1, ppid: 9 });
      const rest = await a.recvMsg(100, room);
      expect(rest.data.toString()).to.equal('second');
      expect(sctpRecvNxtInfo.message.find(rest.ancillary), 'nothing comes after it').to.equal(undefined);
    });
  });
});
