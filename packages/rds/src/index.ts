export { type RdsAddress, type RdsInput, rds } from './address.js';
export {
  RDS_CONG_MONITOR_BIT,
  RDS_CONG_MONITOR_MASK,
  type RdsLatency,
  scmRdsCongUpdate,
  scmRdsRxpathLatency,
  scmRdsZcopyCompletion,
  scmRdsZcopyCookie,
} from './ancillary.js';
export * from './constants.gen.js';
export {
  type RdsConnection,
  type RdsCounter,
  type RdsMessageInfo,
  type RdsSocketInfo,
  rds6InfoConnections,
  rdsInfoConnections,
  rdsInfoCounters,
  rdsInfoRecvMessages,
  rdsInfoRetransMessages,
  rdsInfoSendMessages,
  rdsInfoSockets,
} from './info.js';
export {
  rdsCancelSentTo,
  rdsCongMonitor,
  rdsRecverr,
  rdsTimestamp,
  soRdsMsgRxpathLatency,
  soRdsTransport,
} from './options.js';
