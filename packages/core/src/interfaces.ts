import { checkInteger, checkInterfaceName, invalidArgumentType } from './arguments.js';
import { ENODEV, errnoName } from './errno.js';
import { SocketError } from './errors.js';
import type { SocketInfo } from './family.js';
import { native } from './native.js';

function failed(syscall: string, errno: number, what: string): SocketError {
  const code = errnoName(-errno);
  return new SocketError(`${syscall} ${code}: ${what}`, { code, errno, syscall });
}

/** A network interface: its index and its name. */
export interface NetworkInterface {
  index: number;
  name: string;
}

/**
 * The network interfaces of this machine (of this network namespace).
 * @throws SocketError `ENOBUFS`. Source: if_nameindex(3).
 */
export function if_nameindex(): NetworkInterface[] {
  const list = native.nameIndex();
  if (typeof list === 'number') throw failed('if_nameindex', list, 'the list of interfaces is not to be had');
  return list.map(([index, name]) => ({ index, name }));
}

/**
 * Index of a network interface.
 * @throws SocketError `ENODEV` where there is none of that name. Source: if_nametoindex(3).
 */
export function if_nametoindex(name: string): number {
  const index = native.nameToIndex(checkInterfaceName('name', name));
  if (index < 0) throw failed('if_nametoindex', index, `there is no network interface ${name}`);
  return index;
}

/**
 * Name of a network interface.
 * @throws SocketError `ENXIO` where there is none with that index. Source: if_indextoname(3).
 */
export function if_indextoname(index: number): string {
  const name = native.indexToName(checkInteger('index', index, 0, 0x7fffffff));
  if (typeof name === 'number')
    throw failed('if_indextoname', name, `there is no network interface with index ${index}`);
  return name;
}

/** A network interface: its name or its index. Where it may be none in particular, that is `''` or 0. */
export type InterfaceInput = string | number;

/**
 * The index of an interface that is given by name or by index; 0 for none in particular, as where it is left out.
 * @throws TypeError or RangeError naming `argument`; SocketError `ENODEV`
 */
export function interfaceIndex(argument: string, value: unknown, socket: Pick<SocketInfo, 'interfaceIndex'>): number {
  if (value === undefined || value === '') return 0;
  if (typeof value === 'number') return checkInteger(argument, value, 0, 0x7fffffff);
  if (typeof value !== 'string') throw invalidArgumentType(argument, "an interface's name or index", value);
  return socket.interfaceIndex(checkInterfaceName(argument, value));
}

/** Index of an interface in the network namespace of a socket. */
export function interfaceIndexOf(fd: number, name: string): number {
  const index = native.socketInterfaceIndex(fd, checkInterfaceName('interface', name));
  if (index === -ENODEV) throw failed('SIOCGIFINDEX', index, `there is no network interface ${name}`);
  if (index < 0) throw failed('SIOCGIFINDEX', index, `of the network interface ${name}`);
  return index;
}

/** How often a name was asked for: what was decoded meanwhile holds one, if this has changed. */
export let namesAsked = 0;

/** Name of an interface in the network namespace of a socket; `undefined` where there is none. */
export function interfaceNameOf(fd: number, index: number): string | undefined {
  namesAsked++;
  const name = native.socketInterfaceName(fd, index);
  return typeof name === 'number' ? undefined : name;
}
