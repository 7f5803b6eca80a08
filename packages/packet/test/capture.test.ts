import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import {
  ARPHRD_6LOWPAN,
  ARPHRD_ETHER,
  ARPHRD_LOOPBACK,
  ARPHRD_NONE,
  type CapturedPacket,
  CaptureError,
  type CaptureRecord,
  type CaptureSink,
  cookedPacket,
  ETH_P_IP,
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_RAW,
  linkTypeOf,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  type PcapngInterface,
  type PcapngRecord,
  type PcapngStatistics,
  PcapngWriter,
  type PcapOptions,
  PcapWriter,
  parseCapture,
  readCapture,
} from '@sock/packet';
import { inLab, itIf, scaled, startCommand, tempPath, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { udp, udpFrame } from './support/frames.js';

/** Keeps what is written. */
class Sink implements CaptureSink {
  readonly pieces: Uint8Array[] = [];

  write(bytes: Uint8Array): number {
    return this.pieces.push(bytes);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

function pcap(records: readonly CaptureRecord[], options?: PcapOptions): Buffer {
  const sink = new Sink();
  const writer = new PcapWriter(sink, options);
  for (const record of records) writer.write(record);
  return sink.bytes;
}

function pcapng(records: readonly PcapngRecord[], interfaces: readonly PcapngInterface[] = [{}]): Buffer {
  const sink = new Sink();
  const writer = new PcapngWriter(sink, 'a test');
  for (const description of interfaces) writer.addInterface(description);
  records.forEach((record, i) => {
    writer.write(record, i % interfaces.length);
  });
  return sink.bytes;
}

/** The same file as a machine of the other byte order would have written it. */
function swapPcap(bytes: Buffer): Buffer {
  const swapped = Buffer.from(bytes);
  const words = (start: number, count: number) => swapped.subarray(start, start + count * 4).swap32();
  words(0, 1);
  swapped.subarray(4, 8).swap16();
  words(8, 4);
  for (let offset = 24; offset < bytes.length; offset += 16 + bytes.readUInt32LE(offset + 8)) words(offset, 4);
  return swapped;
}

const time = 1_700_000_000_123_456_789n;
const SECOND = 1_000_000_000n;

// each is slow under emulation, and elsewhere they are many
const numRuns = inLab ? 20 : 100;

const record = fc.record({
  data: fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data)),
  extra: fc.nat(2000),
  timestamp: fc.bigInt({ min: 0n, max: 0xffff_ffffn * SECOND }),
});
const records = fc
  .array(record, { maxLength: 10 })
  .map((list) => list.map(({ data, extra, timestamp }) => ({ data, length: data.length + extra, timestamp })));

const essence = ({ data, length, timestamp }: CapturedPacket) => ({ data, length, timestamp });

async function collect(source: AsyncIterable<CapturedPacket> | Iterable<CapturedPacket>): Promise<CapturedPacket[]> {
  const list: CapturedPacket[] = [];
  for await (const packet of source) list.push(packet);
  return list;
}

function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe('pcap files', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(records, (list) => {
        expect([...parseCapture(pcap(list))].map(essence)).to.deep.equal(list);
        expect([...parseCapture(swapPcap(pcap(list)))].map(essence)).to.deep.equal(list);
      }),
      { numRuns },
    );
  });

  it('have times in microseconds for who wants them', () => {
    const bytes = pcap([{ data: Buffer.from('abc'), timestamp: time }], { nanoseconds: false, linkType: LINKTYPE_RAW });
    expect(bytes.toString('hex', 0, 4)).to.equal('d4c3b2a1');
    for (const file of [bytes, swapPcap(bytes)]) {
      expect([...parseCapture(file)]).to.deep.equal([
        {
          data: Buffer.from('abc'),
          length: 3,
          timestamp: 1_700_000_000_123_456_000n,
          linkType: LINKTYPE_RAW,
          interface: undefined,
          packetType: undefined,
          comment: undefined,
        },
      ]);
    }
  });

  it('keep no more of packets than their snapLength', () => {
    const [packet] = parseCapture(pcap([{ data: Buffer.from('abcdef'), timestamp: time }], { snapLength: 4 }));
    expect(packet).to.deep.include({ data: Buffer.from('abcd'), length: 6 });
  });

  it('tell what the sink says', () => {
    const writer = new PcapWriter(new Sink());
    expect(writer.write({ data: new Uint8Array(1), timestamp: 0n })).to.equal(2);
  });
});

describe('pcapng files', () => {
  it('are read as they were written', () => {
    const types = fc.constantFrom(
      undefined,
      PACKET_HOST,
      PACKET_BROADCAST,
      PACKET_MULTICAST,
      PACKET_OTHERHOST,
      PACKET_OUTGOING,
    );
    const comments = fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }), { nil: undefined });
    const more = fc.record({ packetType: types, comment: comments.map((text) => text?.replaceAll('\0', '')) });
    fc.assert(
      fc.property(records, more, (list, details) => {
        const written = list.map((one) => ({ ...one, ...details }));
        const interfaces = [{ name: 'eth0' }, { name: 'tun0', linkType: LINKTYPE_RAW, description: 'a tunnel' }];
        expect([...parseCapture(pcapng(written, interfaces))]).to.deep.equal(
          written.map((one, i) => ({
            ...one,
            interface: ['eth0', 'tun0'][i % 2],
            linkType: [LINKTYPE_ETHERNET, LINKTYPE_RAW][i % 2],
          })),
        );
      }),
      { numRuns },
    );
  });

  it('have times beyond those of pcap, and counts', () => {
    const sink = new Sink();
    const writer = new PcapngWriter(sink);
    const id = writer.addInterface();
    expect(id).to.equal(0);
    const late = 2n ** 63n;
    writer.write({ data: new Uint8Array(3), timestamp: late }, id);
    const counts: PcapngStatistics = { packets: 10, drops: 3 };
    writer.statistics(counts);
    writer.statistics(counts, 0, late);
    expect([...parseCapture(sink.bytes)].map(({ timestamp }) => timestamp)).to.deep.equal([late]);
    const statistics = sink.pieces.at(-1) as Buffer;
    expect(statistics.readUInt32LE(0)).to.equal(5);
    expect(statistics.readBigUInt64LE(24)).to.equal(10n);
    expect(statistics.readBigUInt64LE(36)).to.equal(3n);
  });

  it('of other programs are read: other resolutions, byte orders, blocks and sections', () => {
    const block = (type: number, body: Buffer): Buffer => {
      const bytes = Buffer.alloc(12 + body.length);
      bytes.writeUInt32BE(type, 0);
      bytes.writeUInt32BE(bytes.length, 4);
      bytes.set(body, 8);
      bytes.writeUInt32BE(bytes.length, bytes.length - 4);
      return bytes;
    };
    const words = (...values: number[]): Buffer => {
      const bytes = Buffer.alloc(values.length * 4);
      values.forEach((value, i) => {
        bytes.writeUInt32BE(value >>> 0, i * 4);
      });
      return bytes;
    };
    const section = block(0x0a0d0d0a, words(0x1a2b3c4d, 0x00010000, -1, -1));
    // no options: microseconds; then 2^-10 seconds and an offset of 100 s
    const plain = block(1, words(0x00010000, 0));
    const binary = block(1, words(0x00650000, 65535, 0x00090001, 0x8a000000, 0x000e0008, 0, 100, 0));
    const enhanced = (id: number, ticks: number) => block(6, words(id, 0, ticks, 3, 9, 0x61626300));
    const old = block(2, words(0x00000007, 0, 5_000_000, 4, 4, 0x61626364));
    const simple = block(3, words(2, 0x61620000));
    const unknown = block(0x0bad, words(1, 2, 3));
    const file = Buffer.concat([
      section,
      plain,
      unknown,
      binary,
      enhanced(0, 7_000_000),
      enhanced(1, 2048),
      old,
      simple,
    ]);
    const packets = [...parseCapture(Buffer.concat([file, pcapng([{ data: Buffer.from('le'), timestamp: 1n }])]))];
    expect(
      packets.map(({ data, timestamp, length, linkType }) => [data.toString(), timestamp, length, linkType]),
    ).to.deep.equal([
      ['abc', 7n * SECOND, 9, 1],
      ['abc', 102n * SECOND, 9, 101],
      ['abcd', 5n * SECOND, 4, 1],
      ['ab', 0n, 2, 1],
      ['le', 1n, 2, 1],
    ]);
  });
});

describe('capture files', () => {
  const files: [name: string, bytes: Buffer][] = [
    [
      'pcap',
      pcap([
        { data: Buffer.from('first'), timestamp: time },
        { data: Buffer.from('second'), timestamp: time },
      ]),
    ],
    [
      'pcapng',
      pcapng([
        { data: Buffer.from('first'), timestamp: time },
        { data: Buffer.from('second'), timestamp: time },
      ]),
    ],
  ];
  for (const [name, bytes] of files) {
    it(`that come in pieces of any size are the same (${name})`, async () => {
      for (const size of [1, 2, 3, 7, 16, 100]) {
        const packets = await collect(readCapture(inPieces(bytes, size)));
        expect(packets.map(({ data }) => data.toString())).to.deep.equal(['first', 'second']);
      }
    });

    it(`that are cut off give the packets before, and then an error (${name})`, async () => {
      const whole = await collect(readCapture([bytes]));
      const ends: number[] = [];
      for (let length = 0; length < bytes.length; length++) {
        const packets: CapturedPacket[] = [];
        let failure: unknown;
        try {
          for (const packet of parseCapture(bytes.subarray(0, length))) packets.push(packet);
        } catch (error) {
          failure = error;
        }
        expect(packets).to.deep.equal(whole.slice(0, packets.length));
        if (failure === undefined) ends.push(packets.length);
        else expect(failure).to.be.instanceOf(CaptureError);
      }
      // between two packets, or blocks, a file may end
      expect(ends).to.include(1);
    });

    it(`never crash, whatever is in them (${name})`, () => {
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, noise) => {
          const broken = Buffer.from(bytes);
          broken.set(noise.subarray(0, bytes.length - at), at);
          try {
            for (const packet of parseCapture(broken)) expect(packet.data).to.be.instanceOf(Buffer);
          } catch (error) {
            expect(error).to.be.instanceOf(CaptureError);
          }
        }),
        { numRuns: inLab ? 100 : 1000 },
      );
    });
  }

  it('are told from other files', () => {
    expect(thrown(() => [...parseCapture(Buffer.from('GIF89a'))])).to.include({
      code: 'ERR_CAPTURE_FORMAT',
      offset: 0,
    });
    expect(thrown(() => [...parseCapture(new Uint8Array(0))])).to.be.instanceOf(CaptureError);
    expect(thrown(() => [...parseCapture('text' as never)])).to.be.instanceOf(TypeError);
  });

  it('refuse what they cannot hold', () => {
    const writer = new PcapWriter(new Sink());
    const data = new Uint8Array(10);
    const bad: [unknown, string][] = [
      [undefined, 'packet'],
      [{ timestamp: 0n }, 'packet.data'],
      [{ data: 'text', timestamp: 0n }, 'packet.data'],
      [{ data }, 'packet.timestamp'],
      [{ data, timestamp: -1n }, 'packet.timestamp'],
      [{ data, timestamp: 0x1_0000_0000n * SECOND }, 'packet.timestamp'],
      [{ data, timestamp: 0n, length: 9 }, 'packet.length'],
    ];
    for (const [value, argument] of bad) {
      expect(thrown(() => writer.write(value as CaptureRecord))).to.include({ argument });
    }
    expect(thrown(() => new PcapWriter(undefined as never))).to.include({ argument: 'sink' });
    expect(thrown(() => new PcapWriter(new Sink(), { linkType: 0x10000 }))).to.include({
      argument: 'options.linkType',
    });
    const next = new PcapngWriter(new Sink());
    expect(thrown(() => next.write({ data, timestamp: 0n }))).to.include({ argument: 'id' });
    next.addInterface();
    expect(thrown(() => next.write({ data, timestamp: 0n }, 1))).to.include({ argument: 'id' });
    expect(thrown(() => next.write({ data, timestamp: 0n, comment: 5 as never }))).to.include({
      argument: 'packet.comment',
    });
    expect(thrown(() => next.addInterface({ name: 'x'.repeat(65_536) }))).to.include({ argument: 'description.name' });
    expect(thrown(() => next.statistics({ packets: -1, drops: 0 }))).to.include({ argument: 'statistics.packets' });
  });

  it('have a link type for most kinds of interfaces', () => {
    expect(linkTypeOf(ARPHRD_ETHER)).to.equal(LINKTYPE_ETHERNET);
    expect(linkTypeOf(ARPHRD_LOOPBACK)).to.equal(LINKTYPE_ETHERNET);
    expect(linkTypeOf(ARPHRD_NONE)).to.equal(LINKTYPE_RAW);
    expect(linkTypeOf(ARPHRD_6LOWPAN)).to.equal(undefined);
    expect(thrown(() => linkTypeOf(-1))).to.include({ argument: 'hardwareType' });
  });

  it('go through streams', async () => {
    const path = tempPath('.pcapng');
    const stream = createWriteStream(path);
    const writer = new PcapngWriter(stream);
    writer.addInterface({ name: 'lo' });
    for (let i = 0; i < 100; i++) writer.write({ data: udpFrame(`message ${i}`), timestamp: time + BigInt(i) });
    stream.end();
    await once(stream, 'close');
    const packets = await collect(readCapture(createReadStream(path, { highWaterMark: 999 })));
    expect(packets).to.have.length(100);
    expect(packets[99]).to.deep.equal([...parseCapture(readFileSync(path))][99]);
    expect(packets[99]).to.deep.include({ interface: 'lo', timestamp: time + 99n });
  });
});

describe('tcpdump', () => {
  async function tcpdump(bytes: Buffer, ...options: string[]): Promise<string[]> {
    const path = tempPath('.pcap');
    writeFileSync(path, bytes);
    const child = startCommand('tcpdump', ['-Z', 'root', '-n', '-tt', ...options, '-r', path], { input: '' });
    const { code, stdout, stderr } = await child.outcome;
    expect(code, stderr).to.equal(0);
    return stdout.trimEnd().split('\n');
  }

  const packets = [
    { data: udpFrame('one'), timestamp: time },
    { data: udpFrame('seconds', { port: 53 }), timestamp: time + SECOND },
  ];

  itIf('command:tcpdump', 'reads what is written', async () => {
    const expected = [
      /^1700000000\.123456 IP 192\.0\.2\.1\.1000 > 192\.0\.2\.2\.2000: UDP, length 3$/,
      /^1700000001\.123456 IP 192\.0\.2\.1\.1000 > 192\.0\.2\.2\.53: /,
    ];
    for (const file of [
      pcap(packets),
      pcap(packets, { nanoseconds: false }),
      swapPcap(pcap(packets)),
      pcapng(packets),
    ]) {
      const lines = await tcpdump(file);
      expect(lines).to.have.length(2);
      lines.forEach((line, i) => {
        expect(line).to.match(expected[i] as RegExp);
      });
    }
  });

  itIf('command:tcpdump', 'reads nanoseconds', async () => {
    for (const file of [pcap(packets), pcapng(packets)]) {
      const [line] = await tcpdump(file, '--nano');
      expect(line).to.match(/^1700000000\.123456789 IP /);
    }
  });

  itIf('command:tcpdump', 'reads what is cooked', async () => {
    const sender = Buffer.from('020000000001', 'hex');
    const address = {
      interface: 'eth0',
      protocol: ETH_P_IP,
      packetType: 4,
      hardwareType: ARPHRD_ETHER,
      address: sender,
    };
    const data = cookedPacket(address, udp('cooked'));
    const [line] = await tcpdump(pcap([{ data, timestamp: time }], { linkType: LINKTYPE_LINUX_SLL }), '-e');
    expect(line).to.match(
      /^1700000000\.123456\s+Out 02:00:00:00:00:01 .* 192\.0\.2\.1\.1000 > 192\.0\.2\.2\.2000: UDP, length 6$/,
    );
  });

  itIf('command:tcpdump', 'writes what is read', async () => {
    const from = tempPath('.pcap');
    const to = tempPath('.pcap');
    writeFileSync(from, pcap(packets));
    const child = startCommand('tcpdump', ['-Z', 'root', '-r', from, '-w', to], { input: '' });
    expect((await child.outcome).code).to.equal(0);
    expect([...parseCapture(readFileSync(to))].map(({ data }) => data)).to.deep.equal(packets.map(({ data }) => data));
  });
});

describe('tshark, which reads as Wireshark does', () => {
  itIf('command:tshark', 'reads what is written, and is read', async function (this: Mocha.Context) {
    this.timeout(scaled(60_000));
    const from = tempPath('.pcapng');
    const to = tempPath('.pcapng');
    const written: Uint8Array[] = [];
    const writer = new PcapngWriter({ write: (bytes) => written.push(bytes) }, 'a test');
    writer.addInterface({ name: 'eth0', description: 'the first' });
    const second = writer.addInterface({ name: 'wlan0', linkType: LINKTYPE_LINUX_SLL });
    writer.write({ data: udpFrame('one'), timestamp: time, packetType: PACKET_OUTGOING, comment: 'größer' });
    const sender = { interface: '', protocol: ETH_P_IP, packetType: 0, hardwareType: ARPHRD_ETHER };
    const data = cookedPacket({ ...sender, address: Buffer.from('020000000001', 'hex') }, udp('two', { port: 53 }));
    writer.write({ data, timestamp: time + SECOND, packetType: PACKET_HOST }, second);
    writer.write({ data: udpFrame('three').subarray(0, 43), length: 47, timestamp: time + 2n * SECOND });
    writer.statistics({ packets: 3, drops: 1 });
    writeFileSync(from, Buffer.concat(written));
    const fields = ['frame.interface_name', 'frame.time_epoch', 'frame.packet_flags_direction', 'frame.comment'];
    const more = ['udp.dstport', 'frame.len', 'frame.cap_len'];
    const args = ['-n', '-r', from, '-w', to, '-P', '-T', 'fields', '-E', 'separator=|'];
    const all = [...args, ...[...fields, ...more].flatMap((field) => ['-e', field])];
    const { code, stdout, stderr } = await startCommand('tshark', all, { input: '', timeout: 50_000 }).outcome;
    expect(code, stderr).to.equal(0);
    expect(stdout.trimEnd().split('\n')).to.deep.equal([
      'eth0|1700000000.123456789|0x00000002|größer|2000|45|45',
      'wlan0|1700000001.123456789|0x00000001||53|47|47',
      'eth0|1700000002.123456789|||2000|47|43',
    ]);
    const again = [...parseCapture(readFileSync(to))];
    expect(again).to.deep.equal([...parseCapture(Buffer.concat(written))]);
  });
});
