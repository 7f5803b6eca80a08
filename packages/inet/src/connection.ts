import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  getDefaultTimeout,
  invalidArgumentType,
  outOfRange,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketOptions,
  SocketTimeoutError,
} from '@sock/core';
import { type Inet6Input, type InetInput, type IpAddress, inet, inet6 } from './address.js';
import { AllFailed, interleave, race } from './happy-eyeballs.js';
import { type AddressInfo, getaddrinfo, getaddrinfoSync } from './netdb.js';
import { isIPv4, isIPv6 } from './text.js';

/** A socket of either family. */
export type IpSocket = Socket<IpAddress, Inet6Input>;

/** A family of internet addresses: `inet` or `inet6`. */
export type IpFamily = typeof inet | typeof inet6;

/** Where to and how to connect, on this thread. */
export interface ConnectionSyncOptions extends SocketOptions {
  /** A name or an address; `'localhost'` unless told. */
  host?: string | undefined;
  /** 1 to 65535. */
  port: number;
  /** `inet` or `inet6`: only addresses of this family. */
  family?: IpFamily | undefined;
  /** SOCK_STREAM unless told. */
  type?: number | undefined;
  /** IPPROTO_MPTCP, for example; the type's own unless told. */
  protocol?: number | undefined;
  /** Local address to connect from. A numeric `host` in it rules out addresses of the other family. */
  localAddress?: InetInput | Inet6Input | undefined;
  /**
   * Milliseconds for all of it, looking the name up included; `null` for no limit; the default
   * timeout unless told.
   */
  timeout?: number | null | undefined;
  /** Throw all errors, as an AggregateError, instead of that of the last address. */
  allErrors?: boolean | undefined;
  /** Called with each socket before it connects: the place for options. What it throws is that address's error. */
  prepare?: ((socket: IpSocket) => void) | undefined;
}

/** Where to and how to connect. */
export interface ConnectionOptions extends ConnectionSyncOptions {
  /** Gives up, with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that an address has before the next is tried beside it: at least 10, 250 unless
   * told; `null` tries the next only when one has failed. Source: RFC 8305, section 5.
   */
  connectionAttemptDelay?: number | null | undefined;
}

const ATTEMPT_DELAY = 250;
const ATTEMPT_DELAY_MIN = 10;
const INT_MAX = 0x7fffffff;

/** What is the same of all sockets that are tried. */
export interface Kind extends SocketOptions {
  type: number;
  protocol: number;
}

interface Plan extends Kind {
  host: string;
  port: number;
  family: number;
  localAddress: InetInput | undefined;
  timeout: number | null;
  allErrors: boolean;
  prepare: ((socket: IpSocket) => void) | undefined;
}

/** Milliseconds, or `null` for no limit. */
function checkTimeout(timeout: unknown): number | null {
  // a connection takes its time: that new sockets do not wait by default cannot be meant for it
  if (timeout === undefined) return getDefaultTimeout() || null;
  if (timeout === null) return null;
  if (typeof timeout !== 'number') throw invalidArgumentType('options.timeout', 'milliseconds, or null', timeout);
  if (!(timeout > 0) || timeout > INT_MAX) {
    throw outOfRange('options.timeout', `a positive number of milliseconds up to ${INT_MAX}, or null`, timeout);
  }
  return timeout;
}

/** Checks that a family is one of internet addresses: its AF_ number, 0 for none. */
export function checkIpFamily(family: unknown): number {
  if (family === undefined) return 0;
  if (family !== inet && family !== inet6) throw invalidArgumentType('options.family', 'inet or inet6', family);
  return (family as IpFamily).domain;
}

/** Checks the descriptor of a network namespace. */
export function checkNamespace(namespace: unknown): number | undefined {
  return namespace === undefined ? undefined : checkInteger('options.namespace', namespace, 0, INT_MAX);
}

/** Checks a function that prepares sockets. */
export function checkPrepare(prepare: unknown): ((socket: IpSocket) => void) | undefined {
  if (prepare !== undefined && typeof prepare !== 'function') {
    throw invalidArgumentType('options.prepare', 'a function', prepare);
  }
  return prepare as ((socket: IpSocket) => void) | undefined;
}

// the family of a numeric source address, 0 where it leaves the choice
function sourceFamily(localAddress: InetInput | undefined): number {
  if (localAddress === undefined) return 0;
  const { host = '', port = 0 } = checkObject('options.localAddress', localAddress);
  checkString('options.localAddress.host', host);
  checkInteger('options.localAddress.port', port, 0, 0xffff);
  if (isIPv4(host)) return AF_INET;
  return isIPv6(host) ? AF_INET6 : 0;
}

function plan(options: ConnectionSyncOptions): Plan {
  const { host = 'localhost', port, type = SOCK_STREAM, protocol = 0, localAddress } = checkObject('options', options);
  const family = checkIpFamily(options.family);
  const source = sourceFamily(localAddress);
  if (family !== 0 && source !== 0 && family !== source) {
    throw outOfRange('options.localAddress.host', 'an address of options.family', localAddress?.host);
  }
  return {
    host: checkString('options.host', host),
    port: checkInteger('options.port', port, 1, 0xffff),
    family: family || source,
    type: checkInteger('options.type', type, 0, INT_MAX),
    protocol: checkInteger('options.protocol', protocol, 0, INT_MAX),
    namespace: checkNamespace(options.namespace),
    localAddress,
    timeout: checkTimeout(options.timeout),
    allErrors: checkBoolean('options.allErrors', options.allErrors ?? false),
    prepare: checkPrepare(options.prepare),
  };
}

function checkDelay(delay: unknown): number | null {
  if (delay === undefined) return ATTEMPT_DELAY;
  return delay === null ? null : checkInteger('options.connectionAttemptDelay', delay, ATTEMPT_DELAY_MIN, INT_MAX);
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgumentType('options.signal', 'an AbortSignal', signal);
  }
  return signal;
}

const subject = ({ host, port }: Plan): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

function timeoutError(what: Plan): SocketTimeoutError {
  const message = `connect ETIMEDOUT ${subject(what)}: not done within ${what.timeout} ms`;
  return new SocketTimeoutError(message, { code: 'ETIMEDOUT', errno: -110, syscall: 'connect' });
}

function failed(what: Plan, errors: unknown[]): unknown {
  if (!what.allErrors) return errors.at(-1);
  return new AggregateError(
    errors,
    `connect: none of the ${errors.length} addresses of ${subject(what)} can be reached`,
  );
}

// the addresses of a host are the same whatever the protocol, which the resolver need not know
function query({ family, type }: Plan): { family: number; type: number } {
  return { family, type: type === SOCK_DGRAM ? SOCK_DGRAM : SOCK_STREAM };
}

/** A socket of a family that is only known now. */
export function openSocket(domain: number, { type, protocol, namespace }: Kind): IpSocket {
  // the address of inet6 is one of inet with members more, and so is its input
  const family = (domain === AF_INET6 ? inet6 : inet) as AddressFamily<IpAddress, Inet6Input>;
  return new Socket(family, type, protocol, { namespace });
}

async function attempt(what: Plan, { family, address }: AddressInfo, signal: AbortSignal): Promise<IpSocket> {
  const socket = openSocket(family, what);
  try {
    what.prepare?.(socket);
    if (what.localAddress !== undefined) await socket.bind(what.localAddress);
    await socket.connect(address, { timeout: null, signal });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * Connects to a host by whichever of its addresses answers first. They are tried in the order of
 * `getaddrinfo`, the families taking turns; the next begins when one has failed, or has not answered
 * for `connectionAttemptDelay` (Happy Eyeballs, RFC 8305).
 * @returns the connected socket; its timeout is the default timeout
 * @throws what the last address failed with, SocketError `ECONNREFUSED` and others, or with
 * `allErrors` an AggregateError with one error for each address; AddressInfoError for the name;
 * SocketTimeoutError; the signal's reason
 */
export async function createConnection(options: ConnectionOptions): Promise<IpSocket> {
  const what = plan(options);
  const delay = checkDelay(options.connectionAttemptDelay);
  const given = checkSignal(options.signal);
  given?.throwIfAborted();

  const end = new AbortController();
  const stop = (): void => end.abort(given?.reason);
  given?.addEventListener('abort', stop);
  const timer = what.timeout === null ? undefined : setTimeout(() => end.abort(timeoutError(what)), what.timeout);
  const { signal } = end;
  try {
    const found = await getaddrinfo(what.host, what.port, { ...query(what), signal });
    const addresses = interleave(found, ({ family }) => family);
    return await race({
      count: addresses.length,
      attempt: (index, ended) => attempt(what, addresses[index] as AddressInfo, ended),
      delay,
      discard: (socket) => socket.close(),
      signal,
    });
  } catch (error) {
    throw error instanceof AllFailed ? failed(what, error.errors) : error;
  } finally {
    clearTimeout(timer);
    given?.removeEventListener('abort', stop);
  }
}

/**
 * As `createConnection`, blocking the thread: the addresses are tried one after the other. Of the
 * time that is left each has an equal share, so that one that does not answer leaves some to the next.
 */
export function createConnectionSync(options: ConnectionSyncOptions): IpSocket {
  const what = plan(options);
  const deadline = what.timeout === null ? null : performance.now() + what.timeout;
  const addresses = interleave(getaddrinfoSync(what.host, what.port, query(what)), ({ family }) => family);
  const errors: unknown[] = [];
  for (const [index, { family, address }] of addresses.entries()) {
    const left = deadline === null ? null : deadline - performance.now();
    if (left !== null && left <= 0) throw timeoutError(what);
    const timeout = left === null ? null : left / (addresses.length - index);
    let socket: IpSocket | undefined;
    try {
      socket = openSocket(family, what);
      what.prepare?.(socket);
      if (what.localAddress !== undefined) socket.bindSync(what.localAddress);
      socket.connectSync(address, { timeout });
      return socket;
    } catch (error) {
      socket?.close();
      errors.push(error);
    }
  }
  throw failed(what, errors);
}
