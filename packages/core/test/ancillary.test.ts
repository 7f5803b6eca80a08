import { closeSync, fstatSync, openSync } from 'node:fs';
import {
  Ancillary,
  type AncillaryItem,
  ancillaryMessage,
  CMSG_LEN,
  CMSG_SPACE,
  encodeAncillary,
  MessageBatch,
  MSG_CTRUNC,
  MSG_PEEK,
  MSG_TRUNC,
  readI32,
  SCM_RIGHTS,
  SCM_TIMESTAMP,
  SOCK_DGRAM,
  SOL_SOCKET,
  type Socket,
  scmRights,
  scmTimestamp,
  scmTimestamping,
  scmTimestampNs,
  soTimestamp,
  soTimestamping,
  soTimestampNs,
  uint32Message,
  writeI64,
} from '@sock/core';
import { delay, openDescriptors, runPython, scaled, settled, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { type HostPort, pair, udp } from './support/families.js';
import { Cleanup } from './support/operations.js';

/** The control messages of an encoded row, as recvmsg(2) would give them. */
const parse = (bytes: Uint8Array): Ancillary =>
  (Ancillary as unknown as { parse(control: Uint8Array): Ancillary }).parse(bytes);

const LENGTHS = [...Array(70).keys(), 127, 128, 255, 1000, 4095, 4096, 65_535, 1_000_001, 2 ** 30, 0x7fffffff - 100];

describe('CMSG_LEN and CMSG_SPACE', () => {
  it("are Python's, for every length", async () => {
    const source = `
import socket, sys, json
print(json.dumps([[socket.CMSG_LEN(n), socket.CMSG_SPACE(n)] for n in json.loads(sys.argv[1])]))`;
    const values = JSON.parse(await runPython(source, [JSON.stringify(LENGTHS)]));
    expect(LENGTHS.map((length) => [CMSG_LEN(length), CMSG_SPACE(length)])).to.deep.equal(values);
  });

  it('refuse what is no length', () => {
    for (const compute of [CMSG_LEN, CMSG_SPACE]) {
      expect(thrown(() => compute('1' as never))).to.include({ argument: 'length', code: 'ERR_INVALID_ARG_TYPE' });
      for (const length of [-1, 1.5, Number.NaN, 2 ** 31]) {
        expect(thrown(() => compute(length))).to.include({ argument: 'length', code: 'ERR_OUT_OF_RANGE' });
      }
    }
  });
});

describe('control messages', () => {
  const item = fc.record({
    level: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    // not SCM_RIGHTS and the like: those bytes would be taken for descriptors
    type: fc.integer({ min: 100, max: 0x7fffffff }),
    data: fc.uint8Array({ maxLength: 100 }),
  });

  it('encoded and read again are the same', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 10 }), (items) => {
        const bytes = encodeAncillary(items);
        expect(bytes.length).to.equal(items.reduce((sum, { data }) => sum + CMSG_SPACE(data.length), 0));
        expect([...parse(bytes)]).to.deep.equal(items);
      }),
    );
  });

  it('that are cut off anywhere give what is there', () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), fc.nat(), (items, cut) => {
        const bytes = encodeAncillary(items);
        const found = [...parse(bytes.subarray(0, cut % (bytes.length + 1)))];
        expect(found.length).to.be.at.most(items.length);
        for (const [i, { level, type, data }] of found.entries()) {
          const whole = items[i];
          expect([level, type]).to.deep.equal([whole?.level, whole?.type]);
          expect(Buffer.from(data)).to.deep.equal(Buffer.from(whole?.data.subarray(0, data.length) ?? []));
        }
      }),
    );
  });

  it('random bytes never throw, never loop, and never own what is not there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const ancillary = parse(bytes);
        expect(ancillary.length).to.be.at.most(bytes.length / CMSG_LEN(0));
        for (const codec of [scmRights, scmTimestamp, scmTimestampNs, scmTimestamping]) codec.findAll(ancillary);
        // its descriptors, if it believes in any, are not this process's to close
        for (const fd of ancillary.descriptors) ancillary.release(fd);
      }),
    );
  });

  it('what is no control message is told by its index', () => {
    const good = { level: 1, type: 1, data: 'x' };
    const cases: readonly [unknown, string][] = [
      [[null], 'ancillary[0]'],
      [[good, 7], 'ancillary[1]'],
      [[{ ...good, level: 'x' }], 'ancillary[0].level'],
      [[good, { ...good, type: 2 ** 31 }], 'ancillary[1].type'],
      [[{ ...good, data: 5 }], 'ancillary[0].data'],
      [[{ ...good, data: undefined }], 'ancillary[0].data'],
    ];
    for (const [items, argument] of cases) {
      expect(thrown(() => encodeAncillary(items as never))).to.include({ argument });
    }
  });

  it('of a number has 32 bits without a sign', () => {
    const codec = uint32Message({ level: 5, type: 6, label: 'NUMBER' });
    for (const value of [0, 1, 0xffff_ffff]) expect(codec.find([codec.create(value)])).to.equal(value);
    expect(codec.find([{ level: 5, type: 6, data: Buffer.alloc(3) }])).to.equal(undefined);
    for (const value of [-1, 2 ** 32, 0.5]) {
      expect(thrown(() => codec.create(value))).to.include({ argument: 'value', code: 'ERR_OUT_OF_RANGE' });
    }
  });

  it('a codec finds, finds all, and creates', () => {
    const codec = ancillaryMessage<number, number>({
      level: 5,
      type: 6,
      label: 'FIVE_SIX',
      size: 1,
      encode: (value) => Uint8Array.of(value),
      decode: (data) => data[0],
    });
    expect(codec.space).to.equal(CMSG_SPACE(1));
    const items: AncillaryItem[] = [
      { level: 5, type: 7, data: Uint8Array.of(1) },
      { level: 5, type: 6, data: Uint8Array.of() },
      codec.create(2),
      codec.create(3),
    ];
    expect(codec.find(items)).to.equal(2);
    expect(codec.findAll(items)).to.deep.equal([2, 3]);
    expect(codec.find([])).to.equal(undefined);
    expect(codec.findAll(new Set(items))).to.deep.equal([2, 3]);
    const readOnly = ancillaryMessage({ level: 5, type: 6, label: 'READ_ONLY', size: 1, decode: () => 1 });
    expect(thrown(() => readOnly.create(1)).message).to.include(
      'a control message that can be sent (READ_ONLY cannot)',
    );
    const absent = ancillaryMessage({ ...codec, level: undefined });
    expect(absent.find(items)).to.equal(undefined);
    expect(thrown(() => absent.create(1))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('Ancillary.none has nothing', () => {
    const none = Ancillary.none();
    expect([none.length, none.descriptors, [...none]]).to.deep.equal([0, [], []]);
    none[Symbol.dispose]();
    expect(Ancillary.none()).to.equal(none);
  });
});

describe('descriptors that are passed', () => {
  const stack = new Cleanup();
  let a: Socket<string>;
  let b: Socket<string>;
  let file: number;
  beforeEach(() => {
    [a, b] = pair(SOCK_DGRAM);
    stack.use(a);
    stack.use(b);
    file = openSync('/dev/null', 'r');
    stack.defer(() => closeSync(file));
  });
  afterEach(() => stack[Symbol.dispose]());

  const send = (count: number): number =>
    a.sendMsgSync(['x'], { ancillary: [scmRights.create(Array<number>(count).fill(file))] });

  it('arrive, close-on-exec, and are handed over once', () => {
    send(3);
    const { ancillary, flags } = b.recvMsgSync(10, scmRights.space * 3);
    expect(flags & MSG_CTRUNC).to.equal(0);
    expect(ancillary.length).to.equal(1);
    const seen = scmRights.find(ancillary);
    expect(seen).to.have.length(3);
    expect(new Set(ancillary.descriptors)).to.deep.equal(new Set(seen));
    const taken = scmRights.take(ancillary);
    expect(taken).to.deep.equal(seen);
    expect([scmRights.take(ancillary), ancillary.descriptors]).to.deep.equal([[], []]);
    ancillary[Symbol.dispose]();
    for (const fd of taken) {
      expect(fstatSync(fd).rdev).to.equal(fstatSync(file).rdev);
      closeSync(fd);
    }
  });

  it('one can be taken from among others', () => {
    send(3);
    const { ancillary } = b.recvMsgSync(10, 64);
    const [first, second] = ancillary.descriptors as [number, number];
    expect([ancillary.release(second), ancillary.release(second), ancillary.release(file)]).to.deep.equal([
      true,
      false,
      false,
    ]);
    ancillary[Symbol.dispose]();
    expect(fstatSync(second).rdev).to.equal(fstatSync(file).rdev);
    expect(() => fstatSync(first)).to.throw('EBADF');
    closeSync(second);
  });

  it('that are not taken are closed when the ancillary data are disposed of', async () => {
    const before = openDescriptors();
    send(5);
    {
      using _ = b.recvMsgSync(10, 128).ancillary;
    }
    expect(await settled(before)).to.deep.equal([]);
  });

  it('the room for them is honoured to the byte', async () => {
    const before = openDescriptors();
    for (let size = 0; size <= CMSG_SPACE(4 * 6); size++) {
      send(6);
      using ancillary = b.recvMsgSync(10, size).ancillary;
      const room = size < CMSG_LEN(4) ? 0 : Math.min(6, Math.floor((size - CMSG_LEN(0)) / 4));
      expect(ancillary.descriptors.length, `room of ${size} bytes`).to.equal(room);
    }
    expect(await settled(before)).to.deep.equal([]);
  });

  it('those without room are told of, and not leaked', async () => {
    const before = openDescriptors();
    send(4);
    const { flags, ancillary, data } = await b.recvMsg(10, CMSG_LEN(8));
    expect([flags & MSG_CTRUNC, ancillary.descriptors.length, String(data)]).to.deep.equal([MSG_CTRUNC, 2, 'x']);
    ancillary[Symbol.dispose]();
    send(2);
    expect(b.recvMsgSync(10).flags & MSG_CTRUNC).to.equal(MSG_CTRUNC);
    send(2);
    expect(String(b.recvSync(10))).to.equal('x');
    send(2);
    expect(await settled(before)).to.deep.equal([]);
    b.tryRecv(1);
  });

  it('are looked at with MSG_PEEK, each time as others', async () => {
    const before = openDescriptors();
    send(1);
    const peeks = [1, 2].map(() => b.recvMsgSync(10, 64, { flags: MSG_PEEK }).ancillary);
    const last = b.recvMsgSync(10, 64).ancillary;
    const all = [...peeks, last].flatMap(({ descriptors }) => descriptors);
    expect(new Set(all).size).to.equal(3);
    for (const ancillary of [...peeks, last]) ancillary[Symbol.dispose]();
    expect(await settled(before)).to.deep.equal([]);
  });

  it("that are none are the kernel's to refuse, and nothing is sent", () => {
    const error = thrown(() => a.sendMsgSync(['x'], { ancillary: [scmRights.create([-1])] }));
    expect(error).to.include({ code: 'EBADF', syscall: 'sendmsg' });
    expect(thrown(() => a.sendMsgSync(['x'], { ancillary: [scmRights.create([file, 99_999])] })).code).to.equal(
      'EBADF',
    );
    expect(thrown(() => a.sendMsgSync(['x'], { ancillary: [scmRights.create(Array(300).fill(file))] })).code).to.equal(
      'EINVAL',
    );
    expect(b.tryRecv(10)).to.equal(null);
    for (const fds of [7, null, 'x']) {
      expect(thrown(() => scmRights.create(fds as never))).to.include({ argument: 'fds' });
    }
    expect(thrown(() => scmRights.create([0, -2]))).to.include({ argument: 'fds[1]', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => scmRights.create(['0' as never]))).to.include({
      argument: 'fds[0]',
      code: 'ERR_INVALID_ARG_TYPE',
    });
    expect(thrown(() => scmRights.take([] as never))).to.include({ argument: 'ancillary' });
  });

  it('raw items are sent as they are', () => {
    const data = new Uint8Array(4);
    new DataView(data.buffer).setInt32(0, file, true);
    a.sendMsgSync([], { ancillary: [{ level: SOL_SOCKET, type: SCM_RIGHTS, data }] });
    const { ancillary, data: received } = b.recvMsgSync(10, 100);
    expect(received.length).to.equal(0);
    const [item] = ancillary;
    expect(item).to.include({ level: SOL_SOCKET, type: SCM_RIGHTS });
    expect([readI32(item?.data ?? data, 0)]).to.deep.equal(ancillary.descriptors);
    ancillary[Symbol.dispose]();
    expect(thrown(() => a.sendMsgSync(['x'], { ancillary: 5 as never }))).to.include({ argument: 'ancillary' });
    expect(thrown(() => a.sendMsgSync(['x'], { ancillary: [5 as never] }))).to.include({ argument: 'ancillary[0]' });
    const nonsense = [{ level: SOL_SOCKET, type: 4000, data: Buffer.from('ü') }];
    expect(thrown(() => a.sendMsgSync(['x'], { ancillary: nonsense })).code).to.equal('EINVAL');
  });

  it('in every form of sending and receiving, and in batches', async () => {
    const before = openDescriptors();
    const ancillary = [scmRights.create([file])];
    await a.sendMsg(['1'], { ancillary });
    a.sendMsgSync(['2'], { ancillary });
    a.trySendMsg(['3'], { ancillary });
    const target = Buffer.alloc(4);
    const received = [
      await b.recvMsg(4, 64),
      b.recvMsgIntoSync([target], 64),
      b.tryRecvMsgInto([target], 64) ?? expect.fail(),
    ];
    const batch = new MessageBatch({ count: 3, size: 4, ancillarySize: 64 });
    batch.push('4', null, ancillary);
    batch.push('5');
    batch.push('6', undefined, ancillary);
    expect(await a.sendBatch(batch)).to.equal(3);
    expect(await b.recvBatch(batch)).to.equal(3);
    expect([0, 1, 2].map((i) => batch.ancillary(i).descriptors.length)).to.deep.equal([1, 0, 1]);
    const [kept] = scmRights.take(batch.ancillary(2));
    batch.clear();
    for (const { ancillary: each } of received) {
      expect(each.descriptors.length).to.equal(1);
      each[Symbol.dispose]();
    }
    closeSync(kept ?? -1);
    expect(await settled(before)).to.deep.equal([]);
  });

  it('large room for control messages is no mistake', () => {
    send(250);
    const { ancillary } = b.recvMsgSync(10, 100_000);
    expect(ancillary.descriptors.length).to.equal(250);
    ancillary[Symbol.dispose]();
  });
});

describe('timestamps', () => {
  const stack = new Cleanup();
  let receiver: Socket<HostPort>;
  let sender: Socket<HostPort>;
  beforeEach(() => {
    receiver = stack.use(udp());
    sender = stack.use(udp());
    sender.connectSync(receiver.getsockname());
  });
  afterEach(() => stack[Symbol.dispose]());

  /** The system may step its clock, but not by an hour during a test. */
  const isNow = (nanoseconds: bigint | undefined): void => {
    expect(Math.abs(Number((nanoseconds ?? 0n) / 1_000_000n) - Date.now())).to.be.below(3_600_000);
  };

  it('in microseconds', async () => {
    receiver.setOption(soTimestamp, true);
    await sender.send('x');
    const { ancillary } = await receiver.recvMsg(10, soTimestamp.message.space);
    isNow(soTimestamp.message.find(ancillary));
    expect([...ancillary][0]).to.include({ level: SOL_SOCKET, type: SCM_TIMESTAMP });
    expect(scmTimestamp.find(ancillary)).to.equal(soTimestamp.message.find(ancillary));
    expect((scmTimestamp.find(ancillary) ?? 1n) % 1000n).to.equal(0n);
    expect(scmTimestampNs.find(ancillary)).to.equal(undefined);
  });

  it('in nanoseconds, also of batches', async () => {
    receiver.setOption(soTimestampNs, true);
    for (const text of ['one', 'two']) await sender.send(text);
    const { ancillary } = receiver.recvMsgSync(10, scmTimestampNs.space);
    const first = soTimestampNs.message.find(ancillary) ?? 0n;
    isNow(first);
    const batch = new MessageBatch<HostPort>({ count: 4, size: 10, ancillarySize: scmTimestampNs.space });
    receiver.recvBatchSync(batch);
    expect(scmTimestampNs.find(batch.ancillary(0)) ?? 0n).to.satisfy((second: bigint) => second >= first);
  });

  it('of the kernel and the adapter', async () => {
    // SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE
    receiver.setOption(soTimestamping, 0x18);
    // the kernel turns it on from a work queue, which on a busy machine waits for its turn
    const end = performance.now() + scaled(5000);
    for (;;) {
      await sender.send('x');
      const { ancillary } = await receiver.recvMsg(10, scmTimestamping.space);
      const found = soTimestamping.message.find(ancillary);
      if ((found === undefined || found.software === 0n) && performance.now() < end) {
        await delay(1);
        continue;
      }
      isNow(found?.software);
      expect(found?.hardware).to.equal(0n);
      break;
    }
  });

  it('that do not fit are cut off, and told of', async () => {
    receiver.setOption(soTimestampNs, true);
    await sender.send('too long');
    const { ancillary, flags, data } = await receiver.recvMsg(3, CMSG_LEN(8));
    expect(String(data)).to.equal('too');
    expect(flags & (MSG_CTRUNC | MSG_TRUNC)).to.equal(MSG_CTRUNC | MSG_TRUNC);
    expect([...ancillary].map((item) => item.data.length)).to.deep.equal([8]);
    expect(scmTimestampNs.find(ancillary)).to.equal(undefined);
  });

  it('decoded from bytes', () => {
    const data = new Uint8Array(48);
    writeI64(data, 2n, 0);
    writeI64(data, 3n, 8);
    writeI64(data, 5n, 32);
    writeI64(data, 7n, 40);
    expect(scmTimestamp.decode(data)).to.equal(2_000_003_000n);
    expect(scmTimestampNs.decode(data)).to.equal(2_000_000_003n);
    expect(scmTimestamping.decode(data)).to.deep.equal({ software: 2_000_000_003n, hardware: 5_000_000_007n });
    for (const codec of [scmTimestamp, scmTimestampNs, scmTimestamping]) {
      for (let length = 0; length < codec.size; length++)
        expect(codec.decode(data.subarray(0, length))).to.equal(undefined);
      expect(thrown(() => codec.create(1 as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
