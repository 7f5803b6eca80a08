import {
  EXP_FEATURE_ISO_SOCKET,
  iso,
  MGMT_OP_READ_INFO,
  MGMT_SETTING_LE,
  MGMT_SETTING_POWERED,
  MGMT_STATUS_INVALID_INDEX,
  MgmtError,
  type MgmtEvent,
  MgmtSocket,
  mgmtCommand,
  mgmtDisconnect,
  mgmtGetConnections,
  mgmtReadCommands,
  mgmtReadExpFeatures,
  mgmtReadIndexList,
  mgmtReadInfo,
  mgmtReadVersion,
  mgmtSetBondable,
  mgmtSetBredr,
  mgmtSetConnectable,
  mgmtSetDiscoverable,
  mgmtSetExpFeature,
  mgmtSetFastConnectable,
  mgmtSetIoCapability,
  mgmtSetLe,
  mgmtSetLocalName,
  mgmtSetPowered,
  mgmtSetSecureConn,
  mgmtSetSsp,
  mgmtSettingNames,
} from '@sock/bluetooth';
import { Socket } from '@sock/core';
import { describeIf, rejection, scaled, startCommand, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, hasBtvirt, l2capPair } from './controllers.js';

describeIf(hasBtvirt, 'management', function () {
  this.timeout(20_000);
  const air = controllers();
  const open = (): MgmtSocket => {
    const socket = new MgmtSocket();
    socket.timeout = scaled(5000);
    return socket;
  };

  it('tells what there is, in both forms', async () => {
    using mgmt = open();
    const version = await mgmt.command(mgmtReadVersion);
    expect(version.version).to.equal(1);
    expect(mgmt.commandSync(mgmtReadVersion)).to.deep.equal(version);
    expect(await mgmt.command(mgmtReadIndexList)).to.include.members([air.first.device, air.second.device]);
    const { commands, events } = await mgmt.command(mgmtReadCommands);
    expect(commands).to.include(MGMT_OP_READ_INFO);
    expect(events).to.have.length.above(20);
    const { device, address } = air.first;
    const info = await mgmt.command(mgmtReadInfo, undefined, { device });
    expect(info).to.include({ address, version: 9 });
    expect(mgmtSettingNames(info.currentSettings)).to.include.members(['POWERED', 'CONNECTABLE', 'BREDR']);
    expect((await mgmt.command(mgmtCommand(MGMT_OP_READ_INFO), Buffer.alloc(0), { device })).length).to.equal(280);
    // at the same time
    const both = await Promise.all(
      [air.first, air.second].map((one) => mgmt.command(mgmtReadInfo, undefined, { device: one.device })),
    );
    expect(both.map((one) => one.address)).to.deep.equal([address, air.second.address]);
  });

  it('sets what can be set, and others are told', async () => {
    using mgmt = open();
    using other = open();
    const { device } = air.first;
    const events: MgmtEvent[] = [];
    const heard = (async () => {
      for await (const event of other.events()) {
        events.push(event);
        if (event.details?.event === 'LOCAL_NAME_CHANGED') return;
      }
    })();
    expect((await mgmt.command(mgmtSetLe, true, { device })) & MGMT_SETTING_LE).to.equal(MGMT_SETTING_LE);
    for (const command of [mgmtSetBondable, mgmtSetFastConnectable, mgmtSetConnectable, mgmtSetBredr, mgmtSetSsp]) {
      expect(await mgmt.command(command, true, { device })).to.be.above(0);
    }
    await mgmt.command(mgmtSetSecureConn, 1, { device });
    await mgmt.command(mgmtSetIoCapability, 3, { device });
    await mgmt.command(mgmtSetDiscoverable, { mode: 1, timeout: 60_000 }, { device });
    await mgmt.command(mgmtSetDiscoverable, { mode: 0 }, { device });
    const names = { name: 'a controller of ours', shortName: 'ours' };
    expect(await mgmt.command(mgmtSetLocalName, names, { device })).to.deep.equal(names);
    await within('the events', heard);
    expect(events.at(-1)).to.deep.include({ device, details: { event: 'LOCAL_NAME_CHANGED', ...names } });
    const settings = events.flatMap(({ details }) => (details?.event === 'NEW_SETTINGS' ? details.settings : []));
    expect(settings.some((bits) => (bits & MGMT_SETTING_LE) !== 0)).to.equal(true);
  });

  it('btmgmt shows what was set, and what it sets is heard', async () => {
    using mgmt = open();
    const { device } = air.second;
    await mgmt.command(mgmtSetLocalName, { name: 'shown by btmgmt' }, { device });
    const btmgmt = (command: string) =>
      startCommand('script', ['-qec', `btmgmt --index ${device} ${command}`, '/dev/null'], { input: '' }).outcome;
    expect((await btmgmt('info')).stdout).to.include('name shown by btmgmt');
    const event = (async () => {
      for await (const { details } of mgmt.events()) if (details?.event === 'LOCAL_NAME_CHANGED') return details.name;
      return undefined;
    })();
    await btmgmt('name theirs');
    expect(await within('the event', event)).to.equal('theirs');
  });

  it('what is refused is an error with its status', async () => {
    using mgmt = open();
    const error = await rejection(mgmt.command(mgmtReadInfo, undefined, { device: 99 }));
    expect(error).to.be.instanceOf(MgmtError);
    expect(error).to.include({ code: 'ENODEV', status: MGMT_STATUS_INVALID_INDEX, opcode: MGMT_OP_READ_INFO });
    expect(thrown(() => mgmt.commandSync(mgmtReadInfo, undefined, { device: 99 }))).to.include({ code: 'ENODEV' });
    expect(await rejection(mgmt.command(mgmtCommand(0x7777), Buffer.alloc(0)))).to.include({ code: 'EOPNOTSUPP' });
    const { device } = air.first;
    const address = '00:11:22:33:44:55';
    expect(await rejection(mgmt.command(mgmtDisconnect, { address }, { device }))).to.include({ code: 'ENOTCONN' });
    const rows: [Promise<unknown>, string][] = [
      [mgmt.command(mgmtSetPowered, 1 as never, { device }), 'value'],
      [mgmt.command(mgmtSetPowered, true, { device: -2 }), 'options.device'],
      [mgmt.command({} as never), 'command'],
      [mgmt.command(mgmtReadVersion, undefined, { timeout: Number.NaN }), 'timeout'],
    ];
    for (const [call, argument] of rows) expect(await rejection(call), argument).to.include({ argument });
  });

  it('connections are seen, and ended', async () => {
    using mgmt = open();
    const { device } = air.first;
    const [a, b] = await l2capPair(air);
    const { address } = air.second;
    expect(await mgmt.command(mgmtGetConnections, undefined, { device })).to.deep.include({
      address,
      addressType: 'bredr',
    });
    await mgmt.command(mgmtDisconnect, { address }, { device });
    // the end of the link is the end of what is on it
    for (const socket of [a, b]) {
      const end = await within(
        'the end',
        socket.recv(1).catch((error: Error) => error),
      );
      expect(end).to.satisfy((one: Buffer | Error) => one instanceof Error || one.length === 0);
      socket.close();
    }
  });

  it('events without commands: three forms', async () => {
    using mgmt = open();
    using other = open();
    const { device } = air.first;
    expect(mgmt.tryRecvEvent()).to.equal(null);
    await other.command(mgmtSetPowered, false, { device });
    const seen: boolean[] = [];
    const powered = (event: MgmtEvent | null) => {
      if (event?.details?.event === 'NEW_SETTINGS') seen.push((event.details.settings & MGMT_SETTING_POWERED) !== 0);
    };
    while (seen.length === 0) powered(mgmt.recvEventSync());
    expect(seen).to.deep.equal([false]);
    await other.command(mgmtSetPowered, true, { device });
    while (seen.length === 1) powered(await mgmt.recvEvent());
    expect(seen[1]).to.equal(true);
    await other.command(mgmtSetConnectable, true, { device });
  });

  it('ISO sockets are opened after the experimental feature, and say so before', async () => {
    using mgmt = open();
    expect(() => new Socket(iso)).to.throw(/EPROTONOSUPPORT: this kernel has no BTPROTO_ISO; .*mgmtSetExpFeature/);
    const feature = { uuid: EXP_FEATURE_ISO_SOCKET, enable: true };
    expect(await mgmt.command(mgmtSetExpFeature, feature)).to.deep.equal({ uuid: EXP_FEATURE_ISO_SOCKET, flags: 1 });
    expect(await mgmt.command(mgmtReadExpFeatures)).to.deep.include({ uuid: EXP_FEATURE_ISO_SOCKET, flags: 1 });
    using socket = new Socket(iso);
    const address = { address: air.first.address, addressType: 'public' } as const;
    socket.bindSync(address);
    expect(socket.getsockname()).to.deep.equal(address);
  });
});
