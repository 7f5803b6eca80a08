import { checkString, outOfRange, readU32, type Socket } from '@sock/core';
import { CTLIOCGINFO } from './constants.gen.js';

/** Bytes of ctl_name in `struct ctl_info`, with its final NUL. Source: sys/kern_control.h of macOS. */
const NAME_SIZE = 96;

/**
 * The number of a control of the kernel, such as `com.apple.net.utun_control`.
 * @throws SocketError `ENOENT` where there is none. Source: sys/kern_control.h of macOS, CTLIOCGINFO.
 */
export function controlId<Address, Input>(socket: Socket<Address, Input>, name: string): number {
  const bytes = Buffer.from(checkString('name', name));
  if (bytes.length >= NAME_SIZE) throw outOfRange('name', `a name of at most ${NAME_SIZE - 1} bytes`, name);
  const info = new Uint8Array(4 + NAME_SIZE);
  info.set(bytes, 4);
  socket.ioctl(CTLIOCGINFO, info);
  return readU32(info, 0);
}
