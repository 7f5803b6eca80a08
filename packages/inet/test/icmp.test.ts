import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  internetChecksum,
  ipPayload,
  packIcmpEcho,
  unpackIcmpEcho,
} from '@sock/inet';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const echo = fc.record({
  type: fc.constantFrom(ICMP_ECHO, ICMP_ECHOREPLY, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY),
  identifier: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  data: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
});

describe('internetChecksum', () => {
  it('gives the example of RFC 1071', () => {
    const data = Buffer.from('0001f203f4f5f6f7', 'hex');
    expect(internetChecksum(data)).to.equal(0xffff ^ 0xddf2);
    expect(internetChecksum(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))).to.equal(0x220d);
  });

  it('fills an odd last byte up with zeros', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 51 }), (bytes) => {
        expect(internetChecksum(bytes)).to.equal(
          internetChecksum(Buffer.concat([bytes, Buffer.alloc(2 - (bytes.length % 2))])),
        );
      }),
    );
  });

  it('is 0 of data with its own checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 2000 }), (bytes) => {
        bytes.fill(0, 0, 2);
        Buffer.from(bytes.buffer).writeUInt16BE(internetChecksum(bytes));
        expect(internetChecksum(bytes)).to.equal(0);
      }),
    );
  });

  it('carries over as often as needed', () => {
    expect(internetChecksum(Buffer.alloc(200_000, 0xff))).to.equal(0);
    expect(internetChecksum(new Uint8Array(0))).to.equal(0xffff);
  });

  it('takes bytes only', () => {
    expect(thrown(() => internetChecksum(5 as never))).to.include({ argument: 'data', code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('ICMP echo', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(echo, (value) => {
        expect(unpackIcmpEcho(packIcmpEcho(value))).to.deep.equal(value);
      }),
    );
  });

  it('is an empty ICMPv4 request unless told', () => {
    const packet = packIcmpEcho({});
    expect(packet.toString('hex')).to.equal('0800f7ff00000000');
    expect(unpackIcmpEcho(packet)).to.deep.equal({
      type: ICMP_ECHO,
      identifier: 0,
      sequence: 0,
      data: Buffer.alloc(0),
    });
    expect(unpackIcmpEcho(packIcmpEcho({ data: 'text' }))?.data.toString()).to.equal('text');
  });

  it('has a checksum in IPv4, and leaves it to the kernel in IPv6', () => {
    fc.assert(
      fc.property(echo, (value) => {
        const packet = packIcmpEcho(value);
        if (value.type >= ICMPV6_ECHO_REQUEST) expect(packet.readUInt16BE(2)).to.equal(0);
        else expect(internetChecksum(packet)).to.equal(0);
      }),
    );
  });

  it('is not what any other bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const value = unpackIcmpEcho(bytes);
        if (value !== undefined) expect(bytes[1]).to.equal(0);
        else
          expect(bytes.length < 8 || ![0, 8, 128, 129].includes(bytes[0] as number) || bytes[1] !== 0).to.equal(true);
      }),
    );
  });

  const bad: [input: unknown, argument: string][] = [
    [null, 'echo'],
    [{ type: 256 }, 'echo.type'],
    [{ identifier: -1 }, 'echo.identifier'],
    [{ sequence: 65_536 }, 'echo.sequence'],
    [{ data: 5 }, 'echo.data'],
  ];
  for (const [input, argument] of bad) {
    it(`says that ${argument} is wrong`, () => {
      expect(thrown(() => packIcmpEcho(input as never))).to.include({ argument });
    });
  }
  it('says that the packet is wrong', () => {
    expect(thrown(() => unpackIcmpEcho(5 as never))).to.include({ argument: 'packet' });
    expect(thrown(() => ipPayload(5 as never))).to.include({ argument: 'packet' });
  });

  it('is found behind an IPv4 header', () => {
    const packet = packIcmpEcho({ sequence: 3 });
    const header = Buffer.alloc(24);
    header[0] = 0x46;
    expect(ipPayload(Buffer.concat([header, packet]))?.equals(packet)).to.equal(true);
    for (const cut of [0, 1, 19, 23]) expect(ipPayload(header.subarray(0, cut))).to.equal(undefined);
    header[0] = 0x66;
    expect(ipPayload(header)).to.equal(undefined);
    header[0] = 0x44;
    expect(ipPayload(header)).to.equal(undefined);
  });
});
