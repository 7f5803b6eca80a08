export {
  type TipcAddress,
  type TipcInput,
  type TipcRangeAddress,
  type TipcServiceAddress,
  type TipcSocketAddress,
  tipc,
} from './address.js';
export {
  scmTipcDestName,
  scmTipcErrInfo,
  scmTipcRetData,
  type TipcDestination,
  type TipcErrorInfo,
} from './ancillary.js';
export * from './constants.gen.js';
export { formatNodeId, getLinkName, getNodeId, tipc_addr, tipc_cluster, tipc_node, tipc_zone } from './node.js';
export {
  type CommandOption,
  type TipcGroupRequest,
  tipcConnTimeout,
  tipcDestDroppable,
  tipcGroupJoin,
  tipcGroupLeave,
  tipcImportance,
  tipcMcastBroadcast,
  tipcMcastReplicast,
  tipcNodelay,
  tipcNodeRecvqDepth,
  tipcSockRecvqDepth,
  tipcSockRecvqUsed,
  tipcSrcDroppable,
} from './options.js';
export {
  type RecvDeliveryOptions,
  type TipcDelivery,
  type TipcEnd,
  type TipcMemberEvent,
  type TipcMessage,
  type TipcReturned,
  TipcSocket,
  type TipcSocketOptions,
} from './socket.js';
export {
  packSubscription,
  type TipcLinkEvent,
  type TipcNodeEvent,
  type TipcSubscription,
  type TipcTopologyEvent,
  TipcTopologySocket,
  unpackTopologyEvent,
  type WatchOptions,
  type WatchServicesOptions,
  watchLinks,
  watchNodes,
  watchServices,
} from './topology.js';
