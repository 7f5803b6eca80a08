import {
  ancillaryMessage,
  EXTENDED_ERROR_SIZE,
  type ExtendedError,
  type ReceiveOnlyMessage,
  readU64,
  unpackExtendedError,
} from '@sock/core';
import {
  SCM_CAN_RAW_ERRQUEUE,
  SCM_J1939_DEST_ADDR,
  SCM_J1939_DEST_NAME,
  SCM_J1939_ERRQUEUE,
  SCM_J1939_PRIO,
  SOL_CAN_J1939,
  SOL_CAN_RAW,
} from './constants.gen.js';

/** SCM_CAN_RAW_ERRQUEUE: why a frame is in the error queue of a CAN_RAW socket: it was sent, says a timestamp. */
export const scmCanRawErrQueue: ReceiveOnlyMessage<ExtendedError> = ancillaryMessage({
  level: SOL_CAN_RAW,
  type: SCM_CAN_RAW_ERRQUEUE,
  label: 'SCM_CAN_RAW_ERRQUEUE',
  size: EXTENDED_ERROR_SIZE,
  decode: unpackExtendedError,
});

/** SCM_J1939_DEST_ADDR: address that a message was sent to; absent where that was all stations. */
export const scmJ1939DestAddr: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_CAN_J1939,
  type: SCM_J1939_DEST_ADDR,
  label: 'SCM_J1939_DEST_ADDR',
  size: 1,
  decode: (data) => data[0],
});

/** SCM_J1939_DEST_NAME: NAME that a message was sent to, where its address belongs to one. */
export const scmJ1939DestName: ReceiveOnlyMessage<bigint> = ancillaryMessage({
  level: SOL_CAN_J1939,
  type: SCM_J1939_DEST_NAME,
  label: 'SCM_J1939_DEST_NAME',
  size: 8,
  decode: (data) => (data.length < 8 ? undefined : readU64(data, 0)),
});

/** SCM_J1939_PRIO: priority of a message, 0 (first) to 7. */
export const scmJ1939Prio: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_CAN_J1939,
  type: SCM_J1939_PRIO,
  label: 'SCM_J1939_PRIO',
  size: 1,
  decode: (data) => data[0],
});

/** SCM_J1939_ERRQUEUE: an entry of the error queue of a CAN_J1939 socket. */
export const scmJ1939ErrQueue: ReceiveOnlyMessage<ExtendedError> = ancillaryMessage({
  level: SOL_CAN_J1939,
  type: SCM_J1939_ERRQUEUE,
  label: 'SCM_J1939_ERRQUEUE',
  size: EXTENDED_ERROR_SIZE,
  decode: unpackExtendedError,
});
