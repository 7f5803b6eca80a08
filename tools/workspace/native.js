// The native half of @sock/core alone, as its package's scripts and nx want it.

import { buildNative } from './lib/native.js';
import { main } from './lib/process.js';

await main(buildNative);
