import {
  Ancillary,
  type AncillaryMessage,
  ancillaryMessage,
  invalidArgumentType,
  type ReceiveOnlyMessage,
  readI32,
  readText,
  readU32,
  SCM_CREDENTIALS,
  SCM_INQ,
  SCM_PIDFD,
  SCM_SECURITY,
  SOL_SOCKET,
} from '@sock/core';
import { CREDENTIALS_SIZE, type Credentials, decodeCredentials, encodeCredentials, LABEL_SIZE } from './structures.js';

/**
 * SCM_CREDENTIALS: process, user and group of the sender, checked by the kernel. It comes with every
 * message where `soPassCred` is set.
 *
 * To send: members left out are this process's own. A process without capabilities can give only
 * its own number and its real, effective or saved user and group; else `EPERM`. Source: unix(7).
 */
export const scmCredentials: AncillaryMessage<Credentials, Partial<Credentials>> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_CREDENTIALS,
  label: 'SCM_CREDENTIALS',
  size: CREDENTIALS_SIZE,
  encode: encodeCredentials,
  decode: decodeCredentials,
});

/** SCM_SECURITY: the security label of the sender, where `soPassSec` is set. Source: unix(7). */
export const scmSecurity: ReceiveOnlyMessage<string> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_SECURITY,
  label: 'SCM_SECURITY',
  size: LABEL_SIZE,
  // some modules end it with NUL, others do not
  decode: readText,
});

/** A control message with a descriptor of a process. */
export interface PidFdMessage extends ReceiveOnlyMessage<number> {
  /**
   * Takes the descriptor out of what was received: it is yours, to close with `fs.closeSync`.
   * `undefined` where there is none, where it was taken before, or where the kernel could not make
   * one.
   */
  take(ancillary: Ancillary): number | undefined;
}

/**
 * SCM_PIDFD: a descriptor of the sender's process (pidfd), where `soPassPidFd` is set. `find` only
 * looks: the descriptor is closed with the ancillary data that it came in, unless `take` took it.
 * Linux 6.5. Source: pidfd_open(2), kernel, net/core/scm.c.
 */
export const scmPidFd: PidFdMessage = Object.assign(
  ancillaryMessage<number, never>({
    level: SOL_SOCKET,
    type: SCM_PIDFD,
    label: 'SCM_PIDFD',
    size: 4,
    decode: (data) => (data.length >= 4 ? readI32(data, 0) : undefined),
  }),
  {
    take(ancillary: Ancillary): number | undefined {
      if (!(ancillary instanceof Ancillary)) throw invalidArgumentType('ancillary', 'an Ancillary', ancillary);
      const [fd] = ancillary.take(SOL_SOCKET, SCM_PIDFD);
      return fd !== undefined && fd >= 0 ? fd : undefined;
    },
  },
);

/**
 * SCM_INQ: how many bytes are left to read on a stream, where `soInq` is set. Linux 6.17.
 * Source: kernel, net/unix/af_unix.c.
 */
export const scmInq: ReceiveOnlyMessage<number> = ancillaryMessage({
  level: SOL_SOCKET,
  type: SCM_INQ,
  label: 'SCM_INQ',
  size: 4,
  decode: (data) => (data.length >= 4 ? readU32(data, 0) : undefined),
});
