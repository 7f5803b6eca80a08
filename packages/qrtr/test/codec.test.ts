import { AF_QIPCRTR, type FailedCall, type SocketInfo, writeU16 } from '@sock/core';
import {
  packControlPacket,
  QRTR_NODE_BCAST,
  QRTR_PORT_CTRL,
  QRTR_TYPE_BYE,
  QRTR_TYPE_DEL_CLIENT,
  QRTR_TYPE_DEL_LOOKUP,
  QRTR_TYPE_DEL_SERVER,
  QRTR_TYPE_EXIT,
  QRTR_TYPE_HELLO,
  QRTR_TYPE_NEW_LOOKUP,
  QRTR_TYPE_NEW_SERVER,
  QRTR_TYPE_PING,
  QRTR_TYPE_RESUME_TX,
  type QrtrClientPacket,
  type QrtrControlInput,
  type QrtrControlPacket,
  type QrtrInput,
  type QrtrPlainPacket,
  type QrtrServerPacket,
  qrtr,
  unpackControlPacket,
} from '@sock/qrtr';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const info: SocketInfo = {
  domain: AF_QIPCRTR,
  type: 2,
  protocol: 0,
  interfaceIndex: () => 0,
  interfaceName: () => undefined,
};

function encode(input: QrtrInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_QIPCRTR, 0);
  return into.subarray(0, qrtr.encode(input, into, info));
}

const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe('QRTR addresses', () => {
  it('are themselves after a round trip, and cut short are none', () => {
    fc.assert(
      fc.property(fc.record({ node: u32, port: u32 }), fc.nat(11), (one, length) => {
        const sockaddr = encode(one);
        expect(qrtr.decode(sockaddr, info)).to.deep.equal(one);
        expect(thrown(() => qrtr.decode(sockaddr.subarray(0, length), info))).to.include({ argument: 'sockaddr' });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 128 }), (bytes) => {
        expect(qrtr.format(qrtr.decode(bytes, info))).to.be.a('string');
      }),
    );
  });

  it('are checked member by member', () => {
    const table: [unknown, string][] = [
      [undefined, 'address'],
      [5, 'address'],
      [[1, 2], 'address'],
      [{ node: 1, port: 1, type: 1 }, 'address'],
      [{ port: 1 }, 'address.node'],
      [{ node: 1 }, 'address.port'],
      [{ node: -1, port: 1 }, 'address.node'],
      [{ node: 1, port: 2 ** 32 }, 'address.port'],
    ];
    for (const [input, argument] of table) {
      expect(thrown(() => encode(input as QrtrInput))).to.include({ argument });
    }
  });

  it('are formatted for people', () => {
    expect(qrtr.format({ node: 1, port: 16_384 })).to.equal('node 1 port 16384');
    expect(qrtr.format({ node: QRTR_NODE_BCAST, port: QRTR_PORT_CTRL })).to.equal('all nodes name service');
  });
});

describe('explanations of QRTR failures', () => {
  const explain = (failure: Partial<FailedCall>) =>
    qrtr.explain?.({ syscall: 'socket', code: 'EAFNOSUPPORT', type: 2, protocol: 0, ...failure });

  it('name the kernel module and the remedy', () => {
    expect(explain({})).to.equal('this kernel has no AF_QIPCRTR; load the module qrtr (modprobe qrtr)');
    expect(explain({ syscall: 'sendto', code: 'ENOSPC' })).to.include('queue is full');
    expect(explain({ syscall: 'bind', code: 'EACCES' })).to.include('CAP_NET_ADMIN');
    expect(explain({ syscall: 'recv', code: 'EIO' })).to.equal(undefined);
  });
});

describe('control packets of QRTR', () => {
  const server: fc.Arbitrary<QrtrServerPacket> = fc.record({
    type: fc.constantFrom(QRTR_TYPE_NEW_SERVER, QRTR_TYPE_DEL_SERVER, QRTR_TYPE_NEW_LOOKUP, QRTR_TYPE_DEL_LOOKUP),
    service: u32,
    instance: u32,
    node: u32,
    port: u32,
  });
  const client: fc.Arbitrary<QrtrClientPacket> = fc.record({
    type: fc.constantFrom(QRTR_TYPE_BYE, QRTR_TYPE_DEL_CLIENT, QRTR_TYPE_RESUME_TX),
    node: u32,
    port: u32,
  });
  const plain: fc.Arbitrary<QrtrPlainPacket> = fc.record({
    type: fc.constantFrom(QRTR_TYPE_HELLO, QRTR_TYPE_EXIT, QRTR_TYPE_PING),
  });

  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(fc.oneof<fc.Arbitrary<QrtrControlPacket>[]>(server, client, plain), (packet) => {
        const bytes = packControlPacket(packet);
        expect(bytes.length).to.equal(20);
        expect(unpackControlPacket(bytes)).to.deep.equal(packet);
      }),
    );
  });

  it('are as the kernel has them', () => {
    const bytes = packControlPacket({ type: QRTR_TYPE_NEW_SERVER, service: 0x0102, instance: 3, port: 4 });
    expect(bytes.toString('hex')).to.equal('0400000002010000030000000000000004000000');
  });

  it('random and truncated bytes are a packet or none, never a crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void unpackControlPacket(bytes)));
    const bytes = packControlPacket({ type: QRTR_TYPE_NEW_SERVER, service: 1 });
    for (let length = 0; length < 20; length++) {
      expect(unpackControlPacket(bytes.subarray(0, length))).to.equal(undefined);
    }
  });

  it('are checked member by member', () => {
    const table: [unknown, string][] = [
      [undefined, 'packet'],
      [{ type: 1 }, 'packet.type'],
      [{ type: QRTR_TYPE_NEW_SERVER }, 'packet.service'],
      [{ type: QRTR_TYPE_NEW_LOOKUP, service: 1, instance: -1 }, 'packet.instance'],
      [{ type: QRTR_TYPE_DEL_CLIENT, node: '1' }, 'packet.node'],
    ];
    for (const [input, argument] of table) {
      expect(thrown(() => packControlPacket(input as QrtrControlInput))).to.include({ argument });
    }
  });
});
