import {
  type AncillaryMessage,
  ancillaryMessage,
  booleanOption,
  checkInteger,
  integerOption,
  type ReadonlyOption,
  readonlyIntegerOption,
  readU32,
  readU32BE,
  SOL_DCCP,
  type SocketOption,
  type WithMessage,
  type WriteonlyOption,
  withMessage,
  writeU32BE,
} from '@sock/core';
import * as c from '../constants.gen.js';
import { ints } from '../structures.js';
import { keysOf, type ListItem, packList } from './shared.js';

const key = keysOf(SOL_DCCP);

const SERVICE: ListItem = { size: 4, write: writeU32BE };
const CCID: ListItem = {
  size: 1,
  write(into, value, offset) {
    into[offset] = value;
  },
};

/**
 * Service codes: the first is what a client asks for, and all are what a server takes; an integer is one. To be set
 * before `listen` or `connect`, which is refused with EBADRQC where they do not agree. 0xffffffff is none.
 *
 * DCCP (`new Socket(inet, SOCK_DCCP, IPPROTO_DCCP)`: packets over a connection, with congestion control, not repeated
 * when they are lost) was removed in Linux 6.16; before, it is in the modules dccp_ipv4 and dccp_ipv6.
 *
 * Source: RFC 4340, section 8.1.2.
 */
export const dccpService: SocketOption<number[], number | readonly number[]> = {
  ...key(c.DCCP_SOCKOPT_SERVICE, 'DCCP_SOCKOPT_SERVICE'),
  size: 4 * c.DCCP_SERVICE_LIST_MAX_LEN,
  encode(value) {
    const codes = Array.isArray(value) ? value : [checkInteger('value', value, 0, 0xffffffff)];
    return packList('value', codes, 'service codes', SERVICE);
  },
  decode: (raw) => Array.from({ length: raw.length >> 2 }, (_, i) => readU32BE(raw, 4 * i)),
};

/** Largest packet that can be sent, in bytes. */
export const dccpGetCurMps: ReadonlyOption<number> = readonlyIntegerOption(
  key(c.DCCP_SOCKOPT_GET_CUR_MPS, 'DCCP_SOCKOPT_GET_CUR_MPS'),
);

/** This end, the server's, keeps the state of TIMEWAIT when the connection ends. Source: RFC 4340, section 8.3. */
export const dccpServerTimewait: SocketOption<boolean> = booleanOption(
  key(c.DCCP_SOCKOPT_SERVER_TIMEWAIT, 'DCCP_SOCKOPT_SERVER_TIMEWAIT'),
);

/**
 * What the checksum of packets that are sent covers: 0 all, 1 the header, n the header and n − 1 words of four bytes,
 * up to 15. To be set before connecting, which agrees on one that suits both ends. Source: RFC 4340, section 9.2.
 */
export const dccpSendCsCov: SocketOption<number> = integerOption({
  ...key(c.DCCP_SOCKOPT_SEND_CSCOV, 'DCCP_SOCKOPT_SEND_CSCOV'),
  min: 0,
  max: 15,
});

/** What the checksum of packets that are received must cover at least, as of dccpSendCsCov. */
export const dccpRecvCsCov: SocketOption<number> = integerOption({
  ...key(c.DCCP_SOCKOPT_RECV_CSCOV, 'DCCP_SOCKOPT_RECV_CSCOV'),
  min: 0,
  max: 15,
});

/** Kinds of congestion control that the kernel has: DCCPC_CCID2, DCCPC_CCID3. */
export const dccpAvailableCcids: ReadonlyOption<number[]> = {
  ...key(c.DCCP_SOCKOPT_AVAILABLE_CCIDS, 'DCCP_SOCKOPT_AVAILABLE_CCIDS'),
  size: 64,
  decode: (raw) => [...raw],
};

const preferences = (value: readonly number[]): Uint8Array =>
  packList('value', value, 'kinds of congestion control', CCID);

/** Kinds of congestion control to agree on for both directions, the best first. To be set before connecting. */
export const dccpCcid: WriteonlyOption<readonly number[]> = {
  ...key(c.DCCP_SOCKOPT_CCID, 'DCCP_SOCKOPT_CCID'),
  encode: preferences,
};

/** Congestion control of what is sent: set to kinds to agree on, the best first, and read as the one that is used. */
export const dccpTxCcid: SocketOption<number, readonly number[]> = {
  ...readonlyIntegerOption(key(c.DCCP_SOCKOPT_TX_CCID, 'DCCP_SOCKOPT_TX_CCID')),
  encode: preferences,
};

/** Congestion control of what is received, as dccpTxCcid. */
export const dccpRxCcid: SocketOption<number, readonly number[]> = {
  ...readonlyIntegerOption(key(c.DCCP_SOCKOPT_RX_CCID, 'DCCP_SOCKOPT_RX_CCID')),
  encode: preferences,
};

const priority: AncillaryMessage<number> = ancillaryMessage<number>({
  level: SOL_DCCP,
  type: c.DCCP_SCM_PRIORITY,
  label: 'DCCP_SCM_PRIORITY',
  size: 4,
  encode: (value) => ints(checkInteger('value', value, 0, 0xffffffff) | 0),
  decode: (data) => (data.length < 4 ? undefined : readU32(data, 0)),
});

/**
 * Order of the packets that wait to be sent: DCCPQ_POLICY_SIMPLE or DCCPQ_POLICY_PRIO, to be set before connecting. The
 * message is the priority of one packet, 0 to 4,294,967,295.
 */
export const dccpQpolicyId: WithMessage<SocketOption<number>, number> = withMessage(
  integerOption({ ...key(c.DCCP_SOCKOPT_QPOLICY_ID, 'DCCP_SOCKOPT_QPOLICY_ID'), min: 0, max: 1 }),
  priority,
);

/** How many packets may wait to be sent; 0 is no limit. */
export const dccpQpolicyTxqlen: SocketOption<number> = integerOption({
  ...key(c.DCCP_SOCKOPT_QPOLICY_TXQLEN, 'DCCP_SOCKOPT_QPOLICY_TXQLEN'),
  min: 0,
});
