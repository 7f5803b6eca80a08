import {
  SO_LINGER,
  SO_RCVBUF,
  SO_TYPE,
  SOL_SOCKET,
  SocketError,
  type SocketOption,
  soDomain,
  soError,
  soKeepAlive,
  soLinger,
  soPriority,
  soProtocol,
  soRcvBuf,
  soRcvTimeo,
  soReuseAddr,
  soSndBuf,
  soSndTimeo,
  soTimestampNs,
  soType,
} from '@sock/core';
import { expect } from 'chai';
import type { Bench } from './bench.js';
import { thrown } from './failures.js';

/** FIONREAD: bytes that can be received. Source: ioctl_tty(2), asm-generic/ioctls.h. */
const FIONREAD = 0x541b;

interface Setting<Value> {
  option: SocketOption<Value>;
  initial?: Value;
  values: [set: Value, get: Value][];
}

const setting = <Value>(entry: Setting<Value>): Setting<unknown> => entry as unknown as Setting<unknown>;

/** Typed and raw options of SOL_SOCKET, which every family has. */
export function optionTests<A, I>(bench: Bench<A, I>): void {
  describe('options', () => {
    it('SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ERROR say what the socket is', async () => {
      const [a] = await bench.pair();
      expect(a.getOption(soType)).to.equal(bench.traits.type);
      expect(a.getOption(soDomain)).to.equal(bench.traits.family.domain);
      const { protocol = 0 } = bench.traits;
      if (protocol !== 0) expect(a.getOption(soProtocol)).to.equal(protocol);
      expect(a.getOption(soError)).to.equal(null);
    });

    const table: Setting<unknown>[] = [
      setting({
        option: soKeepAlive,
        initial: false,
        values: [
          [true, true],
          [false, false],
        ],
      }),
      setting({
        option: soReuseAddr,
        values: [
          [true, true],
          [false, false],
        ],
      }),
      setting({
        option: soTimestampNs,
        initial: false,
        values: [
          [true, true],
          [false, false],
        ],
      }),
      setting({
        option: soLinger,
        initial: null,
        values: [
          [7, 7],
          [0, 0],
          [null, null],
        ],
      }),
      setting({
        option: soPriority,
        initial: 0,
        values: [
          [3, 3],
          [0, 0],
        ],
      }),
      setting({
        option: soRcvTimeo,
        initial: null,
        values: [
          [2500, 2500],
          [null, null],
        ],
      }),
      setting({
        option: soSndTimeo,
        initial: bench.traits.sendTimeout ?? null,
        values: [
          [2500, 2500],
          [null, null],
        ],
      }),
    ];
    // the kernel doubles them, to have room for its own bookkeeping: socket(7)
    const sizes: [number, number][] = [
      [20_000, 40_000],
      [50_000, 100_000],
    ];
    if (bench.supports.bufferSizes) {
      table.push(setting({ option: soSndBuf, values: sizes }), setting({ option: soRcvBuf, values: sizes }));
    }
    for (const { option, initial, values } of table) {
      it(`${option.label} is set and read back`, async () => {
        const [a] = await bench.pair();
        if (initial !== undefined) expect(a.getOption(option)).to.equal(initial);
        for (const [set, get] of values) {
          a.setOption(option, set);
          expect(a.getOption(option), `after ${set}`).to.equal(get);
        }
      });
    }

    it('raw options: a number, bytes, and how many', async () => {
      const [a] = await bench.pair();
      expect(a.getsockopt(SOL_SOCKET, SO_TYPE)).to.equal(bench.traits.type);
      const bytes = a.getsockopt(SOL_SOCKET, SO_TYPE, 4);
      expect(bytes).to.be.instanceOf(Buffer).with.length(4);
      expect(new Int32Array(Uint8Array.from(bytes).buffer)[0]).to.equal(bench.traits.type);
      expect(a.getsockopt(SOL_SOCKET, SO_TYPE, 64), 'as long as the kernel makes it').to.have.length(4);
      expect(a.getsockopt(SOL_SOCKET, SO_TYPE, 2), 'cut off').to.have.length(2);
      a.setsockopt(SOL_SOCKET, SO_LINGER, new Int32Array([1, 9]));
      expect(a.getOption(soLinger)).to.equal(9);
      expect([...new Int32Array(Uint8Array.from(a.getsockopt(SOL_SOCKET, SO_LINGER, 8)).buffer)]).to.deep.equal([1, 9]);
      if (!bench.supports.bufferSizes) return;
      a.setsockopt(SOL_SOCKET, SO_RCVBUF, 30_000);
      expect(a.getsockopt(SOL_SOCKET, SO_RCVBUF)).to.equal(60_000);
    });

    it('what the kernel refuses is a SocketError', async () => {
      const [a] = await bench.pair();
      const calls: [string, () => unknown, string[]][] = [
        ['unknown option', () => a.getsockopt(SOL_SOCKET, 0x7777), ['ENOPROTOOPT']],
        ['unknown option', () => a.setsockopt(SOL_SOCKET, 0x7777, 1), ['ENOPROTOOPT']],
        ['read-only option', () => a.setsockopt(SOL_SOCKET, SO_TYPE, 1), ['ENOPROTOOPT']],
        ['too few bytes', () => a.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array(3)), ['EINVAL']],
        ['no bytes', () => a.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array(0)), ['EINVAL']],
        ['null with a length', () => a.setsockopt(SOL_SOCKET, SO_LINGER, null, 8), ['EFAULT', 'EINVAL']],
      ];
      for (const [what, call, codes] of calls) {
        const error = thrown(call);
        expect(error, what).to.be.instanceOf(SocketError);
        expect(error.code, what).to.be.oneOf(codes);
        expect(error.syscall, what).to.match(/^[gs]etsockopt$/);
      }
      expect(a.getOption(soLinger)).to.equal(null);
    });

    it('an option that this platform lacks says so', async () => {
      const [a] = await bench.pair();
      const option = { level: SOL_SOCKET, name: undefined, label: 'SO_ELSEWHERE', encode: () => 1, decode: () => 1 };
      for (const call of [() => a.getOption(option), () => a.setOption(option, 1)]) {
        const error = thrown(call);
        expect(error).to.be.instanceOf(SocketError);
        expect(error.message).to.include('SO_ELSEWHERE');
      }
    });

    it('an option that fails is named in the message', async () => {
      const [a] = await bench.pair();
      const option = { level: SOL_SOCKET, name: 0x7777, label: 'SO_NONESUCH', encode: () => 1, decode: () => 1 };
      expect(thrown(() => a.getOption(option)).message).to.include('SO_NONESUCH');
      expect(thrown(() => a.setOption(option, 1)).message).to.include('SO_NONESUCH');
    });

    if (!bench.supports.ioctl) return;
    it('ioctl fills the bytes that it is given', async () => {
      const [a, b] = await bench.pair();
      await a.send('12345');
      await b.waitReadable();
      const count = new Int32Array(1);
      expect(b.ioctl(FIONREAD, count)).to.equal(0);
      expect(count[0]).to.equal(5);
      const error = thrown(() => b.ioctl(0xffff, count));
      expect(error).to.be.instanceOf(SocketError);
      expect(error.syscall).to.equal('ioctl');
    });
  });
}
