import {
  BT_VOICE_CVSD_16BIT,
  BT_VOICE_TRANSPARENT,
  btCodec,
  btPktStatus,
  btVoice,
  scmPktStatus,
  sco,
  scoConninfo,
  scoOptions,
} from '@sock/bluetooth';
import { Socket } from '@sock/core';
import { describeIf, probe, rejection, scaled, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { hasSco, hasVhci } from './controllers.js';
import { Air, type VirtualController } from './vhci.js';

describeIf([...hasVhci, hasSco, probe('command:socat')], 'SCO between two controllers', function () {
  this.timeout(20_000);
  const air = new Air();
  let first: VirtualController;
  let second: VirtualController;

  before(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    first = await air.add();
    second = await air.add();
  });
  after(() => air.stop());

  async function pair() {
    using server = new Socket(sco);
    await server.bind({ address: second.address });
    server.listen(1);
    const client = new Socket(sco);
    await client.bind({ address: first.address });
    const accepted = server.accept({ timeout: scaled(10_000) });
    await client.connect({ address: second.address }, { timeout: scaled(10_000) });
    return [client, (await accepted).socket] as const;
  }

  it('is accepted, and voice goes to and fro', async () => {
    const [a, b] = await pair();
    expect(a.getpeername()).to.deep.equal({ address: second.address });
    expect(b.getpeername()).to.deep.equal({ address: first.address });
    expect(a.getOption(scoOptions).mtu).to.be.above(20);
    expect(a.getOption(scoConninfo).handle).to.equal(b.getOption(scoConninfo).handle);
    await a.send(Buffer.alloc(48, 7));
    expect(await within('voice', b.recv(100))).to.deep.equal(Buffer.alloc(48, 7));
    // Linux 6.1 gives accepted sockets no status
    a.setOption(btPktStatus, true);
    await b.send('back');
    const { data, ancillary } = await within('voice', a.recvMsg(100, scmPktStatus.space));
    expect(data.toString()).to.equal('back');
    expect(btPktStatus.message.find(ancillary)).to.equal(0);
    a.close();
    // the end of the other side
    expect(
      await within(
        'the end',
        b.recv(100).catch((error: Error) => error),
      ),
    ).to.satisfy((end: Buffer | Error) => end instanceof Error || end.length === 0);
    b.close();
  });

  it('nobody there', async () => {
    using client = new Socket(sco);
    await client.bind({ address: first.address });
    const error = await within('an error', rejection(client.connect({ address: '00:5C:C0:00:00:77' })), 20_000);
    expect(error).to.include({ code: 'EHOSTDOWN', syscall: 'connect' });
  });

  it('has the options of the kernel', () => {
    using socket = new Socket(sco);
    expect(socket.getOption(btVoice)).to.equal(BT_VOICE_CVSD_16BIT);
    socket.setOption(btVoice, BT_VOICE_TRANSPARENT);
    expect(socket.getOption(btVoice)).to.equal(BT_VOICE_TRANSPARENT);
    expect(socket.getOption(btPktStatus)).to.equal(false);
    socket.setOption(btPktStatus, true);
    expect(socket.getOption(btPktStatus)).to.equal(true);
    expect(thrown(() => socket.getOption(scoOptions)).code).to.equal('ENOTCONN');
    // no adapter here has codecs of its own
    expect(thrown(() => socket.getOption(btCodec)).code).to.match(/^E(OPNOTSUPP|BADFD|INVAL)$/);
  });
});
