import { AF_INET6, Socket, SocketError } from '@sock/core';
import { type AddressInfo, type IpSocket, inet, inet6 } from '@sock/inet';

function open({ family, type, protocol }: AddressInfo): IpSocket {
  return new Socket(family === AF_INET6 ? inet6 : inet, type, protocol) as IpSocket;
}

/** A socket for the first of the addresses with which an attempt succeeds. */
export async function first(
  infos: readonly AddressInfo[],
  attempt: (socket: IpSocket, info: AddressInfo) => Promise<void>,
): Promise<IpSocket> {
  let reason: unknown = new Error('there is no address');
  for (const info of infos) {
    let socket: IpSocket | undefined;
    try {
      socket = open(info);
      await attempt(socket, info);
      return socket;
    } catch (error) {
      socket?.close();
      if (!(error instanceof SocketError)) throw error;
      reason = error;
    }
  }
  throw reason;
}

/** As `first`, blocking the thread. */
export function firstSync(
  infos: readonly AddressInfo[],
  attempt: (socket: IpSocket, info: AddressInfo) => void,
): IpSocket {
  let reason: unknown = new Error('there is no address');
  for (const info of infos) {
    let socket: IpSocket | undefined;
    try {
      socket = open(info);
      attempt(socket, info);
      return socket;
    } catch (error) {
      socket?.close();
      if (!(error instanceof SocketError)) throw error;
      reason = error;
    }
  }
  throw reason;
}
