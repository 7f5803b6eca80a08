import { AddressCache, type AnyAddress, decodeAddress, encodeAddress, receivedSockaddr } from './address.js';
import { checkBoolean, checkInteger, checkObject, invalidArgumentType, outOfRange, toTarget } from './arguments.js';
import { readI32 } from './bytes.js';
import {
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
} from './constants.gen.js';
import { Descriptor } from './descriptor.js';
import { checkTimeout, type Target } from './drivers.js';
import { endingCalls, wholeCalls } from './end.js';
import { EBADF, ENOTSOCK, EOPNOTSUPP } from './errno.js';
import { CLOSED, type FailureContext, failure, type Subject } from './failure.js';
import { type AddressFamily, EncodedAddress, type SocketInfo, UnknownAddress } from './family.js';
import { interfaceIndexOf, interfaceNameOf } from './interfaces.js';
import type { IoctlRequest } from './ioctl.js';
import { openIn, type SocketOptions } from './namespace.js';
import { given, native } from './native.js';
import { intBytes, type ReadonlyOption, type RequestOption, type SocketOption } from './option.js';
import { getDefaultTimeout } from './timeout.js';

const FD_MAX = 0x7fffffff;
const OPTION_MAX = 1024 * 1024;

/** What is asked of a descriptor that is adopted, unless the caller says it. */
export interface AdoptOptions {
  /** SOCK_*; read from the kernel unless told. */
  type?: number | undefined;
  /** Read from the kernel unless told. */
  protocol?: number | undefined;
}

/** What the kernel says of a descriptor. */
export interface AdoptInfo {
  domain: number;
  type: number;
  protocol: number;
}

/** A family, or how to choose one by what the kernel says. */
export type FamilyChoice<Address, Input> =
  | AddressFamily<Address, Input>
  | ((info: AdoptInfo) => AddressFamily<Address, Input>);

/** The codec of a family that nobody named: addresses stay bytes. */
export function unknownFamily(domain: number): AddressFamily<UnknownAddress> {
  return {
    name: `AF_${domain}`,
    domain,
    encode(input) {
      throw invalidArgumentType('address', 'an UnknownAddress or an EncodedAddress (no family was given)', input);
    },
    decode(sockaddr) {
      return new UnknownAddress(domain, Uint8Array.from(sockaddr.subarray(2)));
    },
    format: ({ data }) => `address family ${domain}, ${data.length} bytes`,
  };
}

/** @internal The subject of a call that is about no socket of the library's. */
export const NOBODY: Subject = { family: unknownFamily(0), domain: 0, type: 0, protocol: 0 };

/** Checks an address codec. */
export function checkFamily<Address, Input>(family: AddressFamily<Address, Input>): AddressFamily<Address, Input> {
  const { encode, decode, format, domain, name } = checkObject('family', family);
  if ([encode, decode, format].some((codec) => typeof codec !== 'function') || typeof name !== 'string') {
    throw invalidArgumentType('family', 'an AddressFamily, such as inet or unix', family);
  }
  checkInteger('family.domain', domain, 0, 0xffff);
  return family;
}

/** A descriptor on its way into a socket: how the library makes sockets of descriptors that exist. */
export class Given {
  constructor(
    readonly descriptor: Descriptor,
    readonly type: number,
    readonly protocol: number,
  ) {}
}

const unclosed = new FinalizationRegistry<Descriptor>((descriptor) => {
  const { fd, owned, family } = descriptor;
  if (fd < 0) return;
  descriptor.close();
  if (!owned) return;
  const message = `a Socket (${family}, fd ${fd}) was collected without having been closed; it is closed now. Call close(), or declare it with "using"`;
  process.emitWarning(message, 'ResourceWarning');
});

/**
 * A descriptor with its address family: what it is, who owns it, its names and its options.
 * `Socket` adds what moves data.
 */
export abstract class SocketHandle<Address = UnknownAddress, Input = Address> implements SocketInfo, Disposable {
  /** The address codec. */
  readonly family: AddressFamily<Address, Input>;
  /** SOCK_* as asked for, without SOCK_CLOEXEC and SOCK_NONBLOCK. */
  readonly type: number;
  /** Protocol as asked for. */
  readonly protocol: number;
  /** @internal */
  readonly descriptor: Descriptor;
  /** @internal */
  private cache: AddressCache | undefined;
  private limit: number | null;

  protected constructor(
    family: AddressFamily<Address, Input>,
    type: number | Given | undefined,
    protocol?: number,
    options?: SocketOptions,
  ) {
    this.family = checkFamily(family);
    if (type instanceof Given) {
      this.type = type.type;
      this.protocol = type.protocol;
      this.descriptor = type.descriptor;
      this.limit = getDefaultTimeout();
    } else {
      const asked = checkInteger('type', type ?? family.type ?? SOCK_STREAM, 0, FD_MAX);
      this.type = asked & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
      this.protocol = checkInteger('protocol', protocol ?? family.protocol ?? 0, 0, FD_MAX);
      this.limit = (asked & SOCK_NONBLOCK) !== 0 ? 0 : getDefaultTimeout();
      const number = family.encodeProtocol?.(this.protocol) ?? this.protocol;
      const namespace = options === undefined ? undefined : checkObject('options', options).namespace;
      const fd =
        namespace === undefined
          ? native.socket(family.domain, this.type, number)
          : openIn(this.target, checkInteger('options.namespace', namespace, 0, FD_MAX), number);
      if (fd < 0) throw failure(this.target, 'socket', fd);
      this.descriptor = new Descriptor(fd, true);
    }
    this.descriptor.family = family.name;
    this.descriptor.unpollable = family.unpollable === true;
    if (family.endsOnce === true) this.descriptor.calls = endingCalls(this.descriptor.calls, family.endsEarly);
    if (family.tearsMessages === true && this.type === SOCK_SEQPACKET) {
      this.descriptor.calls = wholeCalls(this.descriptor.calls);
    }
    unclosed.register(this, this.descriptor, this);
  }

  /** @internal What drivers and codecs see: they do not care which family's types these are. */
  get target(): Target & SocketHandle<unknown, unknown> {
    return this as unknown as Target & SocketHandle<unknown, unknown>;
  }

  /** @internal */
  get addresses(): AddressCache {
    this.cache ??= new AddressCache();
    return this.cache;
  }

  /** AF_* number. */
  get domain(): number {
    return this.family.domain;
  }

  /** Whether `close` or `detach` was called. */
  get closed(): boolean {
    return this.descriptor.fd < 0;
  }

  /** Limit of each operation in milliseconds: `null` waits, 0 fails at once with `EAGAIN`. */
  get timeout(): number | null {
    return this.limit;
  }

  set timeout(timeout: number | null) {
    this.limit = checkTimeout(timeout);
  }

  /** Whether operations wait: `true` is timeout `null`, `false` is timeout 0. */
  get blocking(): boolean {
    return this.limit !== 0;
  }

  set blocking(blocking: boolean) {
    this.limit = checkBoolean('blocking', blocking) ? null : 0;
  }

  /** Whether programs started with execve(2) inherit the descriptor (FD_CLOEXEC is not set). */
  get inheritable(): boolean {
    return this.check('fcntl', native.closeOnExec(this.fd('fcntl'), -1)) === 0;
  }

  set inheritable(inheritable: boolean) {
    const value = checkBoolean('inheritable', inheritable) ? 0 : 1;
    this.check('fcntl', native.closeOnExec(this.fd('fcntl'), value));
  }

  /** The descriptor's number, -1 once it is closed. It stays the socket's own. */
  fileno(): number {
    return this.descriptor.fd;
  }

  /**
   * Gives the descriptor up: the caller owns it, the socket is closed, what is pending is rejected.
   * Descriptors are non-blocking; that belongs to the open file description, which others may
   * share. `blocking: true` makes it blocking for a child or another program.
   * @throws SocketError `EBADF` where the socket is closed. Source: fcntl(2), O_NONBLOCK.
   */
  detach(options: { blocking?: boolean } = {}): number {
    const { blocking = false } = checkObject('options', options);
    checkBoolean('options.blocking', blocking);
    const fd = this.fd('detach');
    if (blocking) this.check('fcntl', native.nonBlocking(fd, 0));
    unclosed.unregister(this);
    native.release(fd);
    return this.descriptor.detach();
  }

  /**
   * Closes the descriptor before it returns. What is pending is rejected with `ECANCELED`. Closing
   * again does nothing.
   * @throws SocketError as close(2) gives; the descriptor is gone all the same.
   */
  close(): void {
    if (this.closed) return;
    unclosed.unregister(this);
    this.check('close', this.descriptor.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Pending operations keep the process alive (the initial state). */
  ref(): this {
    this.descriptor.reference(true);
    return this;
  }

  /** Pending operations do not keep the process alive. */
  unref(): this {
    this.descriptor.reference(false);
    return this;
  }

  /**
   * The local address. @throws SocketError `EBADF`. Source: getsockname(2).
   */
  getsockname(): Address {
    this.check('getsockname', native.getsockname(this.fd('getsockname')));
    return this.lastAddress();
  }

  /**
   * The peer's address. @throws SocketError `ENOTCONN`, `EBADF`. Source: getpeername(2).
   */
  getpeername(): Address {
    this.check('getpeername', native.getpeername(this.fd('getpeername')));
    return this.lastAddress();
  }

  /** Encodes an address once, for many messages to it. Names are not resolved. */
  encodeAddress(address: AnyAddress<Input>): EncodedAddress {
    const length = encodeAddress(this.target, address);
    return new EncodedAddress(given.slice(0, length));
  }

  interfaceIndex(name: string): number {
    return interfaceIndexOf(this.fd('ioctl'), name);
  }

  interfaceName(index: number): string | undefined {
    return interfaceNameOf(this.fd('ioctl'), checkInteger('index', index, 0, 0xffffffff));
  }

  /**
   * Waits for connections.
   * @param backlog connections that may wait to be accepted; the system's maximum unless told. A
   * negative number is taken as 0. @throws SocketError `EOPNOTSUPP`, `EADDRINUSE`. Source: listen(2).
   */
  listen(backlog: number = SOMAXCONN): void {
    const checked = Math.max(0, checkInteger('backlog', backlog, -0x80000000, 0x7fffffff));
    this.check('listen', native.listen(this.fd('listen'), checked));
  }

  /**
   * Ends one or both directions of a connection.
   * @param how SHUT_RD, SHUT_WR or SHUT_RDWR
   * @throws SocketError `ENOTCONN`. Source: shutdown(2).
   */
  shutdown(how: number): void {
    this.check('shutdown', native.shutdown(this.fd('shutdown'), checkInteger('how', how, 0, 2)));
  }

  /**
   * An option as the kernel gives it: an int, or up to `length` bytes. Where the kernel is asked
   * about something, such as one association of several, `request` is the structure that it reads
   * and fills: a copy of it is given back, `request` stays as it is.
   * @throws SocketError `ENOPROTOOPT` and others. Source: getsockopt(2).
   */
  getsockopt(level: number, name: number): number;
  getsockopt(level: number, name: number, length: number): Buffer;
  getsockopt(level: number, name: number, request: ArrayBufferView | ArrayBuffer): Buffer;
  getsockopt(level: number, name: number, length?: number | ArrayBufferView | ArrayBuffer): number | Buffer {
    checkInteger('level', level, -0x80000000, 0x7fffffff);
    checkInteger('name', name, -0x80000000, 0x7fffffff);
    if (typeof length === 'object' && length !== null) {
      return this.readOption(level, name, Buffer.from(toTarget('length', length)), {});
    }
    const size = length === undefined ? 4 : checkInteger('length', length, 0, OPTION_MAX);
    const value = this.readOption(level, name, Buffer.alloc(size), {});
    return length === undefined ? readI32(Buffer.concat([value], 4), 0) : value;
  }

  /**
   * Sets an option: a number is passed as an int, `null` with a length passes no bytes at all.
   * @throws SocketError `ENOPROTOOPT`, `EINVAL` and others. Source: setsockopt(2).
   */
  setsockopt(level: number, name: number, value: number | ArrayBufferView | ArrayBuffer): void;
  setsockopt(level: number, name: number, value: null, length: number): void;
  setsockopt(level: number, name: number, value: number | ArrayBufferView | ArrayBuffer | null, length?: number): void {
    checkInteger('level', level, -0x80000000, 0x7fffffff);
    checkInteger('name', name, -0x80000000, 0x7fffffff);
    if (value === null) {
      this.writeOption(level, name, null, checkInteger('length', length, 0, FD_MAX), {});
      return;
    }
    if (length !== undefined) throw outOfRange('length', 'left out, unless value is null', length);
    const bytes =
      typeof value === 'number'
        ? intBytes(checkInteger('value', value, -0x80000000, 0x7fffffff))
        : toTarget('value', value);
    this.writeOption(level, name, bytes, bytes.length, {});
  }

  /**
   * The value of a typed option; for a RequestOption, its answer to `request`.
   * @throws SocketError `ENOPROTOOPT` where this kernel or this kind of socket lacks it; TypeError or
   * RangeError naming `request`
   */
  getOption<Value>(
    option: (SocketOption<Value, never> | ReadonlyOption<Value>) & { readonly encodeRequest?: never },
  ): Value;
  getOption<Value, Request>(
    option: RequestOption<Value, Request>,
    ...request: undefined extends Request ? [request?: Request] : [request: Request]
  ): Value;
  getOption<Value, Request>(
    option: SocketOption<Value, never> | ReadonlyOption<Value> | RequestOption<Value, Request>,
    request?: Request,
  ): Value {
    const { level, name } = this.optionKey(option, 'decode');
    const buffer =
      'encodeRequest' in option
        ? Buffer.from(option.encodeRequest(request as Request, this))
        : Buffer.alloc(option.size ?? 4);
    return (option as ReadonlyOption<Value>).decode(this.readOption(level, name, buffer, option), this);
  }

  /**
   * Sets a typed option.
   * @throws TypeError or RangeError naming `value`; SocketError `ENOPROTOOPT` where this kernel or this
   * kind of socket lacks it, `EPERM` naming the capability
   */
  setOption<Value, Input>(option: SocketOption<Value, Input>, value: Input): void {
    const { level, name } = this.optionKey(option, 'encode');
    const encoded = option.encode?.(value, this) as number | Uint8Array;
    if (option.asLength === true && typeof encoded === 'number') {
      this.writeOption(level, name, null, encoded, option);
      return;
    }
    const bytes = typeof encoded === 'number' ? intBytes(encoded) : encoded;
    if (option.program === true) {
      this.check('setsockopt', native.setFilter(this.fd('setsockopt'), level, name, bytes), option);
      return;
    }
    this.writeOption(level, name, bytes, bytes.length, option);
  }

  /**
   * ioctl(2): an integer argument is passed as it is; bytes are the structure that the request
   * reads or fills, in place. A typed request takes its value.
   * @returns what ioctl(2) returned
   * @throws SocketError `EOPNOTSUPP` for a typed request of another system, which it names
   */
  ioctl(request: number, argument?: number | ArrayBufferView | ArrayBuffer): number;
  ioctl<Value>(request: IoctlRequest<Value>, argument: Value): number;
  ioctl(request: number | IoctlRequest<unknown>, argument: unknown = 0): number {
    if (typeof request === 'object' && request !== null) {
      return this.rawIoctl(request.request, encodeRequest(this.target, request, argument));
    }
    return this.rawIoctl(request, argument);
  }

  private rawIoctl(request: number, argument: unknown): number {
    checkInteger('request', request, 0, 0xffffffff);
    const fd = this.fd('ioctl');
    return this.check(
      'ioctl',
      typeof argument === 'number'
        ? native.ioctlNumber(fd, request, checkInteger('argument', argument, -0x80000000, 0xffffffff))
        : native.ioctlBytes(fd, request, toTarget('argument', argument)),
    );
  }

  /**
   * Windows: a copy of the socket for another process, which makes a socket of it with `fromShare`.
   * @param processId of the process that is to have it
   * @throws SocketError `EOPNOTSUPP` elsewhere: there descriptors are passed over a unix socket.
   * Source: WSADuplicateSocket.
   */
  share(processId: number): Buffer {
    checkInteger('processId', processId, 0, 0xffffffff);
    this.fd('share');
    throw notShared(this.target, 'share');
  }

  private optionKey(
    option: Pick<SocketOption<unknown>, 'level' | 'name' | 'label'>,
    need: 'encode' | 'decode',
  ): { level: number; name: number } {
    const { level, name, label } = checkObject('option', option);
    if (typeof (option as Partial<SocketOption<unknown>>)[need] !== 'function') {
      const what = need === 'encode' ? 'an option that can be set' : 'an option that can be read';
      throw invalidArgumentType('option', `${what} (${label} cannot)`, option);
    }
    if (level === undefined || name === undefined) {
      throw failure(this.target, need === 'encode' ? 'setsockopt' : 'getsockopt', -EOPNOTSUPP, {
        hint: `${label} does not exist on ${process.platform}`,
      });
    }
    return { level, name };
  }

  // the kernel reads and fills `value`
  private readOption(
    level: number,
    name: number,
    value: Buffer,
    about: { label?: string; capability?: string },
  ): Buffer {
    const { label, capability } = about;
    const status = native.getsockopt(this.fd('getsockopt'), level, name, value, value.length);
    const length = this.check('getsockopt', status, { capability, label });
    return value.subarray(0, Math.min(length, value.length));
  }

  private writeOption(
    level: number,
    name: number,
    value: Uint8Array | null,
    length: number,
    about: { label?: string; capability?: string },
  ): void {
    const { label, capability } = about;
    const status = native.setsockopt(this.fd('setsockopt'), level, name, value, length);
    this.check('setsockopt', status, { capability, label });
  }

  private lastAddress(): Address {
    return decodeAddress(this.target, receivedSockaddr()) as Address;
  }

  /** @internal The descriptor for a call. @throws SocketError `EBADF` where the socket is closed. */
  protected fd(syscall: string): number {
    const { fd } = this.descriptor;
    if (fd < 0) throw failure(this.target, syscall, -EBADF, { hint: CLOSED });
    return fd;
  }

  /** @internal The result of a call, its errno as an error. */
  protected check(syscall: string, result: number, context: Pick<FailureContext, 'capability' | 'label'> = {}): number {
    if (result < 0) throw failure(this.target, syscall, result, context);
    return result;
  }
}

// the argument of a typed request; what this platform lacks names the system that has it
function encodeRequest(subject: Subject, typed: IoctlRequest<unknown>, value: unknown): number | Uint8Array {
  const { request, label, elsewhere, encode } = typed;
  if (typeof encode !== 'function') {
    throw invalidArgumentType('request', 'an integer from 0 to 4294967295 or an IoctlRequest', typed);
  }
  if (request !== undefined) return typed.encode(value);
  const hint = `it does not exist on ${process.platform}${elsewhere === undefined ? '' : `: ${elsewhere}`}`;
  throw failure(subject, 'ioctl', -EOPNOTSUPP, { label, hint });
}

/** @internal What `share` and `fromShare` give where a descriptor is shared by passing it on. */
export function notShared(subject: Subject, syscall: string): Error {
  const hint = `only Windows has it, not ${process.platform}; pass the descriptor over a unix socket (SCM_RIGHTS)`;
  return failure(subject, syscall, -EOPNOTSUPP, { hint });
}

// what the kernel says of a descriptor, unless the caller says it; checks that it is a socket
function inspectDescriptor(fd: number, options: AdoptOptions): AdoptInfo {
  checkInteger('fd', fd, 0, FD_MAX);
  const { type, protocol } = checkObject('options', options);
  const subject = { family: unknownFamily(0), domain: 0, type: type ?? 0, protocol: protocol ?? 0 };
  const status = native.isSocket(fd);
  if (status < 0) throw failure(subject, 'fstat', status, { hint: `there is no descriptor ${fd}` });
  if (status === 0) throw failure(subject, 'fstat', -ENOTSOCK, { hint: `the descriptor ${fd} is no socket` });
  const read = (name: number): number => {
    const value = new Uint8Array(4);
    const result = native.getsockopt(fd, SOL_SOCKET, name, value, 4);
    if (result < 0) throw failure(subject, 'getsockopt', result);
    return readI32(value, 0);
  };
  return {
    domain: read(SO_DOMAIN),
    type: type === undefined ? read(SO_TYPE) : checkInteger('options.type', type, 0, FD_MAX),
    protocol: protocol === undefined ? read(SO_PROTOCOL) : checkInteger('options.protocol', protocol, 0, FD_MAX),
  };
}

/**
 * @internal What a descriptor is, and the family for it, which must be of its domain. Some kernels'
 * families (AF_CAN) do not tell the protocol: then it is the one that the family implies.
 */
export function identify<Address, Input>(
  fd: number,
  family: FamilyChoice<Address, Input> | undefined,
  options: AdoptOptions,
): { chosen: AddressFamily<Address, Input>; info: AdoptInfo } {
  const info = inspectDescriptor(fd, options);
  const { domain, protocol } = info;
  const choice = typeof family === 'function' ? family(info) : family;
  const known = family === undefined ? unknownFamily(domain) : choice;
  const chosen = checkFamily(known as AddressFamily<Address, Input>);
  if (chosen.domain !== domain) {
    throw outOfRange('family', `a family of the domain that the socket has, ${domain}`, chosen.domain);
  }
  const implied = protocol === 0 && options.protocol === undefined ? (chosen.protocol ?? 0) : protocol;
  return { chosen, info: { ...info, protocol: implied } };
}
