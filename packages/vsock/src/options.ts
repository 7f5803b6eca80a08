import {
  AF_VSOCK,
  LONG_SIZE,
  type ReadonlyOption,
  readonlyIntegerOption,
  type SocketOption,
  timevalOption,
  uint64Option,
} from '@sock/core';
import * as c from './constants.gen.js';

const key = (name: number, label: string) => ({ level: AF_VSOCK, name, label });

/**
 * SO_VM_SOCKETS_BUFFER_SIZE: bytes that may wait to be received, 262,144 at first; kept between the
 * smallest and the largest size. Set before the connection is made. Source: vsock(7).
 */
export const soVmSocketsBufferSize: SocketOption<bigint, bigint | number> = uint64Option(
  key(c.SO_VM_SOCKETS_BUFFER_SIZE, 'SO_VM_SOCKETS_BUFFER_SIZE'),
);

/** SO_VM_SOCKETS_BUFFER_MIN_SIZE: smallest size of the buffer, in bytes, 128 at first; a smaller buffer grows to it. */
export const soVmSocketsBufferMinSize: SocketOption<bigint, bigint | number> = uint64Option(
  key(c.SO_VM_SOCKETS_BUFFER_MIN_SIZE, 'SO_VM_SOCKETS_BUFFER_MIN_SIZE'),
);

/** SO_VM_SOCKETS_BUFFER_MAX_SIZE: largest size of the buffer, in bytes, 262,144 at first; a larger buffer shrinks to it. */
export const soVmSocketsBufferMaxSize: SocketOption<bigint, bigint | number> = uint64Option(
  key(c.SO_VM_SOCKETS_BUFFER_MAX_SIZE, 'SO_VM_SOCKETS_BUFFER_MAX_SIZE'),
);

/**
 * SO_VM_SOCKETS_CONNECT_TIMEOUT: milliseconds that the kernel waits for a connection, 2,000 at first and
 * after `null`; then `connect` fails with `ETIMEDOUT`. As exact as the kernel's clock ticks. Source: linux/vm_sockets.h.
 */
export const soVmSocketsConnectTimeout: SocketOption<number | null> = timevalOption({
  level: AF_VSOCK,
  // of a machine with 64 bits the old structure is the new one, which older kernels lack
  name: LONG_SIZE === 8 ? c.SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD : c.SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW,
  label: 'SO_VM_SOCKETS_CONNECT_TIMEOUT',
});

/** SO_VM_SOCKETS_PEER_HOST_VM_ID: what the hypervisor calls the peer's machine. VMware; `ENOPROTOOPT` on Linux itself. */
export const soVmSocketsPeerHostVmId: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.SO_VM_SOCKETS_PEER_HOST_VM_ID, 'SO_VM_SOCKETS_PEER_HOST_VM_ID'),
);

/** SO_VM_SOCKETS_TRUSTED: not 0 where the socket is trusted. VMware; `ENOPROTOOPT` on Linux itself. */
export const soVmSocketsTrusted: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.SO_VM_SOCKETS_TRUSTED, 'SO_VM_SOCKETS_TRUSTED'),
);

/** SO_VM_SOCKETS_NONBLOCK_TXRX: of sockets of the kernel, where it may not wait. VMware; `ENOPROTOOPT` on Linux itself. */
export const soVmSocketsNonblockTxrx: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.SO_VM_SOCKETS_NONBLOCK_TXRX, 'SO_VM_SOCKETS_NONBLOCK_TXRX'),
);
