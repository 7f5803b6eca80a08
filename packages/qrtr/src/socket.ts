import {
  checkInteger,
  checkObject,
  MSG_TRUNC,
  type ReceivedMessage,
  Socket,
  socketError,
  type TransferOptions,
  type UnknownAddress,
  untilClosed,
  type WaitOptions,
} from '@sock/core';
import { type QrtrAddress, type QrtrInput, qrtr } from './address.js';
import * as c from './constants.gen.js';
import { packControlPacket, type QrtrControlInput, type QrtrControlPacket, unpackControlPacket } from './control.js';

/** A message of a program. */
export interface QrtrData {
  kind: 'data';
  data: Buffer;
  /** Whether there was too little room for it: its end is lost. */
  truncated: boolean;
  address: QrtrAddress | UnknownAddress | null;
}

/** A message of the name service: a service comes or goes, a client or a node is gone. */
export interface QrtrControl {
  kind: 'control';
  packet: QrtrControlPacket;
  address: QrtrAddress;
}

/** What `recvPacket` gives. */
export type QrtrPacket = QrtrData | QrtrControl;

/** Options of `recvPacket` and its kin. */
export interface RecvPacketOptions extends TransferOptions {
  /** Bytes to make room for: 65,536 unless told. */
  size?: number | undefined;
}

const SIZE = 65_536;

function toPacket({ data, flags, address }: ReceivedMessage<QrtrAddress>): QrtrPacket {
  if (address !== null && 'port' in address && address.port === c.QRTR_PORT_CTRL) {
    const packet = unpackControlPacket(data);
    if (packet !== undefined) return { kind: 'control', packet, address };
  }
  return { kind: 'data', data, truncated: (flags & MSG_TRUNC) !== 0, address };
}

/** A service to offer. */
export interface QrtrService {
  /** Number of the service, 1 or more. */
  service: number;
  /** Instance; 0 unless told. */
  instance?: number | undefined;
}

/**
 * A socket of AF_QIPCRTR that speaks to the name service: it offers services, and tells its messages from
 * those of programs. Source: linux/qrtr.h, kernel, net/qrtr/ns.c (in the kernel since 5.7).
 */
export class QrtrSocket extends Socket<QrtrAddress, QrtrInput> {
  /** @throws SocketError `EAFNOSUPPORT` naming the module to load */
  constructor() {
    super(qrtr);
  }

  /** This machine's node. */
  get node(): number {
    return this.getsockname().node;
  }

  private get nameService(): QrtrAddress {
    return { node: this.node, port: c.QRTR_PORT_CTRL };
  }

  /** Sends a control packet to this node's name service. */
  async sendControl(packet: QrtrControlInput, options?: WaitOptions): Promise<void> {
    await this.sendTo(packControlPacket(packet), this.nameService, options);
  }

  /** As `sendControl`, blocking the thread. */
  sendControlSync(packet: QrtrControlInput, options?: WaitOptions): void {
    this.sendToSync(packControlPacket(packet), this.nameService, options);
  }

  /** As `sendControl`, without waiting: `null` where it would have to. */
  trySendControl(packet: QrtrControlInput): true | null {
    return this.trySendTo(packControlPacket(packet), this.nameService) === null ? null : true;
  }

  /**
   * Offers a service on this socket's port; one port has one service. It ends with the socket, or
   * with `withdraw`. @throws TypeError, RangeError naming the member
   */
  publish(service: QrtrService, options?: WaitOptions): Promise<void> {
    return this.announce(c.QRTR_TYPE_NEW_SERVER, service, options);
  }

  /** Offers the service of this socket's port no more. */
  withdraw(service: QrtrService, options?: WaitOptions): Promise<void> {
    return this.announce(c.QRTR_TYPE_DEL_SERVER, service, options);
  }

  private async announce(
    type: typeof c.QRTR_TYPE_NEW_SERVER | typeof c.QRTR_TYPE_DEL_SERVER,
    service: QrtrService,
    options?: WaitOptions,
  ): Promise<void> {
    const { service: number, instance = 0 } = checkObject('service', service);
    checkInteger('service.service', number, 1, 0xffffffff);
    checkInteger('service.instance', instance, 0, 0xffffffff);
    // the name service takes node and port of the sender
    await this.sendControl({ type, service: number, instance }, options);
  }

  /** Receives a message, or one of the name service's. */
  async recvPacket({ size = SIZE, ...options }: RecvPacketOptions = {}): Promise<QrtrPacket> {
    return toPacket(await this.recvMsg(size, 0, options));
  }

  /** As `recvPacket`, blocking the thread. */
  recvPacketSync({ size = SIZE, ...options }: RecvPacketOptions = {}): QrtrPacket {
    return toPacket(this.recvMsgSync(size, 0, options));
  }

  /** As `recvPacket`, without waiting: `null` where there is none. */
  tryRecvPacket({ size = SIZE, ...options }: Pick<RecvPacketOptions, 'size' | 'flags'> = {}): QrtrPacket | null {
    const message = this.tryRecvMsg(size, 0, options);
    return message === null ? null : toPacket(message);
  }

  /** Messages as they come, until the socket is closed. */
  packets(options?: RecvPacketOptions): AsyncIterableIterator<QrtrPacket> {
    return untilClosed(this, () => this.recvPacket(options));
  }
}

/** A service that somebody offers. */
export interface QrtrServer {
  service: number;
  instance: number;
  /** Where to send to. */
  address: QrtrAddress;
}

/** A service that comes or goes. */
export interface QrtrServiceEvent extends QrtrServer {
  kind: 'published' | 'withdrawn';
}

/** Which services to look for. */
export interface QrtrLookup {
  /** Number of the service; all unless told. */
  service?: number | undefined;
  /** Instance; all unless told. */
  instance?: number | undefined;
  /** Ends the search: the iteration throws its reason. */
  signal?: AbortSignal | undefined;
}

// what the name service tells of services, `null` where the list of those that are there is at its end
async function* lookUp(options: QrtrLookup): AsyncGenerator<QrtrServiceEvent | null> {
  const { service = 0, instance = 0, signal } = checkObject('options', options);
  checkInteger('options.service', service, 0, 0xffffffff);
  checkInteger('options.instance', instance, 0, 0xffffffff);
  using socket = new QrtrSocket();
  await socket.sendControl({ type: c.QRTR_TYPE_NEW_LOOKUP, service, instance }, { signal });
  for await (const message of socket.packets({ signal })) {
    if (message.kind !== 'control') continue;
    const { packet } = message;
    if (packet.type !== c.QRTR_TYPE_NEW_SERVER && packet.type !== c.QRTR_TYPE_DEL_SERVER) continue;
    if (packet.service === 0) {
      yield null;
      continue;
    }
    yield {
      kind: packet.type === c.QRTR_TYPE_NEW_SERVER ? 'published' : 'withdrawn',
      service: packet.service,
      instance: packet.instance,
      address: { node: packet.node, port: packet.port },
    };
  }
}

/**
 * What is offered of a service, and what changes, as it happens: first what is there already, then what
 * comes and goes, on all nodes. @throws TypeError, RangeError naming the member; SocketError
 */
export async function* watchServices(options: QrtrLookup = {}): AsyncGenerator<QrtrServiceEvent> {
  for await (const event of lookUp(options)) if (event !== null) yield event;
}

/** The services that are offered now. */
export async function findServices(options: QrtrLookup = {}): Promise<QrtrServer[]> {
  const servers: QrtrServer[] = [];
  for await (const event of lookUp(options)) {
    if (event === null) return servers;
    const { service, instance, address } = event;
    servers.push({ service, instance, address });
  }
  throw socketError('recv', 'ECANCELED', 'the search ended before the name service had answered');
}
