export type { AnyAddress } from './address.js';
export * from './ancillary.js';
export * from './arguments.js';
export type { DgramSocketLike, NetSocketLike } from './borrow.js';
export * from './bytes.js';
export * from './constants.gen.js';
export { Deadline } from './deadline.js';
export { close, dup, ioctl } from './descriptors.js';
export type { WaitOptions } from './drivers.js';
export { type DuplexOptions, SocketDuplex } from './duplex.js';
export { errnoName, errnoOf } from './errno.js';
export * from './errors.js';
export * from './family.js';
export type { FileEncoding, FileErrors, FileNewline } from './file-text.js';
export type { AdoptInfo, AdoptOptions, FamilyChoice } from './handle.js';
export { SocketHandle } from './handle.js';
export {
  type InterfaceInput,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  interfaceIndex,
  type NetworkInterface,
} from './interfaces.js';
export * from './ioctl.js';
export { untilClosed } from './iterators.js';
export { type Mapping, type MappingOptions, mapDescriptor } from './mapping.js';
export { MessageBatch, type MessageBatchOptions } from './message-batch.js';
export { createNetworkNamespace, type SocketOptions } from './namespace.js';
export * from './option.js';
export * from './options.js';
export { type PollInterest, type PollResult, poll, pollSync, tryPoll } from './poll.js';
export type { Received, ReceivedInto, ReceivedMessage, ReceivedMessageInto } from './receive.js';
export type { SendFileRange } from './send.js';
export { type Setting, setting, setUp } from './set-up.js';
export {
  type Accepted,
  type FamilyOf,
  type FlagOptions,
  type SendBatchOptions,
  type SendFileOptions,
  type SendMsgOptions,
  Socket,
  type SocketClass,
  type TransferOptions,
} from './socket.js';
export {
  type BinaryFileMode,
  type BinaryFileOptions,
  BinarySocketFile,
  SocketFile,
  type TextFileMode,
  type TextFileOptions,
  TextSocketFile,
} from './socket-file.js';
export { getDefaultTimeout, setDefaultTimeout } from './timeout.js';
