export { type UnixAddress, type UnixInput, unix } from './address.js';
export {
  type PidFdMessage,
  scmCredentials,
  scmInq,
  scmPidFd,
  scmSecurity,
} from './ancillary.js';
export * from './constants.gen.js';
export { type FdsEvent, UnixDuplex, unixDuplex } from './duplex.js';
export {
  ReceivedFds,
  type RecvFdsOptions,
  recvFds,
  recvFdsSync,
  type SendFdsOptions,
  sendFds,
  sendFdsSync,
  socketpair,
  tryRecvFds,
  trySendFds,
  type UnixSocket,
} from './fds.js';
export {
  soInq,
  soPassCred,
  soPassPidFd,
  soPassRights,
  soPassSec,
  soPeerCred,
  soPeerGroups,
  soPeerPidFd,
  soPeerSec,
} from './options.js';
export type { Credentials } from './structures.js';
