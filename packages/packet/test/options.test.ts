import { SO_BUSY_POLL, SOCK_DGRAM, SOCK_RAW, Socket, type SocketOption, type WriteonlyOption } from '@sock/core';
import {
  PACKET_FANOUT_FLAG_DEFRAG,
  PACKET_FANOUT_FLAG_ROLLOVER,
  PACKET_FANOUT_LB,
  PACKET_MR_PROMISC,
  type PacketFanout,
  type PacketFanoutInput,
  type PacketMembership,
  type PacketStatistics,
  packet,
  packetAddMembership,
  packetAuxdata,
  packetCopyThresh,
  packetDropMembership,
  packetFanout,
  packetFanoutDataBpf,
  packetIgnoreOutgoing,
  packetLoss,
  packetOrigDev,
  packetQdiscBypass,
  packetReserve,
  packetRolloverStats,
  packetRxRing,
  packetStatistics,
  packetTimestamp,
  packetTxHasOff,
  packetTxRing,
  packetVersion,
  packetVnetHdr,
  packetVnetHdrSz,
  type RingRequest,
  type RolloverStatistics,
  SOL_PACKET,
  TPACKET_V1,
  TPACKET_V2,
  TPACKET_V3,
} from '@sock/packet';
import { capability, describeIf, itIf, thrown } from '@sock/testkit';
import { expect } from 'chai';

/** Sockets that are never bound receive nothing: no interface of the machine is touched. */
const open = (type: number = SOCK_RAW) => new Socket(packet, type, 0);

function has(option: SocketOption<number>, since: string) {
  return capability({
    name: option.label,
    since,
    remedy: `use Linux ${since} or newer`,
    probe() {
      using socket = open();
      socket.getOption(option);
    },
  });
}

describeIf('AF_PACKET', 'options of packet sockets', () => {
  const booleans: SocketOption<boolean>[] = [
    packetAuxdata,
    packetOrigDev,
    packetIgnoreOutgoing,
    packetQdiscBypass,
    packetVnetHdr,
    packetLoss,
    packetTxHasOff,
  ];
  for (const option of booleans) {
    it(`${option.label} is false at first, and what it was set to then`, () => {
      using socket = open();
      expect(option.level).to.equal(SOL_PACKET);
      for (const value of [false, true, false]) {
        socket.setOption(option, value);
        expect(socket.getOption(option)).to.equal(value);
      }
      expect(thrown(() => socket.setOption(option, 1 as never))).to.include({ argument: 'value' });
    });
  }

  const numbers: [option: SocketOption<number>, initial: number, values: number[], bad: number[]][] = [
    [packetVersion, TPACKET_V1, [TPACKET_V2, TPACKET_V3, TPACKET_V1], [3, -1]],
    [packetReserve, 0, [128, 0], [-1, 0x80000000]],
    [packetTimestamp, 0, [64, 0], [-1]],
  ];
  for (const [option, initial, values, bad] of numbers) {
    it(`${option.label} is ${initial} at first, and what it was set to then`, () => {
      using socket = open();
      expect(socket.getOption(option)).to.equal(initial);
      for (const value of values) {
        socket.setOption(option, value);
        expect(socket.getOption(option)).to.equal(value);
      }
      for (const value of bad) {
        expect(thrown(() => socket.setOption(option, value))).to.include({
          code: 'ERR_OUT_OF_RANGE',
          argument: 'value',
        });
      }
    });
  }

  itIf(has(packetVnetHdrSz, '6.4'), 'PACKET_VNET_HDR_SZ is the size of the header that PACKET_VNET_HDR means', () => {
    using socket = open();
    expect(socket.getOption(packetVnetHdrSz)).to.equal(0);
    socket.setOption(packetVnetHdr, true);
    expect(socket.getOption(packetVnetHdrSz)).to.equal(10);
    socket.setOption(packetVnetHdrSz, 12);
    expect(socket.getOption(packetVnetHdrSz)).to.equal(12);
    socket.setOption(packetVnetHdrSz, 0);
    expect(socket.getOption(packetVnetHdr)).to.equal(false);
    expect(thrown(() => socket.setOption(packetVnetHdrSz, 11))).to.include({ argument: 'value' });
  });

  it('PACKET_VNET_HDR is none of SOCK_DGRAM', () => {
    using socket = open(SOCK_DGRAM);
    expect(thrown(() => socket.setOption(packetVnetHdr, true))).to.include({ code: 'EINVAL' });
  });

  it('PACKET_COPY_THRESH can be set, and read where the kernel has that', () => {
    using socket = open();
    socket.setOption(packetCopyThresh, 10);
    let value: number;
    try {
      value = socket.getOption(packetCopyThresh);
    } catch (error) {
      expect(error).to.include({ code: 'ENOPROTOOPT' });
      return;
    }
    expect(value).to.equal(10);
  });

  it('PACKET_STATISTICS is 0 of a socket that receives nothing, with freezes where it has rings', () => {
    using socket = open();
    const none: PacketStatistics = { packets: 0, drops: 0, freezes: 0 };
    expect(socket.getOption(packetStatistics)).to.deep.equal(none);
    socket.setOption(packetVersion, TPACKET_V3);
    expect(socket.getOption(packetStatistics)).to.deep.equal(none);
    const raw = Buffer.alloc(12);
    raw.writeUInt32LE(7, 0);
    raw.writeUInt32LE(5, 4);
    raw.writeUInt32LE(3, 8);
    expect(packetStatistics.decode(raw, socket)).to.deep.equal({ packets: 7, drops: 5, freezes: 3 });
    expect(packetStatistics.decode(raw.subarray(0, 8), socket)).to.deep.equal({ packets: 7, drops: 5, freezes: 0 });
  });

  it('PACKET_ROLLOVER_STATS is of groups that roll over', () => {
    using socket = open();
    expect(thrown(() => socket.getOption(packetRolloverStats))).to.include({ code: 'EINVAL' });
    const raw = Buffer.alloc(24);
    [1n, 2n, 3n].forEach((value, i) => {
      raw.writeBigUInt64LE(value, i * 8);
    });
    const counts: RolloverStatistics = { all: 1n, huge: 2n, failed: 3n };
    expect(packetRolloverStats.decode(raw, socket)).to.deep.equal(counts);
  });

  it('PACKET_FANOUT is a group, or none', () => {
    using socket = open();
    expect(socket.getOption(packetFanout)).to.equal(null);
    const raw = Buffer.alloc(4);
    const flags = PACKET_FANOUT_FLAG_ROLLOVER | PACKET_FANOUT_FLAG_DEFRAG;
    raw.writeUInt32LE((((PACKET_FANOUT_LB | flags) << 16) | 4711) >>> 0, 0);
    const group: PacketFanout = { id: 4711, mode: PACKET_FANOUT_LB, flags };
    expect(packetFanout.decode?.(raw, socket)).to.deep.equal(group);
    expect(packetFanout.encode?.(group, socket)).to.deep.equal(Uint8Array.from(raw));
    const bad: [unknown, string][] = [
      [undefined, 'value'],
      [{}, 'value.mode'],
      [{ mode: 256 }, 'value.mode'],
      [{ mode: 0, id: 0x10000 }, 'value.id'],
      [{ mode: 0, flags: 1 }, 'value.flags'],
      [{ mode: 0, maxMembers: 0 }, 'value.maxMembers'],
    ];
    for (const [value, argument] of bad) {
      expect(thrown(() => socket.setOption(packetFanout, value as PacketFanoutInput))).to.include({ argument });
    }
    expect(thrown(() => socket.setOption(packetFanout, { mode: 0 }))).to.include({ code: 'EINVAL' });
    expect(thrown(() => socket.setOption(packetFanoutDataBpf, -1))).to.include({ argument: 'value' });
  });

  it('memberships name an interface, a kind and an address', () => {
    using socket = open();
    const good: PacketMembership = { interface: 'lo', type: PACKET_MR_PROMISC };
    expect(packetAddMembership.encode(good, socket)).to.have.length(16);
    expect(packetDropMembership.encode({ ...good, address: new Uint8Array(20) }, socket)).to.have.length(28);
    const bad: [unknown, string][] = [
      [undefined, 'value'],
      [{ interface: 'lo', type: 4 }, 'value.type'],
      [{ interface: 'lo', type: 'promisc' }, 'value.type'],
      [{ ...good, address: 'x' }, 'value.address'],
      [{ ...good, interface: null }, 'value.interface'],
    ];
    for (const [value, argument] of bad) {
      expect(thrown(() => socket.setOption(packetAddMembership, value as PacketMembership))).to.include({ argument });
    }
    expect(thrown(() => socket.setOption(packetAddMembership, { ...good, interface: 4711 }))).to.include({
      code: 'ENODEV',
    });
    // what is not there is dropped already
    socket.setOption(packetDropMembership, good);
  });

  const rings: WriteonlyOption<RingRequest>[] = [packetRxRing, packetTxRing];
  for (const option of rings) {
    it(`${option.label} takes sizes, and gives the kernel's errors`, () => {
      using socket = open();
      const request: RingRequest = { blockSize: 4096, blocks: 2, frameSize: 2048, frames: 4 };
      socket.setOption(option, request);
      expect(thrown(() => socket.setOption(option, request)).message).to.match(
        /^setsockopt EBUSY .*the socket has a ring/,
      );
      expect(thrown(() => socket.setOption(packetVersion, TPACKET_V2))).to.include({ code: 'EBUSY' });
      socket.setOption(option, {});
      socket.setOption(packetVersion, TPACKET_V2);
      expect(thrown(() => socket.setOption(option, { ...request, frames: 5 }))).to.include({ code: 'EINVAL' });
      expect(thrown(() => socket.setOption(option, { blockSize: -1 }))).to.include({ argument: 'value.blockSize' });
      expect(thrown(() => socket.setOption(option, 5 as never))).to.include({ argument: 'value' });
    });
  }

  it('raw options stay possible', () => {
    using socket = open();
    socket.setsockopt(SOL_PACKET, packetAuxdata.name as number, 1);
    expect(socket.getOption(packetAuxdata)).to.equal(true);
    expect(SO_BUSY_POLL).to.be.a('number');
  });
});
