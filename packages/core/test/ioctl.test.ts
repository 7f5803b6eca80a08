import { endianness } from 'node:os';
import {
  close,
  type InterfaceInput,
  type IoctlRequest,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  interfaceIndex,
  ioctl,
  readI32,
  Socket,
  SocketError,
  sioKeepAliveVals,
  sioLoopbackFastPath,
  sioRcvAll,
} from '@sock/core';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import { inet, pair, tcpPair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

// of ioctl_list(2) and netdevice(7), which the core does not name
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const SIOCGIFINDEX = 0x8933;

describe('ioctl', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  it('of a descriptor that is no socket', () => {
    const [a, b] = pair();
    stack.use(b);
    const fd = a.detach();
    try {
      const count = new Uint8Array(4);
      expect(ioctl(fd, FIONREAD, count)).to.equal(0);
      expect(readI32(count, 0)).to.equal(0);
      expect(ioctl(fd, FIONBIO, new Uint8Array(4))).to.equal(0);
      expect(thrown(() => ioctl(fd, 0xdead))).to.include({ syscall: 'ioctl' });
    } finally {
      close(fd);
    }
    expect(thrown(() => ioctl(fd, FIONREAD, new Uint8Array(4)))).to.include({ code: 'EBADF', syscall: 'ioctl' });
    expect(thrown(() => ioctl(-1, 1))).to.include({ argument: 'fd' });
    expect(thrown(() => ioctl(1, -1))).to.include({ argument: 'request' });
    expect(thrown(() => ioctl(1, 1, 'x' as unknown as number))).to.include({ argument: 'argument' });
  });

  it('fills a structure in place', () => {
    for (const [a, b] of [pair(), tcpPair()] as [Socket<unknown>, Socket<unknown>][]) {
      stack.use(a);
      stack.use(b).sendSync('five!');
      a.waitReadableSync();
      const count = new Uint8Array(4);
      expect(a.ioctl(FIONREAD, count)).to.equal(0);
      expect(readI32(count, 0)).to.equal(5);
      const view = new DataView(new ArrayBuffer(16), 8, 4);
      a.ioctl(FIONREAD, view);
      expect(readI32(new Uint8Array(view.buffer), 8)).to.equal(5);
      expect(readI32(new Uint8Array(view.buffer), 0)).to.equal(0);
    }
  });

  it('a buffer that is too small is filled as far as it goes, and nothing behind it is touched', () => {
    const socket = stack.use(new Socket(inet));
    const memory = Buffer.alloc(64, 0xee);
    memory.fill(0, 0, 20);
    memory.write('lo');
    expect(socket.ioctl(SIOCGIFINDEX, memory.subarray(0, 18))).to.equal(0);
    expect(memory.readUInt16LE(16)).to.equal(if_nametoindex('lo'));
    expect(memory.subarray(20).every((byte) => byte === 0xee)).to.equal(true);
    const [a, b] = pair();
    stack.use(a);
    stack.use(b).sendSync('five!');
    const bytes = Uint8Array.of(9, 9, 9, 9, 9, 9);
    a.ioctl(FIONREAD, bytes.subarray(2, 3));
    expect([...bytes]).to.deep.equal([9, 9, endianness() === 'LE' ? 5 : 0, 9, 9, 9]);
  });

  it('takes typed requests', () => {
    const [a, b] = pair();
    stack.use(a);
    stack.use(b);
    const fioNonBlock: IoctlRequest<boolean> = {
      request: FIONBIO,
      label: 'FIONBIO',
      encode: (value) =>
        Uint8Array.of(...(endianness() === 'LE' ? [Number(value), 0, 0, 0] : [0, 0, 0, Number(value)])),
    };
    expect(a.ioctl(fioNonBlock, true)).to.equal(0);
    const wrong = thrown(() => a.ioctl({ request: 1 } as never, 1));
    expect([wrong.argument, wrong.name]).to.deep.equal(['request', 'TypeError']);
  });

  it('requests of Windows name their system, and what takes their place', () => {
    const socket = stack.use(new Socket(inet));
    const requests: [IoctlRequest<never>, unknown, string][] = [
      [sioRcvAll, 'on', 'AF_PACKET'],
      [sioKeepAliveVals, { enable: true, time: 1000, interval: 100 }, 'SO_KEEPALIVE, TCP_KEEPIDLE and TCP_KEEPINTVL'],
      [sioLoopbackFastPath, true, 'nothing of the kind'],
    ];
    for (const [request, value, remedy] of requests) {
      const error = thrown(() => socket.ioctl(request, value as never));
      expect([error.code, error.syscall]).to.deep.equal(['EOPNOTSUPP', 'ioctl']);
      expect(error.message)
        .to.contain(`${request.label}: it does not exist on linux: only Windows has it`)
        .and.contain(remedy);
    }
  });

  it('values of requests of Windows are the structures that they read', () => {
    expect(sioKeepAliveVals.encode({ enable: true, time: 1000, interval: 100 })).to.deep.equal(
      new Uint8Array(Uint32Array.of(1, 1000, 100).buffer),
    );
    expect(sioLoopbackFastPath.encode(false)).to.deep.equal(new Uint8Array(4));
    const wrong: [() => unknown, string][] = [
      [() => sioRcvAll.encode('all' as 'on'), 'argument'],
      [() => sioKeepAliveVals.encode(null as never), 'argument'],
      [() => sioKeepAliveVals.encode({ enable: 1 as never, time: 1, interval: 1 }), 'argument.enable'],
      [() => sioKeepAliveVals.encode({ enable: true, time: -1, interval: 1 }), 'argument.time'],
      [() => sioKeepAliveVals.encode({ enable: true, time: 1, interval: 2 ** 32 }), 'argument.interval'],
      [() => sioLoopbackFastPath.encode(1 as never), 'argument'],
    ];
    for (const [call, argument] of wrong) expect(thrown(call).argument).to.equal(argument);
  });

  it('large structures are passed as they are', () => {
    const socket = stack.use(new Socket(inet));
    const memory = new Uint8Array(10_000);
    memory.set(Buffer.from('lo'));
    socket.ioctl(SIOCGIFINDEX, memory);
    expect(readI32(memory, 16)).to.equal(if_nametoindex('lo'));
  });

  it('errors, with the name of the call', () => {
    const socket = stack.use(new Socket(unix));
    const error = thrown(() => socket.ioctl(0xdead));
    expect(error).to.be.instanceOf(SocketError).and.include({ syscall: 'ioctl' });
    expect(error.code).to.match(/^(ENOTTY|EINVAL|ENOIOCTLCMD)$/);
    const missing = Buffer.alloc(40);
    missing.write('none0');
    expect(thrown(() => stack.use(new Socket(inet)).ioctl(SIOCGIFINDEX, missing)).code).to.equal('ENODEV');
    // an integer where the kernel expects an address
    expect(thrown(() => socket.ioctl(FIONBIO, 1)).code).to.equal('EFAULT');
  });

  it('bad arguments are told before the call', () => {
    const socket = stack.use(new Socket(unix));
    expect(thrown(() => socket.ioctl('x' as never))).to.include({ argument: 'request', code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => socket.ioctl(-1))).to.include({ argument: 'request', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => socket.ioctl(1, 'x' as never))).to.include({
      argument: 'argument',
      code: 'ERR_INVALID_ARG_TYPE',
    });
    expect(thrown(() => socket.ioctl(1, 1.5))).to.include({ argument: 'argument', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => socket.ioctl(1, null as never))).to.include({ argument: 'argument' });
  });
});

describe('interfaces', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  it('names and indexes become each other', () => {
    const list = if_nameindex();
    expect(list.map(({ name }) => name)).to.include('lo');
    for (const { index, name } of list) {
      expect(if_nametoindex(name)).to.equal(index);
      expect(if_indextoname(index)).to.equal(name);
    }
  });

  it('what is not there', () => {
    const error = thrown(() => if_nametoindex('none0'));
    expect(error).to.include({ code: 'ENODEV', syscall: 'if_nametoindex' });
    expect(error.message).to.equal('if_nametoindex ENODEV: there is no network interface none0');
    expect(thrown(() => if_indextoname(0x7fffffff))).to.include({ code: 'ENXIO', syscall: 'if_indextoname' });
    expect(thrown(() => if_indextoname(0))).to.include({ code: 'ENXIO' });
  });

  it('names that cannot be', () => {
    for (const name of ['', 'sixteen-bytes-xx', 'nul\0in', 'äöüäöüäöü']) {
      expect(thrown(() => if_nametoindex(name))).to.include({ argument: 'name', code: 'ERR_OUT_OF_RANGE' });
    }
    for (const name of [1, null, undefined, {}]) {
      expect(thrown(() => if_nametoindex(name as never))).to.include({
        argument: 'name',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    expect(thrown(() => if_indextoname('1' as never))).to.include({ argument: 'index' });
    expect(thrown(() => if_indextoname(-1))).to.include({ argument: 'index', code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => if_indextoname(1.5))).to.include({ argument: 'index' });
  });

  it('by a socket, in the network namespace that it belongs to', () => {
    const socket = stack.use(new Socket(unix));
    const index = socket.interfaceIndex('lo');
    expect(index).to.equal(if_nametoindex('lo'));
    expect(socket.interfaceName(index)).to.equal('lo');
    expect(socket.interfaceName(0x7fffffff)).to.equal(undefined);
    expect(thrown(() => socket.interfaceIndex('none0')).message).to.equal(
      'SIOCGIFINDEX ENODEV: there is no network interface none0',
    );
    expect(thrown(() => socket.interfaceIndex(''))).to.include({ argument: 'interface' });
    const wanted: [InterfaceInput | undefined, number][] = [
      ['lo', index],
      [index, index],
      ['', 0],
      [0, 0],
      [undefined, 0],
    ];
    for (const [input, expected] of wanted) expect(interfaceIndex('x', input, socket)).to.equal(expected);
    for (const input of [-1, 1.5, 2 ** 31, null, 'sixteen-bytes-xx', 'nul\0', {}]) {
      expect(thrown(() => interfaceIndex('value.interface', input, socket))).to.include({
        argument: 'value.interface',
      });
    }
    expect(thrown(() => socket.interfaceName('lo' as never))).to.include({ argument: 'index' });
    socket.close();
    expect(thrown(() => socket.interfaceIndex('lo')).code).to.equal('EBADF');
    expect(thrown(() => socket.interfaceName(1)).code).to.equal('EBADF');
  });
});
