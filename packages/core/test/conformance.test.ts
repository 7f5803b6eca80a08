import { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from '@sock/core';
import { conformance, tempPath } from '@sock/testkit';
import { freshName, inet, LOOPBACK, pair, refusingPort, tcpPair, udp, unix } from './support/families.js';

// The suite that every family runs, here with nothing but the few lines of a codec: what fails is the
// core's own fault.

conformance({
  name: 'core, unix streams',
  family: unix,
  type: SOCK_STREAM,
  kind: 'stream',
  pair: () => pair(SOCK_STREAM),
  address: freshName,
  refused: () => tempPath('.sock'),
  refusedCode: 'ENOENT',
  supports: { netSocket: true },
  badAddresses: [{ what: 'a number', value: 7, argument: 'address', error: 'TypeError' }],
});

conformance({
  name: 'core, unix seqpackets',
  family: unix,
  type: SOCK_SEQPACKET,
  kind: 'seqpacket',
  pair: () => pair(SOCK_SEQPACKET),
  address: freshName,
  refused: freshName,
});

conformance({
  name: 'core, TCP',
  family: inet,
  type: SOCK_STREAM,
  kind: 'stream',
  pair: () => tcpPair(),
  address: () => LOOPBACK,
  refused: refusingPort,
  supports: { reset: true, oob: true, netSocket: true },
  badAddresses: [
    {
      what: 'a port that is none',
      value: { host: '127.0.0.1', port: 65_536 },
      argument: 'address.port',
      error: 'RangeError',
    },
    {
      what: 'a host that is none',
      value: { host: '1.2.3.400', port: 1 },
      argument: 'address.host',
      error: 'RangeError',
    },
  ],
});

conformance({
  name: 'core, UDP',
  family: inet,
  type: SOCK_DGRAM,
  kind: 'datagram',
  pair: () => {
    const [a, b] = [udp(), udp()];
    a.connectSync(b.getsockname());
    b.connectSync(a.getsockname());
    return [a, b];
  },
  address: () => LOOPBACK,
  refused: refusingPort,
  supports: { refusedLater: true },
});
