import { SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { VMADDR_CID_LOCAL, VMADDR_PORT_ANY, vsock } from '@sock/vsock';
import type { Step } from './step.js';

const exchange = (kind: string, type: number): Step => ({
  family: `vsock ${kind}`,
  async run() {
    using server = new Socket(vsock, type);
    await server.bind({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
    server.listen();
    using client = new Socket(vsock, type);
    await client.connect(server.getsockname());
    using peer = (await server.accept()).socket;
    await client.sendAll('from machine to machine');
    const data = await peer.recv(64);
    return `'${data}' over the loopback, to ${vsock.format(server.getsockname())}`;
  },
});

export const vsockSteps: readonly Step[] = [exchange('stream', SOCK_STREAM), exchange('seqpacket', SOCK_SEQPACKET)];
