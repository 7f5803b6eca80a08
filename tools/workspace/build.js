// npm run build: installs what is missing and builds what has changed.

import { main } from './lib/process.js';
import { setup } from './lib/setup.js';

await main(setup);
