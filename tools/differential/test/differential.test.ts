import { expect } from 'chai';
import { addresses } from './cases/addresses.js';
import { lifecycle } from './cases/lifecycle.js';
import { names } from './cases/names.js';
import { options } from './cases/options.js';
import { text } from './cases/text.js';
import { transfer } from './cases/transfer.js';
import { compare } from './compare.js';
import { unused } from './differences.js';

compare('text and numbers', text);
compare('names', names);
compare('addresses', addresses);
compare('options', options);
compare('sending and receiving', transfer);
compare('from opening to closing', lifecycle);

describe('the list of wanted differences', () => {
  it('names none that no case has', () => {
    expect([...unused].map(String)).to.deep.equal([]);
  });
});
