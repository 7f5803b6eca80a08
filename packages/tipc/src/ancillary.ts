import { ancillaryMessage, type ReceiveOnlyMessage, readU32 } from '@sock/core';
import { SOL_TIPC, TIPC_DESTNAME, TIPC_ERRINFO, TIPC_RETDATA } from './constants.gen.js';

/** Why a message came back, or a connection ended. */
export interface TipcErrorInfo {
  /** TIPC_ERR_NO_NAME, TIPC_ERR_NO_PORT, TIPC_ERR_NO_NODE, TIPC_ERR_OVERLOAD or TIPC_CONN_SHUTDOWN. */
  error: number;
  /** Bytes of the message that came back, which `scmTipcRetData` has. */
  length: number;
}

/** Services that a message was sent to; of one instance `lower` is `upper`. */
export interface TipcDestination {
  type: number;
  lower: number;
  upper: number;
}

/** TIPC_ERRINFO: this is a message that came back, or the end of a connection. Source: tipc_sk_anc_data_recv, net/tipc/socket.c. */
export const scmTipcErrInfo: ReceiveOnlyMessage<TipcErrorInfo> = ancillaryMessage({
  level: SOL_TIPC,
  type: TIPC_ERRINFO,
  label: 'TIPC_ERRINFO',
  size: 8,
  decode: (data) => (data.length < 8 ? undefined : { error: readU32(data, 0), length: readU32(data, 4) }),
});

/** Most that the kernel gives back of a message; source: net/tipc/msg.c, MAX_FORWARD_SIZE. */
export const RETURNED_MAX = 1024;

/** TIPC_RETDATA: the message that came back, of which the kernel keeps 1,024 bytes. */
export const scmTipcRetData: ReceiveOnlyMessage<Buffer> = ancillaryMessage({
  level: SOL_TIPC,
  type: TIPC_RETDATA,
  label: 'TIPC_RETDATA',
  size: RETURNED_MAX,
  decode: (data) => Buffer.from(data),
});

/** TIPC_DESTNAME: the services that a message was sent to; absent where that was a socket. */
export const scmTipcDestName: ReceiveOnlyMessage<TipcDestination> = ancillaryMessage({
  level: SOL_TIPC,
  type: TIPC_DESTNAME,
  label: 'TIPC_DESTNAME',
  size: 12,
  decode: (data) =>
    data.length < 12 ? undefined : { type: readU32(data, 0), lower: readU32(data, 4), upper: readU32(data, 8) },
});
