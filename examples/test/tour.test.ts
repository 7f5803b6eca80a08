import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scaled } from '@sock/testkit';
import { expect } from 'chai';

describe('the tour', () => {
  it('shows an exchange for every family, or says why not', async function () {
    this.timeout(scaled(60_000));
    const tour = fileURLToPath(new URL('../dist/tour/index.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [tour], { timeout: scaled(50_000) });
    const [, ...rows] = stdout.slice(0, stdout.indexOf('\n\n')).split('\n');
    expect(rows).to.have.length.above(10);
    for (const row of rows)
      expect(row, row)
        .to.match(/ {2}(\d+\.\d|-) {2}\S/)
        .and.not.include('FAILED');
    expect(stdout).to.match(new RegExp(`^\\d+ of ${rows.length} exchanges shown on this machine$`, 'm'));
  });
});
