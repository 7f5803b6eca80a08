import { SOCK_SEQPACKET } from '@sock/core';
import { TipcSocket, watchServices } from '@sock/tipc';
import type { Step } from './step.js';

const type = 20_000 + (process.pid % 10_000);

const messages: Step = {
  family: 'tipc messages',
  async run() {
    const receivers = [new TipcSocket(), new TipcSocket()] as const;
    using sender = new TipcSocket({ destDroppable: false });
    for (const receiver of receivers) await receiver.bind({ kind: 'range', type, lower: 0, upper: 9 });
    await sender.sendTo('to all of you', { kind: 'range', type, lower: 7, upper: 7 });
    const texts = await Promise.all(receivers.map(async (receiver) => (await receiver.recv(64)).toString()));
    await sender.sendTo('to one of you', { kind: 'service', type, instance: 7 });
    for (const receiver of receivers) receiver.close();
    const returned = await sender.recvDelivery({ timeout: 5000 });
    const back =
      returned.kind === 'returned' ? `'${returned.data}' came back (error ${returned.error})` : returned.kind;
    return `'${texts[0]}' to ${texts.length} sockets of service ${type}:7; ${back} as they had closed`;
  },
};

const group: Step = {
  family: 'tipc group',
  async run() {
    using one = new TipcSocket();
    one.joinGroup({ type, instance: 1, memberEvents: true });
    const two = new TipcSocket();
    two.joinGroup({ type, instance: 2 });
    const heard = [(await one.recvDelivery({ timeout: 5000 })).kind];
    await one.send('dear members');
    const text = (await two.recv(64)).toString();
    two.close();
    heard.push((await one.recvDelivery({ timeout: 5000 })).kind);
    return `member 2 ${heard.join(', got a broadcast, ')}: '${text}'`;
  },
};

const topology: Step = {
  family: 'tipc topology',
  async run() {
    using listener = new TipcSocket({ type: SOCK_SEQPACKET });
    await listener.bind({ kind: 'service', type, instance: 3 });
    listener.listen();
    for await (const { kind, lower, socket } of watchServices({ type, duration: 5000 })) {
      using client = new TipcSocket({ type: SOCK_SEQPACKET });
      await client.sendTo('hello', { kind: 'service', type, instance: lower });
      const accepted = await listener.accept();
      using server = accepted.socket;
      return `service ${type}:${lower} ${kind} by socket ${socket.ref}; '${await server.recv(64)}' came with the connection`;
    }
    return 'nothing was published';
  },
};

export const tipcSteps: readonly Step[] = [messages, group, topology];
