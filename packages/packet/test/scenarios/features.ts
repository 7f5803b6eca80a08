import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  BPF_A,
  BPF_ABS,
  BPF_B,
  BPF_H,
  BPF_JEQ,
  BPF_JMP,
  BPF_K,
  BPF_LD,
  BPF_RET,
  type FilterInstruction,
  SKF_AD_OFF,
  SKF_AD_PROTOCOL,
  soError,
  soRcvBuf,
} from '@sock/core';
import {
  ETH_HLEN,
  ETH_P_8021Q,
  ETH_P_ALL,
  ETH_P_IP,
  PACKET_FANOUT_CBPF,
  PACKET_FANOUT_CPU,
  PACKET_FANOUT_EBPF,
  PACKET_FANOUT_FLAG_DEFRAG,
  PACKET_FANOUT_FLAG_IGNORE_OUTGOING,
  PACKET_FANOUT_FLAG_ROLLOVER,
  PACKET_FANOUT_FLAG_UNIQUEID,
  PACKET_FANOUT_HASH,
  PACKET_FANOUT_LB,
  PACKET_FANOUT_QM,
  PACKET_FANOUT_RND,
  PACKET_FANOUT_ROLLOVER,
  PACKET_MR_ALLMULTI,
  PACKET_MR_MULTICAST,
  PACKET_MR_PROMISC,
  PACKET_MR_UNICAST,
  type PacketFanoutInput,
  PacketSocket,
  packetAddMembership,
  packetAuxdata,
  packetDropMembership,
  packetFanout,
  packetFanoutData,
  packetFanoutDataBpf,
  packetRolloverStats,
  packetVnetHdr,
  packetVnetHdrSz,
  packVirtioHeader,
  unpackVirtioHeader,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO_NONE,
} from '@sock/packet';
import { Child, capability, olderThan, PYTHON, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { checksum, frame, ip, numbered, numberOf, TEST_PROTOCOL, udp, udpFrame } from '../support/frames.js';
import { PAIR, type Scenario } from '../support/namespace.js';
import { opened } from '../support/sockets.js';

/** What the socket has received by now. */
function drain(socket: PacketSocket): Buffer[] {
  const list: Buffer[] = [];
  for (;;) {
    const data = socket.tryRecv(10_000);
    if (data === null) return list;
    list.push(data);
  }
}

/** Sockets of one group, on `vb`. */
async function group(count: number, input: PacketFanoutInput): Promise<PacketSocket[]> {
  const sockets: PacketSocket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await opened('vb', ETH_P_IP);
    socket.setOption(packetFanout, input);
    sockets.push(socket);
  }
  return sockets;
}

const flow = (number: number, payload = 'x'): Buffer => udpFrame(payload, { sourcePort: 1000 + number });

const closeAll = (sockets: readonly PacketSocket[]): void => {
  for (const socket of sockets) socket.close();
};

const vnetHdrSz = capability({
  name: packetVnetHdrSz.label,
  since: '6.4',
  remedy: 'use Linux 6.4 or newer',
  probe() {
    using socket = new PacketSocket();
    socket.getOption(packetVnetHdrSz);
  },
});

const ignoreOutgoing = capability({
  name: 'PACKET_FANOUT_FLAG_IGNORE_OUTGOING',
  since: '6.2',
  remedy: 'use Linux 6.2 or newer',
  // older kernels take the flag, as all that they do not know, and do nothing
  probe: () => !olderThan('6.2'),
});

// a program that chooses the second socket: r0 = 1; exit. Source: bpf(2), BPF_PROG_LOAD
const LOAD_EBPF = `
import ctypes, os, struct
code = ctypes.create_string_buffer(bytes.fromhex('b7000000010000009500000000000000'))
licence = ctypes.create_string_buffer(b'MIT')
request = struct.pack('=IIQQIIQII', 1, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0)
number = {'x86_64': 321, 'aarch64': 280}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(number, 5, request, len(request))
if fd < 0: raise OSError(ctypes.get_errno(), 'BPF_PROG_LOAD')
`;

const ebpf = capability({
  name: 'BPF_PROG_LOAD',
  remedy: 'run as root, on a kernel with CONFIG_BPF_SYSCALL',
  probe: () => execFileSync('python3', ['-c', LOAD_EBPF], { stdio: 'ignore' }),
});

/** A datagram in pieces of so many bytes, a multiple of 8. */
function fragments(datagram: Buffer, size: number): Buffer[] {
  const payload = datagram.subarray(20);
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < payload.length; offset += size) {
    const data = payload.subarray(offset, offset + size);
    const header = Buffer.from(datagram.subarray(0, 20));
    header.writeUInt16BE(20 + data.length, 2);
    header.writeUInt16BE(4711, 4);
    header.writeUInt16BE((offset + size < payload.length ? 0x2000 : 0) | (offset / 8), 6);
    header.writeUInt16BE(0, 10);
    header.writeUInt16BE(checksum(header), 10);
    pieces.push(Buffer.concat([header, data]));
  }
  return pieces;
}

/** Whether UDP datagrams to this port; the bytes that are left of them. */
const toPort = (port: number, left = 0xffff): FilterInstruction[] => [
  { code: BPF_LD | BPF_H | BPF_ABS, k: ETH_HLEN + 22 },
  { code: BPF_JMP | BPF_JEQ | BPF_K, k: port, jt: 0, jf: 1 },
  { code: BPF_RET | BPF_K, k: left },
  { code: BPF_RET | BPF_K, k: 0 },
];

export const scenarios: readonly Scenario[] = [
  {
    title: 'memberships change what the interface lets through, until they are dropped',
    setup: PAIR,
    run() {
      const link = () => JSON.parse(ip('-d', '-j', 'link', 'show', 'dev', 'vb'))[0];
      const listed = (address: string): boolean =>
        execFileSync('bridge', ['fdb', 'show', 'dev', 'vb'], { encoding: 'utf8' }).includes(address);
      const socket = new PacketSocket();
      socket.setOption(packetAddMembership, { interface: 'vb', type: PACKET_MR_PROMISC });
      socket.setOption(packetAddMembership, { interface: 'vb', type: PACKET_MR_PROMISC });
      expect(link().promiscuity).to.equal(1);
      socket.setOption(packetDropMembership, { interface: 'vb', type: PACKET_MR_PROMISC });
      expect(link().promiscuity).to.equal(1);
      socket.setOption(packetDropMembership, { interface: 'vb', type: PACKET_MR_PROMISC });
      expect(link().promiscuity).to.equal(0);

      socket.setOption(packetAddMembership, { interface: 'vb', type: PACKET_MR_ALLMULTI });
      expect(link().allmulti ?? 1).to.equal(1);
      const multicast = { interface: 'vb', type: PACKET_MR_MULTICAST, address: '01:00:5e:01:02:03' };
      socket.setOption(packetAddMembership, multicast);
      expect(ip('maddr', 'show', 'dev', 'vb')).to.include('01:00:5e:01:02:03');
      const unicast = { interface: 'vb', type: PACKET_MR_UNICAST, address: Buffer.from('02005e000001', 'hex') };
      socket.setOption(packetAddMembership, unicast);
      expect(listed('02:00:5e:00:00:01')).to.equal(true);
      const short = thrown(() => socket.setOption(packetAddMembership, { ...multicast, address: '01:02' }));
      expect(short).to.include({ code: 'EINVAL' });
      socket.close();
      expect(ip('maddr', 'show', 'dev', 'vb')).to.not.include('01:00:5e:01:02:03');
      expect(listed('02:00:5e:00:00:01')).to.equal(false);
    },
  },
  {
    title: 'auxdata tell of the VLAN tag, of lengths and of the checksum',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb', ETH_P_ALL);
      b.setOption(packetAuxdata, true);
      const tag = Buffer.of(0xa0, 100);
      const inner = Buffer.concat([
        tag,
        Buffer.from([TEST_PROTOCOL >> 8, TEST_PROTOCOL & 0xff]),
        Buffer.from('tagged'),
      ]);
      await a.send(frame(inner, { protocol: ETH_P_8021Q }));
      const tagged = b.recvMsgSync(2000, packetAuxdata.message.space);
      expect(tagged.data).to.deep.equal(frame('tagged'));
      expect(packetAuxdata.message.find(tagged.ancillary)).to.deep.include({
        vlan: { id: 100, priority: 5, dropEligible: false, protocol: ETH_P_8021Q },
        macOffset: 0,
        networkOffset: ETH_HLEN,
        length: 20,
        snapLength: 20,
      });
      b.attachFilter([{ code: BPF_RET | BPF_K, k: 16 }]);
      await a.send(frame('untagged'));
      const short = b.recvMsgSync(2000, packetAuxdata.message.space);
      expect(short.data).to.have.length(16);
      expect(packetAuxdata.message.find(short.ancillary)).to.deep.include({
        length: 22,
        snapLength: 16,
        vlan: undefined,
      });

      // what this machine sends to itself has no checksum yet
      using lo = await opened('lo', ETH_P_ALL);
      lo.setOption(packetAuxdata, true);
      const sender = createSocket('udp4');
      sender.send('own', 9, '127.0.0.1', () => sender.close());
      await once(sender, 'close');
      const own = lo.recvMsgSync(2000, packetAuxdata.message.space);
      expect(own.data.subarray(-3).toString()).to.equal('own');
      expect(packetAuxdata.message.find(own.ancillary)?.checksum).to.equal('incomplete');
    },
  },
  {
    title: 'a filter decides which packets arrive, from the first one on',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = new PacketSocket({ protocol: ETH_P_IP });
      b.attachFilter(toPort(53));
      await b.bind({ interface: 'vb' });
      const send = async (port: number) => a.send(udpFrame(`to ${port}`, { port }));
      const received = () => drain(b).map((data) => data.toString('latin1', ETH_HLEN + 28));
      for (const port of [52, 53, 54]) await send(port);
      expect(received()).to.deep.equal(['to 53']);
      b.attachFilter(toPort(54, ETH_HLEN + 30));
      for (const port of [52, 53, 54]) await send(port);
      expect(received()).to.deep.equal(['to']);
      b.detachFilter();
      for (const port of [52, 53]) await send(port);
      expect(received()).to.deep.equal(['to 52', 'to 53']);
      expect(thrown(() => b.detachFilter())).to.include({ code: 'ENOENT' });
      expect(thrown(() => b.attachFilter([{ code: BPF_LD | BPF_H | BPF_ABS, k: 12 }]))).to.include({
        argument: 'program[0].code',
      });
      b.attachFilter([
        { code: BPF_LD | BPF_ABS, k: SKF_AD_OFF + SKF_AD_PROTOCOL },
        { code: BPF_JMP | BPF_JEQ | BPF_K, k: ETH_P_IP, jt: 0, jf: 1 },
        { code: BPF_RET | BPF_K, k: 0xffff },
        { code: BPF_RET | BPF_K, k: 0 },
      ]);
      await send(1);
      expect(received()).to.deep.equal(['to 1']);
      b.lockFilter();
      expect(thrown(() => b.detachFilter())).to.include({ code: 'EPERM' });
      expect(thrown(() => b.attachFilter(toPort(1)))).to.include({ code: 'EPERM' });
      expect(b.getOption(soError)).to.equal(null);
    },
  },
  {
    title: 'fanout shares packets in every mode, and loses none',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      const modes = [
        PACKET_FANOUT_HASH,
        PACKET_FANOUT_LB,
        PACKET_FANOUT_CPU,
        PACKET_FANOUT_ROLLOVER,
        PACKET_FANOUT_RND,
        PACKET_FANOUT_QM,
      ];
      for (const [i, mode] of modes.entries()) {
        const sockets = await group(3, { id: 100 + i, mode });
        expect(sockets[0]?.getOption(packetFanout)).to.deep.equal({ id: 100 + i, mode, flags: 0 });
        for (let number = 0; number < 90; number++) await a.send(flow(number % 30, `${number}`));
        const shares = sockets.map(drain);
        expect(shares.flat()).to.have.length(90);
        const sizes = shares.map(({ length }) => length);
        if (mode === PACKET_FANOUT_LB) expect(sizes).to.deep.equal([30, 30, 30]);
        if (mode === PACKET_FANOUT_ROLLOVER) expect(sizes).to.include(90);
        if (mode === PACKET_FANOUT_RND) expect(Math.max(...sizes)).to.be.below(90);
        if (mode === PACKET_FANOUT_HASH) {
          // each flow is at one socket
          const owners = shares.map((share) => new Set(share.map((data) => data.readUInt16BE(ETH_HLEN + 20))));
          expect(owners.reduce((sum, { size }) => sum + size, 0)).to.equal(30);
          expect(owners.filter(({ size }) => size > 0).length).to.be.above(1);
        }
        closeAll(sockets);
      }
    },
  },
  {
    title: 'fanout asks a program, has flags and limits',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      const chosen = await group(2, { id: 1, mode: PACKET_FANOUT_CBPF });
      // by the last bit of the source port; programs of fanout begin at the network header
      chosen[0]?.setOption(packetFanoutData, [{ code: BPF_LD | BPF_B | BPF_ABS, k: 21 }, { code: BPF_RET | BPF_A }]);
      for (let number = 0; number < 20; number++) await a.send(flow(number));
      const ports = chosen.map((socket) => drain(socket).map((data) => data.readUInt16BE(ETH_HLEN + 20) % 2));
      expect(ports).to.deep.equal([new Array(10).fill(0), new Array(10).fill(1)]);
      closeAll(chosen);

      const byDescriptor = await group(1, { id: 2, mode: PACKET_FANOUT_EBPF });
      expect(thrown(() => byDescriptor[0]?.setOption(packetFanoutDataBpf, 9999))).to.include({ code: 'EBADF' });
      closeAll(byDescriptor);

      // fragments are put together before a flow is chosen
      const whole = await group(2, { id: 5, mode: PACKET_FANOUT_HASH, flags: PACKET_FANOUT_FLAG_DEFRAG });
      const text = 'x'.repeat(72);
      for (const piece of fragments(udp(text), 48)) await a.send(frame(piece, { protocol: ETH_P_IP }));
      expect(whole.flatMap(drain).map((data) => data.toString('latin1', ETH_HLEN + 28))).to.deep.equal([text]);
      closeAll(whole);

      const [first] = await group(1, { mode: PACKET_FANOUT_LB, flags: PACKET_FANOUT_FLAG_UNIQUEID });
      const [second] = await group(1, { mode: PACKET_FANOUT_LB, flags: PACKET_FANOUT_FLAG_UNIQUEID });
      const ids = [first, second].map((socket) => socket?.getOption(packetFanout)?.id);
      expect(ids[0]).to.not.equal(ids[1]);
      closeAll([first as PacketSocket, second as PacketSocket]);

      const limited = await group(2, { id: 3, mode: PACKET_FANOUT_LB, maxMembers: 2 });
      using third = await opened('vb', ETH_P_IP);
      expect(thrown(() => third.setOption(packetFanout, { id: 3, mode: PACKET_FANOUT_LB }))).to.include({
        code: 'ENOSPC',
      });
      expect(thrown(() => third.setOption(packetFanout, { id: 3, mode: PACKET_FANOUT_HASH }))).to.include({
        code: 'EINVAL',
      });
      closeAll(limited);

      const rolling = await group(2, { id: 4, mode: PACKET_FANOUT_LB, flags: PACKET_FANOUT_FLAG_ROLLOVER });
      // one that is full passes what it gets to the other
      rolling[0]?.setOption(soRcvBuf, 0);
      for (let number = 0; number < 60; number++) await a.send(flow(1, 'x'.repeat(1000)));
      const sizes = rolling.map((socket) => drain(socket).length);
      expect(sizes[1]).to.be.above(30);
      expect(rolling[0]?.getOption(packetRolloverStats).all ?? 0n).to.not.equal(0n);
      closeAll(rolling);
    },
  },
  {
    title: 'a fanout group leaves out what this machine sends, where it is told to',
    setup: PAIR,
    requires: ignoreOutgoing,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      // a socket never receives what it sent itself
      using beside = new PacketSocket();
      await beside.bind({ interface: 'vb' });
      for (const [flags, expected] of [
        [0, ['out', 'in']],
        [PACKET_FANOUT_FLAG_IGNORE_OUTGOING, ['in']],
      ] as const) {
        using b = await opened('vb', ETH_P_ALL);
        b.setOption(packetFanout, { id: 1 + flags, mode: PACKET_FANOUT_LB, flags });
        await beside.send(udpFrame('out'));
        await a.send(udpFrame('in'));
        expect(drain(b).map((data) => data.toString('latin1', ETH_HLEN + 28))).to.deep.equal(expected);
      }
    },
  },
  {
    title: 'fanout asks an eBPF program, which another process loaded',
    setup: PAIR,
    requires: ebpf,
    timeout: 20_000,
    async run() {
      const node = [process.execPath, fileURLToPath(new URL('../support/ebpf-group.js', import.meta.url))];
      const program = `${LOAD_EBPF}
os.set_inheritable(fd, True)
os.execv(${JSON.stringify(node[0])}, ${JSON.stringify(node)} + [str(fd)])
`;
      const child = new Child(PYTHON, ['-c', program]);
      expect(JSON.parse((await child.succeeded()).stdout)).to.deep.equal([0, 20]);
    },
  },
  {
    title: 'virtio headers come before packets, both ways',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb', ETH_P_IP);
      a.setOption(packetVnetHdr, true);
      b.setOption(packetVnetHdr, true);
      const sent = udpFrame('without a checksum');
      const none = {
        flags: 0,
        gsoType: VIRTIO_NET_HDR_GSO_NONE,
        headerLength: 0,
        gsoSize: 0,
        checksumStart: 0,
        checksumOffset: 0,
      };
      await a.send(Buffer.concat([packVirtioHeader(none), sent]));
      const plain = await within('recv', b.recv(2000));
      expect(unpackVirtioHeader(plain)).to.deep.equal(none);
      expect(plain.subarray(10)).to.deep.equal(sent);
      const asked = packVirtioHeader({
        flags: VIRTIO_NET_HDR_F_NEEDS_CSUM,
        checksumStart: ETH_HLEN + 20,
        checksumOffset: 6,
      });
      await a.send(Buffer.concat([asked, sent]));
      const partial = unpackVirtioHeader(await within('recv', b.recv(2000)));
      // the checksum is left to whoever needs it: the link carries the request
      expect(partial).to.include({
        flags: VIRTIO_NET_HDR_F_NEEDS_CSUM,
        checksumStart: ETH_HLEN + 20,
        checksumOffset: 6,
      });
    },
  },
  {
    title: 'virtio headers of 12 bytes',
    setup: PAIR,
    requires: vnetHdrSz,
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using b = await opened('vb');
      a.setOption(packetVnetHdrSz, 12);
      b.setOption(packetVnetHdrSz, 12);
      await a.send(Buffer.concat([packVirtioHeader({}, 12), numbered(3)]));
      const data = b.recvSync(2000);
      expect(numberOf(data, 12)).to.equal(3);
      expect(readFileSync('/proc/net/packet', 'latin1').split('\n').length).to.be.above(2);
    },
  },
];
