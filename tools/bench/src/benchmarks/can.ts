import type { Benchmark, Lab, Program } from '../harness/types.js';
import { c, limit, node, ours, peer } from './programs.js';

const name = 'vcan0';

/** Frames under way at most. A receive buffer of the kernel's usual size holds about 270. */
const window = 1024;

/** A virtual interface in the guest. */
export const canLab: Lab = {
  group: 'can',
  setup: [
    `ip link add ${name} type vcan`,
    `ip link set ${name} mtu 72 up`,
    // room for the whole window in the receive buffer of everybody, those who cannot ask for more included
    'sysctl -qw net.core.rmem_default=8388608',
  ],
};

const on = (program: (form: string, ...more: string[]) => Program, form: string): Program =>
  program(form, name, String(window));
const sock = (form: string): Program => on((...words) => node('sock-can-receive', ...words), form);
const native = (form: string): Program => on((...words) => c('can-receive', ...words), form);
const socketcan = (form: string): Program => on((...words) => node('socketcan', ...words), form);

export const canReceive: Benchmark = {
  name: 'can-receive',
  stretch: 12,
  title: 'CAN, frames of 8 bytes received',
  operation: 'frame',
  note:
    'From a C program in another process over a virtual interface, with credit by the half window of 512 frames, so ' +
    'that nothing is lost; it goes before the receiver, which so finds them together. Of what recvBatch received the ' +
    'identifier, a byte of the data and the interface are read, as the C programs do, or every frame is unpacked; the ' +
    'other forms give objects with the time of reception and the count of lost frames too, from the same system call. ' +
    'Only the processor time of the receiver is counted.',
  measures: ['cpu', 'wall'],
  lab: canLab,
  contenders: [
    ours('await recvBatch', sock('recvBatch')),
    ours('await recvBatch, unpackFrame', sock('unpack')),
    ours('await recvFrames', sock('recvFrames')),
    ours('await recvFrame', sock('recvFrame')),
    ours('tryRecvFrame', sock('tryRecvFrame')),
    ours('for await frames()', sock('frames')),
    { ...peer('socketcan', socketcan('plain')), needs: 'socketcan' },
    { ...peer('socketcan, timestamps', socketcan('timestamps')), needs: 'socketcan' },
    limit('C, recvmmsg', native('recvmmsg')),
    limit('C, recvmmsg, times', native('recvmmsg-times')),
    limit('C, recvmsg', native('recvmsg')),
  ],
  counterpart: { order: 'second', program: c('can-blast') },
  targets: [
    { work: 'CAN receive, batch', ours: 'await recvBatch', against: 'socketcan', measure: 'cpu', atMost: 0.5 },
    {
      work: 'CAN receive, objects',
      ours: 'await recvBatch, unpackFrame',
      against: 'socketcan',
      measure: 'cpu',
      atMost: 0.5,
    },
    { work: 'CAN receive, batch', ours: 'await recvBatch', against: 'C, recvmmsg', measure: 'cpu', atMost: 1.3 },
    {
      work: 'CAN receive, with times',
      ours: 'await recvFrames',
      against: 'socketcan, timestamps',
      measure: 'cpu',
      atMost: 1,
    },
    {
      work: 'CAN receive, one',
      ours: 'await recvFrame',
      against: 'socketcan, timestamps',
      measure: 'cpu',
      atMost: 1,
    },
  ],
};
