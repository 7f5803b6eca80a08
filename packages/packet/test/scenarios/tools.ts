import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import {
  ETH_HLEN,
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IP,
  PACKET_OUTGOING,
  PacketSocket,
  PcapngWriter,
  PcapWriter,
  parseCapture,
  parseHardwareAddress,
  type ReceivedPacket,
} from '@sock/packet';
import { type Child, startCommand, startPython, tempPath, within } from '@sock/testkit';
import { addAddressSync, addVeth, carrier } from '@sock/testkit/network';
import { expect } from 'chai';
import { checksum, hardwareAddress, numbered, numberOf, TEST_PROTOCOL, udpFrame } from '../support/frames.js';
import { host } from '../support/host.js';
import { PAIR, REMOTE, type Scenario, type Setup } from '../support/namespace.js';
import { opened } from '../support/sockets.js';

/** Two ends of a link that resolve addresses, one of them with an address. */
const NETWORK: Setup = async () => {
  addVeth('va', 'vb', { quiet: true });
  addAddressSync({ interface: 'va', address: '192.0.2.1', prefixLength: 24 });
  await carrier();
};

/** Answers requests for 192.0.2.2 until the socket is closed: a small station of our own. */
async function answer(socket: PacketSocket, own: string): Promise<void> {
  const address = parseHardwareAddress(own);
  for await (const { data } of socket.messages()) {
    const reply = Buffer.from(data);
    reply.copyWithin(0, 6, 12);
    reply.set(address, 6);
    const protocol = data.readUInt16BE(12);
    if (protocol === ETH_P_ARP && data.readUInt16BE(20) === 1 && data.subarray(38, 42).join('.') === '192.0.2.2') {
      reply.writeUInt16BE(2, 20);
      reply.set(address, 22);
      reply.set(data.subarray(38, 42), 28);
      reply.set(data.subarray(22, 32), 32);
    } else if (protocol === ETH_P_IP && data[ETH_HLEN + 9] === 1 && data[ETH_HLEN + 20] === 8) {
      reply.set(data.subarray(30, 34), 26);
      reply.set(data.subarray(26, 30), 30);
      reply[ETH_HLEN + 20] = 0;
      reply.writeUInt16BE(0, ETH_HLEN + 22);
      reply.writeUInt16BE(checksum(reply.subarray(ETH_HLEN + 20)), ETH_HLEN + 22);
    } else {
      continue;
    }
    await socket.send(reply);
  }
}

/** Starts tcpdump on `vb`, into a file, for a number of packets of ours. */
async function tcpdump(count: number): Promise<{ child: Child; file: string }> {
  const file = tempPath('.pcap');
  const filter = ['ether', 'proto', `0x${TEST_PROTOCOL.toString(16)}`];
  const args = ['-Z', 'root', '-i', 'vb', '-U', '--immediate-mode', '-c', `${count}`, '-w', file, ...filter];
  const child = startCommand('tcpdump', args, { input: '' });
  await within('tcpdump', child.says('listening on'));
  return { child, file };
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'tcpdump sees what is sent, by each way of sending',
    setup: PAIR,
    requires: ['root', 'command:tcpdump'],
    async run() {
      const { child, file } = await tcpdump(30);
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      for (let i = 0; i < 10; i++) await a.send(numbered(i, 60 + i));
      using ring = a.transmitRing();
      for (let i = 10; i < 30; i++) ring.push(numbered(i, 60 + i));
      await ring.flush();
      expect((await child.outcome).code).to.equal(0);
      const packets = [...parseCapture(readFileSync(file))];
      expect(packets.map(({ data }) => [numberOf(data), data.length])).to.deep.equal(
        Array.from({ length: 30 }, (_, i) => [i, 60 + i]),
      );
    },
  },
  {
    title: 'tcpreplay sends what was written, and a ring has it as it was',
    setup: PAIR,
    requires: 'command:tcpreplay',
    async run() {
      using tap = await opened('vb');
      using ring = tap.ring({ blocks: 64, blockSize: 4096, blockTimeout: 5 });
      const file = tempPath('.pcap');
      const stream = createWriteStream(file);
      const capture = new PcapWriter(stream);
      for (let i = 0; i < 50; i++) capture.write({ data: numbered(i, 60 + 7 * i), timestamp: BigInt(i) * 1000n });
      stream.end();
      await once(stream, 'close');
      const child = startCommand('tcpreplay', ['--topspeed', '-i', 'va', file], { input: '' });
      const numbers: number[] = [];
      const reader = (async () => {
        for await (const { data } of ring) if (numbers.push(numberOf(data)) === 50) break;
      })();
      expect((await child.succeeded()).stdout).to.match(/Successful packets:\s+50/);
      await within('packets', reader);
      expect(numbers).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
    },
  },
  {
    title: 'a capture of a ring opens in tcpdump',
    setup: PAIR,
    requires: ['root', 'command:tcpdump'],
    async run() {
      using a = new PacketSocket();
      await a.bind({ interface: 'va' });
      using tap = await opened('vb', ETH_P_ALL);
      using ring = tap.ring({ blocks: 64, blockSize: 4096, blockTimeout: 5 });
      const file = tempPath('.pcapng');
      const stream = createWriteStream(file);
      const capture = new PcapngWriter(stream, 'a test');
      const id = capture.addInterface({ name: 'vb' });
      for (let i = 0; i < 20; i++) await a.send(udpFrame(`message ${i}`, { port: 2000 + i }));
      let count = 0;
      for await (const packet of ring) {
        capture.write(packet, id);
        if (++count === 20) break;
      }
      capture.statistics(tap.statistics(), id);
      stream.end();
      await once(stream, 'close');
      const child = startCommand('tcpdump', ['-Z', 'root', '-n', '-t', '-r', file, 'udp port 2007'], { input: '' });
      expect((await child.outcome).stdout).to.equal('IP 192.0.2.1.1000 > 192.0.2.2.2007: UDP, length 9\n');
    },
  },
  {
    title: 'ping to another host is seen in both directions',
    setup: NETWORK,
    requires: 'command:ping',
    timeout: 20_000,
    async run() {
      using _other = await host();
      using tap = await opened('va', ETH_P_ALL);
      using ring = tap.ring({ blocks: 4, blockSize: 65536, blockTimeout: 5 });
      const seen: ReceivedPacket[] = [];
      const reader = (async () => {
        for await (const packet of ring) {
          const icmp = packet.address.protocol === ETH_P_IP && packet.data[ETH_HLEN + 9] === 1;
          if (icmp && seen.push(packet) === 6) break;
        }
      })();
      const ping = startCommand('ping', ['-n', '-c', '3', '-i', '0.2', '192.0.2.2'], { input: '' });
      expect((await ping.succeeded()).stdout).to.include('3 received');
      await within('packets', reader);
      const kinds = seen.map(({ data, packetType }) => [data[ETH_HLEN + 20], packetType === PACKET_OUTGOING]);
      expect(kinds.filter(([type, outgoing]) => type === 8 && outgoing)).to.have.length(3);
      expect(kinds.filter(([type, outgoing]) => type === 0 && !outgoing)).to.have.length(3);
    },
  },
  {
    title: 'arping and ping are answered by a station of our own',
    setup: NETWORK,
    requires: ['command:arping', 'command:ping'],
    timeout: 20_000,
    async run() {
      const socket = await opened('vb', ETH_P_ALL);
      const done = answer(socket, REMOTE);
      const arping = startCommand('arping', ['-c', '2', '-I', 'va', '192.0.2.2'], { input: '' });
      const { stdout } = await arping.succeeded();
      expect(stdout.toLowerCase()).to.include(REMOTE);
      const ping = startCommand('ping', ['-n', '-c', '2', '-i', '0.2', '192.0.2.2'], { input: '' });
      expect((await ping.succeeded()).stdout).to.include('2 received');
      socket.close();
      await done;
    },
  },
  {
    title: 'Python has the same addresses and packets',
    setup: PAIR,
    async run() {
      using a = await opened('va');
      const python = startPython(`
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.bind(('vb', ${TEST_PROTOCOL}))
print(*s.getsockname()[:4], s.getsockname()[4].hex(':'), flush=True)
data, address = s.recvfrom(2000)
print(data.hex(), *address[:4], address[4].hex(':'), flush=True)
s.send(data[::-1])
d = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
d.sendto(b'cooked', ('vb', ${TEST_PROTOCOL}, 0, 0, bytes.fromhex('02000000000a')))
`);
      const own = hardwareAddress('vb');
      expect(await within('line', python.line())).to.equal(`vb ${TEST_PROTOCOL} 0 1 ${own}`);
      const sent = numbered(5);
      // what is sent backwards must be of the same protocol, so that it comes back
      sent.writeUInt16LE(TEST_PROTOCOL, sent.length - 14);
      await a.send(sent);
      expect(await within('line', python.line())).to.equal(
        `${sent.toString('hex')} vb ${TEST_PROTOCOL} 3 1 02:00:00:00:00:0a`,
      );
      expect(await within('recv', a.recv(2000))).to.deep.equal(Buffer.from(sent).reverse());
      const { data, address } = await within('recvFrom', a.recvFrom(2000));
      expect(data.toString('latin1', ETH_HLEN)).to.equal('cooked');
      expect(address?.address).to.deep.equal(Buffer.from(parseHardwareAddress(own)));
      python.process.stdin?.end();
      await python.succeeded();
    },
  },
];
