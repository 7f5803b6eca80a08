import { fileURLToPath } from 'node:url';
import { readmeExamples } from '@sock/testkit';

readmeExamples(fileURLToPath(new URL('..', import.meta.url)), { capabilities: 'vsock-loopback' });
