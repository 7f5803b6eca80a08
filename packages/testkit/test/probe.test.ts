import { AF_INET, SOCK_STREAM } from '@sock/core';
import { capability, hasFamily, probe } from '@sock/testkit';
import { expect } from 'chai';
import { runMocha } from './run-mocha.js';

const FILE = `import { capability, describeIf, itIf } from '@sock/testkit';
const missing = capability({ name: 'flux', remedy: 'modprobe flux', probe: () => { throw new Error('no flux'); } });
const there = capability({ name: 'air', remedy: 'breathe', probe: () => true });
describeIf(there, 'with air', () => { it('runs', () => { console.log('RAN'); }); });
describeIf([there, missing], 'with flux', () => {
  before(() => { console.log('HOOK'); });
  it('one', () => { console.log('WRONG'); });
  it('two', () => { console.log('WRONG'); });
});
describe('single', () => { itIf(missing, 'three', () => { console.log('WRONG'); }); });`;

describe('capabilities', function () {
  this.timeout(30_000);

  it('are probed by opening a socket', () => {
    expect(hasFamily(AF_INET, SOCK_STREAM)).to.equal(true);
    expect(hasFamily(44, SOCK_STREAM)).to.equal(false);
    expect(probe('AF_INET').missing()).to.equal(undefined);
    expect(probe('command:sh').missing()).to.equal(undefined);
    expect(probe('command:no-such-command').missing()).to.equal('there is no no-such-command');
    expect(() => probe('AF_NONESUCH')).to.throw(RangeError);
  });

  it('are probed once', () => {
    let count = 0;
    const counted = capability({ name: 'counted', remedy: 'none', probe: () => ++count > 1 });
    expect([counted.missing(), counted.missing(), count]).to.deep.equal(['not available', 'not available', 1]);
  });

  it('leave tests pending, with the remedy, where they are missing', async () => {
    const { code, stdout } = await runMocha([FILE]);
    expect(code, stdout).to.equal(0);
    expect(stdout).to.include('1 passing').and.to.include('3 pending');
    expect(stdout).to.include('with flux [not run: needs flux: no flux; remedy: modprobe flux]');
    expect(stdout).to.include('RAN').and.to.not.include('WRONG').and.to.not.include('HOOK');
  });

  for (const required of ['all', 'air,flux']) {
    it(`fail where SOCK_REQUIRE=${required} asks for them`, async () => {
      const { code, stdout } = await runMocha([FILE], { env: { SOCK_REQUIRE: required } });
      expect(code).to.equal(2);
      expect(stdout).to.include('1 passing').and.to.include('2 failing').and.to.not.include('pending');
      expect(stdout).to.include('remedy: modprobe flux');
    });
  }

  it('are of no concern where SOCK_REQUIRE names others', async () => {
    expect((await runMocha([FILE], { env: { SOCK_REQUIRE: 'air' } })).code).to.equal(0);
  });
});
