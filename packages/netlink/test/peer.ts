import { SOCK_RAW, Socket, writeI32 } from '@sock/core';
import {
  NETLINK_USERSOCK,
  type NetlinkMessage,
  type NetlinkMessageInput,
  NetlinkSocket,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  netlink,
  packMessage,
  unpackMessages,
} from '@sock/netlink';
import { within } from '@sock/testkit';

/**
 * A program that answers as the test says, in place of the kernel: through a real socket, also what the kernel
 * would never say.
 */
export class Peer implements Disposable {
  readonly #socket = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);

  constructor() {
    this.#socket.bindSync({});
  }

  get pid(): number {
    return this.#socket.getsockname().pid;
  }

  /** The next request, and where it came from. */
  async request(): Promise<{ message: NetlinkMessage; from: number }> {
    const { data, address } = await within('a request', this.#socket.recvFrom(65_536));
    return { message: unpackMessages(data).messages[0] as NetlinkMessage, from: address?.pid ?? 0 };
  }

  tryRequest(): NetlinkMessage | undefined {
    const data = this.#socket.tryRecv(65_536);
    return data === null ? undefined : unpackMessages(data).messages[0];
  }

  send(to: number, ...parts: readonly (NetlinkMessageInput | Uint8Array)[]): void {
    const bytes = parts.map((part) => (part instanceof Uint8Array ? part : packMessage(part)));
    if (this.#socket.trySendTo(Buffer.concat(bytes), { pid: to }) === null) throw new Error('no room');
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A socket, and a program that answers it, for each test of a suite. */
export function eachPeer(take: (socket: NetlinkSocket, peer: Peer) => void): void {
  let socket: NetlinkSocket;
  let peer: Peer;
  beforeEach(() => {
    socket = new NetlinkSocket({ protocol: NETLINK_USERSOCK });
    peer = new Peer();
    take(socket, peer);
  });
  afterEach(() => {
    socket.close();
    peer[Symbol.dispose]();
  });
}

/** An acknowledgement of a request. */
export function ack(sequence: number, errno = 0): NetlinkMessageInput {
  const payload = Buffer.alloc(20);
  writeI32(payload, errno, 0);
  return { type: NLMSG_ERROR, flags: NLM_F_CAPPED, sequence, payload };
}

export const done = (sequence: number, errno = 0): NetlinkMessageInput => {
  const payload = Buffer.alloc(4);
  writeI32(payload, errno, 0);
  return { type: NLMSG_DONE, flags: NLM_F_MULTI, sequence, payload };
};

export const data = (sequence: number, payload: string, flags = 0): NetlinkMessageInput => ({
  type: 100,
  flags,
  sequence,
  payload,
});
