export { type VsockAddress, type VsockInput, vsock } from './address.js';
export { getLocalCid } from './cid.js';
export * from './constants.gen.js';
export {
  soVmSocketsBufferMaxSize,
  soVmSocketsBufferMinSize,
  soVmSocketsBufferSize,
  soVmSocketsConnectTimeout,
  soVmSocketsNonblockTxrx,
  soVmSocketsPeerHostVmId,
  soVmSocketsTrusted,
} from './options.js';
