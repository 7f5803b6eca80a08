import {
  ACL_LINK,
  ba2str,
  ESCO_LINK,
  EVT_AUTH_COMPLETE,
  EVT_CMD_COMPLETE,
  EVT_CMD_STATUS,
  EVT_CONN_COMPLETE,
  EVT_CONN_REQUEST,
  EVT_DISCONN_COMPLETE,
  EVT_INQUIRY_COMPLETE,
  EVT_INQUIRY_RESULT,
  EVT_NUM_COMP_PKTS,
  EVT_READ_REMOTE_FEATURES_COMPLETE,
  EVT_REMOTE_NAME_REQ_COMPLETE,
  EVT_SYNC_CONN_COMPLETE,
  HCI_CONNECTION_TERMINATED,
  HCI_OE_USER_ENDED_CONNECTION,
  HCI_PAGE_TIMEOUT,
  HCI_PIN_OR_KEY_MISSING,
  HCI_REJECTED_PERSONAL,
  hciDevices,
  MgmtSocket,
  mgmtSetConnectable,
  mgmtSetPowered,
  packHciPacket,
  SCO_LINK,
  str2ba,
  unpackHciPacket,
} from '@sock/bluetooth';
import { type AddressFamily, AF_UNIX, SOCK_SEQPACKET, Socket } from '@sock/core';
import { type Child, startCommand } from '@sock/testkit';
import { type Controller, known, until } from './controllers.js';

// Controllers of this process, for what BlueZ's emulator does not do: voice is accepted, and they can misbehave.
// /dev/vhci gives and takes one packet at a time, which socat carries from and to a socket.

const unnamed: AddressFamily<null> = {
  name: 'vhci',
  domain: AF_UNIX,
  encode: () => 2,
  decode: () => null,
  format: () => '',
};

/** Opcodes. Source: Bluetooth Core Specification, 4.E, 7. */
const INQUIRY = 0x0401;
const CREATE_CONNECTION = 0x0405;
const DISCONNECT = 0x0406;
const ADD_SCO = 0x0407;
const ACCEPT_CONNECTION = 0x0409;
const REJECT_CONNECTION = 0x040a;
const AUTHENTICATE = 0x0411;
const REMOTE_NAME = 0x0419;
const REMOTE_FEATURES = 0x041b;
const SETUP_SYNCHRONOUS = 0x0428;
const ACCEPT_SYNCHRONOUS = 0x0429;
const REJECT_SYNCHRONOUS = 0x042a;
const WRITE_SCAN = 0x0c1a;
const READ_VERSION = 0x1001;
const READ_FEATURES = 0x1003;
const READ_BUFFERS = 0x1005;
const READ_ADDRESS = 0x1009;

// voice, plain and enhanced; no pairing
const FEATURES = Buffer.from([0x03, 0x08, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00]);
const VERSION = Buffer.from([0x06, 0x00, 0x00, 0x06, 0xff, 0xff, 0x00, 0x00]);
/** 192 bytes of data, 64 of voice, 8 packets of each. */
const BUFFERS = Buffer.from([192, 0, 64, 8, 0, 8, 0]);

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

interface Link {
  handle: number;
  type: number;
  peer: VirtualController;
}

/** What controllers hear each other through. */
export class Air {
  readonly controllers: VirtualController[] = [];

  /** A controller that is up and connectable. */
  async add(): Promise<VirtualController> {
    const controller = new VirtualController(
      this,
      ba2str(Buffer.from([this.controllers.length + 1, 0, 0, 0xc0, 0x5c, 0])),
    );
    this.controllers.push(controller);
    await controller.start();
    return controller;
  }

  async stop(): Promise<void> {
    for (const controller of this.controllers.splice(0)) await controller.remove();
  }
}

/** A controller. */
export class VirtualController implements Controller {
  device = -1;
  /** Takes commands and does not answer. */
  mute = false;
  /** Commands of these opcodes get this as their answer: the bytes of a packet. */
  readonly answers = new Map<number, Buffer>();
  /** Commands that came, by opcode. */
  readonly commands: number[] = [];
  readonly #links = new Map<number, Link>();
  readonly #air: Air;
  #socket: Socket<null, null> | undefined;
  #bridge: Child | undefined;
  #connectable = false;
  #serial = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(
    air: Air,
    readonly address: string,
  ) {
    this.#air = air;
  }

  async start(): Promise<void> {
    const before = hciDevices();
    const [own, other] = Socket.pair(unnamed, SOCK_SEQPACKET);
    this.#socket = own;
    this.#bridge = startCommand('socat', ['-b', '4096', 'OPEN:/dev/vhci,nonblock', 'FD:3'], {
      descriptors: [other.fileno()],
      timeout: 600_000,
    });
    other.close();
    // a controller of BR/EDR
    own.sendSync(Buffer.from([0xff, 0x00]));
    this.#running = this.#serve(own);
    await until('a controller', () => hciDevices().some((device) => !before.includes(device)));
    this.device = hciDevices().find((device) => !before.includes(device)) as number;
    await known(this.device);
    using mgmt = new MgmtSocket();
    const options = { device: this.device };
    await mgmt.command(mgmtSetPowered, true, options);
    await mgmt.command(mgmtSetConnectable, true, options);
  }

  /** Pulls the plug: the kernel removes the controller. */
  async remove(): Promise<void> {
    this.#socket?.close();
    await this.#running;
    await this.#bridge?.[Symbol.asyncDispose]();
    this.#bridge = undefined;
    await until('the end of a controller', () => !hciDevices().includes(this.device));
  }

  /** Gives the kernel bytes that the controller is to have sent. */
  inject(bytes: Uint8Array): void {
    // a controller that was removed says nothing any more
    if (this.#socket?.closed === false) this.#socket.trySend(bytes);
  }

  async #serve(socket: Socket<null, null>): Promise<void> {
    for await (const { data } of socket.messages(4096)) {
      // the end of the bridge
      if (data.length === 0) return;
      const packet = unpackHciPacket(data);
      if (packet?.type === 'command') this.#command(packet.opcode, packet.parameters);
      else if (packet?.type === 'acl') {
        this.#forward(packet.handle, (handle) => packHciPacket({ ...packet, handle }));
        this.event(EVT_NUM_COMP_PKTS, Buffer.of(1), u16(packet.handle), u16(1));
      } else if (packet?.type === 'sco') this.#forward(packet.handle, (handle) => packHciPacket({ ...packet, handle }));
    }
  }

  #forward(handle: number, pack: (handle: number) => Buffer): void {
    const link = this.#links.get(handle);
    // both ends have the same number
    if (link !== undefined) link.peer.inject(pack(handle));
  }

  event(code: number, ...parameters: Uint8Array[]): void {
    this.inject(packHciPacket({ type: 'event', code, parameters: Buffer.concat(parameters) }));
  }

  #complete(opcode: number, result: Uint8Array = Buffer.alloc(248)): void {
    this.event(EVT_CMD_COMPLETE, Buffer.of(1), u16(opcode), Buffer.of(0), result);
  }

  #begun(opcode: number): void {
    this.event(EVT_CMD_STATUS, Buffer.of(0, 1), u16(opcode));
  }

  #command(opcode: number, p: Buffer): void {
    this.commands.push(opcode);
    if (this.mute) return;
    const answer = this.answers.get(opcode);
    const act = this.#acts[opcode];
    if (answer !== undefined) this.inject(answer);
    else if (act !== undefined) act(p);
    else this.#complete(opcode);
  }

  readonly #acts: Record<number, (p: Buffer) => void> = {
    [READ_VERSION]: () => this.#complete(READ_VERSION, VERSION),
    [READ_FEATURES]: () => this.#complete(READ_FEATURES, FEATURES),
    [READ_BUFFERS]: () => this.#complete(READ_BUFFERS, BUFFERS),
    [READ_ADDRESS]: () => this.#complete(READ_ADDRESS, str2ba(this.address)),
    [WRITE_SCAN]: (p) => {
      this.#connectable = ((p[0] as number) & 2) !== 0;
      this.#complete(WRITE_SCAN, Buffer.alloc(0));
    },
    [INQUIRY]: () => {
      this.#begun(INQUIRY);
      for (const { address } of this.#air.controllers) {
        // mode of paging, class, clock
        if (address !== this.address) this.event(EVT_INQUIRY_RESULT, Buffer.of(1), str2ba(address), Buffer.alloc(8));
      }
      this.event(EVT_INQUIRY_COMPLETE, Buffer.of(0));
    },
    // nothing is paired with anything here
    [AUTHENTICATE]: (p) => {
      this.#begun(AUTHENTICATE);
      this.event(EVT_AUTH_COMPLETE, Buffer.of(HCI_PIN_OR_KEY_MISSING), p.subarray(0, 2));
    },
    [CREATE_CONNECTION]: (p) => {
      this.#begun(CREATE_CONNECTION);
      const peer = this.#air.controllers.find(({ address }) => address === ba2str(p.subarray(0, 6)));
      if (peer === undefined || !peer.#connectable) this.#connected(HCI_PAGE_TIMEOUT, 0, p.subarray(0, 6), ACL_LINK);
      else peer.#requested(this, ACL_LINK);
    },
    [ADD_SCO]: (p) => {
      this.#begun(ADD_SCO);
      this.#ask(p, SCO_LINK);
    },
    [SETUP_SYNCHRONOUS]: (p) => {
      this.#begun(SETUP_SYNCHRONOUS);
      this.#ask(p, ESCO_LINK);
    },
    [ACCEPT_CONNECTION]: (p) => this.#accept(ACCEPT_CONNECTION, p),
    [ACCEPT_SYNCHRONOUS]: (p) => this.#accept(ACCEPT_SYNCHRONOUS, p),
    [REJECT_CONNECTION]: (p) => this.#reject(REJECT_CONNECTION, p),
    [REJECT_SYNCHRONOUS]: (p) => this.#reject(REJECT_SYNCHRONOUS, p),
    [DISCONNECT]: (p) => {
      this.#begun(DISCONNECT);
      const handle = p.readUInt16LE(0);
      const link = this.#links.get(handle);
      if (link === undefined) return;
      this.#links.delete(handle);
      link.peer.#links.delete(handle);
      this.event(EVT_DISCONN_COMPLETE, Buffer.of(0), u16(handle), Buffer.of(HCI_CONNECTION_TERMINATED));
      link.peer.event(EVT_DISCONN_COMPLETE, Buffer.of(0), u16(handle), Buffer.of(HCI_OE_USER_ENDED_CONNECTION));
    },
    [REMOTE_FEATURES]: (p) => {
      this.#begun(REMOTE_FEATURES);
      this.event(EVT_READ_REMOTE_FEATURES_COMPLETE, Buffer.of(0), p.subarray(0, 2), FEATURES);
    },
    [REMOTE_NAME]: (p) => {
      this.#begun(REMOTE_NAME);
      this.event(EVT_REMOTE_NAME_REQ_COMPLETE, Buffer.of(0), p.subarray(0, 6), Buffer.alloc(248));
    },
  };

  // who asks for what kind of link
  #pending: { peer: VirtualController; type: number } | undefined;

  // a link of voice, beside one of data
  #ask(p: Buffer, type: number): void {
    const link = this.#links.get(p.readUInt16LE(0));
    if (link !== undefined) link.peer.#requested(this, type);
  }

  #requested(peer: VirtualController, type: number): void {
    this.#pending = { peer, type };
    this.event(EVT_CONN_REQUEST, str2ba(peer.address), Buffer.of(0, 0, 0, type));
  }

  #accept(opcode: number, p: Buffer): void {
    this.#begun(opcode);
    const { peer, type } = this.#pending ?? {};
    this.#pending = undefined;
    if (peer === undefined || type === undefined || peer.address !== ba2str(p.subarray(0, 6))) return;
    const handle =
      0x20 + 2 * this.#air.controllers.indexOf(this) + 0x100 * (type === ACL_LINK ? 0 : 1) + this.#serial++ * 8;
    this.#links.set(handle, { handle, type, peer });
    peer.#links.set(handle, { handle, type, peer: this });
    this.#connected(0, handle, str2ba(peer.address), type);
    peer.#connected(0, handle, str2ba(this.address), type);
  }

  #reject(opcode: number, p: Buffer): void {
    this.#begun(opcode);
    const { peer, type = ACL_LINK } = this.#pending ?? {};
    this.#pending = undefined;
    const reason = p[6] ?? HCI_REJECTED_PERSONAL;
    this.#connected(reason, 0, p.subarray(0, 6), type);
    if (peer !== undefined) peer.#connected(reason, 0, str2ba(this.address), type);
  }

  #connected(status: number, handle: number, peer: Uint8Array, type: number): void {
    const head = [Buffer.of(status), u16(handle), peer, Buffer.of(type)];
    if (type === ACL_LINK) this.event(EVT_CONN_COMPLETE, ...head, Buffer.of(0));
    // interval, window and sizes, and the coding: CVSD
    else this.event(EVT_SYNC_CONN_COMPLETE, ...head, Buffer.from([12, 0, 60, 0, 60, 0, 2]));
  }
}
