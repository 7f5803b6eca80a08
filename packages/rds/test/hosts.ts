import { Socket, type SocketOptions } from '@sock/core';
import { type RdsAddress, type RdsInput, rds } from '@sock/rds';
import { scaled } from '@sock/testkit';
import { expect } from 'chai';

export type RdsSocket = Socket<RdsAddress, RdsInput>;

/** A socket of one of this machine's addresses, whose operations end in time. */
export function bound(host: string, port = 0, options?: SocketOptions): RdsSocket {
  const socket = new Socket(rds, undefined, undefined, options);
  socket.bindSync({ host, port });
  socket.timeout = scaled(5000);
  return socket;
}

/**
 * What the kernel says of congested ports makes a socket that has nothing to receive readable, once: with this said, it
 * is not any more. A connection's first message says it too.
 */
export async function calm(a: RdsSocket, b: RdsSocket): Promise<void> {
  await exchange(a, b, 'there');
  await exchange(b, a, 'and back');
  for (const socket of [a, b]) socket.tryWaitReadable();
}

/** Sends a message, and expects it to arrive. */
export async function exchange(from: RdsSocket, to: RdsSocket, text: string): Promise<void> {
  await from.sendTo(text, to.getsockname());
  const { data, address } = await to.recvFrom(text.length + 1);
  expect(data.toString()).to.equal(text);
  expect(address).to.deep.equal(from.getsockname());
}
