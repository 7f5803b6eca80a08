import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  BTPROTO_HCI,
  BTPROTO_RFCOMM,
  BTPROTO_SCO,
  hci,
  hciDeviceInfo,
  hciDevices,
  hciDeviceUp,
  hciSetScan,
  hciSetScoMtu,
  type L2capAddress,
  l2cap,
  MgmtSocket,
  mgmtReadIndexList,
  SCAN_PAGE,
} from '@sock/bluetooth';
import {
  type AddressFamily,
  AF_ALG,
  AF_BLUETOOTH,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  type SocketInfo,
} from '@sock/core';
import { type Child, capability, delay, familyCapability, probe, scaled, startCommand } from '@sock/testkit';

// Controllers are of the whole machine: each test file makes its own, which only root may.

function protocol(name: string, number: number, type: number, module: string) {
  return familyCapability({ name, remedy: `modprobe ${module}`, domain: AF_BLUETOOTH, type, protocol: number });
}

const vhci = capability({
  name: '/dev/vhci',
  remedy: 'modprobe hci_vhci',
  probe: () => existsSync('/dev/vhci'),
});

export const hasHci = [probe('root'), protocol('AF_BLUETOOTH', BTPROTO_HCI, SOCK_RAW, 'bluetooth')];
export const hasRfcomm = protocol('BTPROTO_RFCOMM', BTPROTO_RFCOMM, SOCK_STREAM, 'rfcomm');
export const hasSco = protocol('BTPROTO_SCO', BTPROTO_SCO, SOCK_SEQPACKET, 'bluetooth');
/** Kernel and privileges for a virtual controller. */
export const hasVhci = [...hasHci, vhci];
/** Two virtual controllers of BlueZ. */
export const hasBtvirt = [...hasVhci, probe('AF_ALG'), probe('command:btvirt')];

/** A controller of a test. */
export interface Controller {
  device: number;
  address: string;
}

/** Waits until something is there. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const limit = performance.now() + scaled(5000);
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > limit) throw new Error(`${what}: not there in time`);
    await delay(20);
  }
}

/** `struct sockaddr_alg`, as far as a cipher needs to be named. */
const cipher: AddressFamily<readonly [type: string, name: string]> = {
  name: 'alg',
  domain: AF_ALG,
  encode([type, name], into) {
    into.set(Buffer.from(type), 2);
    into.set(Buffer.from(name), 24);
    return 88;
  },
  decode: () => ['', ''],
  format: ([, name]) => name,
};

/**
 * What the emulator asks of the kernel between making a controller and answering it: on a machine where modules
 * load slowly that takes longer than the kernel waits for the first answer.
 */
function loadCiphers(): void {
  for (const wanted of [
    ['skcipher', 'ecb(aes)'],
    ['hash', 'cmac(aes)'],
  ] as const) {
    using socket = new Socket(cipher, SOCK_SEQPACKET);
    socket.bindSync(wanted);
  }
}

/** Two controllers of BlueZ's emulator that reach each other, up and connectable. */
export class Controllers {
  first: Controller = { device: -1, address: '' };
  second: Controller = { device: -1, address: '' };
  #emulator: Child | undefined;

  async start(): Promise<this> {
    loadCiphers();
    const before = hciDevices();
    this.#emulator = startCommand('btvirt', ['-l2'], { timeout: 600_000 });
    const added = await until('two controllers', () => {
      const devices = hciDevices().filter((device) => !before.includes(device));
      return devices.length === 2 && devices;
    });
    const [first, second] = await Promise.all(added.map(takeUp));
    if (first === undefined || second === undefined) throw new Error('no controllers');
    this.first = first;
    this.second = second;
    return this;
  }

  /** Ends the emulator: its controllers are removed. */
  async stop(): Promise<void> {
    await this.#emulator?.[Symbol.asyncDispose]();
    this.#emulator = undefined;
    const own = [this.first.device, this.second.device];
    await until('the end of the controllers', () => !hciDevices().some((device) => own.includes(device)));
  }
}

/** Waits until the kernel has got to know a new controller: what takes it up before then is in its way. */
export async function known(device: number): Promise<void> {
  using mgmt = new MgmtSocket();
  await until('a controller that the kernel knows', () => mgmt.commandSync(mgmtReadIndexList).includes(device));
}

async function takeUp(device: number): Promise<Controller> {
  await known(device);
  hciDeviceUp(device);
  hciSetScan(device, SCAN_PAGE);
  hciSetScoMtu(device, 64, 8);
  return { device, address: hciDeviceInfo(device).address };
}

/** Two controllers for the tests of a suite. */
export function controllers(): Controllers {
  const made = new Controllers();
  before(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    await made.start();
  });
  after(async function (this: Mocha.Context) {
    this.timeout(scaled(30_000));
    await made.stop();
  });
  return made;
}

let serial = 0;

/** A PSM of BR/EDR that this process has not used yet. */
export function freshPsm(): number {
  const number = serial++ % 0x3fff;
  // odd, with an even upper byte
  return 0x1001 + ((number & 0x7f) << 1) + ((number >> 7) << 9);
}

/** Two connected sockets, the first on the first controller. */
export async function l2capPair(
  { first, second }: Controllers,
  options: { type?: number; setUp?: (socket: Socket<L2capAddress, object>) => void } = {},
): Promise<[Socket<L2capAddress, object>, Socket<L2capAddress, object>]> {
  const { type, setUp } = options;
  using server = new Socket(l2cap, type);
  const client = new Socket(l2cap, type);
  const address = { address: second.address, psm: freshPsm() };
  for (const socket of [server, client]) setUp?.(socket);
  await server.bind(address);
  server.listen(1);
  await client.bind({ address: first.address });
  const [{ socket }] = await Promise.all([server.accept(), client.connect(address)]);
  return [client, socket];
}

/** What a codec may ask; those of Bluetooth ask nothing. */
export const info: SocketInfo = {
  domain: AF_BLUETOOTH,
  type: SOCK_RAW,
  protocol: BTPROTO_HCI,
  interfaceIndex: () => 0,
  interfaceName: () => undefined,
};

/** A socket of the channel raw, bound to a controller. */
export function rawSocket(device: number): Socket<unknown, unknown> {
  const socket = new Socket(hci);
  socket.bindSync({ device });
  return socket as unknown as Socket<unknown, unknown>;
}

/** Sets a parameter of the kernel's module until it is disposed of. */
export function parameter(name: string, value: string): { readonly value: string } & Disposable {
  const file = `/sys/module/bluetooth/parameters/${name}`;
  const before = readFileSync(file, 'utf8').trim();
  writeFileSync(file, value);
  return {
    value: readFileSync(file, 'utf8').trim(),
    [Symbol.dispose]: () => writeFileSync(file, before),
  };
}
