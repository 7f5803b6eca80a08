export { type NetlinkAddress, type NetlinkInput, netlink } from './address.js';
export {
  type Attribute,
  type AttributeInput,
  Attributes,
  attribute,
  packAttributes,
  unpackAttributes,
} from './attribute.js';
export * from './constants.gen.js';
export type { NetlinkReply } from './conversation.js';
export { type Acknowledgement, NetlinkError, unpackAcknowledgement } from './error.js';
export type { NetlinkRequest, ReceivedMessages, RequestOptions } from './exchange.js';
export * from './generic.js';
export {
  type InetEndpoint,
  type InetSocket,
  type ListInetSocketsOptions,
  type ListInetSocketsSyncOptions,
  listInetSockets,
  listInetSocketsSync,
  type SocketState,
  type SocketTimer,
  unpackInetSocket,
} from './inet-diag.js';
export * from './interface-address.js';
export * from './link.js';
export {
  addLink,
  addLinkSync,
  deleteLink,
  deleteLinkSync,
  type LinkInput,
  type LinkProperties,
  type LinkSettings,
  type NamespaceInput,
  setLink,
  setLinkSync,
} from './link-input.js';
export {
  type NetlinkMessage,
  type NetlinkMessageInput,
  packMessage,
  type UnpackedMessages,
  unpackMessages,
} from './message.js';
export * from './namespace.js';
export * from './neighbour.js';
export type { NetlinkNotification, Notifications } from './notifications.js';
export type { AddOptions, AddSyncOptions, Names, NetlinkOptions, NetlinkSyncOptions } from './operation.js';
export * from './options.js';
export type { AttributePolicy } from './policy.js';
export { type NextHop, type Route, type RouteMetrics, unpackRoute } from './route.js';
export * from './route-operation.js';
export * from './rule.js';
export { NetlinkSocket, type NetlinkSocketOptions, type SendMessagesOptions } from './socket.js';
export { type Uevent, type UeventWatcher, unpackUevent, type WatchUeventsOptions, watchUevents } from './uevent.js';
export * from './unix-diag.js';
export type { Changed, Watcher, WatchFamilyOptions, WatchOptions } from './watch.js';
