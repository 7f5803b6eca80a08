import { fileURLToPath } from 'node:url';
import { readmeExamples } from '@sock/testkit';
import { hasTipc } from './cluster.js';

readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities: hasTipc });
