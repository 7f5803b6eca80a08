import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The same for every package: after each test file the process must have the descriptors open that it had before.
const hooks = fileURLToPath(new URL('packages/testkit/dist/mocha.js', import.meta.url));

export default {
  require: existsSync(hooks) ? [hooks] : [],
  reporter: 'spec',
  timeout: 10_000,
  slow: 1000,
  forbidOnly: true,
};
