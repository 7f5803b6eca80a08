import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { BcmSocket, CanRawSocket, formatFrame, IsotpSocket, J1939Socket } from '@sock/can';
import { type Step, Unavailable } from './step.js';

/** A virtual interface that somebody made: the tour sends nothing to the bus of a real machine. */
const SHARED = 'vcan0';

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
}

function addInterface(name: string): void {
  try {
    ip('link', 'add', name, 'type', 'vcan');
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || (error as Error).message).trim();
    const remedy = `run as root, with the module vcan loaded (modprobe vcan), or make one: ip link add ${SHARED} type vcan`;
    throw new Unavailable(`no virtual CAN interface could be made (${reason})`, remedy);
  }
  ip('link', 'set', name, 'mtu', '72', 'up');
}

// a virtual interface of its own for each step, gone at the end; without the right to make one, the shared one
async function withInterface<T>(socket: Disposable, body: (name: string) => Promise<T>): Promise<T> {
  using _opened = socket;
  if (process.getuid?.() !== 0 && existsSync(`/sys/devices/virtual/net/${SHARED}`)) return body(SHARED);
  const name = `sock-tour${process.pid % 100_000}`;
  addInterface(name);
  try {
    return await body(name);
  } finally {
    ip('link', 'delete', name);
  }
}

const raw: Step = {
  family: 'can raw',
  run: () =>
    withInterface(new CanRawSocket(), async (name) => {
      using bus = new CanRawSocket({ filters: [{ id: 0x100, mask: 0x700 }] });
      await bus.bind({ interface: '' });
      using other = new CanRawSocket();
      await other.bind({ interface: name });
      await other.sendFrames([{ id: 0x7ff }, { id: 0x123, data: Uint8Array.of(0xde, 0xad) }]);
      const { frame, interface: from, timestamp } = await bus.recvFrame();
      const time = new Date(Number((timestamp ?? 0n) / 1_000_000n)).toISOString();
      return `${formatFrame(frame)}, of two frames the one that passed the filter, from ${from} at ${time}`;
    }),
};

const fd: Step = {
  family: 'can FD',
  run: () =>
    withInterface(new CanRawSocket(), async (name) => {
      using bus = new CanRawSocket({ fd: true });
      await bus.bind({ interface: name });
      using other = new CanRawSocket({ fd: true });
      await other.bind({ interface: name });
      await other.sendFrame({ kind: 'fd', id: 0x18daf110, brs: true, data: Buffer.alloc(64, 0x55) });
      const { frame } = await bus.recvFrame();
      return `a frame of ${frame.data.length} bytes with bit rate switch, ${formatFrame(frame).slice(0, 19)}…`;
    }),
};

const cyclic: Step = {
  family: 'can BCM',
  run: () =>
    withInterface(new BcmSocket(), async (name) => {
      using watcher = new BcmSocket();
      await watcher.connect({ interface: name });
      watcher.rxSetup({ id: 0x123, mask: Uint8Array.of(0xff), timeout: 100 });
      using sender = new BcmSocket();
      await sender.connect({ interface: name });
      sender.txSetup({ frames: { id: 0x123, data: Uint8Array.of(7) }, interval: 5, count: 5 });
      const told: string[] = [];
      for await (const { kind } of watcher.events()) {
        told.push(kind);
        if (kind === 'RX_TIMEOUT') break;
      }
      return `the kernel sent a frame 5 times, every 5 ms, and told of the changed and the missing: ${told.join(', ')}`;
    }),
};

const isotp: Step = {
  family: 'can ISO-TP',
  run: () =>
    withInterface(new IsotpSocket(), async (name) => {
      using tester = new IsotpSocket({ txPadding: 0xcc });
      await tester.bind({ interface: name, txId: 0x7e0, rxId: 0x7e8 });
      using ecu = new IsotpSocket({ flowControl: { blockSize: 8 } });
      await ecu.bind({ interface: name, txId: 0x7e8, rxId: 0x7e0 });
      await tester.send(Uint8Array.of(0x22, 0xf1, 0x90));
      const request = (await ecu.recvPdu()).data;
      await ecu.transmit(Buffer.concat([Buffer.of(0x62), request.subarray(1), Buffer.from('WVWZZZ1JZXW000001')]));
      const { data } = await tester.recvPdu();
      return `request ${request.toString('hex')} → '${data.subarray(3)}', ${data.length} bytes in several frames`;
    }),
};

const j1939: Step = {
  family: 'can J1939',
  run: () =>
    withInterface(new J1939Socket(), async (name) => {
      using engine = new J1939Socket({ events: true });
      await engine.bind({ interface: name, address: 0x80 });
      using dashboard = new J1939Socket();
      await dashboard.bind({ interface: name, address: 0x17 });
      await engine.sendTo(Buffer.alloc(300, 1), { interface: name, pgn: 0xef00, address: 0x17 });
      const { data, pgn, source } = await dashboard.recvGroup();
      for await (const { kind, bytes } of engine.events()) {
        if (kind !== 'TX_ACK') continue;
        return `${data.length} bytes of group ${pgn} from address ${source.address}, ${bytes} of them acknowledged`;
      }
      throw new Error('the message was not acknowledged');
    }),
};

export const canSteps: readonly Step[] = [raw, fd, cyclic, isotp, j1939];
