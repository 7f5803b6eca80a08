import { EventEmitter } from 'node:events';
import {
  checkBigInt,
  checkInteger,
  checkObject,
  readU16,
  SIOCGIFFLAGS,
  type SocketOptions,
  SocketTimeoutError,
  socketError,
} from '@sock/core';
import {
  J1939_IDLE_ADDR,
  J1939_MAX_UNICAST_ADDR,
  J1939_NO_ADDR,
  J1939_PGN_ADDRESS_CLAIMED,
  J1939_PGN_ADDRESS_COMMANDED,
  J1939_PGN_REQUEST,
} from './constants.gen.js';
import { J1939Socket, type ReceivedGroup } from './j1939.js';
import { unpackJ1939Name } from './j1939-name.js';

/** What to claim, and how. */
export interface ClaimAddressOptions extends SocketOptions {
  interface: string;
  /** NAME of the station; the lower one wins where two want an address. */
  name: bigint;
  /** Preferred address, 0 to 253. */
  address: number;
  /**
   * Addresses to try in turn where a stronger station has that one: 128 to 247 where the NAME says
   * "arbitrary address capable", none otherwise, unless told.
   */
  candidates?: Iterable<number> | undefined;
  /** Ends the attempt; the promise is rejected with its reason. */
  signal?: AbortSignal | undefined;
}

interface ClaimEvents {
  address: [address: number | null];
  error: [error: Error];
  close: [];
}

/** Milliseconds that nobody may object in before an address is one's own. Source: SAE J1939-81. */
const CONTENTION = 250;
/** The kernel counts the same time, from a moment later. */
const MARGIN = 10;
/** Milliseconds within which stations say, each at a time of its own, that they have no address. Source: SAE J1939-81. */
const CANNOT_CLAIM_SPREAD = 153;

// source: netdevice(7)
const IFF_UP = 1;
const IFREQ_SIZE = 40;
const IFREQ_FLAGS = 16;

const DYNAMIC = Array.from({ length: 247 - 128 + 1 }, (_, i) => 128 + i);

/** What a message means for one's address. */
type Consequence = { lost: true } | { move: number } | undefined;

/**
 * An address that was claimed for a NAME: sockets that are bound to the NAME send from it. It is
 * defended for as long as this is open, without keeping the process alive.
 *
 * Events: `address` where it becomes another, or `null` where a stronger station has taken it and no
 * candidate was free; `error` where the interface went down or was removed, which ends the claim (and
 * the process, where nobody listens for it, as Node has it); `close`.
 */
export class J1939AddressClaim extends EventEmitter<ClaimEvents> implements Disposable {
  readonly name: bigint;
  private current: number | null = null;
  // the address that is claimed, or was; J1939_IDLE_ADDR where none could be had
  private bound: number = J1939_NO_ADDR;
  private readonly socket: J1939Socket;
  private readonly interface: string;
  private readonly candidates: readonly number[];

  /** @internal `claimAddress` makes them */
  constructor(options: ClaimAddressOptions) {
    super();
    const { interface: name, name: station, address, candidates, namespace } = checkObject('options', options);
    this.name = checkBigInt('options.name', station, 1n, 0xffff_ffff_ffff_ffffn);
    checkInteger('options.address', address, 0, J1939_MAX_UNICAST_ADDR);
    const others = candidates ?? (unpackJ1939Name(this.name).arbitraryAddressCapable ? DYNAMIC : []);
    const all = [address, ...others].map((one, i) =>
      checkInteger(i === 0 ? 'options.address' : `options.candidates[${i - 1}]`, one, 0, J1939_MAX_UNICAST_ADDR),
    );
    this.candidates = [...new Set(all)];
    this.interface = name;
    this.socket = new J1939Socket({
      broadcast: true,
      timestamps: false,
      namespace,
      filters: [{ pgn: J1939_PGN_ADDRESS_CLAIMED }, { pgn: J1939_PGN_REQUEST }, { pgn: J1939_PGN_ADDRESS_COMMANDED }],
    });
    // an application's default limit is not meant for what listens in the background
    this.socket.timeout = null;
  }

  /** The address, `null` where a stronger station has taken it. */
  get address(): number | null {
    return this.current;
  }

  get closed(): boolean {
    return this.socket.closed;
  }

  /** Gives the address up, and says so to all: sockets of the NAME cannot send any more. */
  close(): void {
    if (this.socket.closed) return;
    try {
      if (this.bound <= J1939_MAX_UNICAST_ADDR) this.renounce();
    } catch {
      // the interface is gone: nobody is there to hear it
    }
    this.socket.close();
    this.current = null;
    this.emit('close');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Keeps the process alive while it is open. */
  ref(): this {
    this.socket.ref();
    return this;
  }

  /** Does not keep the process alive (the initial state). */
  unref(): this {
    this.socket.unref();
    return this;
  }

  /** @internal Claims the first address that can be had, and starts to defend it. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.acquire(this.candidates, signal);
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.current === null) {
      this.close();
      const text = `stronger stations have the address${this.candidates.length > 1 ? 'es' : ''} ${this.candidates.join(', ')}`;
      throw socketError('bind', 'EADDRINUSE', text);
    }
    this.socket.unref();
    void this.defend();
  }

  private async defend(): Promise<void> {
    try {
      for (;;) {
        const consequence = await this.consider(await this.socket.recvGroup());
        if (consequence === undefined) continue;
        const before = this.current;
        const wanted = 'move' in consequence ? [consequence.move] : this.candidates.filter((one) => one !== before);
        await this.acquire(wanted, undefined);
        if (this.current === null && 'move' in consequence && before !== null) await this.acquire([before], undefined);
        if (this.current !== before) this.emit('address', this.current);
      }
    } catch (error) {
      if (this.closed) return;
      this.close();
      this.emit('error', error as Error);
    }
  }

  // the first address that nobody stronger has; without one the station says that it has none
  private async acquire(addresses: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    this.current = null;
    const queue = [...addresses];
    for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
      const consequence = await this.contend(address, signal);
      if (consequence === undefined) {
        this.current = address;
        return;
      }
      if ('move' in consequence) queue.unshift(consequence.move);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * CANNOT_CLAIM_SPREAD));
    await this.announce(J1939_IDLE_ADDR);
  }

  private async contend(address: number, signal: AbortSignal | undefined): Promise<Consequence> {
    signal?.throwIfAborted();
    await this.announce(address);
    const deadline = performance.now() + CONTENTION + MARGIN;
    for (let left = CONTENTION + MARGIN; left > 0; left = deadline - performance.now()) {
      let group: ReceivedGroup;
      try {
        group = await this.socket.recvGroup({ timeout: left, signal });
      } catch (error) {
        if (error instanceof SocketTimeoutError) return undefined;
        throw error;
      }
      const consequence = await this.consider(group);
      if (consequence !== undefined) return consequence;
    }
    return undefined;
  }

  // Not only manners: where the last socket goes while the kernel still counts the time of a claim, it
  // never lets go of the interface (seen with Linux 6.1).
  private renounce(): void {
    const request = Buffer.alloc(IFREQ_SIZE);
    request.write(this.interface);
    this.socket.ioctl(SIOCGIFFLAGS, request);
    // what is sent to an interface that is down stays with the kernel, which then waits in close(2)
    if ((readU16(request, IFREQ_FLAGS) & IFF_UP) === 0) return;
    this.socket.bindSync(this.own(J1939_IDLE_ADDR));
    this.socket.trySendTo(this.claim(), this.everybody());
  }

  private own(address: number) {
    return { interface: this.interface, name: this.name, address };
  }

  private everybody() {
    return { interface: this.interface, pgn: J1939_PGN_ADDRESS_CLAIMED, address: J1939_NO_ADDR };
  }

  private claim(): Buffer {
    const claim = Buffer.alloc(8);
    claim.writeBigUInt64LE(this.name);
    return claim;
  }

  private async announce(address: number): Promise<void> {
    if (this.bound !== address) {
      await this.socket.bind(this.own(address));
      this.bound = address;
    }
    await this.socket.sendTo(this.claim(), this.everybody());
  }

  private async consider({ pgn, data, source }: ReceivedGroup): Promise<Consequence> {
    if (pgn === J1939_PGN_REQUEST) {
      if (data.length >= 3 && data.readUIntLE(0, 3) === J1939_PGN_ADDRESS_CLAIMED) await this.announce(this.bound);
    } else if (pgn === J1939_PGN_ADDRESS_CLAIMED) {
      if (data.length < 8 || source.address !== this.bound || this.bound === J1939_IDLE_ADDR) return undefined;
      const rival = data.readBigUInt64LE();
      if (rival < this.name) return { lost: true };
      if (rival > this.name) await this.announce(this.bound);
    } else if (pgn === J1939_PGN_ADDRESS_COMMANDED && data.length >= 9 && data.readBigUInt64LE() === this.name) {
      const address = data[8] as number;
      if (address <= J1939_MAX_UNICAST_ADDR && address !== this.bound) return { move: address };
    }
    return undefined;
  }
}

/**
 * Claims an address for a NAME, as SAE J1939-81 has it, and defends it: sockets that are bound to
 * `{ interface, name }` can send from then on, from whatever address the NAME has.
 *
 * It takes 250 milliseconds for each address that is tried.
 * @throws TypeError, RangeError naming the option; SocketError `EADDRINUSE` where stronger stations
 * have the address and all candidates, `ENETDOWN`, `ENODEV`
 */
export async function claimAddress(options: ClaimAddressOptions): Promise<J1939AddressClaim> {
  const claim = new J1939AddressClaim(options);
  await claim.start(options.signal);
  return claim;
}
