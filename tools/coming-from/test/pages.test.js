import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { root } from '../src/packages.js';
import { fill, pages } from '../src/pages.js';

describe('the pages', () => {
  it('are what the data say: npm run documents', async () => {
    for (const [file, text] of await pages()) {
      expect(readFileSync(path.join(root, file), 'utf8') === text, `${file} is up to date`).to.equal(true);
    }
  });

  it('have a place for each table, and no other', () => {
    expect(fill('# A\n\n<!-- table: x -->\n', { x: '| x |' })).to.match(/^<!-- .* -->\n\n# A\n\n\| x \|\n$/);
    expect(() => fill('<!-- table: y -->', { x: '' })).to.throw('there is no table y');
    expect(() => fill('', { x: '' })).to.throw('no place for the tables x');
  });
});
