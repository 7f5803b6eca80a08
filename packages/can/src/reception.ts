import {
  type Ancillary,
  checkBoolean,
  SCM_TIMESTAMPING,
  SCM_TIMESTAMPNS,
  type Setting,
  SO_RXQ_OVFL,
  SOF_TIMESTAMPING_RAW_HARDWARE,
  SOF_TIMESTAMPING_RX_HARDWARE,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOL_SOCKET,
  scmTimestamping,
  scmTimestampNs,
  setting,
  soRxqOvfl,
  soTimestamping,
  UnknownAddress,
} from '@sock/core';

/** What comes along with everything that is received. */
export interface Reception {
  /** The interface that it came from; `''` where that was removed in the meantime. */
  interface: string;
  /**
   * When the kernel received it, in nanoseconds since 1970; `null` without timestamps. The kernel begins with them a moment
   * after the machine's first socket that asks for them was opened: what arrived before has `null`.
   */
  timestamp: bigint | null;
  /** When the adapter received it, in nanoseconds of its own clock; `null` where it has none. */
  hardwareTimestamp: bigint | null;
  /** How many messages the socket has lost so far for want of room: the reader was too slow. Modulo 2^32. */
  dropped: number;
}

/** Bytes of control messages for `describeReception`. */
export const RECEPTION_ANCILLARY = scmTimestamping.space + scmTimestampNs.space + soRxqOvfl.message.space;

// the times of reception, of the kernel and of the adapter
const RECEPTION_TIMESTAMPS =
  SOF_TIMESTAMPING_RX_SOFTWARE |
  SOF_TIMESTAMPING_SOFTWARE |
  SOF_TIMESTAMPING_RX_HARDWARE |
  SOF_TIMESTAMPING_RAW_HARDWARE;

/**
 * What asks the kernel for what comes along: the count of what was lost, and times where `timestamps` is set.
 * @param events SOF_TIMESTAMPING_* of events, which are told with their times
 */
export function receptionSettings(timestamps: boolean, events = 0): Setting[] {
  const wanted = checkBoolean('options.timestamps', timestamps) || events !== 0;
  return [
    setting('options.timestamps', soTimestamping, wanted ? RECEPTION_TIMESTAMPS | events : undefined),
    setting('options', soRxqOvfl, true),
  ];
}

/** Reads what came along with a message. */
export function describeReception(
  address: { readonly interface: string } | UnknownAddress | null,
  ancillary: Ancillary,
): Reception {
  let timestamp: bigint | null = null;
  let hardwareTimestamp: bigint | null = null;
  let dropped = 0;
  for (const { level, type, data } of ancillary) {
    if (level !== SOL_SOCKET) continue;
    if (type === SCM_TIMESTAMPING) {
      const stamps = scmTimestamping.decode(data);
      timestamp = stamps?.software || timestamp;
      hardwareTimestamp = stamps?.hardware || null;
    } else if (type === SCM_TIMESTAMPNS) {
      timestamp = scmTimestampNs.decode(data) ?? null;
    } else if (type === SO_RXQ_OVFL) {
      dropped = soRxqOvfl.message.decode(data) ?? 0;
    }
  }
  const name = address === null || address instanceof UnknownAddress ? '' : address.interface;
  return { interface: name, timestamp, hardwareTimestamp, dropped };
}
