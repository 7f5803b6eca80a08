import type { RequestOption, SocketOption } from '@sock/core';
import * as everything from '@sock/inet';
import {
  SCTP_ACTIVE,
  SCTP_ASSOC_CHANGE,
  SCTP_AUTH_HMAC_ID_SHA1,
  SCTP_AUTH_HMAC_ID_SHA256,
  SCTP_ENABLE_STRRESET_MASK,
  SCTP_ESTABLISHED,
  SCTP_PR_SCTP_ALL,
  SCTP_PR_SCTP_TTL,
  SCTP_SHUTDOWN_EVENT,
  SCTP_SS_FCFS,
  SCTP_SS_PRIO,
  type SctpSocket,
  SPP_HB_DISABLE,
  SPP_HB_ENABLE,
  sctpAuthActiveKey,
  sctpAuthChunk,
  sctpAuthDeactivateKey,
  sctpAuthDeleteKey,
  sctpAuthKey,
  sctpAutoAsconf,
  sctpAutoClose,
  sctpEvent,
  sctpEvents,
  sctpFragmentInterleave,
  sctpGetAssocStats,
  sctpGetPeerAddrInfo,
  sctpInitMsg,
  sctpInterleavingSupported,
  sctpLocalAuthChunks,
  sctpMaxSeg,
  sctpPeerAddrParams,
  sctpPeerAuthChunks,
  sctpPrAssocStatus,
  sctpPrimaryAddr,
  sctpPrStreamStatus,
  sctpRtoInfo,
  sctpSetPeerPrimaryAddr,
  sctpStatus,
  sctpStreamScheduler,
  sctpStreamSchedulerValue,
} from '@sock/inet';
import { describeIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { sctp } from './capabilities.js';
import { next, Sockets } from './sctp-sockets.js';

const api = { ...everything };

interface Row {
  option: SocketOption<unknown, unknown> & Partial<RequestOption<unknown, unknown, unknown>>;
  on: 'one' | 'many';
  initial: unknown;
  set: unknown;
  becomes?: unknown;
  request?: unknown;
}

const row = (
  name: keyof typeof api,
  initial: unknown,
  set: unknown,
  more: Partial<Pick<Row, 'on' | 'becomes' | 'request'>> = {},
): Row => ({ option: api[name] as unknown as Row['option'], on: 'one', initial, set, ...more });

const flag = (name: keyof typeof api, initial = false, more: Parameters<typeof row>[3] = {}) =>
  row(name, initial, !initial, more);
const any = () => true;
const ofAll = { assocId: 0, address: null };
const initially = { stream: 0, flags: 0, ppid: 0, context: 0, assocId: 0 };

const TABLE: Row[] = [
  row(
    'sctpRtoInfo',
    { assocId: 0, initial: 3000, max: 60_000, min: 1000 },
    { initial: 500, max: 2000, min: 100 },
    { becomes: { assocId: 0, initial: 500, max: 2000, min: 100 } },
  ),
  row(
    'sctpAssocInfo',
    any,
    { maxRetransmissions: 4, cookieLife: 5000 },
    {
      becomes: (value: everything.SctpAssocInfo) => value.maxRetransmissions === 4 && value.cookieLife === 5000,
    },
  ),
  row('sctpInitMsg', (value: everything.SctpInitMsg) => value.outStreams === 10, {
    outStreams: 20,
    maxInStreams: 30,
    maxAttempts: 3,
    maxInitTimeout: 900,
  }),
  flag('sctpNoDelay'),
  row('sctpAutoClose', 0, 30, { on: 'many' }),
  row('sctpAdaptationLayer', 0, 0xfedcba98),
  flag('sctpDisableFragments'),
  row(
    'sctpPeerAddrParams',
    any,
    { heartbeatInterval: 1234, pathMaxRetransmissions: 2, flags: SPP_HB_ENABLE },
    {
      request: {},
      becomes: (value: everything.SctpPeerAddrParams) =>
        value.heartbeatInterval === 1234 && value.pathMaxRetransmissions === 2 && (value.flags & SPP_HB_ENABLE) !== 0,
    },
  ),
  row(
    'sctpDefaultSndInfo',
    initially,
    { stream: 3, ppid: 46, context: 5 },
    {
      becomes: { ...initially, stream: 3, ppid: 46, context: 5 },
    },
  ),
  row(
    'sctpDefaultSendParam',
    any,
    { stream: 2, ppid: 47, timeToLive: 100 },
    {
      becomes: (value: everything.SctpSndRcvInfo) =>
        value.stream === 2 && value.ppid === 47 && value.timeToLive === 100,
    },
  ),
  flag('sctpRecvRcvInfo'),
  flag('sctpRecvNxtInfo'),
  row(
    'sctpEvent',
    { assocId: 0, type: SCTP_SHUTDOWN_EVENT, on: false },
    { type: SCTP_SHUTDOWN_EVENT, on: true },
    {
      request: { type: SCTP_SHUTDOWN_EVENT },
      becomes: { assocId: 0, type: SCTP_SHUTDOWN_EVENT, on: true },
    },
  ),
  flag('sctpIWantMappedV4Addr', true),
  row('sctpMaxSeg', 0, 1200),
  row(
    'sctpDelayedSack',
    { assocId: 0, delay: 200, frequency: 2 },
    { delay: 100, frequency: 3 },
    {
      becomes: { assocId: 0, delay: 100, frequency: 3 },
    },
  ),
  row('sctpContext', 0, 4711),
  row('sctpFragmentInterleave', 0, 1),
  row('sctpPartialDeliveryPoint', 0, 5000),
  row('sctpMaxBurst', 4, 8),
  row(
    'sctpPeerAddrThldsV2',
    any,
    { pathMaxRetransmissions: 4, potentiallyFailed: 2, primaryChange: 3 },
    {
      request: {},
      becomes: { ...ofAll, pathMaxRetransmissions: 4, potentiallyFailed: 2, primaryChange: 3 },
    },
  ),
  flag('sctpReusePort'),
  flag('sctpPrSupported', true),
  row(
    'sctpDefaultPrInfo',
    { assocId: 0, policy: 0, value: 0 },
    { policy: SCTP_PR_SCTP_TTL, value: 50 },
    {
      becomes: { assocId: 0, policy: SCTP_PR_SCTP_TTL, value: 50 },
    },
  ),
  flag('sctpReconfigSupported'),
  row('sctpEnableStreamReset', 0, SCTP_ENABLE_STRRESET_MASK),
  row('sctpStreamScheduler', SCTP_SS_FCFS, SCTP_SS_PRIO),
  flag('sctpAsconfSupported'),
  flag('sctpAuthSupported'),
  flag('sctpEcnSupported', true),
  row('sctpExposePotentiallyFailedState', 0, 2),
  row(
    'sctpRemoteUdpEncapsPort',
    { ...ofAll, port: 0 },
    { port: 9899 },
    {
      request: {},
      becomes: { ...ofAll, port: 9899 },
    },
  ),
  row(
    'sctpPlpmtudProbeInterval',
    { ...ofAll, interval: 0 },
    { interval: 6000 },
    {
      request: {},
      becomes: { ...ofAll, interval: 6000 },
    },
  ),
];

describeIf(sctp, 'options of SCTP', () => {
  const sockets = new Sockets();
  afterEach(() => sockets[Symbol.dispose]());

  const matches = (actual: unknown, expected: unknown): void => {
    if (typeof expected === 'function') expect(expected(actual), JSON.stringify(actual)).to.equal(true);
    else expect(actual).to.deep.equal(expected);
  };

  for (const { option, on, initial, set, becomes, request } of TABLE) {
    it(`${option.label}: ${JSON.stringify(set)}`, () => {
      const socket = on === 'one' ? sockets.one() : sockets.many();
      const read = () => socket.getOption(option as RequestOption<unknown, unknown>, request);
      matches(read(), initial);
      socket.setOption(option, set);
      matches(read(), becomes ?? set);
    });
  }

  it('SCTP_AUTO_ASCONF is for sockets that are bound to any address', () => {
    const anywhere = sockets.server({}, ['']);
    expect(anywhere.getOption(sctpAutoAsconf)).to.equal(false);
    anywhere.setOption(sctpAutoAsconf, true);
    expect(anywhere.getOption(sctpAutoAsconf)).to.equal(true);
    expect(thrown(() => sockets.server().setOption(sctpAutoAsconf, true))).to.include({ code: 'EINVAL' });
  });

  it('SCTP_EVENTS: all at once', () => {
    const socket = sockets.one();
    socket.setOption(sctpEvents, { assocChange: true, sendFailedEvent: true, dataIo: true });
    const events = socket.getOption(sctpEvents);
    expect(Object.keys(events).filter((name) => events[name as keyof typeof events])).to.deep.equal([
      'dataIo',
      'assocChange',
      'sendFailedEvent',
    ]);
    expect(socket.getOption(sctpEvent, { type: SCTP_ASSOC_CHANGE }).on).to.equal(true);
  });

  it('of one association among several', async () => {
    const a = sockets.many();
    const b = sockets.many();
    await b.sendMessage('x', { address: a.getsockname() });
    const { assocId } = await next(a, 'message');
    const { initial } = a.getOption(sctpRtoInfo);
    a.setOption(sctpRtoInfo, { assocId, initial: 2500 });
    expect(a.getOption(sctpRtoInfo, assocId)).to.include({ assocId, initial: 2500 });
    expect(a.getOption(sctpRtoInfo).initial, 'of those to come').to.equal(initial);
    a.setOption(sctpMaxSeg, { assocId, value: 900 });
    expect(a.getOption(sctpMaxSeg, assocId)).to.equal(900);
    expect(a.getOption(sctpMaxSeg)).to.equal(0);
    const status = a.getOption(sctpStatus, assocId);
    expect(status).to.include({ assocId, state: SCTP_ESTABLISHED });
    expect(status.primary).to.deep.include({ state: SCTP_ACTIVE, address: b.getsockname() });
    const unknown = thrown(() => a.getOption(sctpStatus, 0x7ffffff));
    expect(unknown).to.include({ code: 'EINVAL', syscall: 'getsockopt' });
    expect(unknown.message).to.include('SCTP_STATUS');
  });

  it('of a connection: state, addresses, statistics, what was given up', async () => {
    const [a, b] = await sockets.pair({ initMsg: { outStreams: 4, maxInStreams: 6 } });
    const address = b.getsockname();
    await a.sendMessage('counted', { stream: 3 });
    await next(b, 'message');
    expect(a.getOption(sctpStatus)).to.include({ state: SCTP_ESTABLISHED, inStreams: 4, outStreams: 4 });
    const stats = a.getOption(sctpGetAssocStats);
    expect(stats.orderedChunksSent).to.equal(1n);
    expect(stats.packetsReceived > 0n).to.equal(true);
    const path = a.getOption(sctpGetPeerAddrInfo, { address });
    expect(path).to.deep.include({ state: SCTP_ACTIVE, address });
    expect(path.mtu).to.be.greaterThan(1000);
    a.setOption(sctpPeerAddrParams, { address, flags: SPP_HB_DISABLE });
    expect(a.getOption(sctpPeerAddrParams, { address }).flags & SPP_HB_DISABLE).to.equal(SPP_HB_DISABLE);
    expect(a.getOption(sctpPrimaryAddr).address).to.deep.equal(address);
    const given = { abandonedSent: 0n, abandonedUnsent: 0n };
    expect(a.getOption(sctpPrAssocStatus, { policy: SCTP_PR_SCTP_ALL })).to.include(given);
    expect(a.getOption(sctpPrStreamStatus, { stream: 1, policy: SCTP_PR_SCTP_ALL })).to.include({
      stream: 1,
      ...given,
    });
    const elsewhere = thrown(() => a.getOption(sctpGetPeerAddrInfo, { address: { host: '192.0.2.1', port: 1 } }));
    expect(elsewhere).to.include({ code: 'EINVAL' });
  });

  it('the scheduler takes the stream of the least value first', async () => {
    const [a] = await sockets.pair();
    a.setOption(sctpStreamScheduler, SCTP_SS_PRIO);
    a.setOption(sctpStreamSchedulerValue, { stream: 2, value: 7 });
    expect(a.getOption(sctpStreamSchedulerValue, { stream: 2 })).to.deep.equal({ assocId: 0, stream: 2, value: 7 });
  });

  it('interleaving comes with the interleave of fragments', () => {
    const socket = sockets.many();
    socket.setOption(sctpFragmentInterleave, 2);
    // net.sctp.intl_enable decides whether a kernel agrees to it
    try {
      socket.setOption(sctpInterleavingSupported, true);
      expect(socket.getOption(sctpInterleavingSupported)).to.equal(true);
    } catch (error) {
      expect(error).to.include({ code: 'EPERM' });
    }
  });

  it('authentication: keys, algorithms and chunks', async () => {
    const prepare = (socket: SctpSocket): void => {
      socket.setOption(api.sctpAuthSupported, true);
      socket.setOption(sctpAuthChunk, 0);
      socket.setOption(api.sctpHmacIdent, [SCTP_AUTH_HMAC_ID_SHA256, SCTP_AUTH_HMAC_ID_SHA1]);
      socket.setOption(sctpAuthKey, { keyNumber: 1, key: 'a secret' });
      socket.setOption(sctpAuthKey, { keyNumber: 2, key: 'another' });
      socket.setOption(sctpAuthActiveKey, { keyNumber: 1 });
    };
    const server = sockets.server({}, undefined, prepare);
    expect(server.getOption(api.sctpHmacIdent)).to.deep.equal([SCTP_AUTH_HMAC_ID_SHA256, SCTP_AUTH_HMAC_ID_SHA1]);
    expect(server.getOption(sctpAuthActiveKey).keyNumber).to.equal(1);
    const client = sockets.one();
    prepare(client);
    await client.connect(server.getsockname());
    const peer = sockets.own((await server.accept()).socket);
    await client.sendMessage('signed', { ancillary: [sctpAuthActiveKey.message.create({ keyNumber: 2 })] });
    expect((await next(peer, 'message')).data.toString()).to.equal('signed');
    expect(client.getOption(sctpPeerAuthChunks)).to.include(0);
    expect(client.getOption(sctpLocalAuthChunks)).to.include(0);
    server.setOption(sctpAuthDeactivateKey, { keyNumber: 2 });
    server.setOption(sctpAuthDeleteKey, { keyNumber: 2 });
    expect(thrown(() => server.setOption(sctpAuthDeleteKey, { keyNumber: 2 }))).to.include({ code: 'EINVAL' });
  });

  it('what is turned off says so', async () => {
    const socket = sockets.one();
    const denied = thrown(() => socket.setOption(sctpAuthKey, { keyNumber: 1, key: 'x' }));
    expect(denied).to.include({ code: 'EACCES' });
    expect(denied.message).to.include('SCTP_AUTH_KEY').and.to.include('net.sctp.auth_enable');
    const [a] = await sockets.pair();
    const refused = thrown(() => a.setOption(sctpSetPeerPrimaryAddr, { address: a.getsockname() }));
    expect(refused).to.include({ code: 'EPERM' });
    expect(refused.message).to.include('net.sctp.addip_enable');
    const lacking = thrown(() => a.setOption(api.sctpResetStreams, { flags: 1 }));
    expect(lacking).to.include({ code: 'ENOPROTOOPT' });
    expect(lacking.message).to.include('not agreed on');
    expect(thrown(() => a.getOption(sctpAutoClose))).to.include({ code: 'EOPNOTSUPP' });
    expect(thrown(() => a.setOption(sctpInitMsg, { outStreams: 70_000 }))).to.include({ argument: 'value.outStreams' });
  });
});
