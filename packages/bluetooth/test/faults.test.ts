import {
  BT_SECURITY_HIGH,
  BT_SECURITY_MEDIUM,
  btSecurity,
  HCI_EVENT_PKT,
  HciError,
  HciSocket,
  hciDeviceDown,
  hciOpcode,
  l2cap,
  MgmtError,
  MgmtSocket,
  mgmtReadInfo,
  mgmtSetPowered,
  mgmtStartDiscovery,
  mgmtStopDiscovery,
  packHciPacket,
  rfcomm,
  sco,
} from '@sock/bluetooth';
import { Socket, soSndBuf } from '@sock/core';
import { delay, describeIf, probe, rejection, scaled, startNode, within } from '@sock/testkit';
import { expect } from 'chai';
import { Controllers, freshPsm, hasBtvirt, hasRfcomm, hasVhci, l2capPair, until } from './controllers.js';
import { Air, type VirtualController } from './vhci.js';

const READ_ADDRESS = hciOpcode(4, 9);
const READ_VERSION = hciOpcode(4, 1);
const socat = probe('command:socat');

/** How something that waited ended: an error's code, or the end of data. */
const ending = (wait: Promise<Buffer>): Promise<string> =>
  wait.then(
    (data) => (data.length === 0 ? 'end' : 'data'),
    (error: Error & { code: string }) => error.code,
  );

/** Codes of a connection that ended under way. */
const GONE = /^(end|ENOTCONN|ECONNRESET|ECONNABORTED|EHOSTDOWN|EPIPE|ENETDOWN|EIO|ETIMEDOUT|ENODEV)$/;

describeIf([...hasBtvirt, hasRfcomm], 'faults between two controllers', function () {
  this.timeout(30_000);
  const air = new Controllers();
  beforeEach(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    await air.start();
  });
  afterEach(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    await air.stop();
  });

  it('controllers that are removed end everything that waits', async () => {
    const [a, b] = await l2capPair(air);
    using server = new Socket(rfcomm);
    await server.bind({ address: air.second.address, channel: 3 });
    server.listen(1);
    using client = new Socket(rfcomm);
    await client.bind({ address: air.first.address });
    await client.connect({ address: air.second.address, channel: 3 });
    const { socket: peer } = await server.accept();
    using raw = new HciSocket({ filter: { types: [HCI_EVENT_PKT], events: [0x7] } });
    await raw.bind({ device: air.first.device });
    using mgmt = new MgmtSocket();
    const removed = (async () => {
      for await (const { details, device } of mgmt.events()) {
        if (details?.event === 'INDEX_REMOVED' && device === air.first.device) return;
      }
    })();
    const waits = [a.recv(1), b.recv(1), client.recv(1), peer.recv(1)].map(ending);
    const received = rejection(raw.recvPacket());
    const { device } = air.first;
    await air.stop();
    for (const end of await within('the ends', Promise.all(waits), 10_000)) expect(end).to.match(GONE);
    expect(await within('the end of the controller', received, 10_000)).to.include({ code: 'EPIPE' });
    expect((await rejection(raw.sendCommand(READ_ADDRESS))).code).to.match(/^(EPIPE|EBADFD|ENXIO|ENODEV)$/);
    await within('the event', removed, 10_000);
    expect(await rejection(mgmt.command(mgmtReadInfo, undefined, { device }))).to.include({ code: 'ENODEV' });
    expect((await rejection(a.send('x'))).code).to.match(GONE);
    for (const socket of [a, b, peer]) socket.close();
    await air.start();
  });

  it('a controller that is taken down ends its connections', async () => {
    const [a, b] = await l2capPair(air);
    const end = ending(a.recv(1));
    hciDeviceDown(air.first.device);
    // the emulator does not tell the other side
    expect(await within('the end', end)).to.match(GONE);
    using late = new Socket(l2cap);
    await late.bind({ address: air.first.address });
    const error = await rejection(late.connect({ address: air.second.address, psm: 0x1001 }));
    expect(error.code).to.match(/^(EHOSTUNREACH|ENETDOWN)$/);
    a.close();
    b.close();
  });

  it('a peer that dies is the end of the connection', async () => {
    using server = new Socket(l2cap);
    const address = { address: air.second.address, psm: freshPsm() };
    await server.bind(address);
    server.listen(1);
    await using child = startNode(`
      import { Socket } from '@sock/core';
      import { l2cap } from '@sock/bluetooth';
      const socket = new Socket(l2cap);
      await socket.connect(${JSON.stringify(address)});
      await socket.send('alive');
      console.log('sent');
      await socket.recv(1);
    `);
    const { socket } = await within('a connection', server.accept(), 15_000);
    expect((await socket.recv(100)).toString()).to.equal('alive');
    await child.line();
    const end = ending(socket.recv(100));
    child.kill();
    expect(await within('the end', end)).to.match(GONE);
    socket.close();
  });

  it('a receiver that is slower than the sender loses nothing of RFCOMM', async () => {
    using server = new Socket(rfcomm);
    await server.bind({ address: air.second.address, channel: 4 });
    server.listen(1);
    using client = new Socket(rfcomm);
    client.setOption(soSndBuf, 4096);
    await client.bind({ address: air.first.address });
    await client.connect({ address: air.second.address, channel: 4 });
    const { socket } = await server.accept();
    using peer = socket;
    const block = Buffer.alloc(500, 0x5a);
    let sent = 0;
    let idle = 0;
    // until there is no room for a while
    while (idle < 5 && sent < 1_000_000) {
      const count = client.trySend(block);
      sent += count ?? 0;
      idle = count === null ? idle + 1 : 0;
      if (count === null) await delay(50);
    }
    expect(sent).to.be.below(1_000_000);
    let got = 0;
    while (got < sent) got += (await within('data', peer.recv(65_536))).length;
    expect(got).to.equal(sent);
  });
});

describeIf([...hasVhci, socat], 'faults of a controller', function () {
  this.timeout(30_000);
  let air: Air;
  let controller: VirtualController;
  beforeEach(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    air = new Air();
    controller = await air.add();
  });
  afterEach(() => air.stop());

  const open = async (): Promise<HciSocket> => {
    const socket = new HciSocket({ filter: { types: [HCI_EVENT_PKT] } });
    await socket.bind({ device: controller.device });
    return socket;
  };

  it('a controller that does not answer is a timeout', async () => {
    using socket = await open();
    controller.mute = true;
    const error = await rejection(socket.sendCommand(READ_ADDRESS, undefined, { timeout: 200 }));
    expect(error).to.include({ name: 'SocketTimeoutError', code: 'ETIMEDOUT' });
    const aborted = rejection(socket.sendCommand(READ_ADDRESS, undefined, { signal: AbortSignal.timeout(50) }));
    expect(await aborted).to.include({ name: 'TimeoutError' });
  });

  it('answers that are malformed are told', async () => {
    using socket = await open();
    // an answer without an opcode
    controller.answers.set(READ_VERSION, packHciPacket({ type: 'event', code: 0x0e, parameters: Buffer.of(1) }));
    const error = await rejection(socket.sendCommand(READ_VERSION, undefined, { timeout: scaled(2000) }));
    // the kernel does not pass on what is no event
    expect(error.code).to.match(/^(EBADMSG|ETIMEDOUT)$/);
    controller.answers.set(
      READ_ADDRESS,
      packHciPacket({ type: 'event', code: 0x0f, parameters: Buffer.from([0x0c, 1, 9, 0x10]) }),
    );
    expect(await rejection(socket.sendCommand(READ_ADDRESS, undefined, { timeout: scaled(5000) }))).to.be.instanceOf(
      HciError,
    );
  });

  it('events that are malformed are told, and those behind them come', async () => {
    using socket = await open();
    // longer and shorter than it says, and an event whose data is too short
    controller.inject(Buffer.from([HCI_EVENT_PKT, 0xff, 5, 1, 2]));
    controller.inject(Buffer.from([HCI_EVENT_PKT, 0xff, 1, 1, 2, 3]));
    controller.inject(packHciPacket({ type: 'event', code: 0x05, parameters: Buffer.of(0) }));
    controller.inject(packHciPacket({ type: 'event', code: 0xff, parameters: Buffer.of(7) }));
    const seen: unknown[] = [];
    while (!seen.includes(7)) {
      const one = await within(
        'an event',
        socket.recvPacket().catch((error: Error & { code: string }) => error.code),
      );
      if (typeof one === 'string') seen.push(one);
      else if (one.packet.type === 'event')
        seen.push(one.packet.code === 0xff ? one.packet.parameters[0] : one.packet.details);
    }
    expect(seen).to.include(7);
    for (const one of seen)
      expect(one).to.satisfy((what: unknown) => what === 7 || what === null || what === 'EBADMSG');
    // the controller goes on
    expect((await socket.sendCommand(READ_VERSION)).parameters).to.have.length(8);
  });

  it('a plug that is pulled ends commands that wait', async () => {
    using socket = await open();
    using mgmt = new MgmtSocket();
    controller.mute = true;
    const command = rejection(socket.sendCommand(READ_ADDRESS, undefined, { timeout: null }));
    const down = mgmt.command(mgmtSetPowered, false, { device: controller.device }).catch((error: Error) => error);
    await until('the command', () => controller.commands.includes(READ_ADDRESS));
    await controller.remove();
    expect((await within('the end', command, 15_000)).code).to.match(/^(EPIPE|EBADFD)$/);
    await within('the end', down, 15_000);
    air.controllers.splice(0);
  });

  it('a security level that is not reached refuses the connection', async () => {
    const other = await air.add();
    using server = new Socket(l2cap);
    const address = { address: other.address, psm: freshPsm() };
    await server.bind(address);
    server.setOption(btSecurity, { level: BT_SECURITY_HIGH });
    server.listen(1);
    using client = new Socket(l2cap);
    await client.bind({ address: controller.address });
    client.setOption(btSecurity, { level: BT_SECURITY_MEDIUM });
    const error = await within('refusal', rejection(client.connect(address)), 15_000);
    expect(error).to.include({ code: 'EBADE', syscall: 'connect' });
    expect(error.message).to.match(/not paired/);
    expect(server.tryAccept()).to.equal(null);
  });

  it('devices are found', async () => {
    const other = await air.add();
    const { device } = controller;
    using mgmt = new MgmtSocket();
    const found = (async () => {
      for await (const { details, device: index } of mgmt.events()) {
        if (index === device && details?.event === 'DEVICE_FOUND' && details.address === other.address) return details;
      }
      return undefined;
    })();
    expect(await mgmt.command(mgmtStartDiscovery, 1, { device })).to.equal(1);
    expect(await within('a device', found, 15_000)).to.include({ addressType: 'bredr' });
    // it may have ended by itself
    await mgmt
      .command(mgmtStopDiscovery, 1, { device })
      .catch((error: unknown) => expect(error).to.be.instanceOf(MgmtError));
  });

  it('voice ends with the plug', async () => {
    const other = await air.add();
    using server = new Socket(sco);
    await server.bind({ address: other.address });
    server.listen(1);
    using client = new Socket(sco);
    await client.bind({ address: controller.address });
    const [{ socket }] = await within(
      'voice',
      Promise.all([server.accept(), client.connect({ address: other.address })]),
      10_000,
    );
    const ends = [client, socket].map((one) => ending(one.recv(100)));
    await air.stop();
    for (const end of await within('the ends', Promise.all(ends), 15_000)) expect(end).to.match(GONE);
    socket.close();
  });
});
