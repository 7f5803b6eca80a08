import { constants } from 'node:os';

export const { ENOBUFS, EINTR, EBADMSG, ETIMEDOUT } = constants.errno;
