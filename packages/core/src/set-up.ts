import { knownAs } from './arguments.js';
import { socketError } from './errors.js';
import type { SocketInfo } from './family.js';
import type { SocketHandle } from './handle.js';
import type { SocketOption } from './option.js';

/** Sets an option of the socket that it is called with. */
export type Setting = (socket: Pick<SocketHandle, 'setOption'>) => void;

// what codecs may ask a socket for cannot be asked before there is one
const NO_SOCKET = new Proxy({} as SocketInfo, {
  get(_nothing, member) {
    throw socketError('setsockopt', 'EBADF', `${String(member)} is not known before the socket is open`);
  },
});

const nothing: Setting = () => {};

/**
 * An option to set on a socket that is not open yet, for constructors of subclasses: the value is checked now, before
 * any system call. `undefined` leaves the option as it is.
 * @param argument what the caller knows the value as, such as `options.fd`
 * @throws TypeError or RangeError naming `argument`
 */
export function setting<Value, Input>(
  argument: string,
  option: SocketOption<Value, Input>,
  value: Input | undefined,
): Setting {
  if (value === undefined) return nothing;
  knownAs(argument, 'value', () => option.encode?.(value, NO_SOCKET));
  return (socket) => socket.setOption(option, value);
}

/**
 * Takes the steps that set up a socket that was just opened, and closes it where one fails: for constructors of
 * subclasses.
 */
export function setUp<Opened extends { close(): void }>(socket: Opened, ...steps: ((socket: Opened) => void)[]): void {
  try {
    for (const step of steps) step(socket);
  } catch (error) {
    socket.close();
    throw error;
  }
}
