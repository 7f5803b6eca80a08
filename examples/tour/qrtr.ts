import { findServices, QrtrSocket } from '@sock/qrtr';
import type { Step } from './step.js';

const service: Step = {
  family: 'qrtr',
  async run() {
    using server = new QrtrSocket();
    await server.bind({ node: server.node, port: 0 });
    const number = 40_000 + (process.pid % 10_000);
    await server.publish({ service: number, instance: 1 });
    const [found] = await findServices({ service: number });
    if (found === undefined) return 'the name service does not know the service';
    using client = new QrtrSocket();
    await client.sendTo('hello', found.address);
    const packet = await server.recvPacket({ timeout: 5000 });
    const text = packet.kind === 'data' ? packet.data.toString() : packet.kind;
    return `service ${number} was found at port ${found.address.port} of node ${found.address.node}, and got '${text}'`;
  },
};

export const qrtrSteps: readonly Step[] = [service];
