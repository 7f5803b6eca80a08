import {
  checkObject,
  SOCK_RAW,
  Socket,
  type SocketOptions,
  soAttachFilter,
  soDetachFilter,
  soLockFilter,
} from '@sock/core';
import { checkProtocol, type PacketAddress, type PacketInput, packet } from './address.js';
import { checkFilter, type FilterProgram } from './filter.js';
import { type PacketStatistics, packetStatistics } from './options.js';
import { PacketRing, type RingOptions } from './ring.js';
import { PacketTransmitRing, type TransmitRingOptions } from './transmit-ring.js';

/** Options of a packet socket. */
export interface PacketSocketOptions extends SocketOptions {
  /**
   * Link-layer protocol to receive, ETH_P_*, in this machine's byte order: ETH_P_ALL for all. 0
   * unless told: the socket only sends.
   */
  protocol?: number | undefined;
  /** SOCK_RAW (with link-layer headers) unless told, or SOCK_DGRAM (without). */
  type?: number | undefined;
}

// Opened with its protocol, a socket would receive from all interfaces until it is bound, and later
// deliver those packets as if they had passed the interface. `bind` names the protocol instead.
const silent = {
  ...packet,
  encodeProtocol: (protocol: number): number => {
    checkProtocol('protocol', protocol);
    return 0;
  },
};

/**
 * A packet socket. It receives nothing before it is bound: `bind({ interface: 'eth0' })`, or
 * `bind({})` for all interfaces. A filter that is attached before that holds for every packet.
 *
 * `ENETDOWN` from what receives comes once, when the interface goes down or is removed. A socket whose
 * interface comes up again goes on. Needs CAP_NET_RAW. Source: packet(7).
 */
export class PacketSocket extends Socket<PacketAddress, PacketInput> {
  // those of a socket that was adopted or duplicated are made when they are needed
  declare private openRings?: Set<Disposable>;
  declare private totals?: PacketStatistics;

  /** @throws SocketError `EPERM`, `EAFNOSUPPORT` */
  constructor(options: PacketSocketOptions = {}) {
    const { protocol = 0, type = SOCK_RAW, namespace } = checkObject('options', options);
    checkProtocol('options.protocol', protocol);
    super(silent, type, protocol, { namespace });
  }

  /**
   * Attaches a classic BPF program that decides which packets the socket receives, and how many bytes
   * of them. Replaces the one before. Packets that are queued already stay.
   * @throws TypeError or RangeError naming the instruction that is wrong, such as `program[3].jt`;
   * SocketError `EPERM` where filters are locked. Source: the kernel's networking/filter
   */
  attachFilter(program: FilterProgram): void {
    this.setOption(soAttachFilter, checkFilter(program));
  }

  /** Detaches the filter. @throws SocketError `ENOENT` where there is none, `EPERM` where filters are locked */
  detachFilter(): void {
    this.setOption(soDetachFilter, true);
  }

  /** Forbids to attach and detach filters from now on: before the socket is handed to code with less trust. */
  lockFilter(): void {
    this.setOption(soLockFilter, true);
  }

  /**
   * Counts since the socket was opened: those of `packetStatistics`, which each reading sets to 0,
   * added up. What is read with that option directly is missing here.
   */
  statistics(): PacketStatistics {
    const { packets, drops, freezes } = this.getOption(packetStatistics);
    this.totals ??= { packets: 0, drops: 0, freezes: 0 };
    this.totals.packets += packets;
    this.totals.drops += drops;
    this.totals.freezes += freezes;
    return { ...this.totals };
  }

  /**
   * Receives through memory that is shared with the kernel (TPACKET_V3). What was queued is lost. A
   * socket has one ring at a time; closing the socket closes it.
   * @throws SocketError `EBUSY` where there is a ring, `ENOMEM`, `EINVAL` for sizes that the kernel
   * does not take
   */
  ring(options: RingOptions = {}): PacketRing {
    return this.keep(new PacketRing(this, options, (ring) => this.openRings?.delete(ring)));
  }

  /**
   * Sends through memory that is shared with the kernel (TPACKET_V3, TPACKET_V2). A socket has one
   * ring at a time; closing the socket closes it.
   * @throws SocketError as `ring`
   */
  transmitRing(options: TransmitRingOptions = {}): PacketTransmitRing {
    return this.keep(new PacketTransmitRing(this, options, (ring) => this.openRings?.delete(ring)));
  }

  private keep<Ring extends Disposable>(ring: Ring): Ring {
    this.openRings ??= new Set();
    this.openRings.add(ring);
    return ring;
  }

  // the kernel keeps a socket for as long as its memory is mapped, closed or not
  private closeRings(): void {
    for (const ring of this.openRings ?? []) ring[Symbol.dispose]();
  }

  override detach(options: { blocking?: boolean } = {}): number {
    if (!this.closed) this.closeRings();
    return super.detach(options);
  }

  override close(): void {
    try {
      super.close();
    } finally {
      this.closeRings();
    }
  }
}
