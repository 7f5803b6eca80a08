import { AF_INET, type UnknownAddress } from '@sock/core';
import {
  inet6,
  SCTP_ACTIVE,
  SCTP_ADDR_MADE_PRIM,
  SCTP_ADDR_OVER,
  SCTP_ASSOC_CHANGE,
  SCTP_ASSOC_RESET_EVENT,
  SCTP_BINDX_ADD_ADDR,
  SCTP_BINDX_REM_ADDR,
  SCTP_ENABLE_STRRESET_MASK,
  SCTP_PARTIAL_DELIVERY_EVENT,
  SCTP_PEER_ADDR_CHANGE,
  SCTP_PR_SCTP_ALL,
  SCTP_PR_SCTP_TTL,
  SCTP_SEND_FAILED,
  SCTP_SEND_FAILED_EVENT,
  SCTP_STREAM_CHANGE_EVENT,
  SCTP_STREAM_RESET_EVENT,
  SCTP_STREAM_RESET_OUTGOING,
  SCTP_STREAM_RESET_OUTGOING_SSN,
  type SctpSocket,
  scmSctpDstAddrV4,
  scmSctpDstAddrV6,
  sctpAddStreams,
  sctpAsconfSupported,
  sctpAssocInfo,
  sctpAuthSupported,
  sctpBindxAdd,
  sctpBindxRem,
  sctpConnectx,
  sctpEnableStreamReset,
  sctpGetLocalAddrs,
  sctpGetPeerAddrInfo,
  sctpGetPeerAddrs,
  sctpInitMsg,
  sctpIWantMappedV4Addr,
  sctpPrAssocStatus,
  sctpPrimaryAddr,
  sctpReconfigSupported,
  sctpResetAssoc,
  sctpResetStreams,
  sctpRtoInfo,
  sctpSetPeerPrimaryAddr,
  sctpStatus,
} from '@sock/inet';
import { delay, describeIf, itIf, probe, rejection, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { sctp } from './capabilities.js';
import { inNamespace, links } from './namespace.js';
import { next, Sockets, textOf } from './sctp-sockets.js';

const hosts = (addresses: readonly { host: string }[]): string[] => addresses.map(({ host }) => host).sort();

describeIf(sctp, 'SCTP over several addresses', function () {
  this.timeout(60_000);
  const sockets = new Sockets();
  afterEach(() => sockets[Symbol.dispose]());

  const MANY = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

  it('bindx adds and removes local addresses', async () => {
    const server = sockets.server({}, MANY.slice(0, 2));
    const { port } = server.getsockname();
    server.bindx([{ host: '127.0.0.3', port }], SCTP_BINDX_ADD_ADDR);
    expect(hosts(server.getladdrs())).to.deep.equal(MANY);
    expect(server.getladdrs().every((address) => address.port === port)).to.equal(true);
    server.bindx([{ host: '127.0.0.2' }], SCTP_BINDX_REM_ADDR);
    expect(hosts(server.getOption(sctpGetLocalAddrs))).to.deep.equal(['127.0.0.1', '127.0.0.3']);
    server.setOption(sctpBindxRem, [{ host: '127.0.0.3' }]);
    expect(thrown(() => server.bindx([{ host: '127.0.0.1' }], SCTP_BINDX_REM_ADDR))).to.include({ code: 'EBUSY' });
    server.setOption(sctpBindxAdd, [{ host: '127.0.0.4' }]);
    expect(hosts(server.getladdrs())).to.deep.equal(['127.0.0.1', '127.0.0.4']);
    const foreign = thrown(() => server.bindx([{ host: '192.0.2.1' }]));
    expect(foreign).to.include({ code: 'EADDRNOTAVAIL' });
    expect(foreign.message).to.include('SCTP_SOCKOPT_BINDX_ADD');
    expect(thrown(() => server.bindx([], 3))).to.include({ argument: 'flags' });
    expect(thrown(() => server.bindx([{ host: 'localhost' }]))).to.include({ argument: 'value[0].host' });
  });

  it('the peer learns all of them', async () => {
    const [a] = await sockets.pair({}, MANY);
    expect(hosts(a.getpaddrs())).to.deep.equal(MANY);
    expect(hosts(a.getOption(sctpGetPeerAddrs))).to.deep.equal(MANY);
    expect(a.getOption(sctpAssocInfo).peerDestinations).to.equal(3);
  });

  for (const form of ['connectx', 'connectxSync', 'tryConnectx'] as const) {
    it(`${form} takes several`, async () => {
      const server = sockets.server({}, MANY);
      const { port } = server.getsockname();
      const client = sockets.one();
      const result = client[form](MANY.map((host) => ({ host, port })));
      if (form === 'tryConnectx') await client.waitWritable();
      else await result;
      const peer = sockets.own((await server.accept()).socket);
      await client.sendMessage('x');
      expect(textOf(await next(peer, 'message'))).to.equal('x');
      const begun = thrown(() => client.setOption(sctpConnectx, [{ host: '127.0.0.1', port }]));
      expect(begun).to.include({ code: 'EISCONN' });
    });
  }

  it('SCTP_DSTADDRV4 gives further addresses of the peer with the first message', async () => {
    const server = sockets.server({ type: 5 }, MANY);
    const { port } = server.getsockname();
    const client = sockets.many();
    await client.sendMessage('x', {
      address: { host: '127.0.0.1', port },
      ancillary: [sctpInitMsg.message.create({ outStreams: 2 }), scmSctpDstAddrV4.create('127.0.0.2')],
    });
    const { assocId } = await next(client, 'assocChange');
    expect(hosts(client.getpaddrs(assocId))).to.deep.equal(MANY);
    expect(client.getOption(sctpStatus, assocId).outStreams).to.equal(2);
    expect(textOf(await next(server, 'message'))).to.equal('x');
  });

  itIf(probe('AF_INET6'), 'SCTP_DSTADDRV6, and IPv4 over IPv6, mapped or not', async () => {
    const server = sockets.many({ family: inet6 }, '::');
    const { port } = server.getsockname();
    const client = sockets.many({ family: inet6 }, '::');
    await client.sendMessage('six', {
      address: { host: '::1', port },
      ancillary: [scmSctpDstAddrV6.create('::ffff:127.0.0.1')],
    });
    expect((await next(server, 'message')).address).to.include({ host: '::1' });
    const four = sockets.many();
    await four.sendMessage('four', { address: { host: '127.0.0.1', port } });
    const mapped = await next(server, 'message', (message) => textOf(message) === 'four');
    expect(mapped.address).to.include({ host: '::ffff:127.0.0.1' });
    server.setOption(sctpIWantMappedV4Addr, false);
    await four.sendMessage('again', { address: { host: '127.0.0.1', port } });
    const { address, assocId } = await next(server, 'message', (message) => textOf(message) === 'again');
    expect((address as UnknownAddress).domain).to.equal(AF_INET);
    expect(server.getpaddrs(assocId)[0]).to.include({ host: '127.0.0.1' });
  });

  it('messages go to the primary address, or to one that they say', async () => {
    const [a, b] = await sockets.pair({ events: [SCTP_PEER_ADDR_CHANGE] }, MANY);
    const { port } = b.getsockname();
    const second = { host: '127.0.0.2', port };
    // an address is used once a heartbeat has confirmed it
    while (a.getOption(sctpGetPeerAddrInfo, { address: second }).state !== SCTP_ACTIVE) await next(a, 'peerAddrChange');
    a.setOption(sctpPrimaryAddr, { address: second });
    expect(a.getOption(sctpStatus).primary.address).to.deep.equal(second);
    await a.sendMessage('to the second');
    expect(textOf(await next(b, 'message'))).to.equal('to the second');
    const first = { host: '127.0.0.1', port };
    await a.sendMessage('to the first', { address: first, infoFlags: SCTP_ADDR_OVER });
    expect(textOf(await next(b, 'message'))).to.equal('to the first');
    expect(a.getOption(sctpPrimaryAddr).address).to.deep.equal(second);
  });

  it('an end has the other send to another of its addresses', async () => {
    const [a, b] = await sockets.pair({ events: [SCTP_PEER_ADDR_CHANGE] }, MANY, (socket) => {
      socket.setOption(sctpAuthSupported, true);
      socket.setOption(sctpAsconfSupported, true);
    });
    const before = a.getOption(sctpPrimaryAddr).address;
    const address = { host: MANY.find((host) => host !== before?.host) as string, port: b.getsockname().port };
    // what is accepted has the system's default again
    b.setOption(sctpAsconfSupported, true);
    b.setOption(sctpSetPeerPrimaryAddr, { address });
    const made = await next(a, 'peerAddrChange', ({ state }) => state === SCTP_ADDR_MADE_PRIM);
    expect(made.address).to.deep.equal(address);
    expect(a.getOption(sctpPrimaryAddr).address).to.deep.equal(address);
    await a.sendMessage('to the new one');
    expect(textOf(await next(b, 'message'))).to.equal('to the new one');
    const foreign = thrown(() => b.setOption(sctpSetPeerPrimaryAddr, { address: { host: '127.0.0.9' } }));
    expect(foreign).to.include({ code: 'EADDRNOTAVAIL' });
  });

  itIf(links, 'an address that goes is told of, and the others carry on', async () => {
    const output = await inNamespace(
      `ip link add link0 type veth peer name link1
       ip link set link0 up; ip link set link1 up
       ip addr add 10.9.1.1/24 dev link0
       ip addr add 10.9.2.1/32 dev lo`,
      `import { execFileSync } from 'node:child_process';
       import { SctpSocket, SCTP_PEER_ADDR_CHANGE, SCTP_ADDR_CONFIRMED, SCTP_ADDR_UNREACHABLE, sctpRtoInfo, sctpPeerAddrParams, SPP_HB_ENABLE } from '@sock/inet';
       const server = new SctpSocket();
       server.bindSync({ host: '10.9.1.1' });
       server.bindx([{ host: '10.9.2.1' }]);
       server.listen();
       const client = new SctpSocket({ events: [SCTP_PEER_ADDR_CHANGE] });
       client.setOption(sctpRtoInfo, { initial: 100, min: 50, max: 200 });
       client.setOption(sctpPeerAddrParams, { heartbeatInterval: 50, pathMaxRetransmissions: 1, flags: SPP_HB_ENABLE });
       async function change(state) {
         for await (const told of client.arrivals({ timeout: 60_000 })) {
           if (told.kind === 'peerAddrChange' && told.state === state) return told.address.host;
         }
       }
       // of an address that was never confirmed it is not told that it is gone
       await client.connect({ host: '10.9.1.1', port: server.getsockname().port });
       const { socket: peer } = await server.accept();
       console.log('confirmed', await change(SCTP_ADDR_CONFIRMED));
       await client.sendMessage('before');
       console.log((await peer.recvMessage()).data.toString());
       execFileSync('ip', ['addr', 'del', '10.9.1.1/24', 'dev', 'link0']);
       execFileSync('ip', ['route', 'add', 'blackhole', '10.9.1.1']);
       await client.sendMessage('after');
       console.log('unreachable', await change(SCTP_ADDR_UNREACHABLE));
       console.log((await peer.recvMessage()).data.toString());
       for (const socket of [client, peer, server]) socket.close();`,
    );
    expect(output.trim().split('\n')).to.deep.equal(['confirmed 10.9.2.1', 'before', 'unreachable 10.9.1.1', 'after']);
  });
});

describeIf(sctp, 'SCTP: streams that change, messages that are given up', function () {
  this.timeout(60_000);
  const sockets = new Sockets();
  afterEach(() => sockets[Symbol.dispose]());

  const EVENTS = [
    SCTP_STREAM_RESET_EVENT,
    SCTP_STREAM_CHANGE_EVENT,
    SCTP_ASSOC_RESET_EVENT,
    SCTP_PARTIAL_DELIVERY_EVENT,
  ];

  /** A pair whose streams can be reconfigured. */
  const flexible = (): Promise<[SctpSocket, SctpSocket]> =>
    sockets.pair({ events: EVENTS, initMsg: { outStreams: 3, maxInStreams: 3 } }, undefined, (socket) => {
      socket.setOption(sctpReconfigSupported, true);
      socket.setOption(sctpEnableStreamReset, SCTP_ENABLE_STRRESET_MASK);
    });

  it('a stream that was reset counts from 0 again', async () => {
    const [a, b] = await flexible();
    for (let i = 0; i < 2; i++) {
      await a.sendMessage('x', { stream: 1 });
      expect((await next(b, 'message')).ssn).to.equal(i);
    }
    // what is on its way must have been acknowledged
    while (a.getOption(sctpStatus).unacknowledged > 0) await delay(10);
    a.setOption(sctpResetStreams, { flags: SCTP_STREAM_RESET_OUTGOING, streams: [1] });
    const done = await next(a, 'streamReset');
    expect(done).to.deep.include({ streams: [1], flags: SCTP_STREAM_RESET_OUTGOING_SSN });
    expect((await next(b, 'streamReset')).streams).to.deep.equal([1]);
    await a.sendMessage('anew', { stream: 1 });
    expect(await next(b, 'message')).to.include({ ssn: 0, stream: 1 });
  });

  it('streams are added', async () => {
    const [a, b] = await flexible();
    expect((await rejection(a.sendMessage('x', { stream: 4 }))).code).to.equal('EINVAL');
    a.setOption(sctpAddStreams, { outStreams: 2 });
    expect(await next(a, 'streamChange')).to.include({ outStreams: 2 });
    expect(a.getOption(sctpStatus).outStreams).to.equal(5);
    await a.sendMessage('x', { stream: 4 });
    expect(await next(b, 'message')).to.include({ stream: 4 });
  });

  it('an association is reset', async () => {
    const [a, b] = await flexible();
    await a.sendMessage('x', { stream: 1 });
    await next(b, 'message');
    while (a.getOption(sctpStatus).unacknowledged > 0) await delay(10);
    a.setOption(sctpResetAssoc, 0);
    const reset = await next(a, 'assocReset');
    expect(reset.localTsn).to.be.greaterThan(0);
    await a.sendMessage('y', { stream: 1 });
    expect(await next(b, 'message')).to.include({ ssn: 0 });
  });

  for (const event of [SCTP_SEND_FAILED_EVENT, SCTP_SEND_FAILED]) {
    it(`what could not be delivered comes back (${event})`, async () => {
      const [a, b] = await sockets.pair({ events: [event, SCTP_ASSOC_CHANGE] });
      b.close();
      const c = sockets.many({ events: [event, SCTP_ASSOC_CHANGE] });
      await c.sendMessage('to nobody', { address: { host: '127.0.0.1', port: 9 }, stream: 3, ppid: 46, context: 99 });
      const failed = await next(c, 'sendFailed');
      expect(failed).to.deep.include({ stream: 3, ppid: 46, context: 99, sent: false, data: Buffer.from('to nobody') });
      a.close();
    });
  }

  it('messages whose time is over are given up', async () => {
    const [a, b] = await sockets.pair();
    a.setOption(sctpRtoInfo, { initial: 100, min: 50, max: 200 });
    await b.sendMessage('ready');
    await next(a, 'message');
    // the peer's window is full: what follows waits, until its time is over
    let filled = 0;
    while (a.trySendMessage(Buffer.alloc(20_000)) !== null) filled++;
    expect(filled).to.be.greaterThan(0);
    await b.recvMessage({ size: 1_000_000 });
    await a.sendMessage('too late', { prInfo: { policy: SCTP_PR_SCTP_TTL, value: 1 } });
    await delay(50);
    let last = '';
    const receiving = (async () => {
      for (let seen = 1; seen < filled; seen++) await next(b, 'message');
      last = textOf(await next(b, 'message'));
    })();
    await a.sendMessage('in time');
    await receiving;
    expect(last).to.equal('in time');
    const { abandonedUnsent, abandonedSent } = a.getOption(sctpPrAssocStatus, { policy: SCTP_PR_SCTP_ALL });
    expect(abandonedUnsent + abandonedSent).to.equal(1n);
  });
});
