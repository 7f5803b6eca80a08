import {
  booleanOption,
  type ReadonlyOption,
  readonlyIntegerOption,
  readText,
  readU32,
  SO_INQ,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_PASSRIGHTS,
  SO_PASSSEC,
  SO_PEERCRED,
  SO_PEERGROUPS,
  SO_PEERPIDFD,
  SO_PEERSEC,
  SOL_SOCKET,
  withMessage,
} from '@sock/core';
import { scmCredentials, scmInq, scmPidFd, scmSecurity } from './ancillary.js';
import { CREDENTIALS_SIZE, type Credentials, decodeCredentials, LABEL_SIZE } from './structures.js';

/** Groups that a process can be in at most, `NGROUPS_MAX`. Source: getgroups(2). */
const NGROUPS_MAX = 65536;

/**
 * SO_PEERCRED: who was at the other end when it connected, listened or made the socket pair.
 *
 * A socket without a peer has process 0, and user and group 4294967295. The process number is the
 * one in this process's namespace, 0 where it has none there. Source: unix(7), pid_namespaces(7).
 */
export const soPeerCred: ReadonlyOption<Credentials> = {
  level: SOL_SOCKET,
  name: SO_PEERCRED,
  label: 'SO_PEERCRED',
  size: CREDENTIALS_SIZE,
  decode(raw) {
    const value = decodeCredentials(raw);
    if (value === undefined) throw new RangeError(`SO_PEERCRED has ${raw.length} bytes, not ${CREDENTIALS_SIZE}`);
    return value;
  },
};

/**
 * SO_PEERGROUPS: the supplementary groups of the peer, as of the moment that SO_PEERCRED describes.
 * @throws SocketError `ENODATA` for a socket without a peer. Source: kernel, net/core/sock.c.
 */
export const soPeerGroups: ReadonlyOption<number[]> = {
  level: SOL_SOCKET,
  name: SO_PEERGROUPS,
  label: 'SO_PEERGROUPS',
  size: NGROUPS_MAX * 4,
  decode(raw) {
    const groups: number[] = [];
    for (let offset = 0; offset + 4 <= raw.length; offset += 4) groups.push(readU32(raw, offset));
    return groups;
  },
};

/**
 * SO_PEERSEC: the security label (SELinux context, AppArmor profile) of the peer.
 * @throws SocketError `ENOPROTOOPT` where no security module labels sockets. Source: unix(7).
 */
export const soPeerSec: ReadonlyOption<string> = {
  level: SOL_SOCKET,
  name: SO_PEERSEC,
  label: 'SO_PEERSEC',
  size: LABEL_SIZE,
  // some modules end it with NUL, others do not
  decode: readText,
};

/**
 * SO_PEERPIDFD: a new descriptor (pidfd) of the peer's process, which stays right when the process
 * number is used again. It is close-on-exec and yours to close (`fs.closeSync`). Linux 6.5.
 *
 * @throws SocketError `ENODATA` for a socket without a peer, `ESRCH` or `EINVAL` when the process
 * is gone. Source: pidfd_open(2), kernel, net/core/sock.c.
 */
export const soPeerPidFd: ReadonlyOption<number> = readonlyIntegerOption({
  level: SOL_SOCKET,
  name: SO_PEERPIDFD,
  label: 'SO_PEERPIDFD',
});

/**
 * SO_PASSCRED: each message received comes with the sender's credentials, `soPassCred.message`.
 * A socket that is not bound when it connects or sends is then bound to an abstract name.
 * Source: unix(7).
 */
export const soPassCred = withMessage(
  booleanOption({ level: SOL_SOCKET, name: SO_PASSCRED, label: 'SO_PASSCRED' }),
  scmCredentials,
);

/**
 * SO_PASSSEC: each message received comes with the sender's security label, `soPassSec.message`,
 * where a security module has labels. Source: unix(7).
 */
export const soPassSec = withMessage(
  booleanOption({ level: SOL_SOCKET, name: SO_PASSSEC, label: 'SO_PASSSEC' }),
  scmSecurity,
);

/**
 * SO_PASSPIDFD: each message received comes with a descriptor of the sender's process,
 * `soPassPidFd.message`. Linux 6.5. Source: kernel, net/core/scm.c.
 */
export const soPassPidFd = withMessage(
  booleanOption({ level: SOL_SOCKET, name: SO_PASSPIDFD, label: 'SO_PASSPIDFD' }),
  scmPidFd,
);

/**
 * SO_PASSRIGHTS: whether descriptors can be passed to this socket, as they can unless told. When
 * set to false, sending some here fails with EPERM. Linux 6.16. Source: kernel, net/unix/af_unix.c.
 */
export const soPassRights = booleanOption({ level: SOL_SOCKET, name: SO_PASSRIGHTS, label: 'SO_PASSRIGHTS' });

/**
 * SO_INQ: each receive on a stream comes with the number of bytes that are left, `soInq.message`.
 * Linux 6.17. Source: kernel, net/unix/af_unix.c.
 */
export const soInq = withMessage(booleanOption({ level: SOL_SOCKET, name: SO_INQ, label: 'SO_INQ' }), scmInq);
