import {
  type AddressFamily,
  AF_TIPC,
  type FailedCall,
  type ReceiveOnlyMessage,
  type SocketInfo,
  writeU16,
  writeU32,
} from '@sock/core';
import { thrown } from '@sock/testkit';
import {
  formatNodeId,
  packSubscription,
  scmTipcDestName,
  scmTipcErrInfo,
  scmTipcRetData,
  TIPC_SOCKET_ADDR,
  TIPC_SUB_CANCEL,
  type TipcAddress,
  type TipcInput,
  type TipcRangeAddress,
  type TipcServiceAddress,
  type TipcSocketAddress,
  type TipcSubscription,
  tipc,
  tipc_addr,
  tipc_cluster,
  tipc_node,
  tipc_zone,
  tipcGroupJoin,
  unpackTopologyEvent,
} from '@sock/tipc';
import { expect } from 'chai';
import fc from 'fast-check';

const info: SocketInfo = {
  domain: AF_TIPC,
  type: 0,
  protocol: 0,
  interfaceIndex: () => 0,
  interfaceName: () => undefined,
};

function encode(input: TipcInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_TIPC, 0);
  return into.subarray(0, tipc.encode(input, into, info));
}

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const scope = fc.constantFrom(-3, -2, 1, 2, 3);
const ordered = fc.tuple(u32, u32).map(([a, b]) => ({ lower: Math.min(a, b), upper: Math.max(a, b) }));

const service: fc.Arbitrary<TipcServiceAddress> = fc.record({
  kind: fc.constant('service' as const),
  type: u32,
  instance: u32,
  domain: u32,
  scope,
});
const range: fc.Arbitrary<TipcRangeAddress> = fc
  .tuple(u32, ordered, scope)
  .map(([type, { lower, upper }, number]) => ({ kind: 'range' as const, type, lower, upper, scope: number }));
const socket: fc.Arbitrary<TipcSocketAddress> = fc.record({
  kind: fc.constant('socket' as const),
  node: u32,
  ref: u32,
});
const address: fc.Arbitrary<TipcAddress> = fc.oneof(service, range, socket);

const refused = (input: unknown) => thrown(() => encode(input as TipcInput));

describe('TIPC addresses', () => {
  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(address, (one) => {
        const sockaddr = encode(one);
        expect(sockaddr.length).to.equal(16);
        expect(tipc.decode(sockaddr, info)).to.deep.equal(one);
        expect(tipc.format(one)).to.be.a('string').and.not.equal('');
      }),
    );
  });

  it('random and truncated bytes are an address or an error, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        try {
          expect(tipc.format(tipc.decode(bytes, info))).to.be.a('string');
        } catch (error) {
          expect(error).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'sockaddr' });
        }
      }),
    );
    fc.assert(
      fc.property(address, fc.nat(15), (one, length) => {
        const cut = encode(one).subarray(0, length);
        expect(thrown(() => tipc.decode(cut, info))).to.include({ argument: 'sockaddr' });
      }),
    );
  });

  it('of members of groups tell what they are, which is not sent back', () => {
    const one: TipcSocketAddress = { kind: 'socket', node: 1, ref: 2, member: { type: 3, instance: 4 } };
    const second = encode({ kind: 'service', type: 3, instance: 4, scope: 0 });
    const both = Buffer.concat([encode(one), second]);
    expect(encode(one)).to.deep.equal(encode({ kind: 'socket', node: 1, ref: 2 }));
    expect(tipc.decode(both, info)).to.deep.equal(one);
    for (let length = 16; length < 32; length++) {
      expect(tipc.decode(both.subarray(0, length), info)).to.deep.equal({ kind: 'socket', node: 1, ref: 2 });
    }
  });

  it('have defaults', () => {
    const decoded = tipc.decode(encode({ kind: 'service', type: 64, instance: 1 }), info);
    expect(decoded).to.deep.equal({ kind: 'service', type: 64, instance: 1, domain: 0, scope: 2 });
  });

  it('are checked member by member', () => {
    for (const input of [undefined, null, 5, 'service', []]) {
      expect(refused(input)).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'address' });
    }
    expect(refused(new Uint8Array(16))).to.include({ argument: 'address' });
    const table: [unknown, string][] = [
      [{}, 'address.kind'],
      [{ kind: 'name', type: 64, instance: 1 }, 'address.kind'],
      [{ kind: 'service', type: '64', instance: 1 }, 'address.type'],
      [{ kind: 'service', type: 64 }, 'address.instance'],
      [{ kind: 'service', type: 64, instance: -1 }, 'address.instance'],
      [{ kind: 'service', type: 64, instance: 1, domain: 1.5 }, 'address.domain'],
      [{ kind: 'service', type: 64, instance: 1, scope: 4 }, 'address.scope'],
      [{ kind: 'service', type: 64, instance: 1, lower: 1 }, 'address'],
      [{ kind: 'range', type: 64, lower: 2, upper: 1 }, 'address.upper'],
      [{ kind: 'range', type: 64, lower: 2 }, 'address.upper'],
      [{ kind: 'socket', node: 0 }, 'address.ref'],
      [{ kind: 'socket', ref: 1 }, 'address.node'],
    ];
    for (const [input, argument] of table) expect(refused(input), argument).to.include({ argument });
  });

  it('of unknown kinds are none of ours', () => {
    const sockaddr = encode({ kind: 'socket', node: 1, ref: 2 });
    expect(sockaddr[2]).to.equal(TIPC_SOCKET_ADDR);
    sockaddr[2] = 9;
    expect(thrown(() => tipc.decode(sockaddr, info))).to.include({ argument: 'sockaddr' });
  });

  it('are formatted for people', () => {
    const { format }: Pick<AddressFamily<TipcAddress>, 'format'> = tipc;
    expect(format({ kind: 'service', type: 1000, instance: 5, domain: 0 })).to.equal('service 1000:5');
    expect(format({ kind: 'service', type: 1000, instance: 5, domain: 0x1001001 })).to.equal(
      'service 1000:5 on node 1001001',
    );
    expect(format({ kind: 'range', type: 1000, lower: 0, upper: 9 })).to.equal('service 1000:0-9');
    expect(format({ kind: 'socket', node: 0, ref: 7 })).to.equal('socket 7');
    expect(format({ kind: 'socket', node: 0x1001001, ref: 7, member: { type: 64, instance: 1 } })).to.equal(
      'socket 7 on node 1001001, member 64:1',
    );
  });
});

describe('explanations of TIPC failures', () => {
  const explain = (failure: Partial<FailedCall>) =>
    tipc.explain?.({ syscall: 'socket', code: 'EAFNOSUPPORT', type: 4, protocol: 0, ...failure });

  it('name the kernel module and the remedy', () => {
    expect(explain({})).to.equal('this kernel has no AF_TIPC; load the module tipc (modprobe tipc)');
    expect(explain({ code: 'EPROTOTYPE' })).to.include('SOCK_RDM');
    expect(explain({ syscall: 'sendto', code: 'EHOSTUNREACH' })).to.include('bound to the service');
    expect(explain({ syscall: 'recvmsg', code: 'ECONNRESET' })).to.include('closed the connection');
    expect(explain({ syscall: 'shutdown', code: 'EINVAL' })).to.include('SHUT_RDWR');
    expect(explain({ syscall: 'bind', code: 'EMFILE' })).to.equal(undefined);
  });
});

describe('control messages of TIPC', () => {
  const messages: ReceiveOnlyMessage<unknown>[] = [scmTipcErrInfo, scmTipcDestName];

  it('are decoded, and cut short are nothing', () => {
    const bytes = Buffer.alloc(12);
    [4, 1024, 9].forEach((value, i) => {
      writeU32(bytes, value, 4 * i);
    });
    expect(scmTipcErrInfo.decode(bytes.subarray(0, 8))).to.deep.equal({ error: 4, length: 1024 });
    expect(scmTipcDestName.decode(bytes)).to.deep.equal({ type: 4, lower: 1024, upper: 9 });
    expect(scmTipcRetData.decode(bytes)).to.deep.equal(bytes);
    for (const { decode, size } of messages) {
      for (let length = 0; length < size; length++) expect(decode(bytes.subarray(0, length))).to.equal(undefined);
    }
  });

  it('cannot be sent', () => {
    for (const message of messages) {
      expect(thrown(() => message.create(0 as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('subscriptions and events of the topology server', () => {
  const subscription: fc.Arbitrary<Required<TipcSubscription>> = fc
    .tuple(
      ordered,
      fc.record({
        type: u32,
        each: fc.constantFrom('socket' as const, 'service' as const),
        duration: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 0xfffffffe })),
        handle: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
      }),
    )
    .map(([limits, rest]) => ({ ...limits, ...rest }));

  function event(number: number, asked: Buffer): Buffer {
    const head = Buffer.alloc(20);
    [number, 5, 6, 77, 88].forEach((value, i) => {
      writeU32(head, value, 4 * i);
    });
    return Buffer.concat([head, asked]);
  }

  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(subscription, fc.constantFrom(1, 2, 3), (asked, number) => {
        expect(unpackTopologyEvent(event(number, packSubscription(asked)))).to.deep.equal({
          kind: ['published', 'withdrawn', 'timeout'][number - 1],
          type: asked.type,
          lower: 5,
          upper: 6,
          socket: { kind: 'socket', ref: 77, node: 88 },
          subscription: asked,
        });
      }),
    );
  });

  it('random and truncated bytes are an event or none, never a crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void unpackTopologyEvent(bytes)));
    const whole = event(1, packSubscription({ type: 64 }));
    for (let length = 0; length < whole.length; length++) {
      expect(unpackTopologyEvent(whole.subarray(0, length))).to.equal(undefined);
    }
    expect(unpackTopologyEvent(event(9, packSubscription({ type: 64 })))).to.equal(undefined);
  });

  it('have defaults, and are checked member by member', () => {
    const back = (input: TipcSubscription) => unpackTopologyEvent(event(1, packSubscription(input)))?.subscription;
    const rest = { each: 'service', duration: null, handle: 0n };
    expect(back({ type: 64 })).to.deep.equal({ type: 64, lower: 0, upper: 0xffffffff, ...rest });
    expect(back({ type: 64, lower: 7 })).to.deep.equal({ type: 64, lower: 7, upper: 7, ...rest });
    expect(packSubscription({ type: 64 }, true)[16]).to.equal(2 | TIPC_SUB_CANCEL);
    const table: [unknown, string][] = [
      [{}, 'subscription.type'],
      [{ type: 64, lower: -1 }, 'subscription.lower'],
      [{ type: 64, lower: 2, upper: 1 }, 'subscription.upper'],
      [{ type: 64, upper: '1' }, 'subscription.upper'],
      [{ type: 64, each: 'port' }, 'subscription.each'],
      [{ type: 64, duration: -1 }, 'subscription.duration'],
      [{ type: 64, handle: -1n }, 'subscription.handle'],
      [undefined, 'subscription'],
    ];
    for (const [input, argument] of table) {
      expect(thrown(() => packSubscription(input as TipcSubscription))).to.include({ argument });
    }
  });
});

describe('requests to join a group', () => {
  const words = (value: unknown): number[] => {
    const bytes = tipcGroupJoin.encode?.(value as { type: number }, info) as Uint8Array;
    return [...new Uint32Array(Uint8Array.from(bytes).buffer)];
  };

  it('have defaults, and are checked member by member', () => {
    expect(words({ type: 64 })).to.deep.equal([64, 0, 2, 0]);
    expect(words({ type: 64, instance: 9, scope: 3, loopback: true, memberEvents: true })).to.deep.equal([64, 9, 3, 3]);
    const table: [unknown, string][] = [
      [5, 'value'],
      [{}, 'value.type'],
      [{ type: 64, instance: -1 }, 'value.instance'],
      [{ type: 64, scope: 4 }, 'value.scope'],
      [{ type: 64, loopback: 1 }, 'value.loopback'],
      [{ type: 64, memberEvents: 'yes' }, 'value.memberEvents'],
    ];
    for (const [value, argument] of table) expect(thrown(() => words(value))).to.include({ argument });
  });
});

describe('nodes of TIPC', () => {
  it('have addresses of zone, cluster and node', () => {
    fc.assert(
      fc.property(fc.nat(0xff), fc.nat(0xfff), fc.nat(0xfff), (zone, cluster, node) => {
        const one = tipc_addr(zone, cluster, node);
        expect([tipc_zone(one), tipc_cluster(one), tipc_node(one)]).to.deep.equal([zone, cluster, node]);
      }),
    );
    expect(tipc_addr(1, 1, 1)).to.equal(0x1001001);
    expect(thrown(() => tipc_addr(256, 0, 0))).to.include({ argument: 'zone' });
    expect(thrown(() => tipc_addr(0, 4096, 0))).to.include({ argument: 'cluster' });
    expect(thrown(() => tipc_addr(0, 0, -1))).to.include({ argument: 'node' });
    expect(thrown(() => tipc_zone(2 ** 32))).to.include({ argument: 'address' });
  });

  it('have identities of text or of digits', () => {
    const id = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(16)], 16);
    expect(formatNodeId(id('alpha'))).to.equal('alpha');
    expect(formatNodeId(id('sixteen-letters!'))).to.equal('sixteen-letters!');
    expect(formatNodeId(id('\x01\x02'))).to.equal(`0102${'00'.repeat(14)}`);
    expect(formatNodeId(id(''))).to.equal('00'.repeat(16));
  });
});
