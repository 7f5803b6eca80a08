import {
  LONG_SIZE,
  readI32,
  readI64,
  readText,
  readU16,
  readU16BE,
  readU32,
  readU32BE,
  readU64,
  writeI32,
  writeI64,
  writeU16,
  writeU16BE,
  writeU32,
  writeU32BE,
  writeU64,
} from '@sock/core';
import { expect } from 'chai';
import fc from 'fast-check';

describe('integers in structures', () => {
  const numbers = [
    [readU16, writeU16, 2, 0, 0xffff],
    [readU16BE, writeU16BE, 2, 0, 0xffff],
    [readU32, writeU32, 4, 0, 0xffffffff],
    [readU32BE, writeU32BE, 4, 0, 0xffffffff],
    [readI32, writeI32, 4, -0x80000000, 0x7fffffff],
  ] as const;
  const bigints = [
    [readU64, writeU64, 0n, 2n ** 64n - 1n],
    [readI64, writeI64, -(2n ** 63n), 2n ** 63n - 1n],
  ] as const;

  it('are themselves after a round trip, at any offset, and touch nothing else', () => {
    for (const [read, write, size, min, max] of numbers) {
      fc.assert(
        fc.property(fc.integer({ min, max }), fc.nat(5), (value, offset) => {
          const bytes = new Uint8Array(16).fill(0xaa);
          write(bytes, value, offset);
          expect(read(bytes, offset)).to.equal(value);
          expect(bytes.filter((_, i) => i < offset || i >= offset + size).every((byte) => byte === 0xaa)).to.equal(
            true,
          );
        }),
      );
    }
    for (const [read, write, min, max] of bigints) {
      fc.assert(
        fc.property(fc.bigInt({ min, max }), fc.nat(5), (value, offset) => {
          const bytes = new Uint8Array(16);
          write(bytes, value, offset);
          expect(read(bytes, offset)).to.equal(value);
        }),
      );
    }
  });

  it('have network byte order in those that end in BE', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(readU16BE(bytes, 0)).to.equal(0x0102);
    expect(readU32BE(bytes, 0)).to.equal(0x01020304);
  });

  it('respect the offset of a view', () => {
    const memory = Uint8Array.of(9, 9, 1, 2, 3, 4);
    expect(readU32BE(memory.subarray(2), 0)).to.equal(0x01020304);
  });
});

describe('other parts of structures', () => {
  it('a text ends with its first NUL, or with the bytes', () => {
    const bytes = Buffer.from('xäöü\0and more');
    expect(readText(bytes)).to.equal('xäöü');
    expect(readText(bytes.subarray(1))).to.equal('äöü');
    expect(readText(Uint8Array.from(bytes.subarray(0, 3)))).to.equal('xä');
    expect(readText(new Uint8Array())).to.equal('');
  });

  it('a long has the size of a pointer', () => {
    expect(LONG_SIZE).to.equal(process.arch.includes('64') || process.arch === 's390x' ? 8 : 4);
  });
});
