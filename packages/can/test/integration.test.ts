import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import {
  BcmSocket,
  bcm,
  CAN_EFF_FLAG,
  CAN_ISOTP,
  CanRawSocket,
  canRaw,
  claimAddress,
  formatFrame,
  IsotpSocket,
  isotp,
  J1939Socket,
  j1939,
  packFrame,
  parseFrame,
} from '@sock/can';
import { type AddressFamily, Socket, type SocketOptions, soRcvBufForce } from '@sock/core';
import {
  type Child,
  cleaner,
  describeIf,
  pattern,
  python,
  rejection,
  scaled,
  startCommand,
  startPython,
  tempPath,
  thrown,
  within,
} from '@sock/testkit';
import { Network, networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { bus, canUtils, hasBcm, hasIsotp, hasJ1939, hasRaw, heard, wire } from './bus.js';

describeIf(
  [...hasRaw, ...hasBcm, ...hasIsotp, ...hasJ1939, networks],
  'sockets of another network namespace',
  function () {
    this.timeout(20_000);
    const own = cleaner();
    const elsewhere = (): SocketOptions & { interface: string } => {
      const network = own(new Network());
      network.vcan('vcan7');
      return { namespace: network.fd, interface: 'vcan7' };
    };

    it('send and receive there', async () => {
      const { namespace, interface: name } = elsewhere();
      const raw = own(new CanRawSocket({ namespace }));
      await raw.bind({ interface: name });
      const jobs = own(new BcmSocket({ namespace }));
      await jobs.connect({ interface: name });
      jobs.txSend({ id: 0x123, data: 'job' });
      expect(formatFrame((await within('a frame', raw.recvFrame())).frame)).to.equal('123#6A6F62');
      const isotp = own(new IsotpSocket({ namespace }));
      await isotp.bind({ interface: name, rxId: 0x7e8, txId: 0x7e0 });
      await isotp.send('pdu');
      expect(formatFrame((await within('a PDU', raw.recvFrame())).frame)).to.equal('7E0#03706475');
      const here = own(new CanRawSocket());
      expect(await rejection(here.bind({ interface: name }))).to.include({ code: 'ENODEV' });
    });

    it('claim an address there', async () => {
      const { namespace, interface: name } = elsewhere();
      const claim = own(await claimAddress({ namespace, interface: name, name: 1n, address: 40 }));
      expect(claim.address).to.equal(40);
      const station = own(new J1939Socket({ namespace }));
      await station.bind({ interface: name, name: 1n });
      expect(station.getsockname()).to.include({ interface: name, name: 1n });
    });

    it('need a descriptor of a namespace', () => {
      expect(thrown(() => new BcmSocket({ namespace: -1 }))).to.include({ argument: 'options.namespace' });
      expect(thrown(() => new CanRawSocket({ namespace: 0 }))).to.include({ code: 'EINVAL', syscall: 'setns' });
    });
  },
);

describeIf([...hasRaw, ...hasIsotp, ...hasJ1939], 'the kernel agrees with the codec', function () {
  this.timeout(20_000);
  const can = bus();

  const back = <A, I>(family: AddressFamily<A, I>, address: I): A => {
    using socket = new Socket(family);
    socket.bindSync(address);
    return socket.getsockname();
  };

  it('about what a socket is bound to', () => {
    expect(back(canRaw, { interface: '' })).to.deep.equal({ interface: '' });
    expect(back(canRaw, { interface: can.name })).to.deep.equal({ interface: can.name });
    for (const [rxId, txId] of [
      [0x7e8, 0x7e0],
      [0x18da10f1, 0x18daf110],
      [0x123 + CAN_EFF_FLAG, 0],
    ] as const) {
      const address = { interface: can.name, rxId, txId };
      expect(back(isotp, address)).to.deep.equal(address);
    }
    for (const rest of [
      { name: 0n, pgn: 0x40000, address: 0x20 },
      { name: 0x8123456789abcdefn, pgn: 0x40000, address: 0x21 },
      { name: 1n, pgn: 0x40000, address: 255 },
    ]) {
      const address = { interface: can.name, ...rest };
      expect(back(j1939, address)).to.deep.equal(address);
    }
  });

  it('about an unbound socket', () => {
    using socket = new Socket(canRaw);
    expect(socket.getsockname()).to.deep.equal({ interface: '' });
  });

  it('about types: errors say what is wrong', () => {
    expect(() => new Socket(canRaw, 2)).to.throw(/CAN_RAW has SOCK_RAW only/);
    expect(() => new Socket(bcm, 3)).to.throw(/CAN_BCM has SOCK_DGRAM only/);
    expect(() => new Socket(canRaw, 3, 6)).to.throw(/CAN_ISOTP has SOCK_DGRAM only/);
    expect(() => new Socket(canRaw, 2, 5)).to.throw(/CAN_RAW, CAN_BCM, CAN_ISOTP and CAN_J1939/);
  });

  it('adopted sockets are read from the kernel', () => {
    using first = new IsotpSocket();
    using adopted = Socket.adopt(first.detach(), isotp);
    // the kernel keeps no protocol of such sockets: it is the one that the family implies
    expect(adopted).to.include({ type: 2, protocol: CAN_ISOTP });
    adopted.bindSync({ interface: can.name, rxId: 1, txId: 2 });
    expect(adopted.getsockname()).to.deep.equal({ interface: can.name, rxId: 1, txId: 2 });
  });
});

describeIf([...hasRaw, canUtils], 'can-utils', function () {
  this.timeout(30_000);
  const can = bus(72);
  const cable = wire();
  const own = cleaner();

  // their output is to come as they write it, though it goes into a pipe
  const start = (command: string, ...args: string[]): Child => own(startCommand('stdbuf', ['-oL', command, ...args]));

  function open(name = can.name): CanRawSocket {
    const socket = own(new CanRawSocket({ fd: true }));
    // no frame is to be lost only because this process is slow
    socket.setOption(soRcvBufForce, 8_000_000);
    socket.bindSync({ interface: name });
    socket.timeout = scaled(5000);
    return socket;
  }

  const samples = [
    '123#',
    '7FF#0102030405060708',
    '00000123#AB',
    '1FFFFFFF#DEADBEEF',
    '123#R',
    '12345678#R8',
    `123##1${'5A'.repeat(64)}`,
    '123##0',
    `12345678##3${'00'.repeat(12)}`,
  ];

  // what a log has, but for the frame that told that it is written
  const framesIn = (log: string): string[] =>
    log
      .split('\n')
      .flatMap((line) => line.split(' ')[2] ?? [])
      .filter((text) => text !== '7FF#FF')
      // the kernel marks frames of CAN FD, and candump shows the mark
      .map((text) => formatFrame(parseFrame(text)));

  it('candump reads what is sent', async () => {
    const bus = open();
    const dump = start('candump', '-L', can.name);
    await heard(dump, '7FF#FF', () => bus.sendFrame(parseFrame('7FF#FF')));
    await bus.sendFrames([...samples, '001#'].map(parseFrame));
    await dump.says('001#\n');
    dump.kill();
    const { stdout } = await dump.outcome;
    expect(framesIn(stdout).slice(0, -1)).to.deep.equal(samples);
    expect(stdout.split('\n')[0]).to.include(can.name);
  });

  it('candump shows error frames', async () => {
    const bus = open();
    const dump = start('candump', '-e', `${can.name},0:0,#FFFFFFFF`);
    await heard(dump, '7FF', () => bus.sendFrame({ id: 0x7ff }));
    await bus.sendFrame({ kind: 'error', classes: 0x44, data: Uint8Array.of(0, 0x30) });
    await dump.says('ERRORFRAME');
    await dump.says('bus-off');
    await dump.says('error-passive');
  });

  it('cansend sends what is read', async () => {
    const bus = open();
    for (const text of samples) {
      await start('cansend', can.name, text).succeeded();
      expect(formatFrame((await bus.recvFrame()).frame)).to.equal(text);
    }
  });

  it('cangen: a thousand frames, none of them lost or changed', async () => {
    const bus = open();
    const args = ['-g', '0', '-n', '1000', '-I', 'i', '-L', '8', '-D', 'i', '-p', '10', can.name];
    const generator = start('cangen', ...args);
    for (let i = 0; i < 1000; ) {
      for (const { frame, dropped } of await bus.recvFrames()) {
        expect(dropped).to.equal(0);
        if (frame.kind !== 'classic') throw new Error(frame.kind);
        expect(frame.id).to.equal(i % 0x800);
        expect(frame.data.readBigUInt64LE()).to.equal(BigInt(i));
        i++;
      }
    }
    await generator.succeeded();
  });

  it('cangen: frames of all kinds are those that candump saw', async () => {
    const bus = open();
    const dump = start('candump', '-L', '-n', '201', can.name);
    await heard(dump, '7FF#FF', () => bus.sendFrame(parseFrame('7FF#FF')));
    const seen: string[] = [];
    const generator = start('cangen', '-g', '0', '-n', '200', '-m', '-e', '-R', can.name);
    const more = (async () => {
      while (seen.length < 100) for (const { frame } of await bus.recvFrames()) seen.push(formatFrame(frame));
    })();
    await generator.succeeded();
    await within('frames', more, 10_000);
    await dump.outcome;
    const { stdout } = await dump.outcome;
    expect(framesIn(stdout).slice(0, 100)).to.deep.equal(seen.slice(0, 100));
  });

  it('canfdtest: this library is the device under test', async () => {
    const device = open(cable.right);
    const echo = (async () => {
      for await (const { frame } of device.frames()) {
        if (frame.kind !== 'classic') throw new Error(frame.kind);
        await device.sendFrame({ ...frame, id: frame.id + 1, data: frame.data.map((byte) => (byte + 1) & 0xff) });
      }
    })();
    const host = start('canfdtest', '-g', '-l', '200', cable.left);
    const { code, stdout, stderr } = await host.outcome;
    expect(code, stdout + stderr).to.equal(0);
    device.close();
    await echo;
  });

  it('canfdtest: this library tests the device', async () => {
    start('canfdtest', cable.right);
    const host = open(cable.left);
    const echoed = async (value: number): Promise<boolean> => {
      await host.sendFrame({ id: 0x77, data: Buffer.alloc(8, value) });
      try {
        const { frame } = await host.recvFrame({ timeout: 50 });
        expect(frame).to.deep.include({ id: 0x78, data: Buffer.alloc(8, value + 1) });
        return true;
      } catch (error) {
        expect(error).to.include({ code: 'ETIMEDOUT' });
        return false;
      }
    };
    while (!(await echoed(1)));
    host.timeout = scaled(2000);
    for (let value = 2; value < 50; value++) {
      await host.sendFrame({ id: 0x77, data: Buffer.alloc(8, value) });
      let { frame } = await host.recvFrame();
      while (frame.data[0] === 2) ({ frame } = await host.recvFrame());
      expect(frame.data[0]).to.equal(value + 1);
    }
  });

  describeIf(hasIsotp, 'ISO-TP', () => {
    const hex = (data: Buffer): string =>
      data
        .toString('hex')
        .toUpperCase()
        .replace(/..(?=.)/g, '$& ');

    it('isotprecv receives what is sent', async () => {
      const receiver = start('isotprecv', '-s', '7E8', '-d', '7E0', '-l', '-b', '4', can.name);
      const socket = own(new IsotpSocket());
      await socket.bind({ interface: can.name, rxId: 0x7e8, txId: 0x7e0 });
      await heard(receiver, '00', () => socket.send(Buffer.of(0)));
      const long = pattern(300);
      await socket.transmit(long);
      await receiver.says(hex(long));
    });

    it('isotpsend sends what is received, with padding and CAN FD', async () => {
      for (const [args, options] of [
        [[], {}],
        [['-p', 'AA'], {}],
        [['-x', '11'], { extAddress: 0x11 }],
        [['-L', '72:64:0'], { linkLayer: { mtu: 72 } }],
      ] as const) {
        using socket = new IsotpSocket(options);
        await socket.bind({ interface: can.name, rxId: 0x7e0, txId: 0x7e8 });
        const sent = pattern(200, 3);
        const sender = startCommand('isotpsend', ['-s', '7E0', '-d', '7E8', ...args, can.name], {
          input: `${hex(sent)}\n`,
        });
        const { data } = await socket.recvPdu({ timeout: scaled(5000) });
        expect(data.equals(sent), args.join(' ')).to.equal(true);
        await sender.succeeded();
      }
    });
  });

  describeIf(hasJ1939, 'J1939', () => {
    it('j1939cat receives what is sent, and sends what is received', async () => {
      const socket = own(new J1939Socket());
      await socket.bind({ interface: can.name, address: 0x80 });
      const receiver = start('j1939cat', `${can.name}:0x90`, '-r');
      await heard(receiver, 'ready', () =>
        socket.sendTo('ready', { interface: can.name, address: 0x90, pgn: 0x12300 }),
      );
      const text = 'a long message '.repeat(40);
      await socket.sendTo(text, { interface: can.name, address: 0x90, pgn: 0x12300 });
      await receiver.says(text);
      receiver.kill();
      await receiver.outcome;

      const file = tempPath('.txt');
      writeFileSync(file, text);
      const sender = start('j1939cat', '-i', file, `${can.name}:0x90`, ':0x80,0x12300');
      const received = await socket.recvGroup({ timeout: scaled(10_000) });
      expect(received.data.toString()).to.equal(text);
      expect(received).to.deep.include({ pgn: 0x12300, source: { address: 0x90, name: 0n } });
      await sender.outcome;
    });

    it('testj1939 too', async () => {
      const socket = own(new J1939Socket());
      await socket.bind({ interface: can.name, address: 0x81 });
      await start('testj1939', '-s20', `${can.name}:0x91`, ':0x81,0x12300').outcome;
      const { data, source } = await socket.recvGroup({ timeout: scaled(5000) });
      expect(data).to.have.length(20);
      expect(source.address).to.equal(0x91);
      const receiver = start('testj1939', '-r', `${can.name}:0x92`);
      await heard(receiver, '68 69', () => socket.sendTo('hi', { interface: can.name, address: 0x92, pgn: 0x12300 }));
    });

    it('j1939acd gives way to a stronger name, and defends against a weaker', async () => {
      const last = own(new J1939Socket({ promiscuous: true }));
      await last.bind({ interface: can.name, address: 0xf0 });
      const daemon = start(
        'j1939acd',
        '-a',
        '70',
        '-r',
        '70-75',
        '-c',
        tempPath('.jacd'),
        '0000000000000100',
        can.name,
      );
      const holder = async (): Promise<number> => {
        for (;;) {
          const { pgn, data, source } = await last.recvGroup({ timeout: scaled(10_000) });
          if (pgn === 0xee00 && data.readBigUInt64LE() === 0x100n) return source.address;
        }
      };
      expect(await holder()).to.equal(70);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const weak = await rejection(claimAddress({ interface: can.name, name: 0x200n, address: 70 }));
      expect(weak).to.include({ code: 'EADDRINUSE' });
      const strong = own(await claimAddress({ interface: can.name, name: 0x50n, address: 70 }));
      expect(strong.address).to.equal(70);
      let address = 70;
      while (address === 70) address = await holder();
      expect(address).to.be.within(71, 75);
      daemon.kill();
      // the kernel must have done with its claim before its last socket is closed
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
  });

  describeIf(hasBcm, 'CAN_BCM', () => {
    it('bcmserver and BcmSocket hear each other', async () => {
      const server = start('bcmserver');
      const connection = await connectTo(28_600);
      const lines: string[] = [];
      connection.setEncoding('latin1').on('data', (chunk: string) => lines.push(...(chunk.match(/<[^>]*>/g) ?? [])));
      const until = async (line: string, nudge: () => void): Promise<void> => {
        while (!lines.some((one) => one.includes(line))) {
          nudge();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      connection.write(`< ${can.name} R 0 0 123 1 FF >`);
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: can.name });
      let value = 0;
      await within(
        'a change',
        until(`${can.name} 123 1 `, () => jobs.txSend({ id: 0x123, data: Buffer.of(value++) })),
      );
      jobs.rxSetup({ id: 0x456 });
      connection.write(`< ${can.name} A 0 10000 456 2 11 22 >`);
      for (let i = 0; i < 3; i++) {
        const event = await jobs.recvEvent({ timeout: scaled(5000) });
        expect(event).to.include({ kind: 'RX_CHANGED', id: 0x456 });
        expect(event).to.have.nested.property('frame.data').that.deep.equals(Buffer.of(0x11, 0x22));
      }
      connection.destroy();
      server.kill();
    });
  });
});

async function connectTo(port: number): Promise<net.Socket> {
  for (;;) {
    const connection = net.connect(port, '127.0.0.1');
    try {
      await once(connection, 'connect');
      return connection;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describeIf([...hasRaw, python], 'CPython', function () {
  this.timeout(30_000);
  const can = bus(72);
  const own = cleaner();

  const start = (source: string): Child => own(startPython(source, [can.name]));

  it('raw frames, both ways', async () => {
    const program = `
import socket, sys
s = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
s.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
s.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_RECV_OWN_MSGS, 0)
s.bind((sys.argv[1],))
print('ready')
for _ in range(2):
    data, address = s.recvfrom(100)
    print(address[0], data.hex())
    s.send(data)
`;
    const peer = start(program);
    expect(await peer.line()).to.equal('ready');
    const bus = own(new CanRawSocket({ fd: true }));
    await bus.bind({ interface: can.name });
    bus.timeout = scaled(5000);
    for (const text of ['12345678#0102030405060708', `123##1${'07'.repeat(64)}`]) {
      await bus.sendFrame(parseFrame(text));
      expect(await peer.line()).to.equal(`${can.name} ${packFrame(parseFrame(text)).toString('hex')}`);
      expect(formatFrame((await bus.recvFrame()).frame)).to.equal(text);
    }
    await peer.succeeded();
  });

  describeIf(hasBcm, 'CAN_BCM', () => {
    it('a job of ours is one of its own, as bytes', async () => {
      const program = `
import socket, struct, sys
s = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_BCM)
s.connect((sys.argv[1],))
frame = struct.pack('=IB3x8s', 0x321, 2, b'py')
head = struct.Struct('@3I4l2I0l')
s.send(head.pack(socket.CAN_BCM_TX_SETUP, socket.CAN_BCM_SETTIMER | socket.CAN_BCM_STARTTIMER, 0, 0, 0, 0, 10000, 0x321, 1) + frame)
s.send(head.pack(socket.CAN_BCM_RX_SETUP, socket.CAN_BCM_RX_FILTER_ID, 0, 0, 0, 0, 0, 0x111, 0))
print('ready')
data = s.recv(1000)
print(head.unpack(data[:head.size])[0] == socket.CAN_BCM_RX_CHANGED, data[head.size:].hex())
`;
      const peer = start(program);
      expect(await peer.line()).to.equal('ready');
      const jobs = own(new BcmSocket());
      await jobs.connect({ interface: can.name });
      jobs.rxSetup({ id: 0x321 });
      const event = await jobs.recvEvent({ timeout: scaled(5000) });
      expect(event).to.have.nested.property('frame.data').that.deep.equals(Buffer.from('py'));
      const frame = { id: 0x111, data: 'js' };
      jobs.txSetup({ frames: frame, interval: 10 });
      expect(await peer.line()).to.equal(`True ${packFrame(frame).toString('hex')}`);
      await peer.succeeded();
    });
  });

  describeIf(hasIsotp, 'CAN_ISOTP', () => {
    it('both ways', async () => {
      const peer = start(`
import socket, sys
s = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP)
s.bind((sys.argv[1], 0x7e0, 0x7e8))
print('ready')
s.send(s.recv(5000)[::-1])
`);
      expect(await peer.line()).to.equal('ready');
      const socket = own(new IsotpSocket());
      await socket.bind({ interface: can.name, rxId: 0x7e8, txId: 0x7e0 });
      const sent = pattern(1000);
      await socket.send(sent);
      const { data } = await socket.recvPdu({ timeout: scaled(5000) });
      expect(Buffer.from(data.reverse()).equals(sent)).to.equal(true);
      await peer.succeeded();
    });
  });

  describeIf(hasJ1939, 'CAN_J1939', () => {
    it('both ways', async () => {
      const peer = start(`
import socket, sys
s = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_J1939)
s.bind((sys.argv[1], socket.J1939_NO_NAME, socket.J1939_NO_PGN, 0x20))
print('ready')
data, address = s.recvfrom(5000)
print(address)
s.sendto(data[::-1], (sys.argv[1], address[1], 0x1f00, address[3]))
`);
      expect(await peer.line()).to.equal('ready');
      const socket = own(new J1939Socket());
      await socket.bind({ interface: can.name, address: 0x21 });
      const sent = pattern(100);
      await socket.sendTo(sent, { interface: can.name, address: 0x20, pgn: 0x1e00 });
      expect(await peer.line()).to.match(/0, 7680, 33\)$/);
      const { data, pgn } = await socket.recvGroup({ timeout: scaled(5000) });
      expect(pgn).to.equal(0x1f00);
      expect(Buffer.from(data.reverse()).equals(sent)).to.equal(true);
      await peer.succeeded();
    });
  });
});
