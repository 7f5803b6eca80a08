import { endianness } from 'node:os';
import { writeU16 } from '@sock/core';
import {
  type AttributeInput,
  Attributes,
  attribute,
  NLA_F_NESTED,
  NLA_F_NET_BYTEORDER,
  packAttributes,
  unpackAttributes,
} from '@sock/netlink';
import { runs, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const type = fc.integer({ min: 0, max: 0x3fff });

interface Tree {
  type: number;
  data?: Uint8Array;
  attributes?: Tree[];
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type, data: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ type, attributes: fc.array(tie('tree'), { maxLength: 4 }) }),
  ),
}));

function check(read: Attributes, written: readonly Tree[]): void {
  expect(read.length).to.equal(written.length);
  [...read].forEach((one, i) => {
    const { type: number, data, attributes } = written[i] as Tree;
    expect(one.type).to.equal(number);
    expect(one.nested).to.equal(attributes !== undefined);
    if (attributes === undefined) expect([...one.data]).to.deep.equal([...(data ?? [])]);
    else check(unpackAttributes(one.data), attributes);
  });
}

describe('netlink attributes', () => {
  it('are a header of length and type, the value, and padding', () => {
    const bytes = packAttributes([attribute.bytes(5, Uint8Array.of(1, 2, 3)), attribute.flag(6)]);
    const expected = Buffer.alloc(12);
    writeU16(expected, 7, 0);
    writeU16(expected, 5, 2);
    expected.set([1, 2, 3], 4);
    writeU16(expected, 4, 8);
    writeU16(expected, 6, 10);
    expect(bytes.equals(expected)).to.equal(true);
  });

  it('give back what was put in, however deep', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 6 }), (written) => {
        const bytes = packAttributes(written as AttributeInput[]);
        expect(bytes.length % 4).to.equal(0);
        check(unpackAttributes(bytes), written);
      }),
      { numRuns: runs() },
    );
  });

  it('come back whole up to where they were cut off', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), fc.nat(), (written, cut) => {
        const bytes = packAttributes(written as AttributeInput[]);
        const whole = unpackAttributes(bytes);
        const part = unpackAttributes(bytes.subarray(0, cut % (bytes.length + 1)));
        expect(part.length).to.be.at.most(whole.length);
        const first = [...whole].slice(0, part.length);
        expect([...part].map((one) => one.data.toString('hex'))).to.deep.equal(
          first.map((one) => one.data.toString('hex')),
        );
      }),
      { numRuns: runs() },
    );
  });

  it('survive any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), type, fc.nat({ max: 20 }), (bytes, number, offset) => {
        const read = unpackAttributes(bytes, offset);
        for (const one of read) expect(one.data.length).to.be.at.most(bytes.length);
        for (const number2 of [number, ...[...read].map((one) => one.type)]) {
          read.u8(number2);
          read.u16(number2);
          read.u32(number2);
          read.u64(number2);
          read.s8(number2);
          read.s16(number2);
          read.s32(number2);
          read.s64(number2);
          read.be16(number2);
          read.be32(number2);
          read.text(number2);
          [...(read.nested(number2) ?? [])].length.toString();
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it('a length that cannot be ends them', () => {
    for (const length of [0, 1, 3, 5, 0xffff]) {
      const bytes = Buffer.alloc(4);
      writeU16(bytes, length, 0);
      expect(unpackAttributes(bytes).length, `length ${length}`).to.equal(0);
    }
  });

  it('integers come back, and what is too short does not', () => {
    const cases = [
      ['u8', 0, 0xff],
      ['u16', 0, 0xffff],
      ['u32', 0, 0xffffffff],
      ['s8', -0x80, 0x7f],
      ['s16', -0x8000, 0x7fff],
      ['s32', -0x80000000, 0x7fffffff],
      ['be16', 0, 0xffff],
      ['be32', 0, 0xffffffff],
    ] as const;
    for (const [name, minimum, maximum] of cases) {
      fc.assert(
        fc.property(type, fc.integer({ min: minimum, max: maximum }), (number, value) => {
          const bytes = packAttributes([attribute[name](number, value)]);
          expect(unpackAttributes(bytes)[name](number), name).to.equal(value);
        }),
        { numRuns: runs() },
      );
      const short = unpackAttributes(packAttributes([attribute.bytes(1, new Uint8Array(0))]));
      expect(short[name](1), name).to.equal(undefined);
      expect(short[name](2), name).to.equal(undefined);
      for (const wrong of [minimum - 1, maximum + 1, 0.5, Number.NaN]) {
        expect(
          thrown(() => attribute[name](1, wrong)),
          name,
        ).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'value' });
      }
      expect(thrown(() => attribute[name](1, '1' as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('integers of 64 bits are bigints', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (u, s) => {
          const read = unpackAttributes(packAttributes([attribute.u64(1, u), attribute.s64(2, s)]));
          expect(read.u64(1)).to.equal(u);
          expect(read.s64(2)).to.equal(s);
        },
      ),
      { numRuns: runs() },
    );
    expect(unpackAttributes(packAttributes([attribute.u64(1, 7)])).u64(1)).to.equal(7n);
    for (const wrong of [-1n, 2n ** 64n])
      expect(thrown(() => attribute.u64(1, wrong))).to.include({ argument: 'value' });
    for (const wrong of [-(2n ** 63n) - 1n, 2n ** 63n]) {
      expect(thrown(() => attribute.s64(1, wrong))).to.include({ argument: 'value' });
    }
  });

  it('the flag of network byte order turns integers around', () => {
    const swapped = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
    const bytes = packAttributes([{ type: 9, data: swapped, bigEndian: true }]);
    const read = unpackAttributes(bytes);
    expect(read.get(9)).to.include({ type: 9, bigEndian: true, nested: false });
    expect(read.u16(9)).to.equal(0x0102);
    expect(read.u32(9)).to.equal(0x01020304);
    expect(read.u64(9)).to.equal(0x0102030405060708n);
    expect(read.s16(9)).to.equal(0x0102);
    expect(read.s32(9)).to.equal(0x01020304);
    expect(read.s64(9)).to.equal(0x0102030405060708n);
    const plain = unpackAttributes(packAttributes([{ type: 9, data: swapped }]));
    if (endianness() === 'LE') expect(plain.u32(9)).to.equal(0x04030201);
    expect(plain.be32(9)).to.equal(0x01020304);
  });

  it('both flags are kept apart from the type', () => {
    const bytes = Buffer.alloc(4);
    writeU16(bytes, 4, 0);
    writeU16(bytes, NLA_F_NESTED | NLA_F_NET_BYTEORDER | 0x3fff, 2);
    expect([...unpackAttributes(bytes)]).to.have.lengthOf(1);
    expect(unpackAttributes(bytes).get(0x3fff)).to.include({ nested: true, bigEndian: true });
  });

  it('texts end at their first NUL, or at their end', () => {
    const read = unpackAttributes(
      packAttributes([
        attribute.text(1, 'größe'),
        attribute.bytes(2, 'no end'),
        attribute.bytes(3, 'a\0b'),
        attribute.flag(4),
      ]),
    );
    expect(read.bytes(1)?.at(-1)).to.equal(0);
    expect([1, 2, 3, 4, 5].map((number) => read.text(number))).to.deep.equal(['größe', 'no end', 'a', '', undefined]);
    expect(thrown(() => attribute.text(1, 'a\0b'))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'value' });
    expect(thrown(() => attribute.text(1, 5 as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'value' });
  });

  it('of several of a type the last counts, and all are there', () => {
    const read = unpackAttributes(packAttributes([attribute.u8(1, 1), attribute.u8(2, 9), attribute.u8(1, 2)]));
    expect(read.u8(1)).to.equal(2);
    expect(read.all(1).map(({ data }) => data[0])).to.deep.equal([1, 2]);
    expect(read.has(2)).to.equal(true);
    expect(read.has(3)).to.equal(false);
    expect(read.length).to.equal(3);
    expect(new Attributes().length).to.equal(0);
    expect(new Attributes([...read]).u8(2)).to.equal(9);
  });

  it('nested ones are read in turn, with or without the flag', () => {
    const inner = [attribute.u32(7, 42)];
    const read = unpackAttributes(
      packAttributes([attribute.nested(1, inner), attribute.bytes(2, packAttributes(inner))]),
    );
    expect(read.get(1)?.nested).to.equal(true);
    expect(read.nested(1)?.u32(7)).to.equal(42);
    expect(read.nested(2)?.u32(7)).to.equal(42);
    expect(read.nested(3)).to.equal(undefined);
  });

  it('bad input is told by its place', () => {
    const cases: [unknown, string][] = [
      [undefined, 'attributes'],
      ['text', 'attributes'],
      [[5], 'attributes[0]'],
      [[{}], 'attributes[0].type'],
      [[{ type: 0x4000 }], 'attributes[0].type'],
      [[{ type: -1 }], 'attributes[0].type'],
      [[{ type: 1 }, { type: 2, data: 5 }], 'attributes[1].data'],
      [[{ type: 1, data: '', attributes: [] }], 'attributes[0]'],
      [[{ type: 1, attributes: [{ type: 'x' }] }], 'attributes[0].attributes[0].type'],
      [[{ type: 1, data: Buffer.alloc(65_532) }], 'attributes[0]'],
    ];
    for (const [input, argument] of cases) {
      expect(
        thrown(() => packAttributes(input as never)),
        argument,
      ).to.include({ argument });
    }
    expect(packAttributes([{ type: 1, data: Buffer.alloc(65_531) }]).length).to.equal(65_536);
  });
});
