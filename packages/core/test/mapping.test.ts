import { fstatSync } from 'node:fs';
import {
  AF_PACKET,
  type Mapping,
  type MappingOptions,
  mapDescriptor,
  SOCK_RAW,
  Socket,
  SocketError,
  writeU32,
} from '@sock/core';
import { capability, itIf, startNode, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { pair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

// of packet(7), which the core does not name
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const BLOCK = 4096;
const SIZE = 4 * BLOCK;

const packet = { ...unix, name: 'packet', domain: AF_PACKET };

/** A socket with memory of its own: a ring for packets, of no protocol, so that none comes. */
function ring(): Socket<string> {
  const socket = new Socket(packet, SOCK_RAW);
  const request = new Uint8Array(16);
  [BLOCK, 4, 2048, 8].forEach((value, i) => {
    writeU32(request, value, i * 4);
  });
  socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request);
  return socket;
}

const rings = capability({ name: 'AF_PACKET', remedy: 'run as root', probe: () => ring().close() });

describe('mapDescriptor', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  itIf(rings, 'shares the memory of a descriptor', () => {
    const socket = stack.use(ring());
    const options: MappingOptions = { offset: 0 };
    const mapping: Mapping = stack.use(mapDescriptor(socket, SIZE, options));
    expect([mapping.length, mapping.closed, mapping.bytes.length]).to.deep.equal([SIZE, false, SIZE]);
    const again = stack.use(mapDescriptor(socket, SIZE));
    mapping.bytes[5000] = 77;
    expect(again.bytes[5000]).to.equal(77);
    mapping.storeRelease32(8, 0xdeadbeef);
    expect(again.loadAcquire32(8)).to.equal(0xdeadbeef);
    expect(new DataView(again.bytes.buffer).getUint32(8, new Uint8Array(Uint16Array.of(1).buffer)[0] === 1)).to.equal(
      0xdeadbeef,
    );
  });

  itIf(rings, 'outlives the descriptor, and ends with close', () => {
    const socket = ring();
    const mapping = mapDescriptor(socket, SIZE);
    socket.close();
    mapping.bytes[0] = 1;
    const { bytes } = mapping;
    mapping.close();
    expect([mapping.closed, mapping.length, bytes.length, bytes[0]]).to.deep.equal([true, 0, 0, undefined]);
    mapping.close();
    mapping[Symbol.dispose]();
    expect(thrown(() => mapping.loadAcquire32(0))).to.include({ argument: 'offset', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => mapping.loadAcquire32(0)).message).to.include('the mapping is closed');
    expect(thrown(() => mapping.storeRelease32(0, 1))).to.include({ argument: 'offset' });
  });

  itIf(rings, 'a view of memory that is gone is refused by operations', () => {
    const socket = stack.use(ring());
    const mapping = mapDescriptor(socket, SIZE);
    const view = mapping.bytes.subarray(0, 10);
    const [a, b] = pair();
    stack.use(a);
    stack.use(b);
    view.fill(65);
    a.sendSync(view);
    expect(String(b.recvSync(20))).to.equal('A'.repeat(10));
    mapping.close();
    expect(thrown(() => a.sendSync(view))).to.include({ argument: 'data', code: 'ERR_OUT_OF_RANGE' });
  });

  itIf(rings, 'refuses words that are not there', () => {
    const mapping = stack.use(mapDescriptor(stack.use(ring()), SIZE));
    for (const offset of [-4, 1, 2, 3, SIZE - 3, SIZE, 2 ** 32, 2 ** 53, 1.5, Number.NaN]) {
      expect(
        thrown(() => mapping.loadAcquire32(offset)),
        String(offset),
      ).to.include({ argument: 'offset', code: 'ERR_OUT_OF_RANGE' });
      expect(thrown(() => mapping.storeRelease32(offset, 0))).to.include({ argument: 'offset' });
    }
    for (const offset of ['0', null, undefined, {}, 0n]) {
      expect(
        thrown(() => mapping.loadAcquire32(offset as never)),
        String(offset),
      ).to.include({ argument: 'offset' });
    }
    for (const value of [-1, 2 ** 32, 1.5, '1', 1n, null]) {
      expect(thrown(() => mapping.storeRelease32(0, value as never))).to.include({ argument: 'value' });
    }
    expect(mapping.loadAcquire32(SIZE - 4)).to.equal(0);
  });

  it('reports what mmap(2) says', () => {
    const [a, b] = pair();
    stack.use(b);
    const error = thrown(() => mapDescriptor(stack.use(a), 4096));
    expect(error).to.be.instanceOf(SocketError).and.include({ syscall: 'mmap' });
    expect(error.code).to.be.oneOf(['ENODEV', 'EINVAL']);
    a.close();
    expect(thrown(() => mapDescriptor(a, 4096))).to.include({
      code: 'EBADF',
      message: 'mmap EBADF: the socket is closed',
    });
  });

  it('refuses bad arguments', () => {
    const [a, b] = pair();
    stack.use(a);
    stack.use(b);
    const cases: readonly [unknown, unknown, unknown, string][] = [
      [7, 1, {}, 'socket'],
      [null, 1, {}, 'socket'],
      [a, '1', {}, 'length'],
      [a, 0, {}, 'length'],
      [a, 2 ** 32, {}, 'length'],
      [a, 1, null, 'options'],
      [a, 1, { offset: -1 }, 'options.offset'],
      [a, 1, { offset: 'x' }, 'options.offset'],
    ];
    for (const [socket, length, options, argument] of cases) {
      expect(thrown(() => mapDescriptor(socket as never, length as never, options as never))).to.include({ argument });
    }
    expect(fstatSync(b.fileno()).isSocket()).to.equal(true);
  });

  itIf(rings, 'unmaps what nobody holds any more', async () => {
    const source = `
      import { readFileSync } from 'node:fs';
      import { mapDescriptor, Socket } from '@sock/core';
      const packet = { name: 'packet', domain: ${AF_PACKET}, encode: () => 2, decode: () => '', format: () => '' };
      const socket = new Socket(packet, ${SOCK_RAW});
      socket.setsockopt(${SOL_PACKET}, ${PACKET_RX_RING}, new Uint8Array(Uint32Array.of(${BLOCK}, 4, 2048, 8).buffer));
      const lines = () => readFileSync('/proc/self/maps', 'latin1').split('\\n');
      const maps = () => lines().filter((line) => line.includes('socket:')).length;
      for (let i = 0; i < 20; i++) mapDescriptor(socket, ${SIZE});
      const kept = mapDescriptor(socket, ${SIZE});
      const before = maps();
      for (let i = 0; i < 50 && maps() > 1; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
      console.log(before > 1, maps(), kept.length);
      socket.close();
    `;
    const { stdout } = await startNode(source, { input: '', flags: ['--expose-gc'] }).succeeded();
    expect(stdout).to.equal(`true 1 ${SIZE}\n`);
  });
});
