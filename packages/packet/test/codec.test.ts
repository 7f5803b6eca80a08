import {
  AF_PACKET,
  type ReceiveOnlyMessage,
  readU16,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  UnknownAddress,
  writeU16,
} from '@sock/core';
import {
  ARPHRD_ETHER,
  CaptureError,
  cookedPacket,
  ETH_P_8021AD,
  ETH_P_8021Q,
  ETH_P_ALL,
  ETH_P_IP,
  formatHardwareAddress,
  PACKET_AUXDATA,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PACKET_TX_TIMESTAMP,
  type PacketAddress,
  type PacketInput,
  packet,
  packetAuxdata,
  packVirtioHeader,
  parseHardwareAddress,
  SOL_PACKET,
  scmPacketAuxdata,
  scmPacketTxTimestamp,
  TP_STATUS_CSUM_VALID,
  TP_STATUS_CSUMNOTREADY,
  TP_STATUS_LOSING,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
  unpackVirtioHeader,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO_TCPV4,
  type VirtioHeader,
} from '@sock/packet';
import { socketInfo, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const INTERFACES = { lo: 1, eth0: 2, v1: 70_000 };
const info = socketInfo(AF_PACKET, { type: SOCK_RAW, protocol: ETH_P_ALL, interfaces: INTERFACES });

function encode(input: PacketInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_PACKET, 0);
  return into.subarray(0, packet.encode(input, into, info));
}

const decode = (sockaddr: Uint8Array): PacketAddress => packet.decode(sockaddr, info);

const bytes = fc.uint8Array({ maxLength: 32 });

describe('packet addresses', () => {
  it('are themselves after a round trip', () => {
    const address = fc.record({
      interface: fc.constantFrom('', ...Object.keys(INTERFACES)),
      protocol: fc.nat(0xffff),
      packetType: fc.nat(0xff),
      hardwareType: fc.nat(0xffff),
      address: bytes.map((value) => Buffer.from(value)),
    });
    fc.assert(
      fc.property(address, (value) => {
        expect(decode(encode(value))).to.deep.equal(value);
      }),
    );
  });

  it('have their protocol in this machine’s order outside, in the network’s inside', () => {
    const sockaddr = encode({ interface: 'eth0', protocol: 0x88cc });
    expect([...sockaddr.subarray(2, 4)]).to.deep.equal([0x88, 0xcc]);
    expect(sockaddr).to.have.length(20);
    const number = packet.encodeProtocol?.(ETH_P_ALL) as number;
    const order = new Uint8Array(2);
    writeU16(order, number, 0);
    expect([...order]).to.deep.equal([0, 3]);
    expect(thrown(() => packet.encodeProtocol?.(0x10000))).to.include({ argument: 'protocol' });
  });

  it('have defaults: all interfaces, the protocol of the socket', () => {
    expect(decode(encode({}))).to.deep.equal({
      interface: '',
      protocol: ETH_P_ALL,
      packetType: 0,
      hardwareType: 0,
      address: Buffer.alloc(0),
    });
  });

  it('take interfaces by index, hardware addresses as text', () => {
    const address = decode(encode({ interface: 2, address: '02:0:5E:a-1'.replace('-', ':') }));
    expect(address.interface).to.equal('eth0');
    expect(address.address).to.deep.equal(Buffer.of(2, 0, 0x5e, 10, 1));
  });

  it('have room for long hardware addresses', () => {
    expect(encode({ address: new Uint8Array(20).fill(7) })).to.have.length(32);
    expect(decode(encode({ address: new Uint8Array(32).fill(7) })).address).to.have.length(32);
  });

  it('name no interface that is gone', () => {
    expect(decode(encode({ interface: 99 })).interface).to.equal('');
    const removed = encode({});
    removed.writeInt32LE(-1, 4);
    expect(decode(removed).interface).to.equal('');
  });

  it('may be shorter than the structure, and never crash', () => {
    const whole = encode({ interface: 'lo', protocol: ETH_P_IP, address: '02:00:00:00:00:01' });
    for (let length = 12; length <= whole.length; length++) {
      expect(decode(whole.subarray(0, length)).protocol).to.equal(ETH_P_IP);
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 128 }), (noise) => {
        const address = decode(noise);
        expect(packet.format(address)).to.be.a('string');
        expect(address.address.length).to.be.at.most(Math.min(noise.length - 12, 255));
      }),
    );
    for (let length = 0; length < 12; length++) {
      expect(thrown(() => decode(whole.subarray(0, length)))).to.be.instanceOf(RangeError);
    }
  });

  it('are text for people', () => {
    expect(packet.format(decode(encode({ protocol: 0 })))).to.equal('(any interface)');
    const address = encode({ interface: 'eth0', protocol: ETH_P_IP, address: '02:00:00:00:00:01' });
    expect(packet.format(decode(address))).to.equal('eth0 02:00:00:00:00:01 protocol 0x0800');
  });

  const bad: [what: string, input: unknown, argument: string, error: typeof TypeError | typeof RangeError][] = [
    ['nothing', undefined, 'address', TypeError],
    ['a string', 'eth0', 'address', TypeError],
    ['an array', [], 'address', TypeError],
    ['bytes', new Uint8Array(20), 'address', TypeError],
    ['an inet address', { host: '127.0.0.1', port: 80 }, 'address', RangeError],
    ['an interface of the wrong type', { interface: true }, 'address.interface', TypeError],
    ['a negative index', { interface: -1 }, 'address.interface', RangeError],
    ['a protocol that is too large', { protocol: 0x10000 }, 'address.protocol', RangeError],
    ['a protocol of the wrong type', { protocol: '0x800' }, 'address.protocol', TypeError],
    ['a packet type that is too large', { packetType: 256 }, 'address.packetType', RangeError],
    ['a hardware type that is no integer', { hardwareType: 1.5 }, 'address.hardwareType', RangeError],
    ['a hardware address of the wrong type', { address: 5 }, 'address.address', TypeError],
    ['a hardware address that is none', { address: '02:xx' }, 'address.address', RangeError],
    ['a hardware address that is too long', { address: new Uint8Array(33) }, 'address.address', RangeError],
    [
      'a text of a hardware address that is too long',
      { address: '0:'.repeat(32).concat('0') },
      'address.address',
      RangeError,
    ],
  ];
  for (const [what, input, argument, error] of bad) {
    it(`are not ${what}`, () => {
      const failure = thrown(() => encode(input as PacketInput));
      expect(failure).to.be.instanceOf(error).and.include({ argument });
    });
  }

  it('of interfaces that do not exist are refused by the system', () => {
    expect(thrown(() => encode({ interface: 'none' }))).to.include({ code: 'ENODEV' });
  });
});

describe('hardware addresses', () => {
  it('are bytes or text', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(parseHardwareAddress(formatHardwareAddress(value))).to.deep.equal(value);
        expect(parseHardwareAddress(value)).to.equal(value);
      }),
    );
    expect(parseHardwareAddress('02-00-5E-10-00-01')).to.deep.equal(Uint8Array.of(2, 0, 0x5e, 16, 0, 1));
    expect(formatHardwareAddress(Uint8Array.of(2, 0xab))).to.equal('02:ab');
    expect(thrown(() => parseHardwareAddress('2:'))).to.include({ argument: 'address' });
    expect(thrown(() => parseHardwareAddress('123'))).to.include({ argument: 'address' });
    expect(thrown(() => formatHardwareAddress('02:ab' as never))).to.be.instanceOf(TypeError);
  });
});

describe('messages of packet sockets', () => {
  it('say what to do', () => {
    const explain = (syscall: string, code: string, type = SOCK_RAW) =>
      packet.explain?.({ syscall, code, type, protocol: 0 });
    expect(explain('socket', 'EPERM')).to.include('CAP_NET_RAW');
    expect(explain('socket', 'EAFNOSUPPORT')).to.include('modprobe af_packet');
    expect(explain('socket', 'ESOCKTNOSUPPORT', 1)).to.include('SOCK_DGRAM');
    expect(explain('socket', 'ESOCKTNOSUPPORT', SOCK_DGRAM)).to.equal(undefined);
    expect(explain('recvfrom', 'ENETDOWN')).to.include('goes on receiving');
    expect(explain('sendmsg', 'ENETDOWN')).to.equal('the interface is down');
    expect(explain('sendto', 'ENXIO')).to.include('bind');
    expect(explain('listen', 'EOPNOTSUPP')).to.equal(undefined);
  });
});

describe('control messages of packet sockets', () => {
  const auxdata = (status: number, tci = 0, tpid = 0): Buffer => {
    const data = Buffer.alloc(20);
    data.writeUInt32LE(status, 0);
    data.writeUInt32LE(1500, 4);
    data.writeUInt32LE(96, 8);
    data.writeUInt16LE(0, 12);
    data.writeUInt16LE(14, 14);
    data.writeUInt16LE(tci, 16);
    data.writeUInt16LE(tpid, 18);
    return data;
  };

  it('tell lengths, VLAN tag and checksum', () => {
    expect(scmPacketAuxdata.decode(auxdata(0))).to.deep.equal({
      status: 0,
      length: 1500,
      snapLength: 96,
      macOffset: 0,
      networkOffset: 14,
      vlan: undefined,
      checksum: 'unknown',
      losing: false,
    });
    const tagged = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID | TP_STATUS_CSUM_VALID | TP_STATUS_LOSING;
    expect(scmPacketAuxdata.decode(auxdata(tagged, 0xb064, ETH_P_8021AD))).to.deep.include({
      vlan: { id: 100, priority: 5, dropEligible: true, protocol: ETH_P_8021AD },
      checksum: 'valid',
      losing: true,
    });
    const old = TP_STATUS_VLAN_VALID | TP_STATUS_CSUMNOTREADY;
    expect(scmPacketAuxdata.decode(auxdata(old, 1, 0))).to.deep.include({
      vlan: { id: 1, priority: 0, dropEligible: false, protocol: ETH_P_8021Q },
      checksum: 'incomplete',
    });
    const item = { level: SOL_PACKET, type: PACKET_AUXDATA, data: auxdata(0) };
    expect(packetAuxdata.message.find([item])?.length).to.equal(1500);
  });

  it('name the packet that a time of transmission is of', () => {
    const data = Buffer.alloc(16);
    data.writeUInt32LE(1, 8);
    data.writeUInt32LE(77, 12);
    const expected = { code: null, info: 1, data: 77 };
    expect(scmPacketTxTimestamp.decode(data)).to.include(expected);
    expect(scmPacketTxTimestamp.find([{ level: SOL_PACKET, type: PACKET_TX_TIMESTAMP, data }])).to.include(expected);
  });

  const messages: [ReceiveOnlyMessage<unknown>, number][] = [
    [scmPacketAuxdata, 20],
    [scmPacketTxTimestamp, 16],
  ];
  for (const [message, size] of messages) {
    it(`${message.label} that is too short is none, and cannot be sent`, () => {
      for (let length = 0; length < size; length++) expect(message.decode(new Uint8Array(length))).to.equal(undefined);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: size, maxLength: size + 8 }), (noise) => {
          expect(message.decode(noise)).to.be.an('object');
        }),
      );
      expect(thrown(() => message.create(undefined as never))).to.be.instanceOf(TypeError);
    });
  }
});

describe('virtio headers', () => {
  it('are themselves after a round trip', () => {
    const header = fc.record({
      flags: fc.nat(0xff),
      gsoType: fc.nat(0xff),
      headerLength: fc.nat(0xffff),
      gsoSize: fc.nat(0xffff),
      checksumStart: fc.nat(0xffff),
      checksumOffset: fc.nat(0xffff),
    });
    fc.assert(
      fc.property(header, fc.constantFrom(10, 12), (value: VirtioHeader, size) => {
        const encoded = packVirtioHeader(value, size);
        expect(encoded).to.have.length(size);
        expect(unpackVirtioHeader(encoded)).to.deep.equal(value);
      }),
    );
  });

  it('are in this machine’s byte order, and refuse what does not fit', () => {
    const encoded = packVirtioHeader({
      flags: VIRTIO_NET_HDR_F_NEEDS_CSUM,
      gsoType: VIRTIO_NET_HDR_GSO_TCPV4,
      headerLength: 54,
    });
    expect(encoded).to.have.length(10);
    expect([encoded[0], encoded[1], readU16(encoded, 2)]).to.deep.equal([1, 1, 54]);
    expect(thrown(() => packVirtioHeader({ gsoSize: 0x10000 }))).to.include({ argument: 'header.gsoSize' });
    expect(thrown(() => packVirtioHeader({}, 9))).to.include({ argument: 'size' });
    expect(unpackVirtioHeader(new Uint8Array(9))).to.equal(undefined);
    expect(thrown(() => unpackVirtioHeader('x' as never))).to.be.instanceOf(TypeError);
  });
});

describe('cooked packets', () => {
  it('begin with what LINKTYPE_LINUX_SLL says', () => {
    const address: PacketAddress = {
      interface: 'eth0',
      protocol: ETH_P_IP,
      packetType: PACKET_MULTICAST,
      hardwareType: ARPHRD_ETHER,
      address: Buffer.from('02005e100001', 'hex'),
    };
    const cooked = cookedPacket(address, Buffer.from('payload'));
    expect(cooked.toString('hex', 0, 16)).to.equal('00020001000602005e10000100000800');
    expect(cooked.toString('latin1', 16)).to.equal('payload');
    const long = { ...address, packetType: PACKET_OTHERHOST, address: Buffer.alloc(20, 1) };
    expect(cookedPacket(long, Buffer.alloc(0)).toString('hex')).to.equal(`000300010014${'01'.repeat(8)}0800`);
  });
});

describe('errors of capture files', () => {
  it('say where', () => {
    expect(new CaptureError('broken', 24)).to.include({
      name: 'CaptureError',
      code: 'ERR_CAPTURE_FORMAT',
      offset: 24,
      message: 'broken (at byte 24)',
    });
  });
});

describe('packet addresses of other families', () => {
  it('become an UnknownAddress, as everywhere', () => {
    expect(new UnknownAddress(AF_PACKET, new Uint8Array(2)).domain).to.equal(packet.domain);
    expect(thrown(() => new Socket(packet, SOCK_RAW, 0x10000))).to.include({ argument: 'protocol' });
  });
});
