import type { Benchmark } from '../harness/types.js';
import { c, limit, node, ours, peer } from './programs.js';

export const udpReceive: Benchmark = {
  name: 'udp-receive',
  title: 'UDP, datagrams of 64 bytes received, each with its address',
  operation: 'datagram',
  note:
    'From a C program in another process, which the receiver gives credit by the half window, so that nothing is ' +
    'lost. Only the processor time of the receiver is counted, for what it received.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('await recvBatch', node('sock-udp-receive', 'recvBatch')),
    ours('await recvFrom', node('sock-udp-receive', 'recvFrom')),
    ours('await recvFromInto', node('sock-udp-receive', 'recvFromInto')),
    peer('node:dgram', node('node-udp-receive')),
    limit('C, recvmmsg', c('udp-receive', 'recvmmsg')),
    limit('C, recvfrom', c('udp-receive', 'recvfrom')),
  ],
  counterpart: { order: 'second', program: c('udp-blast') },
  targets: [
    { work: 'UDP receive, batch', ours: 'await recvBatch', against: 'node:dgram', measure: 'cpu', atMost: 0.35 },
    { work: 'UDP receive, batch', ours: 'await recvBatch', against: 'C, recvmmsg', measure: 'cpu', atMost: 1.2 },
    { work: 'UDP receive, one', ours: 'await recvFrom', against: 'node:dgram', measure: 'cpu', atMost: 0.7 },
  ],
};

export const udpSend: Benchmark = {
  name: 'udp-send',
  title: 'UDP, datagrams of 64 bytes sent to an address',
  operation: 'datagram',
  note:
    'To a bound socket on 127.0.0.1 that nobody reads, for all the same: what is measured is the whole way of a ' +
    'datagram to the full queue of its receiver, which the sender pays for on the loopback interface. The address is ' +
    'given as an object with every call, or encoded once. The batch and UDP_SEGMENT send 64 datagrams a call.',
  measures: ['cpu', 'wall'],
  contenders: [
    ours('trySendTo', node('sock-udp-send', 'trySendTo')),
    ours('trySendTo, encoded', node('sock-udp-send', 'trySendTo-encoded')),
    ours('sendToSync', node('sock-udp-send', 'sendToSync')),
    ours('await sendTo', node('sock-udp-send', 'sendTo')),
    ours('await sendBatch', node('sock-udp-send', 'sendBatch')),
    ours('await sendBatch, filled once', node('sock-udp-send', 'sendBatch-reused')),
    ours('await sendTo, UDP_SEGMENT', node('sock-udp-send', 'segment')),
    peer('node:dgram', node('node-udp-send', 'burst')),
    peer('node:dgram, await', node('node-udp-send', 'await')),
    peer('node:dgram, connected', node('node-udp-send', 'connected')),
    limit('C, sendto', c('udp-send', 'sendto')),
    limit('C, sendmmsg', c('udp-send', 'sendmmsg')),
    limit('C, UDP_SEGMENT', c('udp-send', 'segment')),
  ],
  counterpart: { order: 'first', program: c('udp-send', 'sink') },
  targets: [
    { work: 'UDP send, per call', ours: 'trySendTo', against: 'node:dgram', measure: 'cpu', atLeast: 1.4 },
    { work: 'UDP send, per call', ours: 'trySendTo, encoded', against: 'node:dgram', measure: 'cpu', atLeast: 1.4 },
    { work: 'UDP send, per call', ours: 'await sendTo', against: 'node:dgram, await', measure: 'cpu', atLeast: 1.4 },
    {
      work: 'UDP send, UDP_SEGMENT',
      ours: 'await sendTo, UDP_SEGMENT',
      against: 'node:dgram',
      measure: 'cpu',
      atLeast: 5,
    },
    { work: 'UDP send, batch', ours: 'await sendBatch', against: 'C, sendmmsg', measure: 'cpu', atLeast: 0.85 },
    {
      work: 'UDP send, UDP_SEGMENT',
      ours: 'await sendTo, UDP_SEGMENT',
      against: 'C, UDP_SEGMENT',
      measure: 'cpu',
      atLeast: 0.85,
    },
  ],
};
