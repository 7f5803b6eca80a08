import { fileURLToPath } from 'node:url';
import { delay, readmeExamples } from '@sock/testkit';
import { hasBcm, hasIsotp, hasJ1939, hasRaw, ip, removeInterface } from './bus.js';

const capabilities = [...hasRaw, ...hasBcm, ...hasIsotp, ...hasJ1939];
const usable = capabilities.every((one) => one.missing() === undefined);

describe('README', () => {
  // the examples talk on it
  before(() => {
    if (!usable) return;
    ip('link', 'add', 'vcan0', 'type', 'vcan');
    ip('link', 'set', 'vcan0', 'mtu', '72', 'up');
  });
  after(async () => {
    if (!usable) return;
    // the kernel must have done with the address claims
    await delay(400);
    removeInterface('vcan0');
  });

  readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities });
});
