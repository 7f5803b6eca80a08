import { type AddressFamily, SOCK_DGRAM, Socket } from '@sock/core';
import { delay } from '@sock/testkit';
import { expect } from 'chai';
import { type HostPort, inet, LOOPBACK } from './support/families.js';

/** AF_INET whose decoded addresses name an interface, as those of AF_PACKET and AF_CAN do. */
const through: AddressFamily<HostPort & { interface: string | undefined }, HostPort> = {
  ...inet,
  decode: (bytes, socket) => ({ ...inet.decode(bytes, socket), interface: socket.interfaceName(1) }),
};

describe('addresses of consecutive datagrams from one sender', () => {
  /** The sender's address with each of two datagrams, the second sent after a pause. */
  async function two<Address extends HostPort>(family: AddressFamily<Address, HostPort>): Promise<(Address | null)[]> {
    using receiver = new Socket(family, SOCK_DGRAM);
    receiver.bindSync(LOOPBACK);
    using sender = new Socket(inet, SOCK_DGRAM);
    const addresses: (Address | null)[] = [];
    for (const pause of [0, 50]) {
      await delay(pause);
      sender.sendToSync('x', receiver.getsockname());
      addresses.push((await receiver.recvFrom(1)).address);
    }
    return addresses;
  }

  it('are decoded once', async () => {
    const [first, second] = await two(inet);
    expect(second).to.equal(first);
  });

  it('are decoded again after a while where they name an interface, which may be renamed', async () => {
    const [first, second] = await two(through);
    expect(first?.interface).to.equal('lo');
    expect(second).to.deep.equal(first);
    expect(second).to.not.equal(first);
  });
});
