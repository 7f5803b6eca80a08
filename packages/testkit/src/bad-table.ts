import type { BadArgument, BadValue } from './bad-values.js';
import * as bad from './bad-values.js';
import type { Bench } from './conformance/bench.js';
import { FORMS, type Form } from './conformance/forms.js';

const WAITING: readonly Form[] = ['promise', 'sync'];
const PROMISE: readonly Form[] = ['promise'];

/** Operations that receive, with arguments up to the options. */
const RECEIVING: [operation: string, args: () => unknown[]][] = [
  ['recv', () => [8]],
  ['recvInto', () => [new Uint8Array(8)]],
  ['recvFrom', () => [8]],
  ['recvFromInto', () => [new Uint8Array(8)]],
  ['recvMsg', () => [8, 0]],
  ['recvMsgInto', () => [[new Uint8Array(8)], 0]],
];
const SENDING: [operation: string, args: () => unknown[]][] = [
  ['send', () => ['never']],
  ['sendMsg', () => [['never']]],
];

/** Every argument of every operation that moves data, with what it must refuse. */
export function transferTable<A, I>(bench: Bench<A, I>, addresses: readonly BadValue[]): BadArgument[] {
  const table: BadArgument[] = [];
  const add = (
    operation: string,
    forms: readonly Form[],
    argument: string,
    values: readonly BadValue[],
    args: (value: unknown) => unknown[],
  ): void => {
    table.push({ operation, forms, argument, values, args });
  };

  add('recv', FORMS, 'size', bad.BAD_REQUIRED_SIZES, (value) => [value]);
  add('recvFrom', FORMS, 'size', bad.BAD_REQUIRED_SIZES, (value) => [value]);
  add('recvMsg', FORMS, 'size', bad.BAD_REQUIRED_SIZES, (value) => [value, 0]);
  add('recvMsg', FORMS, 'ancillarySize', bad.BAD_SIZES, (value) => [8, value]);
  add('recvInto', FORMS, 'buffer', bad.BAD_TARGETS, (value) => [value]);
  add('recvFromInto', FORMS, 'buffer', bad.BAD_TARGETS, (value) => [value]);
  add('recvMsgInto', FORMS, 'buffers', bad.BAD_LISTS, (value) => [value, 0]);
  add(
    'recvMsgInto',
    FORMS,
    'buffers',
    [{ what: 'a list with a string', value: ['x'], error: 'TypeError' }],
    (value) => [value, 0],
  );
  add('recvMsgInto', FORMS, 'ancillarySize', bad.BAD_SIZES, (value) => [[new Uint8Array(8)], value]);
  add('recvBatch', FORMS, 'batch', bad.BAD_OBJECTS, (value) => [value]);

  add('send', FORMS, 'data', bad.BAD_DATA, (value) => [value]);
  add('sendAll', WAITING, 'data', bad.BAD_DATA, (value) => [value]);
  add('sendMsg', FORMS, 'buffers', bad.BAD_LISTS, (value) => [value]);
  add('sendMsg', FORMS, 'ancillary', bad.BAD_ANCILLARY, (value) => [['never'], { ancillary: value }]);
  add('sendBatch', FORMS, 'batch', bad.BAD_OBJECTS, (value) => [value]);
  add('sendFile', FORMS, 'file', bad.BAD_FILES, (value) => [value]);
  const positions = bad.BAD_SIZES.filter(({ value }) => value !== 2 ** 40);
  add('sendFile', FORMS, 'offset', positions, (value) => [0, { offset: value }]);
  add('sendFile', FORMS, 'count', positions, (value) => [0, { count: value }]);

  for (const [operation, args] of [...RECEIVING, ...SENDING]) {
    add(operation, FORMS, 'flags', bad.BAD_INTS, (value) => [...args(), { flags: value }]);
    add(operation, WAITING, 'timeout', bad.BAD_TIMEOUTS, (value) => [...args(), { timeout: value }]);
    add(operation, PROMISE, 'signal', bad.BAD_SIGNALS, (value) => [...args(), { signal: value }]);
    add(operation, FORMS, 'options', bad.BAD_OPTIONS, (value) => [...args(), value]);
  }
  for (const operation of ['waitReadable', 'waitWritable', 'accept']) {
    add(operation, WAITING, 'options', bad.BAD_OPTIONS, (value) => [value]);
    add(operation, WAITING, 'timeout', bad.BAD_TIMEOUTS, (value) => [{ timeout: value }]);
    add(operation, PROMISE, 'signal', bad.BAD_SIGNALS, (value) => [{ signal: value }]);
  }
  add('sendAll', WAITING, 'timeout', bad.BAD_TIMEOUTS, (value) => ['never', { timeout: value }]);
  add('sendAll', WAITING, 'flags', bad.BAD_INTS, (value) => ['never', { flags: value }]);

  if (bench.hasAddresses) {
    add('bind', FORMS, 'address', addresses, (value) => [value]);
    add('connect', FORMS, 'address', addresses, (value) => [value]);
    add('connectEx', FORMS, 'address', addresses, (value) => [value]);
    add('sendTo', FORMS, 'address', addresses, (value) => ['never', value]);
    // without an address sendMsg goes to the peer
    const given = addresses.filter(({ value }) => value !== undefined && value !== null);
    add('sendMsg', FORMS, 'address', given, (value) => [['never'], { address: value }]);
  }
  return table;
}

/** Every argument of the immediate methods: these throw, and have no forms. */
export function immediateTable(): Omit<BadArgument, 'forms'>[] {
  const entry = (
    operation: string,
    argument: string,
    values: readonly BadValue[],
    args: (value: unknown) => unknown[],
  ): Omit<BadArgument, 'forms'> => ({ operation, argument, values, args });
  const hows: BadValue[] = [-1, 3, 100].map((value) => ({ what: String(value), value, error: 'RangeError' }));
  const lengths = bad.BAD_SIZES.filter(({ value }) => value !== null);
  return [
    entry('listen', 'backlog', bad.BAD_INTS, (value) => [value]),
    entry('shutdown', 'how', [...bad.BAD_REQUIRED_INTS, ...hows], (value) => [value]),
    entry('getsockopt', 'level', bad.BAD_REQUIRED_INTS, (value) => [value, 3]),
    entry('getsockopt', 'name', bad.BAD_REQUIRED_INTS, (value) => [1, value]),
    entry('getsockopt', 'length', lengths, (value) => [1, 3, value]),
    entry('setsockopt', 'level', bad.BAD_REQUIRED_INTS, (value) => [value, 9, 1]),
    entry('setsockopt', 'name', bad.BAD_REQUIRED_INTS, (value) => [1, value, 1]),
    entry(
      'setsockopt',
      'value',
      [
        ...bad.BAD_TARGETS.filter(({ value }) => value !== null && value !== 5),
        ...bad.BAD_INTS.filter(({ error }) => error === 'RangeError'),
      ],
      (value) => [1, 9, value],
    ),
    entry('setsockopt', 'length', bad.BAD_REQUIRED_SIZES, (value) => [1, 9, null, value]),
    entry('getOption', 'option', bad.BAD_OBJECTS, (value) => [value]),
    entry('setOption', 'option', bad.BAD_OBJECTS, (value) => [value, true]),
    entry('ioctl', 'request', bad.BAD_REQUIRED_INTS, (value) => [value]),
    entry('detach', 'options', bad.BAD_OPTIONS, (value) => [value]),
    entry('detach', 'options.blocking', bad.BAD_BOOLEANS, (value) => [{ blocking: value }]),
    entry('encodeAddress', 'address', bad.BAD_ADDRESSES, (value) => [value]),
  ];
}
