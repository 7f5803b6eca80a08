export * from './sctp/addresses.js';
export * from './sctp/association.js';
export * from './sctp/authentication.js';
export * from './sctp/paths.js';
export * from './sctp/receiving.js';
export * from './sctp/sending.js';
export type {
  SctpAssocAddress,
  SctpAssocOption,
  SctpAssocRequest,
  SctpAssocStatus,
  SctpAssocValue,
  SctpAssocValueOption,
  SctpPeerAddrInfo,
  SctpPeerAddrRequest,
} from './sctp/shared.js';
export * from './sctp/streams.js';
