import { Socket } from '@sock/core';
import { type RdsAddress, type RdsInput, rds } from '@sock/rds';
import { scaled } from '@sock/testkit';
import { expect } from 'chai';

export type RdsSocket = Socket<RdsAddress, RdsInput>;

/** A socket of one of this machine's addresses, whose operations end in time. */
export function bound(host: string, port = 0): RdsSocket {
  const socket = new Socket(rds);
  socket.bindSync({ host, port });
  socket.timeout = scaled(5000);
  return socket;
}

/** Sends a message, and expects it to arrive. */
export async function exchange(from: RdsSocket, to: RdsSocket, text: string): Promise<void> {
  await from.sendTo(text, to.getsockname());
  const { data, address } = await to.recvFrom(text.length + 1);
  expect(data.toString()).to.equal(text);
  expect(address).to.deep.equal(from.getsockname());
}
