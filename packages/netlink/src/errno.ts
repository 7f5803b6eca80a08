import { constants } from 'node:os';

const { errno: codes } = constants;

const names = new Map(Object.entries(codes).map(([name, errno]) => [errno, name]));
// one number, two names: the manuals of sockets use these
names.set(codes.EAGAIN, 'EAGAIN');
names.set(codes.EOPNOTSUPP, 'EOPNOTSUPP');
// what node:os leaves out, and what the kernel has for itself but gives all the same; source: linux/errno.h
names.set(94, 'ESOCKTNOSUPPORT').set(96, 'EPFNOSUPPORT').set(112, 'EHOSTDOWN').set(524, 'ENOTSUPP');

/** Symbolic name of a (positive) errno. */
export const codeOf = (errno: number): string => names.get(errno) ?? `E${errno}`;

export const ENOBUFS: number = codes.ENOBUFS;
export const EINTR: number = codes.EINTR;
export const EBADMSG: number = codes.EBADMSG;
export const ETIMEDOUT: number = codes.ETIMEDOUT;
