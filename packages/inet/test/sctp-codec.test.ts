import {
  AF_INET,
  AF_INET6,
  type AncillaryMessage,
  type RequestOption,
  readU16,
  SOCK_STREAM,
  type SocketInfo,
  type SocketOption,
  writeU16,
  writeU32,
} from '@sock/core';
import * as everything from '@sock/inet';
import {
  IPPROTO_SCTP,
  SCTP_ABORT,
  SCTP_ADAPTATION_INDICATION,
  SCTP_ASSOC_CHANGE,
  SCTP_ASSOC_RESET_EVENT,
  SCTP_AUTHENTICATION_EVENT,
  SCTP_PARTIAL_DELIVERY_EVENT,
  SCTP_PEER_ADDR_CHANGE,
  SCTP_REMOTE_ERROR,
  SCTP_SEND_FAILED,
  SCTP_SEND_FAILED_EVENT,
  SCTP_SENDER_DRY_EVENT,
  SCTP_SHUTDOWN_EVENT,
  SCTP_STREAM_CHANGE_EVENT,
  SCTP_STREAM_RESET_EVENT,
  type SctpNotification,
  SctpSocket,
  type SctpSocketOptions,
  scmSctpDstAddrV4,
  scmSctpDstAddrV6,
  sctpAuthActiveKey,
  sctpAuthKey,
  sctpBindxAdd,
  sctpDefaultPrInfo,
  sctpDefaultSendParam,
  sctpDefaultSndInfo,
  sctpGetLocalAddrs,
  sctpGetPeerAddrInfo,
  sctpHmacIdent,
  sctpInitMsg,
  sctpMaxSeg,
  sctpPeerAddrParams,
  sctpPrimaryAddr,
  sctpRecvNxtInfo,
  sctpRecvRcvInfo,
  sctpResetStreams,
  sctpRtoInfo,
  sctpStatus,
  unpackSctpNotification,
} from '@sock/inet';
import { inLab, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const RUNS = { numRuns: inLab ? 10 : 200 };

const info = (domain: number): SocketInfo => ({
  domain,
  type: SOCK_STREAM,
  protocol: IPPROTO_SCTP,
  interfaceIndex: () => 1,
  interfaceName: () => 'lo',
});
const ipv4 = info(AF_INET);
const ipv6 = info(AF_INET6);

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const assocId = fc.integer({ min: 0, max: 0x7fffffff });

type AnyOption = SocketOption<unknown, unknown> & Partial<RequestOption<unknown, unknown, unknown>>;

const OPTIONS = Object.entries(everything as unknown as Record<string, AnyOption>)
  .filter(([name, option]) => name.startsWith('sctp') && !('type' in option))
  .map(([, option]) => option);

const MESSAGES: [message: AncillaryMessage<unknown, never>, value: fc.Arbitrary<unknown>][] = [
  [sctpInitMsg.message, fc.record({ outStreams: u16, maxInStreams: u16, maxAttempts: u16, maxInitTimeout: u16 })],
  [sctpDefaultSndInfo.message, fc.record({ stream: u16, flags: u16, ppid: u32, context: u32, assocId })],
  [
    sctpDefaultSendParam.message,
    fc.record({
      ...{ stream: u16, ssn: u16, flags: u16, ppid: u32, context: u32 },
      ...{ timeToLive: u32, tsn: u32, cumTsn: u32, assocId },
    }),
  ],
  [
    sctpRecvRcvInfo.message,
    fc.record({ stream: u16, ssn: u16, flags: u16, ppid: u32, tsn: u32, cumTsn: u32, context: u32, assocId }),
  ],
  [sctpRecvNxtInfo.message, fc.record({ stream: u16, flags: u16, ppid: u32, length: u32, assocId })],
  [sctpDefaultPrInfo.message, fc.record({ policy: u16, value: u32 })],
  [sctpAuthActiveKey.message, fc.record({ keyNumber: u16 })],
  [scmSctpDstAddrV4, fc.ipV4()],
  [scmSctpDstAddrV6, fc.constantFrom('::1', '2001:db8::1', 'fe80::2')],
];

describe('control messages of SCTP', () => {
  for (const [message, value] of MESSAGES) {
    it(`${message.label}: gives back what was put in; what is cut short is nothing`, () => {
      fc.assert(
        fc.property(value, fc.uint8Array({ maxLength: 64 }), (input, noise) => {
          const { level, type, data } = message.create(input as never);
          expect([level, type]).to.deep.equal([message.level, message.type]);
          expect(data.length).to.equal(message.size);
          expect(message.decode(data)).to.deep.equal(input);
          for (let length = 0; length < data.length; length++) {
            expect(message.decode(data.subarray(0, length)), `${length} bytes`).to.equal(undefined);
          }
          message.decode(noise);
        }),
        RUNS,
      );
    });
  }

  it('the payload protocol identifier goes out in network byte order', () => {
    const { data } = sctpDefaultSndInfo.message.create({ ppid: 46 });
    expect([...data.subarray(4, 8)]).to.deep.equal([0, 0, 0, 46]);
  });

  it('what is wrong is named', () => {
    const { create } = sctpDefaultSndInfo.message;
    expect(thrown(() => create({ stream: 65_536 }))).to.include({ argument: 'value.stream', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => create({ ppid: '1' as never }))).to.include({ argument: 'value.ppid' });
    expect(thrown(() => create(null as never))).to.include({ argument: 'value', code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => scmSctpDstAddrV4.create('::1'))).to.include({ argument: 'value' });
    expect(thrown(() => scmSctpDstAddrV6.create(6 as never))).to.include({ argument: 'value' });
  });
});

describe('options of SCTP: codecs', () => {
  it('take whatever the kernel gives, of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(bytes, (raw) => {
        for (const option of OPTIONS) {
          for (const socket of [ipv4, ipv6]) option.decode?.(Buffer.from(raw), socket);
        }
      }),
      RUNS,
    );
    expect(OPTIONS.length).to.be.greaterThan(50);
  });

  it('give back what was put in', () => {
    fc.assert(
      fc.property(assocId, u32, u32, u32, (id, initial, max, min) => {
        const value = { assocId: id, initial, max, min };
        const raw = sctpRtoInfo.encode?.(value, ipv4) as Uint8Array;
        expect(sctpRtoInfo.decode(Buffer.from(raw), ipv4)).to.deep.equal(value);
      }),
      RUNS,
    );
    for (const [socket, host] of [
      [ipv4, '192.0.2.1'],
      [ipv6, '2001:db8::7'],
      [ipv6, '192.0.2.9'],
    ] as const) {
      const value = { assocId: 7, address: { host, port: 4711 } };
      const raw = sctpPrimaryAddr.encode?.(value, socket) as Uint8Array;
      expect(readU16(raw, 4)).to.equal(host.includes(':') ? AF_INET6 : AF_INET);
      const { assocId: id, address } = sctpPrimaryAddr.decode(Buffer.from(raw), socket);
      expect(id).to.equal(7);
      expect(address).to.include(value.address);
    }
    expect(sctpPrimaryAddr.decode(Buffer.alloc(132), ipv4)).to.deep.equal({ assocId: 0, address: null });
  });

  it('one value, for one association or for those to come', () => {
    const bytes = (value: number, id = 0) => {
      const raw = new Uint8Array(8);
      writeU32(raw, id, 0);
      writeU32(raw, value, 4);
      return raw;
    };
    expect(sctpMaxSeg.encode?.(1200, ipv4)).to.deep.equal(bytes(1200));
    expect(sctpMaxSeg.encode?.({ value: 1200 }, ipv4)).to.deep.equal(bytes(1200));
    expect(sctpMaxSeg.encode?.({ assocId: 5, value: 1200 }, ipv4)).to.deep.equal(bytes(1200, 5));
    expect(sctpMaxSeg.encodeRequest(undefined, ipv4)).to.deep.equal(bytes(0));
    expect(sctpMaxSeg.encodeRequest(9, ipv4)).to.deep.equal(bytes(0, 9));
    expect(sctpMaxSeg.decode(Buffer.from(bytes(1200, 9)), ipv4)).to.equal(1200);
  });

  it('lists are bounded by what there is', () => {
    const raw = Buffer.alloc(8);
    writeU32(raw, 1000, 0);
    expect(sctpHmacIdent.decode?.(raw, ipv4)).to.deep.equal([0, 0]);
    writeU32(raw, 1000, 4);
    const alone = Buffer.from(new Uint8Array([...raw, 1, 2, 3]).buffer);
    expect(sctpGetLocalAddrs.decode(alone, ipv4)).to.deep.equal([]);
  });

  it('what is wrong is named', () => {
    const host = '127.0.0.1';
    const cases: [run: () => unknown, argument: string][] = [
      [() => sctpRtoInfo.encode?.({ initial: -1 }, ipv4), 'value.initial'],
      [() => sctpRtoInfo.encode?.(5 as never, ipv4), 'value'],
      [() => sctpRtoInfo.encodeRequest('x' as never, ipv4), 'request'],
      [() => sctpStatus.encodeRequest(-1, ipv4), 'request'],
      [() => sctpGetPeerAddrInfo.encodeRequest(undefined as never, ipv4), 'request'],
      [() => sctpPeerAddrParams.encodeRequest({ address: { host, port: 70_000 } }, ipv4), 'request.address.port'],
      [() => sctpPeerAddrParams.encode?.({ address: { host: 'name' } }, ipv4), 'value.address.host'],
      [() => sctpPrimaryAddr.encode?.({ address: { host: '::1' } }, ipv4), 'value.address.host'],
      [() => sctpPrimaryAddr.encode?.({ address: 'x' as never }, ipv4), 'value.address'],
      [() => sctpPrimaryAddr.encode?.({ address: { host: '::1', scopeid: -1 } }, ipv6), 'value.address.scopeid'],
      [() => sctpMaxSeg.encode?.(65_536, ipv4), 'value'],
      [() => sctpMaxSeg.encode?.({ assocId: -1, value: 1 }, ipv4), 'value.assocId'],
      [() => sctpMaxSeg.encode?.({ value: '1' as never }, ipv4), 'value.value'],
      [() => sctpBindxAdd.encode(host as never, ipv4), 'value'],
      [() => sctpBindxAdd.encode([{ host }, { host: 5 as never }], ipv4), 'value[1].host'],
      [() => sctpHmacIdent.encode?.([70_000], ipv4), 'value[0]'],
      [() => sctpHmacIdent.encode?.(1 as never, ipv4), 'value'],
      [() => sctpAuthKey.encode({ keyNumber: 1, key: new Uint8Array(65_536) }, ipv4), 'value.key'],
      [() => sctpAuthKey.encode({ keyNumber: -1, key: 'x' }, ipv4), 'value.keyNumber'],
      [() => sctpResetStreams.encode({ flags: 1, streams: [65_536] }, ipv4), 'value.streams[0]'],
      [() => sctpResetStreams.encode({ flags: 1, streams: 1 as never }, ipv4), 'value.streams'],
    ];
    for (const [run, argument] of cases) expect(thrown(run), argument).to.include({ argument });
  });
});

/** A notification: type, flags, length, and what follows. */
function notification(type: number, flags: number, ...body: readonly Uint8Array[]): Buffer {
  const head = new Uint8Array(8);
  const length = 8 + body.reduce((sum, part) => sum + part.length, 0);
  writeU16(head, type, 0);
  writeU16(head, flags, 2);
  writeU32(head, length, 4);
  return Buffer.concat([head, ...body]);
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
const longs = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

const address = (): Buffer => {
  const storage = Buffer.alloc(128);
  writeU16(storage, AF_INET, 0);
  storage.set([0x12, 0x34, 192, 0, 2, 1], 2);
  return storage;
};

const data = Buffer.from('lost');

const KNOWN: [bytes: Buffer, expected: SctpNotification][] = [
  [
    notification(SCTP_ASSOC_CHANGE, 0, words(1, 12, 7, 5), longs(3), Buffer.of(6, 0, 0, 4)),
    {
      ...{ kind: 'assocChange', type: SCTP_ASSOC_CHANGE, flags: 0, state: 1, error: 12, outStreams: 7, inStreams: 5 },
      ...{ assocId: 3, info: Buffer.of(6, 0, 0, 4) },
    },
  ],
  [
    notification(SCTP_PEER_ADDR_CHANGE, 0, address(), longs(2, 1, 9)),
    {
      ...{ kind: 'peerAddrChange', type: SCTP_PEER_ADDR_CHANGE, flags: 0, state: 2, error: 1, assocId: 9 },
      address: { host: '192.0.2.1', port: 0x1234 },
    },
  ],
  [
    notification(SCTP_REMOTE_ERROR, 0, Buffer.of(0, 1, 0, 0), longs(4), Buffer.of(0, 1, 0, 8)),
    {
      ...{ kind: 'remoteError', type: SCTP_REMOTE_ERROR, flags: 0, error: 1, assocId: 4 },
      data: Buffer.of(0, 1, 0, 8),
    },
  ],
  [
    notification(
      ...([SCTP_SEND_FAILED, 1, longs(2), words(5, 0, SCTP_ABORT, 0)] as const),
      ...[Buffer.of(0, 0, 0, 46), longs(77, 0, 0, 0, 8), longs(8), data],
    ),
    {
      ...{ kind: 'sendFailed', type: SCTP_SEND_FAILED, flags: 1, sent: true, error: 2, stream: 5, ppid: 46 },
      ...{ context: 77, infoFlags: SCTP_ABORT, assocId: 8, data },
    },
  ],
  [
    notification(
      ...([SCTP_SEND_FAILED_EVENT, 0, longs(0), words(5, SCTP_ABORT)] as const),
      ...[Buffer.of(0, 0, 0, 46), longs(77, 8), longs(8), data],
    ),
    {
      ...{ kind: 'sendFailed', type: SCTP_SEND_FAILED_EVENT, flags: 0, sent: false, error: 0, stream: 5, ppid: 46 },
      ...{ context: 77, infoFlags: SCTP_ABORT, assocId: 8, data },
    },
  ],
  [
    notification(SCTP_SHUTDOWN_EVENT, 0, longs(6)),
    { kind: 'shutdown', type: SCTP_SHUTDOWN_EVENT, flags: 0, assocId: 6 },
  ],
  [
    notification(SCTP_ADAPTATION_INDICATION, 0, longs(99, 6)),
    { kind: 'adaptation', type: SCTP_ADAPTATION_INDICATION, flags: 0, indication: 99, assocId: 6 },
  ],
  [
    notification(SCTP_PARTIAL_DELIVERY_EVENT, 0, longs(0, 6, 2, 17)),
    {
      ...{ kind: 'partialDelivery', type: SCTP_PARTIAL_DELIVERY_EVENT, flags: 0, indication: 0, assocId: 6 },
      ...{ stream: 2, sequence: 17 },
    },
  ],
  [
    notification(SCTP_AUTHENTICATION_EVENT, 0, words(3, 0), longs(2, 6)),
    { kind: 'authentication', type: SCTP_AUTHENTICATION_EVENT, flags: 0, keyNumber: 3, indication: 2, assocId: 6 },
  ],
  [
    notification(SCTP_SENDER_DRY_EVENT, 0, longs(6)),
    { kind: 'senderDry', type: SCTP_SENDER_DRY_EVENT, flags: 0, assocId: 6 },
  ],
  [
    notification(SCTP_STREAM_RESET_EVENT, 2, longs(6), words(1, 4)),
    { kind: 'streamReset', type: SCTP_STREAM_RESET_EVENT, flags: 2, assocId: 6, streams: [1, 4] },
  ],
  [
    notification(SCTP_ASSOC_RESET_EVENT, 0, longs(6, 100, 200)),
    { kind: 'assocReset', type: SCTP_ASSOC_RESET_EVENT, flags: 0, assocId: 6, localTsn: 100, remoteTsn: 200 },
  ],
  [
    notification(SCTP_STREAM_CHANGE_EVENT, 0, longs(6), words(11, 12)),
    { kind: 'streamChange', type: SCTP_STREAM_CHANGE_EVENT, flags: 0, assocId: 6, inStreams: 11, outStreams: 12 },
  ],
];

describe('options of SCTP sockets', () => {
  it('are refused by their names, before there is a socket', () => {
    const rows: [options: SctpSocketOptions, argument: string][] = [
      [{ noDelay: 1 as never }, 'options.noDelay'],
      [{ events: [0, -1] }, 'options.events[1]'],
      [{ initMsg: { outStreams: 0x10000 } }, 'options.initMsg.outStreams'],
    ];
    for (const [options, argument] of rows) {
      expect(
        thrown(() => new SctpSocket(options)),
        argument,
      ).to.include({ argument });
    }
  });
});

describe('notifications of SCTP', () => {
  for (const [bytes, expected] of KNOWN) {
    it(`${expected.kind} (${expected.type})`, () => {
      expect(unpackSctpNotification(bytes)).to.deep.equal(expected);
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        expect(unpackSctpNotification(cut), `${length} bytes`).to.deep.include({ kind: 'unknown', data: cut });
      }
    });
  }

  it('of types to come are unknown', () => {
    const bytes = notification(0x8100, 3, longs(1));
    expect(unpackSctpNotification(bytes)).to.deep.equal({ kind: 'unknown', type: 0x8100, flags: 3, data: bytes });
  });

  it('of random bytes never throw, and are copies', () => {
    const types = fc.constantFrom(...KNOWN.map(([, { type }]) => type));
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 300 }), (type, noise) => {
        const bytes = notification(type, 0, noise);
        const decoded = unpackSctpNotification(bytes);
        const before = JSON.stringify(decoded);
        bytes.fill(0xff);
        expect(JSON.stringify(decoded)).to.equal(before);
        unpackSctpNotification(noise);
      }),
      RUNS,
    );
  });
});
