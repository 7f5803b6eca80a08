import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { probe, readmeExamples } from '@sock/testkit';

const folder = fileURLToPath(new URL('..', import.meta.url));

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

describe('documents', () => {
  // the virtual interface that the examples of CAN name
  const usable = [probe('AF_CAN'), probe('root')].every((one) => one.missing() === undefined);
  const wanted = usable && !existsSync('/sys/class/net/vcan0');
  before(() => {
    if (!wanted) return;
    ip('link', 'add', 'vcan0', 'type', 'vcan');
    ip('link', 'set', 'vcan0', 'mtu', '72', 'up');
  });
  after(() => {
    if (wanted) ip('link', 'delete', 'vcan0');
  });

  readmeExamples(folder, { document: '../README.md' });
  readmeExamples(folder, { document: '../docs/writing-a-family.md' });
  readmeExamples(folder, { document: '../docs/coming-from-python.md' });
  readmeExamples(folder, { document: '../docs/coming-from-net.md' });
});
