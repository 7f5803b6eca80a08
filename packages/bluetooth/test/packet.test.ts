import {
  ba2str,
  EVT_CMD_COMPLETE,
  HCI_MON_CTRL_OPEN,
  HCI_MON_EVENT_PKT,
  HCI_PAGE_TIMEOUT,
  HciError,
  type HciPacket,
  type HciPacketInput,
  hciOpcode,
  hciStatusName,
  MGMT_OP_SET_POWERED,
  MgmtError,
  mgmtCommand,
  mgmtGetConnections,
  mgmtPairDevice,
  mgmtReadCommands,
  mgmtReadExpFeatures,
  mgmtReadIndexList,
  mgmtReadInfo,
  mgmtSetDiscoverable,
  mgmtSetExpFeature,
  mgmtSetIoCapability,
  mgmtSetLinkSecurity,
  mgmtSetLocalName,
  mgmtSetPowered,
  mgmtSettingNames,
  mgmtStatusName,
  mgmtUnpairDevice,
  mgmtUserConfirmReply,
  packHciCommand,
  packHciLog,
  packHciPacket,
  packMgmtCommand,
  splitHciOpcode,
  unpackHciPacket,
  unpackHciRecord,
  unpackMgmtEvent,
} from '@sock/bluetooth';
import { inLab, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const runs = { numRuns: inLab ? 20 : 300 };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((one) => Buffer.from(one));
const handle = fc.nat(0xfff);
const two = fc.nat(3);
const packet: fc.Arbitrary<HciPacketInput & object> = fc.oneof(
  fc.record({ type: fc.constant('command' as const), opcode: fc.nat(0xffff), parameters: bytes(255) }),
  fc.record({ type: fc.constant('event' as const), code: fc.nat(255), parameters: bytes(255) }),
  fc.record({ type: fc.constant('acl' as const), handle, boundary: two, broadcast: two, data: bytes(700) }),
  fc.record({ type: fc.constant('sco' as const), handle, status: two, data: bytes(255) }),
  fc.record({ type: fc.constant('iso' as const), handle, boundary: two, timestamped: fc.boolean(), data: bytes(700) }),
  fc.record({ type: fc.constant('vendor' as const), data: bytes(99) }),
);

describe('HCI packets', () => {
  it('are themselves after a round trip, and nothing where they are cut or longer', () => {
    fc.assert(
      fc.property(packet, (one) => {
        const packed = packHciPacket(one);
        expect(unpackHciPacket(packed)).to.deep.include(one);
        if (one.type === 'vendor') return;
        for (let length = 0; length < Math.min(packed.length, 12); length++) {
          expect(unpackHciPacket(packed.subarray(0, length))).to.equal(undefined);
        }
        expect(unpackHciPacket(packed.subarray(0, -1))).to.equal(undefined);
        expect(unpackHciPacket(Buffer.concat([packed, Buffer.of(0)]))).to.equal(undefined);
      }),
      runs,
    );
  });

  it('random bytes are a packet or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (one) => {
        unpackHciPacket(one);
      }),
      runs,
    );
    // events of any code, as long as they say
    fc.assert(
      fc.property(fc.nat(255), bytes(40), (code, parameters) => {
        const event = unpackHciPacket(packHciPacket({ type: 'event', code, parameters }));
        expect(event).to.include({ type: 'event', code });
      }),
      { numRuns: runs.numRuns * 3 },
    );
  });

  it('refuse what does not fit', () => {
    const rows: [unknown, string][] = [
      [null, 'packet'],
      [{ type: 'x' }, 'packet.type'],
      [{ type: 'command', opcode: 0x10000 }, 'packet.opcode'],
      [{ type: 'command', opcode: 1, parameters: Buffer.alloc(256) }, 'packet.parameters'],
      [{ type: 'event', code: 256 }, 'packet.code'],
      [{ type: 'acl', handle: 0x1000, data: '' }, 'packet.handle'],
      [{ type: 'acl', handle: 1, boundary: 4, data: '' }, 'packet.boundary'],
      [{ type: 'sco', handle: 1, data: Buffer.alloc(256) }, 'packet.data'],
      [{ type: 'iso', handle: 1, data: 5 }, 'packet.data'],
    ];
    for (const [value, argument] of rows) {
      expect(
        thrown(() => packHciPacket(value as HciPacketInput)),
        argument,
      ).to.include({ argument });
    }
    expect(thrown(() => hciOpcode(64, 0))).to.include({ argument: 'ogf' });
    expect(thrown(() => hciOpcode(0, 1024))).to.include({ argument: 'ocf' });
    expect(hciOpcode(4, 9)).to.equal(0x1009);
    expect(splitHciOpcode(0x1009)).to.deep.equal({ ogf: 4, ocf: 9 });
    expect(packHciCommand(0x0c03).toString('hex')).to.equal('01030c00');
  });
});

describe('HCI events', () => {
  const details = (text: string) => {
    const event = unpackHciPacket(hex(text)) as HciPacket;
    if (event.type !== 'event') throw new Error(event.type);
    return event.details;
  };

  it('say what the specification says', () => {
    expect(details('04 0e 04 01 03 0c 00')).to.deep.equal({
      event: 'COMMAND_COMPLETE',
      packets: 1,
      opcode: 0x0c03,
      status: 0,
      parameters: Buffer.alloc(0),
    });
    expect(details('04 0e 03 01 00 00')).to.include({ event: 'COMMAND_COMPLETE', opcode: 0, status: null });
    expect(details('04 0f 04 0c 01 05 04')).to.deep.equal({
      event: 'COMMAND_STATUS',
      status: 12,
      packets: 1,
      opcode: 0x405,
    });
    expect(details('04 03 0b 00 2a00 010000 01aa00 01 00')).to.deep.equal({
      event: 'CONNECTION_COMPLETE',
      status: 0,
      handle: 42,
      address: '00:AA:01:00:00:01',
      linkType: 1,
    });
    expect(details('04 04 0a 010000 01aa00 0c0102 02')).to.deep.equal({
      event: 'CONNECTION_REQUEST',
      address: '00:AA:01:00:00:01',
      deviceClass: 0x02010c,
      linkType: 2,
    });
    expect(details('04 05 04 00 2a00 13')).to.deep.equal({
      event: 'DISCONNECTION_COMPLETE',
      status: 0,
      handle: 42,
      reason: 0x13,
    });
    expect(details('04 13 09 02 0100 0300 0200 0400')).to.deep.equal({
      event: 'NUMBER_OF_COMPLETED_PACKETS',
      links: [
        { handle: 1, count: 3 },
        { handle: 2, count: 4 },
      ],
    });
    expect(details('04 10 01 42')).to.deep.equal({ event: 'HARDWARE_ERROR', code: 0x42 });
    expect(details('04 2c 11 00 0101 010000 01aa00 02 0000 3c00 3c00 02')).to.include({
      event: 'SYNCHRONOUS_CONNECTION_COMPLETE',
      handle: 0x101,
      linkType: 2,
    });
    expect(details('04 3e 13 01 00 4000 01 01 010000 01aac0 1800 0000 2a00 00')).to.deep.equal({
      event: 'LE_CONNECTION_COMPLETE',
      status: 0,
      handle: 64,
      central: false,
      addressType: 'random',
      address: 'C0:AA:01:00:00:01',
      interval: 30,
      latency: 0,
      supervisionTimeout: 420,
    });
    expect(details(`04 3e 1f 0a 00 4000 00 00 010000 01aa00 ${'00'.repeat(12)} 1800 0000 2a00 00`)).to.include({
      event: 'LE_CONNECTION_COMPLETE',
      central: true,
      interval: 30,
    });
    expect(details('04 3e 0f 02 01 00 00 010000 01aa00 03 020106 c4')).to.deep.equal({
      event: 'LE_ADVERTISING_REPORT',
      reports: [{ kind: 0, address: '00:AA:01:00:00:01', addressType: 'public', data: hex('020106'), rssi: -60 }],
    });
    expect(details('04 3e 02 07 ff')).to.deep.equal({ event: 'LE_META', subevent: 7, parameters: Buffer.of(0xff) });
  });

  it('that are cut short, or not known here, say nothing', () => {
    for (const text of [
      '04 0e 02 01 03',
      '04 0f 03 00 01 05',
      '04 13 01 01',
      '04 3e 00',
      '04 3e 02 02 01',
      '04 03 01 00',
      '04 ff 01 00',
    ]) {
      expect(details(text), text).to.equal(null);
    }
  });

  it('errors name the status', () => {
    expect(hciStatusName(HCI_PAGE_TIMEOUT)).to.equal('HCI_PAGE_TIMEOUT');
    expect(hciStatusName(0xee)).to.equal('0xee');
    expect(new HciError(0x405, HCI_PAGE_TIMEOUT)).to.include({
      name: 'HciError',
      code: 'EHOSTDOWN',
      status: HCI_PAGE_TIMEOUT,
      opcode: 0x405,
      message: 'send EHOSTDOWN command 0x0405: the controller says HCI_PAGE_TIMEOUT',
    });
    // every code has a number
    for (let status = 1; status < 0x40; status++) expect(new HciError(1, status).errno).to.be.below(0);
    expect(new HciError(1, 0xee)).to.include({ code: 'EIO' });
  });
});

describe('records of the monitor', () => {
  it('have the packet in them', () => {
    const data = hex('0e 04 01 03 0c 00');
    const record = unpackHciRecord(Buffer.concat([hex('0300 0100 0600'), data]));
    expect(record).to.deep.include({ opcode: HCI_MON_EVENT_PKT, device: 1, data });
    expect(record?.packet).to.include({ type: 'event', code: EVT_CMD_COMPLETE });
    const other = unpackHciRecord(hex('0e00 ffff 0100 00'));
    expect(other).to.deep.include({ opcode: HCI_MON_CTRL_OPEN, device: -1, packet: null });
    // a packet that is none stays bytes
    expect(unpackHciRecord(hex('0300 0100 0100 0e'))).to.deep.include({ packet: null, data: hex('0e') });
  });

  it('are nothing where they are cut short, and never a crash', () => {
    for (const text of ['', '0300', '0300 0100 06', '0300 0100 0200 0e', '0300 0100 0000 0e']) {
      expect(unpackHciRecord(hex(text)), text).to.equal(undefined);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (one) => {
        unpackHciRecord(one);
      }),
      runs,
    );
  });

  it('for the log are texts that end with NUL', () => {
    expect(packHciLog({ ident: 'me', message: 'hi', priority: 3, device: 1 }).toString('hex')).to.equal(
      '000001000800' + '0303' + '6d6500' + '686900',
    );
    expect(thrown(() => packHciLog({ ident: 'a\0', message: '' }))).to.include({ argument: 'log.ident' });
    expect(thrown(() => packHciLog({ ident: 'a'.repeat(255), message: '' }))).to.include({ argument: 'log.ident' });
    expect(thrown(() => packHciLog({ ident: '', message: '', priority: 8 }))).to.include({ argument: 'log.priority' });
    expect(thrown(() => packHciLog({ ident: '', message: '', device: -2 }))).to.include({ argument: 'log.device' });
  });
});

describe('messages of the management interface', () => {
  const said = (text: string) => unpackMgmtEvent(hex(text))?.details;
  const device = '010000 01aa00 00';
  const who = { address: '00:AA:01:00:00:01', addressType: 'bredr' };

  it('commands are bytes', () => {
    expect(packMgmtCommand({ opcode: 1 }).toString('hex')).to.equal('0100ffff0000');
    expect(packMgmtCommand({ opcode: 5, device: 1, parameters: Buffer.of(1) }).toString('hex')).to.equal(
      '05000100010001',
    );
    expect(thrown(() => packMgmtCommand({ opcode: 0x10000 }))).to.include({ argument: 'command.opcode' });
    expect(thrown(() => packMgmtCommand({ opcode: 1, device: 0xffff }))).to.include({ argument: 'command.device' });
  });

  it('events say what the specification says', () => {
    expect(said('0100 ffff 0600 0100 00 01 1600')).to.deep.equal({
      event: 'CMD_COMPLETE',
      opcode: 1,
      status: 0,
      parameters: hex('01 1600'),
    });
    expect(said('0200 0000 0300 0500 0a')).to.deep.equal({ event: 'CMD_STATUS', opcode: 5, status: 10 });
    expect(said('0300 0000 0100 07')).to.deep.equal({ event: 'CONTROLLER_ERROR', code: 7 });
    expect(said('0400 0000 0000')).to.deep.equal({ event: 'INDEX_ADDED' });
    expect(said('0500 0000 0000')).to.deep.equal({ event: 'INDEX_REMOVED' });
    expect(said('0600 0000 0400 81020000')).to.deep.equal({ event: 'NEW_SETTINGS', settings: 0x281 });
    expect(said('0700 0000 0300 0c0102')).to.deep.equal({ event: 'CLASS_OF_DEV_CHANGED', deviceClass: 0x02010c });
    const name = Buffer.concat([
      hex('0800 0000 0401'),
      Buffer.from('sock'),
      Buffer.alloc(245),
      Buffer.from('s'),
      Buffer.alloc(10),
    ]);
    expect(unpackMgmtEvent(name)?.details).to.deep.equal({ event: 'LOCAL_NAME_CHANGED', name: 'sock', shortName: 's' });
    expect(said(`0b00 0000 0e00 ${device} 01000000 0100 ff`)).to.deep.equal({
      event: 'DEVICE_CONNECTED',
      ...who,
      flags: 1,
      data: Buffer.of(0xff),
    });
    expect(said(`0c00 0000 0800 ${device} 02`)).to.deep.equal({ event: 'DEVICE_DISCONNECTED', ...who, reason: 2 });
    expect(said(`0d00 0000 0800 ${device} 04`)).to.deep.equal({ event: 'CONNECT_FAILED', ...who, status: 4 });
    expect(said(`0e00 0000 0800 ${device} 01`)).to.deep.equal({ event: 'PIN_CODE_REQUEST', ...who, secure: true });
    expect(said(`0f00 0000 0c00 ${device} 01 40e20100`)).to.deep.equal({
      event: 'USER_CONFIRM_REQUEST',
      ...who,
      hint: true,
      value: 123456,
    });
    expect(said(`1100 0000 0800 ${device} 05`)).to.deep.equal({ event: 'AUTH_FAILED', ...who, status: 5 });
    expect(said(`1200 0000 0e00 ${device} c4 01000000 0000`)).to.deep.equal({
      event: 'DEVICE_FOUND',
      ...who,
      rssi: -60,
      flags: 1,
      data: Buffer.alloc(0),
    });
    expect(said('1300 0000 0200 07 01')).to.deep.equal({ event: 'DISCOVERING', addressTypes: 7, discovering: true });
    expect(said(`1600 0000 0700 ${device}`)).to.deep.equal({ event: 'DEVICE_UNPAIRED', ...who });
  });

  it('events that are cut short, or not known here, say nothing; what is no event is nothing', () => {
    for (const text of [
      '0100 ffff 0200 0100',
      '0600 0000 0300 810200',
      `0b00 0000 0d00 ${device} 01000000 0100`,
      '0b00 0000 0000',
      '9900 0000 0000',
    ]) {
      expect(said(text), text).to.equal(null);
    }
    for (const text of ['', '0100', '0100 ffff 0100', '0100 ffff 0000 00'])
      expect(said(text), text).to.equal(undefined);
    fc.assert(
      fc.property(fc.nat(0x28), bytes(300), (code, parameters) => {
        unpackMgmtEvent(packMgmtCommand({ opcode: code, parameters }));
        unpackMgmtEvent(parameters);
      }),
      runs,
    );
  });

  it('answers that are cut short are none', () => {
    fc.assert(
      fc.property(bytes(300), (one) => {
        for (const command of [
          mgmtReadCommands,
          mgmtReadInfo,
          mgmtReadIndexList,
          mgmtGetConnections,
          mgmtReadExpFeatures,
        ]) {
          command.decode(one);
        }
      }),
      runs,
    );
    expect(mgmtReadIndexList.decode(hex('0200 0000'))).to.equal(undefined);
    expect(mgmtReadIndexList.decode(hex('0200 0000 0100'))).to.deep.equal([0, 1]);
    expect(mgmtReadCommands.decode(hex('0100 0200 0300 0400 0500'))).to.deep.equal({ commands: [3], events: [4, 5] });
    expect(mgmtGetConnections.decode(hex(`0100 ${device}`))).to.deep.equal([who]);
    expect(mgmtReadInfo.decode(Buffer.alloc(279))).to.equal(undefined);
    expect(mgmtSetPowered.decode(hex('0102'))).to.equal(undefined);
    expect(mgmtSetIoCapability.decode(Buffer.alloc(0))).to.equal(null);
  });

  it('values become bytes', () => {
    const text = (value: Uint8Array) => Buffer.from(value).toString('hex');
    expect(text(mgmtSetDiscoverable.encode({ mode: 2, timeout: 1500 }))).to.equal('020200');
    expect(text(mgmtSetLinkSecurity.encode(true))).to.equal('01');
    expect(text(mgmtPairDevice.encode({ address: who.address }))).to.equal('01000001aa000003');
    expect(text(mgmtUnpairDevice.encode({ address: who.address, addressType: 'random' }))).to.equal('01000001aa000201');
    expect(text(mgmtUserConfirmReply.encode({ address: who.address }))).to.equal('01000001aa0000');
    expect(mgmtSetLocalName.encode({ name: 'sock' })).to.have.length(260);
    const uuid = '6fbaf188-05e0-496a-9885-d6ddfdb4e03e';
    const feature = mgmtSetExpFeature.encode({ uuid, enable: true });
    expect(text(feature)).to.equal('3ee0b4fdddd685986a49e00588f1ba6f01');
    expect(
      mgmtReadExpFeatures.decode(Buffer.concat([hex('0100'), feature.subarray(0, 16), hex('01000000')])),
    ).to.deep.equal([{ uuid, flags: 1 }]);
    expect(mgmtCommand(7).encode(Buffer.of(1))).to.deep.equal(Buffer.of(1));
    expect(mgmtSettingNames(0x201)).to.deep.equal(['POWERED', 'LE']);
  });

  it('refuse what they do not accept', () => {
    const rows: [() => unknown, string][] = [
      [() => mgmtSetPowered.encode(1 as unknown as boolean), 'value'],
      [() => mgmtSetDiscoverable.encode({ mode: 3 }), 'value.mode'],
      [() => mgmtSetDiscoverable.encode({ mode: 1, timeout: 0 }), 'value.timeout'],
      [() => mgmtSetLocalName.encode({ name: 'x'.repeat(249) }), 'value.name'],
      [() => mgmtSetLocalName.encode({ name: 'x', shortName: 'x'.repeat(11) }), 'value.shortName'],
      [() => mgmtPairDevice.encode({ address: 'x' }), 'value.address'],
      [() => mgmtPairDevice.encode({ address: ba2str(Buffer.alloc(6)), ioCapability: 5 }), 'value.ioCapability'],
      [() => mgmtSetExpFeature.encode({ uuid: 'x', enable: true }), 'value.uuid'],
      [() => mgmtCommand(0), 'opcode'],
      [() => mgmtCommand(1).encode('x' as unknown as Buffer), 'value'],
      [() => mgmtSettingNames(-1), 'settings'],
    ];
    for (const [call, argument] of rows) expect(thrown(call), argument).to.include({ argument });
  });

  it('errors name the status', () => {
    expect(mgmtStatusName(15)).to.equal('MGMT_STATUS_NOT_POWERED');
    expect(mgmtStatusName(99)).to.equal('0x63');
    const error = new MgmtError('MGMT_OP_SET_POWERED', MGMT_OP_SET_POWERED, 17);
    expect(error).to.include({ name: 'MgmtError', code: 'ENODEV', status: 17, opcode: MGMT_OP_SET_POWERED });
    expect(error.message).to.match(/^send ENODEV MGMT_OP_SET_POWERED: MGMT_STATUS_INVALID_INDEX; there is no such/);
    for (let status = 1; status < 25; status++) expect(new MgmtError('', 1, status).errno).to.be.below(0);
  });
});
