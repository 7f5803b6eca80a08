import {
  checkInteger,
  checkObject,
  SOCK_RAW,
  Socket,
  SocketError,
  type SocketOptions,
  setUp,
  soRcvBuf,
  soRcvBufForce,
  UnknownAddress,
  type WaitOptions,
} from '@sock/core';
import { type NetlinkAddress, type NetlinkInput, netlink } from './address.js';
import { NETLINK_KOBJECT_UEVENT } from './constants.gen.js';
import { Iteration } from './iteration.js';

/** What happened to a device, or another object of the kernel. Source: kernel, lib/kobject_uevent.c. */
export interface Uevent {
  /** `add`, `remove`, `change`, `move`, `online`, `offline`, `bind` or `unbind`. */
  action: string;
  /** Path of the object below `/sys`. */
  path: string;
  /** Subsystem, such as `net`, `block` or `usb`; `''` where there is none. */
  subsystem: string;
  /** Number of the event, which grows. */
  sequence: bigint;
  /** All that the kernel says: ACTION, DEVPATH, SUBSYSTEM, SEQNUM, DEVNAME, INTERFACE and so on. */
  properties: Record<string, string>;
}

/** Reads an event of the kernel. `undefined` where it is none: also those that udevd passes on are none. */
export function unpackUevent(data: Uint8Array): Uevent | undefined {
  const [head = '', ...lines] = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8').split('\0');
  const at = head.indexOf('@');
  if (at <= 0) return undefined;
  const properties: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const equals = line.indexOf('=');
    if (equals > 0) properties[line.slice(0, equals)] = line.slice(equals + 1);
  }
  const sequence = properties.SEQNUM ?? '';
  return {
    action: head.slice(0, at),
    path: head.slice(at + 1),
    subsystem: properties.SUBSYSTEM ?? '',
    sequence: /^\d{1,20}$/.test(sequence) ? BigInt(sequence) : 0n,
    properties,
  };
}

/** Options of `watchUevents`. */
export interface WatchUeventsOptions extends WaitOptions, SocketOptions {
  /**
   * Bytes for events that were not taken yet; the system's default unless told. More than the system allows
   * needs CAP_NET_ADMIN.
   */
  receiveBuffer?: number | undefined;
}

/** The multicast group of the kernel, as bits. Another one is udevd's. */
const KERNEL = 1;
// the kernel makes events of at most 2 KiB, and a path before that
const SIZE = 8192;

/**
 * Events as they come, from the moment that it was made. The end of the loop, `close` and `using` close
 * its socket. Where events were lost, `next` rejects once with `ENOBUFS`: look at `/sys` anew then, and go
 * on.
 */
export class UeventWatcher extends Iteration<Uevent> {
  /** The socket that it watches through: to `unref` it. */
  readonly socket: Socket<NetlinkAddress, NetlinkInput>;
  readonly #wait: WaitOptions;

  /** @internal */
  constructor(options: WatchUeventsOptions) {
    super();
    const { receiveBuffer, timeout = null, signal, namespace } = checkObject('options', options);
    if (receiveBuffer !== undefined) checkInteger('options.receiveBuffer', receiveBuffer, 0, 0x7fffffff);
    this.#wait = { timeout, signal };
    this.socket = new Socket(netlink, SOCK_RAW, NETLINK_KOBJECT_UEVENT, { namespace });
    setUp(this.socket, () => {
      if (receiveBuffer !== undefined) setReceiveBuffer(this.socket, receiveBuffer);
      this.socket.bindSync({ groups: KERNEL });
    });
  }

  protected override async advance(): Promise<IteratorResult<Uevent, undefined>> {
    while (!this.socket.closed) {
      try {
        const { data, address } = await this.socket.recvFrom(SIZE, this.#wait);
        // others than the kernel may send too, and what they say need not be so
        if (address === null || address instanceof UnknownAddress || address.pid !== 0) continue;
        const value = unpackUevent(data);
        if (value !== undefined) return { done: false, value };
      } catch (error) {
        if (this.socket.closed) break;
        if (!(error instanceof SocketError)) this.close();
        throw error;
      }
    }
    return { done: true, value: undefined };
  }

  /** Ends the iteration. */
  override close(): void {
    this.socket.close();
  }
}

function setReceiveBuffer(socket: Socket<NetlinkAddress, NetlinkInput>, size: number): void {
  try {
    socket.setOption(soRcvBufForce, size);
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'EPERM') throw error;
    socket.setOption(soRcvBuf, size);
  }
}

/**
 * Events of devices as they come: `udevadm monitor --kernel`. Those of network interfaces are the ones of
 * the network namespace. Source: kernel, lib/kobject_uevent.c.
 */
export function watchUevents(options: WatchUeventsOptions = {}): UeventWatcher {
  return new UeventWatcher(options);
}
