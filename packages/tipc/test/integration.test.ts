import { SHUT_RDWR, SHUT_WR, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { cleaner, describeIf, rejection, scaled, thrown, within } from '@sock/testkit';
import {
  type RecvDeliveryOptions,
  TIPC_CONN_SHUTDOWN,
  TIPC_ERR_NO_PORT,
  TIPC_ERR_OVERLOAD,
  TIPC_MAX_USER_MSG_SIZE,
  TIPC_NODE_SCOPE,
  TIPC_OK,
  type TipcDelivery,
  type TipcEnd,
  type TipcInput,
  type TipcMemberEvent,
  type TipcMessage,
  type TipcReturned,
  TipcSocket,
  type TipcSocketOptions,
  tipc,
  tipcMcastReplicast,
} from '@sock/tipc';
import { expect } from 'chai';
import { freshType, hasTipc, open } from './cluster.js';

describeIf(hasTipc, 'TIPC', function () {
  this.timeout(20_000);
  const own = cleaner();
  const make = (options?: TipcSocketOptions): TipcSocket => own(open(options));

  function bound(address: TipcInput, options?: TipcSocketOptions): TipcSocket {
    const socket = make(options);
    socket.bindSync(address);
    return socket;
  }

  const service = (type: number, instance = 5): TipcInput => ({ kind: 'service', type, instance });

  async function next<Kind extends TipcDelivery['kind']>(
    socket: TipcSocket,
    kind: Kind,
    options?: RecvDeliveryOptions,
  ): Promise<Extract<TipcDelivery, { kind: Kind }>> {
    const delivery = await socket.recvDelivery(options);
    expect(delivery.kind).to.equal(kind);
    return delivery as Extract<TipcDelivery, { kind: Kind }>;
  }

  const text = async (socket: TipcSocket): Promise<string> => (await next(socket, 'message')).data.toString();

  describe('names', () => {
    it('every socket has one from birth, and is reached by it', async () => {
      const [a, b] = [make(), make()];
      const name = b.getsockname();
      expect(name).to.include({ kind: 'socket' });
      await a.sendTo('by socket', name);
      const message: TipcMessage = await next(b, 'message');
      expect(message).to.deep.include({ destination: null, truncated: false, address: a.getsockname() });
      expect(message.data.toString()).to.equal('by socket');
    });

    it('services are found by their instances, and messages tell which', async () => {
      const type = freshType();
      const one = bound({ kind: 'range', type, lower: 0, upper: 9 });
      one.bindSync({ kind: 'service', type, instance: 100, scope: TIPC_NODE_SCOPE });
      const sender = make();
      for (const instance of [0, 9, 100]) {
        await sender.sendTo('x', service(type, instance));
        expect((await next(one, 'message')).destination).to.deep.equal({ type, lower: instance, upper: instance });
      }
      const error = await rejection(sender.sendTo('x', service(type, 10)));
      expect(error.code).to.equal('EHOSTUNREACH');
      expect(error.message).to.include('no socket in reach is bound');
    });

    it('several sockets of one service take turns', async () => {
      const address = service(freshType());
      const [a, b, sender] = [bound(address), bound(address), make()];
      for (let i = 0; i < 4; i++) await sender.sendTo(String(i), address);
      expect([a, b].map((socket) => [0, 1].map(() => socket.tryRecvDelivery()?.kind))).to.deep.equal([
        ['message', 'message'],
        ['message', 'message'],
      ]);
    });

    it('what was bound is unbound, with the scope that it was bound with', async () => {
      const type = freshType();
      const node = { kind: 'range', type, lower: 1, upper: 2, scope: TIPC_NODE_SCOPE } as const;
      const socket = bound(service(type));
      socket.bindSync(node);
      expect(thrown(() => socket.unbind({ kind: 'range', type, lower: 1, upper: 2 }))).to.include({ code: 'EINVAL' });
      socket.unbind(node);
      expect((await rejection(socket.sendTo('x', service(type, 1)))).code).to.equal('EHOSTUNREACH');
      await socket.sendTo('x', service(type));
      socket.unbind({ kind: 'service', type, instance: 5 });
      expect((await rejection(socket.sendTo('x', service(type)))).code).to.equal('EHOSTUNREACH');
      socket.bindSync(service(type, 1));
      socket.bindSync(service(type, 2));
      socket.unbindAll();
      for (const instance of [1, 2]) {
        expect((await rejection(socket.sendTo('x', service(type, instance)))).code).to.equal('EHOSTUNREACH');
      }
    });

    it('types of the kernel and names of sockets are not bound', () => {
      const socket = make();
      expect(thrown(() => socket.bindSync(service(5)))).to.include({ code: 'EACCES' });
      expect(thrown(() => socket.bindSync(socket.getsockname()))).to.include({ code: 'EAFNOSUPPORT' });
    });
  });

  describe('multicast', () => {
    it('reaches all that are bound to any of a range', async () => {
      const type = freshType();
      const low = bound({ kind: 'range', type, lower: 0, upper: 9 });
      const high = bound({ kind: 'range', type, lower: 5, upper: 19 });
      const sender = make();
      await sender.sendTo('both', { kind: 'range', type, lower: 9, upper: 10 });
      await sender.sendTo('high', { kind: 'range', type, lower: 15, upper: 19 });
      sender.setOption(tipcMcastReplicast, true);
      await sender.sendTo('all', { kind: 'range', type, lower: 0, upper: 0xffffffff });
      const message = await next(low, 'message');
      expect(message.data.toString()).to.equal('both');
      expect(message.destination).to.deep.equal({ type, lower: 9, upper: 10 });
      expect(await text(low)).to.equal('all');
      expect([await text(high), await text(high), await text(high)]).to.deep.equal(['both', 'high', 'all']);
      const error = await rejection(sender.sendTo('x', { kind: 'range', type: freshType(), lower: 0, upper: 9 }));
      expect(error.code).to.equal('EHOSTUNREACH');
    });
  });

  describe('messages that cannot be delivered', () => {
    const returning = (): TipcSocket => make({ destDroppable: false });

    it('come back where the receiver closes before it has read them', async () => {
      const address = service(freshType());
      const sender = returning();
      const receiver = bound(address);
      const name = receiver.getsockname();
      await sender.sendTo('unread', address);
      receiver.close();
      const unread: TipcReturned = await next(sender, 'returned');
      expect(unread).to.deep.include({ error: TIPC_ERR_NO_PORT, truncated: false, address: name });
      expect(unread.data.toString()).to.equal('unread');
      expect(unread.destination).to.include({ lower: 5, upper: 5 });
    });

    it('come back where the socket is gone', async () => {
      const sender = returning();
      const gone = make();
      const name = gone.getsockname();
      gone.close();
      await sender.sendTo('too late', name);
      const returned = sender.recvDeliverySync();
      expect(returned).to.deep.include({ kind: 'returned', error: TIPC_ERR_NO_PORT, destination: null });
      await sender.sendTo(Buffer.alloc(5000), name);
      expect(await next(sender, 'returned')).to.include({ truncated: true });
    });

    it('come back from a receiver that is slower than the sender', async () => {
      const address = service(freshType());
      const receiver = bound(address);
      const sender = returning();
      const message = Buffer.alloc(TIPC_MAX_USER_MSG_SIZE, 0x41);
      let sent = 0;
      let returned: TipcDelivery | null = null;
      // 2 MB by default, and more for what is more important
      while (returned === null && sent < 200) {
        await sender.sendTo(message, address);
        sent++;
        returned = sender.tryRecvDelivery();
      }
      expect(returned).to.include({ kind: 'returned', error: TIPC_ERR_OVERLOAD, truncated: true });
      for (let i = 1; i < sent; i++) expect((await next(receiver, 'message')).data.equals(message)).to.equal(true);
      expect(receiver.tryRecvDelivery()).to.equal(null);
    });

    it('are dropped where that was asked for', async () => {
      const sender = make();
      const gone = make();
      const name = gone.getsockname();
      gone.close();
      await sender.sendTo('dropped', name);
      expect(sender.tryRecvDelivery()).to.equal(null);
    });

    it('too large ones are refused, cut off ones say so', async () => {
      const [a, b] = [make(), make()];
      expect((await rejection(a.sendTo(Buffer.alloc(TIPC_MAX_USER_MSG_SIZE + 1), b.getsockname()))).code).to.equal(
        'EMSGSIZE',
      );
      await a.sendTo('0123456789', b.getsockname());
      const { data, truncated } = await next(b, 'message', { size: 4 });
      expect([data.toString(), truncated]).to.deep.equal(['0123', true]);
      expect(await rejection(b.recvDelivery({ size: -1 }))).to.include({ argument: 'size' });
    });
  });

  describe('groups', () => {
    const role = (delivery: TipcDelivery) => [
      delivery.kind,
      (delivery.address as { member?: { instance: number } }).member?.instance,
    ];

    function member(type: number, instance: number, rest: { loopback?: boolean; memberEvents?: boolean } = {}) {
      const socket = make();
      socket.joinGroup({ type, instance, ...rest });
      return socket;
    }

    it('members hear of members that come and go, dying ones too', async () => {
      const type = freshType();
      const watcher = member(type, 1, { memberEvents: true });
      const other = member(type, 2);
      const joined: TipcMemberEvent = await next(watcher, 'joined');
      expect(joined.address).to.deep.equal({ ...other.getsockname(), member: { type, instance: 2 } });
      const third = member(type, 3);
      expect(role(await watcher.recvDelivery())).to.deep.equal(['joined', 3]);
      other.leaveGroup();
      expect(role(await watcher.recvDelivery())).to.deep.equal(['left', 2]);
      third.close();
      expect(role(await watcher.recvDelivery())).to.deep.equal(['left', 3]);
      expect((await rejection(watcher.send('nobody is there'))).code).to.equal('EHOSTUNREACH');
    });

    it('anycast, unicast, multicast and broadcast keep their order', async () => {
      const type = freshType();
      const sender = member(type, 1, { memberEvents: true });
      const [a, b] = [member(type, 2), member(type, 3)];
      expect([await sender.recvDelivery(), await sender.recvDelivery()].map(role)).to.deep.equal([
        ['joined', 2],
        ['joined', 3],
      ]);
      for (let i = 0; i < 3; i++) {
        await sender.send(`broadcast ${i}`);
        await sender.sendTo(`anycast ${i}`, service(type, 2));
        await sender.sendTo(`multicast ${i}`, { kind: 'range', type, lower: 3, upper: 3 });
        await sender.sendTo(`unicast ${i}`, a.getsockname());
      }
      for (let i = 0; i < 3; i++) {
        const first = await next(a, 'message');
        expect(role(first)).to.deep.equal(['message', 1]);
        expect(first.data.toString()).to.equal(`broadcast ${i}`);
        expect([await text(a), await text(a)]).to.deep.equal([`anycast ${i}`, `unicast ${i}`]);
        expect([await text(b), await text(b)]).to.deep.equal([`broadcast ${i}`, `multicast ${i}`]);
      }
      expect((await rejection(sender.sendTo('x', service(type, 9)))).code).to.equal('EHOSTUNREACH');
      expect(sender.tryRecvDelivery()).to.equal(null);
    });

    it('loopback brings what a member sends to it too', async () => {
      const type = freshType();
      const one = member(type, 1, { loopback: true, memberEvents: true });
      expect(role(await one.recvDelivery())).to.deep.equal(['joined', 1]);
      await one.send('to myself');
      expect(await text(one)).to.equal('to myself');
    });

    it('senders wait for members that do not read', async () => {
      const type = freshType();
      const sender = member(type, 1, { memberEvents: true });
      const slow = member(type, 2);
      expect((await sender.recvDelivery()).kind).to.equal('joined');
      const message = Buffer.alloc(60_000);
      let sent = 0;
      while (sent < 1000 && sender.trySend(message) !== null) sent++;
      expect(sent).to.be.within(1, 999);
      const waiting = sender.send(message, { timeout: scaled(10_000) }).then(() => ++sent);
      for (let read = 0; read < sent; read++) expect((await next(slow, 'message')).data.length).to.equal(60_000);
      await within('the send that had to wait', waiting, 10_000);
      expect((await next(slow, 'message')).data.length).to.equal(60_000);
    });

    it('a member is one of one group, and binds and connects no more', () => {
      const socket = member(freshType(), 1);
      expect(thrown(() => socket.joinGroup({ type: freshType() })).code).to.equal('EACCES');
      expect(thrown(() => socket.bindSync(service(freshType()))).code).to.equal('EACCES');
      expect(thrown(() => socket.connectSync(service(freshType()))).code).to.equal('EINVAL');
      socket.leaveGroup();
      expect(thrown(() => socket.leaveGroup()).code).to.equal('EINVAL');
    });
  });

  describe('connections', () => {
    async function connection(type: number): Promise<[client: TipcSocket, server: TipcSocket]> {
      const address = service(freshType());
      const listener = bound(address, { type });
      listener.listen();
      const client = make({ type });
      const [{ socket }] = await Promise.all([listener.accept(), client.connect(address)]);
      return [client, own(socket)];
    }

    for (const type of [SOCK_SEQPACKET, SOCK_STREAM]) {
      const title = type === SOCK_STREAM ? 'SOCK_STREAM' : 'SOCK_SEQPACKET';

      it(`${title}: shutdown is the end for the peer, as often as it asks`, async () => {
        const [client, server] = await connection(type);
        expect(server).to.be.instanceOf(TipcSocket);
        await client.send('last words');
        client.shutdown(SHUT_RDWR);
        expect(await text(server)).to.equal('last words');
        const end: TipcEnd = await next(server, 'end');
        expect(end.error).to.equal(TIPC_CONN_SHUTDOWN);
        expect((await next(server, 'end')).error).to.equal(TIPC_OK);
        expect([(await server.recv(8)).length, server.recvSync(8).length, server.tryRecv(8)?.length]).to.deep.equal([
          0, 0, 0,
        ]);
        expect((await client.recv(8)).length).to.equal(0);
        expect((await rejection(server.send('x'))).code).to.equal('EPIPE');
        expect(thrown(() => make({ type }).shutdown(SHUT_RDWR)).code).to.equal('ENOTCONN');
        expect(thrown(() => client.shutdown(SHUT_WR)).message).to.include('both directions at once');
      });

      it(`${title}: a peer that just closes resets the connection, and what it did not read comes back`, async () => {
        const [client, server] = await connection(type);
        await client.send('unread');
        server.close();
        const end = await next(client, 'end');
        expect([end.error, end.data.toString()]).to.deep.equal([TIPC_ERR_NO_PORT, 'unread']);
        const [other, peer] = await connection(type);
        peer.close();
        for (let i = 0; i < 2; i++) expect((await rejection(other.recv(8))).code).to.equal('ECONNRESET');
        expect((await next(other, 'end')).error).to.equal(TIPC_ERR_NO_PORT);
        expect((await other.recv(8)).length).to.equal(0);
      });

      it(`${title}: deliveries end with the connection`, async () => {
        const [client, server] = await connection(type);
        await client.send('one');
        client.shutdown(SHUT_RDWR);
        const kinds: string[] = [];
        for await (const { kind } of server.deliveries()) kinds.push(kind);
        expect(kinds).to.deep.equal(['message', 'end']);
      });

      it(`${title}: sendTo without a connection makes one and sends the first message with it`, async () => {
        const address = service(freshType());
        const listener = bound(address, { type });
        listener.listen();
        const client = make({ type });
        await client.sendTo('first', address);
        const { socket } = await listener.accept();
        const server = own(socket);
        expect(await text(server)).to.equal('first');
        await server.send('answer');
        expect(await text(client)).to.equal('answer');
        await client.send('second');
        expect(await text(server)).to.equal('second');
      });
    }

    it('a stream made into a node:stream ends both directions at its end', async () => {
      const [client, server] = await connection(SOCK_STREAM);
      const stream = client.duplex();
      stream.end('all of it');
      let received = '';
      for await (const chunk of server.chunks()) received += chunk.toString();
      expect(received).to.equal('all of it');
      stream.resume();
      await within('the end', new Promise((resolve) => stream.once('close', resolve)));
    });

    it('connect ends after TIPC_CONN_TIMEOUT where nobody accepts', async () => {
      const address = service(freshType());
      const listener = bound(address, { type: SOCK_SEQPACKET });
      listener.listen();
      for (const [options, wait] of [
        [{ connTimeout: 50 }, undefined],
        [{}, { timeout: 50 }],
      ] as const) {
        const client = own(new TipcSocket({ type: SOCK_SEQPACKET, ...options }));
        expect((await rejection(client.connect(address, wait))).code).to.equal('ETIMEDOUT');
      }
      const blocking = own(new TipcSocket({ type: SOCK_SEQPACKET, connTimeout: 50 }));
      expect(thrown(() => blocking.connectSync(address)).code).to.equal('ETIMEDOUT');
    });

    it('errors of connect say what is wrong', async () => {
      const type = freshType();
      const connect = (address: TipcInput) => rejection(make({ type: SOCK_SEQPACKET }).connect(address));
      expect((await connect(service(type))).code).to.equal('EHOSTUNREACH');
      const deaf = bound(service(type), { type: SOCK_SEQPACKET });
      expect((await connect(service(type))).message).to.include('does not listen');
      expect((await connect({ kind: 'range', type, lower: 0, upper: 9 })).code).to.equal('EINVAL');
      expect((await rejection(deaf.connect(service(type)))).code).to.equal('EOPNOTSUPP');
      expect(thrown(() => new Socket(tipc, SOCK_RDM, 1)).code).to.equal('EPROTONOSUPPORT');
      const closed = new TipcSocket();
      closed.close();
      expect((await rejection(closed.connect(service(type)))).code).to.equal('EBADF');
    });
  });
});
