import {
  AF_INET,
  AF_INET6,
  AF_RDS,
  AF_UNSPEC,
  type FailedCall,
  type ReceiveOnlyMessage,
  type SocketInfo,
  type WriteonlyOption,
  writeU16,
  writeU32,
  writeU64,
} from '@sock/core';
import {
  RDS_CONG_MONITOR_BIT,
  RDS_CONG_MONITOR_MASK,
  type RdsAddress,
  type RdsConnection,
  type RdsCounter,
  type RdsInput,
  type RdsLatency,
  type RdsMessageInfo,
  type RdsSocketInfo,
  rds,
  rds6InfoConnections,
  rdsCancelSentTo,
  rdsInfoConnections,
  rdsInfoCounters,
  rdsInfoRecvMessages,
  rdsInfoSockets,
  scmRdsCongUpdate,
  scmRdsRxpathLatency,
  scmRdsZcopyCompletion,
  scmRdsZcopyCookie,
  soRdsMsgRxpathLatency,
  soRdsTransport,
} from '@sock/rds';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const info: SocketInfo = {
  domain: AF_RDS,
  type: 5,
  protocol: 0,
  interfaceIndex: () => 7,
  interfaceName: () => undefined,
};

function encode(input: RdsInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_RDS, 0);
  return into.subarray(0, rds.encode(input, into, info));
}

const port = fc.nat(0xffff);
const ipv4 = fc.record({ host: fc.ipV4(), port });
const ipv6 = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 }), port, fc.nat(100))
  .map(([words, number, scopeid]) => ({
    host: words.map((word) => word.toString(16)).join(':'),
    port: number,
    flowinfo: 0,
    scopeid,
  }));
const address: fc.Arbitrary<RdsAddress> = fc.oneof(ipv4, ipv6);

describe('RDS addresses', () => {
  it('are those of IPv4 and IPv6, and themselves after a round trip', () => {
    fc.assert(
      fc.property(address, (one) => {
        const sockaddr = encode(one);
        expect(sockaddr.readUInt16LE(0)).to.equal('scopeid' in one ? AF_INET6 : AF_INET);
        expect(rds.decode(sockaddr, info)).to.deep.equal(one);
        expect(rds.format(one)).to.include(String(one.port));
      }),
    );
    expect(encode({ host: '::1' }).length).to.equal(28);
    expect(encode({ host: '10.0.0.1' }).length).to.equal(16);
    expect(rds.addressDomains).to.deep.equal([AF_UNSPEC, AF_INET, AF_INET6]);
  });

  it('random and truncated bytes are an address or an error, never a crash', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(AF_UNSPEC, AF_INET, AF_INET6, 99),
        fc.uint8Array({ maxLength: 60 }),
        (domain, rest) => {
          const sockaddr = Buffer.concat([Buffer.alloc(2), rest]);
          writeU16(sockaddr, domain, 0);
          try {
            expect(rds.format(rds.decode(sockaddr, info))).to.be.a('string');
          } catch (error) {
            expect(error).to.include({ argument: 'sockaddr' });
          }
        },
      ),
    );
  });

  it('of an unbound socket are nobody', () => {
    expect(rds.decode(new Uint8Array(16), info)).to.deep.equal({ host: '0.0.0.0', port: 0 });
  });

  it('are checked member by member', () => {
    const table: [unknown, string][] = [
      [undefined, 'address'],
      [{ kind: 'socket' }, 'address'],
      [{ host: 5 }, 'address.host'],
      [{ host: 'not numeric' }, 'address.host'],
      [{ host: '1.2.3.4', port: 65_536 }, 'address.port'],
      [{ host: '::1', scopeid: -1 }, 'address.scopeid'],
    ];
    for (const [input, argument] of table) expect(thrown(() => encode(input as RdsInput))).to.include({ argument });
  });

  it('names are resolved to IPv4', async () => {
    const resolved = await rds.resolve?.({ host: 'localhost', port: 5 }, info, {});
    expect(resolved).to.deep.equal({ host: '127.0.0.1', port: 5 });
    expect(rds.resolveSync?.({ host: '::1' }, info)).to.deep.equal({ host: '::1' });
  });
});

describe('explanations of RDS failures', () => {
  const explain = (failure: Partial<FailedCall>) =>
    rds.explain?.({ syscall: 'socket', code: 'EAFNOSUPPORT', type: 5, protocol: 0, ...failure });

  it('name the kernel module and the remedy', () => {
    expect(explain({})).to.equal('this kernel has no AF_RDS; load the module rds_tcp (modprobe rds_tcp)');
    expect(explain({ syscall: 'sendto', code: 'ENOBUFS' })).to.include('congested');
    expect(explain({ syscall: 'bind', code: 'EADDRNOTAVAIL' })).to.include('modprobe rds_tcp');
    expect(explain({ syscall: 'recv', code: 'EIO' })).to.equal(undefined);
  });
});

describe('control messages of RDS', () => {
  it('are decoded, and cut short are nothing', () => {
    const trace = Buffer.alloc(32);
    trace.set([2, 0, 2]);
    writeU64(trace, 1000n, 8);
    writeU64(trace, 5n, 16);
    const latency: RdsLatency[] = [
      { point: 0, duration: 1000n },
      { point: 2, duration: 5n },
    ];
    expect(scmRdsRxpathLatency.decode(trace)).to.deep.equal(latency);
    for (let length = 0; length < 24; length++) {
      expect(scmRdsRxpathLatency.decode(trace.subarray(0, length))).to.equal(undefined);
    }
    const done = Buffer.alloc(36);
    [2, 7, 9].forEach((value, i) => {
      writeU32(done, value, 4 * i);
    });
    expect(scmRdsZcopyCompletion.decode(done)).to.deep.equal([7, 9]);
    for (let length = 0; length < 12; length++) {
      expect(scmRdsZcopyCompletion.decode(done.subarray(0, length))).to.equal(undefined);
    }
    const mask = Buffer.alloc(8);
    writeU64(mask, 1n << 63n, 0);
    expect(scmRdsCongUpdate.decode(mask)).to.equal(RDS_CONG_MONITOR_MASK(63));
    expect(scmRdsCongUpdate.decode(mask.subarray(0, 7))).to.equal(undefined);
    const cookie = scmRdsZcopyCookie.create(0xfffffffe);
    expect(scmRdsZcopyCookie.find([cookie])).to.equal(0xfffffffe);
    expect(scmRdsZcopyCookie.decode(cookie.data.subarray(0, 3))).to.equal(undefined);
    expect(thrown(() => scmRdsZcopyCookie.create(-1))).to.include({ argument: 'value' });
    const received: ReceiveOnlyMessage<bigint> = scmRdsCongUpdate;
    expect(thrown(() => received.create(1n as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const message of [scmRdsRxpathLatency, scmRdsZcopyCompletion, scmRdsCongUpdate]) message.decode(bytes);
      }),
    );
  });

  it('several ports share a bit of the congestion mask', () => {
    expect([RDS_CONG_MONITOR_BIT(64), RDS_CONG_MONITOR_BIT(4001)]).to.deep.equal([0, 33]);
    expect(RDS_CONG_MONITOR_MASK(64)).to.equal(1n);
    expect(thrown(() => RDS_CONG_MONITOR_MASK(-1))).to.include({ argument: 'port' });
  });
});

describe('options of RDS, as bytes', () => {
  it('refuse what they do not accept', () => {
    const points: WriteonlyOption<readonly number[]> = soRdsMsgRxpathLatency;
    expect(points.encode?.([2, 0], info)).to.deep.equal(Uint8Array.of(2, 2, 0, 0));
    expect(thrown(() => points.encode?.([0, 1, 2, 0], info))).to.include({ argument: 'value' });
    expect(thrown(() => points.encode?.([3], info))).to.include({ argument: 'value[0]' });
    expect(thrown(() => points.encode?.(1 as never, info))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => soRdsTransport.encode?.(3, info))).to.include({ argument: 'value' });
    expect(rdsCancelSentTo.encode?.({ host: '10.0.0.1', port: 1 }, info)).to.have.length(16);
  });

  it('lists of what the kernel tells are read, whole structures only', () => {
    const counter = Buffer.alloc(40);
    counter.write('send_queued');
    writeU64(counter, 12n, 32);
    const counters: RdsCounter[] = rdsInfoCounters.decode(Buffer.concat([counter, counter.subarray(0, 39)]), info);
    expect(counters).to.deep.equal([{ name: 'send_queued', value: 12n }]);

    const connection = Buffer.alloc(42);
    writeU64(connection, 3n, 0);
    writeU64(connection, 4n, 8);
    connection.set([127, 0, 0, 1, 127, 0, 0, 2], 16);
    connection.write('tcp', 24);
    connection[40] = 4;
    const connections: RdsConnection[] = rdsInfoConnections.decode(connection, info);
    const rest = { transport: 'tcp', flags: 4, nextTxSeq: 3n, nextRxSeq: 4n };
    expect(connections).to.deep.equal([{ local: '127.0.0.1', peer: '127.0.0.2', ...rest }]);
    const six = Buffer.alloc(65);
    connection.copy(six, 0, 0, 16);
    six[31] = six[47] = 1;
    six.write('tcp', 48);
    six[64] = 4;
    expect(rds6InfoConnections.decode(six, info)).to.deep.equal([{ local: '::1', peer: '::1', ...rest }]);

    const socket = Buffer.alloc(28);
    socket.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 0], 4);
    writeU32(socket, 100, 0);
    writeU32(socket, 200, 16);
    writeU64(socket, 5n, 20);
    const sockets: RdsSocketInfo[] = rdsInfoSockets.decode(socket, info);
    expect(sockets).to.deep.equal([
      {
        bound: { host: '10.0.0.1', port: 80 },
        connected: { host: '10.0.0.2', port: 256 },
        sndbuf: 100,
        rcvbuf: 200,
        inode: 5n,
      },
    ]);

    const message = Buffer.alloc(26);
    writeU64(message, 9n, 0);
    writeU32(message, 1234, 8);
    message.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 0, 81, 1, 0], 12);
    const waiting: RdsMessageInfo[] = rdsInfoRecvMessages.decode(message, info);
    expect(waiting).to.deep.equal([
      {
        seq: 9n,
        length: 1234,
        local: { host: '10.0.0.1', port: 80 },
        peer: { host: '10.0.0.2', port: 81 },
        flags: 1,
      },
    ]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const raw = Buffer.from(bytes);
        for (const option of [rdsInfoCounters, rdsInfoConnections, rdsInfoSockets, rdsInfoRecvMessages]) {
          expect(option.decode(raw, info)).to.be.an('array');
        }
      }),
    );
  });
});
