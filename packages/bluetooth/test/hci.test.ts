import {
  EVT_CMD_COMPLETE,
  HCI_ACLDATA_PKT,
  HCI_EVENT_PKT,
  HCI_MON_CTRL_COMMAND,
  HCI_MON_NEW_INDEX,
  HCI_MON_USER_LOGGING,
  HCI_PAGE_TIMEOUT,
  HCI_PRIMARY,
  HCI_UNKNOWN_COMMAND,
  HCI_VIRTUAL,
  HciError,
  type HciEvent,
  HciMonitorSocket,
  HciSocket,
  hci,
  hciConnections,
  hciDataDir,
  hciDeviceDown,
  hciDeviceInfo,
  hciDeviceReset,
  hciDeviceResetStats,
  hciDevices,
  hciDeviceUp,
  hciFilter,
  hciOpcode,
  hciSetAclMtu,
  hciTimeStamp,
  packHciLog,
  scmHciDir,
  scmHciTstamp,
  str2ba,
} from '@sock/bluetooth';
import { Socket } from '@sock/core';
import { describeIf, rejection, scaled, startCommand, tempPath, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, hasBtvirt, hasHci, l2capPair, until } from './controllers.js';

const READ_VERSION = hciOpcode(4, 1);
const READ_ADDRESS = hciOpcode(4, 9);

describeIf(hasHci, 'HCI without a controller', () => {
  it('what is not there is told with the remedy', async () => {
    using socket = new HciSocket();
    expect(await rejection(socket.bind({ device: 99 }))).to.include({ code: 'ENODEV' });
    expect(await rejection(socket.sendPacket({ type: 'command', opcode: READ_VERSION }))).to.include({
      code: 'EINVAL',
    });
    expect(await rejection(socket.sendCommand(READ_VERSION))).to.include({ code: 'EBADFD' });
    expect(thrown(() => hciDeviceInfo(99))).to.include({ code: 'ENODEV' });
    expect(thrown(() => hciDeviceUp(99))).to.include({ code: 'ENODEV' });
    expect(thrown(() => hciDeviceUp(-1))).to.include({ argument: 'device' });
    expect(thrown(() => hciConnections(0xffff))).to.include({ argument: 'device' });
  });

  it('options are set and read back', () => {
    using socket = new Socket(hci);
    expect(socket.getOption(hciFilter)).to.deep.equal({ types: [], events: [], opcode: 0 });
    const filter = { types: [HCI_ACLDATA_PKT, HCI_EVENT_PKT], events: [EVT_CMD_COMPLETE, 0x3e], opcode: READ_VERSION };
    socket.setOption(hciFilter, filter);
    expect(socket.getOption(hciFilter)).to.deep.equal(filter);
    for (const option of [hciDataDir, hciTimeStamp]) {
      expect(socket.getOption(option)).to.equal(false);
      socket.setOption(option, true);
      expect(socket.getOption(option)).to.equal(true);
    }
  });

  it('arguments are checked before anything is sent', async () => {
    using socket = new HciSocket();
    const rows: [Promise<unknown>, string][] = [
      [socket.sendCommand(0x10000), 'opcode'],
      [socket.sendCommand(1, Buffer.alloc(256)), 'parameters'],
      [socket.sendCommand(1, undefined, { until: 5 as never }), 'options.until'],
      [socket.sendCommand(1, undefined, { timeout: -1 }), 'timeout'],
      [socket.recvPacket({ timeout: 'x' as never }), 'timeout'],
      [socket.recvPacket({ signal: 5 as never }), 'signal'],
      [socket.recvPacket(null as never), 'options'],
      [socket.sendPacket({ type: 'command', opcode: -1 }), 'packet.opcode'],
    ];
    for (const [call, argument] of rows) expect(await rejection(call), argument).to.include({ argument });
    expect(thrown(() => new HciSocket(5 as never))).to.include({ argument: 'options' });
    expect(thrown(() => new HciSocket({ filter: { opcode: -1 } }))).to.include({ argument: 'options.filter.opcode' });
    expect(thrown(() => new HciSocket({ timestamps: 1 as never }))).to.include({ argument: 'options.timestamps' });
  });
});

describeIf(hasBtvirt, 'HCI', function () {
  this.timeout(20_000);
  const air = controllers();

  const open = (options = {}): HciSocket => {
    const socket = new HciSocket(options);
    socket.bindSync({ device: air.first.device });
    socket.timeout = scaled(5000);
    return socket;
  };

  it('controllers are listed and described', async () => {
    const { device, address } = air.first;
    expect(hciDevices()).to.include.members([device, air.second.device]);
    const described = hciDeviceInfo(device);
    expect(described).to.include({
      device,
      name: `hci${device}`,
      address,
      up: true,
      bus: HCI_VIRTUAL,
      type: HCI_PRIMARY,
    });
    expect(described).to.include({ aclMtu: 192, scoMtu: 64, scoPackets: 8 });
    expect(described.stats.cmdTx).to.be.above(0);
    hciSetAclMtu(device, 192, 1);
    hciDeviceResetStats(device);
    expect(hciDeviceInfo(device).stats.cmdTx).to.equal(0);
    const { stdout } = await startCommand('hciconfig', [`hci${device}`]).outcome;
    expect(stdout).to.include(`BD Address: ${address}`).and.include('UP RUNNING');
  });

  it('commands are answered, in both forms, whatever the filter', async () => {
    using socket = open({ filter: { types: [] } });
    const { parameters, event } = await socket.sendCommand(READ_ADDRESS);
    expect(parameters).to.have.length(6);
    expect(event).to.equal(undefined);
    expect(socket.sendCommandSync(READ_ADDRESS).parameters.equals(parameters)).to.equal(true);
    // at the same time
    const many = await Promise.all(
      [READ_ADDRESS, READ_VERSION, READ_ADDRESS].map((opcode) => socket.sendCommand(opcode)),
    );
    expect(many.map((reply) => reply.parameters.length)).to.deep.equal([6, 8, 6]);
    expect(socket.tryRecvPacket()).to.equal(null);
  });

  it('a command that the controller does not know', async () => {
    using socket = open();
    const error = await rejection(socket.sendCommand(hciOpcode(4, 0x3ff)));
    expect(error).to.be.instanceOf(HciError);
    expect(error).to.include({ status: HCI_UNKNOWN_COMMAND, opcode: hciOpcode(4, 0x3ff) });
    expect(thrown(() => socket.sendCommandSync(hciOpcode(4, 0x3ff)))).to.be.instanceOf(HciError);
  });

  it('a command that only begins something', async () => {
    using socket = open();
    // a connection to where nobody is
    const parameters = Buffer.concat([str2ba('00:AA:01:77:77:77'), Buffer.from([0x18, 0xcc, 2, 0, 0, 0, 1])]);
    const { event } = await socket.sendCommand(hciOpcode(1, 5), parameters, {
      until: ({ details }: HciEvent) => details?.event === 'CONNECTION_COMPLETE',
      timeout: scaled(5000),
    });
    expect(event?.details).to.include({ status: HCI_PAGE_TIMEOUT, address: '00:AA:01:77:77:77' });
  });

  it('packets come with direction and time', async () => {
    using socket = open();
    socket.sendPacketSync({ type: 'command', opcode: READ_VERSION });
    const seen = await socket.recvPacket();
    const packet = seen.packet.type === 'command' ? await socket.recvPacket() : seen;
    expect(packet.packet).to.deep.nested.include({ type: 'event', 'details.opcode': READ_VERSION });
    expect(packet.incoming).to.equal(true);
    expect(Number((packet.timestamp ?? 0n) / 1_000_000n)).to.be.closeTo(Date.now(), 60_000);
    expect(socket.trySendPacket({ type: 'command', opcode: READ_VERSION })).to.equal(true);
    expect(socket.recvPacketSync().packet.type).to.match(/command|event/);
    // the same, as control messages
    using raw = new Socket(hci);
    raw.bindSync({ device: air.first.device });
    raw.setOption(hciFilter, { types: [HCI_EVENT_PKT] });
    raw.setOption(hciDataDir, true);
    raw.setOption(hciTimeStamp, true);
    await socket.sendCommand(READ_VERSION);
    const { ancillary } = await raw.recvMsg(300, scmHciDir.space + scmHciTstamp.space);
    expect(hciDataDir.message.find(ancillary)).to.equal(true);
    expect(hciTimeStamp.message.find(ancillary)).to.be.a('bigint');
  });

  it('data of links is seen in both directions', async () => {
    using socket = open({ filter: { types: [HCI_ACLDATA_PKT] } });
    const [a, b] = await l2capPair(air);
    await a.send('through the air');
    expect((await b.recv(100)).toString()).to.equal('through the air');
    await b.send('and back');
    expect((await a.recv(100)).toString()).to.equal('and back');
    let [out, back] = [false, false];
    for await (const { packet, incoming } of socket.packets()) {
      if (packet.type !== 'acl') throw new Error(packet.type);
      out ||= !incoming && packet.data.includes('through the air');
      back ||= incoming && packet.data.includes('and back');
      if (out && back) break;
    }
    a.close();
    b.close();
  });

  it('timeouts and cancellation end a wait and lose nothing', async () => {
    // what else goes on in the controller is not to be heard
    using socket = open({ filter: { types: [HCI_EVENT_PKT], events: [EVT_CMD_COMPLETE] } });
    using quiet = open({ filter: { types: [] } });
    const controller = new AbortController();
    const cancelled = rejection(socket.recvPacket({ signal: controller.signal }));
    const late = rejection(quiet.recvPacket({ timeout: 20 }));
    const first = socket.recvPacket();
    const second = socket.recvPacket();
    controller.abort(new RangeError('enough'));
    expect(await cancelled).to.be.instanceOf(RangeError);
    expect(await late).to.include({ name: 'SocketTimeoutError', code: 'ETIMEDOUT' });
    socket.sendPacketSync({ type: 'command', opcode: READ_ADDRESS });
    socket.sendPacketSync({ type: 'command', opcode: READ_VERSION });
    expect((await first).packet).to.deep.nested.include({ 'details.opcode': READ_ADDRESS });
    expect((await second).packet).to.deep.nested.include({ 'details.opcode': READ_VERSION });
    expect(await rejection(quiet.recvPacket({ timeout: 0 }))).to.include({ code: 'EAGAIN' });
    expect(thrown(() => quiet.recvPacketSync({ timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    expect(await rejection(socket.recvPacket({ signal: AbortSignal.abort(new RangeError('x')) }))).to.be.instanceOf(
      RangeError,
    );
    const closed = rejection(socket.recvPacket());
    socket.close();
    expect(await closed).to.include({ code: 'ECANCELED' });
    expect(await rejection(socket.recvPacket())).to.include({ code: 'EBADF' });
  });

  it('the channel user has the controller for itself', async () => {
    const { device } = air.second;
    using socket = new HciSocket();
    expect(await rejection(socket.bind({ device, channel: 'user' }))).to.include({ code: 'EBUSY' });
    hciDeviceDown(device);
    try {
      await socket.bind({ device, channel: 'user' });
      expect(socket.getsockname()).to.deep.equal({ device, channel: 'user' });
      const received = socket.recvPacket();
      const { parameters } = await socket.sendCommand(READ_ADDRESS);
      expect(parameters).to.have.length(6);
      // nobody's answer goes to who receives
      await socket.sendPacket({ type: 'command', opcode: READ_VERSION });
      const { packet, incoming } = await within('the event', received);
      expect(packet).to.deep.nested.include({ 'details.opcode': READ_VERSION });
      expect(incoming).to.equal(true);
      expect(socket.sendCommandSync(READ_VERSION).parameters).to.have.length(8);
      using other = new HciSocket();
      expect(await rejection(other.bind({ device, channel: 'user' }))).to.include({ code: 'EBUSY' });
    } finally {
      socket.close();
      await until('the controller', () => {
        hciDeviceUp(device);
        return hciDeviceInfo(device).up;
      });
    }
  });

  it('a controller is reset', () => {
    const { device } = air.first;
    hciDeviceReset(device);
    expect(hciDeviceInfo(device).up).to.equal(true);
  });

  it('the monitor sees what this library does, and btmon sees its log', async () => {
    using monitor = new HciMonitorSocket();
    monitor.timeout = scaled(5000);
    expect(monitor.recvRecordSync().device).to.be.within(-1, 0xfffe);
    const file = tempPath('.snoop');
    await using tool = startCommand('stdbuf', ['-oL', 'btmon', '-w', file]);
    await tool.says('Bluetooth monitor ver');
    using log = new Socket(hci);
    await log.bind({ channel: 'logging' });
    const opcodes: number[] = [];
    let logged = false;
    await log.send(packHciLog({ ident: 'sock', message: 'a line of ours', device: air.first.device, priority: 3 }));
    using socket = open();
    await socket.sendCommand(READ_ADDRESS);
    for await (const { opcode, device, data, packet, timestamp } of monitor.records()) {
      opcodes.push(opcode);
      expect(timestamp).to.be.a('bigint');
      logged ||= opcode === HCI_MON_USER_LOGGING && device === air.first.device && data.includes('a line of ours');
      if (
        packet?.type === 'event' &&
        packet.details?.event === 'COMMAND_COMPLETE' &&
        packet.details.opcode === READ_ADDRESS
      )
        break;
    }
    expect(opcodes).to.include(HCI_MON_NEW_INDEX).and.not.include(HCI_MON_CTRL_COMMAND);
    expect(logged).to.equal(true);
    await until('an empty queue', () => monitor.tryRecvRecord() === null);
    tool.kill('SIGTERM');
    await tool.outcome;
    const { stdout } = await startCommand('btmon', ['-r', file]).outcome;
    expect(stdout).to.include('sock: a line of ours').and.include('Read BD ADDR');
  });
});
