import { checkBoolean, checkInteger, checkObject, checkOneOf } from './arguments.js';
import { writeU32 } from './bytes.js';
import {
  RCVALL_IPLEVEL,
  RCVALL_OFF,
  RCVALL_ON,
  SIO_KEEPALIVE_VALS,
  SIO_LOOPBACK_FAST_PATH,
  SIO_RCVALL,
} from './constants.gen.js';

/** A request of ioctl with a typed argument. */
export interface IoctlRequest<Value> {
  /** Its number, `undefined` where the platform lacks it. */
  readonly request: number;
  /** Its C name, for messages. */
  readonly label: string;
  /** Which systems have it, and what takes its place on others: a clause for the error message. */
  readonly elsewhere?: string;
  /** Turns a value into an integer, or into the structure that the request reads. */
  encode(value: Value): number | Uint8Array;
}

/** What `sioRcvAll` lets a raw socket receive. */
export type ReceiveAll = 'off' | 'on' | 'ipLevel';

/** Keep-alive probes of a TCP connection. */
export interface KeepAliveValues {
  enable: boolean;
  /** Milliseconds of idleness before the first probe. */
  time: number;
  /** Milliseconds between probes that are not answered. */
  interval: number;
}

function u32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [index, value] of values.entries()) writeU32(bytes, value, 4 * index);
  return bytes;
}

const RECEIVE_ALL: Readonly<Record<ReceiveAll, number>> = { off: RCVALL_OFF, on: RCVALL_ON, ipLevel: RCVALL_IPLEVEL };

/** Windows: which packets a raw socket receives. Source: WSAIoctl, SIO_RCVALL. */
export const sioRcvAll: IoctlRequest<ReceiveAll> = {
  request: SIO_RCVALL,
  label: 'SIO_RCVALL',
  elsewhere: 'only Windows has it; on Linux a socket of AF_PACKET receives everything',
  encode: (value) => u32(RECEIVE_ALL[checkOneOf('argument', value, ['off', 'on', 'ipLevel'])]),
};

/** Windows: keep-alive probes of TCP. Source: WSAIoctl, SIO_KEEPALIVE_VALS. */
export const sioKeepAliveVals: IoctlRequest<KeepAliveValues> = {
  request: SIO_KEEPALIVE_VALS,
  label: 'SIO_KEEPALIVE_VALS',
  elsewhere: 'only Windows has it; elsewhere set SO_KEEPALIVE, TCP_KEEPIDLE and TCP_KEEPINTVL',
  encode(value) {
    const { enable, time, interval } = checkObject('argument', value);
    return u32(
      checkBoolean('argument.enable', enable) ? 1 : 0,
      checkInteger('argument.time', time, 0, 0xffffffff),
      checkInteger('argument.interval', interval, 0, 0xffffffff),
    );
  },
};

/** Windows: a shorter way for TCP over the loopback. Source: WSAIoctl, SIO_LOOPBACK_FAST_PATH. */
export const sioLoopbackFastPath: IoctlRequest<boolean> = {
  request: SIO_LOOPBACK_FAST_PATH,
  label: 'SIO_LOOPBACK_FAST_PATH',
  elsewhere: 'only Windows has it; other systems need nothing of the kind',
  encode: (value) => u32(checkBoolean('argument', value) ? 1 : 0),
};
