import { Socket } from '@sock/core';
import { rds, rdsInfoCounters } from '@sock/rds';
import type { Step } from './step.js';

const datagrams: Step = {
  family: 'rds',
  async run() {
    using receiver = new Socket(rds);
    await receiver.bind({ host: '127.0.0.1' });
    using sender = new Socket(rds);
    await sender.bind({ host: '127.0.0.2' });
    await sender.sendTo('reliably', receiver.getsockname());
    const { data, address } = await receiver.recvFrom(64, { timeout: 5000 });
    const counter = receiver.getOption(rdsInfoCounters).find(({ name }) => name === 'recv_delivered');
    const from = address === null ? 'nobody' : rds.format(address as { host: string; port: number });
    return `'${data}' from ${from}; messages delivered so far: ${counter?.value ?? 'unknown'}`;
  },
};

export const rdsSteps: readonly Step[] = [datagrams];
