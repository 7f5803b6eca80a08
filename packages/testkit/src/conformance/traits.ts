import type { AddressFamily, EncodedAddress, Socket } from '@sock/core';
import type { Capabilities } from '../probe.js';

/** How a socket carries bytes: as a stream, as messages of a connection, or as messages on their own. */
export type Kind = 'stream' | 'seqpacket' | 'datagram';

/** What one kind of socket can do. Each has a default that follows from the traits. */
export interface Supports {
  /** `shutdown(SHUT_WR)` is an end of file for the peer, which can still send. Default: not for datagrams. */
  halfClose: boolean;
  /** Closing is an end of file for the peer. Default: not for datagrams. */
  endOfFile: boolean;
  /** Closing with SO_LINGER 0 is ECONNRESET for the peer. Default: no. */
  reset: boolean;
  /** A refused datagram makes the next operation of its sender fail with ECONNREFUSED. Default: no. */
  refusedLater: boolean;
  /** A message of no bytes arrives as one. Default: for datagrams. */
  zeroLength: boolean;
  /** A receiver is told the address of the sender. Default: for datagrams that have addresses. */
  addresses: boolean;
  /** Sends wait while the receiver does not read. Default: not for datagrams. */
  flowControl: boolean;
  /** A message of any size waits until there is room for all of it. Default: yes. */
  oddSizes: boolean;
  /** A datagram socket that is connected has a peer's name, and hears its peer only. Default: for datagrams. */
  connectedPeer: boolean;
  /** A datagram socket that is connected sends without an address. Default: for datagrams. */
  connectedSend: boolean;
  /** Where MSG_TRUNC is asked for, receiving tells the real length of a message. Default: not for streams. */
  realLength: boolean;
  /** MSG_PEEK. Default: yes. */
  peek: boolean;
  /** MSG_PEEK on a stream sees more than what one send left. Default: yes. */
  peekAcross: boolean;
  /** recv of no bytes is possible. Default: yes. */
  recvNothing: boolean;
  /** MSG_TRUNC is reported for a message that was cut off. Default: not for streams. */
  truncation: boolean;
  /** What there was no room for of a message comes next, instead of being lost. Default: no. */
  remainder: boolean;
  /** write(2) sends, as send(2) does. Default: yes. */
  write: boolean;
  /** Receiving and sending fail at once on a socket that is not connected. Default: yes. */
  unconnected: boolean;
  /** A backlog of 0 is one; for SCTP it ends listening. Default: yes. */
  zeroBacklog: boolean;
  /** SO_TIMESTAMPNS gives a control message. Default: not for streams. */
  timestamps: boolean;
  /** recvmmsg(2) and sendmmsg(2) are of use: messages. Default: not for streams. */
  batch: boolean;
  /** sendfile(2) or its fallback. Default: for streams. */
  sendFile: boolean;
  /** A connection is made once the server listens, before it accepts. Default: yes. */
  backlog: boolean;
  /** SO_SNDBUF and SO_RCVBUF are kept, doubled (socket(7)). Default: yes. */
  bufferSizes: boolean;
  /** MSG_OOB sends one urgent byte. Default: no. */
  oob: boolean;
  /** ioctl(2) FIONREAD tells how many bytes there are. Default: yes. */
  ioctl: boolean;
  /** node:net can take the descriptor over. Default: no. */
  netSocket: boolean;
  /** `duplex()` and the Web streams carry everything that was written. Default: for streams. */
  streams: boolean;
}

/** A value that is no address of this family. */
export interface BadAddress {
  /** What is wrong with it, for the title. */
  what: string;
  value: unknown;
  /** Argument that the error must name, such as `address.port`. */
  argument: string;
  /** TypeError for a wrong type, RangeError for a wrong value. Absent: either. */
  error?: 'TypeError' | 'RangeError';
}

/** One kind of socket for the conformance suite. */
export interface Traits<Address, Input = Address> {
  /** For titles, such as `TCP over IPv4`. */
  name: string;
  family: AddressFamily<Address, Input>;
  type: number;
  protocol?: number;
  kind: Kind;
  /** Two sockets that are connected to each other. The suite closes them. */
  pair():
    | PromiseLike<[Socket<Address, Input>, Socket<Address, Input>]>
    | [Socket<Address, Input>, Socket<Address, Input>];
  /** An address that nothing is bound to, for a server or a receiver. Absent: such sockets have no names. */
  address?(): Input | PromiseLike<Input>;
  /** What a socket that is bound needs to receive, beside an address. Default: nothing. */
  prepare?(socket: Socket<Address, Input>): void;
  /** What a peer connects or sends to, and knows it as, from what its `getsockname` says. Default: that itself. */
  reach?(bound: Address): Input;
  /** What to do before a socket is closed, for its peer to be told the end of the connection. Default: nothing. */
  finish?(socket: Socket<Address, Input>): void;
  /** An address that refuses connections (for datagrams: where ICMP says that nobody is there). */
  refused?(): Input | PromiseLike<Input>;
  /** Error of a connection to `refused`. Default: ECONNREFUSED. */
  refusedCode?: string;
  /** Error of binding a socket to the name of another, where it is neither EADDRINUSE nor EINVAL. */
  rebindCode?: string;
  /**
   * Whether the suite runs for another kind in full: what is the same for all kinds
   * (bad arguments, processes of their own) is left out then.
   */
  brief?: boolean;
  /** Largest message in bytes that surely passes. Default: 8192. */
  largest?: number;
  /** Bytes that are a long transfer of a stream. Default: 3 million. */
  bulk?: number;
  /** SO_SNDTIMEO of a new socket in milliseconds. Default: null, none. */
  sendTimeout?: number;
  supports?: Partial<Supports>;
  requires?: Capabilities;
  /** Values that `encode` must reject, for the walk over bad arguments. */
  badAddresses?: readonly BadAddress[];
  /** An address with a name that only the promise and Sync forms resolve. */
  unresolved?: Input;
}

/** An address in any of the forms that a socket takes. */
export type AnyAddress<Input> = Input | EncodedAddress;

/** The defaults of `Supports`, and what the traits say. */
export function supportsOf<A, I>(traits: Traits<A, I>): Supports {
  const stream = traits.kind === 'stream';
  const datagram = traits.kind === 'datagram';
  return {
    halfClose: !datagram,
    endOfFile: !datagram,
    reset: false,
    refusedLater: false,
    zeroLength: datagram,
    addresses: datagram && traits.address !== undefined,
    flowControl: !datagram,
    oddSizes: true,
    connectedPeer: datagram,
    connectedSend: datagram,
    realLength: !stream,
    peek: true,
    peekAcross: true,
    recvNothing: true,
    truncation: !stream,
    remainder: false,
    write: true,
    unconnected: true,
    zeroBacklog: true,
    timestamps: !stream,
    batch: !stream,
    sendFile: stream,
    backlog: true,
    bufferSizes: true,
    oob: false,
    ioctl: true,
    netSocket: false,
    streams: stream,
    ...traits.supports,
  };
}
