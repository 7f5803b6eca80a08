// The declarations as a strict consumer meets them, those of the libraries themselves checked too.

import { type AddressFamily, SOCK_DGRAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import { unix } from '@sock/unix';

export async function exchange(): Promise<Buffer> {
  const socket = new Socket(inet, SOCK_DGRAM);
  await socket.bind({ host: '127.0.0.1', port: 0 });
  const port: number = socket.getsockname().port;
  await socket.sendTo('x', { host: '127.0.0.1', port });
  const { data } = await socket.recvFrom(100);
  return data;
}

export const families: { readonly name: string; readonly domain: number }[] = [inet, unix];
export type Own = AddressFamily<{ readonly node: number }>;
