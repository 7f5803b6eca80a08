import { inLab } from '@sock/testkit';
import { expect } from 'chai';
import { addresses } from './cases/addresses.js';
import { lifecycle } from './cases/lifecycle.js';
import { names } from './cases/names.js';
import { netlinkCases } from './cases/netlink.js';
import { options } from './cases/options.js';
import { packetCases } from './cases/packet.js';
import { text } from './cases/text.js';
import { transfer } from './cases/transfer.js';
import { compare } from './compare.js';
import { unused } from './differences.js';

// in the lab there is nothing to see of these that the machine's own kernel has not shown
if (!inLab) {
  compare('text and numbers', text);
  compare('names', names);
  compare('addresses', addresses);
  compare('options', options);
  compare('sending and receiving', transfer);
  compare('from opening to closing', lifecycle);
  compare('netlink', netlinkCases);
  compare('packet', packetCases, ['AF_PACKET', 'root']);

  describe('the list of wanted differences', () => {
    it('names none that no case has', () => {
      expect([...unused].map(String)).to.deep.equal([]);
    });
  });
}
