import { AF_INET, AF_INET6 } from '@sock/core';
import { runs, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { checkIp, checkLinkAddress, formatIp, formatLinkAddress, parseIp, readIp } from '#netlink/ip.js';

const canonical = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1);

describe('IP addresses as text', () => {
  it('come back from their bytes', () => {
    for (const length of [4, 16]) {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: length, maxLength: length }), (bytes) => {
          const text = formatIp(bytes);
          expect([...(parseIp(text) ?? [])]).to.deep.equal([...bytes]);
          expect(readIp(Buffer.from(bytes))).to.equal(text);
        }),
        { numRuns: runs() },
      );
    }
  });

  it('with many zeros too, in the form of RFC 5952', () => {
    const word = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
        const bytes = Buffer.from(words.flatMap((one) => [one >> 8, one & 255]));
        const text = formatIp(bytes);
        expect(parseIp(text)?.equals(bytes), text).to.equal(true);
        // what embeds an IPv4 address is written otherwise there
        if (!text.includes('.')) expect(text).to.equal(canonical(text));
      }),
      { numRuns: runs(500) },
    );
  });

  it('in every way to write them are read', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseIp(text);
        expect(bytes?.length).to.equal(16);
        expect(canonical(formatIp(bytes as Buffer))).to.equal(canonical(text));
      }),
      { numRuns: runs(500) },
    );
    fc.assert(
      fc.property(fc.ipV4(), (text) => formatIp(parseIp(text) as Buffer) === text),
      { numRuns: runs() },
    );
  });

  it('known ones', () => {
    for (const [text, same] of [
      ['::', '::'],
      ['::1', '::1'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
      ['::ffff:c000:201', '::ffff:192.0.2.1'],
      ['::192.0.2.1', '::192.0.2.1'],
      ['2001:DB8::A', '2001:db8::a'],
      ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
      ['1:0:0:0:2:0:0:3', '1::2:0:0:3'],
      ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
      ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
      ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ] as const) {
      expect(formatIp(parseIp(text) as Buffer), text).to.equal(same);
    }
  });

  it('what is none is not taken for one', () => {
    for (const text of [
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      ':',
      ':::',
      '1::2::3',
      'fe80::1%lo',
      'host',
      '01.2.3.4',
    ]) {
      expect(parseIp(text), text).to.equal(undefined);
    }
    for (const length of [0, 3, 5, 15, 17]) expect(readIp(Buffer.alloc(length))).to.equal(undefined);
    expect(readIp(undefined)).to.equal(undefined);
    expect(thrown(() => checkIp('x', '::1', AF_INET))).to.include({
      argument: 'x',
      message: "x must be an IPv4 address, not '::1'",
    });
    expect(thrown(() => checkIp('x', '1.2.3.4', AF_INET6))).to.include({ argument: 'x' });
    expect(thrown(() => checkIp('x', 'nine'))).to.include({ argument: 'x', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => checkIp('x', 9))).to.include({ argument: 'x', code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('link-layer addresses as text', () => {
  it('come back from their bytes, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), (bytes) => {
        expect([...checkLinkAddress('x', formatLinkAddress(bytes))]).to.deep.equal([...bytes]);
      }),
      { numRuns: runs() },
    );
  });

  it('are not taken from anything else', () => {
    for (const text of ['', ':', '1', '123', '02:', '02:zz', '2-0', Array(33).fill('00').join(':')]) {
      if (text === '1') expect([...checkLinkAddress('x', text)]).to.deep.equal([1]);
      else
        expect(
          thrown(() => checkLinkAddress('x', text)),
          text,
        ).to.include({ argument: 'x' });
    }
    expect(thrown(() => checkLinkAddress('x', 5))).to.include({ argument: 'x', code: 'ERR_INVALID_ARG_TYPE' });
  });
});
