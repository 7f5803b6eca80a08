import { fileURLToPath } from 'node:url';
import { readmeExamples, scaled } from '@sock/testkit';
import { Controllers, hasBtvirt, hasRfcomm, hasSco } from './controllers.js';

const capabilities = [...hasBtvirt, hasRfcomm, hasSco];
const usable = capabilities.every((one) => one.missing() === undefined);

describe('README', () => {
  // the examples talk between them
  const air = new Controllers();
  before(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    if (usable) await air.start();
  });
  after(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    if (usable) await air.stop();
  });

  readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities });
});
