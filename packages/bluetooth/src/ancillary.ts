import { ancillaryMessage, type ReceiveOnlyMessage, readI32, readI64 } from '@sock/core';
import { BT_SCM_PKT_STATUS, HCI_CMSG_DIR, HCI_CMSG_TSTAMP, SOL_BLUETOOTH, SOL_HCI } from './constants.gen.js';

/** HCI_CMSG_DIR: whether a packet came from the controller (true) or goes to it, with `hciDataDir`. */
export const scmHciDir: ReceiveOnlyMessage<boolean> = ancillaryMessage({
  level: SOL_HCI,
  type: HCI_CMSG_DIR,
  label: 'HCI_CMSG_DIR',
  size: 4,
  decode: (data) => (data.length < 4 ? undefined : readI32(data, 0) !== 0),
});

/** HCI_CMSG_TSTAMP: when a packet was seen, in nanoseconds since 1970, with `hciTimeStamp`. */
export const scmHciTstamp: ReceiveOnlyMessage<bigint> = ancillaryMessage({
  level: SOL_HCI,
  type: HCI_CMSG_TSTAMP,
  label: 'HCI_CMSG_TSTAMP',
  size: 16,
  decode(data) {
    // a struct timeval of longs
    if (data.length >= 16) return readI64(data, 0) * 1_000_000_000n + readI64(data, 8) * 1000n;
    if (data.length !== 8) return undefined;
    return BigInt(readI32(data, 0)) * 1_000_000_000n + BigInt(readI32(data, 4)) * 1000n;
  },
});

/** BT_SCM_PKT_STATUS: status of a SCO packet, with `btPktStatus`: 0 correct, 1 perhaps, 2 lost, 3 partly lost. */
export const scmPktStatus: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_BLUETOOTH,
  type: BT_SCM_PKT_STATUS,
  label: 'BT_SCM_PKT_STATUS',
  size: 1,
  decode: (data) => data[0],
});
