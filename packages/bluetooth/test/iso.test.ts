import {
  btIsoQos,
  EXP_FEATURE_ISO_SOCKET,
  iso,
  MgmtSocket,
  mgmtSetAdvertising,
  mgmtSetExpFeature,
  mgmtSetLe,
} from '@sock/bluetooth';
import { Socket } from '@sock/core';
import { cleaner, describeIf, pattern, scaled, within } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, hasBtvirt } from './controllers.js';

const feature = (enable: boolean) => ({ uuid: EXP_FEATURE_ISO_SOCKET, enable });

describeIf(hasBtvirt, 'ISO between two controllers', function () {
  this.timeout(20_000);
  const air = controllers();
  const own = cleaner();

  before(async function (this: Mocha.Context) {
    this.timeout(scaled(20_000));
    using mgmt = new MgmtSocket();
    await mgmt.command(mgmtSetExpFeature, feature(true));
    for (const { device } of [air.first, air.second]) await mgmt.command(mgmtSetLe, true, { device });
    await mgmt.command(mgmtSetAdvertising, 2, { device: air.second.device });
  });
  // without it there are no sockets of ISO, as other tests expect
  after(async () => {
    using mgmt = new MgmtSocket();
    await mgmt.command(mgmtSetExpFeature, feature(false));
  });

  it('a connected stream carries messages, and its end', async () => {
    const server = own(new Socket(iso));
    const address = { address: air.second.address, addressType: 'public' } as const;
    await server.bind(address);
    server.listen(1);
    const client = own(new Socket(iso));
    const bound = { address: air.first.address, addressType: 'public' } as const;
    await client.bind(bound);
    client.setOption(btIsoQos, {
      ...client.getOption(btIsoQos),
      in: { interval: 10_000, latency: 10, sdu: 60, phy: 2, rtn: 2 },
      out: { interval: 10_000, latency: 10, sdu: 60, phy: 2, rtn: 2 },
    });
    const accepting = server.accept();
    await within('the connection', client.connect(address), 10_000);
    const accepted = await within('a connection', accepting);
    const peer = own(accepted.socket);
    expect(accepted.address).to.deep.equal(bound);
    expect(client.getpeername()).to.deep.equal(address);
    expect(client.getOption(btIsoQos).out.sdu).to.equal(60);
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      for (const size of [1, 60]) {
        await from.send(pattern(size));
        expect((await within('data', to.recv(100))).equals(pattern(size)), `${size} bytes`).to.equal(true);
      }
    }
    client.close();
    const end = await within('the end', peer.recv(100)).then(
      ({ length }) => length,
      ({ code }: { code: string }) => code,
    );
    expect(end).to.be.oneOf([0, 'ECONNRESET']);
  });
});
