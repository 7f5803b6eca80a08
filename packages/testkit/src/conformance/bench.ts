import { Socket } from '@sock/core';
import { turns } from '../time.js';
import { type Supports, supportsOf, type Traits } from './traits.js';

/** Makes the sockets of one kind for a test, and closes them after it. */
export class Bench<A, I> {
  readonly traits: Traits<A, I>;
  readonly supports: Supports;
  readonly #owned: Disposable[] = [];

  constructor(traits: Traits<A, I>) {
    this.traits = traits;
    this.supports = supportsOf(traits);
  }

  get isStream(): boolean {
    return this.traits.kind === 'stream';
  }

  get isDatagram(): boolean {
    return this.traits.kind === 'datagram';
  }

  /** Sockets of this kind can be bound to an address. */
  get hasAddresses(): boolean {
    return this.traits.address !== undefined;
  }

  /** Sockets of this kind listen and accept. */
  get accepts(): boolean {
    return this.hasAddresses && !this.isDatagram;
  }

  /** Disposes of `resource` after the test. */
  own<T extends Disposable>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  /** A socket that is neither bound nor connected. */
  open(): Socket<A, I> {
    const { family, type, protocol } = this.traits;
    return this.own(new Socket(family, type, protocol));
  }

  /** Two sockets that are connected to each other. */
  async pair(): Promise<[Socket<A, I>, Socket<A, I>]> {
    const [a, b] = await this.traits.pair();
    return [this.own(a), this.own(b)];
  }

  /** An address that nothing is bound to. */
  async freshAddress(): Promise<I> {
    const { address } = this.traits;
    if (address === undefined) throw new Error(`${this.traits.name} has no addresses`);
    return await address();
  }

  /** What a peer connects or sends to. */
  reach(socket: Socket<A, I>): I {
    const bound = socket.getsockname();
    return this.traits.reach?.(bound) ?? (bound as unknown as I);
  }

  /** A socket bound to a fresh address, and how to reach it. */
  async bound(): Promise<{ socket: Socket<A, I>; address: I }> {
    const socket = this.open();
    await socket.bind(await this.freshAddress());
    this.traits.prepare?.(socket);
    return { socket, address: this.reach(socket) };
  }

  /** A socket that listens on a fresh address, and how to reach it. */
  async server(backlog = 16): Promise<{ server: Socket<A, I>; address: I }> {
    const { socket, address } = await this.bound();
    socket.listen(backlog);
    return { server: socket, address };
  }

  /** Ends a connection so that the peer is told. */
  finish(socket: Socket<A, I>): void {
    this.traits.finish?.(socket);
    socket.close();
  }

  /** The largest message that surely passes, or for streams a piece that fits into any buffer. */
  get largest(): number {
    return this.traits.largest ?? 8192;
  }

  /** Bytes of a transfer that takes a while. */
  get bulk(): number {
    return this.traits.bulk ?? 3_000_000;
  }

  /** The peer is told the end of a connection as an end, not as an error. */
  get tellsEnd(): boolean {
    return this.supports.endOfFile || this.traits.finish !== undefined;
  }

  async clean(): Promise<void> {
    for (const resource of this.#owned.splice(0).reverse()) resource[Symbol.dispose]();
    await turns(1);
  }
}
