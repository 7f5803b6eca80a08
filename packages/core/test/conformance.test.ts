import { SOCK_DGRAM, SOCK_STREAM } from '@sock/core';
import { conformance, tempPath } from '@sock/testkit';
import { freshName, inet, LOOPBACK, pair, refusingPort, udp, unix } from './support/families.js';

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
