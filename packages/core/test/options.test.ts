import { endianness } from 'node:os';
import {
  booleanOption,
  type FilterInstruction,
  intBytes,
  integerOption,
  type MemoryInfo,
  packFilter,
  type RequestOption,
  readonlyIntegerOption,
  readU32,
  SO_ATTACH_FILTER,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  type SocketOption,
  scmMark,
  scmRxqOvfl,
  scmTxTime,
  soAcceptConn,
  soAttachBpf,
  soAttachFilter,
  soAttachReusePortCbpf,
  soBindToDevice,
  soBindToIfIndex,
  soBroadcast,
  soBufLock,
  soBusyPoll,
  soBusyPollBudget,
  soCookie,
  soDebug,
  soDetachFilter,
  soDomain,
  soDontRoute,
  soError,
  soIncomingCpu,
  soIncomingNapiId,
  soKeepAlive,
  soLinger,
  soLockFilter,
  soMark,
  soMaxPacingRate,
  soMemInfo,
  soNetnsCookie,
  soNoCheck,
  soOobInline,
  soPeekOff,
  soPreferBusyPoll,
  soPriority,
  soProtocol,
  soRcvBuf,
  soRcvBufForce,
  soRcvLowat,
  soRcvTimeo,
  soReserveMem,
  soReuseAddr,
  soReusePort,
  soRxqOvfl,
  soSelectErrQueue,
  soSndBuf,
  soSndBufForce,
  soSndLowat,
  soSndTimeo,
  soTimestamp,
  soTimestamping,
  soTimestampNs,
  soTxRehash,
  soTxTime,
  soType,
  soWifiStatus,
  soZeroCopy,
  stringOption,
  timevalOption,
  uint32Option,
  uint64Option,
  unpackFilter,
  withMessage,
} from '@sock/core';
import { capability, inLab, itIf, rejection, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { inet, refusingPort, tcpServer, udp, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

/** An option, what it is to be set to, and what is to be read then. */
interface Row {
  option: SocketOption<unknown, never>;
  value: unknown;
  /** What is read; the value itself unless told. */
  read?: unknown;
  type?: number;
  /** What it is at the start, where that is the same as the value. */
  same?: boolean;
}

const row = <V, I>(option: SocketOption<V, I>, value: I, read?: V, type?: number): Row => ({
  option: option as SocketOption<unknown, never>,
  value,
  ...(read === undefined ? {} : { read }),
  ...(type === undefined ? {} : { type }),
});

const TABLE: readonly Row[] = [
  row(soReuseAddr, true),
  row(soReusePort, true),
  row(soKeepAlive, true),
  row(soBroadcast, true, undefined, SOCK_DGRAM),
  row(soDontRoute, true),
  row(soOobInline, true),
  row(soDebug, true),
  row(soNoCheck, true, undefined, SOCK_DGRAM),
  row(soTimestamp, true),
  row(soTimestampNs, true),
  row(soTimestamping, 0x18),
  row(soWifiStatus, true, undefined, SOCK_DGRAM),
  row(soRxqOvfl, true, undefined, SOCK_DGRAM),
  row(soLockFilter, true),
  row(soSelectErrQueue, true),
  row(soZeroCopy, true),
  row(soPreferBusyPoll, true),
  row(soRcvBuf, 30_000, 60_000),
  row(soSndBuf, 30_000, 60_000),
  row(soRcvLowat, 5),
  row(soRcvTimeo, 2000),
  row(soSndTimeo, 3000),
  row(soPriority, 5),
  row(soMark, 0xfedcba98),
  row(soBusyPoll, 7),
  row(soBusyPollBudget, 16),
  row(soIncomingCpu, 0),
  row(soPeekOff, 0, undefined, SOCK_DGRAM),
  row(soMaxPacingRate, 123_456n),
  row(soReserveMem, 4096),
  row(soBufLock, 3),
  row(soTxRehash, 0),
  row(soBindToDevice, 'lo'),
  row(soBindToIfIndex, 1),
  row(soLinger, 7),
  row(soTxTime, { clock: 1, deadline: true, reportErrors: true }),
];

/** Whether this kernel, and this user, has the option. */
function allowed({ option, value, type = SOCK_STREAM }: Row): ReturnType<typeof capability> {
  return capability({
    name: option.label,
    remedy: option.capability === undefined ? 'a newer kernel' : `${option.capability}, and a newer kernel`,
    probe() {
      using socket = new Socket(inet, type);
      socket.setOption(option, value as never);
      socket.getOption(option);
    },
  });
}

describe('options of SOL_SOCKET', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  // that kernel cannot tell the budget, and reserves memory only for sockets of a memory control group
  const table = inLab ? TABLE.filter(({ option }) => option !== soBusyPollBudget && option !== soReserveMem) : TABLE;
  for (const entry of table) {
    const { option, value, type = SOCK_STREAM } = entry;
    const expected = 'read' in entry ? entry.read : value;

    itIf(allowed(entry), `${option.label}: set, and read again`, () => {
      const socket = stack.use(new Socket(inet, type));
      const initial = socket.getOption(option);
      expect(initial, 'the test would prove nothing').to.not.deep.equal(expected);
      expect(socket.setOption(option, value as never)).to.equal(undefined);
      expect(socket.getOption(option)).to.deep.equal(expected);
      // and back again: another value than the one before
      const back = option === soPeekOff || option === soIncomingCpu ? initial : undefined;
      if (back === undefined && typeof value === 'boolean' && option !== soLockFilter) {
        socket.setOption(option, false as never);
        expect(socket.getOption(option)).to.equal(false);
      }
    });
  }

  it('times, sizes and texts that mean "none"', () => {
    const socket = stack.use(new Socket(inet));
    for (const option of [soRcvTimeo, soSndTimeo, soLinger]) {
      expect(socket.getOption(option)).to.equal(null);
      socket.setOption(option, 3000);
      socket.setOption(option, null);
      expect(socket.getOption(option)).to.equal(null);
    }
    socket.setOption(soLinger, 0);
    expect(socket.getOption(soLinger)).to.equal(0);
    expect(socket.getOption(soBindToDevice)).to.equal('');
    socket.setOption(soRcvTimeo, 0.0001);
    expect(socket.getOption(soRcvTimeo)).to.be.greaterThan(0);
  });

  it('what is only read', () => {
    const server = stack.use(tcpServer());
    expect(server.getOption(soType)).to.equal(SOCK_STREAM);
    expect(server.getOption(soDomain)).to.equal(inet.domain);
    expect(server.getOption(soProtocol)).to.equal(6);
    expect(server.getOption(soAcceptConn)).to.equal(true);
    expect(stack.use(new Socket(inet)).getOption(soAcceptConn)).to.equal(false);
    expect(server.getOption(soSndLowat)).to.equal(1);
    expect(server.getOption(soIncomingNapiId)).to.equal(0);
    expect(server.getOption(soNetnsCookie)).to.be.a('bigint').and.equal(stack.use(udp()).getOption(soNetnsCookie));
    const cookies = [server, stack.use(udp())].map((socket) => (socket as Socket<never>).getOption(soCookie));
    expect(cookies[0]).to.not.equal(cookies[1]);
    const info: MemoryInfo = server.getOption(soMemInfo);
    expect(info.receiveBuffer).to.equal(server.getOption(soRcvBuf));
    expect(info.sendBuffer).to.equal(server.getOption(soSndBuf));
    expect(info.drops).to.equal(0);
    for (const option of [soType, soCookie, soError]) {
      const error = thrown(() => server.setOption(option as never, 1 as never));
      expect(error).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'option' });
      expect(error.message).to.include('an option that can be set');
    }
  });

  it('SO_ERROR gives the code, and takes the error away', async () => {
    const socket = stack.use(udp());
    expect(socket.getOption(soError)).to.equal(null);
    socket.connectSync(refusingPort());
    socket.sendSync('x');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(socket.getOption(soError)).to.equal('ECONNREFUSED');
    expect(socket.getOption(soError)).to.equal(null);
    expect(socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
  });

  itIf('root', 'buffers above the limit of the system', () => {
    const socket = stack.use(new Socket(inet));
    socket.setOption(soRcvBufForce, 20_000_000);
    socket.setOption(soSndBufForce, 20_000_000);
    expect(socket.getOption(soRcvBuf)).to.equal(40_000_000);
    expect(socket.getOption(soSndBuf)).to.equal(40_000_000);
    const error = thrown(() => socket.getOption(soRcvBufForce as never));
    expect(error).to.include({ argument: 'option' });
    expect(error.message).to.include('an option that can be read');
  });

  it('dropped messages are counted', async () => {
    const socket = stack.use(udp());
    socket.setOption(soRxqOvfl, true);
    socket.setOption(soRcvBuf, 3000);
    const sender = stack.use(udp());
    for (let i = 0; i < 50; i++) sender.sendToSync(Buffer.alloc(500), socket.getsockname());
    let last: number | undefined;
    for (;;) {
      const message = socket.tryRecvMsg(1000, soRxqOvfl.message.space);
      if (message === null) break;
      last = soRxqOvfl.message.find(message.ancillary) ?? last;
      if (last === undefined) sender.sendToSync('x', socket.getsockname());
    }
    expect(last).to.be.greaterThan(0);
  });

  it('errors name the option', () => {
    const socket = stack.use(new Socket(unix));
    const none: SocketOption<number> = integerOption({ level: SOL_SOCKET, name: 4000, label: 'SO_NONSENSE' });
    const error = thrown(() => socket.getOption(none));
    expect(error).to.include({
      code: 'ENOPROTOOPT',
      syscall: 'getsockopt',
      message: 'getsockopt ENOPROTOOPT SO_NONSENSE',
    });
    expect(thrown(() => socket.setOption(none, 1)).message).to.equal('setsockopt ENOPROTOOPT SO_NONSENSE');
    const absent = booleanOption({ level: undefined, name: undefined, label: 'SO_ELSEWHERE' });
    expect(thrown(() => socket.getOption(absent)).message).to.equal(
      `getsockopt EOPNOTSUPP: SO_ELSEWHERE does not exist on ${process.platform}`,
    );
    expect(thrown(() => socket.setOption(absent, true))).to.include({ code: 'EOPNOTSUPP', syscall: 'setsockopt' });
    const denied = { ...none, name: SO_TYPE, capability: 'CAP_NET_ADMIN' };
    expect(thrown(() => socket.setOption(denied, 1)).code).to.equal('ENOPROTOOPT');
  });

  it('values that are not accepted are told before any system call', () => {
    const socket = stack.use(new Socket(inet));
    const cases: readonly [SocketOption<never, never>, unknown, 'TypeError' | 'RangeError', string?][] = [
      [soReuseAddr as never, 1, 'TypeError'],
      [soReuseAddr as never, 'true', 'TypeError'],
      [soRcvBuf as never, '10', 'TypeError'],
      [soRcvBuf as never, -1, 'RangeError'],
      [soRcvBuf as never, 1.5, 'RangeError'],
      [soRcvBuf as never, Number.NaN, 'RangeError'],
      [soRcvBuf as never, 2 ** 31, 'RangeError'],
      [soRcvBufForce as never, -1, 'RangeError'],
      [soSndBufForce as never, null, 'TypeError'],
      [soBindToDevice as never, 'sixteen-bytes-xx', 'RangeError'],
      [soBindToDevice as never, 'nul\0', 'RangeError'],
      [soBindToDevice as never, 1, 'TypeError'],
      [soLinger as never, -1, 'RangeError'],
      [soLinger as never, 65_536, 'RangeError'],
      [soLinger as never, 'x', 'TypeError'],
      [soRcvTimeo as never, 0, 'RangeError'],
      [soRcvTimeo as never, Number.NaN, 'RangeError'],
      [soRcvTimeo as never, Number.POSITIVE_INFINITY, 'RangeError'],
      [soRcvTimeo as never, '5', 'TypeError'],
      [soMaxPacingRate as never, -1n, 'RangeError'],
      [soMaxPacingRate as never, 2n ** 64n, 'RangeError'],
      [soMaxPacingRate as never, '1', 'TypeError'],
      [soMaxPacingRate as never, 1.5, 'RangeError'],
      [soMark as never, 2 ** 32, 'RangeError'],
      [soTimestamping as never, -1, 'RangeError'],
      [soBufLock as never, 4, 'RangeError'],
      [soTxTime as never, 5, 'TypeError'],
      [soTxTime as never, { clock: 'x' }, 'TypeError', 'value.clock'],
      [soTxTime as never, { clock: 1, deadline: 1 }, 'TypeError', 'value.deadline'],
      [soAttachBpf as never, -1, 'RangeError'],
      [soDetachFilter as never, false, 'RangeError'],
      [soAttachFilter as never, [], 'RangeError'],
      [soAttachFilter as never, Buffer.alloc(7), 'RangeError'],
      [soAttachFilter as never, 7, 'TypeError'],
      [soAttachFilter as never, [null], 'TypeError', 'value[0]'],
      [soAttachFilter as never, [{ code: 70_000 }], 'RangeError', 'value[0].code'],
      [soAttachReusePortCbpf as never, Array(5000).fill({ code: 0 }), 'RangeError'],
    ];
    for (const [option, value, name, argument = 'value'] of cases) {
      const error = thrown(() => socket.setOption(option, value as never));
      expect(error, `${option.label} = ${String(value)}`).to.include({ name, argument });
      expect(error.code).to.equal(name === 'TypeError' ? 'ERR_INVALID_ARG_TYPE' : 'ERR_OUT_OF_RANGE');
    }
    for (const option of [undefined, null, 7, 'SO_REUSEADDR', [], {}]) {
      expect(thrown(() => socket.getOption(option as never))).to.include({ argument: 'option' });
      expect(thrown(() => socket.setOption(option as never, 1 as never))).to.include({ argument: 'option' });
    }
  });
});

describe('getsockopt and setsockopt', () => {
  const stack = new Cleanup();
  let socket: Socket<{ host: string; port: number }>;
  beforeEach(() => {
    socket = stack.use(new Socket(inet));
  });
  afterEach(() => stack[Symbol.dispose]());

  it('an int', () => {
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR)).to.equal(1);
    expect(socket.getsockopt(SOL_SOCKET, SO_TYPE)).to.equal(SOCK_STREAM);
  });

  it('bytes', () => {
    const linger = Buffer.concat([intBytes(1), intBytes(9)]);
    socket.setsockopt(SOL_SOCKET, SO_LINGER, linger);
    expect(socket.getsockopt(SOL_SOCKET, SO_LINGER, 8)).to.deep.equal(linger);
    const off = new DataView(new ArrayBuffer(8));
    off.setUint8(endianness() === 'LE' ? 4 : 7, 9);
    socket.setsockopt(SOL_SOCKET, SO_LINGER, off);
    expect(socket.getsockopt(SOL_SOCKET, SO_LINGER, 100)).to.deep.equal(Buffer.concat([intBytes(0), intBytes(9)]));
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, Uint32Array.of(20_000).buffer);
    expect(socket.getsockopt(SOL_SOCKET, SO_RCVBUF)).to.equal(40_000);
    expect(socket.getsockopt(SOL_SOCKET, SO_RCVBUF, 2).length).to.equal(2);
  });

  it('an answer to what the buffer asks', () => {
    const IPPROTO_IP = 0;
    const IP_ADD_MEMBERSHIP = 35;
    const IP_ADD_SOURCE_MEMBERSHIP = 39;
    const IP_MSFILTER = 41;
    const group = [239, 255, 0, 41];
    const loopback = [127, 0, 0, 1];
    const member = stack.use(udp());
    member.setsockopt(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, Uint8Array.of(...group, ...loopback, ...[192, 0, 2, 7]));
    // a struct ip_msfilter: group, interface, mode, number of senders, their addresses; room for two of them
    const request = Buffer.concat([Uint8Array.of(...group, ...loopback), intBytes(0), intBytes(2), Buffer.alloc(8)]);
    const before = Buffer.from(request);
    const answer = member.getsockopt(IPPROTO_IP, IP_MSFILTER, request);
    expect(answer).to.deep.equal(Buffer.of(...group, ...loopback, ...intBytes(1), ...intBytes(1), 192, 0, 2, 7));
    expect(request, 'the request stays as it is').to.deep.equal(before);
    const filter: RequestOption<string[], number[] | undefined> = {
      level: IPPROTO_IP,
      name: IP_MSFILTER,
      label: 'IP_MSFILTER',
      encodeRequest: (asked = group) =>
        Uint8Array.of(...asked, ...loopback, ...intBytes(0), ...intBytes(2), ...before.subarray(16)),
      decode: (raw) => [raw.subarray(16).join('.')],
    };
    expect(member.getOption(filter)).to.deep.equal(['192.0.2.7']);
    expect(member.getOption(filter, group)).to.deep.equal(['192.0.2.7']);
    const error = thrown(() => member.getOption(filter, [239, 255, 0, 42]));
    expect(error).to.include({ code: 'EADDRNOTAVAIL', message: 'getsockopt EADDRNOTAVAIL IP_MSFILTER' });
    expect(thrown(() => member.getsockopt(IPPROTO_IP, IP_MSFILTER, [] as never))).to.include({ argument: 'length' });
    expect(thrown(() => member.getsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, {} as never))).to.include({
      argument: 'length',
    });
  });

  it('nothing, of a length', () => {
    // the kernel is given a null pointer, which it refuses for an option with a value
    expect(thrown(() => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, null, 4))).to.include({ code: 'EFAULT' });
    expect(thrown(() => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, null, 0))).to.include({ code: 'EINVAL' });
  });

  it("what is of the wrong size is the kernel's to refuse", () => {
    expect(thrown(() => socket.setsockopt(SOL_SOCKET, SO_LINGER, Buffer.alloc(3)))).to.include({
      code: 'EINVAL',
      syscall: 'setsockopt',
    });
    expect(thrown(() => socket.setsockopt(SOL_SOCKET, 4000, 1))).to.include({ code: 'ENOPROTOOPT' });
    expect(thrown(() => socket.getsockopt(SOL_SOCKET, 4000))).to.include({
      code: 'ENOPROTOOPT',
      syscall: 'getsockopt',
    });
  });
});

describe('filters', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  // accept datagrams whose first byte of data is A (0x41): ldb [8]; jeq; ret
  const program: FilterInstruction[] = [
    { code: 0x30, k: 8 },
    { code: 0x15, jt: 0, jf: 1, k: 0x41 },
    { code: 0x06, k: 0xffffffff },
    { code: 0x06, k: 0 },
  ];

  it('a program decides what is received, until it is removed', () => {
    const receiver = stack.use(udp());
    const sender = stack.use(udp());
    sender.connectSync(receiver.getsockname());
    const received = (): string[] => {
      for (const text of ['A one', 'B two', 'A three']) sender.sendSync(text);
      const texts: string[] = [];
      for (let data = receiver.tryRecv(100); data !== null; data = receiver.tryRecv(100)) texts.push(String(data));
      return texts;
    };
    expect(received()).to.have.length(3);
    receiver.setOption(soAttachFilter, program);
    expect(received()).to.deep.equal(['A one', 'A three']);
    receiver.setOption(soDetachFilter, true);
    expect(received()).to.have.length(3);
    receiver.setOption(soAttachFilter, packFilter(program));
    expect(received()).to.deep.equal(['A one', 'A three']);
    expect(thrown(() => stack.use(udp()).setOption(soDetachFilter, true)).code).to.equal('ENOENT');
  });

  it('a program that the kernel refuses is an error', () => {
    const socket = stack.use(udp());
    const error = thrown(() => socket.setOption(soAttachFilter, [{ code: 0xffff }]));
    expect(error).to.include({ code: 'EINVAL', message: 'setsockopt EINVAL SO_ATTACH_FILTER' });
    expect(thrown(() => socket.setOption(soAttachBpf, 0x7fffffff)).code).to.equal('EBADF');
  });

  it('a locked filter stays', () => {
    const socket = stack.use(udp());
    socket.setOption(soAttachFilter, program);
    socket.setOption(soLockFilter, true);
    expect(thrown(() => socket.setOption(soDetachFilter, true)).code).to.equal('EPERM');
  });

  it('a program can choose among sockets that share an address', () => {
    const first = stack.use(new Socket(inet, SOCK_DGRAM));
    first.setOption(soReusePort, true);
    first.bindSync({ host: '127.0.0.1', port: 0 });
    const second = stack.use(new Socket(inet, SOCK_DGRAM));
    second.setOption(soReusePort, true);
    second.bindSync(first.getsockname());
    second.setOption(soAttachReusePortCbpf, [{ code: 0x06, k: 1 }]);
    const sender = stack.use(udp());
    for (let i = 0; i < 10; i++) sender.sendToSync('x', first.getsockname());
    expect(first.tryRecv(1)).to.equal(null);
    expect(String(second.tryRecv(1))).to.equal('x');
  });

  it('instructions and bytes become each other', () => {
    const bytes = packFilter(program);
    expect(bytes.length).to.equal(32);
    expect(unpackFilter(bytes)).to.deep.equal(program.map((each) => ({ jt: 0, jf: 0, ...each })));
    expect(packFilter(unpackFilter(bytes))).to.deep.equal(bytes);
    expect(unpackFilter(packFilter([{ code: 6, k: -1 }]))).to.deep.equal([{ code: 6, jt: 0, jf: 0, k: 0xffffffff }]);
    expect(unpackFilter(bytes.subarray(0, 12))).to.have.length(1);
    expect(SO_ATTACH_FILTER).to.equal(26);
  });
});

describe('what makes options', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());
  const key = { level: 1, name: 1, label: 'X' };
  const info = {} as never;

  it('booleans and integers, also of one byte', () => {
    const flag = booleanOption(key);
    expect([flag.encode?.(true, info), flag.encode?.(false, info)]).to.deep.equal([1, 0]);
    expect(flag.decode?.(Buffer.from(intBytes(2)), info)).to.equal(true);
    expect(flag.decode?.(Buffer.of(1), info)).to.equal(true);
    expect(flag.decode?.(Buffer.of(0), info)).to.equal(false);
    const number = integerOption({ ...key, min: 0, max: 9 });
    expect(number.encode?.(9, info)).to.equal(9);
    expect(() => number.encode?.(10, info)).to.throw(RangeError, 'value must be an integer from 0 to 9, not 10');
    expect(number.decode?.(Buffer.of(200), info)).to.equal(200);
    expect(number.decode?.(Buffer.from(intBytes(-5)), info)).to.equal(-5);
    expect(readonlyIntegerOption(key).decode(Buffer.from(intBytes(7)), info)).to.equal(7);
    expect(readonlyIntegerOption(key).decode(Buffer.of(7), info)).to.equal(7);
  });

  it('unsigned numbers', () => {
    const u32 = uint32Option(key);
    const bytes = u32.encode?.(0xffffffff, info) as Uint8Array;
    expect(readU32(bytes, 0)).to.equal(0xffffffff);
    expect(u32.decode?.(Buffer.from(bytes), info)).to.equal(0xffffffff);
    expect(() => uint32Option({ ...key, max: 5 }).encode?.(6, info)).to.throw(RangeError);
    const u64 = uint64Option(key);
    const large = u64.encode?.(2n ** 64n - 1n, info) as Uint8Array;
    expect(u64.decode?.(Buffer.from(large), info)).to.equal(2n ** 64n - 1n);
    expect(u64.decode?.(Buffer.from(u64.encode?.(5, info) as Uint8Array), info)).to.equal(5n);
    expect(u64.size).to.equal(8);
    // what the kernel leaves out is 0
    expect(u32.decode?.(Buffer.of(1), info)).to.equal(readU32(Buffer.of(1, 0, 0, 0), 0));
    expect(u64.decode?.(Buffer.alloc(3), info)).to.equal(0n);
  });

  it('texts and times', () => {
    const text = stringOption({ ...key, size: 6 });
    expect(Buffer.from(text.encode?.('hello', info) as Uint8Array).toString()).to.equal('hello\0');
    expect(() => text.encode?.('hello!', info)).to.throw(RangeError, 'a text of at most 5 bytes');
    expect(() => text.encode?.('ÄÖÜ', info)).to.throw(RangeError);
    expect(text.decode?.(Buffer.from('ab\0cd'), info)).to.equal('ab');
    expect(text.decode?.(Buffer.from('abcd'), info)).to.equal('abcd');
    const time = timevalOption(key);
    for (const value of [1, 1500, 0.001, 3_600_000]) {
      expect(time.decode?.(Buffer.from(time.encode?.(value, info) as Uint8Array), info)).to.equal(value);
    }
  });

  it('an option may use the socket to encode and decode', () => {
    const socket = stack.use(new Socket(inet));
    const byName: SocketOption<string | undefined, string> = {
      ...soBindToIfIndex,
      encode: (name, info) => info.interfaceIndex(name),
      decode: (raw, info) => info.interfaceName(readU32(raw, 0)),
    };
    expect(socket.getOption(byName)).to.equal(undefined);
    socket.setOption(byName, 'lo');
    expect(socket.getOption(byName)).to.equal('lo');
  });

  it('an option may be the length of a value without bytes', () => {
    const socket = stack.use(new Socket(inet));
    const bare: SocketOption<number> = {
      ...integerOption({ level: SOL_SOCKET, name: SO_REUSEADDR, label: 'BARE' }),
      asLength: true,
    };
    // the kernel looks at the length, then at the pointer, which is null
    const error = thrown(() => socket.setOption(bare, 4));
    expect(error).to.include({ code: 'EFAULT', syscall: 'setsockopt' });
    expect(error.message).to.include('BARE');
    expect(thrown(() => socket.setOption(bare, 3))).to.include({ code: 'EINVAL' });
    expect(thrown(() => socket.setOption(bare, 0.5))).to.include({ code: 'ERR_OUT_OF_RANGE' });
  });

  it('an option carries its control message', () => {
    const own = withMessage(booleanOption({ level: SOL_SOCKET, name: SO_REUSEADDR, label: 'SO_REUSEADDR' }), scmMark);
    expect([own.label, own.message, own.encode?.(true, {} as never)]).to.deep.equal(['SO_REUSEADDR', scmMark, 1]);
    expect([soMark.message, soTxTime.message, soRxqOvfl.message]).to.deep.equal([scmMark, scmTxTime, scmRxqOvfl]);
  });

  it('control messages of options: SO_MARK, SCM_TXTIME', async () => {
    const item = scmMark.create(0xffffffff);
    expect([item.level, scmMark.find([item])]).to.deep.equal([SOL_SOCKET, 0xffffffff]);
    expect(scmMark.find([{ ...item, data: Buffer.alloc(3) }])).to.equal(undefined);
    const when = scmTxTime.create(5n);
    expect(scmTxTime.find([item, when])).to.equal(5n);
    expect(scmTxTime.find([{ ...when, data: Buffer.alloc(7) }])).to.equal(undefined);
    expect(() => scmTxTime.create(-1n)).to.throw(RangeError);
    const plain = stack.use(udp());
    const address = plain.getsockname();
    await plain.sendMsg(['x'], { address, ancillary: [scmMark.create(1)] }).catch((error) => {
      // without the capability
      expect(error.code).to.equal('EPERM');
    });
    const error = await rejection(plain.sendMsg(['x'], { address, ancillary: [scmTxTime.create(1n)] }));
    expect(error.code).to.equal('EINVAL');
  });
});
