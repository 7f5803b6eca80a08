import { BT_SECURITY_LOW, btSecurity } from '@sock/bluetooth';
import { describeIf } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, hasBtvirt, l2capPair } from './controllers.js';

describeIf(hasBtvirt, 'L2CAP between two controllers', function () {
  this.timeout(20_000);
  const air = controllers();

  it('messages go to and fro', async () => {
    const [a, b] = await l2capPair(air);
    await a.send('hello');
    expect((await b.recv(100)).toString()).to.equal('hello');
    await b.send('back');
    expect((await a.recv(100)).toString()).to.equal('back');
    expect(a.getpeername()).to.include({ address: air.second.address, addressType: 'bredr' });
    expect(a.getOption(btSecurity).level).to.equal(BT_SECURITY_LOW);
    a.close();
    expect(await b.recv(100)).to.have.length(0);
    b.close();
  });
});
