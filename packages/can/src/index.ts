export {
  bcm,
  type CanAddress,
  type CanInput,
  canRaw,
  type IsotpAddress,
  type IsotpInput,
  isotp,
  type J1939Address,
  type J1939Input,
  j1939,
} from './address.js';
export {
  scmCanRawErrQueue,
  scmJ1939DestAddr,
  scmJ1939DestName,
  scmJ1939ErrQueue,
  scmJ1939Prio,
} from './ancillary.js';
export {
  type BcmChanged,
  type BcmEvent,
  type BcmEventBase,
  type BcmExpired,
  type BcmFrameInput,
  type BcmJobKey,
  type BcmRxJob,
  BcmSocket,
  type BcmStatus,
  type BcmTxJob,
} from './bcm.js';
export { type BcmMessage, type BcmMessageInput, packBcmMessage, unpackBcmMessage } from './bcm-message.js';
export * from './constants.gen.js';
export { type CanErrorDetails, describeCanError } from './error-frame.js';
export type { CanFilter, CanFilterInput, J1939Filter } from './filters.js';
export {
  type CanFrame,
  type CanFrameInput,
  type ClassicFrame,
  type ClassicFrameInput,
  can_fd_dlc2len,
  can_fd_len2dlc,
  type ErrorFrame,
  type ErrorFrameInput,
  type FdFrame,
  type FdFrameInput,
  packFrame,
  type UnknownFrame,
  type UnknownFrameInput,
  unpackFrame,
  type XlFrame,
  type XlFrameInput,
} from './frame.js';
export { formatFrame, parseFrame } from './frame-text.js';
export { IsotpSocket, type IsotpSocketOptions, type ReceivedPdu, type RecvPduOptions } from './isotp.js';
export {
  type J1939Event,
  J1939Socket,
  type J1939SocketOptions,
  type J1939Station,
  type ReceivedGroup,
  type RecvGroupOptions,
} from './j1939.js';
export { type ClaimAddressOptions, claimAddress, J1939AddressClaim } from './j1939-claim.js';
export {
  isPdu1,
  type J1939Id,
  type J1939Name,
  packJ1939Id,
  packJ1939Name,
  unpackJ1939Id,
  unpackJ1939Name,
} from './j1939-name.js';
export {
  type CanXlVcidOptions,
  canIsotpLlOpts,
  canIsotpOpts,
  canIsotpRecvFc,
  canIsotpRxStmin,
  canIsotpTxStmin,
  canRawErrFilter,
  canRawFdFrames,
  canRawFilter,
  canRawJoinFilters,
  canRawLoopback,
  canRawRecvOwnMsgs,
  canRawXlFrames,
  canRawXlVcidOpts,
  type IsotpFlowControl,
  type IsotpLinkLayer,
  type IsotpOptions,
  soJ1939ErrQueue,
  soJ1939Filter,
  soJ1939Promisc,
  soJ1939SendPrio,
} from './options.js';
export {
  CanRawSocket,
  type CanRawSocketOptions,
  type ReceivedFrame,
  type RecvFramesOptions,
  type SendFrameOptions,
} from './raw.js';
export type { Reception } from './reception.js';
