/** What an address codec may ask about the socket that it serves. Every `Socket` is one. */
export interface SocketInfo {
  /** AF_* number of the socket. */
  readonly domain: number;
  /** SOCK_* number of the socket, without SOCK_CLOEXEC and SOCK_NONBLOCK. */
  readonly type: number;
  /** Protocol number that the socket was made with. */
  readonly protocol: number;
  /**
   * Index of a network interface in the socket's network namespace.
   * @throws SocketError `ENODEV` where there is none of that name. Source: netdevice(7), SIOCGIFINDEX.
   */
  interfaceIndex(name: string): number;
  /**
   * Name of a network interface in the socket's network namespace, `undefined` where there is none
   * (any more) with that index. Source: netdevice(7), SIOCGIFNAME.
   */
  interfaceName(index: number): string | undefined;
}

/** A system call that failed, as an address family is asked to explain it. */
export interface FailedCall {
  readonly syscall: string;
  /** Symbolic error code, such as `EAFNOSUPPORT`. */
  readonly code: string;
  readonly type: number;
  readonly protocol: number;
}

/**
 * The clause for a failed call, for `explain`, out of a table by call and code: `'bind EADDRINUSE'`. All calls that
 * send share the clauses of `send`, all that receive those of `recv`, but for what is told of one of them alone
 * (`'sendmmsg EINVAL'`).
 */
export function clauseOf({ syscall, code }: FailedCall, clauses: Readonly<Record<string, string>>): string | undefined {
  const kind = /^(?:send|recv)/.exec(syscall)?.[0] ?? syscall;
  return clauses[`${syscall} ${code}`] ?? clauses[`${kind} ${code}`];
}

/**
 * An address codec: all that the core needs to know about an address family.
 *
 * `Address` is what comes out, `Input` what is accepted; both are plain values of the same shape,
 * `Input` usually with optional members.
 */
export interface AddressFamily<Address, Input = Address> {
  /** Name for messages, such as `inet`. */
  readonly name: string;
  /** AF_* number. */
  readonly domain: number;
  /** Socket type to use where the caller names none: for formats that imply one. */
  readonly type?: number;
  /** Protocol to use where the caller names none: for formats that imply one. */
  readonly protocol?: number;
  /**
   * AF_* numbers that addresses bear, where they are those of other families: `encode` then writes the
   * field at the start itself, and `decode` reads it. `domain` alone unless told.
   */
  readonly addressDomains?: readonly number[];
  /**
   * Whether the kernel tells the end of a connection once, and what is received later finds nothing
   * (EAGAIN), for ever, while poll(2) reports POLLHUP: it is given the end again then.
   */
  readonly endsOnce?: boolean;
  /**
   * Whether the kernel may tell the end of a connection before it gives the messages that came before it: they go
   * first then. For families with `endsOnce`.
   */
  readonly endsEarly?: boolean;
  /**
   * Whether the kernel, of SOCK_SEQPACKET, may send a part of a message and then say that there is no room (EAGAIN).
   * Sending it again would corrupt it, so that ends the connection, and is `ENOBUFS`.
   */
  readonly tearsMessages?: boolean;
  /**
   * The number that socket(2) takes for a protocol, where that is another than the one programs use,
   * such as the same one in network byte order.
   * @throws TypeError or RangeError naming `protocol`
   */
  encodeProtocol?(protocol: number): number;
  /**
   * Whether accept(2) gives sockets whose peers have no names. It is not asked for any then: Linux
   * answers that with ECONNABORTED. Such an address is an `UnknownAddress` without bytes.
   */
  readonly namelessPeers?: boolean;
  /**
   * Whether poll(2) and epoll(7) do not tell, or not dependably, when these sockets are ready. What
   * has to wait is then tried again from time to time, at least every 50 milliseconds.
   */
  readonly unpollable?: boolean;
  /**
   * Writes `input` as the family's `struct sockaddr_*`. The address family field at the start is
   * written before the call, and the rest of `into` (128 bytes) is zero.
   * @returns the number of bytes used, from the start of `into`.
   * @throws TypeError or RangeError naming the member of the address that is wrong, as
   * `invalidArgumentType` and `outOfRange` make them.
   */
  encode(input: Input, into: Uint8Array, socket: SocketInfo): number;
  /**
   * Reads a `struct sockaddr_*`. `sockaddr` has the length that the kernel gave, its family field
   * is always `domain`, or one of `addressDomains`. What cannot be decoded may throw: the core then gives an `UnknownAddress`.
   * The result may be shared by several messages, so the core freezes it.
   */
  decode(sockaddr: Uint8Array, socket: SocketInfo): Address;
  /**
   * Resolves names in `input` before `encode`. Only the promise forms call it. Gives `input` itself
   * where there is nothing to resolve.
   */
  resolve?(input: Input, socket: SocketInfo, options: { signal?: AbortSignal | undefined }): Input | Promise<Input>;
  /** As `resolve`, for the Sync forms: blocks the thread. */
  resolveSync?(input: Input, socket: SocketInfo): Input;
  /** The address as text, for people. */
  format(address: Address): string;
  /**
   * One clause to add to an error message where the family knows the remedy: a kernel module to
   * load, a capability to have. `undefined` leaves the message as it is.
   */
  explain?(failure: FailedCall): string | undefined;
}

/** An address that came from the kernel and that the socket's family could not decode. */
export class UnknownAddress {
  /** AF_* number. */
  readonly domain: number;
  /** What follows the address family field of the `struct sockaddr`. */
  readonly data: Uint8Array;

  constructor(domain: number, data: Uint8Array) {
    this.domain = domain;
    this.data = data;
  }
}

/**
 * An address in the kernel's form, made once by `socket.encodeAddress()` and accepted wherever an
 * address is, so that sending many messages to one peer encodes it once.
 */
export class EncodedAddress {
  /** The whole `struct sockaddr_*`. */
  readonly sockaddr: Uint8Array;

  constructor(sockaddr: Uint8Array) {
    this.sockaddr = sockaddr;
  }
}
