import { EACCES, EAFNOSUPPORT, EAGAIN, ECANCELED, EPERM, ETIMEDOUT, errnoName } from './errno.js';
import { SocketError, SocketTimeoutError } from './errors.js';
import { type AddressFamily, UnknownAddress } from './family.js';
import { BUFFER_GONE } from './native.js';

/** What an error message may tell about the socket. */
export interface Subject {
  readonly family: Pick<AddressFamily<unknown, never>, 'name' | 'format' | 'explain'>;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
}

export interface FailureContext {
  /** The address that the call named, decoded. */
  address?: unknown;
  transferred?: number | undefined;
  /** What the call was about, such as the name of an option. */
  label?: string | undefined;
  /** Clause for the message that the caller knows best. */
  hint?: string | undefined;
  /** Capability that a permission error asks for. */
  capability?: string | undefined;
}

// the argument that names the memory of a call
const BUFFERS: Readonly<Record<string, string>> = {
  send: 'data',
  sendto: 'data',
  sendmsg: 'buffers',
  recvmsg: 'buffers',
};

/** What EBADF means where it is the socket's own descriptor that is gone. */
export const CLOSED = 'the socket is closed';

/** What EAGAIN means. */
export const FORBIDDEN = 'it would have to wait, which timeout 0 and MSG_DONTWAIT forbid';

const DEFAULT_HINTS: Readonly<Record<number, string>> = {
  [EAGAIN]: FORBIDDEN,
  [ECANCELED]: 'the socket was closed while this was pending',
};

function addressText(subject: Subject, address: unknown): string {
  if (address === undefined || address === null) return '';
  if (address instanceof UnknownAddress) return ` (address family ${address.domain})`;
  const text = subject.family.format(address as never);
  return text === '' ? '' : ` ${text}`;
}

function hintFor(subject: Subject, syscall: string, errno: number, context: FailureContext): string | undefined {
  if (context.hint !== undefined) return context.hint;
  if ((errno === EPERM || errno === EACCES) && context.capability !== undefined) {
    return `this needs ${context.capability} (setcap ${context.capability.toLowerCase()}+ep $(which node), or run as root)`;
  }
  const { type, protocol } = subject;
  const explained = subject.family.explain?.({ syscall, code: errnoName(errno), type, protocol });
  if (explained !== undefined) return explained;
  if (errno === EAFNOSUPPORT && syscall === 'socket') {
    return `this kernel has no address family ${subject.domain} (${subject.family.name})`;
  }
  return DEFAULT_HINTS[errno];
}

/**
 * The one place where a failed system call becomes an error.
 * @param errno negative, as native functions give it
 */
export function failure(subject: Subject, syscall: string, errno: number, context: FailureContext = {}): Error {
  if (errno === BUFFER_GONE) {
    // found by the native bounds check, so nothing was sent or received
    const argument = BUFFERS[syscall] ?? 'buffer';
    const message = `${argument} must be memory that is neither transferred nor shrunk before ${syscall} is done`;
    return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE', argument });
  }
  const code = errnoName(-errno);
  const { address, transferred } = context;
  const hint = hintFor(subject, syscall, -errno, context);
  const about = context.label === undefined ? addressText(subject, address) : ` ${context.label}`;
  const message = `${syscall} ${code}${about}${hint === undefined ? '' : `: ${hint}`}`;
  return new SocketError(message, { code, errno, syscall, address, transferred });
}

/** An operation that did not finish within `timeout` milliseconds. */
export function timedOut(subject: Subject, syscall: string, timeout: number, context: FailureContext = {}): Error {
  const { address, transferred } = context;
  const message = `${syscall} ETIMEDOUT${addressText(subject, address)}: not done within ${timeout} ms`;
  return new SocketTimeoutError(message, { code: 'ETIMEDOUT', errno: -ETIMEDOUT, syscall, address, transferred });
}
