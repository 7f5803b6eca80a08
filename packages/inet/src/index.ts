export {
  type Inet6Address,
  type Inet6Input,
  type InetAddress,
  type InetInput,
  type IpAddress,
  inet,
  inet6,
} from './address.js';
export type { IpExtendedError, PacketInfo, PacketInfo4, PacketInfoInput, PathMtu } from './ancillary.js';
export * from './bytes.js';
export {
  type ConnectionOptions,
  type ConnectionSyncOptions,
  createConnection,
  createConnectionSync,
  type IpFamily,
  type IpSocket,
} from './connection.js';
export * from './constants.gen.js';
export type { FieldsInput } from './fields.js';
export * from './icmp.js';
export * from './netdb.js';
export * from './options.js';
export {
  type RecvMessageOptions,
  type SctpArrival,
  type SctpEnd,
  type SctpMessage,
  SctpSocket,
  type SctpSocketOptions,
  type SendMessageOptions,
  type TrySendMessageOptions,
} from './sctp.js';
export {
  type SctpAuthInfo,
  type SctpInitMsg,
  type SctpNxtInfo,
  type SctpPrInfo,
  type SctpRcvInfo,
  type SctpSndInfo,
  type SctpSndRcvInfo,
  scmSctpDstAddrV4,
  scmSctpDstAddrV6,
} from './sctp-ancillary.js';
export * from './sctp-notification.js';
export { createServer, createServerSync, hasDualstackIPv6, hasIPv6, type ServerOptions } from './server.js';
export type { TcpInfo } from './tcp-info.js';
