import type { Form } from './conformance/forms.js';

/** A value that must be refused. */
export interface BadValue {
  /** For titles and failures. */
  what: string;
  value: unknown;
  /** Absent: either. */
  error?: 'TypeError' | 'RangeError' | undefined;
  /** What the error must name, where it is a member of the argument. */
  argument?: string | undefined;
}

/** One argument of one operation, and the values that it must refuse. */
export interface BadArgument {
  operation: string;
  forms: readonly Form[];
  /** The arguments, with the bad value in its place. */
  args: (bad: unknown) => unknown[];
  /** What the error's `argument` must be; its members (`address.port`, `buffers[0]`) count too. */
  argument: string;
  values: readonly BadValue[];
}

const wrongType = (...values: [string, unknown][]): BadValue[] =>
  values.map(([what, value]) => ({ what, value, error: 'TypeError' }));
const wrongValue = (...values: [string, unknown][]): BadValue[] =>
  values.map(([what, value]) => ({ what, value, error: 'RangeError' }));

const NO_NUMBERS = wrongType(
  ['null', null],
  ['a string', '1'],
  ['a bigint', 1n],
  ['a boolean', true],
  ['an object', {}],
  ['an array', [1]],
  ['a function', () => 1],
  ['a symbol', Symbol('1')],
);
const NO_INTEGERS = wrongValue(
  ['a fraction', 1.5],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['−Infinity', Number.NEGATIVE_INFINITY],
);
const UNDEFINED = wrongType(['undefined', undefined]);

/** No count of bytes. */
export const BAD_SIZES: readonly BadValue[] = [
  ...NO_NUMBERS,
  ...NO_INTEGERS,
  ...wrongValue(['a negative number', -1], ['2 ** 40', 2 ** 40], ['2 ** 53', 2 ** 53]),
];
export const BAD_REQUIRED_SIZES: readonly BadValue[] = [...UNDEFINED, ...BAD_SIZES];
/** No int, whatever its sign. */
export const BAD_INTS: readonly BadValue[] = [...NO_NUMBERS, ...NO_INTEGERS, ...wrongValue(['2 ** 40', 2 ** 40])];
export const BAD_REQUIRED_INTS: readonly BadValue[] = [...UNDEFINED, ...BAD_INTS];

/** Nothing that can be sent. */
export const BAD_DATA: readonly BadValue[] = wrongType(
  ['undefined', undefined],
  ['null', null],
  ['a number', 5],
  ['a bigint', 5n],
  ['a boolean', false],
  ['an object', {}],
  ['an array of bytes', [1, 2, 3]],
  ['a function', () => 'x'],
  ['a symbol', Symbol('x')],
  ['an object that looks like a buffer', { byteLength: 4, byteOffset: 0, buffer: {} }],
);
/** Nothing that can be received into. */
export const BAD_TARGETS: readonly BadValue[] = [...BAD_DATA, ...wrongType(['a string', 'text'])];
/** No list of buffers. */
export const BAD_LISTS: readonly BadValue[] = wrongType(
  ['undefined', undefined],
  ['null', null],
  ['a number', 5],
  ['a string', 'text'],
  ['an object', {}],
  ['a list with null', [null]],
  ['a list with a number', [new Uint8Array(1), 5]],
  ['a list within a list', [[new Uint8Array(1)]]],
);
export const BAD_OPTIONS: readonly BadValue[] = wrongType(
  ['null', null],
  ['a number', 5],
  ['a string', 'x'],
  ['a boolean', true],
  ['a function', () => ({})],
);
export const BAD_TIMEOUTS: readonly BadValue[] = [
  ...wrongType(['a string', '5'], ['a bigint', 5n], ['an object', {}], ['a boolean', true], ['an array', [5]]),
  ...wrongValue(['a negative number', -1], ['NaN', Number.NaN], ['−Infinity', Number.NEGATIVE_INFINITY]),
];
export const BAD_SIGNALS: readonly BadValue[] = wrongType(
  ['null', null],
  ['a string', 'abort'],
  ['a number', 5],
  ['an AbortController', new AbortController()],
  ['an object that looks like one', { aborted: false, addEventListener() {} }],
);
export const BAD_BOOLEANS: readonly BadValue[] = wrongType(['a number', 1], ['a string', 'true'], ['null', null]);
export const BAD_OBJECTS: readonly BadValue[] = wrongType(
  ['undefined', undefined],
  ['null', null],
  ['a number', 5],
  ['a string', 'x'],
  ['an empty object', {}],
);
export const BAD_ANCILLARY: readonly BadValue[] = [
  ...wrongType(
    ['null', null],
    ['a number', 5],
    ['an object', {}],
    ['a list with null', [null]],
    ['a list with a number', [5]],
    ['a message without data', [{ level: 1, type: 1 }]],
    ['a message without a level', [{ type: 1, data: new Uint8Array(4) }]],
    ['a level that is a string', [{ level: '1', type: 1, data: new Uint8Array(4) }]],
    ['data that is a number', [{ level: 1, type: 1, data: 4 }]],
  ),
  ...wrongValue(
    ['a type that is a fraction', [{ level: 1, type: 1.5, data: new Uint8Array(4) }]],
    ['a level out of range', [{ level: 2 ** 40, type: 1, data: new Uint8Array(4) }]],
  ),
];
/** No address of any family. */
export const BAD_ADDRESSES: readonly BadValue[] = wrongType(
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('address')],
);
export const BAD_FILES: readonly BadValue[] = [
  ...wrongType(['undefined', undefined], ['null', null], ['a path', '/etc/passwd'], ['an object', {}]),
  ...wrongValue(['a negative number', -1], ['a fraction', 0.5], ['NaN', Number.NaN], ['2 ** 40', 2 ** 40]),
];
