import {
  CMSG_SPACE,
  MessageBatch,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  SCM_TSTAMP_SND,
  SO_EE_ORIGIN_TIMESTAMPING,
  SOCK_DGRAM,
  SOCK_RAW,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  Socket,
  type SocketError,
  soRcvBuf,
  soTimestamping,
  soTimestampNs,
} from '@sock/core';
import {
  ARPHRD_ETHER,
  ETH_HLEN,
  ETH_P_ALL,
  ETH_P_IP,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  type PacketAddress,
  PacketSocket,
  packet,
  packetIgnoreOutgoing,
  packetOrigDev,
  packetQdiscBypass,
  packetStatistics,
  parseHardwareAddress,
  scmPacketTxTimestamp,
} from '@sock/packet';
import { delay, rejection, thrown, within } from '@sock/testkit';
import { addLinkSync, addQuietLink, removeLink } from '@sock/testkit/network';
import { expect } from 'chai';
import { frame, hardwareAddress, numbered, numberOf, TEST_PROTOCOL } from '../support/frames.js';
import { LOCAL, linkType, PAIR, REMOTE, type Scenario } from '../support/namespace.js';
import { opened } from '../support/sockets.js';

const macvlan = linkType('macvlan', 'link vb name mac0');

export const scenarios: readonly Scenario[] = [
  {
    title: 'a packet arrives as it was sent, with its address',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      expect(b.protocol).to.equal(TEST_PROTOCOL);
      expect(b.getsockname()).to.deep.equal({
        interface: 'vb',
        protocol: TEST_PROTOCOL,
        packetType: 0,
        hardwareType: ARPHRD_ETHER,
        address: Buffer.from(parseHardwareAddress(hardwareAddress('vb'))),
      });
      const cases: [to: string, packetType: number][] = [
        [REMOTE, PACKET_OTHERHOST],
        [hardwareAddress('vb'), PACKET_HOST],
        ['ff:ff:ff:ff:ff:ff', PACKET_BROADCAST],
      ];
      for (const [to, packetType] of cases) {
        const sent = frame(`to ${to}`, { to });
        expect(await a.send(sent)).to.equal(sent.length);
        const { data, address } = await within('recvFrom', b.recvFrom(2000));
        expect(data).to.deep.equal(sent);
        const expected: PacketAddress = {
          interface: 'vb',
          protocol: TEST_PROTOCOL,
          packetType,
          hardwareType: ARPHRD_ETHER,
          address: Buffer.from(parseHardwareAddress(LOCAL)),
        };
        expect(address).to.deep.equal(expected);
      }
      expect(b.tryRecvFrom(2000)).to.equal(null);
    },
  },
  {
    title: 'a socket receives nothing before it is bound, and what other interfaces have never',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = new PacketSocket({ protocol: TEST_PROTOCOL });
      using faithful = new Socket(packet, SOCK_RAW, TEST_PROTOCOL);
      await a.send(frame('too early'));
      expect(faithful.recvSync(100).toString('latin1', ETH_HLEN)).to.equal('too early');
      await b.bind({ interface: 'lo' });
      await a.send(frame('elsewhere'));
      expect(b.tryRecv(100)).to.equal(null);
      await b.bind({ interface: 'vb' });
      expect(b.tryRecv(100)).to.equal(null);
      await a.send(frame('now'));
      expect(b.recvSync(100).toString('latin1', ETH_HLEN)).to.equal('now');
      using every = await opened('');
      expect(every.getsockname().interface).to.equal('');
      await a.send(frame('to all'));
      const { data, address } = every.recvFromSync(100);
      expect([data.toString('latin1', ETH_HLEN), address?.interface]).to.deep.equal(['to all', 'vb']);
    },
  },
  {
    title: 'a cooked socket neither gives nor takes link-layer headers',
    setup: PAIR,
    async run() {
      using a = await opened('va', TEST_PROTOCOL, SOCK_DGRAM);
      using b = await opened('vb', TEST_PROTOCOL, SOCK_DGRAM);
      using raw = await opened('vb');
      await a.sendTo('payload', { interface: 'va', address: REMOTE });
      const { data, address } = await within('recvFrom', b.recvFrom(100));
      expect(data.toString()).to.equal('payload');
      expect(address).to.deep.include({ protocol: TEST_PROTOCOL, packetType: PACKET_OTHERHOST });
      const whole = raw.recvSync(100);
      expect(whole).to.deep.equal(frame('payload', { from: hardwareAddress('va') }));
      // an address that came out goes in: the answer goes to who asked
      await b.sendTo('answer', address as PacketAddress);
      const answer = a.recvFromSync(100);
      expect(answer.data.toString()).to.equal('answer');
      expect(answer.address?.packetType).to.equal(PACKET_HOST);
      // another protocol than the socket's own
      using other = await opened('vb', 0x88b6, SOCK_DGRAM);
      await a.sendTo('other', { interface: 'va', address: REMOTE, protocol: 0x88b6 });
      expect(other.recvSync(100).toString()).to.equal('other');
      expect(b.tryRecv(100)).to.equal(null);
    },
  },
  {
    title: 'all forms of receiving and sending carry packets',
    setup: PAIR,
    async run() {
      using a = new PacketSocket();
      using b = await opened('vb');
      const address = a.encodeAddress({ interface: 'va' });
      const sent = numbered(7, 300);
      const received = () => b.recvSync(1000);
      await a.sendTo(sent, { interface: 'va' });
      expect(received()).to.deep.equal(sent);
      a.sendToSync(sent, address);
      expect(received()).to.deep.equal(sent);
      expect(a.trySendTo(sent, address)).to.equal(300);
      expect(received()).to.deep.equal(sent);
      await a.sendMsg([sent.subarray(0, 20), sent.subarray(20)], { address });
      const cut = b.recvMsgSync(100);
      expect([cut.data.length, cut.flags & MSG_TRUNC]).to.deep.equal([100, MSG_TRUNC]);

      const outgoing = new MessageBatch<PacketAddress, { interface: string }>({ count: 50, size: 64 });
      for (let i = 0; i < 50; i++) outgoing.push(numbered(i), { interface: 'va' });
      expect(await a.sendBatch(outgoing)).to.equal(50);
      const batch = new MessageBatch<PacketAddress>({ count: 64, size: 64 });
      expect(await b.recvBatch(batch)).to.equal(50);
      for (let i = 0; i < 50; i++) {
        expect(numberOf(batch.data(i))).to.equal(i);
        expect(batch.address(i)?.interface).to.equal('vb');
      }
      const messages = b.messages();
      await a.sendTo(sent, address);
      expect((await messages.next()).value.data).to.deep.equal(sent);
    },
  },
  {
    title: 'what this machine sends is seen, unless it is ignored',
    setup: PAIR,
    async run() {
      using tap = await opened('va', ETH_P_ALL);
      using a = await opened('va');
      await a.send(frame('seen'));
      const { address, data } = tap.recvFromSync(100);
      expect([address?.packetType, data.toString('latin1', ETH_HLEN)]).to.deep.equal([PACKET_OUTGOING, 'seen']);
      expect(tap.getOption(packetIgnoreOutgoing)).to.equal(false);
      tap.setOption(packetIgnoreOutgoing, true);
      await a.send(frame('unseen'));
      expect(tap.tryRecv(100)).to.equal(null);
    },
  },
  {
    title: 'packets that skip the scheduler arrive too',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      a.setOption(packetQdiscBypass, true);
      expect(a.getOption(packetQdiscBypass)).to.equal(true);
      for (let i = 0; i < 20; i++) await a.send(numbered(i));
      for (let i = 0; i < 20; i++) expect(numberOf(b.recvSync(100))).to.equal(i);
    },
  },
  {
    title: 'statistics add up what was received and dropped',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      expect(b.statistics()).to.deep.equal({ packets: 0, drops: 0, freezes: 0 });
      b.setOption(soRcvBuf, 0);
      for (let i = 0; i < 200; i++) await a.send(numbered(i, 1000));
      let received = 0;
      for (let last = -1; ; received++) {
        const data = b.tryRecv(2000);
        if (data === null) break;
        const number = numberOf(data);
        expect(number).to.be.above(last);
        last = number;
      }
      const { packets, drops } = b.statistics();
      expect(received).to.be.within(1, 199);
      expect(drops).to.equal(200 - received);
      expect(packets).to.equal(200);
      await a.send(numbered(1));
      expect(b.statistics()).to.deep.equal({ packets: 201, drops, freezes: 0 });
      await a.send(numbered(2));
      expect(b.getOption(packetStatistics)).to.deep.equal({ packets: 1, drops: 0, freezes: 0 });
      expect(b.statistics().packets).to.equal(201);
    },
  },
  {
    title: 'times of reception and of transmission come with packets',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      using b = await opened('vb');
      b.setOption(soTimestampNs, true);
      const before = BigInt(Date.now()) * 1_000_000n;
      await a.send(frame('timed'));
      const { ancillary } = b.recvMsgSync(100, soTimestampNs.message.space);
      const time = soTimestampNs.message.find(ancillary) as bigint;
      expect(time >= before && time < before + 10_000_000_000n).to.equal(true);

      a.setOption(soTimestamping, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID);
      for (let id = 0; id < 3; id++) {
        await a.send(frame('timed'));
        const space = soTimestamping.message.space + scmPacketTxTimestamp.space + CMSG_SPACE(64);
        const sent = await within('error queue', a.recvMsg(100, space, { flags: MSG_ERRQUEUE }));
        expect(scmPacketTxTimestamp.find(sent.ancillary)).to.include({ info: SCM_TSTAMP_SND, data: id });
        expect(Number(soTimestamping.message.find(sent.ancillary)?.software ?? 0n)).to.be.above(Number(before));
        expect(sent.data).to.deep.equal(frame('timed'));
      }
      expect(SO_EE_ORIGIN_TIMESTAMPING).to.equal(4);
    },
  },
  {
    title: 'the interface below another is named where the first one is asked for',
    setup: [PAIR, () => addQuietLink({ kind: 'macvlan', name: 'mac0', link: 'vb', address: REMOTE })],
    requires: macvlan,
    async run() {
      using a = await opened('va');
      using b = await opened('mac0');
      const to = REMOTE;
      for (const [value, name] of [
        [false, 'mac0'],
        [true, 'vb'],
      ] as const) {
        b.setOption(packetOrigDev, value);
        expect(b.getOption(packetOrigDev)).to.equal(value);
        await a.send(frame('through', { to }));
        const { address } = await within('recvFrom', b.recvFrom(100));
        expect(address?.interface).to.equal(name);
      }
    },
  },
  {
    title: 'what cannot be sent says why',
    setup: [PAIR, () => addLinkSync({ kind: 'veth', name: 'dead', peer: { name: 'dead2' } })],
    async run() {
      using socket = new PacketSocket();
      const problem = async (operation: Promise<unknown>): Promise<SocketError> =>
        (await rejection(operation)) as unknown as SocketError;
      expect((await problem(socket.send(frame('x')))).message).to.match(/^send ENXIO: no interface to send on/);
      await socket.bind({ interface: 'va' });
      expect((await problem(socket.send(new Uint8Array(9100)))).message).to.match(/^send EMSGSIZE: .*MTU/);
      expect((await problem(socket.send('short'))).message).to.match(/^send EINVAL: the packet is shorter/);
      expect((await problem(socket.sendTo(frame('x'), { interface: 'dead' }))).message).to.equal(
        'sendto ENETDOWN dead: the interface is down',
      );
      expect((await problem(socket.bind({ interface: 'none' }))).message).to.include(
        'there is no network interface none',
      );
      expect((await problem(socket.bind({ interface: 4711 }))).message).to.match(
        /^bind ENODEV .*there is no such interface/,
      );
      expect(thrown(() => new Socket(packet, 1)).message).to.match(
        /^socket ESOCKTNOSUPPORT: packet sockets are of type/,
      );
      expect(thrown(() => socket.listen())).to.include({ code: 'EOPNOTSUPP' });
      const bad = thrown(() => new PacketSocket({ protocol: 0x10000 }));
      expect(bad).to.include({ argument: 'options.protocol' });
      expect(thrown(() => new PacketSocket(5 as never))).to.include({ argument: 'options' });
      expect(() => removeLink('va')).to.not.throw();
    },
  },
  {
    title: 'sockets are adopted, duplicated and detached',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      const original = await opened('vb');
      using copy = original.dup();
      expect(copy).to.be.instanceOf(PacketSocket);
      const adopted = PacketSocket.adopt(original.detach(), packet);
      expect(adopted).to.be.instanceOf(PacketSocket);
      expect([original.closed, adopted.type]).to.deep.equal([true, SOCK_RAW]);
      await a.send(frame('twice'));
      expect(adopted.recvSync(100)).to.deep.equal(frame('twice'));
      expect(copy.tryRecv(100)).to.equal(null);
      expect(adopted.statistics().packets).to.equal(1);
      using duplicate = PacketSocket.duplicate(adopted.fileno(), packet);
      expect(duplicate.getsockname().interface).to.equal('vb');
      const ring = adopted.ring({ blocks: 2, blockSize: 4096 });
      adopted.close();
      expect(ring.closed).to.equal(true);
    },
  },
  {
    title: 'waits end: by timeout, signal and close',
    setup: PAIR,
    async run() {
      const socket = await opened('va', ETH_P_IP);
      socket.timeout = 20;
      expect(await rejection(socket.recv(100))).to.include({ code: 'ETIMEDOUT' });
      expect(thrown(() => socket.recvSync(100))).to.include({ code: 'ETIMEDOUT' });
      socket.timeout = null;
      const controller = new AbortController();
      const aborted = rejection(socket.recv(100, { signal: controller.signal }));
      controller.abort(new Error('enough'));
      expect((await aborted).message).to.equal('enough');
      const pending = rejection(socket.recv(100));
      await delay(1);
      socket.close();
      expect(await pending).to.include({ code: 'ECANCELED' });
    },
  },
];
