import { checkInteger, invalidArgumentType, outOfRange } from './arguments.js';
import { readU16, writeU16 } from './bytes.js';
import { type AddressFamily, EncodedAddress, type SocketInfo, UnknownAddress } from './family.js';
import { namesAsked } from './interfaces.js';
import { ADDRESS_LENGTH, given, received, SOCKADDR_SIZE, state } from './native.js';

/** An address in whatever form an operation accepts it. */
export type AnyAddress<Input> = Input | EncodedAddress | UnknownAddress;

/** What converting an address needs of a socket. */
export interface Addressed extends SocketInfo {
  readonly family: AddressFamily<unknown, unknown>;
}

const NO_BYTES = new Uint8Array(0);

// bytes that the caller made, behind `before` bytes of the shared memory: the length of both
function copyRaw(argument: string, bytes: unknown, before: number): number {
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType(argument, 'a Uint8Array', bytes);
  const room = SOCKADDR_SIZE - before;
  if (bytes.length > room) throw outOfRange(argument, `at most ${room} bytes`, bytes.length);
  given.set(bytes, before);
  return before + bytes.length;
}

/** Writes an address into the shared memory (`given`): its length in bytes. */
export function encodeAddress(socket: Addressed, input: unknown): number {
  if (input instanceof EncodedAddress) return copyRaw('address.sockaddr', input.sockaddr, 0);
  given.fill(0);
  if (input instanceof UnknownAddress) {
    writeU16(given, checkInteger('address.domain', input.domain, 0, 0xffff), 0);
    return copyRaw('address.data', input.data, 2);
  }
  if (input === undefined || input === null) {
    throw invalidArgumentType('address', `an address of the family ${socket.family.name}`, input);
  }
  writeU16(given, socket.domain, 0);
  return socket.family.encode(input, given, socket);
}

/** Reads a sockaddr. What the family cannot decode becomes an `UnknownAddress`, never an exception. */
export function decodeAddress(socket: Addressed, sockaddr: Uint8Array): unknown {
  const domain = sockaddr.length >= 2 ? readU16(sockaddr, 0) : 0;
  if (socket.family.addressDomains?.includes(domain) ?? domain === socket.domain) {
    try {
      const address = socket.family.decode(sockaddr, socket);
      return typeof address === 'object' && address !== null && !ArrayBuffer.isView(address)
        ? Object.freeze(address)
        : address;
    } catch {
      // the kernel has delivered its data: they must reach the caller, whatever the codec thinks
    }
  }
  return new UnknownAddress(domain, Uint8Array.from(sockaddr.subarray(2)));
}

/**
 * A call that names an address: its sockaddr is in the shared memory, and kept aside while the call
 * waits, because others use that memory meanwhile.
 */
export abstract class Addressing {
  private kept: Uint8Array | undefined;

  /** @param length bytes of the sockaddr in the shared memory; 0 where the call names no address */
  constructor(
    private readonly socket: Addressed,
    protected readonly length: number,
  ) {}

  park(): void {
    this.kept = given.slice(0, this.length);
  }

  /** Before each attempt: puts the sockaddr where the call takes it from. */
  protected restore(): void {
    if (this.kept !== undefined) given.set(this.kept);
  }

  address(): unknown {
    return this.length === 0 ? undefined : decodeAddress(this.socket, (this.kept ?? given).subarray(0, this.length));
  }
}

// An interface may be renamed, and its index in the sockaddr stays: a name is believed for so many milliseconds.
const NAME_LIFE = 20;

/** Decodes addresses, keeping the last: consecutive datagrams often come from one sender. */
export class AddressCache {
  private last: Uint8Array | undefined;
  private lastWords: Int32Array | undefined;
  private length = -1;
  private until = 0;
  private address: unknown;
  // what was decoded from last, and the last address, four bytes at a time: a comparison for each message
  private source: Uint8Array | undefined;
  private words: Int32Array | undefined;

  /** Forgets a name that an interface may not have any more: before what was received is decoded. */
  expire(): void {
    if (this.until !== Infinity && performance.now() >= this.until) this.length = -1;
  }

  /** Decodes `length` bytes at `offset`, which is a multiple of 4; `null` where there are none. */
  decode(socket: Addressed, bytes: Uint8Array, offset: number, length: number): unknown {
    if (length === 0) return null;
    if (length === this.length && this.isLast(bytes, offset)) return this.address;
    const sockaddr = bytes.subarray(offset, offset + length);
    const asked = namesAsked;
    this.address = decodeAddress(socket, sockaddr);
    this.until = namesAsked === asked ? Infinity : performance.now() + NAME_LIFE;
    this.last ??= new Uint8Array(SOCKADDR_SIZE);
    this.last.set(sockaddr);
    this.length = length;
    return this.address;
  }

  private isLast(bytes: Uint8Array, offset: number): boolean {
    const { length } = this;
    const last = this.last as Uint8Array;
    if (this.words === undefined || this.source !== bytes) {
      this.source = bytes;
      this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
      this.lastWords = new Int32Array(last.buffer);
    }
    const { words } = this;
    const lastWords = this.lastWords as Int32Array;
    const start = offset >> 2;
    const whole = length >> 2;
    for (let i = 0; i < whole; i++) if (lastWords[i] !== words[start + i]) return false;
    for (let i = whole << 2; i < length; i++) if (last[i] !== bytes[offset + i]) return false;
    return true;
  }
}

/** The sockaddr that the kernel gave last, as a view of the shared memory. */
export function receivedSockaddr(): Uint8Array {
  const length = state[ADDRESS_LENGTH] as number;
  return length === 0 ? NO_BYTES : received.subarray(0, length);
}
