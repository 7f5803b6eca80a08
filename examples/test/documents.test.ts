import { fileURLToPath } from 'node:url';
import { readmeExamples } from '@sock/testkit';

const folder = fileURLToPath(new URL('..', import.meta.url));

readmeExamples(folder, { document: '../README.md' });
readmeExamples(folder, { document: '../docs/writing-a-family.md' });
readmeExamples(folder, { document: '../docs/coming-from-python.md' });
readmeExamples(folder, { document: '../docs/coming-from-net.md' });
