import { SOCK_STREAM, Socket, type SocketOption } from '@sock/core';
import { describeIf, thrown } from '@sock/testkit';
import {
  soVmSocketsBufferMaxSize,
  soVmSocketsBufferMinSize,
  soVmSocketsBufferSize,
  soVmSocketsConnectTimeout,
  soVmSocketsNonblockTxrx,
  soVmSocketsPeerHostVmId,
  soVmSocketsTrusted,
  vsock,
} from '@sock/vsock';
import { expect } from 'chai';

describeIf('AF_VSOCK', 'vsock options', () => {
  let socket: Socket<{ cid: number; port: number }>;
  beforeEach(() => {
    socket = new Socket(vsock, SOCK_STREAM);
  });
  afterEach(() => socket.close());

  const table: [SocketOption<bigint, bigint | number>, bigint, bigint][] = [
    [soVmSocketsBufferSize, 262_144n, 65_536n],
    [soVmSocketsBufferMinSize, 128n, 4096n],
    [soVmSocketsBufferMaxSize, 262_144n, 1_048_576n],
  ];
  for (const [option, initial, value] of table) {
    it(`${option.label} is ${initial} at first, and what it was set to then`, () => {
      expect(socket.getOption(option)).to.equal(initial);
      socket.setOption(option, value);
      expect(socket.getOption(option)).to.equal(value);
      socket.setOption(option, Number(initial));
      expect(socket.getOption(option)).to.equal(initial);
      expect(thrown(() => socket.setOption(option, -1))).to.include({ argument: 'value' });
    });
  }

  it('the buffer stays between its smallest and its largest size', () => {
    socket.setOption(soVmSocketsBufferSize, 10_000_000);
    expect(socket.getOption(soVmSocketsBufferSize)).to.equal(262_144n);
    socket.setOption(soVmSocketsBufferMaxSize, 8192);
    expect(socket.getOption(soVmSocketsBufferSize)).to.equal(8192n);
    socket.setOption(soVmSocketsBufferSize, 1);
    expect(socket.getOption(soVmSocketsBufferSize)).to.equal(128n);
  });

  it('SO_VM_SOCKETS_CONNECT_TIMEOUT is 2,000 ms at first and after null', () => {
    expect(socket.getOption(soVmSocketsConnectTimeout)).to.equal(2000);
    socket.setOption(soVmSocketsConnectTimeout, 500);
    expect(socket.getOption(soVmSocketsConnectTimeout)).to.equal(500);
    socket.setOption(soVmSocketsConnectTimeout, null);
    expect(socket.getOption(soVmSocketsConnectTimeout)).to.equal(2000);
    expect(thrown(() => socket.setOption(soVmSocketsConnectTimeout, -1))).to.include({ code: 'ERR_OUT_OF_RANGE' });
  });

  it('what only VMware has, Linux does not know', () => {
    for (const option of [soVmSocketsPeerHostVmId, soVmSocketsTrusted, soVmSocketsNonblockTxrx]) {
      const error = thrown(() => socket.getOption(option));
      expect(error).to.include({ code: 'ENOPROTOOPT', syscall: 'getsockopt' });
      expect(error.message).to.include(option.label);
    }
  });
});
