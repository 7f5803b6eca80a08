import { fileURLToPath } from 'node:url';
import { readmeExamples } from '@sock/testkit';
import { loopback } from './loopback.js';

readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities: [loopback] });
