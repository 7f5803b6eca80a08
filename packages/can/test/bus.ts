import { bcm, CAN_BCM, CAN_ISOTP, CAN_J1939, CAN_RAW, CanRawSocket, canRaw, isotp, j1939 } from '@sock/can';
import { AF_CAN, type SocketInfo } from '@sock/core';
import {
  type Capability,
  type Child,
  capability,
  delay,
  familyCapability,
  probe,
  scaled,
  socketInfo,
} from '@sock/testkit';
import { addVcan, addVxcan, removeLink } from '@sock/testkit/network';

// Programs that talk CAN share interfaces: each test file makes its own, which only root may.

function protocol(name: string, family: { type?: number }, number: number, module: string): Capability {
  const { type = 0 } = family;
  return familyCapability({ name, remedy: `modprobe ${module}`, domain: AF_CAN, type, protocol: number });
}

const virtual = probe('root');

export const hasRaw = [protocol('AF_CAN', canRaw, CAN_RAW, 'can_raw'), virtual];
export const hasBcm = [protocol('CAN_BCM', bcm, CAN_BCM, 'can_bcm'), virtual];
export const hasIsotp = [protocol('CAN_ISOTP', isotp, CAN_ISOTP, 'can_isotp'), virtual];
export const hasJ1939 = [protocol('CAN_J1939', j1939, CAN_J1939, 'can_j1939'), virtual];

/** Programs of can-utils. */
export const canUtils = probe('command:cansend');

let serial = 0;

/** A name for an interface that this process has not used yet. */
export function freshName(): string {
  return `tcan${process.pid % 10_000}x${++serial}`;
}

/** Bytes of the largest frame that an interface takes: of CAN 2.0, CAN FD, CAN XL. */
export type Mtu = 16 | 72 | 2060;

/** Makes a virtual CAN interface, and takes it up. */
export function addInterface(mtu: Mtu = 72): string {
  const name = freshName();
  addVcan(name, mtu);
  return name;
}

export function removeInterface(name: string): void {
  removeLink(name);
}

/** Waits until frames come with times: the kernel turns those on from a work queue. */
async function timed(name: string): Promise<void> {
  using sender = new CanRawSocket();
  sender.bindSync({ interface: name });
  using receiver = new CanRawSocket();
  receiver.bindSync({ interface: name });
  const end = performance.now() + scaled(5000);
  for (;;) {
    sender.sendFrameSync({ id: 0 });
    if ((await receiver.recvFrame()).timestamp !== null) return;
    if (performance.now() > end) throw new Error('frames come without times');
    await delay(1);
  }
}

/** A virtual CAN interface for the tests of a suite, whose frames have times. */
export function bus(mtu: Mtu = 72): { name: string } {
  const made = { name: '' };
  let keeper: CanRawSocket | undefined;
  before(async function (this: Mocha.Context) {
    this.timeout(scaled(20_000));
    made.name = addInterface(mtu);
    // times stay on while a socket asks for them; not bound, it receives nothing itself
    keeper = new CanRawSocket();
    await timed(made.name);
  });
  after(() => {
    keeper?.close();
    removeInterface(made.name);
  });
  return made;
}

/** Two virtual interfaces joined by a wire (vxcan): what goes into one comes out of the other. */
export function wire(): { left: string; right: string } {
  const made = { left: '', right: '' };
  before(function (this: Mocha.Context) {
    this.timeout(scaled(20_000));
    made.left = freshName();
    made.right = freshName();
    addVxcan(made.left, made.right);
  });
  after(() => removeInterface(made.left));
  return made;
}

/** What a codec may ask, without a kernel: interfaces can0 to can9 have the indexes 1 to 10. */
export const info: SocketInfo = socketInfo(AF_CAN, {
  interfaces: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`can${i}`, i + 1])),
});

/** Expected bytes are written down for one kind of processor. */
export const littleEndian64 = capability({
  name: 'little-endian 64-bit processor',
  remedy: 'run on x64 or arm64',
  probe: () => ['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch),
});

/**
 * Waits until a program that listens has heard of something: `nudge` is done again and again until
 * `sign` is in what it says. Programs of can-utils do not tell when they are ready.
 */
export async function heard(child: Child, sign: string, nudge: () => unknown): Promise<void> {
  let done = false;
  const said = child.says(sign).finally(() => {
    done = true;
  });
  while (!done) {
    await nudge();
    await Promise.race([said, delay(20)]);
  }
  await said;
}
