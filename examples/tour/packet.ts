import { BPF_ABS, BPF_H, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, SOCK_DGRAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import {
  ETH_HLEN,
  ETH_P_802_EX1,
  ETH_P_IP,
  formatHardwareAddress,
  PACKET_OUTGOING,
  PacketSocket,
  type PacketSocketOptions,
  PcapngWriter,
  packet,
  parseCapture,
} from '@sock/packet';
import type { Step } from './step.js';

// What is sent on lo comes back, and leaves this machine nowhere.
async function onLoopback(options: PacketSocketOptions): Promise<PacketSocket> {
  const socket = new PacketSocket(options);
  await socket.bind({ interface: 'lo' });
  return socket;
}

async function sendDatagrams(texts: readonly string[], port: number): Promise<void> {
  using sender = new Socket(inet, SOCK_DGRAM);
  for (const text of texts) await sender.sendTo(text, { host: '127.0.0.1', port });
}

const raw: Step = {
  family: 'packet raw',
  async run() {
    using socket = await onLoopback({ protocol: ETH_P_802_EX1 });
    const frame = Buffer.alloc(ETH_HLEN + 5);
    frame.set([2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa]);
    frame.writeUInt16BE(ETH_P_802_EX1, 12);
    frame.write('hello', ETH_HLEN);
    await socket.send(frame);
    const { data, address } = await socket.recvFrom(1500);
    const source = formatHardwareAddress(data.subarray(6, 12));
    return `'${data.toString('latin1', ETH_HLEN)}' in an Ethernet frame from ${source}, on ${address?.interface}`;
  },
};

const cooked: Step = {
  family: 'packet cooked',
  async run() {
    using socket = await onLoopback({ type: SOCK_DGRAM, protocol: ETH_P_802_EX1 });
    await socket.sendTo('hello', { interface: 'lo', address: '00:00:00:00:00:00' });
    const { data, address } = await socket.recvFrom(1500);
    return `'${data}' without a link-layer header, from ${address === null ? '?' : packet.format(address)}`;
  },
};

/** Whether an IPv4 packet is a UDP datagram to this port. */
const toPort = (port: number) => [
  { code: BPF_LD | BPF_H | BPF_ABS, k: ETH_HLEN + 22 },
  { code: BPF_JMP | BPF_JEQ | BPF_K, k: port, jt: 0, jf: 1 },
  { code: BPF_RET | BPF_K, k: 0xffff },
  { code: BPF_RET | BPF_K, k: 0 },
];

const filter: Step = {
  family: 'packet filter',
  async run() {
    using socket = new PacketSocket({ protocol: ETH_P_IP });
    const filter = toPort(47_112);
    socket.attachFilter(filter);
    await socket.bind({ interface: 'lo' });
    await sendDatagrams(['not this'], 47_111);
    await sendDatagrams(['this'], 47_112);
    const data = await socket.recv(1500);
    const text = data.toString('latin1', ETH_HLEN + 28);
    return `'${text}' of two UDP datagrams passed a program of ${filter.length} instructions in the kernel`;
  },
};

const ring: Step = {
  family: 'packet ring',
  async run() {
    using socket = new PacketSocket({ protocol: ETH_P_IP });
    socket.attachFilter(toPort(47_113));
    await socket.bind({ interface: 'lo' });
    // a block for every 100 ms, with room for what comes before the first is read, however slow the machine
    using ring = socket.ring({ blocks: 64, blockSize: 16_384, blockTimeout: 100 });
    const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`);
    await sendDatagrams(texts, 47_113);
    const file: Uint8Array[] = [];
    const capture = new PcapngWriter({ write: (bytes) => file.push(bytes) });
    capture.addInterface({ name: 'lo' });
    let left = texts.length;
    for await (const packet of ring) {
      // what passes lo passes it twice: sent and received
      if (packet.packetType === PACKET_OUTGOING) continue;
      capture.write(packet);
      if (--left === 0) break;
    }
    const { drops } = socket.statistics();
    const packets = [...parseCapture(Buffer.concat(file))];
    const last = packets.at(-1)?.data.toString('latin1', ETH_HLEN + 28);
    return `${packets.length} packets through memory shared with the kernel, up to '${last}', ${drops} dropped, as pcapng`;
  },
};

export const packetSteps: readonly Step[] = [raw, cooked, filter, ring];
