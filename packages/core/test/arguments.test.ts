import { inspect } from 'node:util';
import {
  type ArgumentError,
  checkBigInt,
  checkBoolean,
  checkInteger,
  checkInterfaceName,
  checkMembers,
  checkObject,
  checkOneOf,
  checkString,
  invalidArgumentType,
  knownAs,
  outOfRange,
  readI32,
  readI64,
  readU16,
  readU16BE,
  readU32,
  readU32BE,
  readU64,
  toBytes,
  toTarget,
  writeI32,
  writeI64,
  writeU16,
  writeU16BE,
  writeU32,
  writeU32BE,
  writeU64,
} from '@sock/core';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

describe('errors about arguments', () => {
  it('have a code and the name of the argument, and show the code as Node does', () => {
    const error: TypeError & ArgumentError = invalidArgumentType('address.port', 'an integer', 'x');
    expect(error).to.be.instanceOf(TypeError);
    expect(error).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'address.port', name: 'TypeError' });
    expect(error.message).to.equal("address.port must be an integer, not type string ('x')");
    expect(error.stack).to.match(/^TypeError \[ERR_INVALID_ARG_TYPE\]: address\.port must be/);
    expect(Object.keys(error)).to.not.include('name');
    const range = outOfRange('address.port', 'an integer from 0 to 65535', 70_000);
    expect(range).to.be.instanceOf(RangeError);
    expect(range).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address.port', name: 'RangeError' });
    expect(range.message).to.equal('address.port must be an integer from 0 to 65535, not 70000');
    expect(range.stack).to.match(/^RangeError \[ERR_OUT_OF_RANGE\]/);
  });

  it('tell what was given instead, whatever it was', () => {
    class Thing {}
    const cases: readonly [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      [7, 'type number (7)'],
      [7n, 'type bigint (7n)'],
      [true, 'type boolean (true)'],
      [Symbol('s'), 'type symbol (Symbol(s))'],
      [function named() {}, 'function named'],
      [new Thing(), 'an instance of Thing'],
      [[], 'an instance of Array'],
      [Object.create(null), '[Object: null prototype]'],
      ['x'.repeat(100), `type string ('${'x'.repeat(39)}…)`],
    ];
    for (const [value, text] of cases) {
      const shown = invalidArgumentType('it', 'that', value).message;
      expect(shown.startsWith(`it must be that, not ${text}`), shown).to.equal(true);
    }
    expect(outOfRange('it', 'that', 'x'.repeat(1000)).message.length).to.be.below(200);
    expect(outOfRange('it', 'that', new Thing()).message).to.equal('it must be that, not an instance of Thing');
    expect(outOfRange('it', 'that', -0).message).to.equal('it must be that, not -0');
  });

  it('never throw something else, for any value', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          expect(invalidArgumentType('it', 'that', value)).to.be.instanceOf(TypeError);
          expect(outOfRange('it', 'that', value)).to.be.instanceOf(RangeError);
        },
      ),
    );
  });
});

describe('what a check calls by a name of its own', () => {
  const refused = (argument: string) =>
    thrown(() =>
      knownAs('frames[1]', 'frame', () => {
        throw outOfRange(argument, 'small', 5);
      }),
    );

  it('is refused by the name that the caller knows, members included', () => {
    for (const [own, known] of [
      ['frame', 'frames[1]'],
      ['frame.id', 'frames[1].id'],
      ['frame[2].id', 'frames[1][2].id'],
    ] as const) {
      const error = refused(own);
      expect(error).to.include({ argument: known, code: 'ERR_OUT_OF_RANGE' });
      expect(error.message).to.equal(`${known} must be small, not 5`);
      expect(error.stack).to.contain(error.message);
    }
  });

  it('is not what is called something else, nor another error, nor what is accepted', () => {
    expect(refused('framework').message).to.equal('framework must be small, not 5');
    const other = new Error('frame');
    expect(
      thrown(() =>
        knownAs('frames[1]', 'frame', () => {
          throw other;
        }),
      ),
    ).to.equal(other);
    expect(other.message).to.equal('frame');
    expect(knownAs('frames[1]', 'frame', () => 7)).to.equal(7);
  });
});

describe('checks of arguments', () => {
  type Check = (value: unknown) => unknown;
  const table: readonly [
    string,
    Check,
    accepted: readonly unknown[],
    types: readonly unknown[],
    ranges: readonly unknown[],
  ][] = [
    [
      'checkInteger',
      (v) => checkInteger('it', v, -2, 5),
      [-2, 0, 5],
      ['1', null, undefined, 1n, {}, true],
      [-3, 6, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
    ],
    [
      'checkBigInt',
      (v) => checkBigInt('it', v, 0n, 9n),
      [0n, 9n],
      ['1', null, undefined, {}, true],
      [-1n, 10n, 1.5, 10, Number.NaN, 2 ** 60],
    ],
    [
      'checkString',
      (v) => checkString('it', v),
      ['', 'text', 'äöü'],
      [1, null, undefined, {}, Symbol('x')],
      ['nul\0', '\0'],
    ],
    ['checkBoolean', (v) => checkBoolean('it', v), [true, false], [0, 1, 'true', null, undefined], []],
    ['checkObject', (v) => checkObject('it', v), [{ a: 1 }, new Map()], [null, undefined, [], 7, 'x', () => {}], []],
    [
      'checkMembers',
      (v) => checkMembers('it', v, ['a', 'b']),
      [{}, { a: 1 }, { b: undefined, a: 2 }],
      [null, undefined, [], 7, 'x', () => {}, new Uint8Array(1)],
      [{ c: 1 }, { a: 1, c: undefined }],
    ],
    ['checkOneOf', (v) => checkOneOf('it', v, ['a', 'b']), ['a', 'b'], [], ['c', '', 1, null, undefined]],
    [
      'checkInterfaceName',
      (v) => checkInterfaceName('it', v),
      ['lo', 'fifteen-letters', 'äöüäöüä'],
      [1, null, undefined],
      ['', 'sixteen-letters-', 'äöüäöüäö', 'nul\0'],
    ],
  ];

  it('checkMembers says what it takes', () => {
    const names = ['host', 'port'];
    expect(thrown(() => checkMembers('address', 7, names)).message).to.match(
      /^address must be an address { host, port }/,
    );
    expect(thrown(() => checkMembers('key', { pid: 1 }, names, 'a key')).message).to.match(
      /^key must be a key { host, port }/,
    );
  });

  for (const [name, check, accepted, types, ranges] of table) {
    it(`${name} gives what it accepts, and refuses the rest`, () => {
      for (const value of accepted) expect(check(value)).to.equal(value);
      for (const value of types) {
        expect(
          thrown(() => check(value)),
          inspect(value),
        ).to.include({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', argument: 'it' });
      }
      for (const value of ranges) {
        expect(
          thrown(() => check(value)),
          inspect(value),
        ).to.include({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE', argument: 'it' });
      }
    });
  }

  it('checkBigInt converts integers', () => {
    expect(checkBigInt('it', 7, 0n, 9n)).to.equal(7n);
  });

  it('checkOneOf tells what is accepted', () => {
    expect(thrown(() => checkOneOf('it', 'c', ['a', 'b'])).message).to.equal("it must be one of 'a', 'b', not 'c'");
  });

  it('toBytes and toTarget give the same memory', () => {
    const memory = new ArrayBuffer(8);
    const views = [
      new Uint8Array(memory, 2, 4),
      Buffer.from(memory, 2, 4),
      new DataView(memory, 2, 4),
      new Uint16Array(memory, 2, 2),
    ];
    for (const view of views) {
      for (const bytes of [toBytes('it', view), toTarget('it', view)]) {
        expect([bytes.buffer, bytes.byteOffset, bytes.length]).to.deep.equal([memory, 2, 4]);
      }
    }
    expect(toBytes('it', memory).buffer).to.equal(memory);
    expect(toTarget('it', new SharedArrayBuffer(3)).length).to.equal(3);
    expect(Buffer.from(toBytes('it', 'äö')).toString()).to.equal('äö');
    for (const value of [1, null, undefined, {}, [1], () => {}, true]) {
      expect(thrown(() => toBytes('it', value))).to.include({ argument: 'it', code: 'ERR_INVALID_ARG_TYPE' });
      expect(thrown(() => toTarget('it', value))).to.include({ argument: 'it', code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(thrown(() => toTarget('it', 'text')).message).to.equal(
      "it must be an ArrayBufferView or an ArrayBuffer, not type string ('text')",
    );
  });
});

describe('integers in kernel structures', () => {
  const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  type Read = (bytes: Uint8Array, offset: number) => number | bigint;
  type Write = (bytes: Uint8Array, value: never, offset: number) => void;
  const NUMBERS: readonly [string, size: number, min: bigint, Read, Write][] = [
    ['U16', 2, 0n, readU16, writeU16],
    ['U32', 4, 0n, readU32, writeU32],
    ['I32', 4, -(2n ** 31n), readI32, writeI32],
    ['U64', 8, 0n, readU64, writeU64],
    ['I64', 8, -(2n ** 63n), readI64, writeI64],
    ['U16BE', 2, 0n, readU16BE, writeU16BE],
    ['U32BE', 4, 0n, readU32BE, writeU32BE],
  ];

  for (const [kind, size, min, read, write] of NUMBERS) {
    it(`read${kind} and write${kind}`, () => {
      const big = size === 8;
      const bits = BigInt(size * 8);
      fc.assert(
        fc.property(fc.bigInt({ min, max: min + 2n ** bits - 1n }), fc.nat(7), (value, offset) => {
          // not aligned, inside a larger memory, and with something on either side
          const memory = new Uint8Array(32).fill(0xee);
          const bytes = memory.subarray(3, 3 + offset + size + 1);
          write(bytes, (big ? value : Number(value)) as never, offset);
          expect(BigInt(read(bytes, offset))).to.equal(value);
          const written = [...bytes.subarray(offset, offset + size)];
          const order = kind.endsWith('BE') || !LITTLE ? written : written.reverse();
          expect(BigInt(`0x${Buffer.from(order).toString('hex')}`)).to.equal(BigInt.asUintN(size * 8, value));
          expect([bytes[offset + size], memory[2]]).to.deep.equal([0xee, 0xee]);
          if (offset > 0) expect(bytes[offset - 1]).to.equal(0xee);
        }),
      );
    });
  }
});
