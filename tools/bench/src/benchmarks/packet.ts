import type { Benchmark } from '../harness/types.js';
import { c, limit, linked, node, ours, peer } from './programs.js';

// What fits: what it costs to stop a process and to wake it is the harness's doing, and the less the more there is
// to receive each time.
const IN_RING = 393_216;
const IN_QUEUE = 16_384;

function where(burst: number): string {
  return (
    'In a network namespace of its own, from a C program at the other end of a pair of virtual links, which sends on ' +
    `another processor ${burst.toLocaleString('en')} while the thread that receives is stopped, and then lets it receive ` +
    'them all. ' +
    'Only the processor time of the receiver is counted, for what it received.'
  );
}

export const packetRing: Benchmark = {
  name: 'packet-ring',
  stretch: 20,
  repeat: 0.4,
  title: 'Packets of 64 bytes received through a ring (TPACKET_V3)',
  operation: 'packet',
  note: `${where(IN_RING)} Rings have 64 MiB (that of cap 512 MiB, as it takes more room for each packet).`,
  measures: ['cpu', 'wall'],
  contenders: [
    ours('for await block', linked(node('sock-packet-ring', 'blocks'))),
    ours('for await packet', linked(node('sock-packet-ring', 'packets'))),
    { ...peer('cap', linked(node('cap'))), needs: 'cap' },
    { ...peer('pcap', linked(node('pcap'))), needs: 'pcap' },
    limit('C', linked(c('packet-ring'))),
  ],
  counterpart: { order: 'second', program: c('packet-blast', `${IN_RING}`) },
  targets: [
    { work: 'packet ring, blocks', ours: 'for await block', against: 'cap', measure: 'cpu', atMost: 0.3 },
    { work: 'packet ring, blocks', ours: 'for await block', against: 'pcap', measure: 'cpu', atMost: 0.3 },
    { work: 'packet ring, blocks', ours: 'for await block', against: 'C', measure: 'cpu', atMost: 1.2 },
    { work: 'packet ring, copies', ours: 'for await packet', against: 'cap', measure: 'cpu', atMost: 0.3 },
    { work: 'packet ring, copies', ours: 'for await packet', against: 'pcap', measure: 'cpu', atMost: 0.3 },
  ],
};

export const packetReceive: Benchmark = {
  name: 'packet-receive',
  title: "Packets of 64 bytes received from the socket's queue, each with its address",
  operation: 'packet',
  note: where(IN_QUEUE),
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await recvBatch', linked(node('sock-packet-receive', 'recvBatch'))),
    ours('await recvFrom', linked(node('sock-packet-receive', 'recvFrom'))),
    limit('C, recvmmsg', linked(c('packet-receive'))),
  ],
  counterpart: { order: 'second', program: c('packet-blast', `${IN_QUEUE}`) },
  targets: [{ work: 'packets, batch', ours: 'await recvBatch', against: 'C, recvmmsg', measure: 'cpu', atMost: 1.2 }],
};
