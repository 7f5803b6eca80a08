import { Socket } from '@sock/core';
import { VMADDR_CID_LOCAL, VMADDR_PORT_ANY, type VsockAddress, type VsockInput, vsock } from '@sock/vsock';

export type VsockSocket = Socket<VsockAddress, VsockInput>;

/** A socket that listens on the loopback. */
export function listening(type: number): VsockSocket {
  const server = new Socket(vsock, type);
  server.bindSync({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
  server.listen();
  return server;
}

/** Two sockets that are connected over the loopback. */
export async function connectedPair(type: number): Promise<[VsockSocket, VsockSocket]> {
  using server = listening(type);
  const client = new Socket(vsock, type);
  await client.connect(server.getsockname());
  return [client, (await server.accept()).socket];
}
