import { fileURLToPath } from 'node:url';
import { delay, readmeExamples } from '@sock/testkit';
import { addVcan } from '@sock/testkit/network';
import { hasBcm, hasIsotp, hasJ1939, hasRaw, removeInterface } from './bus.js';

const capabilities = [...hasRaw, ...hasBcm, ...hasIsotp, ...hasJ1939];
const usable = capabilities.every((one) => one.missing() === undefined);

describe('README', () => {
  // the examples talk on it
  before(() => {
    if (!usable) return;
    addVcan('vcan0');
  });
  after(async () => {
    if (!usable) return;
    // the kernel must have done with the address claims
    await delay(400);
    removeInterface('vcan0');
  });

  readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities });
});
